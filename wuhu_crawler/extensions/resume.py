"""Which crawl `-a resume=` means: an unfinished one of the same spider and portal."""

from __future__ import annotations

import logging
from typing import Any

from ..db.engine import make_engine, revision
from ..db.queries import crawls
from ..errors import UsageError
from ..paths import ArchivePaths

LOOK_BACK = 1000
logger = logging.getLogger(__name__)


def crawl_to_resume(paths: ArchivePaths, wanted: str | None, *, portal: str, job: str) -> str | None:
    """Return the ID of the crawl to go on with, or None for a new one: nothing was asked, or `last` and there is none.

    Raises UsageError for an ID that is unknown, of another spider or portal, or finished.
    """
    if wanted is None:
        return None
    known = {crawl["id"]: crawl for crawl in _crawls(paths)}
    if wanted == "last":
        return _last(known, portal, job)
    if wanted not in known:
        raise UsageError(f"-a resume={wanted}: the archive {paths.root} has no such crawl; `wuhu status` shows those it has")
    crawl = known[wanted]
    if (crawl["portal"], crawl["job"]) != (portal, job):
        raise UsageError(f"-a resume={wanted}: that is a crawl of spider {crawl['job']} on portal {crawl['portal']}")
    if crawl["status"] == "finished":
        raise UsageError(f"-a resume={wanted}: that crawl is finished; leave the argument out to begin a new one")
    return wanted


def _last(known: dict[str, dict[str, Any]], portal: str, job: str) -> str | None:
    for name, crawl in known.items():
        if (crawl["portal"], crawl["job"]) == (portal, job):
            if crawl["status"] != "finished":
                return name
            break
    logger.info("There is no unfinished crawl of %s on %s to resume: a new one begins", job, portal)
    return None


def _crawls(paths: ArchivePaths) -> list[dict[str, Any]]:
    """Return the archive's crawls, newest first; none when there is no archive yet."""
    if revision(paths.database_url) is None:
        return []
    engine = make_engine(paths.database_url, readonly=True)
    try:
        with engine.connect() as connection:
            return crawls(connection, limit=LOOK_BACK)
    finally:
        engine.dispose()
