"""How an archive stands: when each job last came to its end, against what is usual, and its last check of the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import Connection, text

from .findings import Finding

_LATEST = text(
    """
    SELECT p.run_id, p.portal, p.job, p.verdict, p.facts, p.findings FROM report p
    WHERE p.run_id IN (SELECT MAX(run_id) FROM report GROUP BY portal, job) ORDER BY p.portal, p.job
    """
)
_ENDED = text(
    """
    SELECT started_at FROM crawl WHERE portal = :portal AND job = :job AND status = 'finished'
    ORDER BY started_at DESC LIMIT 30
    """
)
_FIXITY = text(
    """
    SELECT id, started_at, finished_at, status, share, findings FROM fixity_run
    WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1
    """
)
# A crawl is overdue when it is this many times the usual interval since the last; an interval is known from so many crawls.
_OVERDUE, _CRAWLS = 2.5, 5


def latest(connection: Connection, portal: str | None = None) -> list[dict[str, Any]]:
    """Return the latest report of every job, of all portals or of one: run_id, portal, job, verdict, facts, findings."""
    return [dict(row) for row in connection.execute(_LATEST).mappings() if portal in (None, row["portal"])]


def overdue(connection: Connection, portal: str, job: str, now: datetime) -> Finding | None:
    """Return that a job has not come to its end for longer than is usual; None when it is in time, or nothing is usual yet."""
    moments = [
        datetime.fromisoformat(str(row.started_at)) for row in connection.execute(_ENDED, {"portal": portal, "job": job})
    ]
    return late(moments, now, f"{job} of {portal}")


def late(moments: Sequence[datetime], now: datetime, what: str) -> Finding | None:
    """Return that `what` is overdue, from the moments it began when it came to its end, the latest first."""
    if len(moments) < _CRAWLS:
        return None
    usual = timedelta(seconds=median((later - earlier).total_seconds() for later, earlier in pairwise(moments)))
    waited = now - moments[0]
    if waited <= usual * _OVERDUE:
        return None
    days, every = (round(span.total_seconds() / 86400, 1) for span in (waited, usual))
    text = f"{what} is overdue: its last whole crawl began {days:g} days ago, where every {every:g} days is usual"
    evidence = {"expected": every, "seen": days, "since": moments[0].isoformat()}
    return Finding(kind="overdue", level="attention", text=text, evidence=evidence)


def fixity(connection: Connection, now: datetime) -> dict[str, Any] | None:
    """Return the last check of the files that came to its end, with its age in days; None when there was none."""
    row = connection.execute(_FIXITY).mappings().one_or_none()
    if row is None:
        return None
    age = now - datetime.fromisoformat(str(row["finished_at"]))
    return {**row, "days": round(age.total_seconds() / 86400, 1)}


def damage(checked: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Yield what the last check of the files found."""
    if checked is None:
        text = "The files of the archive were never checked: `wuhu verify` does"
        yield Finding(kind="fixity", level="note", text=text)
    elif checked["status"] == "damaged":
        text = f"The last check of the files, {checked['days']:g} days ago, found {checked['findings']} things wrong"
        yield Finding(kind="fixity", level="broken", text=text, evidence=dict(checked))
