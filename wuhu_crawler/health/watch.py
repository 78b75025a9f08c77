"""Watching one thing from run to run: what is usual of it, when it became odd, and when the odd has become usual.

A check looks at many things of a kind (fields, categories, listings), each under a key. Of each key a series is kept: the
values of the runs in which nothing was odd are what the next is held against; odd ones are kept apart, so that what lasts is
told with the day it began and does not wear off. What was odd in ACCEPTED runs in a row is how the portal is now: it becomes
the usual, and the alarm ends. Nothing is judged before a key has FEWEST usual runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .findings import Finding

Facts = Mapping[str, Any]
# So many usual runs are needed, and so many at most are remembered: twelve weeks of nights.
FEWEST, REMEMBERED = 14, 84
# An odd state that has lasted for so many runs is taken as usual.
ACCEPTED = 14
# What is too weak to be seen in a night is looked for in so many nights together.
SPANS = (1, 2, 4, 7)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Odd:
    """Something odd in the last `runs` runs: how probable it would be by itself, and what was expected and seen."""

    chance: float
    runs: int
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Past(Generic[Value]):
    """What there was before the run that is judged: the usual values, and the odd ones since something is odd."""

    usual: Sequence[Value]
    odd: Sequence[Value] = ()

    def span(self, runs: int) -> tuple[Sequence[Value], Sequence[Value]]:
        """Return the usual values to judge by and the last values of a span of so many runs, the present one left out."""
        before = runs - 1
        taken = max(0, before - len(self.odd))
        usual = self.usual[: len(self.usual) - taken]
        latest = [*self.usual[len(self.usual) - taken :], *self.odd]
        return usual, latest[len(latest) - before :] if before else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[Value]):
    """A family of checks.

    `values` reads its values from the facts of a run, by key; `absent` is the value of a known key that is not among them
    (None: it is passed over). `odd` judges a value by the past, given the chance of a false alarm it may take; `finding`
    says it in words: of the key, what is odd, the first odd run and the present one.
    """

    name: str
    share: float
    values: Callable[[Facts, Facts | None], Mapping[str, Value]]
    odd: Callable[[Value, Past[Value], float], Odd | None]
    finding: Callable[[str, Odd, Facts, Facts], Finding]
    absent: Callable[[Facts, Facts | None], Value | None] = lambda _facts, _before: None
    jobs: frozenset[str] = frozenset({"wuhu"})
    remembered: int = REMEMBERED
    accepts: bool = True


@dataclass(slots=True)
class Series(Generic[Value]):
    """What was seen of one key."""

    usual: deque[Value]
    odd: list[Value] = field(default_factory=list)
    # The runs of what is odd, and what was said of it last.
    since: Facts | None = None
    told: Odd | None = None

    def past(self) -> Past[Value]:
        """Return what there was."""
        return Past(list(self.usual), self.odd)


class Watcher(Generic[Value]):
    """Follows a check through the runs, the oldest first."""

    def __init__(self, check: Check[Value]) -> None:
        self.check = check
        self._series: dict[str, Series[Value]] = {}
        self._runs: deque[Facts] = deque(maxlen=max(SPANS))

    def take(self, facts: Facts, before: Facts | None, chance: float) -> list[Finding]:
        """Take a regular run in, and return what is odd about it. `before` is the run whose news it follows."""
        self._runs.append(facts)
        seen = dict(self.check.values(facts, before))
        absent = self.check.absent(facts, before)
        if absent is not None:
            seen.update((key, absent) for key in self._series if key not in seen)
        judged = [key for key in seen if key in self._series and len(self._series[key].usual) >= FEWEST]
        fair = chance * self.check.share / max(1, len(judged))
        found = [self._judge(key, seen[key], fair, facts) for key in judged]
        for key in seen.keys() - set(judged):
            self._known(key).usual.append(seen[key])
        found += [self._still(key, facts) for key in self._series if key not in seen]
        return [finding for finding in found if finding is not None]

    def _known(self, key: str) -> Series[Value]:
        return self._series.setdefault(key, Series(deque(maxlen=self.check.remembered)))

    def _judge(self, key: str, value: Value, chance: float, facts: Facts) -> Finding | None:
        series = self._series[key]
        odd = self.check.odd(value, series.past(), chance)
        if odd is None:
            series.usual.append(value)
            series.odd, series.since, series.told = [], None, None
            return None
        if series.since is None:
            series.since = self._runs[-min(odd.runs, len(self._runs))]
            series.odd = [series.usual.pop() for _ in range(odd.runs - 1)][::-1]
        series.odd.append(value)
        series.told = odd
        finding = self.check.finding(key, odd, series.since, facts)
        if self.check.accepts and len(series.odd) >= ACCEPTED:
            series.usual = deque(series.odd, maxlen=self.check.remembered)
            series.odd, series.since, series.told = [], None, None
        return finding

    def _still(self, key: str, facts: Facts) -> Finding | None:
        """Return what was odd before, where this run had nothing to tell whether it still is."""
        series = self._series[key]
        if series.since is None or series.told is None:
            return None
        return self.check.finding(key, series.told, series.since, facts)


def day(facts: Facts) -> str:
    """Return the day (UTC) of a run's crawl."""
    return str(facts["crawl"]["started_at"])[:10]


def since(first: Facts, now: Facts) -> str:
    """Return the words that say since when, where it is not only since now."""
    return f", since {day(first)}" if day(first) != day(now) else ""
