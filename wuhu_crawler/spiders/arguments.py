"""Spider arguments (`-a name=value`): each one line of a table that reads, checks and explains it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..errors import UsageError
from ..politeness.scope import Scope
from ..portals import BUNDLED, Portal, load_portal

_CONTACT = re.compile(r"mailto:[^\s@()]+@[^\s@()]+|https?://[^\s()]+")
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_CRAWL = re.compile(r"[\w.-]+", re.ASCII)
_SWITCH = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: `read` turns its text into a value or raises ValueError saying what it should have been."""

    name: str
    metavar: str
    meaning: str
    read: Callable[[str], Any]
    required: bool = False


def read_arguments(spider: str, known: Sequence[Argument], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of each known argument, None for those not given. Raises UsageError in one sentence."""
    names = {argument.name for argument in known}
    for name in given:
        if name not in names:
            raise UsageError(f"spider {spider!r} has no argument {name!r}: it takes {', '.join(sorted(names))}")
    values: dict[str, Any] = {}
    for argument in known:
        text = given.get(argument.name)
        if not text and argument.required:
            raise UsageError(f"spider {spider!r} needs -a {argument.name}={argument.metavar}")
        try:
            values[argument.name] = None if text is None else argument.read(text.strip())
        except ValueError as error:
            raise UsageError(f"-a {argument.name}={text}: {error}") from error
    return values


def word(text: str) -> str:
    """Return a text that is not empty."""
    if not text:
        raise ValueError("must not be empty")
    return text


def words(text: str) -> tuple[str, ...]:
    """Return the parts between commas, Chinese ones included, each once. A comma inside a URL is written %2C."""
    parts = tuple(dict.fromkeys(part.strip() for part in re.split("[,，]", text)))
    if not all(parts):
        raise ValueError("must be names or URLs with a comma between them")
    return parts


def urls(text: str) -> tuple[str, ...]:
    """Return the http(s) URLs between commas, each once."""
    parts = words(text)
    for part in parts:
        if not is_url(part):
            raise ValueError(f"{part!r} is not an http(s) URL")
    return parts


def is_url(text: str) -> bool:
    """Tell whether a text is an absolute http(s) URL."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def day(text: str) -> date:
    """Return a date written 2024-02-03 or 2024/2/3."""
    found = _DATE.fullmatch(text)
    try:
        if found:
            return date(*(int(part) for part in found.groups()))
    except ValueError:
        pass
    raise ValueError("must be a date like 2024-02-03")


def count(text: str) -> int:
    """Return a whole number of at least 1."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ValueError("must be a whole number of at least 1")
    return int(text)


def switch(text: str) -> bool:
    """Return what 1, yes, true or 0, no, false mean."""
    if text.lower() not in _SWITCH:
        raise ValueError("must be 1 or 0")
    return _SWITCH[text.lower()]


def crawl_id(text: str) -> str:
    """Return the ID of a crawl, or `last`."""
    if not _CRAWL.fullmatch(text):
        raise ValueError("must be the ID of a crawl, or last")
    return text


def choose_portal(name: str, demo_url: str) -> Portal:
    """Return the named profile; the bundled portal's with its URLs moved to `demo_url`. Raises UsageError."""
    portal = load_portal(name)
    return moved(portal, demo_url) if name == "demo" else portal


def portal_of(url: str, demo_url: str) -> Portal:
    """Return the bundled profile on whose hosts the URL is. Raises UsageError."""
    names = sorted(path.stem for path in BUNDLED.glob("*.toml"))
    for name in names:
        portal = choose_portal(name, demo_url)
        if Scope(portal).holds(url):
            return portal
    raise UsageError(f"{url} is on no host of the bundled portals ({', '.join(names)}): name its profile with -a portal=FILE")


def moved(portal: Portal, base: str) -> Portal:
    """Return the portal with scheme, host and port of `base` in all its URLs. Raises UsageError when it is no http(s) URL."""
    origin = urlsplit(base)
    if origin.scheme not in ("http", "https") or not origin.hostname:
        raise UsageError(f"WUHU_DEMO_URL={base} is not an http(s) URL; the default is http://127.0.0.1:8553/")

    def move(url: str) -> str:
        return urlunsplit(urlsplit(url)._replace(scheme=origin.scheme, netloc=origin.netloc))

    return replace(
        portal,
        seeds=tuple(move(seed) for seed in portal.seeds),
        hosts=(origin.hostname.lower(),),
        article_url=None if portal.article_url is None else move(portal.article_url),
    )


def check_contact(portal: Portal, contact: str) -> None:
    """Raise UsageError when the contact is malformed, or missing where the portal's owner should be able to reach us."""
    if contact and not _CONTACT.fullmatch(contact):
        raise UsageError(f"WUHU_CONTACT={contact} must be a mailto: or http(s): address, for instance mailto:me@example.org")
    if portal.contact_required and not contact:
        raise UsageError(
            f"portal {portal.name} is a live site: say who crawls it, with WUHU_CONTACT=mailto:you@example.org in the "
            "environment or -s WUHU_CONTACT=..."
        )
