"""psycopg with SQLite's ways, as our questions expect them. Imported when an engine is made, since it is of an extra."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, ServerCursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import Engine, Integer


class AnyInteger(Integer):
    """An integer as it is sent: the driver says how wide it is by itself, where SQLAlchemy would say 32 bits."""

    render_bind_cast = False


def loosen(engine: Engine) -> None:
    """Let an engine send integers as wide as they are."""
    engine.dialect.colspecs = {**engine.dialect.colspecs, Integer: AnyInteger}


def prepare(connection: Connection[Any]) -> None:
    """Give a new connection its ways."""
    connection.adapters.register_loader("numeric", NumberLoader)
    connection.server_cursor_factory = StreamingCursor


class NumberLoader(Loader):
    """Read `numeric`, which sums and averages are: whole as an int, with decimals as a float, though they be zeros."""

    def load(self, data: Buffer) -> int | float:
        """Return the number."""
        words = bytes(data).decode("ascii")
        return int(words) if words.lstrip("-").isdecimal() else float(words)


class StreamingCursor(ServerCursor[Any]):
    """A cursor in the server, for rows that are too many for memory; also where no transaction holds it."""

    def __init__(self, connection: Connection[Any], name: str, **more: Any) -> None:
        super().__init__(connection, name, **{**more, "withhold": more.get("withhold") or connection.autocommit})
