"""The archive at the HTTP-cache position among the downloader middlewares: keeps every response before anybody understands it.

A response is in the WARC when `process_response` returns; if it cannot be written, no later middleware, parser or retry sees it
and the crawl ends (faults.md). A retried response is a capture of its own; of tries that broke off only the last is kept.
Redirects and robots.txt reach no spider, so their outcome is written here; any other URL's comes from its item or errback.
On resume a URL this crawl has already answered is served from its own record.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, ResponseDataLossError

from .captures import captured, headers_of, redirect_of
from .errors import StorageError
from .extensions import ArchiveKeeper
from .handlers import ConnectionBrokenError, response_of
from .items import Outcome
from .politeness.faults import REQUEST_FAULTS
from .warc.codings import CutBodyError, TooLargeError, body_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from .items import Capture
    from .warc.records import Exchange
    from .warc.writer import Truncated

# Why a download broke off, as WARC-Truncated says it; whatever is not here is looked up in the failure itself.
TRUNCATIONS: tuple[tuple[type[Exception], Truncated], ...] = (
    (DownloadTimeoutError, "time"),
    (DownloadCancelledError, "length"),
    (ResponseDataLossError, "disconnect"),
)
# What a response says its version is by -> how that is asked about.
VALIDATORS = {b"etag": b"If-None-Match", b"last-modified": b"If-Modified-Since"}
# A larger style sheet is not looked through.
STYLE_LIMIT = 4 << 20

logger = logging.getLogger(__name__)


class ArchiveMiddleware:
    """Sets `request.meta["capture"]` for every response, and for a failure of which something was received."""

    def __init__(self, crawler: Crawler, keeper: ArchiveKeeper) -> None:
        self._keeper = keeper
        self._writer = keeper.writer
        self._tries = crawler.settings.getint("RETRY_TIMES")
        self._trust = crawler.settings.getint("WUHU_RECHECK_TRUST")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware for the archive the crawl has open."""
        keeper = crawler.get_extension(ArchiveKeeper)
        if keeper is None:
            raise RuntimeError("ArchiveMiddleware needs the extension wuhu_crawler.extensions.ArchiveKeeper")
        return cls(crawler, keeper)

    def process_request(self, request: Request) -> Response | None:
        """Answer from this crawl's own captures, or let the request go on; raises the storage error once there was one."""
        if self._writer.broken is not None:
            raise self._writer.broken
        with self._keeper.fatal_storage_errors():
            capture = self._writer.retrieve(urldefrag(request.url).url) if request.method == "GET" else None
            if capture is None or capture.record_type == "resource":
                self._make_conditional(request)
                return None
            exchange = self._writer.exchange(capture)
            response = _restored(exchange, capture)
            request.meta["capture"], request.meta["fields"] = capture, headers_of(exchange)
            return self._with_body(request, response, capture)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response once it is in the WARC; raises OutOfSpace or StorageError, which ends the crawl."""
        if "archived" in response.flags:
            return response
        with self._keeper.fatal_storage_errors():
            exchange: Exchange | None = request.meta.pop("exchange", None)
            if exchange is None:
                raise StorageError(f"{request.url} came without its wire bytes; DOWNLOAD_HANDLERS must name WireHandler")
            capture = self._record(request, exchange, None)
            request.meta["fields"] = headers_of(exchange)
            outcome = _own_outcome(request, exchange, capture)
            if outcome is not None:
                self._writer.outcome(outcome)
            return self._with_body(request, response, capture)

    def _with_body(self, request: Request, response: Response, capture: Capture) -> Response:
        """Return the response a 304 confirms, where it is read: an article's, and a style sheet's, which names others."""
        requisite = request.meta.get("requisite")
        if response.status == 304 and requisite is None and capture.record_type == "revisit":
            return self._confirmed(request, response, capture)
        if response.status != 304 or requisite is None or requisite.kind != "style" or "Content-Encoding" in response.headers:
            return response
        original = self._writer.original(capture)
        if original is None:
            return response
        try:
            return response.replace(body=body_of(original, STYLE_LIMIT))
        except (CutBodyError, TooLargeError, ValueError) as error:
            logger.warning("%s cannot be read for what it names: %s", request.url, error)
            return response

    def _confirmed(self, request: Request, response: Response, capture: Capture) -> Response:
        """Return the article as an earlier capture has it; what reads it is told that it was not served again."""
        original = self._writer.original(capture)
        if original is None:
            logger.warning("%s has not been modified, but the page it was cannot be read back", request.url)
            return response
        request.meta["fields"], request.meta["unmodified"] = headers_of(original), True
        try:
            return response_of(original, capture.url, response.flags)
        except ValueError as error:
            raise StorageError(f"the capture of {capture.url} cannot be read back: {error}") from error

    def _known(self, request: Request) -> tuple[Capture, Capture] | None:
        """Return what may be answered with "not modified since": a requisite an earlier crawl had, or an article asked again.
        Its latest capture, and the one that holds its payload."""
        requisite, confirms = request.meta.get("requisite"), request.meta.get("confirms")
        if requisite is not None:
            return self._writer.earlier(requisite.url)
        return None if confirms is None else self._writer.confirmable(confirms, request.url, self._trust)

    def _make_conditional(self, request: Request) -> None:
        """Ask for what an earlier crawl had only if it has changed since."""
        for name in VALIDATORS.values():
            request.headers.pop(name, None)
        request.meta.pop("origin", None)
        request.meta.pop("unmodified", None)
        known = self._known(request)
        if known is None:
            return
        try:
            exchanges = [self._writer.exchange(capture) for capture in known]
        except StorageError as error:
            logger.warning("%s is asked for anew: %s", request.url, error)
            return
        for given, asked in VALIDATORS.items():
            value = next((value for exchange in exchanges if (value := exchange.header(given))), None)
            if value:
                request.headers[asked] = value
                request.meta["origin"] = known[1]

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Keep what was received of a download that broke off for good. The exception goes on to backoff or the errback."""
        exchange: Exchange | None = request.meta.pop("exchange", None)
        if exchange is None or not exchange.received or not self._is_last(request, exception):
            return
        with self._keeper.fatal_storage_errors():
            self._record(request, exchange, truncation(exception))

    def _record(self, request: Request, exchange: Exchange, truncated: Truncated | None) -> Capture:
        via = request.meta.get("via")
        origin = request.meta.get("origin")
        capture = self._writer.record(exchange, via=via, truncated=truncated, flags=exchange.flags, origin=origin)
        request.meta["capture"] = capture
        return capture

    def _is_last(self, request: Request, exception: Exception) -> bool:
        # Middlewares nearer to the engine (backoff) decide after us; this is their rule.
        return not isinstance(exception, REQUEST_FAULTS) or request.meta.get("retry_times", 0) >= self._tries


def truncation(error: Exception) -> Truncated:
    """Return WARC-Truncated's reason for a download that ended with this exception."""
    for kind, reason in TRUNCATIONS:
        if isinstance(error, kind):
            return reason
    return "disconnect" if isinstance(error.__cause__, ConnectionBrokenError) else "unspecified"


def _restored(exchange: Exchange, capture: Capture) -> Response:
    try:
        return response_of(exchange, capture.url, ["archived"])
    except ValueError as error:
        raise StorageError(f"the capture of {capture.url} cannot be read back: {error}") from error


def _own_outcome(request: Request, exchange: Exchange, capture: Capture) -> Outcome | None:
    """Return the outcome of a response that reaches no spider, None for any other."""
    target = redirect_of(exchange, capture.url)
    if target is not None:
        return captured(capture, f"redirect to {target}")
    if request.meta.get("robots"):
        if (exchange.status or 0) >= 500 or exchange.status == 429:
            # No answer (RFC 9309, 2.3.1.4), so it must not answer a resumed crawl either.
            return Outcome(
                url=capture.url, outcome="failed", reason=f"robots.txt (HTTP {exchange.status})", capture_id=capture.id
            )
        return captured(capture, "robots.txt")
    return None
