"""Listing pages: entries and pager, read from what they show (rows with links to articles), not from their markup."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ..items import ListingEntry, Pager
from .dates import MOMENT, find_moment, normalize_digits, parse_date
from .document import Document, Element, Line, ancestors
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
        words, day = entry_date(document, link, captured_at, zone)
        entries[link.article_id] = ListingEntry(
            article_id=link.article_id,
            url=link.url,
            title=link.text.strip(_BULLET),
            date_text=words,
            date=day,
            abstract=entry_abstract(document, link, labels),
            position=len(entries) + 1,
        )
    return list(entries.values())


def entry_date(document: Document, link: Hyperlink, captured_at: datetime, zone: ZoneInfo) -> tuple[str | None, date | None]:
    """Return (words, date) printed in an entry's row: behind the link, before it, or alone in one of the next two lines."""
    line = document.lines[link.line] if link.line < len(document.lines) else None
    if line is None:
        return None, None
    if link.tag_text in line.text:
        before, _, behind = line.text.partition(link.tag_text)
        for text in (behind, before):
            words = _date_words(text, zone)
            if words:
                return words, parse_date(words, captured_at, zone)
    for near in _behind(document, line):
        closing = _CLOSING_DATE.search(near.text)
        if closing:
            return closing["date"], parse_date(closing["date"], captured_at, zone)
        words = _date_words(near.text, zone)
        if words and len(near.text) - len(words) <= 8:
            return words, parse_date(words, captured_at, zone)
    if link.line and line.text.strip(_BULLET) == link.tag_text:
        previous = document.lines[link.line - 1]
        words = _date_words(previous.text, zone)
        # A date before the link counts when it stands in the link's own row with nothing else in its line.
        if words and len(previous.text) - len(words) <= 3 and not previous.link_chars and _item(previous) is _item(line):
            return words, parse_date(words, captured_at, zone)
    return None, None


def _behind(document: Document, line: Line) -> list[Line]:
    """The unlinked lines, two at most, that follow an entry's link within its own row, list item or definition; a row of one
    cell belongs to the row above it."""
    item, near = _item(line), []
    for other in document.lines[line.index + 1 : line.index + 3]:
        if other.link_chars:
            break
        holder = _item(other)
        if holder is not item and not _continues(item, holder, line, other):
            break
        near.append(other)
    return near


def _item(line: Line) -> Element:
    """The table row, list item or definition a line stands in; its own block outside of these."""
    for element in ancestors(line.node):
        if element.tag in ("tr", "li", "dt", "dd"):
            return element
        if element.tag in ("table", "ul", "ol", "dl", "body"):
            break
    return line.node


def _continues(item: Element, holder: Element, line: Line, other: Line) -> bool:
    """Tell whether a line's holder goes on where an entry's item ended: an abstract's row, the dd of a dt, the next block."""
    if item.tag == "li":
        return False
    if item.tag == "tr":
        return holder is item.getnext() and len(holder) == 1
    if item.tag == "dt":
        return holder is item.getnext()
    box = line.node.getparent()
    return other.node is box or other.node.getparent() is box


@lru_cache(maxsize=8192)
def _date_words(text: str, zone: ZoneInfo) -> str | None:
    if not _DIGIT.search(text):
        return None
    found = find_moment(text, zone)
    if found:
        return found[1]
    short = _SHORT_DATE.search(normalize_digits(text)) if len(text) < 40 and not MOMENT.search(text) else None
    return short.group().strip(" []()（）") if short else None


def entry_abstract(document: Document, link: Hyperlink, labels: Labels) -> str | None:
    """Return the cut text printed below an entry (`·日前,…给予……`), without its bullet; None when there is none."""
    if link.line >= len(document.lines):
        return None
    for near in _behind(document, document.lines[link.line]):
        if is_decoy(near.text) or labels.published.search(near.text):
            return None
        if len(near.text) >= 20 and not _date_only(near.text):
            return _CLOSING_DATE.sub("", near.text).strip("·•・ \u3000")
    return None


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
