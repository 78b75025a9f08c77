"""CDXJ: where in the WARC files a replay tool finds a URL, sorted by SURT key and time, line for line what cdxj-indexer writes.

One index a WARC file, made while the file is written, or by reading it again; several are merged as they are read. The key of a
URL is the `surt` package's, as in every tool that will look it up.
"""

from __future__ import annotations

import heapq
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from .reader import Record, iter_records
from .records import sha1_digest

SUFFIX = ".cdxj"
_INDEXED = frozenset({"response", "revisit", "resource", "metadata"})
_FIELDS = "application/warc-fields"
# A head every tool reads alike; what any other says is asked of warcio, since that is what replay tools read it with.
_PLAIN_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [\t -~]*)?\r\n((?:[!-9;-~]+:[\t -~]*\r\n)*)\r\n")
_CONTENT_TYPE = re.compile(rb"^content-type:[ \t]*([^;\s]*)", re.IGNORECASE | re.MULTILINE)
_CLOSING = b"\r\n\r\n"
_NO_DIGIT = re.compile(r"\D")
_SEPARATOR = re.compile(r"[;\s]")
# Lines sorted in memory at a time; about 12 MB.
_RUN = 40_000


def index_name(warc_file: str) -> str:
    """Return the file name of a WARC file's index: `NAME.cdxj` for `NAME.warc.gz`."""
    return warc_file.removesuffix(".gz").removesuffix(".warc") + SUFFIX


def line(headers: Mapping[str, str], block: bytes, offset: int, length: int, filename: str) -> str | None:
    """Return a record's line without its end, None for a record no index holds (request, warcinfo, our own metadata).

    `headers` by lower-case name; `offset` and `length` as in the WARC file.
    """
    kind = headers["warc-type"]
    if kind not in _INDEXED or (kind != "response" and headers.get("content-type") == _FIELDS):
        return None
    url = headers.get("warc-target-uri", "").removeprefix("<").removesuffix(">")
    found = _plain(kind, headers, block) or _read_by_warcio(headers, block)
    entry = {"url": url, **found, "length": str(length), "offset": str(offset), "filename": filename}
    return f"{key(url)} {timestamp(headers['warc-date'])} {json.dumps(entry)}"


def key(url: str) -> str:
    """Return the SURT key of a URL; the URL itself where there is none."""
    import surt  # it brings a web client with it, which no reader needs

    try:
        return str(surt.surt(url))
    except (ValueError, IndexError, AttributeError):  # what surt raises on what is no URL
        return url


def timestamp(date: str) -> str:
    """Return a WARC-Date as 14 digits."""
    return _NO_DIGIT.sub("", date)[:14]


def record_line(record: Record, filename: str) -> str | None:
    """Return the line of a record that was read, None for one that is not indexed."""
    # Without the empty lines behind it, where they are not in a gzip member with it.
    length = record.length - len(_CLOSING) if filename.endswith(".warc") else record.length
    return line(record.headers, record.block, record.offset, length, filename)


def write_index(path: Path, filename: str, target: Path) -> None:
    """Write the sorted index of a WARC file to `target`. Raises WarcError, OSError."""
    lines = SortedLines()
    for record in iter_records(path):
        if (text := record_line(record, filename)) is not None:
            lines.add(text)
    lines.write(target)


def merged(indexes: Iterable[Path]) -> Iterator[str]:
    """Yield the lines of sorted indexes as one sorted index. Raises OSError."""
    with ExitStack() as stack:
        files = [stack.enter_context(path.open(encoding="utf-8")) for path in indexes]
        yield from (text.rstrip("\n") for text in heapq.merge(*files))


class SortedLines:
    """Lines to be sorted, however many: full runs wait in temporary files."""

    def __init__(self) -> None:
        self._run: list[str] = []
        self._runs: list[Any] = []

    def add(self, text: str) -> None:
        """Take a line, without its end."""
        self._run.append(text + "\n")
        if len(self._run) >= _RUN:
            self._spool()

    def __iter__(self) -> Iterator[str]:
        """Yield the lines with their ends, sorted, once each; they are gone then."""
        self._run.sort()
        for run in self._runs:
            run.seek(0)
        before = None
        for text in heapq.merge(*self._runs, self._run):
            if text != before:
                yield text
            before = text
        self.clear()

    def write(self, target: Path) -> None:
        """Write them sorted to `target`, whole or not at all. Raises OSError."""
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        with part.open("w", encoding="utf-8") as file:
            file.writelines(self)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)

    def clear(self) -> None:
        """Forget every line."""
        for run in self._runs:
            run.close()
        self._run, self._runs = [], []

    def _spool(self) -> None:
        self._run.sort()
        run = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed when its lines have been read
        run.writelines(self._run)
        self._runs.append(run)
        self._run = []


def _plain(kind: str, headers: Mapping[str, str], block: bytes) -> dict[str, str] | None:
    """Return mime, status and digest where every tool reads them alike, else None."""
    digest = headers.get("warc-payload-digest")
    head = _PLAIN_HEAD.match(block) if kind in ("response", "revisit") and digest else None
    if head is None or digest is None:
        return None
    found = {"mime": "warc/revisit"} if kind == "revisit" else _mime(head[2])
    return {**found, "status": head[1].decode("ascii"), "digest": digest}


def _mime(fields: bytes) -> dict[str, str]:
    found = _CONTENT_TYPE.search(fields)
    return {"mime": found[1].decode("ascii")} if found else {}


def _read_by_warcio(headers: Mapping[str, str], block: bytes) -> dict[str, str]:
    """Return mime, status and digest as warcio reads them."""
    fields = {**headers, "content-length": str(len(block))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    raw = b"".join((b"WARC/1.1\r\n", head.encode(), b"\r\n", block, b"\r\n\r\n"))
    record = next(iter(ArchiveIterator(BytesIO(raw))))
    http = record.http_headers
    mime: str | None
    if record.rec_type == "revisit":
        mime = "warc/revisit"
    elif record.rec_type == "response":
        mime = http.get_header("content-type") if http else None
    else:
        mime = record.rec_headers.get_header("Content-Type")
    status = http.get_statuscode() if http and record.rec_type in ("response", "revisit") else None
    digest = record.rec_headers.get_header("WARC-Payload-Digest") or _digest(record)
    found = {"mime": _SEPARATOR.split(mime, maxsplit=1)[0].strip() if mime else mime, "status": status, "digest": digest}
    return {name: value for name, value in found.items() if value is not None}


def _digest(record: Any) -> str:
    return sha1_digest(b"".join(iter(lambda: record.raw_stream.read(1 << 16), b"")))
