"""One archive folder, open for writing: what the crawl's pipelines and a rebuild share.

`ArchiveWriter` is the only writer. It keeps the two promises in the order of its calls: `record` puts the bytes into the WARC
before anybody parses them; `commit` syncs the WARC to disk and only then lets the database transaction follow. The first
storage error is final: every later call raises it again and nothing more is written. Knows no Scrapy.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from . import __version__
from .db.engine import make_engine, upgrade
from .db.store import Store
from .errors import OutOfSpace, StorageError, WuhuError
from .extract.digests import article_digest, page_digest
from .extract.urls import resource
from .items import Article, Capture, Outcome, OutcomeKind, PageItem
from .paths import ArchiveLock, ArchivePaths
from .portals import Portal
from .warc.records import Exchange, Revisit
from .warc.writer import WarcWriter

COMMIT_PAGES = 100
COMMIT_SECONDS = 1.0
WARC_MAX_SIZE = 1 << 30
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KIND_OUTCOMES: dict[str, OutcomeKind] = {"missing": "missing", "error": "failed", "blocked": "blocked"}


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
        resumed: bool = False,
        commit_pages: int = COMMIT_PAGES,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> None:
        self.paths = paths
        self.portal = portal
        self.crawl_id = crawl_id
        self.run_id = run_id
        self.broken: WuhuError | None = None
        self.counts: Counter[str] = Counter()
        # What earlier runs of a resumed crawl asked for: resource -> (URL as it was spelled, capture that answered for good).
        self._had: dict[str, tuple[str, int | None]] = {}
        if resumed:
            self._had = {resource(url, portal): (url, capture_id) for url, capture_id in store.outcomes_of(crawl_id)}
        self._lock = lock
        self._store = store
        self._warc = warc
        self._commit_pages = commit_pages
        self._commit_seconds = commit_seconds
        self._next_capture = store.last_capture_id() + 1
        self._pending: dict[int, Capture] = {}
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
        with _storage_errors(f"opening the archive {paths.root}"):
            lock = ArchiveLock(paths.root)
        try:
            with _storage_errors(f"opening the archive {paths.root}"):
                upgrade(paths.database_url)
                store = Store(make_engine(paths.database_url), index=index)
                now = datetime.now(UTC)
                serial = store.last_warc_serial() + 1
                crawl = crawl_id or f"{now:%Y%m%d%H%M%S}-{job}-{serial}"
                store.register_portal(portal)
                store.begin_crawl(crawl, portal.name, job, dict(settings), now)
                run_id = store.begin_run(crawl, pid=os.getpid(), argv=list(argv), started_at=now)
                warc = WarcWriter(
                    paths.warc,
                    portal=portal.name,
                    crawl_id=crawl,
                    serial=serial,
                    info=_warcinfo(portal, job, crawl, settings, operator),
                    max_size=warc_max_size,
                )
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
            resumed=crawl_id is not None,
            commit_pages=commit_pages,
            commit_seconds=commit_seconds,
        )

    def record(
        self,
        exchange: Exchange,
        *,
        via: str | None = None,
        truncated: str | None = None,
        flags: Sequence[str] = (),
    ) -> Capture:
        """Write the exchange to the WARC and return its capture. When this returns the bytes are in the file."""
        with self._guard("writing the WARC"):
            revisit = None
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
            self._pending[capture.id] = capture
            self._store.add_capture(capture)
        self.counts["captures"] += 1
        self._uncommitted += 1
        return capture

    def persist(self, item: PageItem) -> None:
        """Queue a page's rows and the outcome of its URL; `item.capture_id` names a capture of this run."""
        with self._guard("storing a page"):
            capture = self._pending.get(item.capture_id or 0) or self._store.capture(item.capture_id or 0)
            if capture is None:
                raise StorageError(f"{item.url}: there is no capture {item.capture_id}")
            item.portal, item.captured_at = self.portal.name, capture.captured_at
            # A page cut short is no version of its article.
            digest = article_digest(item) if isinstance(item, Article) and not capture.truncated else None
            self._store.add_page(item, article_digest=digest, page_digest=page_digest(item))
        self.counts[f"pages/{item.kind}"] += 1
        kind, reason = _outcome_of(item, capture)
        self.outcome(
            Outcome(
                url=capture.url, outcome=kind, reason=reason, capture_id=capture.id, at=capture.captured_at, via=capture.via
            )
        )

    def outcome(self, outcome: Outcome) -> None:
        """Queue how a URL ended. Without a capture it is also written to the WARC, so that a rebuild finds it."""
        when = outcome.at or datetime.now(UTC)
        if self._had:
            # The URL keeps its first spelling, so that it has one outcome however a later page links to it.
            outcome = replace(outcome, url=self._had.get(resource(outcome.url, self.portal), (outcome.url, None))[0])
        with self._guard("storing an outcome"):
            if outcome.capture_id is None:
                self._warc.write_metadata(outcome.url, _outcome_fields(outcome), refers_to=None, at=when)
            self._store.add_outcome(self.crawl_id, replace(outcome, at=when))
        self.counts[f"outcome/{outcome.outcome}"] += 1
        self._uncommitted += 1
        self.tick()

    def tick(self) -> None:
        """Commit when the batch is full or old enough; cheap otherwise. The crawl calls it now and then on idle portals too."""
        waited = monotonic() - self._last_commit
        if self._uncommitted >= self._commit_pages or (self._uncommitted and waited >= self._commit_seconds):
            self.commit()

    def commit(self) -> None:
        """Sync the WARC, then commit the batch in one transaction."""
        with self._guard("committing"):
            position = self._warc.sync()
            self.counts.update(self._store.commit(position))
        self._pending.clear()
        self._uncommitted = 0
        self._last_commit = monotonic()

    def retrieve(self, url: str) -> Capture | None:
        """Return the final capture an earlier run of this crawl made of what the URL names, in whatever spelling; else None."""
        _, capture_id = self._had.get(resource(url, self.portal), ("", None)) if self._had else ("", None)
        return None if capture_id is None else self._store.capture(capture_id)

    def close(self, exit_code: int, reason: str, stats: Mapping[str, Any]) -> None:
        """Commit what is left, close the WARC file, end the run and release the lock. Safe to call twice."""
        if self._ended:
            return
        self._ended = True
        try:
            if self.broken is None:
                self.commit()
                with self._guard("closing the archive"):
                    self._warc.close()
                    self._store.end_run(
                        self.run_id, finished_at=datetime.now(UTC), exit_code=exit_code, reason=reason, stats=dict(stats)
                    )
                    self._end_crawl(exit_code)
        finally:
            self._store.close()
            self._lock.release()

    def _end_crawl(self, exit_code: int) -> None:
        if exit_code == 0:
            self._store.end_crawl(self.crawl_id, datetime.now(UTC), "finished")
        elif exit_code == 1:
            self._store.end_crawl(self.crawl_id, datetime.now(UTC), "failed")
        else:
            self._store.end_crawl(self.crawl_id, None, "interrupted")

    @contextmanager
    def _guard(self, doing: str) -> Iterator[None]:
        if self.broken is not None:
            raise self.broken
        try:
            with _storage_errors(f"{doing} in {self.paths.root}"):
                yield
        except (OutOfSpace, StorageError) as error:
            self.broken = error
            raise


@contextmanager
def _storage_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace(f"no space left while {doing}: free some and resume the crawl") from error
        raise StorageError(f"{doing} failed: {error}") from error


def _outcome_of(item: PageItem, capture: Capture) -> tuple[OutcomeKind, str | None]:
    if capture.truncated:
        return "truncated", capture.truncated
    kind = _KIND_OUTCOMES.get(item.kind)
    if kind is not None:
        return kind, getattr(item, "reason", None)
    return ("revisit" if capture.record_type == "revisit" else "captured"), None


def _outcome_fields(outcome: Outcome) -> list[tuple[str, str]]:
    fields = [("outcome", outcome.outcome), ("reason", outcome.reason), ("via", outcome.via)]
    if outcome.until is not None:
        fields.append(("until", outcome.until.astimezone(UTC).isoformat()))
    return [(name, value) for name, value in fields if value]


def _warcinfo(portal: Portal, job: str, crawl: str, settings: Mapping[str, Any], operator: str | None) -> dict[str, str]:
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
    return info
