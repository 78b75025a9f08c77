"""What a body says once its codings are undone: transfer coding first, then content codings, the whole stream or nothing.

A stream that is cut, fails its check sum or explodes is no page. The crawl and a rebuild undo codings here, and nowhere else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli

from .reader import unchunk
from .records import Exchange

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


def body_of(exchange: Exchange, limit: int) -> bytes:
    """Return the body a parser is given: transfer coding, excess bytes and content codings taken off.

    Raises ValueError for broken chunks, CutBodyError and TooLargeError (`limit` in bytes, of the decoded body).
    """
    body = unchunk(exchange.body) if exchange.is_chunked else exchange.body[: exchange.body_length]
    header = b",".join(value for name, value in exchange.headers if name.lower() == b"content-encoding").decode("latin-1")
    return decode(body, codings(header), limit) if header and body else body


def codings(header: str) -> list[str]:
    """Return the words of a Content-Encoding header in order, in lower case."""
    return [word for part in header.split(",") if (word := part.strip().lower())]
