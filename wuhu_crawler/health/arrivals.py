"""News that does not come: a portal, or a category, quieter than its own rhythm of weekdays and of good and bad days.

The expected number is that of the same weekday in the weeks before, drawn towards the mean of all days, for the days since the
crawl before. How much days differ beyond chance is measured on the portal as a whole and on the category. Holidays are
not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import fsum
from typing import NamedTuple

from .findings import Finding
from .holidays import ZONE, touched
from .tails import count_at_most, middle
from .watch import FEWEST, SPANS, Check, Facts, Odd, Past, since

# The key of the portal as a whole; no category is called so.
ALL = "*"
# A night is a time between two crawls of about a day.
NIGHT = (0.75, 1.25)
# The mean of all days counts as so many days of each weekday.
_DRAWN = 2
# What exceeds the middle by so many deviations is no day like others: a first crawl, a backlog put online.
_WILD = 8


class Arrivals(NamedTuple):
    """New articles of a key and of the whole portal, the days they are from, the weekday of their end, and whether a holiday is
    among them."""

    new: int
    portal: int
    days: float
    weekday: int
    holiday: bool


def began(facts: Facts) -> datetime:
    """Return when a run's crawl began."""
    return datetime.fromisoformat(facts["crawl"]["started_at"])


def days_since(facts: Facts, before: Facts | None) -> float | None:
    """Return the days from one crawl's beginning to another's; None when there was none before."""
    return None if before is None else max(0.01, (began(facts) - began(before)).total_seconds() / 86400)


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Arrivals]:
    nothing = _absent(facts, before)
    if nothing is None:
        return {}
    counts = {ALL: nothing.portal, **{name or "(none)": count for name, count in facts["articles"]["categories"].items()}}
    return {key: nothing._replace(new=count) for key, count in counts.items()}


def _absent(facts: Facts, before: Facts | None) -> Arrivals | None:
    days = days_since(facts, before)
    if before is None or days is None:
        return None
    end = began(facts)
    count = facts["articles"]["new"]["count"]
    return Arrivals(0, count, days, end.astimezone(ZONE).weekday(), touched(began(before), end))


def _odd(value: Arrivals, past: Past[Arrivals], chance: float) -> Odd | None:
    if value.holiday:
        return None
    for runs in SPANS:
        usual, latest = past.span(runs)
        rhythm = Rhythm(usual)
        if rhythm.days < FEWEST - runs + 1 or value.new > rhythm.expected(value) / 2:
            return None
        judged = [each for each in (*latest, value) if not each.holiday]
        means = [rhythm.expected(each) for each in judged]
        mean = fsum(means)
        if mean <= 0:
            return None
        spread = rhythm.spread * fsum(each * each for each in means) / (mean * mean)
        seen = sum(each.new for each in judged)
        found = count_at_most(seen, mean, spread)
        if found < chance / len(SPANS):
            return Odd(found, runs, {"expected": round(mean, 1), "seen": seen, "runs": runs})
    return None


class Rhythm:
    """What usually comes. `days` is the number of nights it is learned from, `spread` how much they differ beyond chance."""

    def __init__(self, usual: Sequence[Arrivals]) -> None:
        nights = [each for each in usual if not each.holiday and NIGHT[0] <= each.days <= NIGHT[1]]
        # A portal crawled once a week has no nights: its days are told by what comes in so many.
        nights = nights if len(nights) >= FEWEST / 2 else [each for each in usual if not each.holiday]
        kept = _tame(nights)
        self.days = len(kept)
        self._mean = fsum(each.new for each in kept) / fsum(each.days for each in kept) if kept else 0.0
        self._weekdays = [self._mean] * 7
        for weekday in range(7):
            those = [each.new for each in kept if each.weekday == weekday]
            self._weekdays[weekday] = (sum(those) + _DRAWN * self._mean) / (len(those) + _DRAWN)
        self.spread = max(self._spread(kept), self._portals_spread(kept))

    def expected(self, value: Arrivals) -> float:
        """Return how many were to come in the time of a value."""
        if NIGHT[0] <= value.days <= NIGHT[1]:
            return self._weekdays[value.weekday]
        return self._mean * value.days

    def _spread(self, kept: Sequence[Arrivals]) -> float:
        return _spread([(each.new, self.expected(each)) for each in kept])

    def _portals_spread(self, kept: Sequence[Arrivals]) -> float:
        total = fsum(each.new for each in kept)
        if not total:
            return 0.0
        ratio = fsum(each.portal for each in kept) / total
        return _spread([(each.portal, self.expected(each) * ratio) for each in kept])


def _spread(pairs: Sequence[tuple[int, float]]) -> float:
    """Return by how much counts vary beyond chance, as a part of the squared mean."""
    squares = fsum(mean * mean for _, mean in pairs)
    return max(0.0, fsum((count - mean) ** 2 - mean for count, mean in pairs) / squares) if squares else 0.0


def _tame(nights: Sequence[Arrivals]) -> list[Arrivals]:
    if not nights:
        return []
    centre, spread = middle([each.portal / each.days for each in nights])
    bound = centre + _WILD * max(spread, 1.0, centre**0.5)
    return [each for each in nights if each.portal / each.days <= bound]


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    seen, expected = odd.evidence["seen"], odd.evidence["expected"]
    whose = "The portal is quiet" if key == ALL else f"The category {key} is quiet"
    nights = f"in the last {odd.runs} runs" if odd.runs > 1 else "in this run"
    text = f"{whose}: {seen or 'no'} new articles {nights}, where about {expected:g} were to be expected{since(first, now)}"
    kind = "quiet portal" if key == ALL else "quiet category"
    evidence = {**odd.evidence, "category": None if key == ALL else key, "since": first["crawl"]["started_at"]}
    return Finding(kind=kind, level="attention", text=text, evidence=evidence)


def _whole(facts: Facts, before: Facts | None) -> Mapping[str, Arrivals]:
    return {key: value for key, value in _values(facts, before).items() if key == ALL}


def _parts(facts: Facts, before: Facts | None) -> Mapping[str, Arrivals]:
    return {key: value for key, value in _values(facts, before).items() if key != ALL}


# A silent portal is never taken as usual: a crawl that finds nothing is what an alarm is for.
PORTAL = Check(name="quiet portal", share=0.15, values=_whole, odd=_odd, finding=_finding, accepts=False)
CATEGORIES = Check(name="quiet categories", share=0.35, values=_parts, odd=_odd, finding=_finding, absent=_absent)
