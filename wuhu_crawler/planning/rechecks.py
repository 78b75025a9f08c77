"""Which known articles are asked again tonight, and what a budget means for the rest: the archive asked once, in one pass.

When an article is due follows from what is known of it (`interval` and `gone` have the rules):

due      it is there: an interval after the last look, which grows with the time it has been quiet
missing  it was not there at the last look: asked soon, until that is settled
gone     settled; it may come back, so it is asked again, ever more seldom
unclear  the last look brought no answer (a time-out, an error page, a redirect elsewhere, robots.txt): the next night, then
         more seldom as this goes on

What falls due before the next night is asked tonight, so that no interval is exceeded; nothing is asked twice in a night.
Memory is that of the budget, whatever the size of the archive.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, and_, bindparam, select

from ..db import models
from .gone import Absence, GoneRule, absences
from .intervals import NIGHT, Rule, interval, level, stretch

Reason = Literal["due", "missing", "gone", "unclear"]
# A second crawl of the same night finds nothing due that the first one has asked.
SAME_NIGHT = timedelta(hours=12)


class Due(NamedTuple):
    """An article to ask again: its URL as the last capture had it, since when it is due, and why. `capture_id` is the capture
    that shows it last, `interval` how long it was to be left alone."""

    article_id: int
    url: str
    due_at: datetime
    reason: Reason
    capture_id: int
    seen_at: datetime
    interval: timedelta


@dataclass(slots=True)
class Survey:
    """Tonight's re-checks: `tonight` in the order they are asked, of so many `known` articles, of which so many fall `due`
    before the next night, for `reasons`, and so many are `overdue`: should have been asked a night ago or more. `demand` is
    how many a night the intervals ask for."""

    budget: int
    known: int = 0
    due: int = 0
    overdue: int = 0
    demand: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    tonight: list[Due] = field(default_factory=list)

    @property
    def stretch(self) -> float:
        """By how much longer than laid down the intervals are with this budget; 1 = not at all."""
        return stretch(self.demand, self.budget)

    @property
    def behind(self) -> int:
        """How many that fall due tonight the budget leaves for later nights."""
        return max(0, self.due - self.budget)


def due(
    connection: Connection, portal: str, budget: int, now: datetime, rule: Rule | None = None, gone: GoneRule | None = None
) -> Iterator[Due]:
    """Yield tonight's articles, those longest due first; at most `budget`."""
    yield from survey(connection, portal, budget, now, rule, gone).tonight


def survey(
    connection: Connection, portal: str, budget: int, now: datetime, rule: Rule | None = None, gone: GoneRule | None = None
) -> Survey:
    """Return tonight's re-checks of a portal; `now` is aware.

    Within the budget all that is due is asked, those longest due first, and of what falls due later so much that no later
    night has to ask more than it can (`intervals.level`; a second pass finds it). Over it those go first whose interval is
    exceeded most in proportion: then every interval is stretched alike, by demand divided by budget, and none is forgotten.
    """
    rule, gone = rule or Rule(), gone or GoneRule()
    found, late, load = Survey(budget), _Smallest(budget), Load(rule)
    for each in known(connection, portal, rule, gone):
        found.known += 1
        found.demand += NIGHT / each.interval
        found.overdue += each.due_at + SAME_NIGHT <= now
        nights = _nights_left(each, now)
        load.add(nights, each.interval)
        if nights == 0:
            found.due += 1
            found.reasons[each.reason] = found.reasons.get(each.reason, 0) + 1
            late.add((now - each.seen_at) / each.interval * -1, each)
    found.tonight = sorted(late.items(), key=lambda each: each.due_at)
    number, horizon = level(load.falling_due(), budget)
    if number > found.due:
        found.tonight += _ahead(known(connection, portal, rule, gone), now, number - found.due, horizon)
    return found


def _ahead(articles: Iterator[Due], now: datetime, number: int, horizon: int) -> list[Due]:
    """Return so many of those that fall due within the horizon, though not yet: those of the longest intervals, since one that
    is asked every other night anyway relieves no later night."""
    chosen = _Smallest(number)
    for each in articles:
        nights = _nights_left(each, now)
        if 0 < nights < horizon and each.reason == "due" and each.seen_at + SAME_NIGHT <= now:
            chosen.add((each.due_at.timestamp() - now.timestamp()) / 86400 - 1000 * (each.interval / NIGHT), each)
    return chosen.items()


def _nights_left(each: Due, now: datetime) -> int:
    """Return how many nights an article may still wait: 0 = it has to be asked tonight."""
    return max(0 if _is_ready(each, now) else 1, int((each.due_at - now) / NIGHT))


def _is_ready(each: Due, now: datetime) -> bool:
    """Whether it may be asked now: not twice a night, and one that is missing not before its answer can decide."""
    return each.due_at <= now if each.reason == "missing" else each.seen_at + SAME_NIGHT <= now


def known(connection: Connection, portal: str, rule: Rule, gone: GoneRule) -> Iterator[Due]:
    """Yield every captured article of a portal with the time it is due, in order of their numbers."""
    troubled = absences(connection, portal)
    absence = next(troubled, None)
    rows = connection.execute(_ARTICLES, {"portal": portal}).mappings()
    for row in rows:
        while absence is not None and absence.article_id < row["article_id"]:
            absence = next(troubled, None)
        mine = absence if absence is not None and absence.article_id == row["article_id"] else None
        yield _due(row, rule) if mine is None else _absent(row, mine, rule, gone)


def _due(row: Mapping[Any, Any], rule: Rule) -> Due:
    seen, changed = row["last_captured_at"], row["changed_at"]
    if row["versions"] == 1 and row["published_at"] is not None:
        changed = min(changed, row["published_at"])
    wait = interval(seen - changed, rule)
    return _of(row, seen + wait, "due", seen, wait)


def _absent(row: Mapping[Any, Any], absence: Absence, rule: Rule, gone: GoneRule) -> Due:
    if absence.unclear_since is not None and absence.unclear_until is not None:
        wait = interval(absence.unclear_until - absence.unclear_since, rule)
        return _of(row, absence.unclear_until + wait, "unclear", absence.unclear_until, wait)
    since, until = absence.since, absence.until
    if since is None or until is None:
        raise ValueError(f"article {absence.article_id} is absent without an observation")
    if gone.standing(absence.times_missing, since, until) == "gone":
        wait = interval(until - since, rule)
        return _of(row, until + wait, "gone", until, wait)
    ask_from = gone.ask_from(absence.times_missing, since, until)
    return _of(row, ask_from, "missing", until, max(ask_from - until, NIGHT))


def _of(row: Mapping[Any, Any], due_at: datetime, reason: Reason, seen: datetime, wait: timedelta) -> Due:
    return Due(row["article_id"], row["url"], due_at, reason, row["last_capture_id"], seen, wait)


class Load:
    """How many fall due in each of the coming nights, those that are asked before then again at the pace of their next
    interval; that they grow quieter still makes room for what is new."""

    def __init__(self, rule: Rule) -> None:
        nights = rule.longest
        # One that is found unchanged has been quiet for its interval longer.
        self._slower = rule.ratio / (rule.ratio + 1)
        self._due = [0] * nights
        self._again = [0.0] * nights

    def add(self, nights: int, wait: timedelta) -> None:
        """Count an article that is due in so many nights."""
        if nights < len(self._due):
            self._due[nights] += 1
            self._again[nights] += self._slower * (NIGHT / wait)

    def falling_due(self) -> Iterator[float]:
        """Yield how many fall due, night by night from this one on."""
        again = 0.0
        for number, more in zip(self._due, self._again, strict=True):
            yield number + again
            again += more


class _Smallest:
    """The items with the smallest keys, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        # The largest key on top; of equal ones the first to come stays.
        self._heap: list[tuple[float, int, Due]] = []
        self._turn = count()

    def add(self, key: float, item: Due) -> None:
        """Keep the item if it is one of the smallest."""
        entry = (-key, -next(self._turn), item)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        elif self._heap and entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def items(self) -> list[Due]:
        """Return them, the smallest first."""
        return [item for _, _, item in sorted(self._heap, reverse=True)]


_article, _version = models.article.c, models.article_version.c
_began = models.capture.alias("began")
_seen = models.capture.alias("seen")
_ARTICLES = (
    select(
        _article.article_id,
        _article.versions,
        _article.last_captured_at,
        _article.last_capture_id,
        _seen.c.url,
        _began.c.captured_at.label("changed_at"),
        _version.published_at,
    )
    .join_from(
        models.article,
        models.article_version,
        and_(_version.article_key == _article.key, _version.number == _article.versions),
    )
    .join(_began, _began.c.id == _version.capture_id)
    .join(_seen, _seen.c.id == _article.last_capture_id)
    .where(_article.portal == bindparam("portal"))
    .order_by(_article.article_id)
    .execution_options(yield_per=1000)
)
