"""The canonical dump: what the archive knows, in lines that are the same for every database made from the same WARC files.

One JSON object a row, one row a line, tables and rows in a fixed order. Our own numbers (article.key, capture.id, ...) are not
in it: a row that refers to another names it by its natural key. Operational tables and indexes are left out. Made from the
models, so a new table is in it by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, FromClause, Table, select

from ..items import to_json
from . import models

# What names a row where its key is a number of ours: columns that may in turn refer to such a row.
NATURAL: dict[str, tuple[str, ...]] = {
    "category": ("portal", "name"),
    "capture": ("record_id",),
    "article": ("portal", "article_id"),
    "article_version": ("article_key", "number"),
}
# Facts of the process that wrote a row.
_LEFT_OUT = {("capture", "run_id")}
# Where one table comes before the other only for the reader: what was captured first, then what it says.
_BATCH = 1000


def tables() -> list[Table]:
    """Return the tables of the dump, in its order: those referred to first."""
    left_out = {*models.OPERATIONAL, *models.INDEXES}
    return [table for table in models.metadata.sorted_tables if table.name not in left_out]


def lines(connection: Connection, only: Sequence[str] = ()) -> Iterator[str]:
    """Yield the dump, a line at a time without its line end; of some tables only, when they are named."""
    for table in tables():
        if not only or table.name in only:
            yield from (_line(table.name, row) for row in rows(connection, table))


def rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    """Yield a table's rows in the dump's order, natural keys in place of numbers."""
    statement, names = _statement(table)
    result = connection.execute(statement, execution_options={"yield_per": _BATCH})
    for row in result:
        yield _shown(zip(names, row, strict=True))


def _line(table: str, row: dict[str, Any]) -> str:
    return json.dumps({"table": table, **row}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _shown(cells: Iterator[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """Return the cells as an object; those of a natural key of several columns as the list of them."""
    shown: dict[str, Any] = {}
    for (name, *part), value in cells:
        if part:
            shown.setdefault(name, []).append(to_json(value))
        else:
            shown[name] = to_json(value)
    return {name: None if _is_nothing(value) else value for name, value in shown.items()}


def _is_nothing(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(part is None for part in value)


def _statement(table: Table) -> tuple[Any, list[tuple[str, ...]]]:
    """Return the select of a table's rows, and for each of its columns the name it goes under (and its place in a key)."""
    source: FromClause = table
    columns: list[Any] = []
    names: list[tuple[str, ...]] = []
    for column in table.columns:
        if (table.name, column.name) in _LEFT_OUT or (column.primary_key and table.name in NATURAL):
            continue
        source, found = _natural(source, table, column, column.name)
        columns += found
        several = len(found) > 1
        names += [(column.name, str(place)) if several else (column.name,) for place in range(len(found))]
    source, order = _order(source, table)
    return select(*columns).select_from(source).order_by(*order), names


def _natural(source: FromClause, table: FromClause, column: Column[Any], label: str) -> tuple[FromClause, list[Any]]:
    """Return the source with what must be joined, and the columns that stand for a column."""
    target = next((key.column for key in column.foreign_keys if key.column.table.name in NATURAL), None)
    if target is None:
        return source, [table.c[column.name]]
    joined = target.table.alias(f"{table.name if isinstance(table, Table) else table.description}_{label}")
    source = source.outerjoin(joined, joined.c[target.name] == table.c[column.name])
    found: list[Any] = []
    for name in NATURAL[target.table.name]:
        source, more = _natural(source, joined, target.table.c[name], name)
        found += more
    return source, found


def _order(source: FromClause, table: Table) -> tuple[FromClause, list[Any]]:
    if table.name == "capture":
        return source, [table.c.id]  # the order of the archive
    keys = NATURAL.get(table.name) or [column.name for column in table.primary_key.columns]
    order: list[Any] = []
    for name in keys:
        column = table.c[name]
        target = next((key.column for key in column.foreign_keys if key.column.table.name in NATURAL), None)
        if target is None:
            order.append(column)
        elif target.table.name == "capture":
            order.append(column)  # numbers of captures are in the archive's order in every database
        else:
            source, found = _natural(source, table, column, f"{name}_order")
            order += found
    return source, order
