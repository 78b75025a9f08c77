"""One WARC file read from end to end: every gzip member, every digest, every record against its row and every row against it.

Records and rows are matched by their record ID, so that a record cut out of the middle is one finding and not as many as there
are records behind it. A file still being written is read as far as the database has followed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from ..captures import ANSWERS, Source, capture_of
from ..db import models
from ..db.rows import capture_row
from ..foreign import asks
from ..paths import ArchivePaths
from ..warc import cdx
from ..warc.reader import Record, WarcError, iter_records, next_record, read_record
from ..warc.records import sha1_digest
from .findings import Finding
from .outcomes import OutcomeCheck
from .shelf import Held

_capture = models.capture.c
# What a row says that its record does not: our numbering, and what extraction and other rows say.
_OWN_COLUMNS = {"id", "run_id", "page_kind", "page_digest", "article_id"}
# A revisit's record has no body, so what is counted or seen in the body is not in it.
_BODY_COLUMNS = {"payload_length", "flags"}


class FileCheck:
    """The check of one file; `records` and `settled` (outcomes noted in it, by crawl) count once `findings` has run."""

    def __init__(self, paths: ArchivePaths, file: Held, connection: Connection | None) -> None:
        """Without a connection (the database cannot be read) only the file itself is checked."""
        self.records = 0
        self._file = file
        self._path = paths.warc_file(file.name)
        self._end = self._path.stat().st_size if self._is_closed else file.committed
        self._index = paths.cdx / cdx.index_name(file.name)
        self._connection = connection
        self._rows = _Rows(connection, file.name) if connection is not None else None
        self._shift = 0
        self._lines = cdx.SortedLines()
        self._outcomes = OutcomeCheck(connection, file) if connection is not None and file.software is None else None

    @property
    def settled(self) -> Counter[str]:
        """How many outcomes without a capture were found noted in this file as the database has them, by crawl."""
        return self._outcomes.settled if self._outcomes is not None else Counter()

    @property
    def _is_closed(self) -> bool:
        return not self._path.name.endswith(".open")

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong in the file, in the order it is met. Raises OSError, and a database error as it comes."""
        for item, request in self._paired():
            if isinstance(item, Finding):
                yield from self._damaged(item)
                continue
            self.records += 1
            yield from self._seen(item, request)
        yield from self._rows_left()
        if self._outcomes is not None:
            yield from self._outcomes.rest()
        if self._is_closed and self._index.exists():
            yield from self._index_findings()
        self._lines.clear()

    def _seen(self, record: Record, request: Record | None) -> Iterator[Finding]:
        if self._file.software is None:
            yield from _digest_findings(record, self._file.name)
        if self._is_closed and (line := cdx.record_line(record, self._file.name)) is not None:
            self._lines.add(line)
        if record.type in ANSWERS:
            yield from self._compare(record, request)
        elif record.type == "warcinfo" and self._file.software is None:
            yield from self._head(record)
        elif record.type == "metadata" and self._outcomes is not None:
            yield from self._outcomes.noted(record)

    def _records(self) -> Iterator[Record | Finding]:
        """Yield every whole record, and a finding for what lies between them."""
        offset: int | None = 0
        while offset is not None and offset < self._end:
            try:
                for record in iter_records(self._path, offset):
                    if record.offset >= self._end:
                        return
                    yield record
                return
            except WarcError as error:
                if error.offset >= self._end:
                    return
                yield Finding("record", error.reason, self._file.name, error.offset)
                offset = next_record(self._path, error.offset)

    def _paired(self) -> Iterator[tuple[Record | Finding, Record | None]]:
        """Yield each of them, an answer together with the request it answers."""
        answer: Record | None = None
        before: Record | None = None
        for item in self._records():
            if answer is not None:
                yield answer, _request(answer, item, before)
                answer = None
            if isinstance(item, Record) and item.type in ANSWERS:
                answer = item
                continue
            if isinstance(item, Record) and item.type == "request":
                before = item
            yield item, None
        if answer is not None:
            yield answer, _request(answer, before)

    def _head(self, record: Record) -> Iterator[Finding]:
        told = record.headers.get("warc-filename")
        if told != self._file.name:
            yield Finding("hash", f"this is the file {told} under another name", self._file.name, record.offset)
            self._rows = self._outcomes = None
        elif (crawl := dict(record.fields).get("isPartOf")) != self._file.crawl_id:
            text = f"the file says it is of crawl {crawl}, the database of {self._file.crawl_id}"
            yield Finding("row", text, self._file.name, record.offset)

    def _damaged(self, finding: Finding) -> Iterator[Finding]:
        row = self._rows.next if self._rows is not None else None
        if self._rows is not None and row is not None and row.warc_offset == (finding.offset or 0) + self._shift:
            self._rows.take()
            yield finding._replace(text=f"capture {row.id} ({row.url}): {finding.text}")
        else:
            yield finding

    def _compare(self, record: Record, request: Record | None) -> Iterator[Finding]:
        """Match the record with its row; rows passed over on the way have lost theirs."""
        if self._rows is None:
            return
        if self._rows.next is None or self._rows.next.record_id != record.record_id:
            yield from self._find(record)
        row = self._rows.next
        if row is None or not self._is_own(row, record):
            yield self._strange(record)
            return
        self._rows.take()
        yield from self._place(row, record)
        yield from differences(row, record, request, self._file)

    def _strange(self, record: Record) -> Finding:
        """Say what a record is that no row was left for: unknown, put in twice, or one whose row has another place."""
        found = self._rows.of(record.record_id) if self._rows is not None else None
        what = f"{record.type} {record.record_id} of {record.url}"
        if found is None:
            return Finding("unknown-record", f"{what} has no row in the database", self._file.name, record.offset)
        if _is_at(self._path, found.warc_offset, record.record_id):
            return Finding("unknown-record", f"{what} stands here a second time", self._file.name, record.offset)
        text = f"capture {found.id}: warc_offset is {found.warc_offset} in the database, but here is its record"
        return Finding("row", text, self._file.name, record.offset)

    def _is_own(self, row: Row[Any] | None, record: Record) -> bool:
        """Tell whether the row is the record's, by its ID, or by its place where the row's ID was altered."""
        return row is not None and (row.record_id == record.record_id or row.warc_offset == record.offset + self._shift)

    def _find(self, record: Record) -> Iterator[Finding]:
        """Pass over the rows before the record's own one, if it is further on."""
        if self._rows is None or not self._rows.is_ahead(record.record_id):
            return
        while (row := self._rows.next) is not None and row.record_id != record.record_id:
            yield self._lost(row)
            self._rows.take()

    def _place(self, row: Row[Any], record: Record) -> Iterator[Finding]:
        shift = row.warc_offset - record.offset
        if shift != self._shift:
            moved = shift - self._shift
            what = f"{moved} bytes are missing before" if moved > 0 else f"{-moved} bytes too many stand before"
            text = f"{what} capture {row.id}; all that follows lies elsewhere than the database has it"
            yield Finding("shifted", text, self._file.name, record.offset)
            self._shift = shift

    def _rows_left(self) -> Iterator[Finding]:
        while self._rows is not None and (row := self._rows.next) is not None:
            yield self._lost(row)
            self._rows.take()

    def _lost(self, row: Row[Any]) -> Finding:
        text = f"capture {row.id} ({row.url}) has no record: the database has it here, {row.warc_length} bytes long"
        return Finding("missing-record", text, self._file.name, row.warc_offset)

    def _index_findings(self) -> Iterator[Finding]:
        name = f"cdx/{self._index.name}"
        with self._index.open(encoding="utf-8", errors="replace") as file:
            for number, (theirs, ours) in enumerate(zip_longest(file, self._lines), 1):
                if theirs != ours:
                    text = f"from line {number} on it is not what the records make; `wuhu cdx --again` makes it anew"
                    yield Finding("index", text, name)
                    return


class _Rows:
    """The rows of a file's captures in order of offset, with a look at the next one."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        wanted = select(models.capture).where(_capture.warc_file == name).order_by(_capture.warc_offset)
        self._rows = iter(connection.execute(wanted.execution_options(yield_per=500)))
        self.next: Row[Any] | None = next(self._rows, None)

    def take(self) -> None:
        """Go on to the row after the next one."""
        self.next = next(self._rows, None)

    def is_ahead(self, record_id: str) -> bool:
        """Tell whether the record's row is still to come in this file."""
        found = self.of(record_id)
        return found is not None and self.next is not None and found.warc_offset > self.next.warc_offset

    def of(self, record_id: str) -> Row[Any, Any] | None:
        """Return the number and offset of the row that names the record in this file."""
        wanted = select(_capture.id, _capture.warc_offset)
        return self._connection.execute(wanted.where(_capture.record_id == record_id, _capture.warc_file == self._name)).first()


def differences(row: Row[Any], record: Record, request: Record | None, file: Held) -> Iterator[Finding]:
    """Yield each column of a capture's row that says something else than its record, `request` being the one it answers."""
    exchange = record.exchange(request.block if request is not None else b"")
    source = Source(file.name, record.offset, exchange.method, foreign=file.software is not None)
    found = capture_of(record, exchange, source, file.crawl_id)
    left_out = _OWN_COLUMNS | {"warc_offset"} | (_BODY_COLUMNS if record.type == "revisit" else set())
    for name, value in capture_row(found).items():
        stored = getattr(row, name)
        if name not in left_out and stored != value:
            text = f"capture {row.id}: {name} is {_told(stored)} in the database, {_told(value)} in the record"
            yield Finding("row", text, file.name, record.offset)


def check_row(path: Path, row: Row[Any], file: Held) -> Iterator[Finding]:
    """Yield what is wrong with one capture, read at its offset alone."""
    try:
        record = read_record(path, row.warc_offset)
        request = _request_behind(path, record)
    except WarcError as error:
        yield Finding("record", f"capture {row.id} ({row.url}): {error.reason}", file.name, row.warc_offset)
        return
    if file.software is None:
        yield from _digest_findings(record, file.name)
    yield from differences(row, record, request, file)


def _request_behind(path: Path, record: Record) -> Record | None:
    end = record.offset + record.length
    if end >= path.stat().st_size:
        return None
    behind = read_record(path, end)
    return behind if asks(behind, record) else None


def _is_at(path: Path, offset: int, record_id: str) -> bool:
    try:
        return read_record(path, offset).record_id == record_id
    except WarcError:
        return False


def _request(answer: Record, *near: Record | Finding | None) -> Record | None:
    """Return the request of an answer among the records near it."""
    return next((each for each in near if isinstance(each, Record) and asks(each, answer)), None)


def _digest_findings(record: Record, name: str) -> Iterator[Finding]:
    if record.headers.get("warc-block-digest") != sha1_digest(record.block):
        yield Finding(
            "digest", f"the block of {record.type} {record.record_id} is not the one that was written", name, record.offset
        )
    written = record.headers.get("warc-payload-digest")
    if record.type == "response" and written is not None and written != record.exchange().payload_digest:
        yield Finding(
            "digest", f"the payload of response {record.record_id} is not the one that was written", name, record.offset
        )


def _told(value: Any) -> str:
    return "absent" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
