"""Questions to the database about a portal's article numbers: where known ones are, and what became of them.

Every number is in one state: `captured` (a version of it is kept), `missing` (never had, and the portal said there is none),
`error` or `blocked` (its last answer settles nothing), `waiting` (shown or asked for, and not had whole yet), or `unknown` (no
page has shown it and nobody asked). Written for SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from ..planning.gone import GoneRule
from .space import HOLE, HOLES, Space, Stretch, divide

STATES = ("captured", "missing", "error", "blocked", "waiting")
# So many numbers are asked about in one statement: what the database sorts at a time stays small.
AT_ONCE = 100_000
STATEMENTS = 64


@dataclass(slots=True)
class Tally:
    """How many of some numbers are in which state. `gone` and `unlisted` are among the captured."""

    numbers: int = 0
    captured: int = 0
    missing: int = 0
    error: int = 0
    blocked: int = 0
    waiting: int = 0
    gone: int = 0
    unlisted: int = 0

    @property
    def known(self) -> int:
        """Numbers a page has shown or the portal was asked for."""
        return self.captured + self.missing + self.error + self.blocked + self.waiting

    @property
    def unknown(self) -> int:
        """Numbers nothing is known of."""
        return self.numbers - self.known

    @property
    def accounted(self) -> float | None:
        """The share of the numbers that are captured, or that the portal says it does not have; None of no numbers."""
        return (self.captured + self.missing) / self.numbers if self.numbers else None

    def add(self, other: Tally) -> None:
        """Add the counts of another one."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def as_object(self) -> dict[str, Any]:
        """Return the counts under their names, ready for JSON."""
        counts = {name: getattr(self, name) for name in ("numbers", "known", *STATES, "unknown", "gone", "unlisted")}
        return {**counts, "accounted": None if self.accounted is None else round(self.accounted, 6)}


@dataclass(slots=True)
class Cell:
    """A cell of the number space: its counts, and those of them whose month is known (month -> counts, as `2024-02`)."""

    place: Stretch
    tally: Tally
    dated: dict[str, Tally] = field(default_factory=dict)


def space(connection: Connection, portal: str, width: int | None = None) -> Space | None:
    """Return where a portal's known numbers are, cut into rows of `width`; None when no page has shown any.

    It reaches from the lowest number a page has shown to the highest. Raises UsageError for a width that makes too many rows.
    """
    asked = _Asking(connection, portal)
    low, high = connection.execute(text(_BOUNDS.format(shown=asked.shown)), asked.values).one()
    if low is None:
        return None
    bounds = {**asked.values, "low": low, "high": high}
    known = connection.execute(text(_KNOWN.format(known=asked.known)), bounds).scalar_one()
    rows = connection.execute(text(_HOLES.format(known=asked.known)), {**bounds, "hole": HOLE, "holes": HOLES})
    return divide(low, high, known, [Stretch(row.before + 1, row.n - 1) for row in rows], width)


def cells(connection: Connection, portal: str, where: Space, gone: GoneRule) -> Iterator[Cell]:
    """Yield the cells of a space in order; those that hold no known number are left out."""
    asked = _Asking(connection, portal)
    length = sum(map(len, where.islands))
    at_once = -(-max(AT_ONCE, length // STATEMENTS) // where.cell) * where.cell
    for island in where.islands:
        for piece in island.cut(at_once):
            yield from _cells(connection, asked, piece, island, where.cell, gone)


def beyond(connection: Connection, portal: str, whole: Stretch) -> dict[str, int]:
    """Return how numbers outside of the space ended that were asked for, by outcome: the way beyond the highest."""
    asked = _Asking(connection, portal)
    bounds = {**asked.values, "low": whole.first, "high": whole.last}
    rows = connection.execute(text(_BEYOND.format(of_outcome=asked.of_outcome)), bounds)
    return {row.outcome: row.number for row in rows}


class _Asking:
    """The parts statements are put together from. Rows of other portals are only looked for where there are any."""

    def __init__(self, connection: Connection, portal: str) -> None:
        alone = connection.execute(text("SELECT COUNT(*) FROM portal")).scalar_one() == 1
        # As subqueries: the planner must go by the index of the numbers, not through all that a crawl brought.
        self.of_outcome = "" if alone else "AND (SELECT w.portal FROM crawl w WHERE w.id = o.crawl_id) = :portal"
        self.of_sighting = "" if alone else (
            "AND (SELECT w.portal FROM capture c JOIN crawl w ON w.id = c.crawl_id WHERE c.id = s.capture_id) = :portal"
        )  # fmt: skip
        self.values: dict[str, Any] = {"portal": portal}
        self.shown = _SHOWN.format(of_sighting=self.of_sighting, of_article="")
        within = {"of_article": _WITHIN, "of_sighting": f"{self.of_sighting} {_WITHIN}", "of_outcome": self.of_outcome}
        self.known = f"{_SHOWN.format(**within)} UNION {_ASKED.format(**within)}"


def _cells(
    connection: Connection, asked: _Asking, piece: Stretch, island: Stretch, size: int, gone: GoneRule
) -> Iterator[Cell]:
    values = {**asked.values, "low": piece.first, "high": piece.last, "cell": size, "times": gone.observations}
    statement = text(_CELLS.format(of_outcome=asked.of_outcome, of_sighting=asked.of_sighting))
    cell: Cell | None = None
    for row in connection.execute(statement, values):
        first = max(row.cell * size, island.first)
        if cell is None or cell.place.first != first:
            if cell is not None:
                yield cell
            place = Stretch(first, min(row.cell * size + size - 1, island.last))
            cell = Cell(place, Tally(numbers=len(place)))
        tally = Tally(**{row.state: row.number}, unlisted=row.unlisted, gone=_gone(row, gone))
        cell.tally.add(tally)
        if row.month is not None:
            cell.dated.setdefault(row.month, Tally()).add(Tally(**{row.state: row.number}))
    if cell is not None:
        yield cell


def _gone(row: Any, gone: GoneRule) -> int:
    """Of the numbers of a row, which differ in nothing that matters here, how many are gone: missing often enough they are."""
    if row.since is None:
        return 0
    standing = gone.standing(gone.observations, datetime.fromisoformat(row.since), datetime.fromisoformat(row.until))
    return int(row.number) if standing == "gone" else 0


_SHOWN = """SELECT article_id AS n FROM article WHERE portal = :portal {of_article}
    UNION SELECT article_id AS n FROM listing_sighting s WHERE article_id IS NOT NULL {of_sighting}"""
_ASKED = "SELECT article_id AS n FROM outcome o WHERE article_id BETWEEN :low AND :high {of_outcome}"
_WITHIN = "AND article_id BETWEEN :low AND :high"
_BOUNDS = "SELECT MIN(n), MAX(n) FROM ({shown}) AS t"
_KNOWN = "SELECT COUNT(*) FROM ({known}) AS t"
_BEYOND = """
    SELECT o.outcome, COUNT(DISTINCT o.article_id) AS number FROM outcome o
    WHERE (o.article_id > :high OR o.article_id < :low) AND o.outcome <> 'excluded' {of_outcome} GROUP BY o.outcome
"""
_HOLES = """
    SELECT before, n FROM (SELECT n, LAG(n) OVER (ORDER BY n) AS before FROM ({known}) AS t) AS steps
    WHERE n - before > :hole ORDER BY n - before DESC LIMIT :holes
"""
# Every number of a stretch once, from all that speaks of it; then counted by cell, month and state. Captured articles that were
# missing often enough since stay apart by the times of it. A listing's date counts where it prints its year.
_CELLS = """
    SELECT n / :cell AS cell, month, state, since, until, COUNT(*) AS number, SUM(unlisted) AS unlisted
    FROM (
      SELECT n, COALESCE(MAX(published), MAX(listed)) AS month,
        CASE WHEN MAX(had) = 1 THEN 'captured' WHEN MAX(missing) = 1 THEN 'missing'
          ELSE COALESCE(SUBSTR(MAX(latest), 28), 'waiting') END AS state,
        CASE WHEN MAX(had) = 1 AND MAX(sighted) = 0 THEN 1 ELSE 0 END AS unlisted,
        CASE WHEN MAX(times) >= :times THEN MIN(since) END AS since,
        CASE WHEN MAX(times) >= :times THEN MAX(until) END AS until
      FROM (
        SELECT a.article_id AS n, 1 AS had, 0 AS sighted, 0 AS missing, NULL AS latest, 0 AS times, NULL AS since,
          NULL AS until, SUBSTR(v.published_at, 1, 7) AS published, NULL AS listed
        FROM article a LEFT JOIN article_version v ON v.article_key = a.key AND v.number = a.versions
        WHERE a.portal = :portal AND a.article_id BETWEEN :low AND :high
        UNION ALL
        SELECT s.article_id, 0, 1, 0, NULL, 0, NULL, NULL, NULL,
          MIN(CASE WHEN s.date_text LIKE '%' || SUBSTR(CAST(s.date AS VARCHAR(10)), 1, 4) || '%'
            THEN SUBSTR(CAST(s.date AS VARCHAR(10)), 1, 7) END)
        FROM listing_sighting s WHERE s.article_id BETWEEN :low AND :high {of_sighting} GROUP BY s.article_id
        UNION ALL
        SELECT o.article_id, 0, 0, MAX(CASE WHEN o.outcome = 'missing' THEN 1 ELSE 0 END),
          MAX(o.at || CASE WHEN o.outcome IN ('captured', 'revisit', 'excluded') THEN 'waiting' WHEN o.outcome = 'blocked'
            THEN 'blocked' ELSE 'error' END),
          SUM(CASE WHEN o.outcome = 'missing' AND o.at > a.last_captured_at THEN 1 ELSE 0 END),
          MIN(CASE WHEN o.outcome = 'missing' AND o.at > a.last_captured_at THEN o.at END),
          MAX(CASE WHEN o.outcome = 'missing' AND o.at > a.last_captured_at THEN o.at END), NULL, NULL
        FROM outcome o LEFT JOIN article a ON a.portal = :portal AND a.article_id = o.article_id
        WHERE o.article_id BETWEEN :low AND :high {of_outcome} GROUP BY o.article_id
      ) AS told GROUP BY n
    ) AS numbers GROUP BY 1, month, state, since, until ORDER BY 1
"""
