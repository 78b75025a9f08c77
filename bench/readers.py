"""The sides of the extraction benchmark: ours and four well-known extractors, each asked at its documented entrance.

Every side gets the same page and gives a `Read`: title, date words and body text as far as it has them. Ours gets the bytes as
served; the peers get them decoded right, by the encoding the truth names, because they are not the ones to be tested there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import _lru_cache_wrapper
from typing import NamedTuple

import lxml.html

from wuhu_crawler.extract import page as pages
from wuhu_crawler.extract.assemble import Assembly, is_composed
from wuhu_crawler.items import Article, PageItem
from wuhu_crawler.pages import normalize_dates
from wuhu_crawler.portals import FAMILY_ARTICLE_URLS, Portal

OURS = "wuhu_crawler"
PEERS = ("trafilatura", "readability-lxml", "newspaper4k", "GNE")
# Sides that have no date to give.
DATELESS = ("readability-lxml",)
CAPTURED = datetime(2026, 1, 1, tzinfo=UTC)
# A cache this large remembers words of pages; smaller ones hold compiled tables, which a process makes once.
_REMEMBERS = 256


class Sample(NamedTuple):
    """A page to be read: its name, URL, bytes as served, true encoding, and our profile for it (None: no known portal)."""

    name: str
    url: str
    body: bytes
    encoding: str
    portal: Portal | None = None
    captured_at: datetime = CAPTURED


class Read(NamedTuple):
    """What a side read; '' where it found nothing. `note` says why: what ours took the page for, a peer's exception."""

    title: str = ""
    date: str = ""
    body: str = ""
    note: str = ""


Reader = Callable[[Sample], Read]


def read_item(sample: Sample) -> PageItem:
    """Return the item of a page, dates read: what `wuhu extract` prints."""
    return _dated(sample, _page(sample, sample.url, sample.body).item)


def _page(sample: Sample, url: str, body: bytes) -> pages.Page:
    headers = {"Content-Type": "text/html"}
    return pages.extract(body, url=url, headers=headers, captured_at=sample.captured_at, portal=_portal(sample))


def _dated(sample: Sample, item: PageItem) -> PageItem:
    return normalize_dates(item, _portal(sample), sample.captured_at)


def _portal(sample: Sample) -> Portal:
    return sample.portal or Portal(name="bench", title="", seeds=(sample.url,), article_urls=FAMILY_ARTICLE_URLS)


def read_whole(sample: Sample, fetch: Callable[[str], bytes]) -> PageItem:
    """Return the item of a page with its further parts and its counter's answer, got by `fetch` (URL -> bytes)."""
    page = _page(sample, sample.url, sample.body)
    if not is_composed(page, sample.url):
        return _dated(sample, page.item)
    assembly = Assembly(page, url=sample.url, portal=_portal(sample))
    while waiting := assembly.waiting:
        for piece in waiting:
            assembly.take(piece.url, _page(sample, piece.url, fetch(piece.url)))
    return _dated(sample, assembly.assembled().article)


def ours(sample: Sample) -> Read:
    """Read a page as this project does."""
    item = read_item(sample)
    if not isinstance(item, Article):
        return Read(note=f"{item.kind}: {getattr(item, 'reason', 'a list of articles')}")
    date = item.published_at.isoformat() if item.published_at else item.published_text or ""
    return Read(item.title or "", date, "\n".join(item.paragraphs))


def text_of(sample: Sample) -> str:
    """Return the page's text by its true encoding."""
    return sample.body.decode("gb18030" if sample.encoding.lower().startswith("gb") else sample.encoding, "replace")


def peers() -> tuple[dict[str, Reader], dict[str, str]]:
    """Return the peers that can be imported and, for each of the others, why not."""
    found: dict[str, Reader] = {}
    absent: dict[str, str] = {}
    for name, make in zip(PEERS, (_trafilatura, _readability, _newspaper, _gne), strict=True):
        try:
            found[name] = _guarded(make())
        except ImportError as error:
            absent[name] = str(error)
    return found, absent


def _guarded(reader: Reader) -> Reader:
    """A peer that raises on a page has found nothing there."""

    def read(sample: Sample) -> Read:
        try:
            return reader(sample)
        except Exception as error:  # noqa: BLE001 - whatever a peer raises is its answer to the page
            return Read(note=f"{type(error).__name__}: {error}")

    return read


def _trafilatura() -> Reader:
    import trafilatura

    def read(sample: Sample) -> Read:
        found = trafilatura.bare_extraction(text_of(sample), url=sample.url, with_metadata=True, include_comments=False)
        return Read(note="nothing extracted") if found is None else Read(found.title or "", found.date or "", found.text or "")

    return read


def _readability() -> Reader:
    from readability import Document

    def read(sample: Sample) -> Read:
        document = Document(text_of(sample), url=sample.url)
        summary = document.summary(html_partial=True)
        return Read(document.short_title() or "", "", str(lxml.html.fromstring(summary).text_content()))

    return read


def _newspaper() -> Reader:
    import jieba
    import newspaper

    jieba.setLogLevel(60)
    jieba.initialize()

    def read(sample: Sample) -> Read:
        article = newspaper.Article(sample.url, language="zh", fetch_images=False)
        article.download(input_html=text_of(sample))
        article.parse()
        return Read(article.title or "", str(article.publish_date or ""), article.text or "")

    return read


def _gne() -> Reader:
    from gne import GeneralNewsExtractor

    def read(sample: Sample) -> Read:
        found = GeneralNewsExtractor().extract(text_of(sample))
        return Read(found["title"] or "", found["publish_time"] or "", found["content"] or "")

    return read


def forget() -> None:
    """Empty our caches that remember words of pages, so that a page is read as if no other had been before."""
    for name, known in list(sys.modules.items()):
        if name.startswith("wuhu_crawler.extract"):
            for value in vars(known).values():
                if isinstance(value, _lru_cache_wrapper) and (value.cache_parameters()["maxsize"] or 0) >= _REMEMBERS:
                    value.cache_clear()
