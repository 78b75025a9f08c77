"""Listing pages: entries and pager, read from what they show (rows with links to articles), not from their markup."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ..items import ListingEntry, Pager
from .dates import MOMENT, day_of, find_moment, normalize_digits
from .document import CELLS, Block, Document, Line
from .hyperlinks import Hyperlink
from .labels import COLON, Labels, is_decoy

_TOTAL = re.compile(r"(?:共有?|总计|总共|计有?)\s*(\d{1,7})\s*(?:条|篇|个|则|项|记录|条记录|篇文章|条信息)")
_PAGES = (
    re.compile(rf"页次{COLON}?\s*(\d{{1,6}})\s*/\s*(\d{{1,6}})"),
    re.compile(r"第?\s*(\d{1,6})\s*页?\s*/\s*共?\s*(\d{1,6})\s*页"),
    re.compile(r"第\s*(\d{1,6})\s*页\s*[,，]?\s*共\s*(\d{1,6})\s*页"),
)
_PAGES_LAST = re.compile(r"共\s*(\d{1,6})\s*页.{0,8}?(?:当前)?第\s*(\d{1,6})\s*页")
_PAGER_WORDS = re.compile(r"上一?页|下一?页|尾页|末页|最后一?页|转到第|跳转到")
_PAGER_LONGEST = 400
_PER_PAGE = re.compile(r"(\d{1,4})\s*(?:条|篇|个|条记录|条信息)\s*/\s*页|每页\s*(\d{1,4})\s*(?:条|篇|个)")
_SHORT_DATE = re.compile(r"[\[(（]?\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?\s*[\])）]?")
# A date in brackets that closes an abstract.
_CLOSING_DATE = re.compile(r"\s*[\[(（【](?P<date>(?:\d{4}[-/.年])?\d{1,2}[-/.月]\d{1,2}日?)[\])）】]\s*\Z")
_DIGIT = re.compile(r"\d")
_BULLET = "·•・■◆▲●→>»-—◎☆★ \u3000\xa0"
_FEWEST_ENTRIES = 3


def read_entries(
    document: Document, links: list[Hyperlink], captured_at: datetime, zone: ZoneInfo, labels: Labels
) -> list[ListingEntry]:
    """Return one entry an article linked, in page order; a second link to the same article (a picture) adds nothing."""
    entries: dict[int, ListingEntry] = {}
    for link in links:
        if link.article_id is None or not link.text or link.article_id in entries or link.is_part:
            continue
        words, day, abstract = read_entry(document, link, captured_at, zone, labels)
        entries[link.article_id] = ListingEntry(
            article_id=link.article_id,
            url=link.url,
            title=link.text.strip(_BULLET),
            date_text=words,
            date=day,
            abstract=abstract,
            position=len(entries) + 1,
        )
    return list(entries.values())


def read_entry(
    document: Document, link: Hyperlink, captured_at: datetime, zone: ZoneInfo, labels: Labels
) -> tuple[str | None, date | None, str | None]:
    """Return (date words, date, abstract) of an entry's row; each None when the row does not show it.

    The date stands behind the link or before it in its line, or alone in one of the next two; the abstract below it
    (`·日前,…给予……`) is returned without its bullet.
    """
    if link.line >= len(document.lines):
        return None, None, None
    line = document.lines[link.line]
    words, abstract = _read_row(link.text, line.text, _behind(document, line), zone, labels)
    before = _before(document, line, link) if words is None else None
    if before:
        words = _date_before(before, zone)
    return words, None if words is None else day_of(words, captured_at, zone), abstract


@lru_cache(maxsize=16384)
def _read_row(title: str, text: str, behind: tuple[str, ...], zone: ZoneInfo, labels: Labels) -> tuple[str | None, str | None]:
    """Return (date words, abstract) of a row's texts. The same rows stand beside every article of a portal."""
    return _row_date(title, text, behind, zone), _row_abstract(behind, labels)


def _row_date(title: str, text: str, behind: tuple[str, ...], zone: ZoneInfo) -> str | None:
    if title in text:
        left, _, right = text.partition(title)
        if words := _date_words(right, zone) or _date_words(left, zone):
            return words
    for near in behind:
        if closing := _CLOSING_DATE.search(near):
            return closing["date"]
        words = _date_words(near, zone)
        if words and len(near) - len(words) <= 8:
            return words
    return None


@lru_cache(maxsize=4096)
def _date_before(before: str, zone: ZoneInfo) -> str | None:
    """A date before the link counts when it stands in the link's own row with nothing else in its line."""
    words = _date_words(before, zone)
    return words if words and len(before) - len(words) <= 3 else None


def _row_abstract(behind: tuple[str, ...], labels: Labels) -> str | None:
    for near in behind:
        if is_decoy(near) or labels.published.search(near):
            return None
        if len(near) >= 20 and not _date_only(near):
            return _CLOSING_DATE.sub("", near).strip("·•・ \u3000")
    return None


def _behind(document: Document, line: Line) -> tuple[str, ...]:
    """The unlinked lines, two at most, that follow an entry's link within its own row, list item or definition; a row of one
    cell belongs to the row above it."""
    item, near = None, []
    for other in document.lines[line.index + 1 : line.index + 3]:
        if other.link_chars:
            break
        if not _cells_of_one_row(line.node, other.node):
            item = _item(line) if item is None else item
            holder = _item(other)
            if holder is not item and not _continues(document, item, holder, line, other):
                break
        near.append(other.text)
    return tuple(near)


def _before(document: Document, line: Line, link: Hyperlink) -> str | None:
    """The unlinked line before an entry's link, when the link stands alone in its line and both in one row."""
    if not line.index or line.text.strip(_BULLET) != link.text:
        return None
    previous = document.lines[line.index - 1]
    if previous.link_chars:
        return None
    together = _cells_of_one_row(previous.node, line.node) or _item(previous) is _item(line)
    return previous.text if together else None


def _cells_of_one_row(one: Block, other: Block) -> bool:
    """Tell at a glance what `_item` would have to climb for."""
    return one.parent is other.parent and one.tag in CELLS and other.tag in CELLS


def _item(line: Line) -> Block:
    """The table row, list item or definition a line stands in; its own block outside of these."""
    for block in line.node.ancestors():
        if block.tag in ("tr", "li", "dt", "dd"):
            return block
        if block.tag in ("table", "ul", "ol", "dl", "body"):
            break
    return line.node


def _continues(document: Document, item: Block, holder: Block, line: Line, other: Line) -> bool:
    """Tell whether a line's holder goes on where an entry's item ended: an abstract's row, the dd of a dt, the next block."""
    if item.tag == "li":
        return False
    if item.tag == "tr":
        return holder is document.after(item) and len(document.children(holder)) == 1
    if item.tag == "dt":
        return holder is document.after(item)
    box = line.node.parent
    return other.node is box or other.node.parent is box


def _date_words(text: str, zone: ZoneInfo) -> str | None:
    if not _DIGIT.search(text):
        return None
    found = find_moment(text, zone)
    if found:
        return found[1]
    short = _SHORT_DATE.search(normalize_digits(text)) if len(text) < 40 and not MOMENT.search(text) else None
    return short.group().strip(" []()（）") if short else None


def _date_only(text: str) -> bool:
    return len(MOMENT.sub("", normalize_digits(text))) < 6


def read_pager(document: Document, links: list[Hyperlink], url: str) -> Pager | None:
    """Return what the page's pager says; None when it has none. Words without a link (edge pages) give no `next_url`.

    A pager that prints no figures takes its page from the URL.
    """
    pager, words = Pager(), False
    for line in document.lines:
        if len(line.text) <= _PAGER_LONGEST:
            words = words or bool(_PAGER_WORDS.search(line.text))
            _figures(pager, normalize_digits(line.text))
    if words and pager.page is None:
        pager.page = page_number(url)
    pager.next_url = next((link.url for link in links if link.is_next), None)
    if pager.pages is None and pager.total and pager.per_page:
        pager.pages = -(-pager.total // pager.per_page)
    return pager if (words or pager.pages or pager.next_url or (pager.total and pager.page)) else None


def _figures(pager: Pager, text: str) -> None:
    for pattern in _PAGES:
        if pager.page is None and (found := pattern.search(text)):
            pager.page, pager.pages = int(found[1]), int(found[2])
    if pager.page is None and (found := _PAGES_LAST.search(text)):
        pager.pages, pager.page = int(found[1]), int(found[2])
    if pager.total is None and (found := _TOTAL.search(text)):
        pager.total = int(found[1])
    if pager.per_page is None and (found := _PER_PAGE.search(text)):
        pager.per_page = int(found[1] or found[2])


def looks_like_listing(entries: list[ListingEntry], pager: Pager | None) -> bool:
    """Tell whether entries and pager make a listing page: a pager with entries (or an empty one), or several entries."""
    return len(entries) >= _FEWEST_ENTRIES or (pager is not None and (bool(entries) or pager.total == 0))


def page_number(url: str) -> int | None:
    """Return the page number a listing URL asks for, or None."""
    found = re.search(
        r"(?:\A|&)(?:page|pageno|p|pageid|currentpage|pagenum|offset)=(\d{1,6})(?=&|\Z)", urlsplit(url).query, re.I
    )
    return int(found[1]) if found else None
