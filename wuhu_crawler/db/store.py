"""The one writer of the database: buffers what a crawl brings and writes it in one transaction a batch.

It decides new / changed / unchanged and numbers the rows itself, which only a single writer may (the archive's lock sees to
that). The WARC must be on disk before `commit` is called. After an error nothing of the batch is stored, and every further call
raises the same error: the process has to end (faults.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, case, func, select, update

from ..errors import WuhuError
from ..items import Capture, Outcome, PageItem, Piece, Walked
from ..portals import Portal
from . import models, postgresql, statistics
from .batch import Batch, Page
from .failures import translated
from .rows import capture_item, capture_row, number, outcome_row
from .sieve import Sieve
from .statements import (
    ANSWERED,
    CAPTURE_BY_ID,
    CAPTURE_BY_RECORD,
    DIGESTS,
    FINAL,
    INSERTS,
    KNOWN_REQUISITE,
    PARTS,
    PAYLOAD,
    REQUISITE,
    UNREAD,
    ignore,
    replace,
)


class Payload(NamedTuple):
    """The capture that holds a payload, as a revisit refers to it."""

    record_id: str
    url: str
    captured_at: datetime


class Store:
    """The writer. Calls come from one thread; `close` it, or use it in a `with`."""

    def __init__(self, engine: Engine, *, index: bool = True) -> None:
        """Open the writer on a database at `head()`; `index=False` leaves the full-text index alone (benchmarks)."""
        self.engine = engine
        with translated():
            self._writes = engine.connect()
            self._lookups = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._index = index
        self._crawl: str | None = None
        self._portal: str | None = None
        self._broken: WuhuError | None = None
        self._captures: dict[int, Capture] = {}
        self._records: dict[str, Capture] = {}
        self._payloads: dict[str, Capture] = {}
        self._outcomes: dict[tuple[str, str], dict[str, Any]] = {}
        self._requisites: dict[tuple[str, str], dict[str, Any]] = {}
        self._walks: dict[str, dict[str, Any]] = {}
        self._pages: list[Page] = []
        try:
            with translated():
                if engine.dialect.name == "postgresql":
                    postgresql.claim(self._writes)
                self._seen = Sieve(self._lookups.execute(DIGESTS).scalars())
                self._keys = _last_keys(self._lookups)
                self._categories = _categories(self._lookups)
        except WuhuError:
            self.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection to the database; what was not committed is dropped. Safe to call twice."""
        try:
            if self._broken is None and not self._writes.closed:
                self._refresh_statistics()
        finally:
            self._writes.close()
            self._lookups.close()
            self.engine.dispose()

    @property
    def questions(self) -> Connection:
        """The connection the writer looks things up with, open for the questions of others: it sees what is committed."""
        self._require_sound()
        return self._lookups

    def register_portal(self, portal: Portal) -> None:
        """Add the portal, or bring its title and time zone up to date."""
        values = {"name": portal.name, "title": portal.title, "timezone": portal.timezone}
        with self._transaction() as connection:
            connection.execute(replace(connection, models.portal, "name"), [values])

    def begin_crawl(self, crawl_id: str, portal: str, job: str, settings: dict[str, Any], started_at: datetime) -> None:
        """Add the crawl unless it exists (a resume) and make it the current one."""
        values = {"id": crawl_id, "portal": portal, "job": job, "settings": settings, "started_at": started_at}
        with self._transaction() as connection:
            connection.execute(ignore(connection, models.crawl), [{**values, "finished_at": None, "status": "running"}])
            reopened = {"status": "running", "finished_at": None}
            connection.execute(update(models.crawl).where(models.crawl.c.id == crawl_id).values(reopened))
        self._crawl, self._portal = crawl_id, portal

    def end_crawl(self, crawl_id: str, finished_at: datetime | None, status: str) -> None:
        """Note how the crawl ended: `finished`, `interrupted` (resumable; `finished_at` None) or `failed`."""
        values = {"finished_at": finished_at, "status": status}
        with self._transaction() as connection:
            connection.execute(update(models.crawl).where(models.crawl.c.id == crawl_id).values(values))

    def begin_run(self, crawl_id: str, *, pid: int, argv: list[str], started_at: datetime) -> int:
        """Add a run of the crawl and return its number."""
        run_id = self._next("run")
        values = {"id": run_id, "crawl_id": crawl_id, "pid": pid, "argv": argv, "started_at": started_at}
        with self._transaction() as connection:
            connection.execute(models.run.insert(), [values])
        return run_id

    def end_run(
        self, run_id: int, *, finished_at: datetime, exit_code: int, reason: str | None, stats: dict[str, int] | None
    ) -> None:
        """Note how the run ended."""
        values = {"finished_at": finished_at, "exit_code": exit_code, "reason": reason, "stats": stats}
        with self._transaction() as connection:
            connection.execute(update(models.run).where(models.run.c.id == run_id).values(values))

    def write_plan(self, rows: Sequence[dict[str, Any]], *, anew: bool) -> None:
        """Store rows of `plan`; those that are there stay as they are, or with `anew` are replaced."""
        with self._transaction() as connection:
            statement = replace(connection, models.plan, "crawl_id", "part") if anew else ignore(connection, models.plan)
            connection.execute(statement, list(rows))

    def interrupt_crawls(self) -> None:
        """Call every crawl that is said to be running interrupted: the lock tells that no process is at it."""
        with self._transaction() as connection:
            running = models.crawl.c.status == "running"
            connection.execute(update(models.crawl).where(running).values(status="interrupted", finished_at=None))

    def crawl_started(self, crawl_id: str) -> datetime | None:
        """Return when the first run of a crawl began (UTC), None for a crawl that is not known."""
        row = self._look_up(select(models.crawl.c.started_at).where(models.crawl.c.id == crawl_id))
        return None if row is None else row[0]

    def last_capture_id(self) -> int:
        """Return the number of the last capture, committed or not; 0 when there is none."""
        committed = self._look_up(select(func.coalesce(func.max(models.capture.c.id), 0)))
        return max(int(committed[0]), *self._captures, 0)

    def last_warc_serial(self) -> int:
        """Return the serial of the last WARC file the database knows; 0 when there is none."""
        return int(self._look_up(select(func.coalesce(func.max(models.warc_file.c.serial), 0)))[0])

    def unsealed(self) -> list[str]:
        """Return the WARC files without a hash, in order of serial: those being written, and those of processes that died."""
        known = models.warc_file.c
        with translated():
            rows = self._lookups.execute(select(known.name).where(known.sha256.is_(None)).order_by(known.serial))
            return list(rows.scalars())

    def adopt(self, name: str, crawl_id: str, software: str) -> None:
        """Note a WARC file of others before its captures are added; `software` is the program that wrote it."""
        known = models.warc_file.c
        with self._transaction() as connection:
            serial = self._serial(connection, name, None)
            values = {"name": name, "serial": serial, "crawl_id": crawl_id, "committed": 0, "software": software}
            connection.execute(ignore(connection, models.warc_file), [values])
            connection.execute(update(models.warc_file).where(known.name == name).values(software=software))

    def seal(self, name: str, size: int, sha256: str) -> None:
        """Note the size and the SHA-256 of a WARC file that was closed for good; its rows are committed."""
        known = models.warc_file.c
        with self._transaction() as connection:
            connection.execute(
                update(models.warc_file).where(known.name == name).values(size=size, sha256=sha256, committed=size)
            )

    def warc_positions(self) -> dict[str, int]:
        """Return each WARC file's name and how many of its bytes the database has followed, in order of serial."""
        known = models.warc_file.c
        with translated():
            rows = self._lookups.execute(select(known.name, known.committed).order_by(known.serial))
            return {row.name: row.committed for row in rows}

    def payload(self, digest: str) -> Payload | None:
        """Return the first whole response with this payload digest, buffered ones included; None when there is none."""
        self._require_sound()
        if digest not in self._seen:
            return None
        row = self._payloads.get(digest) or self._look_up(PAYLOAD, {"digest": digest})
        return Payload(row.record_id, row.url, row.captured_at) if row is not None else None

    def capture(self, capture_id: int) -> Capture | None:
        """Return a capture by its number, buffered ones included; None when there is none."""
        if capture_id in self._captures:
            return self._captures[capture_id]
        return _item(self._look_up(CAPTURE_BY_ID, {"id": capture_id}))

    def capture_of_record(self, record_id: str) -> Capture | None:
        """Return the capture with this WARC-Record-ID, buffered ones included; None when there is none."""
        if record_id in self._records:
            return self._records[record_id]
        return _item(self._look_up(CAPTURE_BY_RECORD, {"record_id": record_id}))

    def unread(self, crawl_id: str, warc_files: Sequence[str]) -> list[Capture]:
        """Return the committed captures in these files that no page was read from and no outcome speaks of, in their order."""
        with translated():
            rows = self._lookups.execute(UNREAD, {"crawl_id": crawl_id, "files": list(warc_files)}).mappings()
            return [capture_item(dict(row)) for row in rows]

    def outcomes_of(self, crawl_id: str) -> Iterator[tuple[str, int | None]]:
        """Yield each URL the crawl has a committed outcome of, with the capture that answered it for good (None: ask again)."""
        known = models.outcome.c
        final = case((known.outcome.in_(FINAL), known.capture_id))
        with translated():
            rows = self._lookups.execute(select(known.url, final).where(known.crawl_id == crawl_id))
            yield from ((url, capture_id) for url, capture_id in rows)

    def add_capture(self, capture: Capture) -> None:
        """Buffer a capture whose record is in the WARC file."""
        self._require_sound()
        self._captures[capture.id] = self._records[capture.record_id] = capture
        if capture.record_type == "response" and capture.truncated is None and capture.payload_digest is not None:
            self._payloads.setdefault(capture.payload_digest, capture)
            self._seen.add(capture.payload_digest)

    def add_outcome(self, crawl_id: str, outcome: Outcome, article_id: int | None = None) -> None:
        """Buffer how a URL ended in a crawl; it replaces what was known of it. `at` defaults to its buffered capture's time.

        `article_id` is the number of the article the URL asks for, None where it asks for none.
        Raises ValueError when there is no time.
        """
        self._require_sound()
        capture = self._captures.get(outcome.capture_id or 0)
        at = outcome.at or (capture.captured_at if capture else None)
        if at is None:
            raise ValueError(f"the outcome of {outcome.url} has no time")
        self._outcomes[crawl_id, outcome.url] = outcome_row(crawl_id, outcome, at, number(article_id))
        if outcome.requisite is not None:
            row = {"crawl_id": crawl_id, **outcome.requisite._asdict(), "capture_id": outcome.capture_id}
            self._requisites[crawl_id, outcome.requisite.url] = row

    def add_walk(self, crawl_id: str, portal: str, walk: Walked) -> None:
        """Buffer how far a listing is known; it is stored with what was sighted on it, and replaces what was known of it."""
        self._require_sound()
        told = {"began_at": walk.began_at, "ended_at": walk.ended_at, "pages": walk.pages, "ending": walk.ending}
        self._walks[walk.listing] = {"portal": portal, "listing": walk.listing, "crawl_id": crawl_id, **told}

    def requisite(self, url: str, before: str) -> Capture | None:
        """Return the latest whole capture another crawl than `before` made of a requisite; None when there is none."""
        return _item(self._look_up(REQUISITE, {"url": url, "crawl_id": before}))

    def has_requisite(self, url: str) -> bool:
        """Tell whether any crawl had an answer for a requisite."""
        return self._look_up(KNOWN_REQUISITE, {"url": url}) is not None

    def trusted(self, url: str, article_id: int, most: int) -> bool:
        """Tell whether a server has said fewer than `most` times in a row that an article has not been modified."""
        with translated():
            answers = self._lookups.execute(ANSWERED, {"article_id": article_id, "url": url, "most": most}).scalars().all()
        return any(status != 304 for status in answers)

    def parts_of(self, capture_id: int) -> list[Piece]:
        """Return the pieces the article of a first page's capture is made of, as committed; those of none are none."""
        with translated():
            rows = self._lookups.execute(PARTS, {"capture_id": capture_id})
            return [Piece(kind=r.kind, number=r.number, url=r.url, capture_id=r.part_capture_id, reason=r.reason) for r in rows]

    def add_page(
        self,
        item: PageItem,
        *,
        article_digest: str | None,
        page_digest: str | None,
        pieces: Sequence[Piece] = (),
        ended: bool = True,
        late: bool = False,
    ) -> None:
        """Buffer what a capture shows; `capture_id` and `captured_at` of the item are set.

        An article without `article_digest` (parts missing) or without a number makes no version. `pieces` are the further
        captures an article is made of; while it has not `ended`, only they and the capture's kind are noted. A `late` one (of
        a file of others) that was captured before the time the article is known from makes no version either.
        """
        self._require_sound()
        if item.capture_id is None or item.captured_at is None:
            raise ValueError(f"the page {item.url} has no capture")
        portal = item.portal or self._portal
        if portal is None:
            raise ValueError(f"the page {item.url} has no portal")
        page = Page(item.capture_id, item.captured_at, portal, item, article_digest, page_digest, tuple(pieces), ended, late)
        self._pages.append(page)

    def commit(self, position: tuple[str, int], ended: Mapping[str, int] | None = None) -> dict[str, int]:
        """Write the batch in one transaction; `position` is the WARC file and the end of its last whole record, on disk.

        `ended` are the files that were closed since the last commit, with their sizes.

        Returns counts: versions, views, sightings and articles/{new,changed,unchanged,replayed,incomplete}.
        Raises OutOfSpace or StorageError, with nothing of the batch stored.
        """
        with self._transaction() as connection:
            counts = self._write(connection, {**(ended or {}), position[0]: position[1]})
        self._captures, self._records, self._outcomes, self._pages, self._payloads = {}, {}, {}, [], {}
        self._requisites, self._walks = {}, {}
        return dict(counts)

    def _write(self, connection: Connection, positions: Mapping[str, int]) -> Counter[str]:
        batch = Batch(connection, self._next, self._categories)
        captures = {number: capture_row(capture) for number, capture in self._captures.items()}
        batch.decide(self._pages, captures)
        self._write_warc_files(connection, positions)
        for table, rows in (("capture", list(captures.values())), *batch.inserts()):
            if rows:
                connection.execute(INSERTS[table], rows)
        for table, rows in batch.observations():
            if rows:
                connection.execute(ignore(connection, models.metadata.tables[table]), rows)
        for table, rows in batch.replacements():
            if rows:
                keys = [column.name for column in models.metadata.tables[table].primary_key]
                connection.execute(replace(connection, models.metadata.tables[table], *keys), rows)
        if self._outcomes:
            statement = replace(connection, models.outcome, "crawl_id", "url")
            connection.execute(statement, list(self._outcomes.values()))
        if self._requisites:
            statement = replace(connection, models.requisite, "url", "crawl_id")
            connection.execute(statement, list(self._requisites.values()))
        if self._walks:
            connection.execute(replace(connection, models.listing_walk, "portal", "listing"), list(self._walks.values()))
        batch.update()
        if self._index:
            batch.index()
        return batch.counts

    def _write_warc_files(self, connection: Connection, positions: Mapping[str, int]) -> None:
        """Note how far each file is followed: to its position, one that has none to its last capture."""
        ends: dict[str, int] = {}
        for capture in self._captures.values():
            ends[capture.warc_file] = max(ends.get(capture.warc_file, 0), capture.offset + capture.length)
        ends.update(positions)
        crawls = {capture.warc_file: capture.crawl_id for capture in self._captures.values()}
        for name, end in ends.items():
            known = models.warc_file.c
            done = connection.execute(update(models.warc_file).where(known.name == name).values(committed=end))
            if not done.rowcount:
                crawl = crawls.get(name, self._crawl)
                serial = self._serial(connection, name, crawl)
                values = {"name": name, "serial": serial, "crawl_id": crawl, "committed": end}
                connection.execute(models.warc_file.insert(), [values])

    def _serial(self, connection: Connection, name: str, crawl: str | None) -> int:
        """Return the serial in a file's name (`portal-crawl-000001-host.warc.gz`); the next free one when it has none."""
        tail = name.partition(f"-{crawl}-")[2].partition("-")[0]
        if tail.isdecimal():
            return int(tail)
        return int(connection.execute(select(func.coalesce(func.max(models.warc_file.c.serial), 0))).scalar_one()) + 1

    def _next(self, table: str) -> int:
        self._keys[table] += 1
        return self._keys[table]

    def _look_up(self, statement: Any, parameters: dict[str, Any] | None = None) -> Any:
        self._require_sound()
        with translated():
            return self._lookups.execute(statement, parameters or {}).first()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        self._require_sound()
        try:
            with translated(), self._writes.begin():
                yield self._writes
        except WuhuError as error:
            self._broken = error
            raise

    def _refresh_statistics(self) -> None:
        with translated():
            is_stale = statistics.is_stale(self._lookups)
        if is_stale:
            with self._transaction() as connection:
                statistics.refresh(connection)

    def _require_sound(self) -> None:
        if self._broken is not None:
            raise self._broken


def _item(row: Any) -> Capture | None:
    return None if row is None else capture_item(dict(row._mapping))


def _last_keys(connection: Connection) -> Counter[str]:
    keyed = {"run": models.run.c.id, "category": models.category.c.id, "article": models.article.c.key}
    keyed["article_version"] = models.article_version.c.id
    return Counter({name: connection.execute(select(func.max(key))).scalar_one() or 0 for name, key in keyed.items()})


def _categories(connection: Connection) -> dict[tuple[str, str], int]:
    known = models.category.c
    return {(row.portal, row.name): row.id for row in connection.execute(select(known.portal, known.name, known.id))}
