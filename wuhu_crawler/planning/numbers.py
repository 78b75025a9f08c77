"""What the archive knows of each article number of a portal, the highest first: a stream, so memory does not grow with them.

The highest first, so that whoever reads it knows at each number since when a higher one has been known: what was missing before
that was no gap yet, it only had not been given out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, TextClause, text

Answer = Literal["article", "missing", "other", "unsure"]

# Rows asked for at a time. No cursor stays open between two questions, or its reader would see an old state of the database.
CHUNK = 4_000
# Bytes of database pages in memory, of all connections together.
SQLITE_MEMORY = 8 << 20
LARGEST = (1 << 63) - 1

# What was postponed or excluded was never asked. The order within a number is that in which it was answered.
_ANSWERS = text("""
    SELECT o.article_id AS number, o.at, o.outcome, c.page_kind
    FROM outcome o JOIN crawl w ON w.id = o.crawl_id LEFT JOIN capture c ON c.id = o.capture_id
    WHERE w.portal = :portal AND o.article_id < :below AND o.outcome NOT IN ('excluded', 'postponed')
    ORDER BY o.article_id DESC, o.at, COALESCE(o.capture_id, 0) LIMIT :rows
    """)
_SIGHTINGS = text("""
    SELECT s.article_id AS number, MIN(c.captured_at) AS at
    FROM listing_sighting s JOIN capture c ON c.id = s.capture_id JOIN crawl w ON w.id = c.crawl_id
    WHERE w.portal = :portal AND s.article_id < :below
    GROUP BY s.article_id ORDER BY s.article_id DESC LIMIT :rows
    """)
_LIMITS = text("""
    SELECT (SELECT MIN(article_id) FROM article WHERE portal = :portal) AS lowest,
      (SELECT MAX(article_id) FROM article WHERE portal = :portal) AS highest
    """)
_LAST_SIGHTED = text("""
    SELECT s.article_id FROM listing_sighting s JOIN capture c ON c.id = s.capture_id JOIN crawl w ON w.id = c.crawl_id
    WHERE w.portal = :portal ORDER BY s.article_id DESC LIMIT 1
    """)
_OF_CRAWL = text("""
    SELECT o.article_id AS number, o.outcome, c.page_kind FROM outcome o LEFT JOIN capture c ON c.id = o.capture_id
    WHERE o.crawl_id = :crawl AND o.article_id IS NOT NULL AND o.outcome NOT IN ('excluded', 'postponed')
    ORDER BY o.article_id
    """)


@dataclass(slots=True)
class Told:
    """All that is known of a number: its answers in their order, with their times as text in UTC, and when a listing first
    showed it (None: never)."""

    number: int
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    sighted: str | None = None

    @property
    def article_since(self) -> str | None:
        """When it was first answered with an article; None: never."""
        return next((at for at, answer in self.answers if answer == "article"), None)


class Asked(NamedTuple):
    """What a crawl has asked for so far: how many numbers, which of them were articles, and which brought no answer."""

    numbers: int
    articles: list[int]
    open: list[int]


def spare_memory() -> None:
    """Bound what SQLite keeps of database pages in this process: a stream of millions of rows fills its caches for nothing.

    To be called before the archive is opened. The limit is one of the process, whichever connection sets it.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA soft_heap_limit = {SQLITE_MEMORY}")


def told(connection: Connection, portal: str) -> Iterator[Told]:
    """Yield each number that was ever asked for or shown by a listing, the highest first."""
    answers, sightings = _answered(connection, portal), _sighted(connection, portal)
    answered, sighted = next(answers, None), next(sightings, None)
    while answered is not None or sighted is not None:
        if sighted is None or (answered is not None and answered.number > sighted.number):
            assert answered is not None  # noqa: S101 - the loop's condition; mypy cannot see it
            yield answered
            answered = next(answers, None)
        elif answered is None or sighted.number > answered.number:
            yield sighted
            sighted = next(sightings, None)
        else:
            answered.sighted = sighted.sighted
            yield answered
            answered, sighted = next(answers, None), next(sightings, None)


def known_range(connection: Connection, portal: str) -> tuple[int, int] | None:
    """Return the lowest and the highest number of the portal's articles, those a listing shows included; None without any."""
    lowest, highest = connection.execute(_LIMITS, {"portal": portal}).one()
    if lowest is None:
        return None
    shown = connection.execute(_LAST_SIGHTED, {"portal": portal}).scalar()
    return int(lowest), max(int(highest), int(shown or 0))


def asked_by(connection: Connection, crawl_id: str) -> Asked:
    """Return what a crawl has asked for until now."""
    answers: dict[int, set[Answer]] = {}
    for row in connection.execute(_OF_CRAWL, {"crawl": crawl_id}):
        answers.setdefault(row.number, set()).add(_answer(row))
    articles = [number for number, found in answers.items() if "article" in found]
    open_ones = [number for number, found in answers.items() if "unsure" in found and "article" not in found]
    return Asked(len(answers), articles, open_ones)


def _answered(connection: Connection, portal: str) -> Iterator[Told]:
    current = Told(0)
    for row in _rows(connection, _ANSWERS, portal):
        if row.number != current.number or not current.answers:
            if current.answers:
                yield current
            current = Told(row.number)
        current.answers.append((row.at, _answer(row)))
    if current.answers:
        yield current


def _sighted(connection: Connection, portal: str) -> Iterator[Told]:
    for row in _rows(connection, _SIGHTINGS, portal):
        yield Told(row.number, sighted=row.at)


def _answer(row: Any) -> Answer:
    """What the SQL view article_observation calls error and blocked is one here: to be asked again."""
    if row.outcome in ("captured", "revisit"):
        return "article" if row.page_kind == "article" else "other"
    return "missing" if row.outcome == "missing" else "unsure"


def _rows(connection: Connection, statement: TextClause, portal: str) -> Iterator[Any]:
    """Yield the rows of a statement, all rows of a number together, however many questions they come in."""
    below, size = LARGEST, CHUNK
    while True:
        rows = connection.execute(statement, {"portal": portal, "below": below, "rows": size}).all()
        last = rows[-1].number if len(rows) == size else None
        if last is None:
            yield from rows
            return
        whole = next(place for place, row in enumerate(rows) if row.number == last)
        yield from rows[:whole]
        # The last number's rows may go on: they come with the next question, a longer one where they fill all of this one.
        below, size = (last + 1, CHUNK) if whole else (below, size * 2)
