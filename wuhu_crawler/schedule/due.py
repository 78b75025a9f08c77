"""What is due: pure functions of the jobs, how they stand, and the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from .jobs import Collection, Job

# A run that was killed is gone on with at once, but not for ever: it may be what it does that kills it.
KILLS = 3


class Standing(NamedTuple):
    """How a job stands for a portal: due times settled, how its last run goes on (None, `now`, `due`), kills in a row."""

    settled_at: datetime
    goes_on: str | None = None
    kills: int = 0


Standings = Mapping[tuple[str, str], Standing]


@dataclass(frozen=True, slots=True)
class Turn:
    """A run that is to come: of which job and portal (empty = the archive), due when, and from when on it may begin.

    `resumes` says that it goes on with a run that did not come to its end.
    """

    job: Job
    portal: str
    due_at: datetime
    begins_at: datetime
    resumes: bool


def turns(collection: Collection, standings: Standings, now: datetime, free_at: datetime | None = None) -> list[Turn]:
    """Return the next turn of every job and portal that has one, those that may begin first in front.

    Times are UTC. `free_at` is the end of the last run of any job: the collection's pause counts from it.
    """
    found = list(_turns(collection, standings, now))
    rested = now if free_at is None else free_at + collection.pause
    return sorted((_after(turn, rested, collection) for turn in found), key=lambda turn: (turn.begins_at, turn.due_at))


def places(job: Job) -> Sequence[str]:
    """Return the portals a job is run for, one by one; a job of the whole archive has the empty name."""
    return job.portals if job.is_crawl else ("",)


def bound(job: Job, collection: Collection, now: datetime) -> tuple[datetime, str] | None:
    """Return when a run that begins now is ended, and by what: `window` or `longest`; None = by nothing."""
    ends: list[tuple[datetime, str]] = []
    if job.longest is not None and job.is_crawl:
        ends.append((now + job.longest, "longest"))
    if job.window is not None and (closes := job.window.open_at(now.astimezone(collection.zone))) is not None:
        ends.append((closes.astimezone(now.tzinfo), "window"))
    return min(ends, default=None)


def _turns(collection: Collection, standings: Standings, now: datetime) -> Iterator[Turn]:
    for job in collection.jobs:
        for portal in places(job):
            standing = standings.get((job.name, portal), Standing(now))
            turn = _turn(job, portal, standing, now)
            if turn is not None:
                yield turn


def _turn(job: Job, portal: str, standing: Standing, now: datetime) -> Turn | None:
    """Return the next turn of a job: what is to be gone on with, then what was missed (once), then what comes."""
    unfinished = standing.goes_on is not None
    if standing.goes_on == "now" and standing.kills < KILLS:
        return Turn(job, portal, standing.settled_at, now, True)
    # What is unfinished for another reason, a full disk or its own length, is finished first, and what was missed comes after.
    missed = job.when.last(standing.settled_at, now)
    due_at = missed or job.when.after(now)
    return None if due_at is None else Turn(job, portal, due_at, max(due_at, now), unfinished)


def _after(turn: Turn, rested: datetime, collection: Collection) -> Turn:
    """Return the turn, put off until the pause is over and its window is open."""
    begins = max(turn.begins_at, rested)
    if turn.job.window is not None:
        local = begins.astimezone(collection.zone)
        if turn.job.window.open_at(local) is None:
            begins = turn.job.window.next_opening(local).astimezone(begins.tzinfo)
    return Turn(turn.job, turn.portal, turn.due_at, begins, turn.resumes)


def seconds(span: timedelta) -> float:
    """Return a span in seconds, none below zero."""
    return max(0.0, span.total_seconds())
