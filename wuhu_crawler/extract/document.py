"""A page as its reader sees it: lines of text in source order, with what emphasis, links and pictures each holds.

Everything later leans on this: no rule of extraction looks at a class name or counts tags. lexbor mends the tag soup as a
browser does, at any depth; its tree is serialized and split at the block tags, which is several times cheaper than asking every
node of the tree, and `inline` reads what lies between them. Of the elements only blocks remain, and what is around each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from itertools import pairwise
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from .inline import LINK, REST, Inline, Open, Words, attributes, clean, is_bold_style, is_hidden_style, read_inline

__all__ = ["Block", "Document", "Line", "clean", "parse"]

# The usual ones first: the list is asked in this order.
BLOCKS = tuple(
    (
        "td tr p div li table tbody ul body html h1 h2 h3 h4 h5 h6 center dl dt dd hr form ol pre section article header "
        "footer main nav aside blockquote address caption col colgroup dir fieldset figcaption figure frameset legend menu "
        "tfoot th thead marquee"
    ).split()
)
CONTAINERS = frozenset(
    (
        "article aside blockquote body center dd div dl fieldset footer form header html li main marquee ol p pre section "
        "table tbody td th tr ul"
    ).split()
)
# Elements without words for readers. They are no blocks: a line goes on behind them. What is in the first is no markup.
WORDLESS = ("head", "script", "style", "iframe", "noframes", "noembed")
SKIPPED = frozenset("noscript select textarea button object applet svg template map option audio video".split())
# Elements that have no end tag.
VOID = frozenset({"hr", "col", "frame"})
ASIDES = frozenset({"nav", "footer", "aside"})
HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
CELLS = frozenset({"td", "th"})
_CENTER_STYLE = re.compile(r"text-align\s*:\s*center", re.I)
_ALIGNED = re.compile(r"\salign=\"(?:center|middle)\"", re.I)

# In the serialized tree every element is closed, and attributes stand in double quotes. A passage is a run of block tags, one
# tag of an element that is skipped, or a whole element without words. Inline tags are ruled out first: they are most.
_REST = rf"{REST}>"
_INLINE = r"(?!/?(?:a|span|font|br?|i(?:mg|nput)?|strong|em|u)[\s>])"
_BLOCK = rf"/?(?:{'|'.join(BLOCKS)})(?=[\s>]){_REST}\s*+"
_WHOLE = "|".join(rf"{tag}(?=[\s>]){_REST}.*?</{tag}>" for tag in WORDLESS)
_SKIP = rf"/?(?:{'|'.join(sorted(SKIPPED))})(?=[\s>]){_REST}"
_PASSAGES = re.compile(rf"(<{_INLINE}(?:{_BLOCK}(?:<{_BLOCK})*+|!--.*?-->|!{_REST}|{_WHOLE}|{_SKIP}))", re.S)
_TAG = re.compile(rf"<(/?)([^\s/>]+)({REST})>")
_SCRIPT = re.compile(rf"<script(?=[\s>])({REST})>(.*?)</script>", re.S)
_TITLE = re.compile(r"<title(?:\s[^>]*)?>(.*?)</title>", re.S)
_BASE = re.compile(rf"<base\s({REST})>")
# NUL and its like; what is left of control characters is taken away where text is read.
_CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\t\n\f\r"]
_NO_CONTROLS = {ord(control): None for control in _CONTROLS}
_REMEMBERED_LENGTH = 300
_REMEMBERED = 8192
_REMEMBERED_HEADS = 256

# How a block shows its text, inherited by the blocks in it; a cell does not inherit its table's alignment.
BOLD, CENTERED, HEADING, ASIDE, PREFORMATTED = 1, 2, 4, 8, 16
_START, _END, _EMPTY = range(3)


class Tag(NamedTuple):
    """A tag of a block or of a skipped element."""

    kind: int
    name: str
    look: int = 0
    hidden: bool = False


class Passage(NamedTuple):
    """What lies between two stretches of text. `tags` are all its tags, none for a whole element without words. When nothing in
    it is hidden, it closes `ends` blocks and opens those of `starts`; blocks that begin and end in it hold nothing."""

    tags: tuple[Tag, ...]
    hides: bool
    ends: int
    starts: tuple[Tag, ...]


class Block:
    """A block element: its tag, the block around it (None for the root), its look, and its lines [first, end).

    A block knows nothing of what is in it: without circles a page is given back as soon as it is read.
    """

    __slots__ = ("end", "first", "look", "parent", "tag")

    def __init__(self, tag: str, parent: Block | None, look: int, first: int) -> None:
        self.tag = tag
        self.parent = parent
        self.look = look
        self.first = first
        self.end = first

    def ancestors(self) -> Iterator[Block]:
        """Yield the block and then every block around it."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent

    def within(self, other: Block) -> bool:
        """Tell whether the block is the other or lies in it."""
        return any(block is other for block in self.ancestors())


class Line:
    """One line a reader sees. `node` is the block it lies in, `link_chars` how many of its characters are link text."""

    __slots__ = ("index", "link_chars", "node", "text", "words")

    def __init__(self, index: int, words: Words, node: Block) -> None:
        self.index = index
        self.words = words
        self.text = words.text
        self.link_chars = words.link_chars
        self.node = node

    @property
    def bold(self) -> bool:
        """Whether it is wholly bold."""
        return self.words.bold

    @property
    def plain_chars(self) -> int:
        """How many characters are no link text."""
        return len(self.text) - self.link_chars

    @property
    def cell(self) -> Block | None:
        """The table cell it lies in, None outside tables."""
        return next((block for block in self.node.ancestors() if block.tag in CELLS), None)

    @property
    def centered(self) -> bool:
        """Whether it stands centred."""
        return bool(self.node.look & CENTERED)

    @property
    def heading(self) -> bool:
        """Whether it stands in a heading element."""
        return bool(self.node.look & HEADING)

    @property
    def aside(self) -> bool:
        """Whether it stands in an element for navigation or the page's foot."""
        return bool(self.node.look & ASIDE)


# A link: the line it stands in or before, its block, its `href` as written, and its words. Plain, since a page has a hundred.
PlacedLink = tuple[int, Block, str | None, str]


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


@dataclass(slots=True)
class Document:
    """The lines of a page and what else it holds, in source order. `blocks` are those that hold anything, in the order they
    begin, the root first; `head` is the HTML of its head."""

    root: Block = field(default_factory=lambda: Block("#document", None, 0, 0))
    lines: list[Line] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    links: list[PlacedLink] = field(default_factory=list)
    images: list[PlacedPicture] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    inputs: list[PlacedInput] = field(default_factory=list)
    title: str | None = None
    base: str | None = None
    head: str = ""

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
        return next((b for a, b in pairwise(siblings) if a is block), None)


def parse(text: str) -> Document:
    """Return the document of an HTML text; any text gives one, the empty text an empty one."""
    if any(control in text for control in _CONTROLS):
        text = text.translate(_NO_CONTROLS)
    tree = LexborHTMLParser(text).html if text.strip() else None
    return _Walker().walk(tree) if tree else Document()


class _Walker:
    """One pass over the serialized page, collecting lines."""

    def __init__(self) -> None:
        self.document = Document()
        self._stack = [self.document.root]
        self._open: tuple[Open, ...] = ()
        # The lines in which the links began that enclose blocks.
        self._link_starts: list[int] = []
        # The inline HTML since the last block tag, and how many elements around it hide what comes.
        self._stretch = ""
        self._hidden = 0

    def walk(self, tree: str) -> Document:
        document, stack = self.document, self._stack
        lines, blocks = document.lines, document.blocks
        blocks.append(document.root)
        parts = _PASSAGES.split(tree)
        self._stretch = parts[0]
        for words, text in zip(parts[1::2], parts[2::2], strict=True):
            tags, hides, ends, starts = _passage(words) if len(words) < _REMEMBERED_LENGTH else _read_passage(words)
            if hides or self._hidden:
                self._pass_hidden(tags)
            elif not tags:
                self._note(words)
            else:
                if self._stretch:
                    self._read()
                count = len(lines)
                for _ in range(min(ends, len(stack) - 1)):
                    stack.pop().end = count
                around = stack[-1]
                for tag in starts:
                    look = around.look | tag.look
                    if tag.name in CELLS and not tag.look & CENTERED:
                        look &= ~CENTERED
                    around = Block(tag.name, around, look, count)
                    stack.append(around)
                    blocks.append(around)
                self._stretch = text
                continue
            if not self._hidden:
                self._stretch += text
        self._read()
        for block in stack:
            block.end = len(lines)
        return document

    def _pass_hidden(self, tags: tuple[Tag, ...]) -> None:
        """Go tag by tag where something is hidden."""
        for tag in tags:
            if self._hidden:
                self._hidden += (tag.kind == _START) - (tag.kind == _END)
            elif tag.hidden:
                self._hidden += tag.kind == _START
            else:
                self._read()
                self._apply(tag)

    def _apply(self, tag: Tag) -> None:
        if tag.kind == _START:
            around = self._stack[-1]
            look = (around.look & ~CENTERED if tag.name in CELLS else around.look) | tag.look
            self._stack.append(Block(tag.name, around, look, len(self.document.lines)))
            self.document.blocks.append(self._stack[-1])
        elif tag.kind == _END and len(self._stack) > 1:
            self._stack.pop().end = len(self.document.lines)

    def _read(self) -> None:
        """Take over what the stretch shows."""
        stretch, self._stretch = self._stretch, ""
        if not stretch or stretch.isspace():
            return
        block = self._stack[-1]
        if self._open or block.look:
            look = block.look
            inline = read_inline(stretch, self._open, bold=bool(look & BOLD), preformatted=bool(look & PREFORMATTED))
        else:
            inline = read_inline(stretch)
        lines = self.document.lines
        first = len(lines)
        for words in inline.lines:
            lines.append(Line(len(lines), words, block))
        if not inline.only_text:
            self._place(inline, first, block)

    def _place(self, inline: Inline, first: int, block: Block) -> None:
        """Take over the links, pictures and inputs of a stretch, which begins at line `first`."""
        document = self.document
        for line, href, text, encloses in inline.anchors:
            if encloses:
                start, words = self._enclosing(first + line, text)
                document.links.append((start, block, href, words))
            else:
                document.links.append((first + line, block, href, text))
        if inline.pictures:
            document.images += [PlacedPicture(first + line, block, found) for line, found in inline.pictures]
        if inline.inputs:
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
        links = [opened for opened in inline.still_open if opened.kind & LINK]
        self._link_starts += [first + opened.line for opened in links[len(self._link_starts) :]]
        self._open = inline.still_open

    def _note(self, words: str) -> None:
        """Take note of a whole element without words: a script, or the head."""
        document = self.document
        if words.startswith("<script"):
            document.scripts += [Script(len(document.lines), *found) for found in _scripts(words)]
        elif words.startswith("<head"):
            document.title, document.base = _head(words)
            document.head = words
            document.scripts += [Script(0, *found) for found in _scripts(words)]


@lru_cache(maxsize=_REMEMBERED_HEADS)
def _head(words: str) -> tuple[str | None, str | None]:
    """Return the title and the base URL a head names."""
    title, base = _TITLE.search(words), _BASE.search(words)
    text = clean(unescape(_TAG.sub("", title[1]))) if title else ""
    return text or None, attributes(base[1]).get("href") if base else None


@lru_cache(maxsize=_REMEMBERED_HEADS)
def _scripts(words: str) -> tuple[tuple[str, str], ...]:
    """Return the address ('' for an inline one) and the text of each script."""
    return tuple((attributes(found[1]).get("src", ""), found[2]) for found in _SCRIPT.finditer(words))


@lru_cache(maxsize=_REMEMBERED)
def _passage(words: str) -> Passage:
    return _read_passage(words)


def _read_passage(words: str) -> Passage:
    """Return what a passage of the serialized page means."""
    if words.startswith("<!") or _TAG.match(words)[2] in WORDLESS:  # type: ignore[index]  # it begins with a tag
        return Passage((), False, 0, ())
    tags = tuple(_tag(*found.groups()) for found in _TAG.finditer(words))
    starts: list[Tag] = []
    ends = 0
    for tag in tags:
        if tag.kind == _START:
            starts.append(tag)
        elif tag.kind == _END:
            if starts:
                starts.pop()
            else:
                ends += 1
    return Passage(tags, any(tag.hidden for tag in tags), ends, tuple(starts))


def _tag(slash: str, name: str, words: str) -> Tag:
    if slash:
        return Tag(_END, name, hidden=name in SKIPPED)
    style = attributes(words).get("style", "")
    # `align` on a table moves the table, not its text.
    centered = name == "center" or _CENTER_STYLE.search(style) or (name != "table" and _ALIGNED.search(words))
    look = (BOLD | HEADING if name in HEADINGS else 0) | (CENTERED if centered else 0) | (ASIDE if name in ASIDES else 0)
    look |= (BOLD if name == "th" or is_bold_style(style) else 0) | (PREFORMATTED if name == "pre" else 0)
    return Tag(_EMPTY if name in VOID else _START, name, look, name in SKIPPED or is_hidden_style(style))
