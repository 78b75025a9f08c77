"""Which part of an archive is looked at: as it stood at a moment, with or without what is suppressed.

Every question of an analyst has one: search, show, ask, export. The views (views.py) put it into SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ..errors import UsageError
from .types import utc_text

# A day of the archive is one of the portal's city, wherever the analyst sits.
ZONE = ZoneInfo("Asia/Shanghai")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at. `until` is the first moment (aware, UTC) that is not known any more; None = everything is known."""

    until: datetime | None = None
    suppressed: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether this is the archive as it stands, which the views of the database show."""
        return self == PLAIN

    @property
    def until_text(self) -> str | None:
        """`until` as the database writes its times."""
        return None if self.until is None else utc_text(self.until)


PLAIN = Scope()


def as_of(text: str) -> datetime:
    """Return the first moment (UTC) after what `text` names: a day like 2024-03-01 to its end in Asia/Shanghai, or a time with
    its offset, like 2024-03-01T12:00:00+08:00.

    Raises UsageError for anything else.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), ZONE).astimezone(UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"{text!r} is no moment: give a day like 2024-03-01, or a time with its offset, 2024-03-01T12:00:00+08:00"
        )
    return moment.astimezone(UTC) + timedelta(microseconds=1)
