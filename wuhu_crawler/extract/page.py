"""What a captured response is, from what it shows: article, listing, missing, error, blocked or other, with the reason.

`extract` is the room's one entrance: bytes and what was known about them in, a `Page` out. It never raises on content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..items import Article, Evidence, Listing, OtherPage, PageItem
from ..portals import Portal
from . import missing
from .article import read_article, read_related
from .breadcrumb import category_of, crumbs_of
from .counter import LONGEST, read_count
from .decode import Decoded, decode
from .document import Document, parse
from .fragment import Fragment, hidden_part_urls, read_fragment
from .hyperlinks import ATTACHMENTS, Hyperlink, PageLink, counter_url, extension, read_links
from .labels import Labels, labels
from .listing import looks_like_listing, read_entries, read_pager
from .reading import Reading
from .region import Region, find_region, text_end
from .urls import article_id, is_part

_TEXT_LIMIT = 2000
_MARKUP = re.compile(rb"<(?:!doctype|html|head|title|meta|body|table|div|p|br|a|script)[\s>]")
# Without an article URL a page is an article when it has this much prose behind a date line and is not mostly links.
_ARTICLE_PROSE = 60
# A labelled date says so much already that a short notice will do.
_NOTICE_PROSE = 20


@dataclass(frozen=True, slots=True)
class Page:
    """An extracted page: the item to store, and for the crawl its links, the view counter's script URL and further parts.

    For whoever puts an article together (assemble.py): `fragment` is the page's part of an article of several, `count` the
    number it writes if it may be the answer of a counter script.
    """

    item: PageItem
    links: list[PageLink] = field(default_factory=list)
    counter_url: str | None = None
    part_urls: list[str] = field(default_factory=list)
    fragment: Fragment | None = None
    count: int | None = None


def extract(
    body: bytes,
    *,
    url: str,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
    captured_at: datetime,
    portal: Portal,
    related: bool = True,
) -> Page:
    """Return what a response shows. `body` is free of content codings; `captured_at` is aware and dates relative words.

    `related`: whether an article's `related` is wanted, which is hints for the moment and in no table.
    """
    content_type = next((v for k, v in (headers or {}).items() if k.lower() == "content-type"), "")
    number = article_id(url, portal)
    if not _is_html(content_type, url, body):
        kind = content_type.partition(";")[0].strip() or extension(url) or "unknown type"
        gone = missing.by_status(status)
        found = gone or missing.NotThere("other", f"not HTML: {kind}", kind)
        other = OtherPage(kind=found.kind, url=url, reason=found.reason)
        return Page(_identified(other, portal, captured_at, number, None), count=_count(body, content_type, status))
    decoded = decode(body, content_type)
    document = parse(decoded.text)
    links = read_links(document, url, portal)
    item, reading = _classify(document, links, url=url, status=status, captured_at=captured_at, portal=portal, number=number)
    if related and reading and isinstance(item, Article):
        item.related = read_related(reading)
    counter = counter_url(document, url, number, portal.counter_urls) if isinstance(item, Article) else None
    parts = [link.url for link in links if link.is_part and link.article_id == number]
    if reading and number is not None:
        parts += hidden_part_urls(decoded.text, url, portal, number)
    return Page(
        _identified(item, portal, captured_at, number, decoded),
        [link.target for link in links],
        counter[0] if counter else None,
        list(dict.fromkeys(parts)),
        read_fragment(decoded.text, reading, item.title) if reading and (parts or is_part(url)) else None,
        _count(body, content_type, status),
    )


def _count(body: bytes, content_type: str, status: int) -> int | None:
    return read_count(decode(body, content_type).text) if status == 200 and len(body) <= LONGEST else None


def _classify(
    document: Document,
    links: list[Hyperlink],
    *,
    url: str,
    status: int,
    captured_at: datetime,
    portal: Portal,
    number: int | None,
) -> tuple[PageItem, Reading | None]:
    gone = missing.by_status(status)
    if gone:
        return _other(document, url, gone), None
    tables = labels(portal.labels)
    article_lines = _article_lines(document, links)
    region = find_region(document, tables, portal.zone, lambda line: line.index in article_lines)
    prose = region.prose if region and (number is not None or region.date) else 0.0
    gone = missing.by_words(
        document.text(), "\n".join(text for _, _, text in document.scripts), prose, portal.labels.get("missing", ())
    )
    if gone and not (gone.kind == "missing" and number is None and _listing(document, links, captured_at, portal, url)):
        return _other(document, url, gone), None
    if number is None:
        listing = _listing(document, links, captured_at, portal, url)
        if listing and not _is_article(region, listing, document, tables):
            return listing, None
    if region is not None and (number is not None or _is_article(region, None, document, tables)):
        reading = Reading(document, links, tables, region, url, portal, captured_at, number)
        article = read_article(reading)
        # A later part may hold a few characters, and repeat no title.
        if is_part(url) or (article.title and (article.paragraphs or article.images or article.attachments)):
            return article, reading
        if number is not None:
            # It is in the WARC; a rule that learns to read it makes an article of it in the next rebuild.
            reason = "no body" if article.title else "no title"
            return _other(document, url, missing.NotThere("error", f"an article page with {reason}", "")), None
    if number is not None:
        return _other(document, url, missing.NotThere("error", "an article page without title or body", "")), None
    return _other(document, url, missing.NotThere("other", "neither an article nor links to articles", "")), None


def _article_lines(document: Document, links: list[Hyperlink]) -> frozenset[int]:
    """The lines that are mostly a link to an article."""
    lines = document.lines
    held = (lines[link.line] for link in links if link.article_id is not None and link.line < len(lines))
    return frozenset(line.index for line in held if 2 * line.link_chars >= len(line.text) - 12)


def _is_article(region: Region | None, listing: Listing | None, document: Document, tables: Labels) -> bool:
    labelled = region is not None and region.date is not None and region.date.rule == "label"
    if region is None or region.prose < (_NOTICE_PROSE if labelled else _ARTICLE_PROSE):
        return False
    if listing is not None and (listing.pager or not labelled):
        return False
    inside = document.lines[region.start : text_end(document, region, tables)]
    linked = sum(line.link_chars for line in inside)
    return linked * 3 < sum(len(line.text) for line in inside) and (
        region.date is not None or region.prose > 5 * _ARTICLE_PROSE
    )


def _listing(document: Document, links: list[Hyperlink], captured_at: datetime, portal: Portal, url: str) -> Listing | None:
    tables = labels(portal.labels)
    entries = read_entries(document, links, captured_at, portal.zone, tables)
    pager = read_pager(document, links, url)
    if not looks_like_listing(entries, pager):
        return None
    listing = Listing(url=url, entries=entries, pager=pager)
    _name(listing, document, tables)
    listing.evidence["entries"] = Evidence(rule="links to articles", text=f"{len(entries)} article links")
    pages = f"page {pager.page} of {pager.pages}, {pager.total} in all" if pager else "no pager on the page"
    listing.evidence["pager"] = Evidence(rule="pager words" if pager else "absent", text=pages)
    return listing


def _name(listing: Listing, document: Document, tables: Labels) -> None:
    """Name a listing: the last crumb of its breadcrumb, else its title element."""
    for line in document.lines[:60]:
        crumbs, rule = crumbs_of(line, tables, document)
        if crumbs:
            listing.breadcrumb = crumbs
            listing.category = category_of([c for c in crumbs if c not in _LIST_CRUMBS])
            listing.evidence["breadcrumb"] = Evidence(rule=rule, text=line.text)
            break
    listing.title = listing.category or document.title


_LIST_CRUMBS = frozenset({"列表", "文章列表", "新闻列表", "信息列表", "栏目列表"})


def _other(document: Document, url: str, found: missing.NotThere) -> OtherPage:
    item = OtherPage(kind=found.kind, url=url, reason=found.reason, title=document.title)
    item.text = document.text()[:_TEXT_LIMIT] or None
    item.evidence["kind"] = Evidence(rule=found.reason.partition(":")[0], text=found.words or found.reason)
    return item


def _identified(item: PageItem, portal: Portal, captured_at: datetime, number: int | None, decoded: Decoded | None) -> PageItem:
    item.portal = portal.name
    item.captured_at = captured_at
    if not isinstance(item, Listing):
        item.article_id = number
    if decoded is not None:
        item.encoding, item.decode_losses = decoded.encoding, decoded.losses
    return item


def _is_html(content_type: str, url: str, body: bytes) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        return True
    if kind and kind not in ("text/plain", "application/octet-stream", "text/xml", "application/xml"):
        return False
    if extension(url) in ATTACHMENTS and kind:
        return False
    head = body[:1024].lstrip().lower()
    if kind == "text/plain" or not kind:
        if head.startswith((b"%pdf", b"pk\x03\x04", b"\x89png", b"gif8", b"\xff\xd8")):
            return False
        # A damaged page may hold a NUL; UTF-16 is full of them.
        return not body[:512].count(0) or body.startswith((b"\xff\xfe", b"\xfe\xff")) or bool(_MARKUP.search(head))
    return head.startswith((b"<!doctype html", b"<html")) or b"<html" in head
