"""From a run that ended to the news of it: its report's verdict, or what its end alone says; and what was told last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from ..db import models
from ..db.failures import translated
from ..paths import ArchivePaths
from ..report.articles import loaded
from .due import KILLS, Turn
from .jobs import Collection
from .ledger import Ended
from .notify import News, is_news, tell

_told = models.job_news
_REPORT = text(
    """
    SELECT p.run_id, p.verdict, p.findings, p.facts FROM report p JOIN run r ON r.id = p.run_id JOIN job_run j ON j.pid = r.pid
    WHERE j.id = :run AND r.started_at >= j.started_at ORDER BY r.id DESC LIMIT 1
    """
)
_KILLED = text("SELECT status FROM job_run WHERE job = :job AND portal = :portal AND id <= :run ORDER BY id DESC LIMIT :most")
_LAST = select(_told.c.verdict)


def tell_of(
    engine: Engine, collection: Collection, paths: ArchivePaths, number: int, turn: Turn, ended: Ended, now: datetime
) -> Iterator[str]:
    """Tell of a run that ended whoever is to hear of it; yield a sentence for each way that failed.

    What failed is not noted as told, so the next run of the job tells its verdict though it be the same.
    """
    if collection.notify.mail is None and collection.notify.webhook is None:
        return
    with translated(), engine.connect() as connection:
        news = _news(connection, collection, paths, number, turn, ended, now)
    if news is None or not is_news(news, collection.notify):
        return
    failed = list(tell(news, collection.notify))
    yield from failed
    if not failed:
        with translated(), engine.begin() as connection:
            _note(connection, news, now)


def _news(
    connection: Connection,
    collection: Collection,
    paths: ArchivePaths,
    number: int,
    turn: Turn,
    ended: Ended,
    now: datetime,
) -> News | None:
    """Return the news of a run; None while there is none: it will be gone on with."""
    report = connection.execute(_REPORT, {"run": number}).mappings().one_or_none()
    verdict = _verdict(connection, number, turn, ended, None if report is None else report["verdict"])
    if verdict is None:
        return None
    last = _LAST.where(_told.c.job == turn.job.name, _told.c.portal == turn.portal)
    log = connection.execute(select(models.job_run.c.log).where(models.job_run.c.id == number)).scalar_one()
    page = None if report is None else paths.reports / f"run-{report['run_id']:06d}.html"
    return News(
        collection=collection.title or turn.portal or str(paths.root),
        job=turn.job.name,
        portal=turn.portal,
        run=number,
        verdict=verdict,
        before=connection.execute(last).scalar_one_or_none(),
        reason=ended.reason,
        ended_at=now,
        findings=[] if report is None else loaded(report["findings"]),
        counts={} if report is None else _counts(loaded(report["facts"])),
        page=page,
        log=log,
    )


def _verdict(connection: Connection, number: int, turn: Turn, ended: Ended, reported: str | None) -> str | None:
    """Return the verdict of a run: that of its report, unless its end is worse."""
    if ended.status in ("failed", "storage"):
        return "broken"
    if ended.status == "killed":
        asked = {"job": turn.job.name, "portal": turn.portal, "run": number, "most": KILLS}
        before = connection.execute(_KILLED, asked).scalars().all()
        return "broken" if ended.goes_on is None or before.count("killed") == KILLS else None
    if ended.status == "interrupted":
        return None
    return reported or ("attention" if ended.status == "stopped" else "well")


def _counts(facts: dict[str, Any]) -> dict[str, int]:
    found = facts["articles"]
    return {"requests": facts["pace"]["requests"], **{kind: found[kind]["count"] for kind in ("new", "changed", "missing")}}


def _note(connection: Connection, news: News, now: datetime) -> None:
    key = (_told.c.job == news.job) & (_told.c.portal == news.portal)
    connection.execute(_told.delete().where(key))
    row = {"job": news.job, "portal": news.portal, "verdict": news.verdict, "told_at": now}
    connection.execute(_told.insert(), [row])
