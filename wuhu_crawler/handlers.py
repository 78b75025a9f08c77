"""Download handlers that keep the wire: every byte sent and every byte received, whether or not a response ever parses.

`WireHandler` is Scrapy's HTTP/1.1 handler with a tap on its connections. It leaves an `Exchange` in `request.meta["exchange"]`,
after a failure too. The way to the tap is a private header that lives in the request only until a connection takes it, since
that alone names the exchange before a response is parsed; it is never written. Only this module leans on private names of
Scrapy and Twisted, which is why both are pinned; tests/test_handlers.py has the list.
"""

# Twisted is only partly typed.
# mypy: allow-untyped-calls

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urldefrag

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.exceptions import ResponseDataLossError
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.web._newclient import Request as TxRequest

from .warc.records import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress
    from twisted.python.failure import Failure

_TAP = b"X-Wuhu-Exchange"


class OfflineError(Exception):
    """Raised by RefusingHandler: the crawl is offline and this URL is not in the archive."""


class Tap:
    """The bytes of one request while it is under way; `exchange` ends it."""

    def __init__(self) -> None:
        self.begin(None)

    def begin(self, ip: str | None) -> None:
        """Start (or start again, when Twisted replaces a stale connection) with nothing sent and nothing received."""
        self.ip = ip
        self.started_at = datetime.now(UTC)
        self.reset: str | None = None
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    def exchange(self, url: str, error: Exception | None) -> Exchange:
        """Return what was recorded, and forget it: an idle connection keeps its tap until its next request."""
        words = f"{type(error).__name__}: {error}" if error else self.reset
        exchange = Exchange(url, b"".join(self.sent), b"".join(self.received), self.started_at, self.ip, words)
        self.sent, self.received = [], []
        return exchange


class WireHandler(HTTP11DownloadHandler):
    """Scrapy's handler, with each request's exact bytes in `request.meta["exchange"]` when it has succeeded or failed.

    A body that only the end of the connection delimits fails with ResponseDataLossError when the end was a reset or came in
    mid-document (Scrapy would pass half a page as a good one), and loses Scrapy's `partial` flag when it is whole.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._taps: dict[bytes, Tap] = {}
        self._tokens = count()
        self._pool._factory = partial(_WireFactory, self._taps)  # type: ignore[assignment]

    async def download_request(self, request: Request) -> Response:
        """Download as Scrapy does. Raises what Scrapy's handler raises."""
        token = b"%d" % next(self._tokens)
        tap = self._taps[token] = Tap()
        url = urldefrag(request.url).url
        request.headers[_TAP] = token
        try:
            response = await super().download_request(request)
        except Exception as error:
            request.meta["exchange"] = tap.exchange(url, error)
            raise
        finally:
            del request.headers[_TAP], self._taps[token]
        request.meta["exchange"] = tap.exchange(url, None)
        if "partial" in response.flags:
            self._judge_end(request, response)
        return response

    def _judge_end(self, request: Request, response: Response) -> None:
        exchange: Exchange = request.meta["exchange"]
        if exchange.error is None and exchange.seems_whole:
            response.flags.remove("partial")
        elif request.meta.get("download_fail_on_dataloss", self._fail_on_dataloss):
            exchange.error = exchange.error or "the connection ended in mid-document"
            raise ResponseDataLossError(exchange.error)


class RefusingHandler(BaseDownloadHandler):
    """The handler of an offline crawl: whatever was not answered from the archive fails, and no socket is opened."""

    async def download_request(self, request: Request) -> NoReturn:
        """Raise OfflineError."""
        raise OfflineError(f"offline, and not in the archive: {request.url}")


class _WireProtocol(_LenientHTTP11ClientProtocol):
    """A connection that copies what passes into the tap of the request it serves."""

    def __init__(self, taps: dict[bytes, Tap], quiescent: Callable[..., None]) -> None:
        super().__init__(quiescent)
        self._taps = taps
        self._tap = Tap()

    def request(self, request: TxRequest) -> Deferred[Any]:
        token = request.headers.getRawHeaders(_TAP)
        self._tap = self._taps[token[0]]
        transport: Any = self.transport
        self._tap.begin(transport.getPeer().host)
        request.writeTo = partial(_write, request, self._tap)  # type: ignore[method-assign]
        request.headers.removeHeader(_TAP)
        try:
            return super().request(request)
        finally:
            # Twisted asks a new connection for the same request when this one turns out to be stale.
            request.headers.setRawHeaders(_TAP, token)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._tap.received.append(data)
        super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        if not reason.check(ConnectionDone):
            self._tap.reset = f"{type(reason.value).__name__}: {reason.getErrorMessage()}"
        super().connectionLost(reason)


class _WireFactory(_LenientHTTP11ClientFactory):
    def __init__(self, taps: dict[bytes, Tap], quiescent: Callable[..., None], metadata: str) -> None:
        super().__init__(quiescent, metadata)
        self._taps = taps

    def buildProtocol(self, addr: IAddress | None) -> _WireProtocol:  # noqa: N802 - Twisted's name
        return _WireProtocol(self._taps, self._quiescentCallback)


class _Tee:
    """A transport as far as a request being written needs one; what is written also goes into the tap."""

    def __init__(self, transport: Any, tap: Tap) -> None:
        self._transport = transport
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._tap.sent.append(data)
        self._transport.write(data)

    def writeSequence(self, parts: Iterable[bytes]) -> None:  # noqa: N802 - Twisted's name
        self.write(b"".join(parts))


def _write(request: TxRequest, tap: Tap, transport: Any) -> Any:
    return TxRequest.writeTo(request, _Tee(transport, tap))
