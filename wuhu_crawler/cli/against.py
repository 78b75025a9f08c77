"""What `wuhu extract --against` does: hold pages to what somebody says is true of them, field by field.

Truth is a JSON object, a list of them, or JSON lines. Only the fields a row names are compared; a row is found by its `url` or
`article_id`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import click

from ..errors import UsageError
from ..extract.urls import identity
from ..items import Article, Listing, OtherPage, PageItem, to_json
from .explain import short

_KNOWN = frozenset(f.name for kind in (Article, Listing, OtherPage) for f in fields(kind))
# They say which page a row is about.
_KEYS = ("url", "article_id")
_LINKS = frozenset({"images", "attachments", "links"})
_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not as truth has it."""

    field: str
    wanted: Any
    got: Any


class Truth:
    """The rows of a truth file. Raises UsageError when it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = _rows(path)
        self.unknown = sorted({name for row in self._rows for name in row} - _KNOWN)
        if not any(name in _KNOWN and name not in _KEYS for row in self._rows for name in row):
            raise UsageError(f"--against {path}: no row names a field to compare; docs/article.md lists them")
        self.used: set[int] = set()

    def row(self, name: str, item: PageItem, *, alone: bool) -> dict[str, Any]:
        """Return the row of a page, by URL, else by article ID; a row without either is that of the only page.

        Raises UsageError when there is none, or several.
        """
        number = getattr(item, "article_id", None)
        here = identity(item.url)
        for found in (
            [i for i, row in enumerate(self._rows) if row.get("url") and identity(urljoin(item.url, row["url"])) == here],
            [i for i, row in enumerate(self._rows) if number is not None and row.get("article_id") == number],
            [0] if alone and len(self._rows) == 1 and not any(self._rows[0].get(key) for key in _KEYS) else [],
        ):
            if len(found) > 1:
                raise UsageError(f"--against {self._path}: {len(found)} rows are about {name} ({item.url})")
            if found:
                self.used.add(found[0])
                return self._rows[found[0]]
        told = f"{item.url}, " + (f"article {number}" if number is not None else "no article ID in its URL")
        raise UsageError(
            f"--against {self._path}: no row is about {name} ({told}); give --url, or url or article_id in the row"
        )

    @property
    def left(self) -> int:
        """How many rows no page was compared with."""
        return len(self._rows) - len(self.used)


def compare(item: PageItem, row: dict[str, Any]) -> tuple[list[Difference], int]:
    """Return the differences, in the row's order, and how many fields were compared."""
    got = to_json(item)
    names = [name for name in row if name in _KNOWN and name not in _KEYS]
    wanted = {name: _absolute(row[name], item.url) if name in _LINKS else row[name] for name in names}
    return [Difference(n, wanted[n], got.get(n)) for n in names if got.get(n) != wanted[n]], len(names)


def _absolute(links: Any, base: str) -> Any:
    """Truth may give a link as the page writes it."""
    if not isinstance(links, list):
        return links
    return [{**link, "url": urljoin(base, str(link.get("url", "")))} if isinstance(link, dict) else link for link in links]


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"--against {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--against {path}: not UTF-8: {error}") from error
    try:
        found = json.loads(text)
    except json.JSONDecodeError as whole:
        found = _lines(path, text, whole)
    found = found if isinstance(found, list) else [found]
    if not found or not all(isinstance(row, dict) for row in found):
        raise UsageError(f"--against {path}: must be a JSON object, a list of objects, or an object a line")
    return found


def _lines(path: Path, text: str, whole: json.JSONDecodeError) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            at = whole if not rows else error
            line_number = whole.lineno if not rows else number
            raise UsageError(f"--against {path}: not JSON, line {line_number}: {at.msg}") from error
    return rows


def as_json(name: str, item: PageItem, differences: list[Difference], compared: int) -> dict[str, Any]:
    """Return what --against --json prints of one page."""
    told = [{"field": d.field, "wanted": d.wanted, "got": d.got} for d in differences]
    return {"input": name, "url": item.url, "kind": item.kind, "compared": compared, "differences": told}


def show(name: str, item: PageItem, differences: list[Difference], compared: int) -> None:
    """Print how one page compares."""
    if not differences:
        click.echo(f"{name}: {compared} fields as they should be")
        return
    taken = "" if item.kind == "article" else f" (read as {item.kind}: {getattr(item, 'reason', 'a list of articles')})"
    click.secho(f"{name}: {len(differences)} of {compared} fields differ{taken}", bold=True)
    for difference in differences:
        click.echo(f"  {difference.field}{_where(difference)}")
        wanted, got = _part(difference)
        click.echo(f"    wanted  {wanted}")
        click.echo(f"    got     {got}")


def _where(difference: Difference) -> str:
    wanted, got = difference.wanted, difference.got
    if isinstance(wanted, list) and isinstance(got, list):
        wrong = [i for i, (a, b) in enumerate(zip_longest(wanted, got, fillvalue=_NOTHING)) if a != b]
        return f": {len(wrong)} of {max(len(wanted), len(got))} differ, the first is number {wrong[0] + 1}"
    return ""


_NOTHING = object()


def _part(difference: Difference) -> tuple[str, str]:
    """What differs first, told so that the eye finds it."""
    wanted, got = difference.wanted, difference.got
    if isinstance(wanted, list) and isinstance(got, list):
        pairs = zip_longest(wanted, got, fillvalue=_NOTHING)
        wanted, got = next((a, b) for a, b in pairs if a != b)
    if isinstance(wanted, str) and isinstance(got, str):
        at = next((i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got)))
        begin = max(0, at - 12)
        return _told(wanted[begin:], begin), _told(got[begin:], begin)
    return _told(wanted, 0), _told(got, 0)


def _told(value: Any, skipped: int) -> str:
    if value is _NOTHING:
        return "(nothing)"
    return short(("…" if skipped else "") + json.dumps(value, ensure_ascii=False), _WIDTH - 12)
