"""Opening, creating, upgrading and checking the database, whatever URL it has.

SQLite is set up for durability (faults.md): WAL, synchronous=FULL, foreign keys on. A writer's transactions begin IMMEDIATE, so
that a second writer is met at BEGIN, where the busy timeout holds, and not in the middle. For PostgreSQL see `postgresql`.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from .. import clock
from ..errors import StorageError, UsageError
from . import dictionary, postgresql, statistics, views
from .failures import BUSY_SECONDS, translated
from .search import index_problems

MIGRATIONS = Path(__file__).parent / "migrations"
BACKUP_NAME = "{name}.backup-{revision}-{time:%Y%m%dT%H%M%SZ}"
PRAGMAS = {
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "busy_timeout": BUSY_SECONDS * 1000,
    "cache_size": -32768,  # KiB: the index of a large archive outgrows the default 2 MB at once
    "temp_store": "MEMORY",
}
# Before the @ of an URL, and among its parameters.
_URL_PASSWORD = re.compile(r"((?<=://)[^:/@\s]*:|[?&]password=)[^@&\s]+(?=@|&|\s|$)")
_EXAMPLES = "sqlite:///data/archive.db or postgresql+psycopg://user@host/archive"
SCRATCH = {"synchronous": "OFF", "journal_mode": "OFF", "foreign_keys": "OFF"}

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def make_engine(url: str, *, readonly: bool = False, scratch: bool = False) -> Engine:
    """Return an engine for `url`; with `readonly` nothing can be written through it, and a SQLite file must exist.

    `scratch` is for a database that is thrown away unless it is finished: nothing in it survives a crash.

    Raises UsageError when the URL cannot be read or there is no such file.
    """
    parsed = _parse(url)
    if readonly and _file(parsed) is not None:
        parsed = _readonly(parsed)
    if parsed.get_backend_name() == "postgresql":
        engine = postgresql.make(parsed, readonly=readonly, scratch=scratch, serializer=_encode)
    else:
        engine = create_engine(parsed, json_serializer=_encode)
        _configure_sqlite(engine, readonly, scratch)
    _keep_nul_out(engine)
    return engine


def shown(url: str) -> str:
    """Return a database URL, or a word that holds one, as it may be printed: without its password."""
    return _URL_PASSWORD.sub(r"\1***", url) if "postgresql" in url else url


def hosts(url: str) -> set[str]:
    """Return the names of the machines the database may be on; none for a file."""
    parsed = _parse(url)
    return postgresql.hosts(parsed) if parsed.get_backend_name() == "postgresql" else set()


def head() -> str:
    """Return the revision this version of the program works with."""
    return _revisions(MIGRATIONS)[-1]


@cache
def _revisions(folder: Path) -> list[str]:
    """Return the program's revisions in order; a migration's file name begins with its own."""
    names = sorted(path.name.partition("_")[0] for path in folder.glob("versions/[0-9]*.py"))
    if not names:
        raise StorageError("the program's own migrations are missing: install it again")
    return names


def revision(url: str) -> str | None:
    """Return the revision of the database at `url`, None when it has no tables yet or does not exist."""
    file = _file(_parse(url))
    if file is not None and not (file.exists() and file.stat().st_size):
        return None
    engine = make_engine(url, readonly=True)
    try:
        with translated(), engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def require_current(url: str) -> None:
    """Raise UsageError unless there is a database at `url` of the revision this program reads."""
    found = revision(url)
    if found is None:
        raise UsageError(f"there is no archive database at {shown(url)}: crawl first, or name the folder with --data DIR")
    if found != head():
        _require_known(found, url)
        raise UsageError(f"the database {shown(url)} is of an older revision ({found}): run `wuhu db upgrade`")


def require_ours(url: str) -> None:
    """Raise UsageError when the database at `url` is of another program or of a newer revision."""
    found = revision(url)
    if found is not None:
        _require_known(found, url)


def upgrade(url: str) -> None:
    """Bring the database at `url` to `head()`, creating it when there is none.

    An older SQLite file is first copied to `<name>.backup-<revision>-<UTC time>` beside it; PostgreSQL changes all or
    nothing by itself. Raises UsageError for a newer revision or a foreign database, OutOfSpace or StorageError
    when writing fails; the database is then as it was.
    """
    before = revision(url)
    if before == head():
        return
    if before is not None:
        _require_known(before, url)
        _back_up(url, before)
    from .migrating import to_head  # Alembic takes a tenth of a second to load

    engine = make_engine(url)
    try:
        with translated():
            if (file := _file(engine.url)) is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
            with engine.begin() as connection:
                _change(connection, to_head)
    finally:
        engine.dispose()


def _change(connection: Connection, to_head: Callable[[Connection, Path], None]) -> None:
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:
        postgresql.require_fit(connection)
    given = postgresql.grants(connection) if is_postgresql else []
    views.drop(connection)
    to_head(connection, MIGRATIONS)
    if is_postgresql:
        postgresql.widen(connection)
    views.create(connection)
    dictionary.fill(connection)
    if statistics.is_stale(connection):
        statistics.refresh(connection)
    if is_postgresql:
        postgresql.grant(connection, given)


def check(url: str) -> list[str]:
    """Return what is wrong with the database at `url`, one sentence each; an empty list when it is sound."""
    engine = make_engine(url, readonly=True)
    try:
        with engine.connect() as connection:
            return list(_problems(connection))
    except DBAPIError as error:
        return [f"the database cannot be read: {' '.join(str(error.orig).split())}"]
    finally:
        engine.dispose()


def _parse(url: str) -> URL:
    """Return the URL in its parts. What cannot be read may hold a password: only its beginning is told."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        start = url.partition("://")[0] + "://..." if "@" in url else url
        raise UsageError(f"WUHU_DATABASE_URL {start!r} is not a database URL: use e.g. {_EXAMPLES}") from error
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"):
        raise UsageError(
            f"WUHU_DATABASE_URL is of a kind this program does not know, {parsed.drivername}: use e.g. {_EXAMPLES}"
        )
    return parsed


def _file(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def _readonly(url: URL) -> URL:
    file = Path(str(url.database))
    if not file.is_file():
        raise UsageError(f"there is no database at {file}: crawl first, or set WUHU_DATA_DIR to an archive")
    return url.set(database=f"file:{quote(str(file))}", query={"mode": "ro", "uri": "true"})


def _keep_nul_out(engine: Engine) -> None:
    """Leave the character NUL out of every text: PostgreSQL takes none, and both are to hold the same."""

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def leave_out(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        rows = parameters if isinstance(parameters, list) else [parameters]
        if any(type(value) is str and "\0" in value for row in rows for value in _values(row)):
            parameters = _without_nul(parameters)
        return statement, parameters


def _values(row: Any) -> Iterable[Any]:
    return row.values() if isinstance(row, dict) else row or ()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_without_nul, value))
    return value


def _encode(value: Any) -> str:
    """Return a value as JSON."""
    words = _encoder(value)
    return _encoder(_without_nul(value)) if "\\u0000" in words else words


def _configure_sqlite(engine: Engine, readonly: bool, scratch: bool) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, so that DDL is inside them as well
        for name, value in {**PRAGMAS, **(SCRATCH if scratch else {})}.items():
            connection.execute(f"PRAGMA {name} = {value}")
        if not scratch:
            connection.execute("PRAGMA query_only = ON" if readonly else "PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _revision(connection: Connection) -> str | None:
    if inspect(connection).has_table("alembic_version"):
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if inspect(connection).get_table_names():
        raise UsageError(f"the database {connection.engine.url.database} was not made by this program: choose another one")
    return None


def _require_known(found: str, url: str) -> None:
    if found not in _revisions(MIGRATIONS):
        raise UsageError(
            f"the database {_parse(url).database} has revision {found}, but this version of the program knows only "
            f"{head()} and older: install the newer version"
        )


def _back_up(url: str, found: str) -> None:
    file = _file(_parse(url))
    if file is None:
        return
    target = file.parent / BACKUP_NAME.format(name=file.name, revision=found, time=clock.now())
    try:
        copy_sqlite(file, target)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise StorageError(f"the backup {target} could not be written ({error}); the database was not upgraded") from error


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as it stands, also while it is written to. Raises sqlite3.Error."""
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()


def _problems(connection: Connection) -> Iterator[str]:
    found = _revision(connection)
    if found != head():
        yield f"the database has revision {found}, this program works with {head()}: run `wuhu db upgrade`"
        return
    yield from _sqlite_problems(connection) if connection.dialect.name == "sqlite" else postgresql.problems(connection)
    from .migrating import schema_differences  # Alembic takes a tenth of a second to load

    yield from (f"the schema differs from the program's: {difference}" for difference in schema_differences(connection))
    yield from (f"the view {name} is not the program's" for name in views.differences(connection))
    if told := dictionary.differences(connection):
        yield f"the dictionary does not say what the program does of {', '.join(told[:5])}{', ...' if len(told) > 5 else ''}"
    yield from _version_problems(connection)
    yield from index_problems(connection)


def _sqlite_problems(connection: Connection) -> Iterator[str]:
    for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if line != "ok":
            yield f"SQLite finds: {line}"
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} refers to a row of {parent} that does not exist"


def _version_problems(connection: Connection) -> Iterator[str]:
    counted = text(
        "SELECT a.portal, a.article_id, a.versions, count(v.id), max(v.number) FROM article a "
        "LEFT JOIN article_version v ON v.article_key = a.key GROUP BY a.key, a.portal, a.article_id, a.versions "
        "HAVING count(v.id) <> a.versions OR coalesce(max(v.number), 0) <> a.versions"
    )
    for portal, article_id, versions, rows, _ in connection.execute(counted):
        yield f"article {article_id} of {portal} should have {versions} versions, but {rows} are stored"
