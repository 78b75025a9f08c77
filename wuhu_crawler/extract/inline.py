"""What stands between two block tags: the texts a reader sees there, a line break apart, with their links, pictures and inputs.

A portal frames all its articles alike: most of what lies between the block tags of a page was on the page before. `read_inline`
therefore remembers what it has read; the stretches are those of a serialized tree (`document`), so every tag is well formed.
White space is as a browser shows it (a source line break between two Chinese characters is nothing; `&nbsp;` is a space).
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .facts import Facts

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u200b\u200c\u200e\u200f\u2028\u2029\ud800-\udfff]")
_WIDE = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff“”‘’…—]"
_WIDE_BREAK = re.compile(rf"(?<={_WIDE})[ \t]*[\r\n][ \t\r\n]*(?={_WIDE})")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_NEEDS_WORK = re.compile(r"[\t\r\n\f\x7f-\xa0\ufeff\u200b\u200c\u200e\u200f\u2028\u2029]")
TRIM = " \t\r\n\f\xa0\u3000"

# What stands in a serialized tag behind its name. A quotation mark opens a value only behind an equals sign: `width="98%""`
# makes an attribute named `"`.
REST = r"[^>=]*+(?:=(?:\"[^\"]*+\")?[^>=]*+)*+"
_TAG = re.compile(rf"<(/?)([^\s/>]+)({REST})>")
_ONE_LINK = re.compile(rf"<a\s+href=\"([^\"]*)\"((?:\s{REST})?)>([^<]+)</a>\s*+\Z")
_ATTRIBUTE = re.compile(r"([^\s=]+)=\"([^\"]*)\"")
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.I)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_BOLD_TAGS = frozenset({"b", "strong"})
# Elements that have no end tag.
VOID = frozenset("area base basefont bgsound embed keygen link meta param source track wbr".split())
# Longer stretches are bodies: they do not come again. A bar of navigation may be long.
_REMEMBERED_LENGTH = 4000
_REMEMBERED = 4096

# What an element that is still open means for the text behind it.
PLAIN, BOLD, LINK, HIDDEN = 0, 1, 2, 4


class Words:
    """One line's text: how many of its characters are link text, whether it is wholly bold, and what `facts_of` notes of it."""

    __slots__ = ("bold", "facts", "link_chars", "text")

    def __init__(self, text: str, link_chars: int, bold: bool) -> None:
        self.text = text
        self.link_chars = link_chars
        self.bold = bold
        self.facts: Facts | None = None


class Anchor(NamedTuple):
    """A link: its `href` as written and its words. `line` counts the lines of the stretch before its end; `encloses`: it began
    before the stretch, so that there are blocks in it and more words before."""

    line: int
    href: str | None
    text: str
    encloses: bool


class Picture(NamedTuple):
    """An `<img>`: its attributes by name."""

    line: int
    attributes: dict[str, str]


class HiddenInput(NamedTuple):
    """A hidden form field."""

    line: int
    name: str
    value: str


class Open(NamedTuple):
    """An inline element that encloses blocks: what it means, its `href` if it is a link, how many lines stood before it."""

    kind: int
    href: str | None = None
    line: int = 0


class Inline(NamedTuple):
    """A stretch as read; `still_open`: the elements it leaves open, outermost first; `only_text`: there are but lines."""

    lines: tuple[Words, ...]
    anchors: tuple[Anchor, ...] = ()
    pictures: tuple[Picture, ...] = ()
    inputs: tuple[HiddenInput, ...] = ()
    still_open: tuple[Open, ...] = ()
    only_text: bool = True


def clean(text: str) -> str:
    """Return a text as a browser shows it, trimmed at both ends (full-width indents too), without control characters."""
    if "  " in text or _NEEDS_WORK.search(text):
        text = _CONTROLS.sub("", text)
        text = _SPACE.sub(" ", _WIDE_BREAK.sub("", text) if "\n" in text or "\r" in text else text)
    return text.strip(TRIM)


def attributes(words: str) -> dict[str, str]:
    """Return the attributes of a serialized tag by lower-case name; the first of a name counts."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(words):
        found.setdefault(name.lower(), _CONTROLS.sub("", unescape(value) if "&" in value else value))
    return found


def is_bold_style(style: str) -> bool:
    """Tell whether an inline style sets text bold."""
    return bool(_BOLD_STYLE.search(style))


def is_hidden_style(style: str) -> bool:
    """Tell whether an inline style hides an element."""
    return bool(_HIDDEN_STYLE.search(style))


def read_inline(stretch: str, still_open: tuple[Open, ...] = (), *, bold: bool = False, preformatted: bool = False) -> Inline:
    """Return what a stretch of serialized HTML without block tags shows. `still_open`: the inline elements it stands in;
    `bold`: a block around it is bold; `preformatted`: its line breaks count."""
    if len(stretch) > _REMEMBERED_LENGTH or "<" not in stretch:
        return _read(stretch, still_open, bold, preformatted)
    return _remembered(stretch, still_open, bold, preformatted)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(stretch: str, still_open: tuple[Open, ...], bold: bool, preformatted: bool) -> Inline:
    return _read(stretch, still_open, bold, preformatted)


def _read(stretch: str, still_open: tuple[Open, ...], bold: bool, preformatted: bool) -> Inline:
    if "<" in stretch or still_open or preformatted:
        link = _ONE_LINK.match(stretch) if not (still_open or preformatted) else None
        if link and "style" not in link[2]:
            return _one_link(link[1], link[3], bold)
        return _Reader(still_open, bold, preformatted).read(stretch)
    text = clean(unescape(stretch) if "&" in stretch else stretch)
    return Inline((Words(text, 0, bold),) if text else ())


def _one_link(href: str, words: str, bold: bool) -> Inline:
    """Return what a stretch shows that is a link and nothing else, as most of a portal's frame is."""
    text = clean(unescape(words) if "&" in words else words)
    anchor = Anchor(0, _CONTROLS.sub("", unescape(href)) if "&" in href else href, text, encloses=False)
    return Inline((Words(text, len(text), bold),) if text else (), (anchor,), only_text=False)


class _Reader:
    """One pass over a stretch."""

    def __init__(self, still_open: tuple[Open, ...], bold: bool, preformatted: bool) -> None:
        self._open = list(still_open)
        self._enclosed = bool(still_open)
        self._enclosing = len(still_open)
        self._bold_block = bold
        self._preformatted = preformatted
        self._lines: list[Words] = []
        self._anchors: list[Anchor] = []
        self._pictures: list[Picture] = []
        self._inputs: list[HiddenInput] = []
        self._buffer: list[str] = []
        self._words: list[list[str]] = [[] for opened in still_open if opened.kind & LINK]
        self._link_chars = self._bold_chars = 0
        self._kinds = 0
        self._settle()

    def read(self, stretch: str) -> Inline:
        if "<" not in stretch:
            self._add(stretch)
        else:
            end = 0
            for found in _TAG.finditer(stretch):
                if found.start() > end:
                    self._add(stretch[end : found.start()])
                end = found.end()
                self._tag(found[1], found[2], found[3])
            if end < len(stretch):
                self._add(stretch[end:])
        self._flush()
        only_text = not (self._anchors or self._pictures or self._inputs or self._open or self._enclosed)
        return Inline(
            tuple(self._lines),
            tuple(self._anchors),
            tuple(self._pictures),
            tuple(self._inputs),
            tuple(self._open),
            only_text,
        )

    def _tag(self, slash: str, name: str, words: str) -> None:
        if slash:
            self._close()
        elif name == "br":
            self._flush()
        elif name == "img":
            if not self._kinds & HIDDEN:
                self._pictures.append(Picture(len(self._lines), attributes(words)))
        elif name == "input":
            self._input(attributes(words))
        elif name not in VOID:
            self._begin(name, words)

    def _input(self, found: dict[str, str]) -> None:
        if found.get("type", "").lower() == "hidden" and not self._kinds & HIDDEN:
            self._inputs.append(HiddenInput(len(self._lines), found.get("name", ""), clean(found.get("value", ""))))

    def _begin(self, name: str, words: str) -> None:
        kind, href = PLAIN, None
        if name == "a":
            kind, href = LINK, attributes(words).get("href")
            self._words.append([])
        elif name in _BOLD_TAGS:
            kind = BOLD
        style = attributes(words).get("style") if "style" in words.lower() else None
        if style:
            kind |= (BOLD if is_bold_style(style) else 0) | (HIDDEN if is_hidden_style(style) else 0)
        begun = bool(self._buffer) and not "".join(self._buffer).isspace()
        self._open.append(Open(kind, href, len(self._lines) + begun))
        self._kinds |= kind

    def _close(self) -> None:
        if not self._open:
            return
        closed = self._open.pop()
        encloses = len(self._open) < self._enclosing
        self._enclosing = min(self._enclosing, len(self._open))
        if closed.kind & LINK:
            words = "".join(self._words.pop())
            if not self._kinds & HIDDEN:
                self._anchors.append(Anchor(len(self._lines), closed.href, clean(words), encloses))
        self._settle()

    def _settle(self) -> None:
        self._kinds = BOLD if self._bold_block else 0
        for opened in self._open:
            self._kinds |= opened.kind

    def _add(self, text: str) -> None:
        kinds = self._kinds
        if kinds & HIDDEN:
            return
        if "&" in text:
            text = unescape(text)
        if self._preformatted and "\n" in text:
            *whole, text = text.split("\n")
            for line in whole:
                self._buffer.append(line)
                self._flush()
        self._buffer.append(text)
        if kinds:
            count = len(text.strip(TRIM))
            if kinds & LINK:
                self._link_chars += count
                for words in self._words:
                    words.append(text)
            if kinds & BOLD:
                self._bold_chars += count

    def _flush(self) -> None:
        """End the line, if there is anything in it."""
        text = clean("".join(self._buffer))
        if text:
            chars = len(text)
            # Spaces are not counted as bold, and one character may be punctuation outside the bold words.
            bold = bool(self._bold_chars) and self._bold_chars >= chars - 1 - text.count(" ")
            self._lines.append(Words(text, min(self._link_chars, chars), bold))
        self._buffer.clear()
        self._link_chars = self._bold_chars = 0
