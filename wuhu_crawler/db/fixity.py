"""The record of every check: what `wuhu verify` read and found, and when each file was last found sound.

Written beside a running crawl, in transactions of a few rows; the numbers of these tables are the database's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select, update

from .. import clock
from . import models
from .engine import make_engine
from .failures import translated

_run = models.fixity_run.c


class Unfinished(NamedTuple):
    """A check that was interrupted: its number, its share of the archive, and what it had done and found."""

    id: int
    share: float
    files_done: list[str]
    records: int
    bytes: int
    findings: list[Any]


class FixityLog:
    """The log of one check; every call is a transaction. Raises StorageError when the database cannot be written."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)
        self._id = 0
        self._position = 0

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def begin(self, share: float) -> int:
        """Begin a check of that share of the archive's bytes and return its number."""
        nothing = {"files": 0, "records": 0, "bytes": 0, "findings": 0, "files_done": []}
        values = {"started_at": clock.now(), "share": share, "status": "running", **nothing}
        with translated(), self._engine.begin() as connection:
            key = connection.execute(models.fixity_run.insert().values(values)).inserted_primary_key
        self._id = int(key[0]) if key is not None else 0
        return self._id

    def resume(self) -> Unfinished | None:
        """Go on with the last check that did not come to its end; None when there is none."""
        found = models.fixity_finding.c
        with translated(), self._engine.begin() as connection:
            last = select(func.max(_run.id)).scalar_subquery()
            row = connection.execute(select(models.fixity_run).where(_run.id == last, _run.finished_at.is_(None))).first()
            if row is None:
                return None
            rows = connection.execute(
                select(models.fixity_finding).where(found.run_id == row.id).order_by(found.position)
            ).all()
        self._id, self._position = row.id, len(rows)
        return Unfinished(row.id, row.share, row.files_done, row.records, row.bytes, list(rows))

    def note(
        self, *, files_done: Sequence[str], records: int, bytes_read: int, findings: Sequence[Any], sound: str | None = None
    ) -> None:
        """Note how far the check has come and what was found since; `sound` names a file in which nothing was."""
        now = clock.now()
        rows = [
            {"run_id": self._id, "position": self._position + number, "kind": each.kind, "file": each.file}
            | {"offset": each.offset, "text": each.text}
            for number, each in enumerate(findings, 1)
        ]
        self._position += len(rows)
        values = {"files_done": list(files_done), "files": len(files_done), "records": records, "bytes": bytes_read}
        with translated(), self._engine.begin() as connection:
            if rows:
                connection.execute(models.fixity_finding.insert(), rows)
            changed = update(models.fixity_run).where(_run.id == self._id)
            connection.execute(changed.values(findings=self._position, **values))
            if sound is not None:
                known = models.warc_file.c
                connection.execute(update(models.warc_file).where(known.name == sound).values(checked_at=now))

    def end(self, status: str) -> None:
        """End the check: `sound`, `damaged`, or `interrupted` (it can be resumed)."""
        finished = None if status == "interrupted" else clock.now()
        with translated(), self._engine.begin() as connection:
            connection.execute(update(models.fixity_run).where(_run.id == self._id).values(status=status, finished_at=finished))
