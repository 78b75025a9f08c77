"""What differs between two databases of the same archive, in the words of an article's fields. Reads only, article by article.

A version is known by the capture that first shows it, so that a version more or less does not make all later ones differ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from typing import Any

from sqlalchemy import Connection

from . import canonical, models

EXAMPLES = 3
_SHORT = 120
Key = tuple[Any, ...]
# Tables of a version's parts, and the field each is of; links by their kind.
_PARTS = {"section": "sections", "credit": "credits", "link": "links"}
_LINKS = {"image": "images", "attachment": "attachments", "link": "links"}
# Told of only where nothing else of a version differs: they follow from the rest.
_DIGESTS = {"article_digest", "page_digest"}
_NAMES = {"category_id": "category", "body": "paragraphs"}


@dataclass(slots=True)
class Example:
    """One field that differs. `old` and `new` are JSON, cut; None where there is nothing on that side."""

    article: str
    url: str | None
    field: str
    old: str | None
    new: str | None


@dataclass(slots=True)
class Differences:
    """How many articles differ in each field, with examples; how many rows of other tables do."""

    articles: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.rows)


def compare(old: Connection, new: Connection) -> Differences:
    """Return what a reader of `new` would find different from `old`."""
    found = Differences()
    for key, before, after in _merged(_articles(old), _articles(new)):
        changed = list(_changes(before, after))
        found.articles += bool(changed)
        for name, one, two in changed:
            found.fields[name] = found.fields.get(name, 0) + 1
            if found.fields[name] <= EXAMPLES:
                url = next((version.get("url") for version in (after or before or {}).values()), None)
                found.examples.append(Example(" ".join(map(str, key)), url, name, _short(one), _short(two)))
    found.examples.sort(key=lambda example: (-found.fields[example.field], example.field))
    _compare_captures(old, new, found)
    for name in ("portal", "crawl", "outcome", "view_observation", "listing_sighting"):
        _compare_rows(old, new, name, found)
    return found


Versions = dict[str, dict[str, Any]]


def _articles(connection: Connection) -> Iterator[tuple[Key, Versions]]:
    """Yield each article's key and its versions, by the record that first shows them, parts included."""
    parts = {name: _Stepping(canonical.rows(connection, models.metadata.tables[name])) for name in _PARTS}
    versions = canonical.rows(connection, models.article_version)
    for key, group in groupby(versions, lambda row: tuple(row.pop("article_key"))):
        shown: Versions = {}
        for row in group:
            number, record = row.pop("number"), row.pop("capture_id")
            fields = {_NAMES.get(name, name): value for name, value in row.items()}
            for name, stream in parts.items():
                fields.update(_grouped(name, stream.rows_of((*key, number))))
            shown[record] = fields
        yield key, shown


class _Stepping:
    """Rows of a part's table, handed out version by version; both come in the same order."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def rows_of(self, version: Key) -> list[dict[str, Any]]:
        """Return the rows of one version."""
        found = []
        while self._next is not None and tuple(self._next["version_id"]) <= version:
            if tuple(self._next["version_id"]) == version:
                found.append(self._next)
            self._next = next(self._rows, None)
        return found


def _grouped(table: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if table != "link":
        return {_PARTS[table]: [{k: v for k, v in row.items() if k != "version_id"} for row in rows]}
    kinds: dict[str, list[Any]] = {name: [] for name in _LINKS.values()}
    for row in rows:
        kinds[_LINKS[row["kind"]]].append({"url": row["url"], "text": row["text"]})
    return kinds


def _changes(before: Versions | None, after: Versions | None) -> Iterator[tuple[str, Any, Any]]:
    """Yield field, old and new value of what differs between an article's versions; each field once."""
    if before is None or after is None:
        title = [version["title"] for version in (before or after or {}).values()]
        yield "the article itself", before and title, after and title
        return
    told: dict[str, tuple[Any, Any]] = {}
    if before.keys() != after.keys():
        told["versions"] = (len(before), len(after))
    for record in before.keys() & after.keys():
        one, two = before[record], after[record]
        differing = [name for name in one if one[name] != two[name]]
        for name in [name for name in differing if name not in _DIGESTS] or differing:
            told.setdefault(name, (one[name], two[name]))
    yield from ((name, one, two) for name, (one, two) in told.items())


def _merged(
    old: Iterator[tuple[Key, Versions]], new: Iterator[tuple[Key, Versions]]
) -> Iterator[tuple[Key, Versions | None, Versions | None]]:
    one, two = next(old, None), next(new, None)
    while one is not None or two is not None:
        if two is None or (one is not None and one[0] < two[0]):
            assert one is not None  # noqa: S101 - the loop's condition
            yield one[0], one[1], None
            one = next(old, None)
        elif one is None or two[0] < one[0]:
            yield two[0], None, two[1]
            two = next(new, None)
        else:
            yield one[0], one[1], two[1]
            one, two = next(old, None), next(new, None)


def _compare_captures(old: Connection, new: Connection, found: Differences) -> None:
    """Captures stand in the archive's order in both: what differs is what their pages are found to be."""
    counts: defaultdict[str, int] = defaultdict(int)
    pairs = zip_longest(canonical.rows(old, models.capture), canonical.rows(new, models.capture), fillvalue=None)
    for one, two in pairs:
        if one is None or two is None or one["record_id"] != two["record_id"]:
            counts["differing captures"] += 1
        elif one["page_kind"] != two["page_kind"]:
            counts[f"{one['page_kind'] or 'not read'} -> {two['page_kind'] or 'not read'}"] += 1
        elif one != two:
            counts["other facts"] += 1
    if counts:
        found.rows["capture"] = dict(counts)


def _compare_rows(old: Connection, new: Connection, table: str, found: Differences) -> None:
    gone = {hash(line) for line in canonical.lines(old, [table])}
    added = 0
    for line in canonical.lines(new, [table]):
        if (known := hash(line)) in gone:
            gone.remove(known)
        else:
            added += 1
    if gone or added:
        found.rows[table] = {"only in the database": len(gone), "only in the rebuilt one": added}


def _short(value: Any) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
