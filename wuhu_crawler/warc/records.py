"""What one exchange with a server is, and how its bytes read: a tolerant view of HTTP that never raises or changes a byte.

The bytes are the truth; status, headers and body are a reading of them. Where a reading is ambiguous (tools of others would
find the body elsewhere than a browser does), `payload_digest` is None rather than a digest somebody's check would refuse.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

# A message whose first bytes are these is kept as a response; anything else is no HTTP (or HTTP/0.9, which has no protocol
# information either) and kept as a resource.
_HTTP = re.compile(rb"HTTP/", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d+\.\d+[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_HEAD_END = re.compile(rb"\n\r?\n")
_STRICT_END = b"\r\n\r\n"
# A line of nothing but what str.strip takes away, which warcio takes for the end of the head; non-ASCII lines need decoding.
_BLANK_LINE = re.compile(rb"\n[\t-\r\x1c-\x20]*\n|\n[\t-\r\x1c-\x20]*\Z")
# An interim response (100 Continue, 103 Early Hints) is followed by the real one; 101 is not: what follows is no HTTP.
_INTERIM = frozenset({100, *range(102, 200)})
_BODILESS = frozenset({204, 304})
_HTML = ("text/html", "application/xhtml+xml")
# How far from its end a document's `</html>` may lie: ASP pages carry counters and comments behind it.
_TAIL = 2048


def sha1_digest(data: bytes) -> str:
    """Return the digest as WARC headers print it: `sha1:` and the base32 of SHA-1 (the form every WARC tool verifies)."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii")


def warc_date(moment: datetime) -> str:
    """Return an aware date-time as a WARC-Date in UTC with microseconds (WARC/1.1, 5.4)."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class Revisit(NamedTuple):
    """The earlier capture a new one repeats. `payload_digest` is needed only for a 304, which has no payload of its own."""

    record_id: str
    url: str
    captured_at: datetime
    payload_digest: str | None = None


class Head(NamedTuple):
    """Where the parts of a received message lie: the final response's head is `[start:end]`, its body begins at `end`."""

    start: int
    end: int
    status: int | None
    complete: bool


@dataclass
class Exchange:
    """One request and what came back, byte for byte. `started_at` is aware (UTC), `error` says in words why it broke off.

    What is read from the bytes is read once: an exchange is made when it is over and not changed after.
    """

    url: str
    sent: bytes
    received: bytes
    started_at: datetime
    ip: str | None
    error: str | None = None

    @cached_property
    def head(self) -> Head:
        """Where head and body of the final response lie in `received`."""
        return find_head(self.received)

    @property
    def is_http(self) -> bool:
        """False for bytes that are no HTTP response at all."""
        return _HTTP.match(self.received) is not None

    @property
    def status(self) -> int | None:
        """The final response's status code; None if the status line holds none."""
        return self.head.status

    @property
    def header_bytes(self) -> bytes:
        """Everything before the body as received, interim responses and the empty line included."""
        return self.received[: self.head.end]

    @property
    def body(self) -> bytes:
        """The body as transferred: chunk framing, trailers, content coding and excess bytes included."""
        return self.received[self.head.end :]

    @cached_property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The final response's header fields in order, repeated ones repeated, folded ones joined with one space."""
        return parse_headers(self.received[self.head.start : self.head.end])

    def header(self, name: bytes) -> bytes | None:
        """Return the first field of that name (in lower case), None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def content_type(self) -> str | None:
        """The media type in lower case without parameters, None if none is declared."""
        value = self.header(b"content-type")
        return None if value is None else value.split(b";")[0].strip().lower().decode("latin-1") or None

    @property
    def method(self) -> str:
        """The method in the request line that was sent; `GET` if nothing was."""
        return self.sent.split(b" ", 1)[0].decode("latin-1") or "GET"

    @cached_property
    def payload_digest(self) -> str | None:
        """Digest of the body as transferred; None where readers would not agree on where it begins (see docs/warc.md)."""
        if not (self.is_http and self.head.complete and _readers_agree(self.received, self.head)):
            return None
        return sha1_digest(self.body)

    @cached_property
    def body_length(self) -> int | None:
        """How long the body must be by its headers; None if it ends with its last chunk or with the connection."""
        if self.status in _BODILESS or self.method == "HEAD":
            return 0
        length = self.header(b"content-length")
        if self.is_chunked or length is None or not length.isdigit():
            return None
        return int(length)

    @property
    def is_chunked(self) -> bool:
        """True if the body is framed in chunks."""
        return (self.header(b"transfer-encoding") or b"").lower() == b"chunked"

    @property
    def flags(self) -> list[str]:
        """Oddities the bytes themselves show: `not-http`, `interim`, `excess-body`, `partial`. The same on every reading."""
        return [name for name, test in _ODDITIES.items() if test(self)]

    @property
    def has_excess(self) -> bool:
        """True if more bytes came than the headers announced."""
        length = self.body_length
        return self.head.complete and length is not None and len(self.received) - self.head.end > length

    @property
    def seems_whole(self) -> bool:
        """False if a body that only the end of the connection delimits stops in mid-document (faults.md, row 2)."""
        if not self.head.complete:
            return False
        if self.is_chunked or self.body_length is not None:
            return True
        coding = (self.header(b"content-encoding") or b"identity").lower()
        if coding in (b"gzip", b"x-gzip"):
            return _gzip_ends(self.body)
        return coding != b"identity" or self.content_type not in _HTML or _ends_html(self.body)


_ODDITIES: dict[str, Callable[[Exchange], bool]] = {
    "not-http": lambda exchange: bool(exchange.received) and not exchange.is_http,
    "interim": lambda exchange: exchange.head.start > 0,
    "excess-body": lambda exchange: exchange.has_excess,
    "partial": lambda exchange: exchange.is_http and not exchange.seems_whole,
}


def find_head(received: bytes) -> Head:
    """Find the final response's head, passing over interim ones. Bytes that are no HTTP are all body."""
    start = 0
    while _HTTP.match(received, start):
        found = _STATUS.match(received, start)
        status = int(found[1]) if found else None
        end = _HEAD_END.search(received, start)
        if end is None:
            return Head(start, len(received), status, complete=False)
        if status not in _INTERIM or not _HTTP.match(received, end.end()):
            return Head(start, end.end(), status, complete=True)
        start = end.end()
    return Head(start, start, None, complete=False)


def parse_headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields of a head (status or request line first). A line without colon is passed over, as browsers do."""
    logical: list[bytes] = []
    for line in head.split(b"\n")[1:]:
        if line[:1] in (b" ", b"\t") and logical:
            logical[-1] += b" " + line.strip()
        else:
            logical.append(line.strip())
    pairs = (line.split(b":", 1) for line in logical if b":" in line)
    return [(name.strip(), value.strip()) for name, value in pairs]


def _readers_agree(received: bytes, head: Head) -> bool:
    """Tell whether warcio and fastwarc begin the payload where the body begins.

    fastwarc looks for the first CR LF CR LF; warcio for the first line that is blank once decoded, white space included.
    """
    if received.find(_STRICT_END) != head.end - len(_STRICT_END):
        return False
    head_lines = received[: head.end - len(_STRICT_END)]
    if head_lines.isascii():
        return _BLANK_LINE.search(head_lines) is None
    return not any(_blank(line) for line in head_lines.split(b"\n"))


def _blank(line: bytes) -> bool:
    try:
        return not line.decode("utf-8").strip()
    except UnicodeDecodeError:
        return not line.decode("latin-1").strip()


def _ends_html(body: bytes) -> bool:
    return b"</html>" in body[-_TAIL:].lower()


def _gzip_ends(body: bytes) -> bool:
    decoder = zlib.decompressobj(wbits=31)
    try:
        while body and not decoder.eof:
            decoder.decompress(body, 1 << 20)
            body = decoder.unconsumed_tail
    except zlib.error:
        return True  # damaged, not cut: the decoder says so later, and another try would bring the same
    return decoder.eof
