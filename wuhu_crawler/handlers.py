"""Download handlers that keep the wire: every byte sent and every byte received, whether or not a response ever parses.

`WireHandler` speaks HTTP/1.1 over asyncio. What it receives it hands on as it came, in `request.meta["exchange"]`, after a
failure too; the response Scrapy gets is a reading of those bytes, the one a resumed crawl or a rebuild makes of the record. It
is as tolerant as browsers are: it needs a status line with a number, and nothing else. Connections are kept and used again; how
many there are at a time is Scrapy's to say (CONCURRENT_REQUESTS_PER_DOMAIN). Not there: proxies, HTTP/2, and Scrapy's signals
bytes_received and headers_received, which nobody here listens to.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urldefrag

from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import DNSLookupError

from . import clock
from .warc.reader import ChunkReader, unchunk
from .warc.records import Exchange

if TYPE_CHECKING:
    from urllib.parse import ParseResult

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# Header fields about the connection, not the page: a Scrapy response comes without them.
CONNECTION_FIELDS = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailers", b"transfer-encoding", b"upgrade"}
)
PORTS = {"http": 80, "https": 443}
_LONGEST_HEAD = 1 << 20
_HTTP = b"HTTP/"
# Seconds an idle connection is kept.
_IDLE = 240.0


class OfflineError(Exception):
    """Raised by RefusingHandler: the crawl is offline and this URL is not in the archive."""


class ProtocolError(Exception):
    """What came is no HTTP response: we hang up. The cause of a DownloadFailedError."""


class ConnectionBrokenError(Exception):
    """The connection ended before the response did. The cause of a DownloadFailedError or a ResponseDataLossError."""


class UnreachableError(Exception):
    """No connection to the host came about, and not because it refused one."""


class RefusingHandler(BaseDownloadHandler):
    """The handler of an offline crawl: whatever was not answered from the archive fails, and no socket is opened."""

    async def download_request(self, request: Request) -> NoReturn:
        """Raise OfflineError."""
        raise OfflineError(f"offline, and not in the archive: {request.url}")


class WireHandler(BaseDownloadHandler):
    """HTTP/1.1, with each request's exact bytes in `request.meta["exchange"]` when it has succeeded or failed.

    A body that only the end of the connection delimits fails with ResponseDataLossError when the end was a reset or came in
    mid-document (Scrapy's own handler would pass half a page as a good one).
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._maxsize = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._timeout = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        self._fail_on_loss = crawler.settings.getbool("DOWNLOAD_FAIL_ON_DATALOSS")
        self._idle: dict[tuple[str, str, int], list[_Connection]] = defaultdict(list)
        self._tls = _tolerant_tls()

    async def download_request(self, request: Request) -> Response:
        """Return the response.

        Raises CannotResolveHostError, DownloadConnectionRefusedError, UnreachableError, DownloadTimeoutError,
        DownloadFailedError, ResponseDataLossError, and DownloadCancelledError (larger than DOWNLOAD_MAXSIZE).
        """
        limit = request.meta.get("download_maxsize", self._maxsize)
        attempt = _Attempt(request, limit, request.meta.get("download_fail_on_dataloss", self._fail_on_loss))
        seconds = request.meta.get("download_timeout", self._timeout)
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(seconds):
                await self._exchange(attempt)
        except TimeoutError as error:
            attempt.error = f"no whole response within {seconds:g} seconds"
            raise DownloadTimeoutError(f"Getting {request.url} took longer than {seconds:g} seconds.") from error
        except Exception as error:
            attempt.error = attempt.error or f"{type(error).__name__}: {error}"
            raise
        finally:
            attempt.leave()
        request.meta["download_latency"] = asyncio.get_running_loop().time() - begun
        exchange: Exchange = request.meta["exchange"]
        response = response_of(exchange, request.url, attempt.flags)
        response.ip_address = ip_address(exchange.ip) if exchange.ip else None
        return response

    async def close(self) -> None:
        """Close the idle connections."""
        for connections in self._idle.values():
            for connection in connections:
                connection.end()
        self._idle.clear()
        await asyncio.sleep(0)

    async def _exchange(self, attempt: _Attempt) -> None:
        """Send and receive. A kept connection that the server had given up meanwhile is replaced by a new one, once."""
        key = attempt.address
        while self._idle[key]:
            connection = self._idle[key].pop()
            if not connection.is_open:
                continue
            try:
                await self._serve(attempt, connection)
            except ConnectionBrokenError:
                if attempt.received or attempt.request.method not in ("GET", "HEAD"):
                    attempt.fail()
                continue
            return
        try:
            await self._serve(attempt, await self._connect(key))
        except ConnectionBrokenError:
            attempt.fail()

    async def _serve(self, attempt: _Attempt, connection: _Connection) -> None:
        try:
            await connection.serve(attempt)
        finally:
            if connection.is_free:
                self._idle[attempt.address].append(connection)
            else:
                connection.end()

    async def _connect(self, key: tuple[str, str, int]) -> _Connection:
        scheme, host, port = key
        # Scope has checked this very address: Scrapy's resolver remembers it.
        address = await self._resolve(host)
        tls: dict[str, Any] = {"ssl": self._tls, "server_hostname": host} if scheme == "https" else {}
        try:
            _, connection = await asyncio.get_running_loop().create_connection(_Connection, address, port, **tls)
        except ConnectionRefusedError as error:
            raise DownloadConnectionRefusedError(str(error)) from error
        except OSError as error:  # ssl.SSLError is one
            raise UnreachableError(str(error)) from error
        return connection

    async def _resolve(self, host: str) -> str:
        from twisted.internet import reactor  # the one Scrapy installed; importing it earlier would install another

        try:
            return await maybe_deferred_to_future(reactor.resolve(host))  # type: ignore[arg-type]  # zope declares it wrongly
        except DNSLookupError as error:
            raise CannotResolveHostError(str(error)) from error


class _Attempt:
    """One request under way: what was sent, what was received, and when that is a whole response."""

    def __init__(self, request: Request, limit: int, fail_on_loss: bool) -> None:
        parts: ParseResult = urlparse_cached(request)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self.request = request
        self.address = (parts.scheme, host, port)
        self.flags: list[str] = []
        self.error: str | None = None
        self._sent = _request_bytes(request, parts)
        self._limit = limit
        self._fail_on_loss = fail_on_loss
        self._whole: Exchange | None = None
        self.begin(None)

    def begin(self, ip: str | None) -> bytes:
        """Start (or start again, on another connection) with nothing received; return what is to be sent."""
        self.ip = ip
        self.started_at = clock.now()
        self.sent = ip is not None
        self.received = bytearray()
        self._head_end: int | None = None
        self._length: int | None = None
        self._chunks: ChunkReader | None = None
        return self._sent

    def take(self, data: bytes) -> bool:
        """Take over what was received; tell whether the response is whole. Raises ProtocolError, DownloadCancelledError."""
        self.received += data
        if self._head_end is None and not self._read_head():
            return False
        size = len(self.received) - (self._head_end or 0)
        if self._limit and size > self._limit:
            raise DownloadCancelledError(f"{self.request.url}: more than {self._limit} bytes")
        if self._chunks is not None:
            try:
                return self._chunks.ends(self.received)
            except ValueError as error:
                raise ProtocolError(str(error)) from error
        return self._length is not None and size >= self._length

    def _read_head(self) -> bool:
        """Tell whether the head of the final response is there; then its framing is known."""
        start = bytes(self.received[: len(_HTTP)]).upper()
        if not _HTTP.startswith(start[: len(_HTTP)]):
            raise ProtocolError("no HTTP response")
        exchange = self._as_exchange()
        head = exchange.head
        if not head.complete:
            if len(self.received) > _LONGEST_HEAD:
                raise ProtocolError("a head without end")
            return False
        if head.status is None:
            raise ProtocolError("a status line without a number")
        if 100 <= head.status < 200 and head.status != 101:
            return False
        self._head_end, self._length = head.end, exchange.body_length
        if exchange.is_chunked:
            self._chunks = ChunkReader(head.end)
        elif self._limit and (self._length or 0) > self._limit:
            raise DownloadCancelledError(f"{self.request.url}: {self._length} bytes announced, more than {self._limit}")
        self._whole = exchange
        return True

    @property
    def keeps_connection(self) -> bool:
        """Whether the connection can serve another request: version and Connection say so, and nothing is left over."""
        exchange = self.finished()
        words = (exchange.header(b"connection") or b"").lower()
        kept = b"close" not in words if exchange.received.startswith(b"HTTP/1.1") else b"keep-alive" in words
        end = self._chunks.end if self._chunks is not None else (self._head_end or 0) + (self._length or 0)
        return kept and (self._chunks is not None or self._length is not None) and end == len(self.received)

    def end(self, reset: BaseException | None) -> None:
        """The connection ended. Return when that ends the response as it should; raises ConnectionBrokenError,
        ResponseDataLossError."""
        words = f"{type(reset).__name__}: {reset}" if reset else "the connection was closed"
        if self._head_end is None:
            raise ConnectionBrokenError(words)
        if self._length is None and self._chunks is None and reset is None:
            if self.finished().seems_whole:
                return
            words = "the connection ended in mid-document"
        self.error = words
        if self._fail_on_loss:
            raise ResponseDataLossError(words)
        self.flags.append("dataloss")

    def fail(self) -> NoReturn:
        """Raise DownloadFailedError for a connection that broke before there was a response."""
        self.error = self.error or "the connection was closed before the response came"
        raise DownloadFailedError(self.error) from ConnectionBrokenError(self.error)

    def finished(self) -> Exchange:
        """Return what was exchanged so far."""
        if self._whole is None or len(self._whole.received) != len(self.received):
            self._whole = self._as_exchange()
        return self._whole

    def leave(self) -> None:
        """Leave the exchange in the request's meta."""
        exchange = self.finished()
        exchange.error = self.error
        self.request.meta["exchange"] = exchange

    def _as_exchange(self) -> Exchange:
        url = urldefrag(self.request.url).url
        return Exchange(url, self._sent if self.sent else b"", bytes(self.received), self.started_at, self.ip)


class _Connection(asyncio.Protocol):
    """A connection that serves one attempt at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._attempt: _Attempt | None = None
        self._done: asyncio.Future[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._keep = False

    @property
    def is_open(self) -> bool:
        """Whether something can still be sent."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_free(self) -> bool:
        """Whether it may serve another attempt."""
        return self._keep and self._attempt is None and self.is_open

    async def serve(self, attempt: _Attempt) -> None:
        """Send the request and receive the response. Raises ConnectionBrokenError, ResponseDataLossError, DownloadFailedError,
        DownloadCancelledError."""
        assert self._transport is not None  # noqa: S101 - set once the connection is made
        if self._expiry is not None:
            self._expiry.cancel()
        loop = asyncio.get_running_loop()
        self._keep = False
        self._attempt, self._done = attempt, loop.create_future()
        self._transport.write(attempt.begin(self._transport.get_extra_info("peername")[0]))
        try:
            await self._done
        finally:
            self._attempt = None
        self._expiry = loop.call_later(_IDLE, self.end)

    def end(self) -> None:
        """Close the connection; what is under way has been given up."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]  # a stream's

    def data_received(self, data: bytes) -> None:
        """Hand the bytes to the attempt; bytes nobody asked for end the connection."""
        if self._attempt is None or self._done is None or self._done.done():
            self.end()
            return
        try:
            if self._attempt.take(data):
                self._keep = self._attempt.keeps_connection
                self._done.set_result(None)
        except ProtocolError as error:
            failed = DownloadFailedError(str(error))
            failed.__cause__ = error
            self._done.set_exception(failed)
        except DownloadCancelledError as error:
            self._done.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the attempt under way."""
        if self._attempt is None or self._done is None or self._done.done():
            return
        try:
            self._attempt.end(exc)
            self._done.set_result(None)
        except (ConnectionBrokenError, ResponseDataLossError) as error:
            self._done.set_exception(error)


def response_of(exchange: Exchange, url: str, flags: list[str]) -> Response:
    """Return the Scrapy response of recorded bytes: transfer-decoded, without the fields about the connection.

    Raises ValueError when they hold no response.
    """
    if exchange.status is None:
        raise ValueError("no status line")
    body = unchunk(exchange.body) if exchange.is_chunked else exchange.body[: exchange.body_length]
    headers = Headers()
    for name, value in exchange.headers:
        if name.lower() not in CONNECTION_FIELDS:
            headers.appendlist(name, value)
    kind = responsetypes.from_args(headers=headers, url=url, body=body)
    return kind(url=url, status=exchange.status, headers=headers, body=body, flags=flags, protocol="HTTP/1.1")


def _request_bytes(request: Request, parts: ParseResult) -> bytes:
    target = (parts.path or "/") + (f";{parts.params}" if parts.params else "") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{request.method} {target} HTTP/1.1".encode("latin-1", "replace")]
    if b"Host" not in request.headers:
        lines.append(b"Host: " + parts.netloc.rpartition("@")[2].encode("idna" if not parts.netloc.isascii() else "ascii"))
    lines += [name + b": " + value for name, values in request.headers.items() for value in values]
    if request.body or request.method in ("POST", "PUT"):
        lines.append(b"Content-Length: %d" % len(request.body))
    return b"\r\n".join((*lines, b"", request.body))


def _tolerant_tls() -> ssl.SSLContext:
    """Portals of this family show certificates that expired long ago, over TLS as old: an archive takes what is there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
