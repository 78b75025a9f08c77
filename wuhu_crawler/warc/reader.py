"""Reads WARC files back, by offset or in order: one gzip member a record, or not compressed. Strict: else WarcError.

Written for the files of this project's writer; `wuhu import` reads those of others with warcio (docs/warc.md). A torn tail is
told from a whole file by `iter_records` raising at its offset, where everything before it is sound.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from isal import isal_zlib

from .records import Exchange, find_head, parse_headers

# A page of the family takes 5 KB compressed: the first look at a member is seldom followed by a second.
_LOOK = 1 << 13
_CHUNK = 1 << 16
_MAGIC = b"\x1f\x8b\x08"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n]*)?\r?\n")


class WarcError(ValueError):
    """The bytes at this offset are no whole WARC record: torn, damaged, or not a record's beginning."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(f"{path}: at {offset}: {reason}")
        self.path = path
        self.offset = offset
        self.reason = reason


class Record(NamedTuple):
    """One record: its header fields by lower-case name, its block, and where it lies in the compressed file."""

    offset: int
    length: int
    headers: dict[str, str]
    block: bytes

    @property
    def type(self) -> str:
        """WARC-Type."""
        return self.headers["warc-type"]

    @property
    def record_id(self) -> str:
        """WARC-Record-ID with its angle brackets."""
        return self.headers["warc-record-id"]

    @property
    def date(self) -> datetime:
        """WARC-Date, aware, UTC."""
        return datetime.fromisoformat(self.headers["warc-date"])

    @property
    def url(self) -> str | None:
        """WARC-Target-URI, None for a warcinfo record; without the angle brackets old tools write."""
        url = self.headers.get("warc-target-uri")
        return url[1:-1] if url is not None and url[:1] == "<" and url[-1:] == ">" else url

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The named fields of a warcinfo or metadata record, in order."""
        lines = (line.split(":", 1) for line in self.block.decode("utf-8").split("\r\n") if line)
        return [(name.strip(), value.strip()) for name, value in lines]

    def exchange(self, sent: bytes = b"") -> Exchange:
        """Return what was received (and `sent`, the block of the request record that follows) as an exchange again."""
        return Exchange(self.url or "", sent, self.block, self.date, self.headers.get("warc-ip-address"))


class Answer(NamedTuple):
    """An HTTP response as recorded: status line, header fields in order, body as transferred."""

    status_line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def read_record(path: Path, offset: int) -> Record:
    """Return the record that begins at `offset`. Raises WarcError, OSError."""
    with _opened(path) as data:
        return _parse(path, offset, *_read(path, data, offset))


def read_bytes(path: Path, offset: int) -> bytes:
    """Return the whole record at `offset` as it was written, uncompressed, its closing empty lines included.

    Raises WarcError, OSError.
    """
    with _opened(path) as data:
        return _read(path, data, offset)[1]


def iter_records(path: Path, offset: int = 0) -> Iterator[Record]:
    """Yield the records in file order, beginning at `offset`. Raises WarcError at the first that is not whole."""
    with _opened(path) as data:
        while offset < len(data):
            record = _parse(path, offset, *_read(path, data, offset))
            yield record
            offset += record.length


def next_record(path: Path, offset: int) -> int | None:
    """Return the offset of the first whole record behind a damaged one at `offset`; None when there is none."""
    with _opened(path) as data:
        found = data.find(_MAGIC, offset + 1)
        while found != -1:
            try:
                _parse(path, found, *_read_member(path, data, found))
            except WarcError:
                found = data.find(_MAGIC, found + 1)
            else:
                return found
    return None


def response_of(path: Path, offset: int) -> Answer:
    """Return the recorded response at `offset` (interim ones left out). Raises WarcError if the record holds none."""
    record = read_record(path, offset)
    if record.type not in ("response", "revisit"):
        raise WarcError(path, offset, f"a {record.type} record holds no response")
    head = find_head(record.block)
    text = record.block[head.start : head.end]
    return Answer(text.split(b"\n", 1)[0].rstrip(b"\r"), parse_headers(text), record.block[head.end :])


class ChunkReader:
    """Finds where a chunked body ends while it still comes in; `end` is that place, None before it is known."""

    def __init__(self, start: int) -> None:
        self._position = start
        self._in_trailers = False
        self.end: int | None = None

    def ends(self, received: bytes | bytearray) -> bool:
        """Tell whether the body ends in what was received so far. Raises ValueError where the framing is broken."""
        while self.end is None and self._step(received):
            pass
        return self.end is not None

    def _step(self, received: bytes | bytearray) -> bool:
        """Go past one chunk or trailer line; tell whether there was a whole one."""
        if self._in_trailers:
            return self._pass_trailer(received)
        found = _CHUNK_SIZE.match(received, self._position)
        if found is None:
            if b"\n" in received[self._position :]:
                raise ValueError(f"no chunk size at {self._position}")
            return False
        size = int(found[1], 16)
        if size == 0:
            self._position, self._in_trailers = found.end(), True
            return True
        end = found.end() + size
        # The line end behind a chunk is CR LF, or LF alone.
        behind = 2 if received[end : end + 1] == b"\r" else 1
        if len(received) < end + behind:
            return False
        self._position = end + behind
        return True

    def _pass_trailer(self, received: bytes | bytearray) -> bool:
        line_end = received.find(b"\n", self._position)
        if line_end < 0:
            return False
        if not received[self._position : line_end].rstrip(b"\r"):
            self.end = line_end + 1
        self._position = line_end + 1
        return True


def unchunk(body: bytes) -> bytes:
    """Return a chunked body without its framing and trailers; what there is of it if it was cut off.

    Raises ValueError where the framing is broken.
    """
    parts, position = [], 0
    while position < len(body):
        found = _CHUNK_SIZE.match(body, position)
        if found is None:
            if b"\n" in body[position:]:
                raise ValueError(f"no chunk size at {position}")
            break
        size, start = int(found[1], 16), found.end()
        if size == 0:
            break
        parts.append(body[start : start + size])
        position = start + size
        position += len(b"\r\n") if body.startswith(b"\r\n", position) else body.startswith(b"\n", position)
    return b"".join(parts)


@contextmanager
def _opened(path: Path) -> Iterator[mmap.mmap | bytes]:
    with path.open("rb") as file:
        if not file.seek(0, 2):
            yield b""  # an empty file cannot be mapped
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _read(path: Path, data: mmap.mmap | bytes, offset: int) -> tuple[int, bytes]:
    """Return how many bytes of the file the record takes, and its own bytes."""
    return (_read_plain if data[offset : offset + 5] == b"WARC/" else _read_member)(path, data, offset)


def _read_plain(path: Path, data: mmap.mmap | bytes, offset: int) -> tuple[int, bytes]:
    """Return the length and the bytes of a record in a file without compression."""
    end = data.find(b"\r\n\r\n", offset)
    size = _LENGTH.search(data[offset : end + 2]) if end >= 0 else None
    if size is None:
        raise WarcError(path, offset, "no whole WARC header")
    length = end + 4 + int(size[1]) + 4 - offset
    if offset + length > len(data):
        raise WarcError(path, offset, "the record is torn: the file ends in it")
    return length, data[offset : offset + length]


def _read_member(path: Path, data: mmap.mmap | bytes, offset: int) -> tuple[int, bytes]:
    """Return the member's compressed length and its bytes, its CRC checked."""
    decoder, parts, position, size = isal_zlib.decompressobj(wbits=31), [], offset, _LOOK
    while not decoder.eof:
        piece = data[position : position + size]
        if not piece:
            raise WarcError(path, offset, "the record is torn: the file ends in it")
        position, size = position + len(piece), _CHUNK
        try:
            parts.append(decoder.decompress(piece))
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub does not say that it is an exception
            raise WarcError(path, offset, f"no whole gzip member: {error}") from error
    return position - len(decoder.unused_data) - offset, b"".join(parts)


def _parse(path: Path, offset: int, length: int, raw: bytes) -> Record:
    head, found, rest = raw.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    if not found or lines[0] not in ("WARC/1.1", "WARC/1.0"):
        raise WarcError(path, offset, f"no WARC header but {lines[0][:40]!r}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    size = headers.get("content-length", "")
    if not size.isdigit() or rest[int(size) :] != b"\r\n\r\n":
        raise WarcError(path, offset, f"the block is not as long as Content-Length says ({size or 'absent'})")
    return Record(offset, length, headers, rest[: int(size)])
