"""A page as its reader sees it: lines of text in source order, with what emphasis, links and pictures each holds.

Everything later leans on this: no rule of extraction looks at a class name or counts tags. White space is as a browser shows it
(a source line break between two Chinese characters is nothing; `&nbsp;` is a space); otherwise text is as served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from html import unescape
from typing import Any

from lxml import etree
from parsel import Selector

Element = Any  # lxml ships no types

BLOCKS = frozenset(
    (
        "address article aside blockquote body caption center col colgroup dd dir div dl dt fieldset figcaption figure "
        "footer form frameset h1 h2 h3 h4 h5 h6 header hr html legend li main menu nav ol p pre section table tbody td tfoot "
        "th thead tr ul marquee"
    ).split()
)
CONTAINERS = frozenset(
    (
        "article aside blockquote body center dd div dl fieldset footer form header html li main marquee ol p pre section "
        "table tbody td th tr ul"
    ).split()
)
SKIPPED = frozenset(
    (
        "script style noscript select textarea button head object applet svg template noframes map option audio video iframe"
    ).split()
)
BOLD = frozenset(["b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"])
ASIDES = frozenset({"nav", "footer", "aside"})
HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_BOLD_STYLE = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.I)
_CENTER_STYLE = re.compile(r"text-align\s*:\s*center", re.I)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u200b\u200c\u200e\u200f\u2028\u2029\ud800-\udfff]")
_WIDE = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff“”‘’…—]"
_WIDE_BREAK = re.compile(rf"(?<={_WIDE})[ \t]*[\r\n][ \t\r\n]*(?={_WIDE})")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_NEEDS_FOLDING = re.compile(r"[\t\r\n\f\xa0]|  ")
_TRIM = " \t\r\n\f\xa0\u3000"
_TOO_DEEP = "Excessive depth"
# Tags whose nesting carries no meaning: taken away from a page too deep for libxml2.
_UNWRAPPED = ["font", "span", "b", "i", "u", "em", "strong", "big", "small"]
# Of blocks only the line they begin is kept.
_BREAKING = re.compile(r"</?(?:div|section|center|blockquote|table|tbody|tr|td|th|ul|ol|li|dl|dt|dd)\b[^>]*>", re.I)


# What the start of an element changes.
_HIDDEN, _BLOCK, _CONTAINER, _CELL, _HEADING, _LINK, _BOLD, _CENTER, _ASIDE, _EVENT, _PREFORMATTED = (
    1 << bit for bit in range(11)
)


_SHOWN = _BOLD | _CENTER
_RARE = _HEADING | _ASIDE | _PREFORMATTED


def _flags(tag: str) -> int:
    kinds = (
        (SKIPPED, _HIDDEN),
        (BLOCKS, _BLOCK),
        (CONTAINERS, _CONTAINER),
        (HEADINGS, _HEADING),
        (BOLD, _BOLD),
        (ASIDES, _ASIDE),
    )
    flags = sum(flag for tags, flag in kinds if tag in tags)
    own = {"td": _CELL, "th": _CELL, "a": _LINK, "center": _CENTER, "pre": _PREFORMATTED}
    return flags | own.get(tag, _EVENT if tag in _EVENTS else 0)


_EVENTS = frozenset({"br", "img", "input"})
_FLAGS = {tag: _flags(tag) for tag in (*SKIPPED, *BLOCKS, *BOLD, *_EVENTS, "a")}
# The tree is serialized as XML: a tag holds no other angle bracket, its attributes stand in double quotes.
_TAGS = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"<([^\s/>]+)")
_STYLE = re.compile(r"\sstyle=\"([^\"]*)\"", re.I)
_ALIGNED = re.compile(r"\salign=\"(?:center|middle)\"", re.I)


@dataclass(slots=True)
class Line:
    """One line a reader sees. `node` is the block element it lies in, `cell` its table cell (None outside tables); `aside`
    tells that it stands in an element for navigation or the page's foot."""

    index: int
    text: str
    node: Element
    cell: Element | None
    link_chars: int
    bold: bool
    centered: bool
    heading: bool
    aside: bool

    @property
    def plain_chars(self) -> int:
        """How many characters are no link text."""
        return max(0, len(self.text) - self.link_chars)


@dataclass
class Document:
    """The lines of a page and, each with the index of the line it stands in or before: links, images, scripts, hidden inputs.

    `spans` holds (first line, end line, element) of every container in document order of their ends.
    """

    root: Element
    lines: list[Line] = field(default_factory=list)
    spans: list[tuple[int, int, Element]] = field(default_factory=list)
    links: list[tuple[int, Element, str]] = field(default_factory=list)
    images: list[tuple[int, Element]] = field(default_factory=list)
    scripts: list[tuple[int, str, str]] = field(default_factory=list)
    inputs: list[tuple[int, str, str]] = field(default_factory=list)
    title: str | None = None

    @cached_property
    def bounds(self) -> dict[Element, tuple[int, int]]:
        """The first and end line of every container."""
        return {element: (first, last) for first, last, element in self.spans}

    @property
    def selector(self) -> Selector:
        """The page as a parsel selector, for the few rules that are about markup."""
        return Selector(root=self.root, type="html")

    def text(self) -> str:
        """All visible text, a line a line."""
        return "\n".join(line.text for line in self.lines)


def clean(text: str) -> str:
    """Return a text as a browser shows it, trimmed at both ends (full-width indents too), without control characters."""
    if _NEEDS_FOLDING.search(text):
        text = _SPACE.sub(" ", _WIDE_BREAK.sub("", text) if "\n" in text or "\r" in text else text)
    return text.strip(_TRIM)


def parse(text: str) -> Document:
    """Return the document of an HTML text; any text gives one, the empty text an empty one."""
    text = _CONTROL.sub("", text)
    root = _root(text)
    if root is None:
        return Document(root=etree.Element("html"))
    return _Walker(root).walk()


def _root(text: str) -> Element | None:
    data = text.strip().encode("utf-8", "replace")
    if not data:
        return None
    root, log = _parsed(data)
    if len(log) and any(_TOO_DEEP in entry.message for entry in log):
        root, _ = _parsed(_flattened(text))
    return root


def _parsed(data: bytes) -> tuple[Element | None, Any]:
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, recover=True)
    try:
        return etree.fromstring(data, parser), parser.error_log
    except etree.XMLSyntaxError:
        return None, parser.error_log


def _flattened(text: str) -> bytes:
    """libxml2 gives up at 2,000 levels and drops all later text; lexbor reads on, so it takes meaningless nesting away."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(_BREAKING.sub("<br>", text))
    tree.unwrap_tags(_UNWRAPPED)
    return (tree.html or "").encode("utf-8", "replace")


class _Walker:
    """One pass over the page in source order, collecting lines.

    It reads the serialized tree split at its tags, which is several times cheaper than asking every node of the tree: what a
    start tag means is looked up by its text. An element's flags say what its start changed, so that its end undoes it.
    """

    def __init__(self, root: Element) -> None:
        self.document = Document(root=root)
        self._buffer: list[str] = []
        self._link_chars = self._bold_chars = 0
        self._link = self._bold = self._heading = self._centered = self._aside = self._preformatted = self._hidden = 0
        self._centered_outside: list[int] = []
        self._blocks: list[Element] = [root]
        self._cells: list[Element] = []
        self._starts: list[int] = []

    def walk(self) -> Document:
        root = self.document.root
        # Under an XHTML doctype libxml2 would add a meta element of its own.
        root.getroottree().docinfo.clear()
        etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
        elements = root.iter("*")
        parts = _TAGS.split(etree.tostring(root, encoding="unicode", with_tail=False))
        stack: list[tuple[Element, int]] = []
        for tag, text in zip(parts[1::2], parts[2::2], strict=True):
            if tag[1] == "/":
                element, flags = stack.pop()
                if flags:
                    self._close(element, flags)
            else:
                element = next(elements)
                flags = self._open(element, tag) if not self._hidden else 0
                if tag[-2] != "/":
                    stack.append((element, flags))
                elif flags:
                    self._close(element, flags)
            if text and not self._hidden and (self._buffer or not text.isspace()):
                self._add(text)
        if self._buffer:
            self._flush()
        return self.document

    def _add(self, text: str) -> None:
        if "&" in text:
            text = unescape(text)
        if self._preformatted and "\n" in text:
            for line in text.split("\n"):
                self._buffer.append(line)
                self._flush()
            return
        self._buffer.append(text)
        if self._link or self._bold:
            count = len(text.strip(_TRIM))
            self._link_chars += count if self._link else 0
            self._bold_chars += count if self._bold else 0

    def _open(self, element: Element, tag: str) -> int:
        """Take note of an element's beginning; return its flags."""
        flags = _tag_flags(tag) if tag[:3] != "<a " or " style=" in tag else _LINK
        if flags & (_HIDDEN | _EVENT):
            return self._open_wordless(element, flags)
        if flags & _BLOCK:
            self._open_block(element, flags)
        if flags & _LINK:
            self._link += 1
        if flags & _SHOWN:
            self._bold += bool(flags & _BOLD)
            self._centered += bool(flags & _CENTER)
        return flags

    def _open_wordless(self, element: Element, flags: int) -> int:
        """Take note of an element without words for readers: a break, a picture, an input, a script, anything hidden."""
        if flags & _HIDDEN:
            self._hidden += 1
            self._note_hidden(element, element.tag)
            return _HIDDEN
        self._note_event(element, element.tag)
        return 0

    def _open_block(self, element: Element, flags: int) -> None:
        if self._buffer:
            self._flush()
        self._blocks.append(element)
        if flags & _CONTAINER:
            self._starts.append(len(self.document.lines))
        if flags & _CELL:
            self._cells.append(element)
            # A cell does not inherit its table's alignment.
            self._centered_outside.append(self._centered)
            self._centered = 0
        if flags & _RARE:
            self._count_rare(flags, 1)

    def _close(self, element: Element, flags: int) -> None:
        """Undo what the element's beginning did."""
        if flags & _HIDDEN:
            self._hidden -= 1
            return
        if flags & _LINK:
            self._link -= 1
            text = element.text if len(element) == 0 else "".join(element.itertext())
            self.document.links.append((len(self.document.lines), element, clean(text or "")))
        if flags & _BLOCK:
            self._close_block(element, flags)
        if flags & _SHOWN:
            self._bold -= bool(flags & _BOLD)
            self._centered -= bool(flags & _CENTER)
        if flags & _CELL:
            self._cells.pop()
            self._centered = self._centered_outside.pop()

    def _close_block(self, element: Element, flags: int) -> None:
        if self._buffer:
            self._flush()
        self._blocks.pop()
        if flags & _CONTAINER:
            self.document.spans.append((self._starts.pop(), len(self.document.lines), element))
        if flags & _RARE:
            self._count_rare(flags, -1)

    def _count_rare(self, flags: int, step: int) -> None:
        self._heading += step * bool(flags & _HEADING)
        self._aside += step * bool(flags & _ASIDE)
        self._preformatted += step * bool(flags & _PREFORMATTED)

    def _note_event(self, element: Element, tag: str) -> None:
        """Take note of an element that is no text: a line break, a picture, a hidden input."""
        document = self.document
        if tag == "br":
            self._flush()
        elif tag == "img":
            document.images.append((len(document.lines), element))
        elif element.get("type", "").lower() == "hidden":
            document.inputs.append((len(document.lines), element.get("name", ""), clean(element.get("value", ""))))

    def _note_hidden(self, element: Element, tag: str) -> None:
        if tag == "script":
            self.document.scripts.append((len(self.document.lines), element.get("src", ""), element.text or ""))
        elif tag == "head":
            title = element.find("title")
            self.document.title = (clean("".join(title.itertext())) or None) if title is not None else None
            for script in element.iter("script"):
                self.document.scripts.append((0, script.get("src", ""), script.text or ""))

    def _flush(self) -> None:
        """End the line, if there is anything in it."""
        text = clean("".join(self._buffer))
        if text:
            chars = len(text)
            # Spaces are not counted as bold, and one character may be punctuation outside the bold words.
            bold = bool(self._bold_chars) and self._bold_chars >= chars - 1 - text.count(" ")
            lines, cell = self.document.lines, self._cells[-1] if self._cells else None
            link_chars = min(self._link_chars, chars)
            centered, heading, aside = self._centered > 0, self._heading > 0, self._aside > 0
            lines.append(Line(len(lines), text, self._blocks[-1], cell, link_chars, bold, centered, heading, aside))
        self._buffer.clear()
        self._link_chars = self._bold_chars = 0


@lru_cache(maxsize=8192)
def _tag_flags(tag: str) -> int:
    """The flags of a start tag as serialized; its style and alignment count, too."""
    found = _NAME.match(tag)
    flags = _FLAGS.get(found[1], 0) if found else 0
    style = _STYLE.search(tag)
    if style:
        flags |= _style_flags(unescape(style[1]))
    # `align` on a table moves the table, not its text.
    if flags & _BLOCK and _ALIGNED.search(tag) and not tag.startswith("<table"):
        flags |= _CENTER
    return flags


def _style_flags(style: str) -> int:
    """The flags an inline style sets."""
    hidden = _HIDDEN if _HIDDEN_STYLE.search(style) else 0
    bold = _BOLD if _BOLD_STYLE.search(style) else 0
    return hidden | bold | (_CENTER if _CENTER_STYLE.search(style) else 0)


def ancestors(element: Element) -> Iterator[Element]:
    """Yield the element and then every ancestor up to the root."""
    while element is not None:
        yield element
        element = element.getparent()
