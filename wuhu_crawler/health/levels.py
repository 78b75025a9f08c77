"""Values with a usual level (seconds, hours, entries): odd when they leave it, and everything seen before, by more than their
own noise explains, in this run or, less far, in two runs in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .tails import beyond, middle
from .watch import FEWEST, Odd, Past


class Level(NamedTuple):
    """A value, the least noise it can have, and what it is only comparable within (a delay that was asked for)."""

    value: float
    noise: float
    within: object = None


def above(value: Level, past: Past[Level], chance: float) -> Odd | None:
    """Return what is odd about a value that is too high."""
    return _odd(value, past, chance, 1)


def below(value: Level, past: Past[Level], chance: float) -> Odd | None:
    """Return what is odd about a value that is too low."""
    return _odd(value, past, chance, -1)


def apart(value: Level, past: Past[Level], chance: float) -> Odd | None:
    """Return what is odd about a value that is too high or too low."""
    return _odd(value, past, chance / 2, 1) or _odd(value, past, chance / 2, -1)


def _odd(value: Level, past: Past[Level], chance: float, way: int) -> Odd | None:
    for runs in (1, 2):
        usual, latest = past.span(runs)
        like = [each.value for each in usual if each.within == value.within]
        if len(like) < FEWEST - 1:
            return None
        values = [*(each.value for each in latest if each.within == value.within), value.value]
        found = _tail(values, like, max(value.noise, *(each.noise for each in latest or [value])), way) ** len(values)
        # Two spans were looked at.
        if found < chance / 2:
            centre, spread = middle(like)
            evidence = {"expected": round(centre, 3), "spread": round(spread, 3), "seen": round(value.value, 3)}
            return Odd(found, len(values), evidence)
    return None


def _tail(values: Sequence[float], usual: Sequence[float], noise: float, way: int) -> float:
    """Return the chance of the least extreme of the values; 1 where one is not beyond all that is usual."""
    least = min(value * way for value in values)
    if least <= max(value * way for value in usual):
        return 1.0
    centre, spread = middle(usual)
    return beyond((least - centre * way) / max(spread, noise))
