"""Shares of a night (hits of so many): odd when there are too many or too few by the usual share and how much nights differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .tails import pooled, share_at_least, share_at_most
from .watch import FEWEST, SPANS, Odd, Past


class Share(NamedTuple):
    """Hits of so many, at least one; and the pages to show for it."""

    hits: int
    of: int
    examples: tuple[str, ...] = ()


def too_few(value: Share, past: Past[Share], chance: float) -> Odd | None:
    """Return what is odd about a share that has fallen."""
    return _odd(value, past, chance, share_at_most, -1)


def too_many(value: Share, past: Past[Share], chance: float) -> Odd | None:
    """Return what is odd about a share that has risen. What comes seldom comes in bursts: see BURST."""
    return _odd(value, past, chance, share_at_least, 1)


# Errors do not come one by one: what hits a page hits those asked for around it. The likeness of a night's pages that is taken
# for granted, before the history says more.
BURST = 0.02


def _odd(value: Share, past: Past[Share], chance: float, tail: Callable[..., float], way: int) -> Odd | None:
    for runs in SPANS:
        usual, latest = past.span(runs)
        if len(usual) < FEWEST - runs + 1:
            return None
        share, likeness = pooled([each[:2] for each in usual], BURST if way > 0 else 0.0)
        if (value.hits / value.of - share) * way <= 0:
            return None
        hits, of = value.hits + sum(each.hits for each in latest), value.of + sum(each.of for each in latest)
        found = tail(hits, of, share, likeness)
        if found < chance / len(SPANS):
            evidence = {"expected": round(share, 4), "seen": round(hits / of, 4), "hits": hits, "of": of}
            return Odd(found, runs, {**evidence, "runs": runs, "examples": list(value.examples)})
    return None
