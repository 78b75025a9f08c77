"""What a collection consists of: jobs with their windows, who is told, how long things are kept. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from .calendar import When

# What a job can be; the first four ask a portal for something.
WALKS = ("walk", "full", "gaps", "recheck")
KINDS = (*WALKS, "verify", "backup", "export", "wacz")


@dataclass(frozen=True, slots=True)
class Window:
    """The hours a run may be at work, by the collection's wall clock; one that ends before it begins goes over midnight."""

    text: str
    begins: time
    ends: time

    def open_at(self, local: datetime) -> datetime | None:
        """Return when the window that is open at a local time closes; None when none is open."""
        for day in (local.date() - timedelta(days=1), local.date()):
            opens = datetime.combine(day, self.begins, local.tzinfo)
            closes = datetime.combine(day + timedelta(days=self.ends <= self.begins), self.ends, local.tzinfo)
            if opens <= local < closes:
                return closes
        return None

    def next_opening(self, local: datetime) -> datetime:
        """Return when it opens next, after a local time."""
        today = datetime.combine(local.date(), self.begins, local.tzinfo)
        return today if today > local else datetime.combine(local.date() + timedelta(days=1), self.begins, local.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job: what is done, when, for which portals, and within which bounds. `longest` ends a run, to be gone on with."""

    name: str
    do: str
    when: When
    portals: tuple[str, ...]
    budget: int | None = None
    longest: timedelta | None = None
    window: Window | None = None
    options: tuple[str, ...] = ()

    @property
    def is_crawl(self) -> bool:
        """Whether it asks a portal for something: it is run for each portal, and can be gone on with."""
        return self.do in WALKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a secret lies: an environment variable or a file. It is read when it is used, and kept nowhere."""

    variable: str | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How reports are mailed."""

    to: tuple[str, ...]
    sender: str
    host: str = "localhost"
    port: int = 25
    security: str = "none"
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where reports are posted as JSON: an address, or where it is found when the address itself is a secret."""

    url: str | None = None
    secret: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told, and when: `change` of the verdict, `always`, or `never`."""

    on: str = "change"
    mail: Mail | None = None
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is not the archive is kept; None = for good. WARC files are never removed."""

    logs: timedelta | None = timedelta(days=90)
    reports: timedelta | None = None
    exports: timedelta | None = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection file that was understood. `portals` has the name of each portal -> its profile's name or path."""

    file: Path
    title: str
    contact: str
    operator: str
    zone: ZoneInfo
    portals: Mapping[str, str]
    pause: timedelta
    delay: float | None
    jobs: tuple[Job, ...]
    retention: Retention
    notify: Notify
