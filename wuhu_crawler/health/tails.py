"""How improbable a number is, by what is usual: tails of the distributions the checks use. Pure; each returns a probability."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, cos, exp, lgamma, log, sin, sqrt
from statistics import median

# Student's t with so many degrees of freedom: heavier tails than the normal's, for values whose spread is itself an estimate.
FREEDOM = 8
# What makes the median of absolute deviations a standard deviation, for the normal distribution.
_MAD = 1.4826


def count_at_most(seen: int, mean: float, spread: float) -> float:
    """Return the chance of counting no more than `seen` where `mean` is usual (negative binomial; Poisson without spread).

    The variance is mean + spread * mean²: news comes in good and bad days, not evenly.
    """
    if mean <= 0:
        return 1.0
    size = 1 / max(spread, 1e-9)
    odds = mean / (size + mean)
    term = exp(size * -log(1 + mean / size))
    total = term
    for number in range(seen):
        term *= (size + number) / (number + 1) * odds
        total += term
    return min(1.0, total)


def share_at_most(hits: int, of: int, share: float, likeness: float) -> float:
    """Return the chance of no more than `hits` of so many where `share` of them is usual (beta-binomial).

    `likeness` is the correlation of two of a night: the pages of a night share their authors, categories and accidents.
    """
    weight = 1 / min(max(likeness, 1e-9), 0.999) - 1
    left, right = share * weight, (1 - share) * weight
    if hits <= of - hits:
        return min(1.0, sum(_exactly(hit, of, left, right) for hit in range(hits + 1)))
    return max(0.0, 1 - sum(_exactly(hit, of, left, right) for hit in range(hits + 1, of + 1)))


def share_at_least(hits: int, of: int, share: float, likeness: float) -> float:
    """Return the chance of at least so many hits; see `share_at_most`."""
    return share_at_most(of - hits, of, 1 - share, likeness)


def _exactly(hits: int, of: int, left: float, right: float) -> float:
    ways = lgamma(of + 1) - lgamma(hits + 1) - lgamma(of - hits + 1)
    return exp(ways + _beta(hits + left, of - hits + right) - _beta(left, right))


def _beta(left: float, right: float) -> float:
    return lgamma(left) + lgamma(right) - lgamma(left + right)


def beyond(deviations: float) -> float:
    """Return the chance of a value at least so many standard deviations above the middle."""
    angle = atan(deviations / sqrt(FREEDOM))
    term, total = 1.0, 1.0
    for step in range(1, FREEDOM // 2):
        term *= (2 * step - 1) / (2 * step) * cos(angle) ** 2
        total += term
    return max(0.0, (1 - sin(angle) * total) / 2)


def middle(values: Sequence[float]) -> tuple[float, float]:
    """Return the median of values and their standard deviation, both untroubled by a few wild ones."""
    centre = median(values)
    return centre, _MAD * median(abs(value - centre) for value in values)


def pooled(shares: Sequence[tuple[int, int]], burst: float = 0.0) -> tuple[float, float]:
    """Return the usual share and likeness of (hits, of) of many nights, for the tails of a share.

    Half a hit and half a miss are added, so that what never happened is improbable, not impossible. The likeness is that of the
    nights among each other, at least `burst`, and what so few of them leave unknown of the share itself.
    """
    total = sum(of for _, of in shares)
    share = (sum(hits for hits, _ in shares) + 0.5) / (total + 1)
    variance = share * (1 - share)
    excess = sum((hits - of * share) ** 2 - of * variance for hits, of in shares)
    pairs = sum(of * (of - 1) for _, of in shares) * variance
    likeness = max(burst, excess / pairs if pairs > 0 else 0.0)
    return share, min(0.9, likeness + 1 / (total + 2))
