"""The space of a portal's article numbers, cut into rows to be read and cells to be drawn. Pure.

Numbers are spread unevenly: some portals jump by millions, and one wrong link can name a number far from all others. So a hole
longer than all that is known is told apart, and the rest is cut into rows of one width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import UsageError

# About so many rows are made unless a width is asked for, and never more than the most.
ROWS = 20
MOST_ROWS = 10_000
# A hole is told apart when it is longer than this, and than all known numbers together; at most so many are.
HOLE = 1_000
HOLES = 12
# Rows are divided into cells by the first of these that goes into their width.
DIVISORS = (25, 20, 10, 5, 4, 2)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Numbers from `first` to `last`, both counted."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def cut(self, width: int) -> Iterator[Stretch]:
        """Yield the stretch in pieces that begin at multiples of `width`, save the first one."""
        first = self.first
        while first <= self.last:
            last = min((first // width + 1) * width - 1, self.last)
            yield Stretch(first, last)
            first = last + 1


@dataclass(frozen=True, slots=True)
class Space:
    """Where known numbers are: `islands` without a long hole inside them, cut into rows of `width` and cells of `cell`."""

    islands: tuple[Stretch, ...]
    width: int
    cell: int

    @property
    def whole(self) -> Stretch:
        """From the lowest known number to the highest."""
        return Stretch(self.islands[0].first, self.islands[-1].last)

    @property
    def holes(self) -> list[Stretch]:
        """What lies between the islands."""
        return [Stretch(left.last + 1, right.first - 1) for left, right in pairwise(self.islands)]


def divide(low: int, high: int, known: int, holes: Sequence[Stretch], width: int | None = None) -> Space:
    """Return the space from `low` to `high`, of which `known` numbers are known; `holes` are its longest, in any order.

    `width` is that of a row, found when it is None. Raises UsageError when that would make more than MOST_ROWS rows.
    """
    cuts: list[Stretch] = []
    length = high - low + 1
    for hole in sorted(holes, key=len, reverse=True)[:HOLES]:
        if len(hole) <= max(HOLE, known, 2 * (width or nice(length / ROWS))):
            break
        cuts.append(hole)
        length -= len(hole)
    if width is not None and length / width > MOST_ROWS:
        raise UsageError(
            f"--range {width} makes {length // width} rows: {nice(length / MOST_ROWS)} is the least for this archive"
        )
    row = width or nice(length / ROWS)
    edges = sorted(cuts, key=lambda hole: hole.first)
    firsts, lasts = [low, *(hole.last + 1 for hole in edges)], [*(hole.first - 1 for hole in edges), high]
    islands = tuple(Stretch(first, last) for first, last in zip(firsts, lasts, strict=True))
    return Space(islands, row, _cell(row, length / row))


def nice(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50, ... that is no less."""
    size = 1
    while size * 5 < least:
        size *= 10
    return next(step * size for step in (1, 2, 5) if step * size >= least)


def _cell(width: int, rows: float) -> int:
    if rows > 3 * ROWS:
        return width
    return width // next((part for part in DIVISORS if width % part == 0), 1)
