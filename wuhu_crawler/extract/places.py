"""Where on a page the words of a field stand: an XPath for each, found afterwards, in the page as lxml parses it.

Extraction notes rule and words (`evidence`), not places: that would cost time on every page. This module looks the words up
again when somebody asks, and for an absent field it looks for words that could have been meant. Pure, like its room.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from parsel import Selector

from .urls import absolute

# Their text is none of the page's; a script's is looked up when a rule says it stood in one.
_SILENT = frozenset({"script", "style", "noscript", "template"})
# What ends a line for a reader.
_BLOCKS = frozenset((
    "address article aside blockquote body br caption center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr html legend li main nav ol option p pre section select table tbody td tfoot th thead title tr ul"
).split())  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9]*")
_DROPPED = re.compile(r"[\s:：\ufeff\u200b]+")
# Evidence is cut at 300 characters; so much of its beginning is proof enough.
_PROOFS = (None, 60, 24)
_LONGEST_CANDIDATE = 120
# Other slots stand in lines of their own, so a sentence is the last that could have been meant.
_IN_SENTENCES = frozenset({"credits", "reporters", "outlets", "source_date_text"})
_SENTENCES = re.compile("[，。；！？]")
_NUMBER = r"[0-9０-９]{1,9}"
_HAN = "[一二三四五六七八九十]{1,3}"
_DATE = r"(?:[0-9０-９]{2,4}\s?[-/.年]\s?)?[0-9０-９]{1,2}\s?[-/.月]\s?[0-9０-９]{1,2}"

# Field -> what a line must hold to be worth a look when the field is absent.
CANDIDATES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.I)
    for name, pattern in {
        "title": r"\A[^。；]{4,60}\Z",
        "breadcrumb": r"(?:位置|首页|主页).*(?:>|＞|»|→|›|-|/|\|)|(?:>|＞|»|→|›).*(?:>|＞|»|→|›)|位置\s*[:：]",
        "category": r"(?:栏目|类别|分类|频道|位置)",
        "published_text": rf"{_DATE}|(?:时间|日期|发布|更新)",
        "published_at": rf"{_DATE}",
        "source_date_text": rf"来源.{{0,6}}{_DATE}|来源时间|原文.{{0,6}}{_DATE}",
        "source_date": rf"来源.{{0,6}}{_DATE}",
        "views": (
            rf"(?:次|浏|点|阅|读|看|人气|热度|访|击)[^0-9０-９]{{0,8}}{_NUMBER}|{_NUMBER}\s*(?:次|人)|[\u4e00-\u9fff]{{2,4}}\s*[:：]"
            rf"\s*{_NUMBER}\b(?!\s*[-/.年:：])"
        ),
        "outlets": r"来源|稿源|出处|转自|摘自|(?:报|网|社|台)[\u4e00-\u9fff]{0,6}(?:讯|电|记者)|提供\s*[:：]|供稿",
        "credits": r"记者|通讯员|编辑|责编|作者|摄影|[（(].{1,20}摄[）)]|文/|图/|撰|供稿",
        "reporters": r"记者|采写",
        "headings": rf"\A\s*(?:{_HAN}[、.．]|[（(]{_HAN}[)）]|\d{{1,2}}[、.．]|第.{{1,3}}[章节])",
        "images": r"(?!)",
    }.items()
}  # fmt: skip


class Place(NamedTuple):
    """Where words stand: the XPath of the smallest element that holds them, and the words as printed there."""

    xpath: str
    words: str


class _Chunk(NamedTuple):
    start: int
    element: Any


@dataclass(slots=True)
class PageText:
    """The text of a parsed page without white space and colons, and which element each part of it belongs to."""

    root: Any
    text: str = ""
    chunks: list[_Chunk] = field(default_factory=list)
    lines: list[tuple[int, str]] = field(default_factory=list)
    whole: set[tuple[int, str]] = field(default_factory=set)

    @classmethod
    def of(cls, page: str) -> PageText:
        """Return the text of a page; an empty page has none."""
        root = Selector(text=page or "<html></html>").root
        found = cls(root)
        pieces: list[str] = []
        line: list[str] = []
        begun = at = 0
        for element, words, ends in _spoken(root):
            if ends and line:
                found.lines.append((begun, " ".join("".join(line).split())))
                line = []
            piece = _packed(words)
            if piece:
                found.chunks.append(_Chunk(at, element))
                begun = begun if line else at
                at += len(piece)
                pieces.append(piece)
            if piece or line:
                line.append(words)
        if line:
            found.lines.append((begun, " ".join("".join(line).split())))
        found.text = "".join(pieces)
        found.whole = {(at, _packed(words)) for at, words in found.lines}
        return found

    def find(self, words: str, near: int | None = None) -> tuple[int, Place] | None:
        """Return where words stand, as position and place: of several occurrences one that is a whole line, nearest to the
        position `near`, and the title element only when there is no other. None when the page does not say them."""
        packed = _packed(words)
        for length in _PROOFS:
            proof = packed if length is None else packed[:length]
            if proof and (length is None or length < len(packed)):
                hits = [(at, self._holder(at, at + len(proof))) for at in _occurrences(self.text, proof)]
                if hits:
                    at, element = min(hits, key=lambda hit: self._distance(hit[0], hit[1], proof, near))
                    return at, Place(self.xpath(element), words if length is None else _beginning(words, length))
        return None

    def _distance(self, at: int, element: Any, proof: str, near: int | None) -> tuple[bool, bool, int]:
        return _in_head(element), (at, proof) not in self.whole, 0 if near is None else abs(at - near)

    def xpath(self, element: Any) -> str:
        """Return the path that selects an element and no other."""
        return "/" + "/".join(reversed([_step(each) for each in (element, *element.iterancestors())]))

    def spanning(self, first: int, last: int) -> Place | None:
        """Return the smallest element holding all between two positions."""
        return Place(self.xpath(self._holder(first, last)), "") if self.chunks else None

    def candidates(self, name: str, near: int, most: int = 3) -> list[Place]:
        """Return the lines that could have been meant by an absent field, nearest to a position first."""
        wanted = CANDIDATES.get(name)
        if wanted is None:
            return []
        hits = [(at, text) for at, text in self.lines if len(text) <= _LONGEST_CANDIDATE and wanted.search(text)]
        sentences = name not in _IN_SENTENCES
        nearest = sorted(hits, key=lambda hit: (sentences and bool(_SENTENCES.search(hit[1])), abs(hit[0] - near)))[:most]
        return [Place(self.xpath(self._holder(at, at + max(1, len(_packed(text))))), text) for at, text in nearest]

    def attribute(self, names: tuple[str, ...], url: str, base: str) -> Place | None:
        """Return the first element one of whose attributes, resolved against `base`, is a URL: a script, picture or link."""
        for element in self.root.iter():
            for name in names if isinstance(element.tag, str) else ():
                value = element.get(name)
                if value and absolute(base, value) == url:
                    return Place(self.xpath(element), value)
        return None

    def content(self, words: str) -> Place | None:
        """Return the meta element that holds words."""
        metas = (element for element in self.root.iter("meta") if words in (element.get("content") or ""))
        return next((Place(self.xpath(element), words) for element in metas), None)

    def script(self, words: str) -> Place | None:
        """Return the inline script that holds words."""
        for element in self.root.iter("script"):
            if words in (element.text or ""):
                return Place(self.xpath(element), words)
        return None

    def proven(self, found: Iterable[Place]) -> list[Place]:
        """Return the places that hold their words, and those that name none. On a damaged page the parsers may disagree: there
        no place is better than a wrong one."""
        return [place for place in found if not place.xpath or _holds(self.root, place)]

    def _holder(self, start: int, end: int) -> Any:
        """The smallest element that holds the text from `start` to `end`."""
        starts = [chunk.start for chunk in self.chunks]
        first = self.chunks[max(0, bisect_right(starts, start) - 1)].element
        last = self.chunks[max(0, bisect_right(starts, max(start, end - 1)) - 1)].element
        if first is last:
            return first
        above = [first, *first.iterancestors()]
        known = set(above)
        return next((each for each in (last, *last.iterancestors()) if each in known), above[-1])


def holds(page: str, place: Place) -> bool:
    """Tell whether a place's XPath selects exactly one element of the page and that element (for a script, picture or link: its
    source) holds the words."""
    return _holds(Selector(text=page).root, place)


def _holds(root: Any, place: Place) -> bool:
    found = root.xpath(place.xpath)
    if len(found) != 1:
        return False
    element = found[0]
    said = [words for _, words, _ in _spoken(element)] if element.tag not in _SILENT else [element.text or ""]
    return _packed(place.words) in "".join(map(_packed, (*said, *element.attrib.values())))


def _step(element: Any) -> str:
    """An element among its siblings. A name XPath cannot say (`o:p`, soup) is told by its number alone."""
    # Soup may have more than one root.
    named = _NAME.fullmatch(element.tag)
    before = _elements(element.itersiblings(element.tag if named else None, preceding=True))
    if not named:
        return f"*[{before + 1}]"
    return str(element.tag) + (f"[{before + 1}]" if before or _elements(element.itersiblings(element.tag)) else "")


def _elements(nodes: Iterable[Any]) -> int:
    return sum(isinstance(node.tag, str) for node in nodes)


def _spoken(root: Any) -> Iterator[tuple[Any, str, bool]]:
    """Yield (element, words, whether a line ends before them) for the texts a reader can see, in order."""
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        element, tail = stack.pop()
        named = isinstance(element.tag, str)
        breaks = named and element.tag in _BLOCKS
        if tail:
            parent = element.getparent()
            yield parent, element.tail or "", breaks
            continue
        if not named or element.tag in _SILENT:
            continue
        yield element, element.text or "", breaks
        for child in reversed(element):
            stack += [(child, True), (child, False)]


def _packed(text: str) -> str:
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text))


def _beginning(words: str, length: int) -> str:
    """The beginning of words that is not longer than so many characters when packed."""
    end = next((i for i in range(1, len(words) + 1) if len(_packed(words[:i])) > length), len(words) + 1)
    return words[: end - 1]


def _occurrences(text: str, words: str) -> Iterator[int]:
    at = text.find(words)
    while at >= 0:
        yield at
        at = text.find(words, at + 1)


def _in_head(element: Any) -> bool:
    return any(each.tag in ("head", "title") for each in (element, *element.iterancestors()))


def largest_texts(text: PageText, most: int = 3) -> list[Place]:
    """Return the lines of a page with the most prose, by their punctuation: what a body could have been."""
    prose = [(len(_SENTENCES.findall(words)), words) for _, words in text.lines]
    longest: Iterable[tuple[int, str]] = sorted(((n, w) for n, w in prose if n), key=lambda line: -line[0])[:most]
    return [place for _, words in longest if (found := text.find(words)) for place in (found[1],)]
