"""Gaps: which of the article numbers that no page has shown are asked for tonight, and in which order.

Numbers never asked for inside the known range come first, those of the regions where most is to be expected before the
others. What is left of the budget goes to numbers that ended in an error, a bounded way beyond the highest number, and numbers
that were missing a while ago. Where the known range would take more than NIGHTS nights, these have a tenth of the budget.

`choose` and `forecast` ask the database and make no request; the spider asks for the same, and tells the `Search` what came.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from .holes import Holes
from .numbers import Told, known_range, told
from .regions import SIZE, SPREAD, Rate, Regions

Reason = Literal["new", "beyond", "again"]
SkipReason = Literal["budget", "dead range", "not due", "owed"]

# So many numbers in a row without an article, and nothing further is asked for beyond the highest.
BEYOND = 20
# A range of more nights than this is too long to let everything else wait for it.
NIGHTS = 30
# Then one request in so many goes to the rest.
RESERVE = 10
# A number beyond the highest known is not asked for again within the night; nor is a nightly crawl a few minutes too early.
NIGHT = timedelta(hours=18)
_SLACK = timedelta(hours=6)
# Days until a number is asked for again, after the first answer; each further one doubles them, up to the longest.
ERROR_DAYS, LONGEST_ERROR = 1, 32
RECENT_DAYS, LONGEST_RECENT = 2, 64
MISSING_DAYS, LONGEST_MISSING = 30, 360
# Numbers so close to the highest are recent: what was not reviewed yet may come.
RECENT = SIZE
# At most so many numbers, regions and stretches are weighed against each other; the others have their turn another night.
_WEIGHED = 50_000


class Choice(NamedTuple):
    """A number to ask for, why, and how likely it is an article."""

    number: int
    reason: Reason
    chance: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a search: requests, misses in a row beyond the highest number, and the range, where it is given."""

    budget: int
    beyond: int
    low: int | None = None
    high: int | None = None


@dataclass(slots=True)
class Forecast:
    """What a search would ask for: numbers by reason, articles expected of them (None: no experience yet), and how many are not
    asked for, by reason."""

    chosen: Counter[Reason] = field(default_factory=Counter)
    expected: float | None = None
    skipped: Counter[SkipReason] = field(default_factory=Counter)


class Due:
    """The numbers whose time has come longest ago, in that order; bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int]] = []
        self.total = 0

    def add(self, number: int, when: datetime) -> None:
        """Take note of a number that is due."""
        self.total += 1
        entry = (-when.timestamp(), number)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def __iter__(self) -> Iterator[int]:
        return (number for _, number in sorted(self._heap, reverse=True))


class Ground:
    """What is known of a portal's numbers, made from all that was told of them, the highest first."""

    def __init__(self, low: int, high: int, limits: Limits, now: datetime) -> None:
        self.holes = Holes(low, high)
        self.regions = Regions(low, high)
        self.errors = Due(min(limits.budget, _WEIGHED))
        self.missing = Due(min(limits.budget, _WEIGHED))
        self.left_out: Counter[SkipReason] = Counter()
        # How often it was worth while: to ask beyond the highest number, and to ask for a missing number again.
        self.beyond = Rate()
        self.again = Rate()
        # Numbers beyond the highest that need not be asked for now, the lowest of them.
        self.resting: deque[int] = deque(maxlen=_WEIGHED)
        self._low = low
        self._high = high
        self._now = now
        # Whether the range was given: then what is asked up to its end was given out, whoever knows a higher number.
        self._given = limits.high is not None
        # Since when a number higher than the one told of is known.
        self._passed: str | None = None

    def take(self, number: Told) -> None:
        """Take a number into account; one below the range changes nothing."""
        if number.number < self._low:
            return
        since = number.article_since
        if number.number > self._high:
            self._above(number, since)
        elif since is not None:
            self._article(number, since)
        elif number.sighted is not None and not number.answers:
            self._known(number.number)
            self.left_out["owed"] += 1
        else:
            self._asked(number)
        first = min((at for at in (since, number.sighted) if at is not None), default=None)
        if first is not None and (self._passed is None or first < self._passed):
            self._passed = first

    def close(self) -> None:
        """End the taking."""
        self.holes.close()
        self.regions.close()

    def _article(self, number: Told, since: str) -> None:
        hit = number.sighted is None
        self._known(number.number, article=True, hit=hit)
        if hit and not self._was_passed(since):
            self.beyond.hits += 1
        before = sum(answer == "missing" and at < since and self._was_passed(at) for at, answer in number.answers)
        if before:
            self.again.hits += 1
            self.again.misses += before - 1

    def _above(self, number: Told, since: str | None) -> None:
        """A number beyond the range is asked for every night, unless it is there."""
        known = since is not None or not number.answers
        self.beyond.misses += not known and self._passed is None
        if known or self._now - _time(number.answers[-1][0]) < NIGHT:
            self.resting.append(number.number)

    def _asked(self, number: Told) -> None:
        """A number that is no article. What was answered before any higher one was known is no answer: it was not given out."""
        valid = [(at, answer) for at, answer in number.answers if self._was_passed(at)]
        last = _time(number.answers[-1][0])
        if not valid:
            self.beyond.misses += 1
            if self._now - last < NIGHT:
                self._known(number.number)
                self.left_out["not due"] += 1
            return  # as if never asked: a hole
        empty = sum(answer in ("missing", "other") for _, answer in valid)
        self._known(number.number, miss=empty > 0)
        self.again.misses += max(0, empty - 1)
        if (when := last + self._pause(number.number, [answer for _, answer in valid])) > self._now:
            self.left_out["not due"] += 1
        elif valid[-1][1] == "unsure":
            self.errors.add(number.number, when)
        else:
            self.missing.add(number.number, when)

    def _pause(self, number: int, answers: list[str]) -> timedelta:
        """How long a number is left alone after these answers."""
        latest = answers[-1]
        if latest == "unsure":
            streak = next((place for place, answer in enumerate(reversed(answers)) if answer != "unsure"), len(answers))
            return _growing(ERROR_DAYS, LONGEST_ERROR, streak)
        times = sum(answer != "unsure" for answer in answers)
        if latest == "missing" and number > self._high - RECENT:
            return _growing(RECENT_DAYS, LONGEST_RECENT, times)
        return _growing(MISSING_DAYS, LONGEST_MISSING, times)

    def _known(self, number: int, *, article: bool = False, hit: bool = False, miss: bool = False) -> None:
        self.holes.know(number)
        self.regions.note(number, article=article, hit=hit, miss=miss)

    def _was_passed(self, at: str) -> bool:
        return self._given if self._passed is None else at >= self._passed


class Search:
    """A night's search: `next` gives one number after the other, `tell` takes what came of it; both may be mixed at will."""

    def __init__(self, ground: Ground, limits: Limits) -> None:
        self._ground = ground
        self._holes = ground.holes
        self._regions = ground.regions
        self._limits = limits
        self._asked = 0
        self._errors = iter(ground.errors)
        self._missing = iter(ground.missing)
        self._resting = set(ground.resting)
        # A range that can be asked for in a month is asked for before all else.
        self._patient = self._holes.total > NIGHTS * limits.budget
        self._beyond_next = ground.holes.high + 1
        self._beyond_hit = ground.holes.high
        # Regions and stretches by what is to be expected of them: (-chance, order, first, last), last = -1 for a region.
        self._heap: list[tuple[float, int, int, int]] = []
        self._more = True
        self._fill(stretches=True)

    def next(self) -> Choice | None:
        """Return what to ask for now; None when the budget is used up or nothing is left, unless an answer yet to be told
        opens the way further beyond."""
        if self._asked >= self._limits.budget:
            return None
        turn = self._patient and self._asked % RESERVE == RESERVE - 1
        choice = (self._other() if turn else None) or self._new() or self._other()
        self._asked += choice is not None
        return choice

    def tell(self, number: int, *, article: bool | None) -> None:
        """Take note of what a number turned out to be: an article, none, or neither (None: an error, a block)."""
        if number > self._holes.high:
            self._beyond_hit = max(self._beyond_hit, number) if article else self._beyond_hit
        elif article is not None:
            region = self._regions.at(number // SIZE)
            region.articles += article
            region.hits += article
            region.misses += not article
            if article and region.articles == 1:
                self._look_beside(number // SIZE)

    def _new(self) -> Choice | None:
        while self._heap or (self._more and self._fill(stretches=False)):
            stale, _, first, last = heapq.heappop(self._heap)
            if last >= 0:
                number = self._split(first, last)
                chance = self._regions.far_chance()
            else:
                chance = self._regions.chance(first)
                if chance < -stale:
                    self._push(first)
                    continue
                number = self._untried(first)
                if number is not None:
                    self._push(first)
            if number is not None:
                return Choice(number, "new", chance)
        return None

    def _split(self, first: int, last: int) -> int | None:
        """Try one number in the middle of a stretch of unknown regions; what is beside it are two stretches."""
        middle = (first + last) // 2
        for start, end in ((first, middle - 1), (middle + 1, last)):
            if start <= end:
                heapq.heappush(self._heap, self._stretch(start, end))
        if self._regions.learned(middle):
            return None
        number = self._untried(middle)
        if number is not None:
            self._push(middle)
        return number

    def _untried(self, region: int) -> int | None:
        """Return the next unknown number of a region in the spread order, None when all were tried."""
        state = self._regions.at(region)
        while state.place < SIZE:
            number = region * SIZE + SPREAD[state.place]
            state.place += 1
            if number in self._holes:
                return number
        return None

    def _look_beside(self, region: int) -> None:
        """An article was found far from all others: more may be near."""
        for beside in (region - 1, region + 1):
            if self._regions.first <= beside <= self._regions.last:
                self._regions.at(beside)
                self._push(beside)

    def _push(self, region: int) -> None:
        # Among equals the latest numbers first.
        heapq.heappush(self._heap, (-self._regions.chance(region), -region, region, -1))

    def _stretch(self, first: int, last: int) -> tuple[float, int, int, int]:
        return -self._regions.far_chance(), first - last, first, last

    def _fill(self, *, stretches: bool) -> bool:
        """Take the best regions not tried yet, tell whether there are any; of the stretches the longest."""
        regions = self._regions
        open_ones = (region for region in regions if not regions.learned(region) and self._has_unknown(region))
        entries = ((-regions.chance(region), -region, region, -1) for region in open_ones)
        self._heap = heapq.nsmallest(_WEIGHED, entries)
        if stretches:
            self._heap += heapq.nsmallest(_WEIGHED, (self._stretch(*stretch) for stretch in regions.stretches()))
        heapq.heapify(self._heap)
        self._more = bool(self._heap)
        return self._more

    def _has_unknown(self, region: int) -> bool:
        return next(self._holes.runs(region * SIZE, region * SIZE + SIZE - 1), None) is not None

    def _other(self) -> Choice | None:
        if (number := next(self._errors, None)) is not None:
            return Choice(number, "again", self._regions.rate.value)
        if (number := self._beyond()) is not None:
            return Choice(number, "beyond", self._ground.beyond.value)
        if (number := next(self._missing, None)) is not None:
            return Choice(number, "again", self._ground.again.value)
        return None

    def _beyond(self) -> int | None:
        """Return the next number beyond the highest, None after so many in a row that were no article."""
        way = 0 if self._limits.high is not None else self._limits.beyond
        while self._beyond_next <= self._beyond_hit + way:
            self._beyond_next += 1
            if self._beyond_next - 1 not in self._resting:
                return self._beyond_next - 1
        return None


def search(connection: Connection, portal: str, limits: Limits, now: datetime) -> Search | None:
    """Return the search of a night as the database has it; None when no article of the portal is known and no range given."""
    ground = survey(connection, portal, limits, now)
    return None if ground is None else Search(ground, limits)


def choose(
    connection: Connection,
    portal: str,
    budget: int,
    now: datetime,
    *,
    beyond: int = BEYOND,
    low: int | None = None,
    high: int | None = None,
) -> Iterator[Choice]:
    """Yield what a night of this budget asks for, if no answer changes it; nothing when no article is known."""
    found = search(connection, portal, Limits(budget, beyond, low, high), now)
    while found is not None and (choice := found.next()) is not None:
        yield choice


def forecast(
    connection: Connection,
    portal: str,
    budget: int,
    now: datetime,
    *,
    beyond: int = BEYOND,
    low: int | None = None,
    high: int | None = None,
) -> Forecast:
    """Return how many numbers such a night asks for and why, what is expected of them, and what is left out and why."""
    limits, told_of = Limits(budget, beyond, low, high), Forecast()
    ground = survey(connection, portal, limits, now)
    if ground is None:
        return told_of
    expected, dead = 0.0, 0
    before = _dead(ground)
    plan = Search(ground, limits)
    while (choice := plan.next()) is not None:
        told_of.chosen[choice.reason] += 1
        expected += choice.chance
        dead += choice.reason == "new" and ground.regions.is_dead(choice.chance)
    new, again = told_of.chosen["new"], told_of.chosen["again"]
    told_of.expected = expected if ground.regions.rate.known else None
    told_of.skipped = Counter(ground.left_out)
    told_of.skipped["dead range"] = before - dead
    told_of.skipped["budget"] = ground.holes.total - new - told_of.skipped["dead range"]
    told_of.skipped["budget"] += ground.errors.total + ground.missing.total - again
    told_of.skipped = +told_of.skipped
    return told_of


def survey(connection: Connection, portal: str, limits: Limits, now: datetime) -> Ground | None:
    """Return what the database knows of the portal's numbers; None when no article is known and no range is given."""
    known = known_range(connection, portal)
    if known is None and (limits.low is None or limits.high is None):
        return None
    low, high = known or (0, 0)
    low = low if limits.low is None else limits.low
    high = high if limits.high is None else limits.high
    ground = Ground(low, max(low - 1, high), limits, now)
    for number in told(connection, portal):
        if number.number < low:
            break
        ground.take(number)
    ground.close()
    return ground


def _dead(ground: Ground) -> int:
    """How many unknown numbers are where hardly anything is to be expected."""
    regions, holes = ground.regions, ground.holes
    dead = ((region, region) for region in regions if regions.is_dead(regions.chance(region)))
    return sum(holes.count(start * SIZE, end * SIZE + SIZE - 1) for start, end in chain(dead, regions.stretches()))


def _growing(days: int, longest: int, times: int) -> timedelta:
    return timedelta(days=min(longest, days * 2 ** min(times - 1, 16))) - _SLACK


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
