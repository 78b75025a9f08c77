"""To which month of publication numbers belong. Pure.

A captured article says when it was published, a listing when its entries were. The others are given a month by where they lie:
numbers are handed out in order, so those of a cell are taken to be of the months its dated ones are of, in that proportion. A
cell without any lies between two that have some. What lies in a hole between islands is of no month.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from .numbers import STATES, Cell, Tally
from .space import Space

# Where the month cannot be told.
UNDATED = ""
# A month that so few of a cell's articles are of is an odd date, and says nothing of its neighbours.
ODD = 0.1


def by_month(where: Space, cells: Sequence[Cell]) -> dict[str, Tally]:
    """Return the counts of each month (`2024-02`), those between the first and the last without any included, in order.

    UNDATED, the last one, holds what no month can be told of. All together are the numbers of the space.
    """
    months: dict[str, Tally] = {}
    undated = Tally(numbers=sum(map(len, where.holes)))
    for island in where.islands:
        inside = [cell for cell in cells if island.first <= cell.place.first <= island.last]
        for shares, tally in _shared(island.first, island.last, inside, months):
            _spread(tally, shares, months, undated)
    filled = {month: months.get(month, Tally()) for month in between(min(months), max(months))} if months else {}
    return {**filled, UNDATED: undated}


def between(first: str, last: str) -> Iterator[str]:
    """Yield the months from the first to the last."""
    for number in range(_number(first), _number(last) + 1):
        yield _month(number)


def split(number: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Return a number split by shares, in whole numbers whose sum it is (the largest remainders are rounded up)."""
    total = sum(shares.values())
    whole = {name: number * share // total for name, share in shares.items()}
    left = number - sum(whole.values())
    for name in sorted(shares, key=lambda name: -(number * shares[name] % total))[:left]:
        whole[name] += 1
    return whole


def _shared(
    first: int, last: int, cells: Sequence[Cell], months: dict[str, Tally]
) -> Iterator[tuple[Mapping[str, int] | None, Tally]]:
    """Put what is dated into its month; yield the rest of each cell, and of what lies between, with its shares of months."""
    known = [_shares(cell) for cell in cells]
    filled = _filled(known)
    edge = first
    for place, cell in enumerate(cells):
        if cell.place.first > edge:
            # Nothing of these numbers is known; they are of the months of their neighbours.
            yield _middle(filled[place - 1] if place else None, filled[place]), Tally(numbers=cell.place.first - edge)
        rest = Tally()
        rest.add(cell.tally)
        for month, tally in cell.dated.items():
            own = Tally(numbers=tally.known)
            own.add(tally)
            months.setdefault(month, Tally()).add(own)
            for name in ("numbers", *STATES):
                setattr(rest, name, getattr(rest, name) - getattr(own, name))
        yield filled[place], rest
        edge = cell.place.last + 1
    if edge <= last:
        yield filled[-1] if filled else None, Tally(numbers=last - edge + 1)


def _shares(cell: Cell) -> Mapping[str, int] | None:
    counts = Counter({month: tally.known for month, tally in cell.dated.items()})
    total = counts.total()
    return {month: count for month, count in counts.items() if count >= ODD * total} if total else None


def _filled(known: Sequence[Mapping[str, int] | None]) -> list[Mapping[str, int] | None]:
    """Return the shares with those of undated cells taken from between their neighbours."""
    filled = list(known)
    places = [place for place, shares in enumerate(known) if shares is not None]
    for empty, run in groupby(range(len(known)), key=lambda place: known[place] is None):
        gap = list(run)
        if empty and places:
            before = max((place for place in places if place < gap[0]), default=None)
            after = min((place for place in places if place > gap[-1]), default=None)
            shares = _middle(None if before is None else known[before], None if after is None else known[after])
            for place in gap:
                filled[place] = shares
    return filled


def _middle(before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """Return even shares of the months from the last of what comes before to the first of what comes after."""
    if before is None or after is None:
        return before or after
    first, last = sorted((max(before), min(after)))
    return dict.fromkeys(between(first, last), 1)


def _spread(tally: Tally, shares: Mapping[str, int] | None, months: dict[str, Tally], undated: Tally) -> None:
    if shares is None:
        plain = Tally()
        plain.add(tally)
        plain.gone = plain.unlisted = 0
        undated.add(plain)
        return
    for name in STATES:
        for month, part in split(getattr(tally, name), shares).items():
            months.setdefault(month, Tally()).add(Tally(numbers=part, **{name: part}))
    for month, part in split(tally.unknown, shares).items():
        months.setdefault(month, Tally()).add(Tally(numbers=part))


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
