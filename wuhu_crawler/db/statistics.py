"""What SQLite's planner knows of the tables: how many rows each has, and how many of a kind.

Without it SQLite takes every table for equally large, and answers many a question of analysts by walking the wrong one, ten
times slower. PostgreSQL sees to this by itself.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

# Rows looked at of each index: enough to tell large from small, in less than a second for any archive.
SAMPLE = 1000
# It is told anew of an archive more than twice as large, or less than half, as it knows; never of one where nothing is slow.
TIMES, LEAST = 2, 1000
_ARTICLES = text("SELECT COALESCE(MAX(key), 0) FROM article")
_KEPT = text("SELECT COUNT(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
_KNOWN = text("SELECT MAX(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'article'")


def is_stale(connection: Connection) -> bool:
    """Return whether the planner knows a much smaller or larger archive, or none."""
    if connection.dialect.name != "sqlite":
        return False
    articles = int(connection.execute(_ARTICLES).scalar_one())
    if articles < LEAST:
        return False
    known = connection.execute(_KNOWN).scalar_one() if connection.execute(_KEPT).scalar_one() else None
    return known is None or not known / TIMES <= articles <= known * TIMES


def refresh(connection: Connection) -> None:
    """Look at the tables anew, in the caller's transaction."""
    connection.execute(text(f"PRAGMA analysis_limit = {SAMPLE}"))
    connection.execute(text("ANALYZE"))
