"""Alembic, which makes and changes the tables. Imported by `engine` only where that is to be done: it takes a while to load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from . import postgresql
from .models import metadata
from .search import SEARCH_TABLE


def to_head(connection: Connection, migrations: Path) -> None:
    """Run the migrations in a folder that the database has not had."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_search_table(name: str | None) -> bool:
    """Return whether a table is the full-text index or one of the tables SQLite keeps for it."""
    return name is not None and (name == SEARCH_TABLE or name.startswith(f"{SEARCH_TABLE}_"))


def include_object(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's filter: the full-text index is made by the migrations and is not in the models."""
    return not (kind == "table" and is_search_table(name))


def schema_differences(connection: Connection) -> list[Any]:
    """Return what autogenerate would change to make the database equal to the models."""
    compare_type = postgresql.same_type if connection.dialect.name == "postgresql" else True
    context = MigrationContext.configure(connection, opts={"include_object": include_object, "compare_type": compare_type})
    return [found for found in compare_metadata(context, metadata) if not _is_comment(found)]


def _is_comment(difference: Any) -> bool:
    """Return whether a difference is only in the words PostgreSQL keeps of a table or column."""
    told = difference[0] if isinstance(difference, list) else difference
    return "comment" in told[0]
