"""Regions of 1,024 numbers: what was found in each, and how likely an unknown number there is an article. Pure.

Only regions with a known number, and the neighbours of those with articles, are held; what lies between them is a stretch,
known by its two ends. Numbers of a region are tried spread out, so that a few tries tell of all of it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

SIZE = 1024
# The order in which the numbers of a region are tried: first, middle, quarters, eighths ...
SPREAD = tuple(int(f"{place:010b}"[::-1], 2) for place in range(SIZE))
# What is expected of a portal nothing is known of: one article on twenty numbers asked.
_HITS, _TRIES = 1, 20
# So many tries of its own weigh as much as what is expected of a region beforehand.
_WEIGHT = 5
# What is expected far from any article, against the neighbourhood of many.
_FAR = 0.05
# Articles among a region's numbers that are many: one in ten.
_MANY = 0.1
# A region, or a stretch, of which less than this share of the usual is expected is called dead: it comes last.
DEAD = 0.25


@dataclass(slots=True)
class Region:
    """What is known of a region: its articles, how many of them no listing shows, and the numbers that turned out empty."""

    articles: int = 0
    hits: int = 0
    misses: int = 0
    # How far the spread order was followed tonight.
    place: int = 0


@dataclass(slots=True)
class Rate:
    """How often asking brought an article, with what is expected before anything was asked."""

    hits: int = 0
    misses: int = 0

    @property
    def value(self) -> float:
        """The expected share of articles."""
        return (self.hits + _HITS) / (self.hits + self.misses + _TRIES)

    @property
    def known(self) -> bool:
        """Whether it rests on any experience."""
        return self.hits + self.misses > 0


class Regions:
    """The regions of a range that hold known numbers, and their neighbours. Filled by `note`, from the highest downwards."""

    def __init__(self, low: int, high: int) -> None:
        self.first = low // SIZE
        self.last = high // SIZE
        self._low = low
        self._high = high
        self.rate = Rate()
        self._numbers = array("q")
        self._articles = array("i")
        self._hits = array("i")
        self._misses = array("i")
        self._usual = self.rate.value
        # What was learned tonight.
        self._learned: dict[int, Region] = {}

    def note(self, number: int, *, article: bool = False, hit: bool = False, miss: bool = False) -> None:
        """Take note of a number that is known: an article, one no listing shows (a hit), an empty number, or none of them."""
        region = number // SIZE
        if not self.first <= region <= self.last:
            return
        if article:
            self._open(region + 1)
        self._open(region)
        self._articles[-1] += article
        self._hits[-1] += hit
        self._misses[-1] += miss
        self.rate.hits += hit
        self.rate.misses += miss

    def close(self) -> None:
        """End the filling."""
        if self._numbers and self._articles[-1]:
            self._open(self._numbers[-1] - 1)
        for column in (self._numbers, self._articles, self._hits, self._misses):
            column.reverse()
        # The scale of a night: it must not move while regions are compared by it.
        self._usual = self.rate.value

    def _open(self, region: int) -> None:
        """Begin a region, unless it was begun; below one with articles its neighbour first."""
        if self._numbers and region < self._numbers[-1] - 1 and self._articles[-1]:
            self._append(self._numbers[-1] - 1)
        if not self._numbers or region < self._numbers[-1]:
            self._append(region)

    def _append(self, region: int) -> None:
        if self.first <= region <= self.last:
            self._numbers.append(region)
            for column in (self._articles, self._hits, self._misses):
                column.append(0)

    def __iter__(self) -> Iterator[int]:
        """The regions held, ascending."""
        return iter(self._numbers)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last region of each stretch of regions that are not held."""
        before = self.first - 1
        for region in self._numbers:
            if region > before + 1:
                yield before + 1, region - 1
            before = region
        if before < self.last:
            yield before + 1, self.last

    def at(self, region: int) -> Region:
        """Return what is known of a region, to be changed by what is learned of it."""
        if region not in self._learned:
            self._learned[region] = self._stored(region)
        return self._learned[region]

    def learned(self, region: int) -> bool:
        """Tell whether a region was asked for with `at`."""
        return region in self._learned

    def _stored(self, region: int) -> Region:
        place = bisect_left(self._numbers, region)
        if place < len(self._numbers) and self._numbers[place] == region:
            return Region(self._articles[place], self._hits[place], self._misses[place])
        return Region()

    def _seen(self, region: int) -> Region:
        return self._learned.get(region) or self._stored(region)

    def chance(self, region: int) -> float:
        """Return how likely an unknown number of the region is an article."""
        seen = self._seen(region)
        near = max(self._density(region), self._density(region - 1) / 2, self._density(region + 1) / 2)
        expected = self._usual * (_FAR + (1 - _FAR) * min(1.0, near / _MANY))
        return (seen.hits + _WEIGHT * expected) / (seen.hits + seen.misses + _WEIGHT)

    def _density(self, region: int) -> float:
        """The share of articles among the region's numbers, as far as they are in the range."""
        width = min(self._high, region * SIZE + SIZE - 1) - max(self._low, region * SIZE) + 1
        return self._seen(region).articles / width if width > 0 else 0.0

    def far_chance(self) -> float:
        """Return how likely a number far from everything known is an article."""
        return self._usual * _FAR

    def is_dead(self, chance: float) -> bool:
        """Tell whether so small a chance means that hardly anything is there."""
        return chance < self._usual * DEAD
