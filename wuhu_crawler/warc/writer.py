"""The one writer of WARC/1.1 files: every record its own gzip member, received bytes as the block, nothing re-serialised.

A file is named `<portal>-<crawl>-<serial>-<host>.warc.gz`, carries `.open` while it is written and is never opened for writing
again. Record headers are made here, since a library that parses HTTP to write it does not give the same bytes back.
The file is always a sequence of whole records: what could not be written whole is cut off before the error is raised.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, NoReturn

from isal import igzip

from .. import clock
from . import cdx
from .records import Exchange, Revisit, sha1_digest, warc_date

RecordType = Literal["response", "revisit", "resource"]
Fields = Mapping[str, str] | Iterable[tuple[str, str]]
Truncated = Literal["length", "time", "disconnect", "unspecified"]
_Headers = list[tuple[str, str]]

MAX_SIZE = 1 << 30
_PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
_IDENTICAL = _PROFILES + "identical-payload-digest"
_NOT_MODIFIED = _PROFILES + "server-not-modified"
_RESPONSE = "application/http;msgtype=response"
_REQUEST = "application/http;msgtype=request"
_FIELDS = "application/warc-fields"
# isal's level 2 is both its fastest and its smallest on Chinese pages of 20 KB.
_LEVEL = 2
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_BREAKS = re.compile(r"\s*[\r\n]\s*")


class Written(NamedTuple):
    """The record of an answer: where it lies (`offset` and `length` in the compressed file) and what was digested.

    `payload_digest` is None when the record has none; `payload_length` counts the body as transferred.
    """

    record_id: str
    record_type: RecordType
    warc_file: str
    offset: int
    length: int
    payload_digest: str | None
    block_digest: str
    payload_length: int


class WrittenMetadata(NamedTuple):
    """A metadata record, and where it lies."""

    record_id: str
    warc_file: str
    offset: int
    length: int
    block_digest: str


class Sealed(NamedTuple):
    """A file that was closed for good: its final name, its bytes, and the SHA-256 (hex) of what was written into it."""

    name: str
    size: int
    sha256: str


class WarcWriter:
    """Writes one crawl run's WARC files into `folder`, starting a new file when one has grown past `max_size` bytes.

    `info` becomes the warcinfo record at the head of every file. With `index`, a folder, every file that is closed gets its
    CDXJ there. After an OSError the writer is broken: every later call raises it again. Not safe across threads.
    """

    def __init__(
        self,
        folder: Path,
        *,
        portal: str,
        crawl_id: str,
        serial: int,
        info: Mapping[str, str],
        max_size: int = MAX_SIZE,
        index: Path | None = None,
    ) -> None:
        self.broken: OSError | None = None
        self._index = index
        self._sealed: list[Sealed] = []
        self._folder = folder
        self._prefix = f"{_file_safe(portal)}-{_file_safe(crawl_id)}"
        self._host = _file_safe(socket.gethostname())
        self._info = dict(info)
        # Seeded by the system. One system call a record for uuid4 would cost more than the digests do.
        self._random = Random()  # noqa: S311 - names, not secrets
        self._max_size = max_size
        self._next_serial = serial
        # Members that may wait for the next write: a system call for each would cost more than they do.
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._fd: int | None = None
        self._open_next()

    @property
    def serial(self) -> int:
        """The serial number of the file being written."""
        return self._next_serial - 1

    @property
    def warc_file(self) -> str:
        """The final name of the file being written (without `.open`)."""
        return f"{self._prefix}-{self.serial:06d}-{self._host}.warc.gz"

    @property
    def path(self) -> Path:
        """Where the file being written lies now."""
        return self._folder / f"{self.warc_file}.open"

    def write_exchange(
        self, exchange: Exchange, *, via: str | None = None, truncated: str | None = None, revisit: Revisit | None = None
    ) -> Written:
        """Write what was received and then what was sent, each naming the other; both or neither are in the file.

        Returns the first of them: `response`, `revisit` when one is given, or `resource` for bytes that are no HTTP.
        `truncated` is one of WARC-Truncated's reasons, `via` the page the URL was found on. Raises OSError, and ValueError for
        a revisit of a message without a complete head.
        """
        self._rotate_if_full()
        answer_id, request_id = self._record_id(), self._record_id()
        common = [("WARC-Date", warc_date(exchange.started_at))]
        if exchange.ip:
            common.append(("WARC-IP-Address", exchange.ip))
        kind, block, own, digest = _answer(exchange, revisit)
        if truncated:
            own.append(("WARC-Truncated", truncated))
        if exchange.sent:
            own.append(("WARC-Concurrent-To", request_id))
        if via:
            own.append(("WARC-Via", _uri(via)))
        block_digest = sha1_digest(block)
        member = _member(kind, answer_id, exchange.url, [*common, *own], block, block_digest)
        request = b""
        if exchange.sent:
            concurrent = [*common, ("WARC-Concurrent-To", answer_id), ("Content-Type", _REQUEST)]
            request = _member("request", request_id, exchange.url, concurrent, exchange.sent, sha1_digest(exchange.sent))
        offset = self._append(member + request)
        if self._index is not None:
            fields = [("WARC-Type", kind), ("WARC-Target-URI", _uri(exchange.url)), *common, *own]
            self._add_line(fields, block, offset, len(member))
        return Written(
            answer_id,
            kind,
            self.warc_file,
            offset,
            len(member),
            digest,
            block_digest,
            len(exchange.received) - exchange.head.end,
        )

    def write_metadata(
        self,
        url: str,
        fields: Fields,
        *,
        refers_to: str | None = None,
        concurrent_to: str | None = None,
        at: datetime,
        wait: bool = False,
    ) -> WrittenMetadata:
        """Write a metadata record about a URL: named fields, one a line (application/warc-fields).

        `refers_to` is the record it speaks of, `concurrent_to` the one it was made together with. With `wait` it goes into the
        file with the next record, `sync` or `close`. Raises OSError.
        """
        self._rotate_if_full()
        block, record_id = _field_lines(fields), self._record_id()
        digest = sha1_digest(block)
        headers = [("WARC-Date", warc_date(at)), ("Content-Type", _FIELDS)]
        if concurrent_to:
            headers.append(("WARC-Concurrent-To", concurrent_to))
        if refers_to:
            headers.append(("WARC-Refers-To", refers_to))
        member = _member("metadata", record_id, url, headers, block, digest)
        offset = self._size + self._waiting_size
        if wait:
            self._waiting.append(member)
            self._waiting_size += len(member)
        else:
            self._append(member)
        return WrittenMetadata(record_id, self.warc_file, offset, len(member), digest)

    def take_sealed(self) -> list[Sealed]:
        """Return the files closed since the last call: a rotation closes one whose end nobody was told of."""
        sealed, self._sealed = self._sealed, []
        return sealed

    def sync(self) -> tuple[str, int]:
        """Bring everything written to the disk. Returns the file's final name and the offset behind its last whole record."""
        self._append(b"")
        try:
            os.fsync(self._usable())
        except OSError as error:
            self._break(error)
        return self.warc_file, self._size

    def close(self) -> None:
        """Sync the file and give it its final, read-only name. Does nothing on a writer that is closed or broken."""
        if self._fd is None or self.broken is not None:
            return
        self._append(b"")
        try:
            os.fsync(self._fd)
            os.fchmod(self._fd, 0o444)
            fd, self._fd = self._fd, None
            os.close(fd)
            self.path.rename(self._folder / self.warc_file)
            _sync_folder(self._folder)
            self._sealed.append(Sealed(self.warc_file, self._size, self._hash.hexdigest()))
            if self._index is not None:
                self._lines.write(self._index / cdx.index_name(self.warc_file))
        except OSError as error:
            self._break(error)

    def _open_next(self) -> None:
        """Open a file nobody has written: a killed run may have left one whose serial the caller never heard of."""
        self._size = 0
        self._hash = hashlib.sha256()
        self._lines = cdx.SortedLines()
        try:
            self._next_serial += 1
            while self.path.exists() or (self._folder / self.warc_file).exists():
                self._next_serial += 1
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
            _sync_folder(self._folder)
        except OSError as error:
            self._break(error)
        self._append(self._warcinfo())

    def _warcinfo(self) -> bytes:
        block = _field_lines(self._info)
        headers = [
            ("WARC-Date", warc_date(clock.now())),
            ("WARC-Filename", self.warc_file),
            ("Content-Type", _FIELDS),
        ]
        return _member("warcinfo", self._record_id(), None, headers, block, sha1_digest(block))

    def _record_id(self) -> str:
        return f"<urn:uuid:{uuid.UUID(int=self._random.getrandbits(128), version=4)}>"

    def _rotate_if_full(self) -> None:
        self._usable()
        if self._size + self._waiting_size >= self._max_size:
            self.close()
            self._open_next()

    def _append(self, members: bytes) -> int:
        """Write what waits and then the members; return the offset of these."""
        fd, offset = self._usable(), self._size + self._waiting_size
        whole = b"".join((*self._waiting, members))
        rest = memoryview(whole)
        try:
            while rest:
                rest = rest[os.write(fd, rest) :]
        except OSError as error:
            self._break(error)
        self._size = offset + len(members)
        self._hash.update(whole)
        self._waiting, self._waiting_size = [], 0
        return offset

    def _add_line(self, fields: _Headers, block: bytes, offset: int, length: int) -> None:
        found = cdx.line({name.lower(): value for name, value in fields}, block, offset, length, self.warc_file)
        if found is not None:
            self._lines.add(found)

    def _usable(self) -> int:
        if self.broken is not None:
            raise self.broken
        if self._fd is None:
            raise ValueError("the WARC writer is closed")
        return self._fd

    def _break(self, error: OSError) -> NoReturn:
        """Cut the file back to its last whole record, refuse everything from now on, and raise the error."""
        self.broken = error
        if self._fd is not None:
            try:
                os.ftruncate(self._fd, self._size)
                os.fsync(self._fd)
            except OSError as second:  # the archive is opened with a look at its tail, which cuts what stayed here
                error.add_note(f"and {self.path} could not be cut back to {self._size} bytes: {second}")
            finally:
                os.close(self._fd)
                self._fd = None
        raise error


def _answer(exchange: Exchange, revisit: Revisit | None) -> tuple[RecordType, bytes, _Headers, str | None]:
    """Return the record type, block, own headers and payload digest of what was received."""
    if not exchange.is_http:
        # The block is all there is; readers disagree on the payload of such records, so only the block is digested.
        return "resource", exchange.received, [("Content-Type", "application/octet-stream")], None
    if revisit is not None:
        return _revisit(exchange, revisit)
    headers = [("Content-Type", _RESPONSE)]
    digest = exchange.payload_digest
    if digest:
        headers.append(("WARC-Payload-Digest", digest))
    return "response", exchange.received, headers, digest


def _revisit(exchange: Exchange, revisit: Revisit) -> tuple[RecordType, bytes, _Headers, str | None]:
    if not exchange.head.complete:
        raise ValueError(f"{exchange.url}: a response without a complete head repeats nothing")
    not_modified = exchange.status == 304
    digest = revisit.payload_digest if not_modified else exchange.payload_digest
    headers = [
        ("Content-Type", _RESPONSE),
        ("WARC-Profile", _NOT_MODIFIED if not_modified else _IDENTICAL),
        ("WARC-Refers-To", revisit.record_id),
        ("WARC-Refers-To-Target-URI", _uri(revisit.url)),
        ("WARC-Refers-To-Date", warc_date(revisit.captured_at)),
    ]
    if digest:
        headers.append(("WARC-Payload-Digest", digest))
    return "revisit", exchange.header_bytes, headers, digest


def _member(
    kind: str, record_id: str, url: str | None, headers: Iterable[tuple[str, str]], block: bytes, block_digest: str
) -> bytes:
    lines = ["WARC/1.1", f"WARC-Type: {kind}", f"WARC-Record-ID: {record_id}"]
    if url is not None:
        lines.append(f"WARC-Target-URI: {_uri(url)}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"WARC-Block-Digest: {block_digest}", f"Content-Length: {len(block)}", "", ""]
    record = b"".join(("\r\n".join(lines).encode(), block, b"\r\n\r\n"))
    compressed: bytes = igzip.compress(record, _LEVEL, mtime=0)
    return compressed


def _uri(url: str) -> str:
    """Return the URL with white space and control characters percent-encoded: a header field is one line."""
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", url)


def one_line(words: str | None) -> str | None:
    """Return words as they come back from a named field: on one line, no space around them; None for none at all."""
    return _BREAKS.sub(" ", words).strip() or None if words else None


def _field_lines(fields: Fields) -> bytes:
    pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
    lines = "".join([f"{name}: {value}\r\n" for name, value in pairs])
    if lines.count("\n") + lines.count("\r") > 2 * len(pairs):
        lines = "".join(f"{name}: {_BREAKS.sub(' ', value)}\r\n" for name, value in pairs)
    return lines.encode()


def _file_safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name) or "unknown"


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
