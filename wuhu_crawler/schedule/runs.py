"""The ledger of runs: every process that worked on the archive, started by the schedule or by hand, and how it ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

# A crawl's own row (run) has the same process; a number is used again by the system, so the times must fit, too.
_RUNS = text(
    """
    WITH scheduled AS (
      SELECT j.id, j.job, j.do, j.portal, j.due_at, j.started_at, j.finished_at, j.status, j.exit_code, j.reason, j.log,
        (SELECT MAX(r.id) FROM run r WHERE r.pid = j.pid AND r.started_at >= j.started_at
          AND (j.finished_at IS NULL OR r.started_at <= j.finished_at)) AS run_id
      FROM job_run j)
    SELECT CAST(s.id AS VARCHAR(16)) AS number, s.job, s.do, s.portal, s.due_at, s.started_at, s.finished_at, s.status,
      s.exit_code, s.reason, s.log, r.crawl_id, r.reason AS ended, r.stats
    FROM scheduled s LEFT JOIN run r ON r.id = s.run_id
    UNION ALL
    SELECT 'c' || CAST(r.id AS VARCHAR(16)), NULL, w.job, w.portal, NULL, r.started_at, r.finished_at, NULL,
      r.exit_code, NULL, NULL, r.crawl_id, r.reason, r.stats
    FROM run r JOIN crawl w ON w.id = r.crawl_id WHERE r.id NOT IN (SELECT run_id FROM scheduled WHERE run_id IS NOT NULL)
    ORDER BY 6 DESC, 1 DESC
    """
)
_STATUS = {0: "done", 5: "stopped", 10: "interrupted", 11: "storage", 12: "interrupted", 13: "storage"}


def runs(connection: Connection, *, writer: int | None) -> list[dict[str, Any]]:
    """Return every run, the latest first.

    `number` is that of a scheduled run, or `c` and the number of a crawl's run started by hand; `status` is as in job_run.
    `writer` is the process that has the archive now: a run of a crawl without an end is at work only if there is one.
    """
    return [_told(dict(row), writer) for row in connection.execute(_RUNS).mappings()]


def _told(row: dict[str, Any], writer: int | None) -> dict[str, Any]:
    if row["status"] is None:
        row["status"] = _by_hand(row, writer)
    row["reason"] = row["reason"] or row["ended"]
    return row


def _by_hand(row: dict[str, Any], writer: int | None) -> str:
    if row["finished_at"] is None:
        return "killed" if writer is None else "running"
    return _STATUS.get(row["exit_code"], "failed")
