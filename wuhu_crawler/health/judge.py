"""What is odd about a run, by all checks together: one budget of false alarms, shared out among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import endings
from .arrivals import CATEGORIES, PORTAL
from .dates import AHEAD, LAGS
from .decoding import DECODING
from .failures import FAILURES, OTHERS
from .fields import FIELDS, LENGTH
from .findings import Finding
from .listings import LISTINGS
from .numbers import LEAPS, RESTARTS
from .pace import PACE
from .templates import TEMPLATES
from .watch import FEWEST, Check, Facts, Watcher

CHECKS: tuple[Check[Any], ...] = (
    PORTAL, CATEGORIES, FIELDS, LENGTH, TEMPLATES, DECODING, FAILURES, OTHERS, PACE, LISTINGS, LEAPS, RESTARTS, AHEAD, LAGS,
)  # fmt: skip
# What all checks together may cost, in false alarms a night: less than one in two years, and shares that add up to 1.
ALARMS = 1 / 1000


class Judge:
    """Judges the runs of one job of one portal, one after another."""

    def __init__(self, job: str) -> None:
        self._watchers: list[Watcher[Any]] = [Watcher(check) for check in CHECKS if job in check.jobs]
        self._before: Facts | None = None
        self.runs = 0

    def take(self, facts: Facts) -> tuple[list[Finding], bool]:
        """Take a run in; return what is odd about it, and whether there was enough history to judge it by."""
        found, judged = list(endings.findings(facts)), False
        if endings.regular(facts):
            judged = self.runs >= FEWEST
            for watcher in self._watchers:
                found += watcher.take(facts, self._before, ALARMS)
            self.runs += 1
        if endings.regular(facts) or facts["articles"]["new"]["count"]:
            self._before = facts  # what it brought, the next will not
        return found, judged


def judge(facts: Facts, history: Sequence[Facts]) -> tuple[list[Finding], bool]:
    """Return what is odd about a run, and whether there was enough history to judge it by.

    `history` are the facts of the runs before, of the same job and portal, the oldest first. They are followed from the first,
    so that what began earlier is told with its beginning.
    """
    judging = Judge(facts["crawl"]["job"])
    for each in history:
        judging.take(each)
    return judging.take(facts)


def of_enough(history: Sequence[Facts]) -> tuple[int, int]:
    """Return how many runs of a history count, and how many are needed."""
    return sum(endings.regular(each) for each in history), FEWEST
