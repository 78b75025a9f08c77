"""A page as its reader sees it: lines of text in source order, with what emphasis, links and pictures each holds.

Everything later leans on this: no rule of extraction looks at a class name or counts tags. libxml2 mends the tag soup; its tree
is serialized and split at the block tags, which is several times cheaper than asking every node of the tree, and `inline` reads
what lies between them. Of the elements only blocks remain, as `Block`s that know their parent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import Any, NamedTuple

from lxml import etree

from .inline import LINK, Inline, Open, attributes, clean, is_bold_style, is_hidden_style, read_inline, without_controls

__all__ = ["Block", "Document", "Line", "clean", "parse"]

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
# Elements without words for readers. They are no blocks: a line goes on behind them.
SKIPPED = frozenset(
    "noscript select textarea button object applet svg template noframes map option audio video iframe".split()
)
BOLD = frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "th"])
ASIDES = frozenset({"nav", "footer", "aside"})
HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
CELLS = frozenset({"td", "th"})
_CENTER_STYLE = re.compile(r"text-align\s*:\s*center", re.I)
_ALIGNED = re.compile(r"\salign=\"(?:center|middle)\"", re.I)
_TOO_DEEP = "Excessive depth"
# Tags whose nesting carries no meaning: taken away from a page too deep for libxml2.
_UNWRAPPED = ["font", "span", "b", "i", "u", "em", "strong", "big", "small"]
# Of blocks only the line they begin is kept.
_BREAKING = re.compile(r"</?(?:div|section|center|blockquote|table|tbody|tr|td|th|ul|ol|li|dl|dt|dd)\b[^>]*>", re.I)

# The tree is serialized as XML: a tag holds no other angle bracket, its attributes stand in double quotes.
_WORDLESS = "|".join(rf"<{tag}(?=[\s/>])[^>]*>(?:(?<=/>)|.*?</{tag}>)" for tag in ("head", "script", "style"))
_BOUNDARY = rf"</?(?:{'|'.join(sorted(BLOCKS | SKIPPED, key=len, reverse=True))})(?=[\s/>])[^>]*>"
_TOKENS = re.compile(rf"(<!--.*?-->|<\?.*?\?>|{_WORDLESS}|{_BOUNDARY})", re.S)
_NAME = re.compile(r"</?([^\s/>]+)")
_SCRIPT = re.compile(r"<script(?=[\s/>])([^>]*?)(?:/>|>(.*?)</script>)", re.S)
_TITLE = re.compile(r"<title(?:\s[^>]*)?>(.*?)</title>", re.S)
_BASE = re.compile(r"<base\s([^>]*href=[^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_REMEMBERED_LENGTH = 200

# What a token is: a block's tags, an element that hides what is in it, or one that leaves the text around it alone.
_START, _END, _EMPTY, _SKIPPED, _SCRIPTED, _HEAD = range(6)


class Token(NamedTuple):
    """A block tag or a whole element without words, and what it changes."""

    kind: int
    tag: str = ""
    hidden: bool = False
    container: bool = False
    cell: bool = False
    bold: bool = False
    centered: bool = False
    heading: bool = False
    aside: bool = False
    preformatted: bool = False


@dataclass(slots=True, eq=False)
class Block:
    """A block element: its tag, the block around it (None for the root), and its lines [first, end)."""

    tag: str
    parent: Block | None
    cell: Block | None
    first: int
    bold: bool
    centered: bool
    heading: bool
    aside: bool
    preformatted: bool
    container: bool
    end: int = 0

    def ancestors(self) -> Iterator[Block]:
        """Yield the block and then every block around it."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent

    def within(self, other: Block) -> bool:
        """Tell whether the block is the other or lies in it."""
        return any(block is other for block in self.ancestors())


@dataclass(slots=True)
class Line:
    """One line a reader sees. `node` is the block it lies in, `link_chars` how many of its characters are link text."""

    index: int
    text: str
    node: Block
    link_chars: int
    bold: bool

    @property
    def plain_chars(self) -> int:
        """How many characters are no link text."""
        return len(self.text) - self.link_chars

    @property
    def cell(self) -> Block | None:
        """The table cell it lies in, None outside tables."""
        return self.node.cell

    @property
    def centered(self) -> bool:
        """Whether it stands centred."""
        return self.node.centered

    @property
    def heading(self) -> bool:
        """Whether it stands in a heading element."""
        return self.node.heading

    @property
    def aside(self) -> bool:
        """Whether it stands in an element for navigation or the page's foot."""
        return self.node.aside


class PlacedLink(NamedTuple):
    """A link with the line it stands in or before, and its block."""

    line: int
    node: Block
    href: str | None
    text: str


class PlacedPicture(NamedTuple):
    """A picture with the line it stands in or before, and its block."""

    line: int
    node: Block
    attributes: dict[str, str]


class Script(NamedTuple):
    """A script with the line it stands in or before: its address, '' for an inline one, and its text."""

    line: int
    src: str
    text: str


class PlacedInput(NamedTuple):
    """A hidden input with the line it stands in or before."""

    line: int
    name: str
    value: str


def _no_block() -> Block:
    return Block("#document", None, None, 0, False, False, False, False, False, True)


@dataclass(slots=True)
class Document:
    """The lines of a page and what else it holds, in source order.

    `blocks` are all of them in the order they begin, the root first; `containers` those that can hold a text, in order of their ends.
    """

    root: Block = field(default_factory=_no_block)
    lines: list[Line] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    containers: list[Block] = field(default_factory=list)
    links: list[PlacedLink] = field(default_factory=list)
    images: list[PlacedPicture] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    inputs: list[PlacedInput] = field(default_factory=list)
    title: str | None = None
    base: str | None = None

    def text(self) -> str:
        """All visible text, a line a line."""
        return "\n".join([line.text for line in self.lines])

    def children(self, block: Block) -> list[Block]:
        """The blocks directly in a block, in order."""
        return [other for other in self.blocks if other.parent is block]

    def after(self, block: Block) -> Block | None:
        """The block that follows in the same block, None behind the last."""
        if block.parent is None:
            return None
        siblings = self.children(block.parent)
        return next((b for a, b in zip(siblings, siblings[1:], strict=False) if a is block), None)


def parse(text: str) -> Document:
    """Return the document of an HTML text; any text gives one, the empty text an empty one."""
    tree = _serialized(without_controls(text))
    return _Walker().walk(tree) if tree else Document()


def _serialized(text: str) -> str:
    data = text.strip().encode("utf-8", "replace")
    if not data:
        return ""
    root, log = _parsed(data)
    if len(log) and any(_TOO_DEEP in entry.message for entry in log):
        root, _ = _parsed(_flattened(text))
    if root is None:
        return ""
    # Under an XHTML doctype libxml2 would add a meta element of its own.
    root.getroottree().docinfo.clear()
    return str(etree.tostring(root, encoding="unicode", with_tail=False))


def _parsed(data: bytes) -> tuple[Any, Any]:
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
    """One pass over the serialized page, collecting lines."""

    def __init__(self) -> None:
        self.document = Document()
        self._block = self.document.root
        self._open: tuple[Open, ...] = ()
        # The lines in which the links began that enclose blocks.
        self._link_starts: list[int] = []

    def walk(self, tree: str) -> Document:
        document, stack = self.document, [self.document.root]
        parts = _TOKENS.split(tree)
        # The text between two block tags, with the inline tags in it; `hidden` counts the elements around it that hide it.
        stretch, hidden = parts[0], 0
        for words, text in zip(parts[1::2], parts[2::2], strict=True):
            token = _token(words) if len(words) < _REMEMBERED_LENGTH else _read_token(words)
            kind = token.kind
            if hidden:
                hidden += (kind == _START) - (kind == _END)
                stretch = stretch if hidden else stretch + text
                continue
            if kind >= _SKIPPED:
                self._note(kind, words)
            elif token.hidden:
                hidden = kind == _START
            else:
                if stretch and not stretch.isspace():
                    self._read(stretch)
                stretch = ""
                if kind == _START:
                    stack.append(self._begin(token))
                elif kind == _END and len(stack) > 1:
                    self._end(stack.pop(), stack[-1])
            if not hidden:
                stretch += text
        if not stretch.isspace():
            self._read(stretch)
        document.root.end = len(document.lines)
        return document

    def _begin(self, token: Token) -> Block:
        around = self._block
        block = Block(
            token.tag,
            around,
            None if token.cell else around.cell,
            len(self.document.lines),
            token.bold or around.bold,
            # A cell does not inherit its table's alignment.
            token.centered or (around.centered and not token.cell),
            token.heading or around.heading,
            token.aside or around.aside,
            token.preformatted or around.preformatted,
            token.container,
        )
        if token.cell:
            block.cell = block
        self.document.blocks.append(block)
        self._block = block
        return block

    def _end(self, block: Block, around: Block) -> None:
        block.end = len(self.document.lines)
        if block.container:
            self.document.containers.append(block)
        self._block = around

    def _read(self, stretch: str) -> None:
        """Take over what a stretch shows."""
        block, document = self._block, self.document
        inline = read_inline(stretch, self._open, bold=block.bold, preformatted=block.preformatted)
        lines = document.lines
        index = first = len(lines)
        for text, link_chars, bold in inline.lines:
            lines.append(Line(index, text, block, link_chars, bold))
            index += 1
        if inline.only_text:
            return
        for line, href, text, encloses in inline.anchors:
            if encloses:
                line, text = self._enclosing(first + line, text)
                document.links.append(PlacedLink(line, block, href, text))
            else:
                document.links.append(PlacedLink(first + line, block, href, text))
        document.images += [PlacedPicture(first + line, block, found) for line, found in inline.pictures]
        document.inputs += [PlacedInput(first + line, name, value) for line, name, value in inline.inputs]
        if inline.still_open != self._open:
            self._carry(inline, first)

    def _enclosing(self, end: int, text: str) -> tuple[int, str]:
        """Return the first line and the words of a link that encloses blocks and ends here."""
        start = self._link_starts.pop() if self._link_starts else end
        texts = [line.text for line in self.document.lines[start:end]]
        return start, " ".join([*texts, text] if text else texts)

    def _carry(self, inline: Inline, first: int) -> None:
        """Keep the inline elements that go on behind the next block tag."""
        links = sum(bool(opened.kind & LINK) for opened in inline.still_open)
        new = [opened for opened in inline.still_open if opened.kind & LINK][len(self._link_starts) : links]
        self._link_starts += [first + opened.line for opened in new]
        self._open = inline.still_open

    def _note(self, kind: int, words: str) -> None:
        """Take note of an element without words: scripts, and what the head says."""
        if kind == _SKIPPED:
            return
        document = self.document
        if kind == _HEAD:
            title, base = _TITLE.search(words), _BASE.search(words)
            document.title = (clean(unescape(_TAG.sub("", title[1]))) or None) if title else None
            document.base = attributes(base[1]).get("href") if base else None
        line = 0 if kind == _HEAD else len(document.lines)
        for script in _SCRIPT.finditer(words):
            document.scripts.append(Script(line, attributes(script[1]).get("src", ""), _script_text(script[2] or "")))


def _script_text(text: str) -> str:
    if text.startswith("<![CDATA["):
        return text.removeprefix("<![CDATA[").removesuffix("]]>")
    return unescape(text)


@lru_cache(maxsize=8192)
def _token(words: str) -> Token:
    return _read_token(words)


def _read_token(words: str) -> Token:
    """Return what a token of the serialized page means."""
    found = _NAME.match(words)
    tag = found[1] if found else ""
    if tag == "head":
        return Token(_HEAD)
    if tag == "script":
        return Token(_SCRIPTED)
    if tag not in BLOCKS and tag not in SKIPPED:
        return Token(_SKIPPED)
    if words.startswith("</"):
        return Token(_END, tag)
    style = attributes(words).get("style", "")
    return Token(
        _EMPTY if words.endswith("/>") else _START,
        tag,
        hidden=tag in SKIPPED or is_hidden_style(style),
        container=tag in CONTAINERS,
        cell=tag in CELLS,
        bold=tag in BOLD or is_bold_style(style),
        # `align` on a table moves the table, not its text.
        centered=tag == "center" or bool(_CENTER_STYLE.search(style)) or (tag != "table" and bool(_ALIGNED.search(words))),
        heading=tag in HEADINGS,
        aside=tag in ASIDES,
        preformatted=tag == "pre",
    )
