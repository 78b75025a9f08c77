"""Portal profiles: one TOML a portal. Data, not code; this module only reads and checks them.

A profile says where a portal is and how its article URLs look; everything else has a default that fits the classic-ASP family.
docs/portals.md documents every key.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import UsageError

BUNDLED = Path(__file__).parent

# The family's article URLs: a script named for one thing and a numeric id. A profile's own patterns replace these.
FAMILY_ARTICLE_URLS = (
    r"/(?:\w*info|show\w*|view\w*|read\w*|detail\w*|article\w*|news\w*|content\w*|list)\.aspx?"
    r"\?(?:[^#]*&)?(?:article|news|info)?_?id=(?P<id>\d+)(?=&|$)",
)


# The word tables of extract.labels and extract.missing a profile may add to.
LABEL_FIELDS = ("published", "views", "source", "source_date", "position", "end", "tools", "slots", "missing")
_LONGEST_DELAY = 3600
_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "title": str,
    "timezone": str,
    "article_url": str,
    "delay": (int, float),
    "concurrency": int,
    "allow_private": bool,
    "contact_required": bool,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Portal:
    """A portal as its TOML describes it. `article_urls`, `page_urls`, `counter_urls` and `exclude` are regular expressions
    searched, ignoring case, in path + query; the group `id` is the article ID, the group `page` the number of a list's page.
    `labels` adds words to the extraction tables (field -> words). `delay` is in seconds."""

    name: str
    title: str
    seeds: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    article_urls: tuple[str, ...] = FAMILY_ARTICLE_URLS
    article_url: str | None = None
    page_urls: tuple[str, ...] = ()
    counter_urls: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    timezone: str = "Asia/Shanghai"
    delay: float = 2.0
    concurrency: int = 1
    allow_private: bool = False
    contact_required: bool = True
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone the portal prints its times in."""
        return ZoneInfo(self.timezone)


def load_portal(name: str) -> Portal:
    """Return the profile called `name` (bundled) or stored at the path `name`.

    Raises UsageError naming the key and the mend when it does not exist or is not well formed.
    """
    path = Path(name) if name.endswith(".toml") or "/" in name else BUNDLED / f"{name}.toml"
    if not path.is_file() and path.suffix == ".toml" and path.parent != BUNDLED:
        raise UsageError(f"there is no portal file {path}")
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in BUNDLED.glob("*.toml")))
        raise UsageError(f"portal {name!r} is unknown: give one of {known}, or the path of a portal TOML")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error
    return make_portal({"name": path.stem, **raw}, where=str(path))


def make_portal(raw: dict[str, object], where: str) -> Portal:
    """Return the Portal of a parsed profile; `where` stands before every complaint. Raises UsageError."""
    known = {f.name for f in fields(Portal)}
    for key in raw:
        if key not in known:
            raise UsageError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}")
    seeds = raw.get("seeds")
    if not isinstance(seeds, list) or not seeds or not all(_is_http(s) for s in seeds):
        raise UsageError(f"{where}: `seeds` must be a list of at least one http(s) URL")
    checked: dict[str, object] = {"title": raw["name"], **raw}
    for key in ("seeds", "hosts", "article_urls", "page_urls", "counter_urls", "exclude"):
        if key in checked:
            checked[key] = _words(checked[key], f"{where}: `{key}`")
    for key, kind in _TYPES.items():
        if key in checked and (not isinstance(checked[key], kind) or (kind is not bool and isinstance(checked[key], bool))):
            raise UsageError(f"{where}: `{key}` has the wrong type: {checked[key]!r}")
    labels = checked.get("labels", {})
    if not isinstance(labels, dict):
        raise UsageError(f"{where}: `labels` must be a table of field = [words]")
    for name in labels:
        if name not in LABEL_FIELDS:
            raise UsageError(f"{where}: unknown key `labels.{name}`; known are {', '.join(LABEL_FIELDS)}")
    checked["labels"] = {name: _words(words, f"{where}: `labels.{name}`") for name, words in labels.items()}
    if not checked.get("hosts"):
        checked["hosts"] = tuple(dict.fromkeys((urlsplit(s).hostname or "").lower() for s in seeds))
    portal = Portal(**checked)  # type: ignore[arg-type]
    _check(portal, where)
    return portal


def _check(portal: Portal, where: str) -> None:
    for key, group in (("article_urls", "id"), ("page_urls", "page"), ("counter_urls", None), ("exclude", None)):
        for pattern in getattr(portal, key):
            _check_pattern(pattern, group, f"{where}: `{key}`")
    if portal.article_url is not None:
        _check_article_url(portal.article_url, portal.article_urls, where)
    if not 0 <= portal.delay < _LONGEST_DELAY or portal.concurrency < 1:
        raise UsageError(f"{where}: `delay` must be >= 0 (seconds, under an hour) and `concurrency` >= 1")
    try:
        ZoneInfo(portal.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"{where}: unknown time zone {portal.timezone!r}") from error


def _check_pattern(pattern: str, group: str | None, where: str) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{where}: {pattern!r} is not a regular expression: {error}") from error
    if group is not None and group not in compiled.groupindex:
        raise UsageError(f"{where}: {pattern!r} needs a group (?P<{group}>\\d+)")
    if "://" in pattern:
        raise UsageError(f"{where}: {pattern!r} is searched in path and query only: leave scheme and host out")


def _check_article_url(template: str, patterns: tuple[str, ...], where: str) -> None:
    if "{id}" not in template or not _is_http(template):
        raise UsageError(f"{where}: `article_url` must be an http(s) URL that holds {{id}}")
    parts = urlsplit(template.replace("{id}", "12393"))
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    found = next((hit for pattern in patterns if (hit := re.search(pattern, target, re.I))), None)
    if found is None or found["id"] != "12393":
        raise UsageError(f"{where}: `article_url` is no URL that `article_urls` knows as an article's: {template!r}")


def _words(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) and word for word in value):
        raise UsageError(f"{where} must be a list of strings")
    return tuple(value)


def _is_http(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
