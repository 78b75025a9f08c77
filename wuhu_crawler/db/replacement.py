"""Building a database beside another one and putting it in its place, all or nothing: a file of SQLite, else see `schema`.

The one who does this holds the archive's lock, so nobody else writes; readers go on with the file they have open.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from ..errors import StorageError, UsageError
from . import models, schema
from .engine import make_engine, upgrade

SUFFIX = ".building"
_SIDES = ("", "-wal", "-shm", "-journal")
_BUSY = 10.0


def beside(target: Path | str) -> AbstractContextManager[Engine]:
    """Give an engine on a new, empty database beside `target`, and put it in its place when the block ends without error.

    `target` is a file or a URL.
    The old one, if there is one, gives up its operational rows to the new. After an error it is as it was.
    """
    if isinstance(target, Path):
        return _file_beside(target)
    parsed = make_url(target)
    if parsed.get_backend_name() == "postgresql":
        return schema.beside(target)
    if not parsed.database:
        raise UsageError(f"{target} names no file that could be made")
    return _file_beside(Path(parsed.database))


@contextmanager
def _file_beside(target: Path) -> Iterator[Engine]:
    building = target.with_name(target.name + SUFFIX)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(building)
    url = f"sqlite:///{building}"
    try:
        upgrade(url)
        engine = make_engine(url, scratch=True)
        try:
            yield engine
        finally:
            engine.dispose()
        if target.exists():
            _carry_over(target, building)
        _put_in_place(building, target)
    finally:
        _remove(building)


def _carry_over(old: Path, new: Path) -> None:
    """Copy the operational rows of crawls the new database has; a WARC file keeps what else is known of it."""
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("ATTACH DATABASE ? AS old", (str(old),))
        try:
            connection.execute("BEGIN")
            for name in models.OPERATIONAL:
                if name in models.metadata.tables:
                    _copy(connection, name)
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise StorageError(
                f"the operational rows of {old} cannot be read ({error}): move it away to make the database without them"
            ) from error


def _copy(connection: sqlite3.Connection, name: str) -> None:
    table = models.metadata.tables[name]
    had = {row[1] for row in connection.execute(f"PRAGMA old.table_info({name})")}
    shared = [column.name for column in table.columns if column.name in had]
    if not shared:
        return
    keys = [column.name for column in table.primary_key.columns]
    known = "crawl_id IN (SELECT id FROM crawl)" if "crawl_id" in table.c else "1"
    names = ", ".join(shared)
    rows = f"SELECT {names} FROM old.{name} WHERE {known}"  # noqa: S608 - names of our own models
    connection.execute(f"INSERT OR IGNORE INTO {name} ({names}) {rows}")
    derived = {"serial", "crawl_id", "committed", *keys}
    more = [column for column in shared if column not in derived] if name == "warc_file" else []
    for column in more:
        same = " AND ".join(f"o.{key} = {name}.{key}" for key in keys)
        source = f"SELECT o.{column} FROM old.{name} AS o WHERE {same}"  # noqa: S608 - names of our own models
        connection.execute(f"UPDATE {name} SET {column} = coalesce(({source}), {column})")  # noqa: S608


def _put_in_place(building: Path, target: Path) -> None:
    with closing(sqlite3.connect(building)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    _sync(building)
    if target.exists():
        _settle(target)
    for side in _SIDES[1:]:
        target.with_name(target.name + side).unlink(missing_ok=True)
    building.rename(target)
    for side in _SIDES[1:]:
        target.with_name(target.name + side).unlink(missing_ok=True)
    _sync(target.parent)


def _settle(target: Path) -> None:
    """Bring what stands in the old database's log into it: a log left behind would be taken for one of the new database."""
    try:
        with closing(sqlite3.connect(target, timeout=_BUSY)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError:
        return  # it cannot be read, and is about to be replaced
    if busy:
        raise StorageError(f"another process reads {target}: close it and rebuild again; the database was left as it is")


def _remove(building: Path) -> None:
    for side in _SIDES:
        building.with_name(building.name + side).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
