"""A survey as an SVG picture: the number space as a strip, months as bars. Pure; plain words, no library.

The picture is one file without anything from elsewhere, readable in a browser that is set to light or dark, and names its
content for those who do not see it. Texts are in the reader's own fonts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape

from .months import UNDATED
from .numbers import STATES, Tally
from .space import Stretch, nice
from .survey import Survey

WIDTH, EDGE = 960, 28
LEFT, RIGHT = EDGE + 44, WIDTH - EDGE
STRIP_TOP, STRIP_HEIGHT = 128, 64
BARS_TOP, BARS_HEIGHT = 282, 180
# Pixels of a hole in the strip or in the row of months, the least of an island, and of a column of the strip.
HOLE, ISLAND, COLUMN = 22, 6, 1.5
# The widest bar, and how many empty months in a row are drawn as a hole.
WIDEST, LONG = 120, 24
# A bar that is so many times what the largest month has of known numbers is cut.
CUT = 1.6
MOST_QUIET = 8

MEANINGS = {
    "captured": "captured",
    "missing": "missing (the portal has none)",
    "error": "error",
    "blocked": "blocked",
    "waiting": "waiting",
    "unknown": "unknown",
}
_STYLE = """
    svg { color-scheme: light dark; } rect { shape-rendering: crispEdges; }
    .ground { fill: #ffffff; } text { fill: #1d2733; font-family: system-ui, sans-serif; font-size: 13px; }
    .title { font-size: 20px; font-weight: 600; } .small { font-size: 11px; fill: #566373; }
    .line { stroke: #8a96a3; stroke-width: 1; fill: none; } .grid { stroke: #dde2e7; stroke-width: 1; fill: none; }
    .captured { fill: #2467b0; } .missing { fill: #9aa8b5; } .error { fill: #d9730d; } .blocked { fill: #a5326f; }
    .waiting { fill: #e0b93a; } .unknown { fill: #f6d5cf; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #14181d; } text { fill: #e6eaee; } .small { fill: #a3afbb; }
      .line { stroke: #6d7884; } .grid { stroke: #2a313a; }
      .captured { fill: #5aa2ea; } .missing { fill: #66727e; } .error { fill: #f09a3e; } .blocked { fill: #dd6ba9; }
      .waiting { fill: #e3c755; } .unknown { fill: #5a2f2b; }
    }
"""


def picture(survey: Survey) -> str:
    """Return the picture as the text of an SVG file."""
    quiet = [*_quiet(survey)]
    height = BARS_TOP + BARS_HEIGHT + 62 + 19 * len(quiet)
    name = _words(f"{survey.title} ({survey.portal})")
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title desc">',
        f'<title id="title">Coverage of {name}</title>',
        f'<desc id="desc">{_words(_description(survey))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{EDGE}" y="38">{name}</text>',
        f'<text x="{EDGE}" y="62">{_words(_description(survey))}</text>',
        *_legend(survey.total),
        *_strip(survey),
        *_bars(survey.months),
        *_lines(quiet, BARS_TOP + BARS_HEIGHT + 58),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _description(survey: Survey) -> str:
    whole, total = survey.space.whole, survey.total
    as_of = f" As of {survey.rhythm.as_of}." if survey.rhythm.as_of else ""
    return (
        f"Numbers {whole.first:,} to {whole.last:,}: {total.captured:,} captured, {total.missing:,} missing, "
        f"{total.unknown:,} unknown; {percent(total.accounted)} accounted for.{as_of}"
    )


def percent(share: float | None) -> str:
    """Return a share in words that never say all or nothing of what is not quite that."""
    if share is None:
        return "nothing"
    if 0 < share < 0.0001:
        return "less than 0.01 %"
    shown = f"{share * 100:.1f} %" if share < 0.9995 or share == 1 else "more than 99.9 %"
    return "100 %" if share == 1 else shown


def _legend(total: Tally) -> Iterator[str]:
    x = float(EDGE)
    for state in (*STATES, "unknown"):
        if state in ("captured", "missing", "unknown") or getattr(total, state):
            words = MEANINGS[state]
            yield f'<rect class="{state}" x="{x:.0f}" y="80" width="12" height="12"/>'
            yield f'<text class="small" x="{x + 17:.0f}" y="90">{words}</text>'
            x += 17 + 6.2 * len(words) + 20


# --- the strip ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """An island on the strip: its pixels, and how many a number takes."""

    island: Stretch
    x: float
    width: float

    @property
    def scale(self) -> float:
        return self.width / len(self.island)


def _strip(survey: Survey) -> Iterator[str]:
    yield f'<text x="{EDGE}" y="{STRIP_TOP - 10}">Article numbers</text>'
    places = _places(survey.space.islands)
    for place in places:
        yield _box("unknown", place.x, STRIP_TOP, place.width, STRIP_HEIGHT)
        yield from _columns(survey, place)
    for place, hole in zip(places, survey.space.holes, strict=False):
        yield from _hole(place.x + place.width, STRIP_TOP, STRIP_HEIGHT, f"{len(hole):,} unknown")
    yield from _numbers(places)


def _places(islands: Sequence[Stretch]) -> list[_Place]:
    room = RIGHT - EDGE - HOLE * (len(islands) - 1) - ISLAND * len(islands)
    scale = room / sum(map(len, islands))
    places: list[_Place] = []
    x = float(EDGE)
    for island in islands:
        places.append(_Place(island, x, ISLAND + len(island) * scale))
        x += places[-1].width + HOLE
    return places


def _columns(survey: Survey, place: _Place) -> Iterator[str]:
    """Yield the columns of an island: each shows what share of its numbers is in which state."""
    columns: defaultdict[int, Tally] = defaultdict(Tally)
    width = max(COLUMN, survey.space.cell * place.scale)
    exact = width > COLUMN
    spans: dict[int, tuple[float, float]] = {}
    for cell in survey.cells:
        if not place.island.first <= cell.place.first <= place.island.last:
            continue
        left = (cell.place.first - place.island.first) * place.scale
        column = cell.place.first if exact else int(left / width)
        columns[column].add(cell.tally)
        right = min(left + len(cell.place) * place.scale, place.width)
        spans[column] = (left, right) if exact else (column * width, min((column + 1) * width, place.width))
    for column, tally in columns.items():
        left, right = spans[column]
        numbers = max((right - left) / place.scale, tally.known)
        # On whole pixels, so that no seam shows between columns.
        edges = round(place.x + left), max(round(place.x + right), round(place.x + left) + 1)
        bottom = float(STRIP_TOP + STRIP_HEIGHT)
        for state in STATES:
            height = STRIP_HEIGHT * getattr(tally, state) / numbers
            if height:
                bottom -= height
                yield _box(state, edges[0], bottom, edges[1] - edges[0], height)


def _numbers(places: Sequence[_Place]) -> Iterator[str]:
    """Yield the labels under the strip: ends of islands, and round numbers where there is room."""
    taken: list[tuple[float, float]] = []
    y = STRIP_TOP + STRIP_HEIGHT
    total = sum(len(place.island) for place in places)
    step = nice(total / 8)
    ends = [number for place in places for number in (place.island.first, place.island.last)]
    rounds = [
        number for place in places for number in range(-(-place.island.first // step) * step, place.island.last + 1, step)
    ]
    for number in [ends[0], ends[-1], *ends[1:-1], *rounds]:
        place = next(each for each in places if each.island.first <= number <= each.island.last)
        x = place.x + (number - place.island.first + 0.5) * place.scale
        half = 3.4 * len(f"{number:,}") + 4
        middle = min(max(x, EDGE + half), RIGHT - half)
        if all(middle + half < left or middle - half > right for left, right in taken):
            taken.append((middle - half, middle + half))
            yield f'<path class="line" d="M{x:.1f} {y}v5"/>'
            yield f'<text class="small" text-anchor="middle" x="{middle:.1f}" y="{y + 18}">{number:,}</text>'


def _hole(x: float, y: float, height: float, words: str) -> Iterator[str]:
    """Yield the mark of what is left out."""
    middle = x + HOLE / 2
    yield "<g>"
    yield f"<title>{words}</title>"
    for shift in (-4, 2):
        yield f'<path class="line" d="M{middle + shift:.1f} {y + height * 0.7:.0f}l5 {-height * 0.4:.0f}"/>'
    yield "</g>"


# --- the bars ----------------------------------------------------------------------------------------------------------------


def _bars(months: Mapping[str, Tally]) -> Iterator[str]:
    dated = {month: tally for month, tally in months.items() if month != UNDATED}
    yield f'<text x="{EDGE}" y="{BARS_TOP - 22}">Numbers by month of publication</text>'
    if not dated:
        yield f'<text class="small" x="{EDGE}" y="{BARS_TOP}">No captured article has a date.</text>'
        return
    top = _top(list(dated.values()))
    yield from _scale(top)
    runs = [*_runs(dated)]
    drawn = sum(len(run) for run, hole in runs if not hole)
    width = (RIGHT - LEFT - HOLE * sum(hole for _, hole in runs)) / drawn
    x, free = float(LEFT), float(LEFT) - 1
    for run, hole in runs:
        if hole:
            yield from _hole(x, BARS_TOP + BARS_HEIGHT - 40, 40, f"{run[0]} to {run[-1]}: nothing")
            x += HOLE
            continue
        for month in run:
            yield from _bar(month, dated[month], x, min(width, WIDEST), top)
            label = _label(month, len(dated), first=month == run[0])
            if label and x >= free:
                yield f'<path class="line" d="M{x:.1f} {BARS_TOP + BARS_HEIGHT}v5"/>'
                yield f'<text class="small" x="{x + 2:.1f}" y="{BARS_TOP + BARS_HEIGHT + 17}">{label}</text>'
                free = x + 6.6 * len(label) + 8
            x += min(width, WIDEST)
    undated = months.get(UNDATED, Tally())
    if undated.numbers:
        words = f"{undated.numbers:,} numbers lie where no month can be told."
        yield f'<text class="small" x="{LEFT}" y="{BARS_TOP + BARS_HEIGHT + 36}">{words}</text>'


def _top(tallies: Sequence[Tally]) -> int:
    """Return what the highest bar shows; a month of mostly unknown numbers may be higher, and is cut."""
    known = max(tally.known for tally in tallies)
    return max(1, min(max(tally.numbers for tally in tallies), int(known * CUT)))


def _scale(top: int) -> Iterator[str]:
    step = nice(top / 4)
    for value in range(0, top + 1, step):
        y = BARS_TOP + BARS_HEIGHT - BARS_HEIGHT * value / top
        yield f'<path class="{"grid" if value else "line"}" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        yield f'<text class="small" text-anchor="end" x="{LEFT - 6}" y="{y + 4:.1f}">{value:,}</text>'


def _bar(month: str, tally: Tally, x: float, width: float, top: int) -> Iterator[str]:
    gap = 1.0 if width > 4 else 0.0
    bottom = float(BARS_TOP + BARS_HEIGHT)
    counts = {state: getattr(tally, state) for state in (*STATES, "unknown")}
    shown = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "nothing"
    yield f"<g><title>{month}: {shown}</title>"
    for state, count in counts.items():
        height = min(BARS_HEIGHT * count / top, bottom - BARS_TOP)
        if height > 0:
            bottom -= height
            yield _box(state, round(x), bottom, round(x + width) - round(x) - gap, height)
    if tally.numbers > top:
        # Higher than there is room for.
        yield f'<path class="line" d="M{x + width / 2 - 3:.1f} {BARS_TOP - 3}l3 -5l3 5"/>'
    yield "</g>"


def _runs(dated: Mapping[str, Tally]) -> Iterator[tuple[list[str], bool]]:
    """Yield the months in runs, each with whether it is a hole: many in a row without anything."""
    for empty, group in groupby(dated, key=lambda month: not dated[month].numbers):
        run = list(group)
        yield run, empty and len(run) > LONG


def _label(month: str, months: int, *, first: bool) -> str | None:
    if months <= 14:
        return month
    if first or month.endswith("-01"):
        return month if first and not month.endswith("-01") else month[:4]
    return None


# --- what is quiet -----------------------------------------------------------------------------------------------------------


def _quiet(survey: Survey) -> Iterator[str]:
    rhythm = survey.rhythm
    if rhythm.whole is not None and rhythm.whole.quiet:
        yield f"No article since {rhythm.whole.last}: {rhythm.whole.silent:,} days; usual are {rhythm.whole.median}."
    quiet = [(name, each) for name, each in rhythm.categories.items() if each.quiet]
    for name, each in sorted(quiet, key=lambda pair: -pair[1].silent)[:MOST_QUIET]:
        yield f"{name}: quiet since {each.last}, {each.silent:,} days; usual are {each.median}."
    if len(quiet) > MOST_QUIET:
        yield f"{len(quiet) - MOST_QUIET} more categories are quiet."


def _lines(lines: Sequence[str], y: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f'<text x="{EDGE}" y="{y + 19 * number}">{_words(line)}</text>'


def _box(state: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{state}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'


def _words(text: str) -> str:
    """Return text as XML may hold it: escaped, without control characters."""
    return escape("".join(letter for letter in text if letter >= " " and letter not in "\ufffe\uffff"))
