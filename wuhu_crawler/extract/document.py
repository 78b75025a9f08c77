"""A page as its reader sees it: lines of text in source order, with what emphasis, links and pictures each holds.

Everything later leans on this: no rule of extraction looks at a class name or counts tags. White space is as a browser shows it
(a source line break between two Chinese characters is nothing; `&nbsp;` is a space); otherwise text is as served.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from lxml.html import HTMLParser
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
    ("script style noscript select textarea button head object applet svg template noframes map option audio video").split()
)
BOLD = frozenset(["b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"])
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
_TOO_DEEP = ("Excessive depth", "xmlHTMLParseElement: depth", "htmlParseElement")
# Tags whose nesting carries no meaning: taken away from a page too deep for libxml2.
_UNWRAPPED = ["font", "span", "b", "i", "u", "em", "strong", "big", "small", "div", "section", "center", "blockquote"]


@dataclass(slots=True)
class Line:
    """One line a reader sees. `node` is the block element it lies in, `cell` its table cell (None outside tables)."""

    index: int
    text: str
    node: Element
    cell: Element | None
    link_chars: int
    bold: bool
    centered: bool
    heading: bool
    starts_cell: bool

    @property
    def plain_chars(self) -> int:
        """How many characters are no link text."""
        return max(0, len(self.text) - self.link_chars)


@dataclass(slots=True)
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
    parser = HTMLParser(encoding="utf-8", huge_tree=True, recover=True)
    root = _parsed(data, parser)
    if any(word in entry.message for entry in parser.error_log for word in _TOO_DEEP[:1]):
        root = _parsed(_flattened(text), HTMLParser(encoding="utf-8", huge_tree=True, recover=True))
    return root


def _parsed(data: bytes, parser: HTMLParser) -> Element | None:
    try:
        return etree.fromstring(data, parser)
    except etree.ParserError:
        return None


def _flattened(text: str) -> bytes:
    """libxml2 gives up at 2,000 levels and drops all later text; lexbor reads on, so it takes meaningless nesting away."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(text)
    tree.unwrap_tags(_UNWRAPPED)
    return (tree.html or "").encode("utf-8", "replace")


class _Walker:
    """One pass over the tree, collecting lines."""

    def __init__(self, root: Element) -> None:
        self.document = Document(root=root)
        self._buffer: list[str] = []
        self._link_chars = 0
        self._bold_chars = 0
        self._bold = 0
        self._link = 0
        self._center: list[Element] = []
        self._centers_outside: list[list[Element]] = []
        self._blocks: list[Element] = [root]
        self._cells: list[Element] = []
        self._starts: dict[Element, int] = {}
        self._heading = 0
        self._new_cell = False

    def walk(self) -> Document:
        walker = etree.iterwalk(self.document.root, events=("start", "end", "comment", "pi"))
        for event, element in walker:
            if event == "start":
                if self._start(element, element.tag):
                    walker.skip_subtree()
                elif element.text:
                    self._add(element.text)
            else:
                if event == "end":
                    self._end(element, element.tag)
                if element.tail and element is not self.document.root:
                    self._add(element.tail)
        self._flush()
        return self.document

    def _add(self, text: str) -> None:
        self._buffer.append(text)
        if self._link or self._bold:
            count = len(text.strip(_TRIM))
            if self._link:
                self._link_chars += count
            if self._bold:
                self._bold_chars += count

    def _start(self, element: Element, tag: str) -> bool:
        """Note the element's beginning; True when its content is not for readers."""
        document = self.document
        style = element.get("style")
        if tag in SKIPPED or (style and _HIDDEN_STYLE.search(style)):
            self._note_skipped(element, tag)
            return True
        if tag in BLOCKS:
            self._flush()
            self._blocks.append(element)
            if tag in CONTAINERS:
                self._starts[element] = len(document.lines)
            if tag in ("td", "th"):
                self._cells.append(element)
                self._centers_outside.append(self._center)
                self._center = []
                self._new_cell = True
            if tag in HEADINGS:
                self._heading += 1
        elif tag == "br":
            self._flush()
        elif tag == "a":
            self._link += 1
        elif tag == "img":
            document.images.append((len(document.lines), element))
        elif tag == "input" and element.get("type", "").lower() == "hidden":
            document.inputs.append((len(document.lines), element.get("name", ""), clean(element.get("value", ""))))
        if tag in BOLD or (style and _BOLD_STYLE.search(style)):
            self._bold += 1
        if _centers(element, tag, style):
            self._center.append(element)
        return False

    def _note_skipped(self, element: Element, tag: str) -> None:
        if tag == "script":
            self.document.scripts.append((len(self.document.lines), element.get("src", ""), element.text or ""))
        elif tag == "head":
            title = element.find("title")
            self.document.title = (clean("".join(title.itertext())) or None) if title is not None else None
            for script in element.iter("script"):
                self.document.scripts.append((0, script.get("src", ""), script.text or ""))

    def _end(self, element: Element, tag: str) -> None:
        if tag in SKIPPED:
            return
        if tag in BLOCKS:
            self._flush()
            if len(self._blocks) > 1 and self._blocks[-1] is element:
                self._blocks.pop()
            if tag in CONTAINERS and element in self._starts:
                self.document.spans.append((self._starts.pop(element), len(self.document.lines), element))
            if self._cells and self._cells[-1] is element:
                self._cells.pop()
            if tag in HEADINGS and self._heading:
                self._heading -= 1
        elif tag == "a" and self._link:
            self._link -= 1
            text = element.text if len(element) == 0 else "".join(element.itertext())
            self.document.links.append((len(self.document.lines), element, clean(text or "")))
        if self._bold and (tag in BOLD or _BOLD_STYLE.search(element.get("style", ""))):
            self._bold -= 1
        if self._center and self._center[-1] is element:
            self._center.pop()
        if tag in ("td", "th") and self._centers_outside:
            self._center = self._centers_outside.pop()

    def _flush(self) -> None:
        if self._buffer:
            raw = "".join(self._buffer)
            text = clean(raw)
            if text:
                chars = len(text)
                self.document.lines.append(
                    Line(
                        index=len(self.document.lines),
                        text=text,
                        node=self._blocks[-1],
                        cell=self._cells[-1] if self._cells else None,
                        link_chars=min(self._link_chars, chars),
                        bold=self._bold_chars >= chars - 1 - text.count(" "),
                        centered=bool(self._center),
                        heading=self._heading > 0,
                        starts_cell=self._new_cell,
                    )
                )
                self._new_cell = False
            self._buffer = []
        self._link_chars = self._bold_chars = 0


def _centers(element: Element, tag: str, style: str | None) -> bool:
    """Tell whether the text in an element is centred; `align` on a table moves the table, not its text."""
    if tag == "center" or (style and _CENTER_STYLE.search(style)):
        return True
    return tag != "table" and element.get("align", "").lower() in ("center", "middle")


def ancestors(element: Element) -> Iterator[Element]:
    """Yield the element and then every ancestor up to the root."""
    while element is not None:
        yield element
        element = element.getparent()
