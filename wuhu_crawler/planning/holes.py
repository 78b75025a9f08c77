"""Holes: the numbers of a range that nobody has answered for, kept as runs. Pure.

A run takes 16 bytes however long it is, so a jump of a million numbers costs nothing, and in the worst case, every second
number known, a million numbers cost 8 MB.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Holes:
    """Runs of unknown numbers between `low` and `high`, both included. Filled by `know`, from the highest number downwards."""

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self._starts = array("q")
        self._ends = array("q")
        self._upper = high + 1

    def know(self, number: int) -> None:
        """Take note of a known number, lower than all before; one outside of the range changes nothing."""
        if not self.low <= number < self._upper:
            return
        self._add(number + 1, self._upper - 1)
        self._upper = number

    def close(self) -> None:
        """End the filling: below the last known number everything is unknown."""
        self._add(self.low, self._upper - 1)
        self._upper = self.low
        self._starts.reverse()
        self._ends.reverse()

    def _add(self, start: int, end: int) -> None:
        if start <= end:
            self._starts.append(start)
            self._ends.append(end)

    @property
    def total(self) -> int:
        """How many numbers are unknown."""
        return sum(self._ends) - sum(self._starts) + len(self._starts)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number <= self._ends[place]

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the runs between two numbers, both included, cut to them, in ascending order."""
        place = bisect_left(self._ends, start)
        while start <= end and place < len(self._starts) and self._starts[place] <= end:
            yield max(self._starts[place], start), min(self._ends[place], end)
            place += 1

    def count(self, start: int, end: int) -> int:
        """Return how many numbers between two numbers, both included, are unknown."""
        return sum(last - first + 1 for first, last in self.runs(start, end))
