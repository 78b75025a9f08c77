"""How long an article is left alone, what that means for an edit nobody has seen, and how many are asked again tonight. Pure.

The rule rests on one observation of portals: what has stood unchanged for a year will hardly change tomorrow, what was
corrected yesterday may well be. So the interval is a share of the time an article has been quiet: it grows by itself with every
look that finds nothing, and is a night again after every change. A crawl comes once a night, so intervals are whole nights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from ..errors import UsageError

NIGHT = timedelta(days=1)
# Quiet times, in days, whose delays are worth a line.
AGES = (1, 3, 7, 14, 30, 60, 90, 180, 365, 730)


@dataclass(frozen=True, slots=True)
class Rule:
    """Settings WUHU_RECHECK_RATIO, _MIN_DAYS and _MAX_DAYS: an interval is the quiet time divided by `ratio`, in whole nights
    from `shortest` to `longest`.

    With a ratio of 2, an archive of 50,000 articles with 20 new ones and 5 edits a day needs 572 looks a night, 628 at most;
    with a ratio of 3 the budget of 700 does not suffice (bench/rechecks.py).
    """

    ratio: float = 2.0
    shortest: int = 1
    longest: int = 180

    def __post_init__(self) -> None:
        """Raises UsageError for a rule that cannot be kept."""
        if self.ratio <= 0 or self.shortest < 1 or self.longest < self.shortest:
            raise UsageError(
                f"WUHU_RECHECK_RATIO={self.ratio:g} must be more than 0, and WUHU_RECHECK_MIN_DAYS={self.shortest} at least 1 "
                f"and at most WUHU_RECHECK_MAX_DAYS={self.longest}"
            )

    @classmethod
    def of(cls, number: Callable[[str], float]) -> Rule:
        """Return the rule of the settings, each asked for by its name."""
        return cls(number("WUHU_RECHECK_RATIO"), int(number("WUHU_RECHECK_MIN_DAYS")), int(number("WUHU_RECHECK_MAX_DAYS")))


class Delay(NamedTuple):
    """What to expect of an article that has been quiet for `age` days: asked every `interval` nights, an edit or a removal is
    seen after `mean` days on average, and after `worst` at the latest."""

    age: int
    interval: float
    mean: float
    worst: float


def interval(quiet: timedelta, rule: Rule) -> timedelta:
    """Return how long an article that has been quiet for so long is left alone: a whole number of nights."""
    nights = int(max(quiet, timedelta(0)) / NIGHT / rule.ratio + 0.5)
    return NIGHT * min(max(nights, rule.shortest), rule.longest)


def expected_delays(rule: Rule, stretch: float = 1.0, ages: Sequence[int] = AGES) -> list[Delay]:
    """Return the delays at these ages (days of quiet); `stretch` is by how much a budget too small makes intervals longer.

    The mean is that of an edit made at any time within the interval; it is an upper bound, since the interval in force began
    when the article had been quiet for less.
    """
    nights = [interval(NIGHT * age, rule) / NIGHT * stretch for age in ages]
    return [Delay(age, each, each / 2, each) for age, each in zip(ages, nights, strict=True)]


def stretch(demand: float, budget: int) -> float:
    """Return by how much intervals stretch where they ask for `demand` articles a night and the budget is smaller; else 1."""
    return max(1.0, demand / budget)


class Level(NamedTuple):
    """How many to ask tonight, and within how many nights the horizon lies that asks for it: 1 = what is due tonight."""

    number: int
    horizon: int


def level(falling_due: Iterable[float], budget: int) -> Level:
    """Return how many to ask tonight so that no later night has to ask more than it can.

    `falling_due` says how many fall due until the next night, in the night after that, and so on, those counted again that will
    have been asked by then. Whatever falls due within h nights has to be asked in h nights, so its h-th part is asked now (what
    the division leaves over, later): an archive captured in one night comes due in one night half a year later, and is spread
    over all the nights until then.
    """
    total, most = 0.0, Level(0, 1)
    for night, count in enumerate(falling_due, 1):
        total += count
        most = max(most, Level(int(total / night + 1e-9), -night))
    return Level(min(budget, most.number), abs(most.horizon))
