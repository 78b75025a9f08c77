"""One archive folder, open for writing: what the crawl's pipelines and a rebuild share.

`ArchiveWriter` is the only writer. It keeps the two promises in the order of its calls: `record` puts the bytes into the WARC
before anybody parses them; `commit` syncs the WARC to disk and only then lets the database transaction follow. The first
storage error is final: every later call raises it again and nothing more is written. Knows no Scrapy.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection

from . import __version__, clock
from .captures import REDIRECTS, Source, exchange_at, page_outcome, read
from .db.engine import make_engine, shown, upgrade
from .db.store import Store
from .errors import OutOfSpace, StorageError, UsageError, WuhuError
from .extract.digests import article_digest, page_digest
from .extract.urls import asked_number, identity, resource
from .items import Article, Assembled, Capture, Confirms, Outcome, PageItem, PieceOf, Walked
from .paths import ArchiveLock, ArchivePaths, storage_errors
from .portals import Portal
from .recovery import Recovered, recover
from .replay import CRAWL_END, IMPORTED, Replay, events, head_of, profile_json
from .warc import manifest
from .warc.cdx import index_name, write_index
from .warc.reader import WarcError
from .warc.records import Exchange, Revisit
from .warc.writer import Sealed, WarcWriter, one_line

COMMIT_PAGES = 100
COMMIT_SECONDS = 1.0
# Events of a file of others between two commits.
TAKEN_AT_ONCE = 500
WARC_MAX_SIZE = 1 << 30
# How a run's exit code leaves its crawl; any other can be resumed.
_CRAWL_STATUS = {0: "finished", 1: "failed"}


class ArchiveWriter:
    """One archive open for writing by one run of one crawl; made by `open`, ended by `close`."""

    def __init__(
        self,
        paths: ArchivePaths,
        portal: Portal,
        *,
        lock: ArchiveLock,
        store: Store,
        warc: WarcWriter,
        crawl_id: str,
        run_id: int,
        recovered: Recovered | None = None,
        resumed: bool = False,
        commit_pages: int = COMMIT_PAGES,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> None:
        self.paths = paths
        self.portal = portal
        self.crawl_id = crawl_id
        self.run_id = run_id
        self.recovered = recovered or Recovered()
        self.broken: WuhuError | None = None
        self.counts: Counter[str] = Counter()
        # What earlier runs of a resumed crawl asked for: resource -> (URL as it was spelled, capture that answered for good).
        self._had: dict[str, tuple[str, int | None]] = {}
        if resumed:
            for url, final in store.outcomes_of(crawl_id):
                # A redirect may lead to another URL of the same article: the later capture is the answer.
                had = self._had.setdefault(resource(url, portal), (url, final))
                if (final or 0) > (had[1] or 0):
                    self._had[resource(url, portal)] = (url, final)
        self._lock = lock
        self._store = store
        self._warc = warc
        self._commit_pages = commit_pages
        self._commit_seconds = commit_seconds
        self._next_capture = store.last_capture_id() + 1
        # What no page was read from yet, with the links whoever reads it leaves there.
        self._unread: dict[int, Capture] = {}
        # First pages of articles whose pieces are still under way.
        self._begun: dict[int, Capture] = {}
        self._uncommitted = 0
        self._last_commit = monotonic()
        self._ended = False

    @classmethod
    def open(
        cls,
        paths: ArchivePaths,
        portal: Portal,
        *,
        job: str,
        crawl_id: str | None = None,
        settings: Mapping[str, Any],
        operator: str | None,
        argv: Sequence[str],
        commit_pages: int = COMMIT_PAGES,
        commit_seconds: float = COMMIT_SECONDS,
        warc_max_size: int = WARC_MAX_SIZE,
        index: bool = True,
    ) -> ArchiveWriter:
        """Open the archive at `paths`, make or upgrade its database, begin a run (of a new crawl unless `crawl_id` is given).

        Raises ArchiveInUse, UsageError (a database of a newer revision), OutOfSpace, StorageError.
        """
        if clock.shift() and not portal.allow_private:
            raise UsageError(f"{clock.VARIABLE} is set, which is for simulations: {portal.name} is a portal of the real world")
        with storage_errors(f"opening the archive {paths.root}"):
            lock = ArchiveLock(paths.root)
        try:
            with storage_errors(f"opening the archive {paths.root}"):
                upgrade(paths.database_url)
                store = Store(make_engine(paths.database_url), index=index)
                paths.warc.mkdir(parents=True, exist_ok=True)
                recovered = recover(paths, store)
                seal_left_behind(paths, store)
                now = clock.now()
                serial = store.last_warc_serial() + 1
                crawl = crawl_id or f"{now:%Y%m%d%H%M%S}-{job}-{serial}"
                started = store.crawl_started(crawl) or now
                warc = WarcWriter(
                    paths.warc,
                    portal=portal.name,
                    crawl_id=crawl,
                    serial=serial,
                    info=_warcinfo(portal, job, crawl, settings, operator, started=started, now=now),
                    max_size=warc_max_size,
                    index=paths.cdx,
                )
                # Only what the WARC file says already: no row may be there that a rebuild would not find.
                warc.sync()
                store.register_portal(portal)
                store.begin_crawl(crawl, portal.name, job, dict(settings), started)
                run_id = store.begin_run(crawl, pid=os.getpid(), argv=[shown(word) for word in argv], started_at=now)
        except BaseException:
            lock.release()
            raise
        return cls(
            paths,
            portal,
            lock=lock,
            store=store,
            warc=warc,
            crawl_id=crawl,
            run_id=run_id,
            recovered=recovered,
            resumed=crawl_id is not None,
            commit_pages=commit_pages,
            commit_seconds=commit_seconds,
        )

    @property
    def database(self) -> Connection:
        """A connection for questions: it sees what is committed. To be used in this thread, and for reading only."""
        return self._store.questions

    def record(
        self,
        exchange: Exchange,
        *,
        via: str | None = None,
        truncated: str | None = None,
        flags: Sequence[str] = (),
        origin: Capture | None = None,
    ) -> Capture:
        """Write the exchange to the WARC and return its capture. When this returns the bytes are in the file.

        `origin` is the capture a server may say has not been modified since.
        """
        with self._guard("writing the WARC"):
            revisit = None
            if exchange.status == 304 and origin is not None and exchange.head.complete and not truncated:
                revisit = Revisit(origin.record_id, origin.url, origin.captured_at, origin.payload_digest)
            if exchange.status == 200 and not truncated and exchange.body:
                digest = exchange.payload_digest
                known = self._store.payload(digest) if digest else None
                revisit = Revisit(*known) if known else None
            written = self._warc.write_exchange(exchange, via=via, truncated=truncated, revisit=revisit)
            capture = Capture(
                id=self._next_capture,
                crawl_id=self.crawl_id,
                run_id=self.run_id,
                url=exchange.url,
                method=exchange.method,
                status=exchange.status,
                captured_at=exchange.started_at,
                record_id=written.record_id,
                record_type=written.record_type,
                refers_to=revisit.record_id if revisit else None,
                warc_file=written.warc_file,
                offset=written.offset,
                length=written.length,
                payload_digest=written.payload_digest,
                block_digest=written.block_digest,
                payload_length=written.payload_length,
                content_type=exchange.content_type,
                ip=exchange.ip,
                truncated=truncated,
                flags=list(flags),
                via=via,
            )
            self._next_capture += 1
            self._unread[capture.id] = capture
            self._store.add_capture(capture)
        self.counts["captures"] += 1
        self._uncommitted += 1
        return capture

    def persist(self, item: PageItem | Assembled) -> None:
        """Queue a page's rows and the outcome of its URL; `item.capture_id` names a capture of this crawl.

        That the page was read, from where it was reached and what it leads to, is noted in the WARC. An article being put
        together comes once for its first page, and again when more is known of its pieces, whose own URLs end by themselves.
        """
        if isinstance(item, Assembled):
            self._persist_assembled(item)
            return
        with self._guard("storing a page"):
            capture = self._unread.pop(item.capture_id or 0, None) or self._store.capture(item.capture_id or 0)
            if capture is None:
                raise StorageError(f"{item.url}: there is no capture {item.capture_id}")
            item.portal, item.captured_at = self.portal.name, capture.captured_at
            # A page cut short is no version of its article.
            digest = article_digest(item) if isinstance(item, Article) and not capture.truncated else None
            outcome = self._respelled(page_outcome(item, capture))
            if capture.run_id == self.run_id:
                self._note_page(capture, outcome)
            self._store.add_page(item, article_digest=digest, page_digest=page_digest(item))
        self.counts[f"pages/{item.kind}"] += 1
        self._settle(outcome)

    def _persist_assembled(self, item: Assembled) -> None:
        article = item.article
        with self._guard("storing an article"):
            first = self._unread.pop(article.capture_id or 0, None)
            capture = first or self._begun.get(article.capture_id or 0) or self._store.capture(article.capture_id or 0)
            if capture is None:
                raise StorageError(f"{article.url}: there is no capture {article.capture_id}")
            article.portal, article.captured_at = self.portal.name, capture.captured_at
            new = capture.id not in self._begun
            # An article of an earlier run is stored as that left it, until this one has seen all of its pieces.
            known = capture.run_id != self.run_id and not item.ended
            outcome = self._respelled(page_outcome(article, capture))
            if new and capture.run_id == self.run_id:
                self._note_page(capture, outcome)
            digest = article_digest(article) if item.complete and item.ended and not capture.truncated else None
            if not known:
                self._store.add_page(
                    article, article_digest=digest, page_digest=page_digest(article), pieces=item.pieces, ended=item.ended
                )
        if item.ended:
            self._begun.pop(capture.id, None)
            self.counts["pages/article"] += 1
        else:
            self._begun[capture.id] = capture
        if new:
            self._settle(outcome)

    def outcome(self, outcome: Outcome) -> None:
        """Queue how a URL ended other than by its page, and note it in the WARC: no rebuild could know it else."""
        when = outcome.at or clock.now()
        with self._guard("storing an outcome"):
            capture = None
            if outcome.capture_id is not None:
                capture = self._unread.pop(outcome.capture_id, None) or self._store.capture(outcome.capture_id)
            told = replace(self._respelled(outcome), at=when, reason=one_line(outcome.reason))
            about = capture.record_id if capture else None
            self._warc.write_metadata(told.url, _outcome_fields(told), refers_to=about, at=when)
        self._settle(told)

    def walked(self, walk: Walked) -> None:
        """Queue how far a listing is known, behind the pages it was seen on; the WARC says nothing of it."""
        with self._guard("storing a walk"):
            self._store.add_walk(self.crawl_id, self.portal.name, walk)
        self._uncommitted += 1

    def _settle(self, outcome: Outcome) -> None:
        with self._guard("storing an outcome"):
            self._store.add_outcome(self.crawl_id, outcome, asked_number(outcome.url, self.portal))
        self.counts[f"outcome/{outcome.outcome}"] += 1
        self.counts["requisites"] += outcome.requisite is not None
        self._uncommitted += 1
        self.tick()

    def _respelled(self, outcome: Outcome) -> Outcome:
        """Return the outcome under its URL's first spelling, so that it has one outcome however a later page links to it."""
        if not self._had:
            return outcome
        return replace(outcome, url=self._had.get(resource(outcome.url, self.portal), (outcome.url, None))[0])

    def _note_page(self, capture: Capture, outcome: Outcome) -> None:
        fields = [("via", capture.via)] if capture.via else []
        if outcome.url != capture.url:
            fields.append(("outcome-url", outcome.url))
        fields += _piece_fields(capture.piece_of)
        fields += [("outlink", url) for url in dict.fromkeys(capture.outlinks)]
        self._warc.write_metadata(capture.url, fields, concurrent_to=capture.record_id, at=capture.captured_at, wait=True)

    def adopt(self, name: str, fields: Sequence[tuple[str, str]]) -> Counter[str]:
        """Take in a WARC file of others that lies in warc/ under this name, and return what it brought.

        That it was is noted in a WARC file of ours first: what a kill leaves undone is done by the next process, and a rebuild
        does the same again. `fields` say what is known of the file.
        """
        self.commit()
        with self._guard(f"taking in {name}"):
            now, offset = clock.now(), self._warc.sync()[1]
            self._warc.write_metadata(f"{IMPORTED}{name}", [("file", name), *fields], at=now)
            self._warc.sync()
            replay = Replay(self._store, partial(read, self.paths.warc))
            replay.enter(head_of(self._warc.path), self._warc.warc_file, offset)
            for number, event in enumerate(events(self._warc.path, self._warc.warc_file, offset), 1):
                replay.play(self._warc.warc_file, event)
                if number % TAKEN_AT_ONCE == 0:
                    replay.commit()
            replay.commit()
            seal_left_behind(self.paths, self._store)
            self._next_capture = self._store.last_capture_id() + 1
        return Counter(captures=replay.captures, pages=replay.pages)

    def plan(self, rows: Sequence[dict[str, Any]], *, anew: bool = False) -> None:
        """Store rows of this crawl's plan at once; what a resumed crawl had planned stays, unless it is written `anew`."""
        if rows:
            with self._guard("storing the plan"):
                self._store.write_plan([{"crawl_id": self.crawl_id, **row} for row in rows], anew=anew)

    def tick(self) -> None:
        """Commit when the batch is full or old enough; cheap otherwise. The crawl calls it now and then on idle portals too."""
        waited = monotonic() - self._last_commit
        if self._uncommitted >= self._commit_pages or (self._uncommitted and waited >= self._commit_seconds):
            self.commit()

    def commit(self) -> None:
        """Sync the WARC, then commit the batch in one transaction."""
        with self._guard("committing"):
            position = self._warc.sync()
            sealed = self._warc.take_sealed()
            self.counts.update(self._store.commit(position, {each.name: each.size for each in sealed}))
            self._seal(sealed)
        self._uncommitted = 0
        self._last_commit = monotonic()

    def retrieve(self, url: str) -> Capture | None:
        """Return the final capture an earlier run of this crawl made of what the URL names, in whatever spelling; else None."""
        _, capture_id = self._had.get(resource(url, self.portal), ("", None)) if self._had else ("", None)
        capture = None if capture_id is None else self._store.capture(capture_id)
        leads_here = capture is not None and capture.status in REDIRECTS and identity(capture.url) != identity(url)
        return None if leads_here else capture

    def earlier(self, requisite: str) -> tuple[Capture, Capture] | None:
        """Return the latest capture an earlier crawl has of a requisite, and the response that holds its payload, which is the
        same unless that is a revisit; None when there is none."""
        return self._with_origin(self._store.requisite(requisite, self.crawl_id))

    def confirmable(self, confirms: Confirms, url: str, trust: int) -> tuple[Capture, Capture] | None:
        """Return the capture a server may confirm as still the latest of an article, and the response that holds its payload;
        None when the whole page is to be asked for.

        That is when the URL is another one by now (a redirect), when the page was not whole, and after `trust` such answers in
        a row: there are servers that date a page by its template while the text comes from a database.
        """
        found = self._store.capture(confirms.capture_id)
        if found is None or found.url != url or found.truncated or found.status not in (200, 304):
            return None
        return self._with_origin(found) if self._store.trusted(url, confirms.article_id, trust) else None

    def _with_origin(self, found: Capture | None) -> tuple[Capture, Capture] | None:
        origin = self._store.capture_of_record(found.refers_to) if found is not None and found.refers_to else found
        if found is None or origin is None or origin.record_type != "response" or origin.status != 200 or origin.truncated:
            return None
        return found, origin

    def has_requisite(self, url: str) -> bool:
        """Tell whether any crawl had an answer for a requisite."""
        return self._store.has_requisite(url)

    def original(self, capture: Capture) -> Exchange | None:
        """Return the exchange of the response a revisit refers to; None when it cannot be read, or for no revisit."""
        found = self._store.capture_of_record(capture.refers_to) if capture.refers_to else None
        try:
            return None if found is None else self.exchange(found)
        except StorageError:
            return None

    def exchange(self, capture: Capture) -> Exchange:
        """Return the recorded exchange of a capture; that of a revisit has the body of the capture it refers to.

        Raises StorageError when the record, or the one it refers to, cannot be read back.
        """
        origin = self._store.capture_of_record(capture.refers_to) if capture.refers_to else None
        place = None if origin is None else (origin.warc_file, origin.offset)
        try:
            return exchange_at(self.paths.warc, Source(capture.warc_file, capture.offset, capture.method, place))[1]
        except (WarcError, ValueError) as error:
            raise StorageError(f"the capture of {capture.url} cannot be read back: {error}") from error
        except OSError as error:
            raise StorageError(f"the capture of {capture.url} is gone: {error}") from error

    def close(self, exit_code: int, reason: str, stats: Mapping[str, Any]) -> None:
        """Commit what is left, close the WARC file, end the run and release the lock. Safe to call twice."""
        if self._ended:
            return
        self._ended = True
        try:
            if self.broken is None:
                self._end(exit_code, reason, stats)
        finally:
            self._store.close()
            self._lock.release()

    def _end(self, exit_code: int, reason: str, stats: Mapping[str, Any]) -> None:
        now = clock.now()
        status = _CRAWL_STATUS.get(exit_code, "interrupted")
        finished = None if status == "interrupted" else now
        with self._guard("closing the archive"):
            fields = [("crawl", self.crawl_id), ("status", status), ("exit-code", str(exit_code)), ("reason", reason)]
            fields += [("finished", finished.isoformat())] if finished else []
            self._warc.write_metadata(f"{CRAWL_END}{self.crawl_id}", fields, at=now)
        self.commit()
        with self._guard("closing the archive"):
            self._warc.close()
            self._seal(self._warc.take_sealed())
            self._store.end_run(self.run_id, finished_at=now, exit_code=exit_code, reason=reason, stats=dict(stats))
            self._store.end_crawl(self.crawl_id, finished, status)

    def _seal(self, closed: Sequence[Sealed]) -> None:
        """Keep the hash of WARC files that were closed, in the manifest and in the database."""
        for name, size, sha256 in closed:
            manifest.add(self.paths.manifest, {name: sha256})
            self._store.seal(name, size, sha256)

    @contextmanager
    def _guard(self, doing: str) -> Iterator[None]:
        if self.broken is not None:
            raise self.broken
        try:
            with storage_errors(f"{doing} in {self.paths.root}"):
                yield
        except (OutOfSpace, StorageError) as error:
            self.broken = error
            raise


def seal_left_behind(paths: ArchivePaths, store: Store) -> None:
    """Hash and index the closed WARC files a process that died, or an older version of this program, did not.

    A hash the manifest has already is taken from there: it is older than whatever happened to the file since.
    Raises OSError, and StorageError for a manifest that cannot be read.
    """
    closed = [name for name in store.unsealed() if (paths.warc / name).exists()]
    if not closed:
        return
    try:
        known = manifest.read(paths.manifest)
    except manifest.ManifestError as error:
        raise StorageError(f"{error}; put back a copy of it, or move it away to have it made anew") from error
    for name in closed:
        path = paths.warc / name
        sha256 = known.get(name) or manifest.sha256_of(path)
        if name not in known:
            manifest.add(paths.manifest, {name: sha256})
        if not (paths.cdx / index_name(name)).exists():
            with suppress(WarcError):  # `wuhu verify` says what is wrong with the file; a crawl must not depend on it
                write_index(path, name, paths.cdx / index_name(name))
        store.seal(name, path.stat().st_size, sha256)


def _outcome_fields(outcome: Outcome) -> list[tuple[str, str]]:
    fields = [("outcome", outcome.outcome), ("reason", outcome.reason), ("via", outcome.via)]
    if outcome.until is not None:
        fields.append(("until", outcome.until.astimezone(UTC).isoformat()))
    if outcome.requisite is not None:
        fields += [("requisite", outcome.requisite.kind), ("requisite-url", outcome.requisite.url)]
    return [*((name, value) for name, value in fields if value), *_piece_fields(outcome.piece_of)]


def _piece_fields(piece_of: PieceOf | None) -> list[tuple[str, str]]:
    return [] if piece_of is None else [("piece-of", piece_of.record_id), ("piece-url", piece_of.url)]


def _warcinfo(
    portal: Portal,
    job: str,
    crawl: str,
    settings: Mapping[str, Any],
    operator: str | None,
    *,
    started: datetime,
    now: datetime,
) -> dict[str, str]:
    info = {
        "software": f"wuhu_crawler/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "robots": "obey",
        "isPartOf": crawl,
        "description": f"{job} of {portal.title} ({portal.name})",
        "http-header-user-agent": str(settings.get("USER_AGENT", "")),
    }
    if operator:
        info["operator"] = operator
    for name in sorted(settings):
        if name != "USER_AGENT":
            info[f"setting-{name.lower()}"] = str(settings[name])
    # For a rebuild, which knows nothing but the WARC files (docs/warc.md).
    info["wuhu-run"] = f"{now.isoformat()} {os.getpid()}"
    info["wuhu-started"] = started.isoformat()
    info["wuhu-portal"] = profile_json(portal)
    info["wuhu-settings"] = json.dumps(dict(settings), ensure_ascii=False, default=str)
    return info
