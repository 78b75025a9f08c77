"""Building the tables anew on PostgreSQL: in a schema beside the archive's, exchanged in one transaction when they are whole.

The one who does this holds the archive's lock and the database's. What the user has granted on tables and views stays; what
else is in the schema is not touched, and what of it depends on our tables keeps them from being exchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.engine import make_url

from ..errors import UsageError
from . import models, postgresql, views
from .engine import make_engine, require_ours, upgrade
from .failures import translated
from .postgresql import quoted
from .search import SEARCH_TABLE

SUFFIX = "_building"
_MARK = "Made by wuhu rebuild, and dropped by the next one"
_IS_OURS = text("SELECT obj_description(to_regnamespace(:name), 'pg_namespace') = :mark")
_RELATIONS = text("""
    SELECT relname, relkind FROM pg_class
    WHERE relnamespace = to_regnamespace(:name) AND relkind IN ('r', 'v') ORDER BY relkind DESC, oid
""")
_NUMBERED = text("SELECT pg_get_serial_sequence(:table, :column)")


@contextmanager
def beside(url: str) -> Iterator[Engine]:
    """Give an engine on new, empty tables beside those at `url`, and put them in their place when the block ends without error.

    The old ones give up their operational rows to the new. After an error they are as they were.
    Raises UsageError, ArchiveInUse, StorageError, OutOfSpace.
    """
    require_ours(url)
    engine = make_engine(url)
    try:
        with translated():
            holding = engine.connect()
        with holding:
            schema, building = _begin(holding)
            try:
                yield from _filled(_within(url, quoted(holding, building)))
                with translated():
                    _exchange(holding, schema, building)
            finally:
                with translated():
                    holding.rollback()
                    _drop(holding, building)
    finally:
        engine.dispose()


def _begin(connection: Connection) -> tuple[str, str]:
    """Keep other writers away, make the schema to build in, and return the name of the archive's and of that one."""
    with translated():
        postgresql.require_fit(connection)
        postgresql.claim(connection)
        schema = str(postgresql.schema(connection))
        # What depends on the tables would be met at the end of the work: rather now.
        _take_away(connection, schema, _doomed(connection, schema))
        connection.rollback()
        _make(connection, schema + SUFFIX)
    return schema, schema + SUFFIX


def _filled(url: str) -> Iterator[Engine]:
    """Yield an engine on new tables once, and let the planner know what they hold by then."""
    upgrade(url)
    engine = make_engine(url, scratch=True)
    try:
        yield engine
        with translated(), engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        engine.dispose()


def _make(connection: Connection, building: str) -> None:
    _drop(connection, building)
    name = quoted(connection, building)
    connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {name} IS '{_MARK}'")
    connection.commit()


def _drop(connection: Connection, building: str) -> None:
    """Drop the schema with all in it, if there is one. Raises UsageError when somebody else made it."""
    name = quoted(connection, building)
    ours = connection.execute(_IS_OURS, {"name": name, "mark": _MARK}).scalar()
    there = connection.execute(text("SELECT to_regnamespace(:name)"), {"name": name}).scalar()
    if there is not None and not ours:
        raise UsageError(f"there is a schema {building} which this program has not made: rename it, since its name is needed")
    connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    connection.commit()


def _within(url: str, schema: str) -> str:
    """Return the URL with the schema as its search path."""
    parsed = make_url(url)
    given = parsed.query.get("options", "")
    before = given if isinstance(given, str) else " ".join(given)
    escaped = schema.replace("\\", "\\\\").replace(" ", "\\ ")
    options = f"{before} -csearch_path={escaped}".strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


def _exchange(connection: Connection, schema: str, building: str) -> None:
    """Put the tables and views of one schema in the place of those of the same names in the other."""
    new = _relations(connection, building)
    doomed = _doomed(connection, schema, new)
    before, after = quoted(connection, schema), quoted(connection, building)
    tables = [f"{before}.{quoted(connection, name)}" for name, kind in doomed.items() if kind == "r"]
    if tables:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
    given = postgresql.grants(connection)
    for name in models.OPERATIONAL:
        if name in models.metadata.tables and name in doomed:
            _carry_over(connection, models.metadata.tables[name], before, after)
    _take_away(connection, schema, doomed)
    for name, kind in new.items():
        what = "VIEW" if kind == "v" else "TABLE"
        connection.exec_driver_sql(f"ALTER {what} {after}.{quoted(connection, name)} SET SCHEMA {before}")
    postgresql.grant(connection, given)
    connection.commit()


def _doomed(connection: Connection, schema: str, new: Collection[str] = ()) -> dict[str, str]:
    """Return the tables and views new ones take the place of."""
    ours = {*models.metadata.tables, *views.VIEWS, "alembic_version", *new}
    found = _relations(connection, schema)
    return {name: kind for name, kind in found.items() if name in ours or name.startswith(SEARCH_TABLE)}


def _take_away(connection: Connection, schema: str, doomed: Mapping[str, str]) -> None:
    """Drop tables and views: all at once, since they stand on each other, but not what others have built on them."""
    for kind, what in (("v", "VIEW"), ("r", "TABLE")):
        names = [f"{quoted(connection, schema)}.{quoted(connection, name)}" for name, found in doomed.items() if found == kind]
        if names:
            connection.exec_driver_sql(f"DROP {what} {', '.join(names)}")


def _relations(connection: Connection, schema: str) -> dict[str, str]:
    """Return the tables (r) and views (v) of a schema: name -> kind, views first."""
    rows = connection.execute(_RELATIONS, {"name": quoted(connection, schema)})
    return {row.relname: row.relkind for row in rows}


def _carry_over(connection: Connection, table: Table, before: str, after: str) -> None:
    """Copy an operational table's rows, as far as what they refer to is there; of a WARC file, what else is known of it."""
    name = quoted(connection, table.name)
    had = connection.exec_driver_sql(f"SELECT * FROM {before}.{name} LIMIT 0").keys()  # noqa: S608 - names of our own models
    shared = [quoted(connection, column.name) for column in table.columns if column.name in had]
    known = [
        f"(o.{quoted(connection, element.parent.name)} IS NULL OR EXISTS (SELECT 1 FROM {after}.{element.column.table.name} k "  # noqa: S608
        f"WHERE k.{quoted(connection, element.column.name)} = o.{quoted(connection, element.parent.name)}))"
        for element in (element for key in table.foreign_key_constraints for element in key.elements)
    ]
    columns, where = ", ".join(shared), " AND ".join(known) or "TRUE"
    rows = f"SELECT {', '.join(f'o.{column}' for column in shared)} FROM {before}.{name} o WHERE {where}"  # noqa: S608
    connection.exec_driver_sql(f"INSERT INTO {after}.{name} ({columns}) {rows} ON CONFLICT DO NOTHING")
    if table is models.warc_file:
        derived = {"serial", "crawl_id", "committed", "name"}
        more = ", ".join(f"{column} = coalesce(o.{column}, n.{column})" for column in shared if column not in derived)
        same = f"FROM {before}.{name} o WHERE o.name = n.name"
        connection.exec_driver_sql(f"UPDATE {after}.{name} n SET {more} {same}")  # noqa: S608 - names of our own models
    _count_on(connection, table, f"{after}.{name}")


def _count_on(connection: Connection, table: Table, name: str) -> None:
    """Let the database number the next rows beyond those copied, where it is it that numbers them."""
    for column in table.primary_key.columns:
        sequence = connection.execute(_NUMBERED, {"table": name, "column": column.name}).scalar()
        if sequence is not None:
            last = f"SELECT max({quoted(connection, column.name)}) FROM {name}"  # noqa: S608 - names of our own models
            connection.exec_driver_sql(f"SELECT setval('{sequence}', coalesce(({last}), 1), ({last}) IS NOT NULL)")
