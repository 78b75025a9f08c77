"""What the metadata records say of how URLs ended, against the table of outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from ..db import models
from ..warc.reader import Record
from .findings import Finding
from .shelf import Held

_outcome = models.outcome.c
_BATCH = 400
# Reasons that speak of our own failures; a rebuild may have mended them.
_OURS = ("bug (", "invalid (")


class OutcomeCheck:
    """The check of one file's metadata records, some hundred at a time."""

    def __init__(self, connection: Connection, file: Held) -> None:
        self.settled: Counter[str] = Counter()
        self._connection = connection
        self._file = file
        self._waiting: list[Record] = []

    def noted(self, record: Record) -> Iterator[Finding]:
        """Take a metadata record; yield what is wrong when enough have come."""
        if "outcome" in dict(record.fields) or "warc-concurrent-to" in record.headers:
            self._waiting.append(record)
        if len(self._waiting) >= _BATCH:
            yield from self.rest()

    def rest(self) -> Iterator[Finding]:
        """Yield what is wrong with those that still wait."""
        waiting, self._waiting = self._waiting, []
        wanted = select(models.outcome).where(
            _outcome.crawl_id == self._file.crawl_id, _outcome.url.in_({_url(record) for record in waiting})
        )
        rows = {row.url: row for row in self._connection.execute(wanted)} if waiting else {}
        for record in waiting:
            yield from self._compare(record, rows.get(_url(record)))

    def _compare(self, record: Record, row: Row[Any] | None) -> Iterator[Finding]:
        if row is None:
            text = f"how {_url(record)} ended is noted here, but the table of outcomes has no row of it"
            yield Finding("outcome", text, self._file.name, record.offset)
            return
        told = dict(record.fields)
        if "outcome" not in told or row.at != record.date or told.get("reason", "").startswith(_OURS):
            return
        if row.capture_id is None:
            self.settled[self._file.crawl_id] += 1
        for name in ("outcome", "reason"):
            if getattr(row, name) != told.get(name):
                text = f"{row.url}: {name} is {getattr(row, name)} in the database, {told.get(name)} in the record"
                yield Finding("outcome", text, self._file.name, record.offset)


def _url(record: Record) -> str:
    return dict(record.fields).get("outcome-url", record.url or "")
