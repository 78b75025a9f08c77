"""What a run of a crawl did, as one JSON object: the report's facts, and the history the next runs are judged by.

Everything is of the crawl the run worked on, so the report of a resumed crawl is that of the whole; `run` alone is of the run.
Times are UTC, ISO 8601; shares are 0 to 1; sizes bytes; lists of examples are short, the counts beside them whole.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from ..db import queries
from ..errors import UsageError
from ..paths import ArchivePaths
from . import articles, pace, space
from .articles import loaded

# The shape of the object; it grows, and counts up when what is there changes its meaning.
SCHEMA = 1
EXAMPLES = 20

_RUN = text(
    """
    SELECT r.id, r.started_at, r.finished_at, r.exit_code, r.reason, r.crawl_id, w.portal, w.job, w.settings,
      w.started_at AS begun_at, w.finished_at AS ended_at, w.status
    FROM run r JOIN crawl w ON w.id = r.crawl_id WHERE r.id = :run
    """
)
_LAST_RUN = text("SELECT MAX(id) FROM run")
_REASONS = text(
    """
    SELECT outcome, reason, COUNT(*) AS urls FROM outcome WHERE crawl_id = :crawl AND outcome NOT IN ('captured', 'revisit')
    GROUP BY outcome, reason ORDER BY urls DESC, outcome, reason
    """
)
_URLS = text(
    """
    SELECT url, capture_id FROM outcome
    WHERE crawl_id = :crawl AND outcome = :outcome AND COALESCE(reason, '') = :reason ORDER BY at, url LIMIT :most
    """
)
_STATUS = text("SELECT status, COUNT(*) AS requests FROM capture WHERE crawl_id = :crawl GROUP BY status ORDER BY status")
_KINDS = text(
    """
    SELECT kind, COUNT(*) AS requests, SUM(bytes) AS bytes FROM (
      SELECT c.payload_length AS bytes, COALESCE((SELECT MIN(q.kind) FROM requisite q WHERE q.capture_id = c.id),
        (SELECT MIN(p.kind) FROM article_part p WHERE p.part_capture_id = c.id), c.page_kind, 'other') AS kind
      FROM capture c WHERE c.crawl_id = :crawl) AS asked
    GROUP BY kind ORDER BY requests DESC, kind
    """
)
_PLAN = text("SELECT part, planned, expected, done, brought, skipped FROM plan WHERE crawl_id = :crawl ORDER BY part")
_LISTINGS = text(
    """
    SELECT COUNT(DISTINCT s.capture_id) AS pages, COUNT(*) AS entries, MAX(s.article_id) AS highest
    FROM listing_sighting s JOIN capture c ON c.id = s.capture_id WHERE c.crawl_id = :crawl
    """
)
_PER_LISTING = text(
    """
    SELECT c.url, COUNT(s.position) AS entries FROM capture c LEFT JOIN listing_sighting s ON s.capture_id = c.id
    WHERE c.crawl_id = :crawl AND c.page_kind = 'listing' GROUP BY c.id, c.url ORDER BY c.id
    """
)


def last_run(connection: Connection) -> int | None:
    """Return the number of the latest run of a crawl; None when there was none."""
    found = connection.execute(_LAST_RUN).scalar_one_or_none()
    return None if found is None else int(found)


def facts(connection: Connection, paths: ArchivePaths, run: int) -> dict[str, Any]:
    """Return the facts of a run. Raises UsageError when there is no such run."""
    row = connection.execute(_RUN, {"run": run}).mappings().one_or_none()
    if row is None:
        raise UsageError(f"there is no run {run} of a crawl: `wuhu runs` lists them")
    crawl = row["crawl_id"]
    return {
        "schema": SCHEMA,
        "run": {**_only(row, "id", "started_at", "finished_at", "exit_code", "reason"), "seconds": _seconds(row)},
        "crawl": {
            "id": crawl,
            **_only(row, "portal", "job", "status"),
            "started_at": row["begun_at"],
            "finished_at": row["ended_at"],
            "arguments": _arguments(row["settings"]),
        },
        "planned": [{**row, "skipped": loaded(row["skipped"])} for row in _rows(connection, _PLAN, crawl)],
        "requests": {"by_status": _rows(connection, _STATUS, crawl), "by_kind": _rows(connection, _KINDS, crawl)},
        "outcomes": queries.outcomes_of(connection, crawl),
        "troubles": _troubles(connection, crawl),
        "listings": {
            **_rows(connection, _LISTINGS, crawl)[0],
            "by_page": _rows(connection, _PER_LISTING, crawl)[: 5 * EXAMPLES],
        },
        "articles": articles.facts(connection, crawl, row["portal"], row["begun_at"], EXAMPLES),
        "pace": pace.facts(connection, crawl, row["settings"]),
        "space": space.facts(connection, crawl, shutil.disk_usage(paths.root).free),
    }


def _troubles(connection: Connection, crawl: str) -> list[dict[str, Any]]:
    """Return what was not had, by outcome and reason, with examples; portal's soft-404s among it."""
    found = _rows(connection, _REASONS, crawl)
    for trouble in found:
        asked = {"crawl": crawl, "outcome": trouble["outcome"], "reason": trouble["reason"] or "", "most": EXAMPLES // 4}
        trouble["examples"] = [dict(row) for row in connection.execute(_URLS, asked).mappings()]
    return found


def _arguments(settings: Any) -> dict[str, str]:
    """Return what the crawl was given by `-a`, but which portal and which crawl to go on with."""
    given = {name.removeprefix("argument-"): value for name, value in loaded(settings).items() if name.startswith("argument-")}
    return {name: value for name, value in given.items() if name not in ("portal", "resume")}


def _rows(connection: Connection, statement: Any, crawl: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(statement, {"crawl": crawl}).mappings()]


def _only(row: Any, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _seconds(row: Any) -> float | None:
    if row["finished_at"] is None:
        return None
    return (datetime.fromisoformat(row["finished_at"]) - datetime.fromisoformat(row["started_at"])).total_seconds()
