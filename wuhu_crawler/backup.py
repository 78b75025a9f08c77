"""A second copy of an archive, made while a crawl goes on, and the way back. The copy is an archive itself.

First the database as it stands, by SQLite's own online copy; then every closed WARC file it names, and of a file being written
the bytes it has committed. So the copy agrees with itself whatever the crawl does meanwhile. Files that are there already are
left alone, and nothing is ever taken away from a copy.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import __version__, clock
from .db.engine import copy_sqlite, head, revision, shown
from .errors import OutOfSpace, StorageError, UsageError
from .paths import BACKUP_FACTS, ArchiveLock, ArchivePaths
from .warc import manifest
from .warc.cdx import index_name

FORMAT = "wuhu-backup-1"
_FOLDERS = ("quarantine", "reports")
_PIECE = 1 << 20

Told = Callable[[str], None]


@dataclass(slots=True)
class Copied:
    """What was copied: WARC files and bytes, how many were there already, and what is wrong, a sentence each."""

    files: int = 0
    bytes: int = 0
    kept: int = 0
    problems: list[str] = field(default_factory=list)


class _File(NamedTuple):
    name: str
    committed: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What backup.json says of a copy; `open` are the files copied as far as they were committed, name -> bytes."""

    format: str
    made_at: str
    program: str
    revision: str
    database_sha256: str
    files: int
    bytes: int
    open: dict[str, int]


def back_up(paths: ArchivePaths, folder: Path, told: Told = lambda _: None) -> Copied:
    """Bring the copy in `folder` up to date. Raises UsageError, ArchiveInUse, OutOfSpace, StorageError.

    A file whose bytes are not those its hash was made of is not copied; it is one of the problems returned.
    """
    source = _database_of(paths)
    _must_lie_apart(paths.root, folder)
    lock = ArchiveLock(folder)
    try:
        with _storage_errors(folder):
            done = Copied()
            (folder / "warc").mkdir(exist_ok=True)
            told("copying the database")
            _copy_database(source, folder / "archive.db.part")
            files = _files(folder / "archive.db.part")
            for number, file in enumerate(files, 1):
                told(f"{number} of {len(files)} WARC files: {file.name}")
                _back_up_file(paths, folder, file, done)
            _copy_small(paths.root, folder, files)
            _put_database(folder)
            _write_facts(folder, files)
        return done
    finally:
        lock.release()


def restore(folder: Path, target: Path, told: Told = lambda _: None) -> Copied:
    """Make an archive in `target`, which must be empty or not there, from the copy in `folder`.

    Every byte is held against the copy's hashes on the way; a file that fails is not put in place and is a problem returned.
    Raises UsageError, ArchiveInUse, OutOfSpace, StorageError.
    """
    facts = _read_facts(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is not empty: restore into a new folder with --to DIR, or move it away")
    _must_lie_apart(folder, target)
    lock = ArchiveLock(target)
    try:
        with _storage_errors(target):
            return _restore(folder, target, facts, told)
    finally:
        lock.release()


def _restore(folder: Path, target: Path, facts: _Facts, told: Told) -> Copied:
    done = Copied()
    (target / "warc").mkdir()
    told("copying the database")
    if _copy(folder / "archive.db", target / "archive.db") != facts.database_sha256:
        (target / "archive.db").unlink()
        done.problems.append("archive.db is not the one that was backed up; it can be made again from the WARC files")
    files = [_File(name, 0, sha256) for name, sha256 in manifest.read(folder / manifest.NAME).items()]
    files += [_File(name, size, None) for name, size in facts.open.items()]
    for number, file in enumerate(files, 1):
        told(f"{number} of {len(files)} WARC files: {file.name}")
        _restore_file(folder, target, file, done)
    _copy_small(folder, target, files)
    if (folder / manifest.NAME).exists():  # not before the first file was closed
        shutil.copyfile(folder / manifest.NAME, target / manifest.NAME)
    return done


def _restore_file(folder: Path, target: Path, file: _File, done: Copied) -> None:
    name = file.name if file.sha256 else f"{file.name}.open"
    source, copy = folder / "warc" / name, target / "warc" / name
    if not source.exists():
        done.problems.append(f"warc/{name} is not in the backup")
        return
    if file.sha256 is not None and _copy(source, copy) != file.sha256:
        copy.unlink()
        done.problems.append(f"warc/{name} is damaged: its SHA-256 is not that of the manifest")
        return
    if file.sha256 is None:
        _copy(source, copy, file.committed)
    else:
        copy.chmod(0o444)
    done.files += 1
    done.bytes += copy.stat().st_size


def _back_up_file(paths: ArchivePaths, folder: Path, file: _File, done: Copied) -> None:
    if file.sha256 is None:
        _back_up_open(paths, folder, file, done)
        return
    target = folder / "warc" / file.name
    known = manifest.read(folder / manifest.NAME).get(file.name)
    if target.exists() and known == file.sha256:
        done.kept += 1
        return
    if known is not None and known != file.sha256:
        done.problems.append(f"warc/{file.name} is another file in the backup, whose copy is kept: {known} there")
        return
    source = paths.warc / file.name
    if not source.exists():
        done.problems.append(f"warc/{file.name} is missing, so it cannot be copied")
        return
    part = target.with_name(f"{file.name}.part")
    # Once as it is read and once as it lies there: the copy is proven, not assumed.
    if _copy(source, part) != file.sha256 or manifest.sha256_of(part) != file.sha256:
        part.unlink()
        done.problems.append(f"warc/{file.name} is damaged, so it was not copied: its SHA-256 is not {file.sha256}")
        return
    part.chmod(0o444)
    part.rename(target)
    target.with_name(f"{file.name}.open").unlink(missing_ok=True)
    manifest.add(folder / manifest.NAME, {file.name: file.sha256})
    done.files += 1
    done.bytes += target.stat().st_size


def _back_up_open(paths: ArchivePaths, folder: Path, file: _File, done: Copied) -> None:
    """Copy what is committed of a file that was being written when the database was copied; it may be closed by now."""
    source, target = paths.warc_file(file.name), folder / "warc" / f"{file.name}.open"
    if not source.exists() or source.stat().st_size < file.committed:
        done.problems.append(f"warc/{file.name} is shorter than what the database has committed of it")
        return
    part = target.with_name(f"{file.name}.part")
    _copy(source, part, file.committed)
    part.rename(target)
    done.files += 1
    done.bytes += file.committed


def _copy_small(root: Path, folder: Path, files: list[_File]) -> None:
    (folder / "cdx").mkdir(exist_ok=True)
    for file in files:
        index = root / "cdx" / index_name(file.name)
        if file.sha256 is not None and index.exists():
            shutil.copyfile(index, folder / "cdx" / index.name)
    for name in _FOLDERS:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, dirs_exist_ok=True)


def _copy(source: Path, target: Path, size: int | None = None) -> str:
    """Copy a file (its first `size` bytes) to the disk and return the SHA-256 of what was read."""
    digest, left = hashlib.sha256(), size if size is not None else source.stat().st_size
    with source.open("rb") as reading, target.open("wb") as writing:
        while left and (piece := reading.read(min(_PIECE, left))):
            digest.update(piece)
            writing.write(piece)
            left -= len(piece)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def _copy_database(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    copy_sqlite(source, target)
    with closing(sqlite3.connect(target)) as connection:
        # In one file, without the log a reader would have to replay.
        connection.execute("PRAGMA journal_mode = DELETE")
        found = connection.execute("PRAGMA quick_check").fetchone()[0]
    if found != "ok":
        raise StorageError(f"the database's copy is not sound ({found}): run `wuhu db check`; the backup's own is untouched")


def _put_database(folder: Path) -> None:
    target = folder / "archive.db"
    for suffix in ("-wal", "-shm"):
        target.with_name(f"archive.db{suffix}").unlink(missing_ok=True)
    (folder / "archive.db.part").rename(target)


def _files(database: Path) -> list[_File]:
    with closing(sqlite3.connect(database)) as connection:
        return [
            _File(*row) for row in connection.execute("SELECT name, committed, sha256 FROM warc_file ORDER BY serial, name")
        ]


def _write_facts(folder: Path, files: list[_File]) -> None:
    kept = [folder / "warc" / file.name for file in files if file.sha256 is not None]
    facts = _Facts(
        format=FORMAT,
        made_at=clock.now().isoformat(),
        program=f"wuhu_crawler/{__version__}",
        revision=head(),
        database_sha256=manifest.sha256_of(folder / "archive.db"),
        files=len(files),
        bytes=sum(path.stat().st_size for path in kept if path.exists()),
        open={file.name: file.committed for file in files if file.sha256 is None},
    )
    part = folder / f"{BACKUP_FACTS}.part"
    part.write_text(json.dumps(asdict(facts), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.rename(folder / BACKUP_FACTS)


def _read_facts(folder: Path) -> _Facts:
    try:
        told = json.loads((folder / BACKUP_FACTS).read_text(encoding="utf-8"))
        facts = _Facts(**told)
    except OSError as error:
        raise UsageError(f"{folder} is no backup of an archive: {error.strerror}: {BACKUP_FACTS}") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{folder / BACKUP_FACTS} cannot be read as the facts of a backup: {error}") from error
    if facts.format != FORMAT:
        raise UsageError(f"the backup {folder} has the format {facts.format}, this program knows {FORMAT}")
    return facts


def _database_of(paths: ArchivePaths) -> Path:
    if not paths.database_url.startswith("sqlite:///"):
        raise UsageError(
            "only an archive with a SQLite database is backed up so: copy warc/ and cdx/ with rsync, and the database with "
            "pg_dump, or make it again from the WARC files with `wuhu rebuild`"
        )
    if revision(paths.database_url) != head():
        where = shown(paths.database_url)
        raise UsageError(f"there is no database of this program's revision at {where}: run `wuhu db upgrade`")
    return Path(paths.database_url.removeprefix("sqlite:///"))


def _must_lie_apart(one: Path, other: Path) -> None:
    first, second = one.resolve(), other.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise UsageError(f"{other} lies in the same folder as {one}: a copy has to lie apart from it")


@contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise OutOfSpace(f"no room left in {folder}: what was copied is sound; make room and do it again") from error
        raise StorageError(f"copying into {folder} failed: {error}") from error
    except (sqlite3.Error, manifest.ManifestError) as error:
        raise StorageError(f"copying into {folder} failed: {error}") from error
