"""What goes into a package: all captures, those of a crawl, or those of some days; and of each WARC file all or a part.

A revisit is replayed from the record that holds its payload, so that one goes in too, wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, true

from ..db import models
from ..errors import UsageError

_capture, _file = models.capture.c, models.warc_file.c
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: a crawl, days (both ends included, in the portal's zone), or neither: everything."""

    crawl: str | None = None
    first: date | None = None
    last: date | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.crawl is None and self.first is None and self.last is None

    def __str__(self) -> str:
        if self.crawl is not None:
            return f"crawl {self.crawl}"
        if self.is_all:
            return "the whole collection"
        return f"{self.first or 'the beginning'} to {self.last or 'today'}"


class Part(NamedTuple):
    """A WARC file that goes in; `offsets` are those of the records wanted of it, None for the whole file."""

    name: str
    offsets: list[int] | None


class Chosen:
    """The captures of a choice, asked of one connection."""

    def __init__(self, connection: Connection, choice: Choice) -> None:
        """Raises UsageError for a crawl that is not there, or when nothing is chosen."""
        self._connection = connection
        self.condition = _condition(connection, choice)
        self.origins = self._find_origins()
        self.count = int(
            connection.execute(select(func.count()).select_from(models.capture).where(self.condition)).scalar_one()
        )
        if not self.count:
            raise UsageError(f"the archive has no captures of {choice}; `wuhu status` shows its crawls")

    def parts(self) -> Iterator[Part]:
        """Yield the WARC files that go in, in order of serial."""
        files = self._connection.execute(select(_file.name, _file.sha256).order_by(_file.serial, _file.name)).all()
        for name, sha256 in files:
            offsets = self._offsets(name)
            total = select(func.count()).select_from(models.capture).where(_capture.warc_file == name)
            if offsets and sha256 is not None and len(offsets) == self._connection.execute(total).scalar_one():
                yield Part(name, None)
            elif offsets:
                yield Part(name, sorted(offsets))

    def captures(self) -> Iterator[Row[Any]]:
        """Yield the rows of the captures that were chosen, in order; not those that go in for their payload only."""
        wanted = select(models.capture).where(self.condition).order_by(_capture.id)
        yield from self._connection.execute(wanted.execution_options(yield_per=_CHUNK))

    def _offsets(self, name: str) -> set[int]:
        chosen = select(_capture.warc_offset).where(_capture.warc_file == name, self.condition)
        return {*self._connection.execute(chosen).scalars(), *self.origins.get(name, ())}

    def _find_origins(self) -> dict[str, set[int]]:
        """Return where payloads of chosen revisits lie outside of the choice, by file."""
        origin = models.capture.alias()
        wanted = (
            select(origin.c.warc_file, origin.c.warc_offset)
            .select_from(models.capture)
            .join(origin, origin.c.record_id == _capture.refers_to)
            .where(self.condition, _capture.record_type == "revisit")
        )
        found: dict[str, set[int]] = {}
        for name, offset in self._connection.execute(wanted):
            found.setdefault(name, set()).add(offset)
        return found


def _condition(connection: Connection, choice: Choice) -> ColumnElement[bool]:
    if choice.crawl is not None:
        if connection.execute(select(models.crawl.c.id).where(models.crawl.c.id == choice.crawl)).first() is None:
            raise UsageError(f"there is no crawl {choice.crawl}; `wuhu status` shows which there are")
        return _capture.crawl_id == choice.crawl
    if choice.is_all:
        return true()
    # The days of each portal are those of its own zone.
    known = models.portal.c
    ways = []
    for name, zone in connection.execute(select(known.name, known.timezone)):
        crawls = select(models.crawl.c.id).where(models.crawl.c.portal == name)
        bounds: list[ColumnElement[bool]] = [_capture.crawl_id.in_(crawls)]
        if choice.first is not None:
            bounds.append(_capture.captured_at >= _midnight(choice.first, zone))
        if choice.last is not None:
            bounds.append(_capture.captured_at < _midnight(choice.last + timedelta(days=1), zone))
        ways.append(and_(*bounds))
    return or_(*ways) if ways else ~true()


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
