"""WARC files of others: what their records say to our database, judged by the answers alone, since nobody noted more.

Read by recovery and rebuild as well as by an import, so that all three come to the same rows. Reads WARC files; knows neither
the database nor Scrapy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from .captures import ANSWERS, PASSING, Source, redirect_of
from .items import Outcome, OutcomeKind
from .portals import Portal
from .warc.codings import body_of
from .warc.reader import Record, iter_records
from .warc.records import Exchange

_HTML = ("text/html", "application/xhtml+xml")
_LIMIT = 32 << 20


class Answer(NamedTuple):
    """An answer in a file of others. `outcome` is how its URL ended; None for a page, whose reading tells."""

    record_id: str
    url: str
    source: Source
    refers_to: str | None
    outcome: Outcome | None


def answers(path: Path, name: str, portal: Portal) -> Iterator[Answer]:
    """Yield the answers of a file in order; those of the portal that are HTML are pages. Raises WarcError, OSError."""
    for record, request in exchanges(path):
        exchange = record.exchange(request.block if request is not None else b"")
        source = Source(name, record.offset, exchange.method, foreign=True)
        ended = None if _is_page(record, exchange, portal) else _outcome(record, exchange)
        yield Answer(record.record_id, record.url or "", source, record.headers.get("warc-refers-to"), ended)


def exchanges(path: Path) -> Iterator[tuple[Record, Record | None]]:
    """Yield each answer with its request, which may stand before it or behind it. Raises WarcError, OSError."""
    before: Record | None = None
    answer: Record | None = None
    for record in iter_records(path):
        if answer is not None:
            yield answer, next((each for each in (record, before) if each is not None and asks(each, answer)), None)
            answer = None
        if record.type in ANSWERS:
            answer = record
        elif record.type == "request":
            before = record
    if answer is not None:
        yield answer, before if before is not None and asks(before, answer) else None


def asks(request: Record, answer: Record) -> bool:
    """Tell whether a record is the request of an answer, by what either says of the other."""
    if request.type != "request":
        return False
    named = (request.headers.get("warc-concurrent-to"), request.headers.get("warc-refers-to"))
    return answer.record_id in named or answer.headers.get("warc-concurrent-to") == request.record_id


def _is_page(record: Record, exchange: Exchange, portal: Portal) -> bool:
    parts = urlsplit(record.url or "")
    return (
        record.type != "resource"
        and (record.type == "response" or "warc-refers-to" in record.headers)
        and (parts.hostname or "") in portal.hosts
        and parts.path != "/robots.txt"
        and exchange.status is not None
        and exchange.status not in PASSING
        and exchange.content_type in _HTML
        and "warc-truncated" not in record.headers
        and redirect_of(exchange, record.url or "") is None
        and _can_be_read(record, exchange)
    )


def _can_be_read(record: Record, exchange: Exchange) -> bool:
    if record.type == "revisit":
        return True
    try:
        body_of(exchange, _LIMIT)
    except ValueError:
        return False
    return True


def _outcome(record: Record, exchange: Exchange) -> Outcome:
    kind, reason = _ended(record, exchange)
    return Outcome(url=record.url or "", outcome=kind, reason=reason, at=record.date)


def _ended(record: Record, exchange: Exchange) -> tuple[OutcomeKind, str | None]:
    target = redirect_of(exchange, record.url or "")
    if truncated := record.headers.get("warc-truncated"):
        return "truncated", truncated
    if exchange.status in PASSING:
        return "failed", f"HTTP {exchange.status}"
    return ("revisit" if record.type == "revisit" else "captured"), f"redirect to {target}" if target else None
