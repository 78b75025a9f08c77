"""One check from its beginning to its end: what is read, in which order, what is kept of it, and how it is taken up again.

A sample reads whole files, those that were read longest ago first, until its share of the bytes is reached, and the same share
of the captures in all other files, chosen by chance. So a sample of 5 % each night has read everything in three weeks.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from ..db import engine as db_engine
from ..db import models
from ..db.failures import translated
from ..db.fixity import FixityLog
from ..errors import StorageError
from ..paths import ArchivePaths
from ..warc import manifest
from . import shelf, tables
from .findings import Finding, limited
from .records import FileCheck, check_row
from .shelf import Held

_PIECE = 1 << 20
_CHUNK = 500
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Progress:
    """How far a check has come; bytes are those of WARC files."""

    files: int
    files_done: int = 0
    bytes: int = 0
    bytes_done: int = 0
    findings: int = 0


@dataclass(slots=True)
class Report:
    """What a check did and found. `run` is its number in the log; None when that could not be written, `unlogged` says why."""

    share: float
    run: int | None = None
    unlogged: str | None = None
    resumed: bool = False
    files_done: list[str] = field(default_factory=list)
    records: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)


class Verification:
    """A check of the archive at `paths`; `run` it once. `told` is called as it goes on."""

    def __init__(self, paths: ArchivePaths, *, share: float = 1.0, told: Callable[[Progress], None] = lambda _: None) -> None:
        self.report = Report(share)
        self._paths = paths
        self._told = told
        self._engine: Engine = db_engine.make_engine(paths.database_url, readonly=True)
        self._log: FixityLog | None = None
        self._settled: Counter[str] = Counter()
        self._progress = Progress(0)

    def run(self, *, resume: bool = False) -> Report:
        """Read, compare, and return what was found. Raises OSError; after an interrupt it can be resumed."""
        self._begin(resume)
        try:
            self._check()
        except BaseException:
            self._end("interrupted")
            raise
        self._end("damaged" if self.report.findings else "sound")
        return self.report

    def _begin(self, resume: bool) -> None:
        if self._paths.is_backup:
            self.report.unlogged = "it is of a backup, into which only `wuhu backup` writes"
            return
        log = FixityLog(self._paths.database_url)
        try:
            last = log.resume() if resume else None
            if last is not None:
                self.report.run, self.report.share, self.report.resumed = last.id, last.share, True
                self.report.files_done, self.report.records, self.report.bytes = last.files_done, last.records, last.bytes
                self.report.findings = [Finding(row.kind, row.text, row.file, row.offset) for row in last.findings]
            else:
                self.report.run = log.begin(self.report.share)
            self._log = log
        except StorageError as error:
            self.report.unlogged = str(error)
            log.close()

    def _end(self, status: str) -> None:
        if self._log is not None:
            self._log.end(status)
            self._log.close()
        self._engine.dispose()

    def _check(self) -> None:
        files = self._files()
        chosen = self._chosen(files)
        self._progress = Progress(len(chosen), bytes=sum(self._size(file) for file in chosen))
        self._tell()
        for file in chosen:
            if file.name not in self.report.files_done and self._paths.warc_file(file.name).exists():
                self._check_file(file)
        # One entry in the log, so that a check that is resumed tells nothing twice.
        found = [*self._overview(files), *self._database_findings(whole=not self.report.resumed and self.report.share == 1)]
        if self.report.share < 1:
            found += self._sampled([file for file in files if file not in chosen])
        self._note(found)

    def _files(self) -> list[Held]:
        try:
            with self._reading() as connection:
                return shelf.held(connection)
        except StorageError:  # told as a finding by the overview; the files can be checked all the same
            names = sorted(shelf.closed_names(self._paths))
            listed = manifest.read(self._paths.manifest)
            return [Held(name, "", 0, None, listed.get(name), None, None) for name in names]

    def _chosen(self, files: list[Held]) -> list[Held]:
        if self.report.share >= 1:
            return files
        closed = [file for file in files if file.size is not None]
        goal = self.report.share * sum(file.size or 0 for file in closed)
        chosen, size = [], 0
        for file in sorted(closed, key=lambda file: (file.checked_at or _NEVER, file.name)):
            if size >= goal:
                break
            chosen.append(file)
            size += file.size or 0
        return chosen

    def _overview(self, files: list[Held]) -> Iterator[Finding]:
        """The database as a whole, and the shelf; what a running crawl may just have changed is looked at a second time."""
        problems = db_engine.check(self._paths.database_url)
        yield from (Finding("database", problem) for problem in problems)
        found = list(shelf.findings(self._paths, files))
        if found:
            again = set(shelf.findings(self._paths, self._files()))
            yield from (finding for finding in found if finding in again)

    def _check_file(self, file: Held) -> None:
        done_before = self._progress.bytes_done
        found = list(limited(self._file_findings(file)))
        size = self._size(file)
        self.report.bytes += size
        self.report.files_done.append(file.name)
        self._progress.files_done += 1
        self._progress.bytes_done = done_before + size
        self._note(found, sound=None if found else file.name)

    def _file_findings(self, file: Held) -> Iterator[Finding]:
        path = self._paths.warc_file(file.name)
        if not path.name.endswith(".open"):
            yield from self._hash_findings(file, path)
        try:
            with self._reading() as connection:
                # The state of this moment: an open file's rows and its committed offset belong together.
                now = next((held for held in shelf.held(connection) if held.name == file.name), file)
                yield from self._record_findings(FileCheck(self._paths, now, connection))
        except StorageError:
            yield from self._record_findings(FileCheck(self._paths, file, None))

    def _record_findings(self, check: FileCheck) -> Iterator[Finding]:
        yield from check.findings()
        self.report.records += check.records
        self._settled += check.settled

    def _hash_findings(self, file: Held, path: Path) -> Iterator[Finding]:
        found, listed = self._sha256(path), self._listed()
        known = {"the database": file.sha256, "the manifest": listed.get(file.name)}
        wrong = [f"in {where} {sha256}" for where, sha256 in known.items() if sha256 not in (None, found)]
        if wrong:
            other = next((name for name, sha256 in listed.items() if sha256 == found), None)
            text = f"its SHA-256 is {found}, {', '.join(wrong)}" + (f": it is the file {other}" if other else "")
            yield Finding("hash", text, file.name)

    def _listed(self) -> dict[str, str]:
        try:
            return manifest.read(self._paths.manifest)
        except manifest.ManifestError:
            return {}

    def _sha256(self, path: Path) -> str:
        digest, before = hashlib.sha256(), self._progress.bytes_done
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                # Reading the records takes most of the time; the hash stands for a fifth of it.
                self._progress.bytes_done += len(piece) // 5
                self._tell()
        self._progress.bytes_done = before
        return digest.hexdigest()

    def _sampled(self, files: list[Held]) -> Iterator[Finding]:
        """Single captures, a share of them by chance, in the files that were not read whole."""
        by_name = {file.name: file for file in files}
        with self._reading() as connection:
            for row in _some_captures(connection, self.report.share):
                file = by_name.get(row.warc_file)
                path = self._paths.warc_file(row.warc_file)
                if file is not None and path.exists():
                    self.report.records += 1
                    yield from check_row(path, row, file)

    def _database_findings(self, *, whole: bool) -> Iterator[Finding]:
        """Rows against rows; whether every outcome is noted can only be told when every file was read in this run."""
        try:
            with self._reading() as connection:
                by_table: defaultdict[str | None, list[Finding]] = defaultdict(list)
                for finding in tables.findings(connection):
                    by_table[finding.file].append(finding)
                if whole:
                    by_table["table outcome"] += tables.unnoted(connection, self._paths, self._settled)
                for found in by_table.values():
                    yield from limited(found)
        except StorageError as error:
            yield Finding("database", str(error))

    def _note(self, findings: Any, *, sound: str | None = None) -> None:
        found = list(findings)
        self.report.findings += found
        self._progress.findings = len(self.report.findings)
        self._tell()
        if self._log is not None:
            report = self.report
            self._log.note(
                files_done=report.files_done, records=report.records, bytes_read=report.bytes, findings=found, sound=sound
            )

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A read transaction whose errors are ours."""
        with translated(), self._engine.connect() as connection:
            yield connection

    def _size(self, file: Held) -> int:
        path = self._paths.warc_file(file.name)
        return path.stat().st_size if path.exists() else 0

    def _tell(self) -> None:
        self._told(self._progress)


def _some_captures(connection: Connection, share: float) -> Iterator[Row[Any]]:
    known = models.capture.c
    last = connection.execute(select(known.id).order_by(known.id.desc()).limit(1)).scalar_one_or_none() or 0
    chance = random.Random()  # noqa: S311 - which records are looked at tonight is no secret
    numbers = sorted(chance.sample(range(1, last + 1), min(last, max(1, round(last * share))) if last else 0))
    for start in range(0, len(numbers), _CHUNK):
        wanted = select(models.capture).where(known.id.in_(numbers[start : start + _CHUNK])).order_by(known.id)
        yield from connection.execute(wanted).all()
