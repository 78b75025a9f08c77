"""What a PostgreSQL database has that SQLite's has not, so that all else can be the same: called by `engine`, writes no row.

SQLite compares text byte by byte, takes text of any length and integers of 64 bits, and enforces neither. So here every text
column sorts by bytes (COLLATE "C"), whatever the server's language, none has a limit of length, and an integer has 64 bits: the
migrations need not say so, and what one database stores the other does not refuse.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Integer, String, create_engine, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.types import TypeDecorator

from ..errors import ArchiveInUse, UsageError
from . import models
from .failures import BUSY_SECONDS

OLDEST = 15
# Whoever waits for a dead server is told so within a minute.
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}
SESSION = {
    "synchronous_commit": "on",  # a commit is on the disk, as with SQLite's synchronous=FULL
    "lock_timeout": f"{BUSY_SECONDS}s",
    "timezone": "UTC",
    "datestyle": "ISO",
    "jit": "off",  # compiling takes longer than any question of ours
}
_READING = {"default_transaction_read_only": "on"}
_SCRATCH = {"synchronous_commit": "off"}
# Advisory locks are numbers: this one says who they are of, a second one which schema.
_OURS = 0x77756875
_TIMED_OUT = "55P03"

_COLUMNS = text("""
    SELECT t.relname AS table, c.attname AS column, format_type(c.atttypid, c.atttypmod) AS kind, n.collname AS collation
    FROM pg_attribute c JOIN pg_class t ON t.oid = c.attrelid LEFT JOIN pg_collation n ON n.oid = c.attcollation
    WHERE t.relnamespace = to_regnamespace(quote_ident(current_schema()))
      AND t.relkind = 'r' AND c.attnum > 0 AND NOT c.attisdropped
    ORDER BY t.relname, c.attnum
""")
_BROKEN_INDEXES = text("""
    SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    WHERE i.relnamespace = to_regnamespace(quote_ident(current_schema()))
      AND NOT (x.indisvalid AND x.indisready) ORDER BY i.relname
""")
_GRANTS = text("""
    SELECT c.relname AS relation, a.privilege_type AS what,
      CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS whom, a.is_grantable AS further
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
    WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))
      AND c.relkind IN ('r', 'v') AND a.grantee <> c.relowner
""")
_CLAIM = text("SELECT pg_advisory_lock(:ours, hashtext(current_schema()))")
_HOLDER = text("""
    SELECT a.application_name || coalesce(', from ' || host(a.client_addr), '') FROM pg_locks l
    JOIN pg_stat_activity a USING (pid)
    JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :ours
      AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295)
""")


class Grant(NamedTuple):
    """What somebody may do with a table or view."""

    relation: str
    what: str
    whom: str
    further: bool


def make(url: URL, *, readonly: bool, scratch: bool, serializer: Any) -> Engine:
    """Return an engine; a reader sees the database as it stood at its first question. Raises UsageError without the driver."""
    given = {name: value for name, value in PATIENCE.items() if name not in url.query}
    name = f"wuhu process {os.getpid()} on {socket.gethostname()}"[:63]
    more: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if readonly else {}
    connect = {"fallback_application_name": name, "client_encoding": "utf8", **given}
    try:
        engine = create_engine(url, json_serializer=serializer, connect_args=connect, **more)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"WUHU_DATABASE_URL needs the package {error.name}: install it with `pip install 'wuhu-crawler[postgres]'`"
        ) from error
    settings = {**SESSION, **(_READING if readonly else {}), **(_SCRATCH if scratch else {})}

    from . import driver  # with psycopg, which is there by now

    driver.loosen(engine)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        driver.prepare(connection)
        connection.autocommit = True  # what is set in a transaction goes with it
        connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
        connection.autocommit = False

    return engine


def hosts(url: URL) -> set[str]:
    """Return the names of the servers a URL may mean: where they are is asked of the network when a connection is made."""
    given = url.query.get("host", ())
    named = ",".join([url.host or "", *((given,) if isinstance(given, str) else given), os.environ.get("PGHOST", "")])
    return {name.partition(":")[0] for name in named.split(",") if name}


def require_fit(connection: Connection) -> None:
    """Raise UsageError for a server or a database the tables cannot be made in."""
    version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    if int(version) < OLDEST * 10_000:
        raise UsageError(f"the server is PostgreSQL {int(version) // 10_000}: this program needs {OLDEST} or later")
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise UsageError(
            f"the database {connection.engine.url.database} has the encoding {encoding}: make one for Chinese text with "
            "`createdb --encoding=UTF8 --template=template0 NAME`"
        )
    if schema(connection) is None:
        raise UsageError("no schema of the database's search_path exists: make one with `CREATE SCHEMA`, or set search_path")


def schema(connection: Connection) -> str | None:
    """Return the schema our tables are in, None when none of the search path exists."""
    found: str | None = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    return found


def quoted(connection: Connection, name: str) -> str:
    """Return a name as SQL has it."""
    return connection.dialect.identifier_preparer.quote(name)


def widen(connection: Connection) -> None:
    """Give every column the type that can do what SQLite's does; after the migrations, while no view stands on a table."""
    changes: dict[str, list[str]] = {}
    for table, column, change in _too_narrow(connection):
        changes.setdefault(table, []).append(f"ALTER COLUMN {quoted(connection, column)} TYPE {change}")
    for table, words in changes.items():
        connection.exec_driver_sql(f"ALTER TABLE {quoted(connection, table)} {', '.join(words)}")


def grants(connection: Connection) -> list[Grant]:
    """Return what others than their owner may do with each table and view."""
    return [Grant(*row) for row in connection.execute(_GRANTS)]


def grant(connection: Connection, given: Sequence[Grant]) -> None:
    """Allow it them again, as far as the table or view is there: one that was made anew has lost it."""
    there = {*inspect(connection).get_table_names(), *inspect(connection).get_view_names()}
    for each in given:
        if each.relation in there:
            further = " WITH GRANT OPTION" if each.further else ""
            connection.exec_driver_sql(f"GRANT {each.what} ON {quoted(connection, each.relation)} TO {each.whom}{further}")


def problems(connection: Connection) -> Iterator[str]:
    """Yield what is wrong with the database, one sentence each."""
    for table, column, change in _too_narrow(connection):
        yield f"{table}.{column} is not {change}: run `wuhu rebuild`, which makes the tables anew"
    for (index,) in connection.execute(_BROKEN_INDEXES):
        yield f"the index {index} is not whole: run REINDEX INDEX {index}"
    yield from _orphans(connection)


def claim(connection: Connection) -> None:
    """Let this connection be the one that writes; an archive's lock is of its folder, and a database may be had from another.

    Raises ArchiveInUse when another one is still at it after BUSY_SECONDS; the lock of one that died is given back by then.
    """
    try:
        connection.execute(_CLAIM, {"ours": _OURS})
        connection.commit()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _TIMED_OUT:
            raise
        connection.rollback()
        holder = connection.execute(_HOLDER, {"ours": _OURS}).scalar()
        raise ArchiveInUse(
            f"another process writes to the database ({holder or 'which has ended just now'}): wait for it to end or stop it"
        ) from error


def same_type(_: Any, __: Any, ___: Any, found: Any, wanted: Any) -> bool | None:
    """Answer Alembic whether a column's type differs from its model's: no where `widen` made it so, None for `see yourself`."""
    both = (found, wanted.impl if isinstance(wanted, TypeDecorator) else wanted)
    alike = all(isinstance(kind, String) for kind in both) or all(isinstance(kind, Integer) for kind in both)
    return False if alike else None


def _too_narrow(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Yield table, column and the type it should have."""
    for row in connection.execute(_COLUMNS).all():
        if row.table not in models.metadata.tables:
            continue
        if row.kind == "integer":
            yield row.table, row.column, "bigint"
        elif row.kind.startswith("character varying") or (row.kind == "text" and row.collation != "C"):
            yield row.table, row.column, 'text COLLATE "C"'


def _orphans(connection: Connection) -> Iterator[str]:
    """Yield rows that refer to none: the server sees to that, unless a copy was loaded with it told not to."""
    for table in models.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            pairs = [(element.parent.name, element.column.name) for element in key.elements]
            target = key.referred_table.name
            same = " AND ".join(f'a."{one}" = b."{two}"' for one, two in pairs)
            there = " AND ".join(f'a."{one}" IS NOT NULL' for one, _ in pairs)
            wanted = f'SELECT count(*) FROM "{table.name}" a LEFT JOIN "{target}" b ON {same} '  # noqa: S608 - names of our own
            count = connection.exec_driver_sql(f'{wanted} WHERE {there} AND b."{pairs[0][1]}" IS NULL').scalar_one()
            if count:
                yield f"{count} rows of {table.name} refer to rows of {target} that do not exist"
