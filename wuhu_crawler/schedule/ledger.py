"""What the schedule remembers, in the archive's database: how far each job is settled, and every run it started.

Short transactions beside a crawl's own; the writer's lock is not needed, since a crawl touches neither of the two tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, select, update

from ..db import models
from ..db.engine import make_engine
from ..db.failures import translated
from ..errors import ArchiveInUse
from .due import KILLS, Standing, Turn

_run, _standing = models.job_run, models.job_standing


class Ended(NamedTuple):
    """How a run ended: its status, whether it goes on (None, `now`, `due`), exit code, and why in a sentence."""

    status: str
    goes_on: str | None
    exit_code: int | None
    reason: str


class Ledger:
    """The schedule's memory. Use it in a `with`, or `close` it."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = make_engine(url)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def standings(self) -> dict[tuple[str, str], Standing]:
        """Return how each job stands that was ever seen, by job and portal."""
        with self._reading() as connection:
            settled = connection.execute(select(_standing)).all()
            return {(row.job, row.portal): self._standing(connection, row) for row in settled}

    def see(self, jobs: Iterable[tuple[str, str]], now: datetime) -> None:
        """Note jobs that are new: what they were due before they were first seen is not caught up."""
        known = self.standings()
        rows = [{"job": job, "portal": portal, "settled_at": now} for job, portal in jobs if (job, portal) not in known]
        if rows:
            with self._writing() as connection:
                connection.execute(_standing.insert(), rows)

    def begin(self, turn: Turn, argv: list[str], now: datetime) -> int:
        """Store that a turn is begun; return the run's number."""
        values = {
            "job": turn.job.name,
            "do": turn.job.do,
            "portal": turn.portal,
            "due_at": turn.due_at,
            "resumed": turn.resumes,
        }
        with self._writing() as connection:
            number = int(connection.execute(select(func.coalesce(func.max(_run.c.id), 0) + 1)).scalar_one())
            connection.execute(_run.insert(), [{**values, "id": number, "started_at": now, "status": "running", "argv": argv}])
        return number

    def started(self, number: int, pid: int, log: str) -> None:
        """Store which process a run is, and where it writes its log."""
        with self._writing() as connection:
            connection.execute(update(_run).where(_run.c.id == number).values(pid=pid, log=log))

    def end(self, number: int, ended: Ended, now: datetime) -> None:
        """Store how a run ended, and that what it was due for is settled.

        It is not when another process had the archive, nor when an earlier run was finished by it: the one that was due comes
        after.
        """
        with self._writing() as connection:
            run = connection.execute(select(_run).where(_run.c.id == number)).one()
            connection.execute(update(_run).where(_run.c.id == number).values(**ended._asdict(), finished_at=now))
            if ended.exit_code != ArchiveInUse.exit_code and not (run.resumed and ended.status == "done"):
                of_job = (_standing.c.job == run.job) & (_standing.c.portal == run.portal)
                connection.execute(update(_standing).where(of_job).values(settled_at=run.due_at))

    def running(self) -> list[Any]:
        """Return the runs that are said to be at work (id, job, portal, pid)."""
        with self._reading() as connection:
            return list(connection.execute(select(_run).where(_run.c.status == "running").order_by(_run.c.id)))

    def free_at(self) -> datetime | None:
        """Return when the last run ended; None when there was none."""
        with self._reading() as connection:
            return connection.execute(
                select(_run.c.finished_at).where(_run.c.finished_at.is_not(None)).order_by(_run.c.finished_at.desc()).limit(1)
            ).scalar_one_or_none()

    def _standing(self, connection: Connection, row: Any) -> Standing:
        of_job = (_run.c.job == row.job) & (_run.c.portal == row.portal)
        last = connection.execute(select(_run).where(of_job).order_by(_run.c.id.desc()).limit(KILLS)).all()
        kills = next((count for count, run in enumerate(last) if run.status != "killed"), len(last))
        return Standing(row.settled_at, last[0].goes_on if last else None, kills)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(), self.engine.begin() as connection:
            yield connection
