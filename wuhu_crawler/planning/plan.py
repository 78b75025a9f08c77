"""Tonight's plan: how many requests go where and what they should bring, from the archive's own history; no request is made.

The parts, in the order in which a budget is shared (`make`): the listings have to be read to know what is new; then what they
will show that is new, and what they have shown and the archive still does not have; what is left goes to gaps and re-checks, in
the proportion of their own budgets, and what one of the two does not need goes to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection

from ..items import to_json
from . import rechecks
from .gaps import BEYOND, Limits, forecast
from .gone import GoneRule
from .history import walks, worth
from .intervals import Delay, Rule, expected_delays
from .memory import Memory

# The longest pause before an article that is owed, as WUHU_OWED_DAYS has it unless it is set.
OWED_DAYS = timedelta(days=30)


@dataclass(slots=True)
class Part:
    """One part of a plan: requests `planned` (None: nobody can tell yet), what they are `expected` to bring (articles, changes,
    numbers not seen before; None: no experience yet) and `by` what that is known, and why others are not made."""

    name: str
    planned: int | None
    expected: float | None = None
    by: str = ""
    skipped: dict[str, int] = field(default_factory=dict)

    def cut(self, most: int) -> Part:
        """Return the part with no more requests than these; what it expects shrinks alike."""
        if self.planned is None or self.planned <= most:
            return self
        share = most / self.planned
        skipped = {**self.skipped, "budget": self.skipped.get("budget", 0) + self.planned - most}
        return Part(self.name, most, None if self.expected is None else self.expected * share, self.by, skipped)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings lay down: the budgets of gaps and re-checks, how far beyond the highest number gaps go, the
    longest pause before an article that is owed, and the rules of re-checks. `gaps` is None where the profile does not say how
    a number is asked for."""

    gaps: int | None = 500
    rechecks: int = 700
    beyond: int = BEYOND
    owed: timedelta = OWED_DAYS
    intervals: Rule = field(default_factory=Rule)
    gone: GoneRule = field(default_factory=GoneRule)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the plan means for edits nobody announces: articles `known`, how many of them fall `due` tonight and how many are
    `overdue`, how many a night the intervals ask for (`demand`), by how much the budget stretches these (None: nothing is asked
    again, so an edit is never seen), and the delays at several ages."""

    known: int
    due: int
    overdue: int
    demand: float
    stretch: float | None
    delays: list[Delay]


@dataclass(frozen=True, slots=True)
class Plan:
    """A night's plan of a portal. `budget` is the one it was made for, None for that of the settings."""

    portal: str
    made_at: datetime
    budget: int | None
    parts: list[Part]
    backlog: Backlog

    @property
    def requests(self) -> int:
        """How many requests are planned in all, as far as can be told."""
        return sum(part.planned or 0 for part in self.parts)

    def part(self, name: str) -> Part:
        """Return a part by its name."""
        return next(part for part in self.parts if part.name == name)

    def as_object(self) -> dict[str, Any]:
        """Return the plan, ready for JSON; times in UTC, delays in nights."""
        backlog = {name: getattr(self.backlog, name) for name in ("known", "due", "overdue", "demand", "stretch")}
        return {
            "portal": self.portal,
            "made_at": to_json(self.made_at),
            "budget": self.budget,
            "requests": self.requests,
            "parts": [_object(part) for part in self.parts],
            "backlog": {**backlog, "demand": round(self.backlog.demand, 1)},
            "delays": [delay._asdict() for delay in self.backlog.delays],
        }


def make(connection: Connection, portal: str, now: datetime, rules: Rules, budget: int | None = None) -> Plan:
    """Return the plan of a portal's night; with a `budget` all parts together make no more requests than that."""
    parts = walk_parts(connection, portal, now, rules.owed)
    left = None if budget is None else budget
    if left is not None:
        for place, part in enumerate(parts):
            parts[place] = part.cut(left)
            left -= parts[place].planned or 0
    for_gaps, for_rechecks = _shares(left, rules)
    numbers = gaps_part(connection, portal, now, Limits(for_gaps, rules.beyond))
    if left is not None:
        for_rechecks = max(for_rechecks, left - (numbers.planned or 0))
    found = rechecks.survey(connection, portal, for_rechecks, now, rules.intervals, rules.gone)
    again = rechecks_part(connection, portal, found)
    spare = 0 if left is None else left - (numbers.planned or 0) - (again.planned or 0)
    if spare and rules.gaps is not None and numbers.skipped.get("budget"):
        numbers = gaps_part(connection, portal, now, Limits((numbers.planned or 0) + spare, rules.beyond))
    return Plan(portal, now, budget, [*parts, numbers, again], backlog(found, rules.intervals))


def walk_parts(connection: Connection, portal: str, now: datetime, longest: timedelta = OWED_DAYS) -> list[Part]:
    """Return what a crawl of the spider `wuhu` will ask for: listings, what is new on them, and what is owed."""
    past = walks(connection, portal)
    new = past.new(now)
    memory = Memory(connection, portal, "", listing_of=str, longest=longest, now=now)
    owing = sum(1 for _ in memory.owed())
    made, brought = worth(connection, portal, "wuhu", "owed") if owing else (0, 0)
    return [
        Part("listings", None if past.pages is None else ceil(past.pages), new, past.pages_by),
        Part("new", None if new is None else ceil(new), new, past.new_by),
        Part("owed", owing, *_expected(owing, made, brought)),
    ]


def gaps_part(connection: Connection, portal: str, now: datetime, limits: Limits) -> Part:
    """Return what a crawl of the spider `gaps` will ask for within its limits."""
    if limits.budget <= 0:
        return Part("gaps", 0, 0.0, "nothing is left for them")
    found = forecast(connection, portal, limits.budget, now, beyond=limits.beyond, low=limits.low, high=limits.high)
    by = ", ".join(f"{number} {reason}" for reason, number in found.chosen.items()) or "there are none"
    return Part("gaps", found.chosen.total(), found.expected, by, _counts(found.skipped))


def rechecks_part(connection: Connection, portal: str, found: rechecks.Survey) -> Part:
    """Return what a crawl of the spider `recheck` will ask for, as it was found to be due."""
    planned = len(found.tonight)
    expected, by = _expected(planned, *worth(connection, portal, "recheck", "rechecks"))
    skipped = {"budget": found.behind, "not due": found.known - max(found.due, planned)}
    return Part("rechecks", planned, expected, by, {reason: number for reason, number in skipped.items() if number > 0})


def backlog(found: rechecks.Survey, rule: Rule) -> Backlog:
    """Return what a night's re-checks mean for edits nobody has seen yet."""
    stretch = found.stretch if found.budget else None
    delays = [] if stretch is None else expected_delays(rule, stretch)
    return Backlog(found.known, found.due, found.overdue, found.demand, stretch, delays)


def _shares(left: int | None, rules: Rules) -> tuple[int, int]:
    """Return what gaps and re-checks may use of what is left."""
    if left is None:
        return rules.gaps or 0, rules.rechecks
    wanted = (rules.gaps or 0) + rules.rechecks
    for_gaps = left * (rules.gaps or 0) // wanted if wanted else 0
    return for_gaps, left - for_gaps


def _counts(skipped: Mapping[Any, int]) -> dict[str, int]:
    return {str(reason): number for reason, number in skipped.items()}


def _expected(planned: int, made: int, brought: int) -> tuple[float | None, str]:
    if not made:
        return None, "no experience yet"
    return planned * brought / made, f"{brought} of {made} so far"


def _object(part: Part) -> dict[str, Any]:
    expected = None if part.expected is None else round(part.expected, 2)
    return {"part": part.name, "planned": part.planned, "expected": expected, "by": part.by, "skipped": part.skipped}
