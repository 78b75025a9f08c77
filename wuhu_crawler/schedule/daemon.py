"""The daemon: it starts what is due, one run at a time, and waits for the next. A killed run is gone on with, a missed one is
caught up once.

`archive.lock` is the crawls' own; the daemon holds `schedule.lock`, so that there is one of it. A crawl started by hand beside
it is met as any other writer: the run waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ..db import engine
from ..errors import ArchiveInUse, UsageError
from ..paths import ArchiveLock, ArchivePaths
from .child import Child, is_alive, meaning
from .collection import load
from .commands import command, environment
from .due import Turn, bound, places, seconds, turns
from .ledger import Ended, Ledger
from .news import tell_of
from .retention import remove
from .timekeeper import Timekeeper

LOCK = "schedule.lock"
# How long a run waits for a writer that was started by hand, and how often a sleeping daemon looks at its collection file.
BUSY = timedelta(minutes=1)
GLANCE = timedelta(minutes=10)
_LOST = Ended("killed", "now", None, "the daemon ended before it did, and it is not at work any more")


class Daemon:
    """Runs a collection's jobs. `told` is called with each line of the daemon's log."""

    def __init__(
        self,
        paths: ArchivePaths,
        file: Path,
        timekeeper: Timekeeper,
        told: Callable[[str], None],
    ) -> None:
        """Open the schedule of an archive: its database is made or upgraded, one daemon at a time.

        Raises ArchiveInUse when another daemon has it, and what the collection file and the database raise.
        """
        self._paths, self._file, self._time, self._told = paths, file, timekeeper, told
        self._collection = load(file)
        self._read_at = file.stat().st_mtime
        self._lock = ArchiveLock(paths.root, LOCK, "schedule of the archive")
        self._stopped = False
        self._child: Child | None = None
        try:
            self._make_database()
            self._ledger = Ledger(paths.database_url)
        except BaseException:
            self._lock.release()
            raise
        self._take_over()

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.__exit__()
        self._lock.release()

    def stop(self) -> None:
        """End the run under way, so that it can be gone on with, and then the daemon. Safe in a signal handler."""
        self._stopped = True
        self._time.wake()
        if self._child is not None:
            self._child.stop()

    def run(self, until: datetime | None = None) -> None:
        """Start what is due, for ever; with `until` (UTC), what is due before it."""
        while not self._stopped and (until is None or self._time.now() < until):
            turn = self._next()
            now = self._time.now()
            if turn is not None and turn.begins_at <= now:
                self._take(turn)
                continue
            sleeps = GLANCE if turn is None else min(turn.begins_at - now, GLANCE)
            self._time.wait(seconds(sleeps if until is None else min(sleeps, until - now)))

    def run_due(self) -> int:
        """Start what is due by now, and return how many runs that was; what waits for a window or another writer is left."""
        began, done = self._time.now(), 0
        while not self._stopped and (turn := self._next()) is not None:
            now = self._time.now()
            if (turn.due_at > began and not turn.resumes) or turn.begins_at > now + self._collection.pause:
                break
            self._time.wait(seconds(turn.begins_at - now))
            done += 1
            if self._take(turn).exit_code == ArchiveInUse.exit_code:
                break
        return done

    def coming(self) -> list[Turn]:
        """Return the next turn of every job, the first in front."""
        return turns(self._collection, self._ledger.standings(), self._time.now(), self._ledger.free_at())

    def _next(self) -> Turn | None:
        self._read_again()
        self._ledger.see(((job.name, place) for job in self._collection.jobs for place in places(job)), self._time.now())
        found = turns(self._collection, self._ledger.standings(), self._time.now(), self._ledger.free_at())
        return found[0] if found else None

    def _take(self, turn: Turn) -> Ended:
        """Run a turn to its end."""
        now = self._time.now()
        argv = command(turn, self._collection, self._paths, now)
        number = self._ledger.begin(turn, argv, now)
        log = self._paths.logs / f"{number:06d}-{turn.job.name}{f'-{turn.portal}' if turn.portal else ''}.log"
        name = f"run {number}, {turn.job.name}{f' of {turn.portal}' if turn.portal else ''}"
        self._told(
            f"{name}: {'goes on' if turn.resumes else 'begins'}, due {turn.due_at.astimezone(self._collection.zone):%F %H:%M}"
        )
        ended = self._supervise(turn, argv, number, log, now)
        self._ledger.end(number, ended, self._time.now())
        self._told(f"{name}: {ended.status}, {ended.reason}")
        now = self._time.now()
        for failed in tell_of(self._ledger.engine, self._collection, self._paths, number, turn, ended, now):
            self._told(f"{name}: nobody was told by {failed}")
        if removed := remove(self._paths, self._collection, self._time.now()):
            self._told(f"{removed} old files of logs, reports and exports removed")
        if ended.exit_code == ArchiveInUse.exit_code and not self._stopped:
            self._time.wait(seconds(BUSY))
        return ended

    def _supervise(self, turn: Turn, argv: list[str], number: int, log: Path, now: datetime) -> Ended:
        limit = bound(turn.job, self._collection, now)
        variables = {**environment(self._collection, self._paths), **self._time.environment()}
        try:
            self._child = child = Child(argv, variables, log)
        except OSError as error:
            return Ended("failed", None, None, f"its process could not be started: {error}")
        try:
            self._ledger.started(number, child.pid, str(log.relative_to(self._paths.root)))
            if self._stopped:
                child.stop()
            code = child.wait(None if limit is None else seconds(limit[0] - now))
            ended_by = None
            if code is None:
                ended_by = limit[1] if limit else None
                child.stop()
                code = child.wait(None)
        except BaseException:
            child.stop()
            child.wait(None)
            raise
        finally:
            self._child = None
        resumable = turn.job.is_crawl or turn.job.do == "verify"
        return meaning(code or 0, resumable=resumable, bound=ended_by, asked=self._stopped or ended_by is not None)

    def _make_database(self) -> None:
        if engine.revision(self._paths.database_url) == engine.head():
            return
        lock = ArchiveLock(self._paths.root)
        try:
            engine.upgrade(self._paths.database_url)
        finally:
            lock.release()

    def _take_over(self) -> None:
        """Settle the runs of a daemon that was killed: those whose process is gone are gone on with, the others waited for."""
        for run in self._ledger.running():
            if is_alive(run.pid):
                self._told(
                    f"run {run.id}, {run.job}, of an earlier daemon is still at work as process {run.pid}: waiting for it"
                )
            while is_alive(run.pid) and not self._stopped:
                self._time.wait(seconds(BUSY))
            if not is_alive(run.pid):
                self._ledger.end(run.id, _LOST, self._time.now())

    def _read_again(self) -> None:
        """Read the collection file again when it was changed; one that is wrong is told, and what was read before stays."""
        try:
            changed = self._file.stat().st_mtime
        except OSError as error:
            changed = self._read_at
            self._told(f"the collection file cannot be read ({error}): going on with what it said")
        if changed == self._read_at:
            return
        self._read_at = changed
        try:
            self._collection = load(self._file)
        except UsageError as error:
            self._told(f"{error}; going on with what the file said before")
        else:
            self._told(f"{self._file} was read again")
