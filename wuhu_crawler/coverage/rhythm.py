"""Days without articles and categories gone quiet, judged by what the portal did before. Pure.

A city paper that never publishes on Sundays has no gap on a Sunday. A day is held against the same weekdays of the year before
it, a silence against the silences there were. With too little history nothing is judged, and that is said.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil

# A weekday is judged by so many before it, at most and at least; it publishes when no more than this share of them was empty.
WEEKS, FEWEST_WEEKS = 52, 8
EMPTY_SHARE = 0.1
# Silences are judged by so many before them, at most and at least: one is too long when it exceeds
# this quantile so many times, and by more than a day.
SILENCES, FEWEST_SILENCES = 200, 12
QUANTILE, TIMES = 0.99, 1.5
# Days in a row without articles that change what is usual only when they are over, and no longer than this.
OUTAGE = 14
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EmptyDays:
    """Days in a row without an article; `against` counts those on which the portal should have published."""

    first: date
    last: date
    against: int

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Habit:
    """How often something comes: `silent` days since the last one, and the silences before: their median, `bound` (the quantile
    they are judged by), how many. `quiet` is None where there are too few to judge."""

    last: date
    silent: int
    median: int | None
    bound: int | None
    silences: int
    quiet: bool | None


def habit(days: Sequence[date], today: date) -> Habit:
    """Return the habit of what came on these days (ascending, at least one, none after `today`)."""
    gaps = sorted([(right - left).days for left, right in pairwise(days)][-SILENCES:])
    silent = (today - days[-1]).days
    if len(gaps) < FEWEST_SILENCES:
        return Habit(days[-1], silent, quantile(gaps, 0.5) if gaps else None, None, len(gaps), None)
    bound = quantile(gaps, QUANTILE)
    return Habit(days[-1], silent, quantile(gaps, 0.5), bound, len(gaps), silent > TIMES * bound + 1)


def quantile(ordered: Sequence[int], share: float) -> int:
    """Return the quantile of ascending numbers, one of them (the nearest rank)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def empty_days(days: Sequence[date], today: date) -> tuple[list[EmptyDays], int]:
    """Return the runs of days without articles that are against the rhythm, and how many empty days could not be judged.

    `days` are those with articles, ascending; what comes after the last one counts up to `today`.
    """
    usual: dict[int, deque[bool]] = defaultdict(lambda: deque(maxlen=WEEKS))
    gaps: deque[int] = deque(maxlen=SILENCES)
    found: list[EmptyDays] = []
    unjudged = 0
    for left, right in pairwise([*days, today + DAY] if days else []):
        usual[left.weekday()].append(False)
        run = [left + DAY * step for step in range(1, (right - left).days)]
        if run:
            against, unknown = _judge(run, usual, gaps)
            unjudged += unknown
            if against:
                found.append(EmptyDays(run[0], run[-1], against))
            if len(run) <= OUTAGE:
                for day in run:
                    usual[day.weekday()].append(True)
        gaps.append(len(run) + 1)
    return found, unjudged


def _judge(run: Sequence[date], usual: Mapping[int, deque[bool]], gaps: deque[int]) -> tuple[int, int]:
    """Return how many days of a run are against the rhythm, and how many cannot be judged."""
    if len(gaps) >= FEWEST_SILENCES and len(run) + 1 > TIMES * quantile(sorted(gaps), QUANTILE):
        return len(run), 0
    verdicts = [_expected(usual[day.weekday()]) for day in run]
    return verdicts.count(True), verdicts.count(None)


def _expected(before: deque[bool]) -> bool | None:
    """Tell whether a weekday should have an article, from whether those before it were empty; None: too few of them."""
    if len(before) < FEWEST_WEEKS:
        return None
    return sum(before) <= EMPTY_SHARE * len(before)


def weekdays(days: Sequence[date]) -> Iterator[float]:
    """Yield the share of Mondays to Sundays with articles, in the year up to the last of these days (ascending)."""
    counts, all_days = [0] * 7, [0] * 7
    if days:
        first = max(days[0], days[-1] - DAY * (7 * WEEKS - 1))
        for step in range((days[-1] - first).days + 1):
            all_days[(first + DAY * step).weekday()] += 1
        for day in days:
            counts[day.weekday()] += day >= first
    yield from (count / of if of else 0.0 for count, of in zip(counts, all_days, strict=True))
