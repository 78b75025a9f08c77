"""One part of a multi-page article as its page shows it: the page's own characters, and where the body lies among them.

A portal cuts its articles by character count, inside a sentence, a tag or an entity. A parser drops a torn tag, or takes half
the page for it; so parts are put together as the characters they were cut from (splice.py), and only then parsed. Plain data,
fit to be sent to another process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from itertools import pairwise

from ..portals import Portal
from .body import read_paragraphs
from .document import BLOCKS, clean
from .labels import Labels
from .reading import Reading
from .urls import absolute, article_id, is_part

_SKIPPED = re.compile(r"<!--.*?-->|<(script|style|textarea|select|noscript|title)\b.*?</\1\s*>", re.S | re.I)
# A tag, a tag that never ends, or text.
_TOKEN = re.compile(r"(?P<tag><[^<>]*>)|(?P<torn><[^<>]*)(?=<|\Z)|(?P<text>[^<]+)")
# What stands before the number of a part, as far as it is looked for in the characters of a page.
# Two patterns that begin with plain letters each: a search passes over a page at a glance.
_NUMBERS = (re.compile(r"age(?:=|N(?:o|um)=|n(?:o|um)=)(?=\d)"), re.compile(r"AGE(?:=|NO=|NUM=)(?=\d)"))
_HREF = re.compile(r"<a\b[^<>]*?\shref\s*=\s*[\"']?\s*([^\"'\s<>]+)", re.I)
_NAME = re.compile(r"</?\s*([a-z][\w:]*)", re.I)
# The links to the other parts.
_PAGER = re.compile(
    r"(?>\s*(?:\[\d{1,3}\]|【\d{1,3}】|[(（]\d{1,3}[)）]|\d{1,3}|[上下前后]一?页|首页|[尾末]页|[共第]\s*\d+\s*页|[<>«»|：:]))+\s*"
)
# What a template puts around a body; an indent is the body's own.
_WHITE = "\r\n\t "
# So many lines of a body may lie between the last one a parser saw and the pager.
_UNSEEN = 200
# So many characters tell one line from another.
_TELLING = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page and where its characters lie: from the first that is no white space to behind the last."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part: its page's decoded `html` and `lines`, the body's being `[first:last]`; `words` are its paragraphs' texts."""

    html: str
    lines: tuple[Line, ...]
    first: int
    last: int
    words: tuple[str, ...]


def read_fragment(html: str, reading: Reading, title: str | None) -> Fragment:
    """Return the part an article page holds; `html` is the decoded page the reading was made from."""
    words = tuple(p.text for p in read_paragraphs(reading.document, reading.region, reading.labels, title))
    lines = _lines(html)
    places = _places(words, lines)
    first = places[0].start if places else len(lines)
    last = places[-1].stop if places else first
    while last > first and is_pager(lines[last - 1].text):
        last -= 1
    return Fragment(html, tuple(lines), first, _before_pager(lines, last, reading.labels), words)


def _before_pager(lines: list[Line], last: int, labels: Labels) -> int:
    """Return where the body ends that a parser saw until `last`: a torn table is dropped by it, yet stands before the pager."""
    for i in range(last, min(last + _UNSEEN, len(lines))):
        if is_pager(lines[i].text):
            return i
        if labels.end.match(lines[i].text) or labels.tools.match(lines[i].text):
            break
    return last


def hidden_part_urls(html: str, url: str, portal: Portal, number: int) -> list[str]:
    """Return the links to other parts of the article as they stand in the characters of its page: an attribute cut in two takes
    the links behind it with it."""
    places = sorted(found.start() for pattern in _NUMBERS for found in pattern.finditer(html))
    tags = dict.fromkeys(html.rfind("<", 0, at) for at in places)
    hrefs = (_HREF.match(html, at) for at in tags if at >= 0)
    words = (unescape(href.group(1)) for href in hrefs if href)
    found = (absolute(url, word) for word in words if is_part(word.partition("#")[0]))
    return [target for target in found if target and is_part(target) and article_id(target, portal) == number]


def is_pager(text: str) -> bool:
    """Tell whether a line is nothing but links to parts."""
    return bool(_PAGER.fullmatch(text)) and not text.strip().isdecimal()


def _lines(html: str) -> list[Line]:
    """Split a page at its block tags, breaks and torn tags into lines; what no reader sees counts as white space."""
    lines: list[Line] = []
    start = end = 0
    raw = ""

    def flush() -> None:
        nonlocal raw
        if text := clean(raw):
            lines.append(Line(start, end, text))
        raw = ""

    for token in _TOKEN.finditer(_SKIPPED.sub(lambda found: " " * len(found.group()), html)):
        if text := token["text"]:
            shown = unescape(text)
            if shown.strip():
                start = start if raw.strip() else token.end() - len(text.lstrip(_WHITE))
                end = token.start() + len(text.rstrip(_WHITE))
            raw += shown
        elif token["torn"] or _breaks(token["tag"]):
            flush()
    flush()
    return lines


def _breaks(tag: str) -> bool:
    found = _NAME.match(tag)
    return bool(found) and (found[1].lower() in BLOCKS or found[1].lower() == "br")  # type: ignore[index]


def _places(words: tuple[str, ...], lines: list[Line]) -> list[range]:
    """Return which lines the paragraphs are, as far as they can be told; a row of a table is several lines."""
    places: list[range] = []
    at = _beginning(words, lines)
    for text in words:
        found = (p for way in (_place, _head) for i in range(at, len(lines)) if (p := way(text, lines, i)))
        place = next(found, None)
        if place is not None:
            places.append(place)
            at = place.stop
    return places


def _place(paragraph: str, lines: list[Line], first: int) -> range | None:
    """Return the lines from `first` on that are the paragraph, None when they are something else."""
    rest = paragraph
    for i in range(first, len(lines)):
        if rest == lines[i].text:
            return range(first, i + 1)
        if not rest.startswith(lines[i].text + " "):
            return None
        rest = rest[len(lines[i].text) + 1 :]
    return None


def _head(paragraph: str, lines: list[Line], first: int) -> range | None:
    """Return the line if it is the paragraph's beginning: a torn tag may have glued the pager to it."""
    text = lines[first].text
    return range(first, first + 1) if len(text) >= _TELLING and paragraph.startswith(text) else None


def _beginning(words: tuple[str, ...], lines: list[Line]) -> int:
    """Return where the first paragraph stands that another follows: a page may show its words elsewhere, too."""
    for first, second in pairwise(words):
        for i in range(len(lines)):
            place = _place(first, lines, i)
            if place and _place(second, lines, place.stop):
                return i
    # The body stands behind the title and whatever else repeats its words.
    return max((i for i, line in enumerate(lines) if line.text in words), default=0)
