"""The archive's database, opened for a command that only reads: no lock is taken, nothing can be written through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from ..db.engine import make_engine, require_current
from ..db.failures import translated
from ..paths import ArchivePaths


@contextmanager
def reading() -> Iterator[Connection]:
    """Open the archive's database for reading. Raises UsageError when there is none or it is of another revision."""
    paths = ArchivePaths.from_environment()
    require_current(paths.database_url)
    engine = make_engine(paths.database_url, readonly=True)
    try:
        with translated(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
