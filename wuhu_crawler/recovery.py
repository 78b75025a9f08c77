"""What a killed run left behind is taken in before anything new is written: whole records into the database, a torn tail into
quarantine, and its file is closed. Only the holder of the writer's lock may do this.

Every step can be killed and done again: the database follows first, then the file is cut, then it gets its final name.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from . import clock
from .captures import located, read
from .db.store import Store
from .paths import ArchivePaths
from .replay import ForeignFileError, Replay, Run, events, files_of, head_of, in_order
from .warc.reader import WarcError, iter_records

BATCH = 500
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Torn:
    """A tail that was cut off: of which file and where, how much, why it is no whole record, and where it lies now."""

    warc_file: str
    offset: int
    bytes: int
    reason: str
    sha256: str
    kept_as: str
    found_at: str


@dataclass(slots=True)
class Recovered:
    """What a recovery did."""

    files: list[str] = field(default_factory=list)
    captures: int = 0
    pages: int = 0
    adopted: int = 0
    torn: list[Torn] = field(default_factory=list)


def recover(paths: ArchivePaths, store: Store) -> Recovered:
    """Bring the database up to the end of every WARC file, and close the files killed runs left open.

    Raises OSError, OutOfSpace, StorageError; what was done by then stays done.
    """
    done = Recovered()
    store.interrupt_crawls()
    positions = store.warc_positions()
    names = [name for name in files_of(paths.warc) if _is_behind(paths, name, positions.get(name))]
    if not names:
        return done
    heads = {name: run for name in files_of(paths.warc) if (run := _head(paths, name, names, done)) is not None}
    replay = Replay(store, partial(read, paths.warc))
    order = in_order(names, heads)
    for place, name in enumerate(order):
        _take_in(paths, name, positions.get(name, 0), heads[name], replay, done)
        if place + 1 == len(order) or heads[order[place + 1]].id != heads[name].id:
            replay.end_run([other for other, run in heads.items() if run.id == heads[name].id])
            store.interrupt_crawls()
        close(paths, name)
        done.files.append(name)
    done.captures, done.pages, done.adopted = replay.captures, replay.pages, replay.adopted
    _report(done)
    return done


def behind(paths: ArchivePaths, positions: dict[str, int]) -> dict[str, int]:
    """Return the WARC files a recovery would look at, each with how many of its bytes the database has not followed."""
    found = {}
    for name in files_of(paths.warc):
        if _is_behind(paths, name, positions.get(name)):
            found[name] = max(0, located(paths.warc, name).stat().st_size - positions.get(name, 0))
    return found


def mend(paths: ArchivePaths) -> list[Torn]:
    """Close the files killed runs left open, their torn tails in quarantine, without looking at any database. Raises OSError.

    For a rebuild, which reads all of them anyway.
    """
    torn = []
    for path in sorted(paths.warc.glob("*.warc.gz.open")):
        name = path.name.removesuffix(".open")
        try:
            for _ in iter_records(path):
                pass
        except WarcError as error:
            torn.append(quarantine(paths, name, error))
        if path.exists() and not path.stat().st_size:
            path.unlink()
        close(paths, name)
    return torn


def close(paths: ArchivePaths, name: str) -> None:
    """Give a file left open its final, read-only name; raises OSError."""
    path = paths.warc / f"{name}.open"
    if not path.exists():
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o444)
    path.rename(paths.warc / name)
    _sync(paths.warc)


def quarantine(paths: ArchivePaths, name: str, error: WarcError) -> Torn:
    """Move what lies behind the last whole record of an open file into the quarantine, with a report; raises OSError."""
    path = paths.warc / f"{name}.open"
    with path.open("r+b") as file:
        file.seek(error.offset)
        tail = file.read()
        kept = paths.quarantine / f"{name}.{error.offset}.tail"
        torn = Torn(name, error.offset, len(tail), error.reason, sha256(tail).hexdigest(), kept.name, clock.now().isoformat())
        paths.quarantine.mkdir(parents=True, exist_ok=True)
        _write(kept, tail)
        _write(kept.with_suffix(".json"), json.dumps(asdict(torn), ensure_ascii=False, indent=2).encode() + b"\n")
        _sync(paths.quarantine)
        file.truncate(error.offset)
        os.fsync(file.fileno())
    if error.offset == 0:
        path.unlink()
    logger.warning("%s ends in a torn record: its last %d bytes from %d on are now %s", name, len(tail), error.offset, kept)
    return torn


def _is_behind(paths: ArchivePaths, name: str, committed: int | None) -> bool:
    path = located(paths.warc, name)
    size = path.stat().st_size
    if committed is not None and size < committed:
        logger.error(
            "%s is %d bytes long, but the database knows of %d: part of it is lost, see `wuhu rebuild`", path, size, committed
        )
        return False
    return path.name.endswith(".open") or committed is None or size > committed


def _head(paths: ArchivePaths, name: str, behind: list[str], done: Recovered) -> Run | None:
    """Return which run a file is of; a file without any whole record goes into quarantine, one of others is passed over."""
    path = located(paths.warc, name)
    try:
        return head_of(path)
    except ForeignFileError as error:
        if path.name.endswith(".open") and not path.stat().st_size:
            path.unlink()
        elif name in behind:
            logger.warning("%s is left alone: %s", path, error)
    except WarcError as error:
        if path.name.endswith(".open"):
            done.torn.append(quarantine(paths, name, error))
        else:
            logger.error("%s is damaged, see `wuhu rebuild`: %s", path, error)
    return None


def _take_in(paths: ArchivePaths, name: str, offset: int, run: Run, replay: Replay, done: Recovered) -> None:
    path = located(paths.warc, name)
    if offset:
        replay.enter(run, name, offset)
    try:
        for number, event in enumerate(events(path, name, offset), 1):
            replay.play(name, event)
            if number % BATCH == 0:
                replay.commit()
    except WarcError as error:
        if not path.name.endswith(".open"):
            logger.error("%s is damaged, see `wuhu rebuild`: %s", path, error)
        else:
            done.torn.append(quarantine(paths, name, error))
    replay.commit()


def _report(done: Recovered) -> None:
    logger.info(
        "Recovered %d captures and %d pages a killed run had not committed, from %s%s",
        done.captures,
        done.pages,
        ", ".join(done.files) or "no file",
        f"; {len(done.torn)} torn" if done.torn else "",
    )


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
