"""Calendar expressions: when a job is due, written by people. The reckoning is APScheduler's (extra `schedule`).

    daily 02:30          mon,thu 02:30        weekdays 02:30       weekends 10:00
    monthly 1 04:00      monthly last 04:00   yearly 03-15 04:00
    every 6 hours        30 2 * * 1-5 (cron: minute hour day month weekday)

Times are those of a clock on the wall in the collection's time zone: one that does not exist on the day the clocks go forward
is taken an hour later, one that comes twice on the day they go back is due twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..errors import UsageError

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORMS = "daily 02:30, mon,thu 02:30, weekdays 02:30, monthly 1 04:00, yearly 03-15 04:00, every 6 hours, or cron's 30 2 * * 1-5"
_NAMES = dict(zip(DAYS, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(), strict=True))
_GROUPS = {"daily": DAYS, "weekdays": DAYS[:5], "weekends": DAYS[5:]}
_TIME = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
_ON_DAYS = re.compile(rf"(?P<days>[a-z]+(?:\s*,\s*[a-z]+)*)\s+{_TIME}")
_MONTHLY = re.compile(rf"monthly\s+(?P<day>last|\d\d?)\s+{_TIME}")
_YEARLY = re.compile(rf"yearly\s+(?P<month>0?\d|1[0-2])-(?P<day>[012]?\d|3[01])\s+{_TIME}")
_EVERY = re.compile(r"every\s+(?:(?P<number>\d+)\s+)?(?P<unit>minute|hour)s?")
_CRON = re.compile(r"[\d*/,a-z-]+(?:\s+[\d*/,a-z-]+){4}")
_WEEKDAY = re.compile(r"(\d|[a-z]{3})(?:-(\d|[a-z]{3}))?(?:/(\d+))?|\*(?:/(\d+))?")


@dataclass(frozen=True, slots=True)
class When:
    """A calendar expression that was understood: its own words, and what they say in a sentence's middle."""

    text: str
    words: str
    zone: ZoneInfo
    trigger: BaseTrigger

    def after(self, moment: datetime) -> datetime | None:
        """Return the next time (UTC) after a moment; None when there is none any more."""
        local = moment.astimezone(self.zone)
        found = self.trigger.get_next_fire_time(local, local)
        return None if found is None else found.astimezone(UTC)

    def last(self, since: datetime, until: datetime) -> datetime | None:
        """Return the last time (UTC) after `since` and not after `until`; None when there is none."""
        # Not all the times between them: a job of every minute may have been asleep for a year.
        span = timedelta(days=1)
        while until - span > since:
            if (found := self._last(until - span, until)) is not None:
                return found
            span *= 8
        return self._last(since, until)

    def _last(self, since: datetime, until: datetime) -> datetime | None:
        found, later = None, self.after(since)
        while later is not None and later <= until:
            found, later = later, self.after(later)
        return found


def require_scheduler() -> None:
    """Raise UsageError unless APScheduler is installed."""
    if find_spec("apscheduler") is None:
        raise UsageError("schedules need the extra `schedule`: pip install 'wuhu-crawler[schedule]'")


def when(text: str, zone: ZoneInfo) -> When:
    """Return what a calendar expression means. Raises UsageError, naming the forms there are."""
    words = " ".join(text.lower().split())
    for pattern, read in ((_MONTHLY, _monthly), (_YEARLY, _yearly), (_EVERY, _every), (_ON_DAYS, _on_days), (_CRON, _cron)):
        if found := pattern.fullmatch(words):
            try:
                told, fields = read(found)
                return When(text, told, zone, _trigger(fields, zone))
            except ValueError as error:
                raise UsageError(f"{text!r} is no time of the calendar ({error}): write {FORMS}") from error
    raise UsageError(f"{text!r} is no time of the calendar: write {FORMS}")


def _on_days(found: re.Match[str]) -> tuple[str, dict[str, Any]]:
    names = [name.strip() for name in found["days"].split(",")]
    if len(names) == 1 and names[0] in _GROUPS:
        days: tuple[str, ...] = _GROUPS[names[0]]
        told = "every day" if len(days) == 7 else f"on {names[0]}"
    else:
        if strange := [name for name in names if name[:3] not in DAYS or not _NAMES[name[:3]].lower().startswith(name)]:
            raise ValueError(f"{strange[0]!r} is no day of the week")
        days = tuple(day for day in DAYS if day in {name[:3] for name in names})
        told = "on " + " and ".join(_NAMES[day] for day in days)
    return f"{told} at {_clock(found)}", {"day_of_week": ",".join(days), **_at(found)}


def _monthly(found: re.Match[str]) -> tuple[str, dict[str, Any]]:
    if found["day"] == "last":
        return f"on the last day of the month at {_clock(found)}", {"day": "last", **_at(found)}
    day = int(found["day"])
    if not 1 <= day <= 28:
        raise ValueError(f"not every month has a day {day}; `monthly last` is its last")
    return f"on day {day} of the month at {_clock(found)}", {"day": day, **_at(found)}


def _yearly(found: re.Match[str]) -> tuple[str, dict[str, Any]]:
    month, day = int(found["month"]), int(found["day"])
    datetime(2000, month, day, tzinfo=UTC)  # raises ValueError for a day that is in no year
    return f"every year on {month:02}-{day:02} at {_clock(found)}", {"month": month, "day": day, **_at(found)}


def _every(found: re.Match[str]) -> tuple[str, dict[str, Any]]:
    number, unit = int(found["number"] or 1), found["unit"]
    whole = 60 if unit == "minute" else 24
    if not 1 <= number <= whole or whole % number:
        raise ValueError(f"{number} does not divide {whole} {unit}s")
    told = f"every {unit}" if number == 1 else f"every {number} {unit}s"
    step = "*" if number == 1 else "0" if number == whole else f"*/{number}"
    return told, {"minute": step} if unit == "minute" else {"hour": step, "minute": 0}


def _cron(found: re.Match[str]) -> tuple[str, dict[str, Any]]:
    minute, hour, day, month, weekday = found[0].split()
    fields = {"minute": minute, "hour": hour, "day": day, "month": month, "day_of_week": _weekdays(weekday)}
    return f"by cron's {found[0]}", fields


def _weekdays(text: str) -> str:
    """Return cron's days of the week as names: it counts from Sunday, as 0 or 7, APScheduler from Monday."""
    if text == "*":
        return text
    chosen: set[str] = set()
    for part in text.split(","):
        found = _WEEKDAY.fullmatch(part)
        if not found:
            raise ValueError(f"{part!r} is no day of the week")
        first, last = (_weekday(found[1]), _weekday(found[2] or found[1])) if found[1] else (0, 6)
        numbers = range(first, (last if last >= first else last + 7) + 1, int(found[3] or found[4] or 1))
        chosen |= {DAYS[(number - 1) % 7] for number in numbers}
    return ",".join(day for day in DAYS if day in chosen)


def _weekday(text: str) -> int:
    """Return a day of the week as cron counts it, 0 = Sunday."""
    if text.isdigit():
        if int(text) > 7:
            raise ValueError(f"{text} is no day of the week: they are 0 (Sunday) to 7")
        return int(text)
    if text not in DAYS:
        raise ValueError(f"{text!r} is no day of the week")
    return (DAYS.index(text) + 1) % 7


def _trigger(fields: dict[str, Any], zone: ZoneInfo) -> BaseTrigger:
    """Return APScheduler's trigger. Raises ValueError for numbers out of range."""
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    if fields.get("day", "*") != "*" and fields.get("day_of_week", "*") != "*":
        # As cron has it: a day of the month or a day of the week, where both are given.
        either = ({**fields, "day": "*"}, {**fields, "day_of_week": "*"})
        return OrTrigger([CronTrigger(second=0, timezone=zone, **each) for each in either])
    return CronTrigger(second=0, timezone=zone, **fields)


def _at(found: re.Match[str]) -> dict[str, int]:
    return {"hour": int(found["hour"]), "minute": int(found["minute"])}


def _clock(found: re.Match[str]) -> str:
    return f"{int(found['hour']):02}:{found['minute']}"
