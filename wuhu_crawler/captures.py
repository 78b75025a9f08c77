"""What one recorded answer says: the exchange it was, the capture it is, the page it shows, and how its URL ends by that.

Recovery and rebuild read records through here, one at a time and in any order; the crawl takes from here what it has to decide
alike. Reads WARC files; knows neither the database nor Scrapy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

from w3lib.url import safe_url_string

from .extract.assemble import is_composed
from .extract.digests import article_digest, page_digest
from .extract.page import Page, extract
from .items import Article, Capture, Listing, OtherPage, Outcome, OutcomeKind, PageItem
from .pages import InvalidItem, normalize_dates, validate
from .portals import Portal
from .warc.codings import CutBodyError, TooLargeError, body_of
from .warc.reader import Record, WarcError, read_record
from .warc.records import Exchange, sha1_digest

ANSWERS = frozenset({"response", "revisit", "resource"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What backoff asks for again: such an answer is the end of its URL only where the crawl noted it as a page.
PASSING = frozenset({408, 429, 500, 502, 503, 504, 520, 522, 524})
# The most a decoded body may have, as in the crawl's settings (DOWNLOAD_MAXSIZE), where the crawl did not judge it.
BODY_LIMIT = 32 << 20
_UNLIMITED = 1 << 40
_KIND_OUTCOMES: dict[str, OutcomeKind] = {"missing": "missing", "error": "failed", "blocked": "blocked"}

# How much is wanted of an answer: its capture only; its page, as the crawl took it for one; its page as a piece of an article;
# or what it is by itself.
Wanted = Literal["capture", "page", "piece", "verdict"]


class Source(NamedTuple):
    """Where a recorded answer lies, the method it answers, and for a revisit where the payload lies.

    A `foreign` record, one of others, is digested anew: its own digests may be of another kind, or none.
    """

    warc_file: str
    offset: int
    method: str = "GET"
    origin: tuple[str, int] | None = None
    foreign: bool = False


@dataclass(slots=True)
class Reading:
    """An answer as read: `capture` has no number yet, `item` is None where no page was wanted or there is none.

    `outcome` is how the URL ends by this answer alone, None where it does not end (a busy server, half a page). `page` is there
    where an article has to be put together: of its first page, and of a piece.
    """

    capture: Capture
    item: PageItem | None = None
    article_digest: str | None = None
    page_digest: str | None = None
    outcome: Outcome | None = None
    page: Page | None = None


def located(folder: Path, name: str) -> Path:
    """Return where a WARC file lies, whether it was closed or not."""
    path = folder / name
    return path if path.exists() else path.with_name(f"{name}.open")


def exchange_at(folder: Path, source: Source) -> tuple[Record, Exchange]:
    """Return the record and the exchange it is of; a revisit of equal bytes has the body of the capture it refers to.

    A 304 has none, then as now. Raises WarcError, OSError.
    """
    record = read_record(located(folder, source.warc_file), source.offset)
    exchange = record.exchange(f"{source.method} ".encode("latin-1"))
    if _repeats(record) and source.origin is not None:
        name, offset = source.origin
        body = read_record(located(folder, name), offset).exchange().body
        exchange = replace(exchange, received=exchange.received + body)
    return record, exchange


def read(folder: Path, source: Source, crawl_id: str, portal: Portal, wanted: Wanted) -> Reading:
    """Return what the answer at `source` is. Raises WarcError and OSError when it cannot be read."""
    try:
        record, exchange = exchange_at(folder, source)
    except WarcError as error:
        if source.origin is None or (error.path.name.removesuffix(".open"), error.offset) != source.origin:
            raise
        source = source._replace(origin=None)  # what it repeats is damaged
        record, exchange = exchange_at(folder, source)
    reading = Reading(capture_of(record, exchange, source, crawl_id))
    if _repeats(record) and source.origin is None and wanted != "capture":
        reading.outcome = _ended(reading.capture, "failed", "payload-missing")
    elif wanted in ("page", "piece"):
        _read_page(reading, exchange, portal, _UNLIMITED, piece=wanted == "piece")
    elif wanted == "verdict":
        _judge(reading, exchange, portal)
    return reading


def _repeats(record: Record) -> bool:
    return record.headers.get("warc-profile", "").endswith("/identical-payload-digest")


def headers_of(exchange: Exchange) -> dict[str, str]:
    """Return the header fields as extraction takes them: of repeated ones the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in exchange.headers}


def page_outcome(item: PageItem, capture: Capture) -> Outcome:
    """Return how the URL of a page ends by what the page is."""
    kind = _KIND_OUTCOMES.get(item.kind)
    if capture.truncated:
        return _ended(capture, "truncated", capture.truncated)
    if kind is not None:
        return _ended(capture, kind, getattr(item, "reason", None))
    return captured(capture)


def captured(capture: Capture, reason: str | None = None) -> Outcome:
    """Return the outcome of a URL whose answer was taken as it is."""
    return _ended(capture, "revisit" if capture.record_type == "revisit" else "captured", reason)


def redirect_of(exchange: Exchange, url: str) -> str | None:
    """Return where the answer sends us, None when it does not."""
    location = exchange.header(b"location") if exchange.status in REDIRECTS else None
    return None if location is None else urljoin(url, safe_url_string(location))


def _ended(capture: Capture, kind: OutcomeKind, reason: str | None) -> Outcome:
    return Outcome(url=capture.url, outcome=kind, reason=reason, capture_id=capture.id, at=capture.captured_at, via=capture.via)


def capture_of(record: Record, exchange: Exchange, source: Source, crawl_id: str) -> Capture:
    """Return the capture an answer's record is, without a number."""
    headers = record.headers
    payload, block = headers.get("warc-payload-digest"), headers.get("warc-block-digest", "")
    if source.foreign:
        block = sha1_digest(record.block)
        payload = exchange.payload_digest if record.type == "response" else payload if _is_sha1(payload) else None
    return Capture(
        id=0,
        crawl_id=crawl_id,
        run_id=0,
        url=record.url or "",
        method=source.method,
        status=exchange.status,
        captured_at=record.date,
        record_id=record.record_id,
        record_type=record.type,  # type: ignore[arg-type]  # the caller asks for answers only
        refers_to=headers.get("warc-refers-to"),
        warc_file=source.warc_file,
        offset=record.offset,
        length=record.length,
        payload_digest=payload,
        block_digest=block,
        payload_length=len(exchange.received) - exchange.head.end,
        content_type=exchange.content_type,
        ip=exchange.ip,
        truncated=headers.get("warc-truncated"),
        flags=exchange.flags,
        via=headers.get("warc-via"),
    )


def _is_sha1(digest: str | None) -> bool:
    return digest is not None and re.fullmatch(r"sha1:[A-Z2-7]{32}", digest) is not None


def _judge(reading: Reading, exchange: Exchange, portal: Portal) -> None:
    """Work out what the crawl would have made of an answer it did not come to: the same, as far as the answer alone tells."""
    capture = reading.capture
    if exchange.status is None or capture.truncated or exchange.status in PASSING or not exchange.seems_whole:
        return
    target = redirect_of(exchange, capture.url)
    if target is not None:
        reading.outcome = captured(capture, f"redirect to {target}")
    elif urlsplit(capture.url).path == "/robots.txt":
        reading.outcome = captured(capture, "robots.txt")
    else:
        _read_page(reading, exchange, portal, BODY_LIMIT)


def _read_page(reading: Reading, exchange: Exchange, portal: Portal, limit: int, *, piece: bool = False) -> None:
    capture = reading.capture
    try:
        body = body_of(exchange, limit)
    except TooLargeError:
        reading.outcome = _ended(capture, "excluded", "too-large")
        return
    except (CutBodyError, ValueError) as error:
        if limit == _UNLIMITED:  # the crawl could read it
            reading.outcome = _ended(capture, "failed", f"bug ({type(error).__name__})")
        return
    try:
        page = _extracted(body, exchange, capture, portal)
        item = page.item if piece else validate(page.item)
    except InvalidItem as error:
        reading.outcome = _ended(capture, "failed", f"invalid ({error})")
    except Exception as error:  # noqa: BLE001 - a page no rule of ours can read must not end a rebuild; the outcome names it
        reading.outcome = _ended(capture, "failed", f"bug ({type(error).__name__})")
    else:
        normalize_dates(item, portal, capture.captured_at)
        reading.article_digest = article_digest(item) if isinstance(item, Article) and not capture.truncated else None
        reading.page_digest = page_digest(item)
        reading.outcome = page_outcome(item, capture)
        reading.item = _as_stored(item)
        if piece or is_composed(page, capture.url):
            reading.page = replace(page, links=[])


def _extracted(body: bytes, exchange: Exchange, capture: Capture, portal: Portal) -> Page:
    page = extract(
        body,
        url=capture.url,
        headers=headers_of(exchange),
        status=exchange.status or 0,
        captured_at=capture.captured_at,
        portal=portal,
        related=False,
    )
    page.item.capture_id = capture.id
    return page


def _as_stored(item: PageItem) -> PageItem:
    """Take off what no table holds: a reading may have to travel from one process to another."""
    match item:
        case Listing():
            item.pager, item.evidence = None, {}
        case OtherPage():
            item.text, item.evidence = None, {}
    return item


__all__ = [
    "ANSWERS",
    "Reading",
    "Source",
    "WarcError",
    "capture_of",
    "captured",
    "headers_of",
    "located",
    "page_outcome",
    "read",
    "redirect_of",
]
