"""Content decoding that demands the whole stream: what is cut, fails its check sum or explodes is no page.

The bytes as transferred are in the archive already, so a response that cannot be decoded is flagged `bad-encoding` and left as
it is; backoff asks for it again, and at last ends its URL as truncated.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import brotli

from .faults import Refused

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# What every web server of the family's age can do, and every WARC reader undo.
ACCEPTED = b"gzip, deflate"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 16


class CutBodyError(ValueError):
    """The stream ends early, or its check sum is wrong, or it is not of this encoding at all."""


class TooLargeError(ValueError):
    """The decoded body would be larger than allowed."""


def decode(body: bytes, encodings: list[str], limit: int) -> bytes:
    """Return the body with its content encodings undone, last one first. An encoding we do not know is left in place.

    Raises CutBodyError and TooLargeError (`limit` in bytes).
    """
    for encoding in reversed(encodings):
        decoder = _DECODERS.get(encoding)
        if decoder is None:
            break
        body = decoder(body, limit)
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    if not body.startswith(_GZIP_MAGIC) and body.lstrip()[:1] == b"<":
        return body  # a server that says gzip and sends plain HTML; every byte of it is there
    return _inflate_all(body, 31, limit)


def _inflate(body: bytes, limit: int) -> bytes:
    try:
        return _inflate_all(body, zlib.MAX_WBITS, limit)
    except CutBodyError:  # old IIS sends the raw stream without zlib's header and check sum
        return _inflate_all(body, -zlib.MAX_WBITS, limit)


def _inflate_all(body: bytes, wbits: int, limit: int) -> bytes:
    parts, size, rest = [], 0, body
    while rest:
        stream = zlib.decompressobj(wbits)
        while not stream.eof:
            try:
                part = stream.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise CutBodyError(str(error)) from error
            rest = stream.unconsumed_tail
            size += len(part)
            if size > limit:
                raise TooLargeError(f"more than {limit} bytes")
            if not part and not rest and not stream.eof:
                raise CutBodyError("the stream ends early")
            parts.append(part)
        rest = stream.unused_data if stream.unused_data.startswith(_GZIP_MAGIC) else b""
    return b"".join(parts)


def _unbrotli(body: bytes, limit: int) -> bytes:
    stream = brotli.Decompressor()
    parts, size, rest = [], 0, body
    try:
        while not stream.is_finished():
            part = stream.process(rest, output_buffer_limit=_CHUNK)
            rest = b""
            size += len(part)
            if size > limit:
                raise TooLargeError(f"more than {limit} bytes")
            if not part and not stream.is_finished() and stream.can_accept_more_data():
                raise CutBodyError("the stream ends early")
            parts.append(part)
    except brotli.error as error:
        raise CutBodyError(str(error)) from error
    return b"".join(parts)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "identity": lambda body, _: body,
}


class DecompressionMiddleware:
    """Asks for encodings we can check, and undoes them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware with DOWNLOAD_MAXSIZE as the limit of a decoded body."""
        return cls(crawler.settings.getint("DOWNLOAD_MAXSIZE"))

    def process_request(self, request: Request) -> None:
        """Say what we accept."""
        request.headers.setdefault("Accept-Encoding", ACCEPTED)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response with its body decoded; raises Refused (excluded: too-large)."""
        header = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        if not header or not response.body:
            return response
        encodings = [word for part in header.split(",") if (word := part.strip().lower())]
        try:
            body = decode(response.body, encodings, self._limit)
        except TooLargeError as error:
            raise Refused("excluded", "too-large") from error
        except CutBodyError:
            response.flags.append("bad-encoding")
            return response
        return response.replace(body=body)
