"""The survey of one portal: its number space by range and by month, and its rhythm, from the archive's database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from ..errors import UsageError
from ..items import iso
from ..planning.gone import GoneRule
from .months import by_month
from .numbers import Cell, Tally, beyond, cells, space
from .rhythm import EmptyDays, Habit, empty_days, habit, weekdays
from .space import Space, Stretch

FAR_FUTURE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Range:
    """A row of the number space. A `hole` is a long stretch of which nothing is known, between islands."""

    place: Stretch
    tally: Tally
    hole: bool = False


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a portal publishes, judged as of the day its listings were seen last (`as_of`). `categories` are in order of name;
    `weekdays` is the share of Mondays, Tuesdays, ... with an article."""

    as_of: date | None
    whole: Habit | None
    categories: dict[str, Habit]
    empty: list[EmptyDays]
    unjudged: int
    weekdays: list[float]


@dataclass(frozen=True, slots=True)
class Survey:
    """What an archive has of a portal. `total` counts from the lowest known number to the highest, `beyond` how numbers outside
    of that ended which were asked for; `islands` is the total without the long holes."""

    portal: str
    title: str
    space: Space
    cells: list[Cell]
    ranges: list[Range]
    months: dict[str, Tally]
    total: Tally
    islands: Tally
    beyond: dict[str, int]
    rhythm: Rhythm

    def as_object(self) -> dict[str, Any]:
        """Return all of it but the cells, ready for JSON."""
        whole = self.space.whole
        return {
            "portal": self.portal,
            "title": self.title,
            "as_of": iso(self.rhythm.as_of),
            "first": whole.first,
            "last": whole.last,
            **self.total.as_object(),
            "without_holes": self.islands.as_object(),
            "beyond": self.beyond,
            "range": self.space.width,
            "ranges": [
                {"first": each.place.first, "last": each.place.last, "hole": each.hole, **each.tally.as_object()}
                for each in self.ranges
            ],
            "months": [{"month": month or None, **tally.as_object()} for month, tally in self.months.items()],
            "rhythm": _rhythm_object(self.rhythm),
        }


def survey(
    connection: Connection, portal: str | None = None, *, width: int | None = None, gone: GoneRule | None = None
) -> Survey:
    """Return the survey of a portal, of the only one unless it is named; `width` is that of a range's row.

    Raises UsageError when the archive holds no such portal or several, no article number of it, or `width` is too small.
    """
    name, title, zone = _portal(connection, portal)
    where = space(connection, name, width)
    if where is None:
        raise UsageError(f"no article number of portal {name} is known to the archive: no listing or article was captured yet")
    found = list(cells(connection, name, where, gone or GoneRule()))
    ranges = list(_ranges(where, found))
    islands = _sum([each.tally for each in ranges if not each.hole])
    total = _sum([each.tally for each in ranges])
    return Survey(
        portal=name,
        title=title,
        space=where,
        cells=found,
        ranges=ranges,
        months=by_month(where, found),
        total=total,
        islands=islands,
        beyond=beyond(connection, name, where.whole),
        rhythm=_rhythm(connection, name, zone),
    )


def _portal(connection: Connection, portal: str | None) -> tuple[str, str, ZoneInfo]:
    rows = {row.name: row for row in connection.execute(text("SELECT name, title, timezone FROM portal ORDER BY name"))}
    if not rows:
        raise UsageError("the archive is empty: crawl first")
    if portal is None and len(rows) > 1:
        raise UsageError(f"the archive holds several portals: name one of {', '.join(rows)} with --portal")
    found = rows.get(portal or next(iter(rows)))
    if found is None:
        raise UsageError(f"the archive holds nothing of portal {portal}: it has {', '.join(rows)}")
    return found.name, found.title, ZoneInfo(found.timezone)


def _ranges(where: Space, found: Sequence[Cell]) -> list[Range]:
    """Return the rows in order; rows in a row of which nothing is known are one, and holes are rows of their own."""
    rows: list[Range] = []
    known: dict[int, Tally] = defaultdict(Tally)
    for cell in found:
        known[cell.place.first // where.width].add(cell.tally)
    for number, island in enumerate(where.islands):
        if number:
            hole = where.holes[number - 1]
            rows.append(Range(hole, Tally(numbers=len(hole)), hole=True))
        rows += _rows(where, island, known)
    return rows


def _rows(where: Space, island: Stretch, known: dict[int, Tally]) -> list[Range]:
    rows: list[Range] = []
    full = sorted(number for number in known if island.first // where.width <= number <= island.last // where.width)
    edge = island.first
    for number in full:
        place = Stretch(max(number * where.width, island.first), min((number + 1) * where.width - 1, island.last))
        if place.first > edge:
            rows.append(_empty(edge, place.first - 1))
        tally = Tally()
        tally.add(known[number])
        tally.numbers = len(place)
        rows.append(Range(place, tally))
        edge = place.last + 1
    if edge <= island.last:
        rows.append(_empty(edge, island.last))
    return rows


def _empty(first: int, last: int) -> Range:
    return Range(Stretch(first, last), Tally(numbers=last - first + 1))


def _sum(tallies: Sequence[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _rhythm(connection: Connection, portal: str, zone: ZoneInfo) -> Rhythm:
    as_of = _looked(connection, portal, zone)
    days: set[date] = set()
    by_category: defaultdict[str, list[date]] = defaultdict(list)
    for row in connection.execute(text(_DAYS), {"portal": portal}):
        day = date.fromisoformat(row.day)
        if as_of is not None and day <= as_of + FAR_FUTURE:
            days.add(day)
            if row.category is not None:
                by_category[row.category].append(day)
    ordered = sorted(days)
    if as_of is None or not ordered:
        return Rhythm(as_of, None, {}, [], 0, [])
    # The day itself was not over.
    today = max(as_of - timedelta(days=1), ordered[-1])
    whole = habit(ordered, today)
    # Where all of the portal is silent every category is: they are judged as of its last day.
    reference = ordered[-1] if whole.quiet else today
    empty, unjudged = empty_days(ordered, today)
    categories = {name: habit(each, reference) for name, each in sorted(by_category.items())}
    return Rhythm(as_of, whole, categories, empty, unjudged, [round(share, 3) for share in weekdays(ordered)])


def _looked(connection: Connection, portal: str, zone: ZoneInfo) -> date | None:
    """Return the day a listing of the portal was seen last; else that of its last crawl, None without any."""
    seen = connection.execute(text(_LISTED), {"portal": portal}).scalar_one_or_none()
    seen = (
        seen
        or connection.execute(text("SELECT MAX(started_at) FROM crawl WHERE portal = :portal"), {"portal": portal}).scalar()
    )
    return None if seen is None else datetime.fromisoformat(seen).astimezone(zone).date()


def _rhythm_object(rhythm: Rhythm) -> dict[str, Any]:
    judged = {name: each for name, each in rhythm.categories.items() if each.quiet is not None}
    return {
        "portal": None if rhythm.whole is None else _habit_object(rhythm.whole),
        "weekdays": rhythm.weekdays,
        "quiet": [{"category": name, **_habit_object(each)} for name, each in judged.items() if each.quiet],
        "regular": [{"category": name, **_habit_object(each)} for name, each in judged.items() if not each.quiet],
        "too_little_history": [
            {"category": name, **_habit_object(each)} for name, each in rhythm.categories.items() if each.quiet is None
        ],
        "empty_days": [
            {"first": iso(each.first), "last": iso(each.last), "days": len(each), "against_rhythm": each.against}
            for each in rhythm.empty
        ],
        "empty_days_not_judged": rhythm.unjudged,
    }


def _habit_object(found: Habit) -> dict[str, Any]:
    return {
        "last_article": iso(found.last),
        "silent_days": found.silent,
        "median_gap": found.median,
        "bound": found.bound,
        "gaps": found.silences,
        "quiet": found.quiet,
    }


_DAYS = """
    SELECT SUBSTR(v.published_at, 1, 10) AS day, c.name AS category
    FROM article a JOIN article_version v ON v.article_key = a.key AND v.number = a.versions
    LEFT JOIN category c ON c.id = a.category_id
    WHERE a.portal = :portal AND v.published_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1
"""
_LISTED = """
    SELECT c.captured_at FROM capture c JOIN crawl w ON w.id = c.crawl_id
    WHERE w.portal = :portal AND c.page_kind = 'listing' ORDER BY c.id DESC LIMIT 1
"""
_CRAWLED = "SELECT MAX(started_at) FROM crawl WHERE portal = :portal"
