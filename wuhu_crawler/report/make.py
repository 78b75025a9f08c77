"""Making the report of a run: its facts and its verdict into the database, a page and JSON into the archive's reports/.

Called when a crawl has ended, by the crawl itself, and again by `wuhu report`; a report that is made again replaces the first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, text

from .. import clock
from ..db import models
from ..db.engine import make_engine
from ..db.failures import translated
from ..health.findings import verdict
from ..health.judge import judge
from ..paths import ArchivePaths, storage_errors
from .articles import loaded
from .facts import facts, last_run
from .page import page

# So many runs before are what one is judged by, and what its page shows.
HISTORY = 400
_HISTORY = text(
    """
    SELECT p.facts FROM report p JOIN run r ON r.id = p.run_id
    WHERE p.portal = :portal AND p.job = :job AND r.id < :run ORDER BY r.id DESC LIMIT :most
    """
)


def make(paths: ArchivePaths, run: int | None = None) -> dict[str, Any] | None:
    """Make the report of a run, of the latest when none is named, and return it; None when there is no run at all.

    It is an object of facts, findings, verdict, and the files written. Raises UsageError for a run that is not there,
    OutOfSpace or StorageError when it cannot be stored.
    """
    engine = make_engine(paths.database_url)
    try:
        with translated(), engine.connect() as connection:
            number = run if run is not None else last_run(connection)
            if number is None:
                return None
            found = facts(connection, paths, number)
            history = before(connection, found)
            title = connection.execute(
                select(models.portal.c.title).where(models.portal.c.name == found["crawl"]["portal"])
            ).scalar_one()
        findings, judged = judge(found, history)
        said = verdict(findings, judged=judged)
        told = [finding.as_object() for finding in findings]
        report = {"made_at": clock.now().isoformat(timespec="seconds"), "verdict": said, "findings": told, "facts": found}
        with translated(), engine.begin() as connection:
            _store(connection, number, report)
    finally:
        engine.dispose()
    files = _write(paths.reports, number, report, page(found, history, told, said, title))
    return {**report, "files": [str(path) for path in files]}


def before(connection: Connection, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the facts of the runs before, of the same job and portal, the oldest first; of each crawl the last run only."""
    crawl = found["crawl"]
    asked = {"portal": crawl["portal"], "job": crawl["job"], "run": found["run"]["id"], "most": HISTORY}
    rows = [loaded(row.facts) for row in connection.execute(_HISTORY, asked)]
    crawls = {row["crawl"]["id"]: row for row in reversed(rows) if row["crawl"]["id"] != crawl["id"]}
    return list(crawls.values())


def _store(connection: Connection, run: int, report: dict[str, Any]) -> None:
    crawl = report["facts"]["crawl"]
    row = {
        "run_id": run,
        "portal": crawl["portal"],
        "job": crawl["job"],
        "made_at": clock.now(),
        "verdict": report["verdict"],
        "facts": report["facts"],
        "findings": report["findings"],
    }
    connection.execute(delete(models.report).where(models.report.c.run_id == run))
    connection.execute(models.report.insert(), [row])


def _write(folder: Path, run: int, report: dict[str, Any], html: str) -> list[Path]:
    """Write the report's two files, each whole or not at all."""
    texts = {".json": json.dumps(report, ensure_ascii=False, indent=2) + "\n", ".html": html}
    written = []
    with storage_errors(f"writing a report into {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, words in texts.items():
            path = folder / f"run-{run:06d}{suffix}"
            beside = path.with_name(path.name + ".part")
            beside.write_text(words, encoding="utf-8")
            beside.replace(path)
            written.append(path)
    return written
