"""The database made again from the WARC files alone: records are read and pages extracted on all cores, one writer commits in
order.

The reader runs ahead of the writer by a bounded number of records, so memory does not grow with the archive; it looks ahead far
enough to know which answers the crawl read as pages before they are handed out. While it works the process has no network.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

from sqlalchemy import Engine

from .captures import Reading, Source, Wanted, located, read
from .db.engine import hosts, shown
from .db.failures import translated
from .db.replacement import beside
from .db.search import reindex
from .db.store import Store
from .errors import CheckFailed, StorageError, UsageError
from .paths import storage_errors
from .portals import Portal
from .replay import (
    Answered,
    Began,
    Event,
    ForeignFileError,
    Imported,
    PageRead,
    Replay,
    Run,
    UrlEnded,
    events,
    files_of,
    head_of,
    in_order,
)
from .warc.reader import WarcError, next_record

# Events the reader is ahead of those handed out; a page's metadata record is seldom further from its answer.
AHEAD = 600
CHUNK = 24
COMMIT = 1000
# Answers whose place is remembered for revisits that come before they are committed.
REMEMBERED = 20_000
FAMILIES = (socket.AF_INET, socket.AF_INET6)
_NETWORK = frozenset({"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})


@dataclass(slots=True)
class Damage:
    """Bytes of a WARC file that are no whole record; `until` is where the next one begins, None when there is none."""

    warc_file: str
    offset: int
    until: int | None
    reason: str


@dataclass(slots=True)
class Progress:
    """How far a rebuild has come. `bytes` are those of WARC files read, of `total`."""

    total: int = 0
    bytes: int = 0
    captures: int = 0
    pages: int = 0
    seconds: float = 0.0
    index_seconds: float = 0.0
    doing: str = "reading"
    damage: list[Damage] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


class _Task(NamedTuple):
    source: Source
    crawl_id: str
    portal: Portal
    wanted: Wanted


class _Chunk(NamedTuple):
    """Events in their order, and the answers among them being read."""

    events: list[tuple[str, Event]]
    readings: Future[list[Reading]] | None


class Files(NamedTuple):
    """The WARC files of an archive in the order they were written in, with what their heads say."""

    folder: Path
    order: list[str]
    heads: Mapping[str, Run]
    foreign: list[str]
    # Files whose first record cannot be read: nobody knows what the others are of.
    headless: list[Damage]


def files_in(folder: Path, profiles: Mapping[str, Portal] | None = None) -> Files:
    """Return the WARC files in a folder. Raises UsageError for one whose portal is not known."""
    heads, foreign, headless = {}, [], []
    for name in files_of(folder):
        try:
            heads[name] = head_of(located(folder, name), profiles)
        except ForeignFileError:
            foreign.append(name)
        except WarcError as error:
            if not (error.offset == 0 and located(folder, name).name.endswith(".open")):
                headless.append(Damage(name, error.offset, None, error.reason))
    return Files(folder, in_order(list(heads), heads), heads, foreign, headless)


@contextmanager
def offline(but_for: Collection[str] = ()) -> Iterator[None]:
    """Refuse every network socket of this process, and of those it starts meanwhile, for the length of a block.

    `but_for` are the names of hosts that may be looked up: a database server's, whose driver has connections of its own.
    """
    if not _Guard.installed:
        sys.addaudithook(_Guard.hook)
        _Guard.installed = True
    _Guard.active += 1
    _Guard.known = frozenset(but_for)
    try:
        yield
    finally:
        _Guard.active -= 1


class _Guard:
    """The audit hook, which cannot be taken out again."""

    installed = False
    active = 0
    known: frozenset[str] = frozenset()

    @staticmethod
    def hook(event: str, args: tuple[Any, ...]) -> None:
        if not _Guard.active or not event.startswith("socket."):
            return
        if event == "socket.getaddrinfo" and args[0] in _Guard.known:
            return
        if (event == "socket.__new__" and args[1] in FAMILIES) or event in _NETWORK:
            raise OfflineError(f"{event} while the network is shut off")


class OfflineError(RuntimeError):
    """Something tried to use the network during a rebuild."""


def rebuild(
    folder: Path,
    target: Path | str,
    *,
    index: bool = True,
    profiles: Mapping[str, Portal] | None = None,
    workers: int | None = None,
    skip_damaged: bool = False,
    tell: Callable[[Progress], None] | None = None,
) -> Progress:
    """Make the database at `target`, a file or an URL, from the WARC files in `folder` and put it in place, all or nothing.

    Raises UsageError (no files, an unknown portal), CheckFailed for damaged files unless they may be skipped, StorageError,
    OutOfSpace; the database is then as it was.
    """
    url = target if isinstance(target, str) else f"sqlite:///{target}"
    files = files_in(folder, profiles)
    if files.headless and not skip_damaged:
        raise CheckFailed(_damaged(files.headless))
    if not files.order:
        raise UsageError(f"there are no WARC files of ours in {folder}")
    with offline(hosts(url)), storage_errors(f"rebuilding {shown(url)}"):
        pool = make_pool(workers)
        try:
            with beside(target) as engine:
                progress = fill(engine, files, pool, tell)
                damage = [each for each in progress.damage if not _is_growing(folder, each)]
                if damage and not skip_damaged:
                    raise CheckFailed(_damaged(damage))
                if index:
                    _index(engine, progress, tell)
        except BrokenProcessPool as error:
            raise StorageError(
                "a reading process was ended from outside, perhaps for want of memory: use fewer --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
    return progress


def fill(engine: Engine, files: Files, pool: ProcessPoolExecutor, tell: Callable[[Progress], None] | None = None) -> Progress:
    """Play every file into an empty database, the search index apart. Raises StorageError, OutOfSpace, OSError.

    Damaged records are passed over and told of in the result; what to do about them is the caller's to say.
    """
    with Store(engine, index=False) as store:
        return _Filling(store, files, pool, tell).run()


def make_pool(workers: int | None = None) -> ProcessPoolExecutor:
    """Return the reading processes, started: before a database is opened, which a forked process must not hold."""
    count = workers or len(os.sched_getaffinity(0))
    _tune_collector()
    pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("fork"), initializer=_begin_reading)
    pool.submit(int).result()
    return pool


def _tune_collector() -> None:
    """What is loaded by now stays; a page leaves few objects in circles, and looking for them often costs time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _begin_reading() -> None:
    """What a reading process does first: it ends with the one that started it, however that ends, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _tune_collector()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        sleep(1)
    os._exit(1)


class _Filling:
    """One rebuild under way."""

    def __init__(self, store: Store, files: Files, pool: ProcessPoolExecutor, tell: Callable[[Progress], None] | None) -> None:
        self._store = store
        self._files = files
        self._pool = pool
        self._tell = tell
        self._replay = Replay(store, partial(read, files.folder))
        sizes = [self._path(name).stat().st_size for name in files.order]
        self._progress = Progress(total=sum(sizes), foreign=files.foreign, damage=[*files.headless])
        self._before = dict(zip(files.order, accumulate([0, *sizes]), strict=False))
        self._pages: set[str] = set()
        self._pieces: set[str] = set()
        self._ours: set[str] = set()
        self._places: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._uncommitted = 0
        self._began = monotonic()
        self._told = 0.0
        # The most chunks being read or waiting to be written at once.
        self._most = 2 * (pool._max_workers + 1)  # type: ignore[attr-defined]  # our own argument, which the pool keeps

    def run(self) -> Progress:
        """Play everything."""
        waiting: deque[_Chunk] = deque()
        for chunk in self._chunks():
            waiting.append(chunk)
            if len(waiting) > self._most:
                self._write(waiting.popleft())
        while waiting:
            self._write(waiting.popleft())
        self._end_run()
        self._replay.commit()
        self._note(force=True)
        return self._progress

    def _chunks(self) -> Iterator[_Chunk]:
        """Yield the events in chunks; the answers in them are handed to the pool."""
        run: Run | None = None
        chunk: list[tuple[str, Event]] = []
        tasks: list[_Task] = []
        for name, event in self._looking_ahead():
            if isinstance(event, Began):
                run = event.run
            elif isinstance(event, Imported) and event.warc_file in self._progress.foreign:
                self._progress.foreign.remove(event.warc_file)
            elif isinstance(event, Answered) and run is not None:
                self._places[event.record_id] = (event.source.warc_file, event.source.offset)
                tasks.append(_Task(self._sourced(event), run.crawl_id, run.portal, self._wanted(run, event)))
            chunk.append((name, event))
            if len(tasks) >= CHUNK or len(chunk) >= AHEAD:
                yield self._handed_out(chunk, tasks)
                chunk, tasks = [], []
        yield self._handed_out(chunk, tasks)

    def _handed_out(self, chunk: list[tuple[str, Event]], tasks: list[_Task]) -> _Chunk:
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)
        return _Chunk(chunk, self._pool.submit(_read_all, self._files.folder, tasks) if tasks else None)

    def _looking_ahead(self) -> Iterator[tuple[str, Event]]:
        ahead: deque[tuple[str, Event]] = deque()
        for name, event in self._events():
            if isinstance(event, PageRead | UrlEnded) and event.record_id and _is_piece(event):
                self._pieces.add(event.record_id)
            elif isinstance(event, PageRead):
                self._pages.add(event.record_id)
            elif isinstance(event, UrlEnded) and event.is_ours and event.record_id:
                self._ours.add(event.record_id)
            ahead.append((name, event))
            if len(ahead) > AHEAD:
                yield ahead.popleft()
        yield from ahead

    def _events(self) -> Iterator[tuple[str, Event]]:
        for name in self._files.order:
            portal = self._files.heads[name].portal
            offset: int | None = 0
            while offset is not None:
                try:
                    yield from ((name, event) for event in events(self._path(name), name, offset, {portal.name: portal}))
                    break
                except WarcError as error:
                    offset = next_record(error.path, error.offset)
                    self._progress.damage.append(Damage(name, error.offset, offset, error.reason))

    def _path(self, name: str) -> Path:
        return located(self._files.folder, name)

    def _wanted(self, run: Run, event: Answered) -> Wanted:
        if not run.complete or event.record_id in self._ours:
            return "verdict"
        if event.record_id in self._pieces:
            return "piece"
        return "page" if event.record_id in self._pages else "capture"

    def _sourced(self, event: Answered) -> Source:
        place = self._places.get(event.refers_to) if event.refers_to else None
        return event.source._replace(origin=place) if place else self._replay.sourced(event)

    def _write(self, chunk: _Chunk) -> None:
        readings = iter(chunk.readings.result() if chunk.readings else ())
        for name, event in chunk.events:
            if isinstance(event, Began) and self._replay.run is not None and event.run.id != self._replay.run.id:
                self._end_run()
            answered = isinstance(event, Answered) and self._replay.run is not None
            self._replay.play(name, event, next(readings) if answered else None)
            if isinstance(event, PageRead | UrlEnded) and event.record_id:
                self._pages.discard(event.record_id)
                self._pieces.discard(event.record_id)
                self._ours.discard(event.record_id)
            self._uncommitted += answered
            self._progress.bytes = self._before[name] + event.end
        if self._uncommitted >= COMMIT:
            self._replay.commit()
            self._uncommitted = 0
        self._note()

    def _end_run(self) -> None:
        run = self._replay.run
        if run is not None:
            self._replay.end_run([name for name, head in self._files.heads.items() if head.id == run.id])

    def _note(self, *, force: bool = False) -> None:
        progress = self._progress
        progress.captures, progress.pages = self._replay.captures, self._replay.pages
        progress.seconds = monotonic() - self._began
        if self._tell is not None and (force or progress.seconds - self._told >= 0.5):
            self._told = progress.seconds
            self._tell(progress)


def _is_piece(event: PageRead | UrlEnded) -> bool:
    of = event.piece_of if isinstance(event, PageRead) else event.outcome.piece_of
    return of is not None


def _index(engine: Engine, progress: Progress, tell: Callable[[Progress], None] | None) -> None:
    began = monotonic()
    progress.doing = "indexing"
    if tell is not None:
        tell(progress)
    with translated(), engine.begin() as connection:
        reindex(connection)
    progress.index_seconds = monotonic() - began


def _is_growing(folder: Path, damage: Damage) -> bool:
    """Whether it is the end of a file somebody may be writing just now: a rebuild elsewhere takes what is whole."""
    return damage.until is None and located(folder, damage.warc_file).name.endswith(".open")


def _damaged(damage: list[Damage]) -> str:
    first = damage[0]
    return (
        f"{len(damage)} places in the WARC files are no whole records, the first in {first.warc_file} at {first.offset} "
        f"({first.reason}); the database was left as it is: put back a sound copy, or leave them out with --skip-damaged"
    )


def _read_all(folder: Path, tasks: list[_Task]) -> list[Reading]:
    """What a reading process does."""
    return [read(folder, task.source, task.crawl_id, task.portal, task.wanted) for task in tasks]
