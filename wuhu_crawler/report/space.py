"""The room an archive takes: what a crawl added, what is left, and when the disk is full if it goes on like this."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

_FILES = text("SELECT name, committed, size, sha256 FROM warc_file WHERE crawl_id = :crawl ORDER BY serial")
_WARC = text("SELECT COALESCE(SUM(committed), 0) FROM warc_file")
_GROWTH = text(
    """
    SELECT w.started_at, SUM(f.committed) AS bytes FROM warc_file f JOIN crawl w ON w.id = f.crawl_id
    GROUP BY w.id, w.started_at ORDER BY w.started_at
    """
)
# How far back the growth is looked at. The first crawl of an archive takes everything there is, and says nothing of the next.
DAYS = 60


def facts(connection: Connection, crawl: str, free: int) -> dict[str, Any]:
    """Return the WARC files a crawl wrote with their hashes (SHA-256, None while open), and the room there is.

    `days_left` is how long `free` lasts at the growth of the last weeks, the archive's first day left out; None = no telling.
    """
    files = [
        {"name": row.name, "bytes": row.size if row.size is not None else row.committed, "sha256": row.sha256}
        for row in connection.execute(_FILES, {"crawl": crawl})
    ]
    a_day = _growth([(row.started_at, int(row.bytes)) for row in connection.execute(_GROWTH)])
    return {
        "warc_files": files,
        "bytes": sum(file["bytes"] for file in files),
        "archive_bytes": int(connection.execute(_WARC).scalar_one()),
        "free": free,
        "bytes_a_day": a_day,
        "days_left": None if not a_day else int(free / a_day),
    }


def _growth(crawls: list[tuple[str, int]]) -> float | None:
    """Return the bytes a day of the last weeks; None when they are too few to tell."""
    if not crawls:
        return None
    first, last = (datetime.fromisoformat(crawls[place][0]) for place in (0, -1))
    begins = max(first + timedelta(days=1), last - timedelta(days=DAYS))
    counted = [size for started, size in crawls if datetime.fromisoformat(started) >= begins]
    span = (last - begins).total_seconds() / 86400
    return round(sum(counted) / span, 1) if span >= 3 and len(counted) >= 3 else None
