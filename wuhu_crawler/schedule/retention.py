"""What is not the archive and grows with every run is removed when it is old. WARC files, database and indexes never are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..paths import ArchivePaths
from .jobs import Collection

# A job's file: its name, and when it was made.
_MADE = "{job}-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]*"


def expired(paths: ArchivePaths, collection: Collection, now: datetime) -> Iterator[Path]:
    """Yield the files that are older than the collection keeps them; in exports/ and wacz/ only those its jobs made."""
    kept = collection.retention
    made = [_MADE.format(job=job.name) for job in collection.jobs if job.do in ("export", "wacz")]
    places: tuple[tuple[Path, Sequence[str], timedelta | None], ...] = (
        (paths.logs, ("*.log",), kept.logs),
        (paths.reports, ("*.html", "*.json"), kept.reports),
        (paths.root / "exports", made, kept.exports),
        (paths.root / "wacz", made, kept.exports),
    )
    for folder, patterns, age in places:
        if age is not None and folder.is_dir():
            yield from (path for pattern in patterns for path in folder.glob(pattern) if _older(path, now - age))


def remove(paths: ArchivePaths, collection: Collection, now: datetime) -> int:
    """Remove what is expired and return how many files that was; one that cannot be removed is left for the next time."""
    count = 0
    for path in list(expired(paths, collection, now)):
        try:
            path.unlink()
        except OSError:
            continue
        count += 1
    return count


def _older(path: Path, moment: datetime) -> bool:
    try:
        return path.is_file() and datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment
    except FileNotFoundError:
        return False
