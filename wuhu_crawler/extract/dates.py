"""Dates as this family of portals prints them: a strict parser first, dateparser only for relative phrases.

Never a silently wrong date: what is not surely a date is None. Times without a zone are in the portal's zone (Asia/Shanghai
unless its profile says otherwise). Forms are those of docs/dates.md; tests/test_dates.py holds the tables of accepted and
refused ones.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

Precision = Literal["second", "minute", "day"]
# A portal of this family cannot be older than the web, and its pages are not from the far future.
EARLIEST_YEAR = 1990
_FUTURE_DAYS = 366

_DAY = (
    r"(?P<year>(?:19|20)\d\d|\d\d)\s?(?P<sep>[-/.年])\s?(?P<month>\d{1,2})"
    r"\s?(?P<sep2>[-/.月])\s?(?P<day>\d{1,2})(?!\d)\s?日?号?"
)
_TIME = (
    r"(?P<half>上午|下午|晚上|中午|凌晨|AM|PM)?\s?(?P<hour>\d{1,2})(?:[::时点])(?P<minute>\d{1,2})分?"
    r"(?:[::]?(?P<second>\d{1,2})秒?)?(?:\.\d{1,7})?\s?(?P<half2>AM|PM)?(?![\d:])"
)
_WEEKDAY = r"\s?[((]?(?:星期|周|礼拜)[一二三四五六日天][))]?"
_GAP = r"(?:\s|T|,){0,3}"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)(?!\d)"
MOMENT = re.compile(rf"(?<![\d.]){_DAY}(?:{_WEEKDAY})?(?:{_GAP}{_TIME}(?:\s?{_OFFSET})?)?", re.I)
_ZONE = re.compile(rf"(?<=\d)\s?({_OFFSET})\Z", re.I)
_MONTH_DAY = re.compile(r"[\[((]?\s?(?P<month>\d{1,2})\s?[-/.月]\s?(?P<day>\d{1,2})\s?日?\s?[\]))]?\Z")
_SEPARATORS = {"-": "-", "/": "/", ".": ".", "年": "月"}
_BRACKETS = "[](){}【】〔〕<>《》 \u3000\xa0"
_RELATIVE = (
    r"(?:刚刚|半小时前|\d{1,3}\s?(?:秒|秒钟|分钟|小时|个小时|天|周)(?:之)?前"
    r"|(?:今天|昨天|前天)(?:\s?\d{1,2}:\d{2}(?::\d{2})?)?)"
)
RELATIVE = re.compile(_RELATIVE + r"\Z")
LEADING_RELATIVE = re.compile(r"\s*" + _RELATIVE + r"(?=\s|\Z|[　)）\]】|｜])")
_AM = frozenset({"上午", "凌晨", "am"})
_PM = frozenset({"下午", "晚上", "pm"})
_NOON = "中午"
# Hour that makes any date-time invalid: what contradicts its half of the day is refused rather than guessed.
_REFUSED = 99


@dataclass(frozen=True, slots=True)
class Moment:
    """An aware date-time and how precisely the page gave it; with `day` the time is midnight by convention."""

    value: datetime
    precision: Precision


@lru_cache(maxsize=4096)
def normalize_digits(text: str) -> str:
    """Return the text with full-width digits and punctuation folded, for parsing only (stored text is never folded)."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).replace("：", ":")


def find_moment(text: str, zone: ZoneInfo) -> tuple[Moment, str] | None:
    """Return the first absolute date in a text with the words it was read from, or None."""
    folded = normalize_digits(text)
    for found in MOMENT.finditer(folded):
        moment = _moment(found, zone)
        if moment is not None:
            words = text[found.start() : found.end()] if len(folded) == len(text) else found.group()
            return moment, words.strip()
    return None


def parse_datetime(text: str | None, captured_at: datetime, zone: ZoneInfo) -> Moment | None:
    """Return the moment a whole text names, relative phrases read against `captured_at`; None when it is not surely one.

    A date more than a year after the capture is refused: it is a typing error or no publication date.
    """
    words = normalize_digits(text or "").strip(_BRACKETS)
    if not words:
        return None
    bare, offset = _split_zone(words)
    found = MOMENT.fullmatch(bare)
    moment = _moment(found, zone) if found else _relative(words, captured_at, zone)
    if moment is None:
        return None
    if offset is not None and moment.precision != "day":
        moment = Moment(moment.value.replace(tzinfo=offset).astimezone(zone), moment.precision)
    limit = captured_at.astimezone(zone) + timedelta(days=_FUTURE_DAYS)
    return moment if moment.value <= limit else None


def parse_date(text: str | None, captured_at: datetime, zone: ZoneInfo) -> date | None:
    """Return the day a text names. `04-30` takes the year that puts it last before the capture (a day of grace for clocks)."""
    moment = parse_datetime(text, captured_at, zone)
    if moment is not None:
        return moment.value.date()
    return _month_day(text or "", captured_at.astimezone(zone).date())


def day_of(text: str, captured_at: datetime, zone: ZoneInfo) -> date | None:
    """Return what parse_date returns, remembering it: list rows print the same dates on page after page."""
    moment = captured_at if captured_at.tzinfo is UTC else captured_at.astimezone(UTC)
    if _is_relative(text):
        return parse_date(text, captured_at, zone)
    return _day_of(text, moment.date(), moment.hour, zone)


@lru_cache(maxsize=8192)
def _is_relative(text: str) -> bool:
    return bool(RELATIVE.search(text))


@lru_cache(maxsize=8192)
def _day_of(text: str, day: date, hour: int, zone: ZoneInfo) -> date | None:
    return parse_date(text, datetime(day.year, day.month, day.day, hour, tzinfo=UTC), zone)


@lru_cache(maxsize=1024)
def _month_day(text: str, today: date) -> date | None:
    found = _MONTH_DAY.fullmatch(normalize_digits(text).strip(_BRACKETS))
    return _latest(int(found["month"]), int(found["day"]), today) if found else None


def _moment(found: re.Match[str], zone: ZoneInfo) -> Moment | None:
    if _SEPARATORS[found["sep"]] != found["sep2"]:
        return None
    year = int(found["year"])
    if len(found["year"]) == 2:
        # A two-digit year is only believed in the Chinese form 04年3月5日, where nothing else can be meant.
        if found["sep"] != "年":
            return None
        year += 1900 if year >= EARLIEST_YEAR - 1900 else 2000
    if year < EARLIEST_YEAR:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    hour = _on_24_hours(hour, (found["half"] or found["half2"] or "").lower())
    precision: Precision = "day" if found["hour"] is None else "minute" if found["second"] is None else "second"
    try:
        value = datetime(year, int(found["month"]), int(found["day"]), hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    return Moment(value, precision)


def _on_24_hours(hour: int, half: str) -> int:
    """Return the hour of the day: 12 AM is midnight, 12 PM and 中午 12 are noon, 下午 15:00 is left alone."""
    if half in _AM:
        return 0 if hour == 12 else hour if hour < 12 else _REFUSED
    if half in _PM or (half == _NOON and hour < 3):
        return hour + 12 if hour < 12 else hour
    return hour


def _split_zone(words: str) -> tuple[str, ZoneInfo | None]:
    found = _ZONE.search(words)
    if not found or ":" not in words[: found.start()]:
        return words, None
    parsed = datetime.fromisoformat("2000-01-01T00:00:00" + found.group(1).upper().replace("Z", "+00:00"))
    return words[: found.start()], parsed.tzinfo  # type: ignore[return-value]


def _relative(words: str, captured_at: datetime, zone: ZoneInfo) -> Moment | None:
    if not RELATIVE.fullmatch(words):
        return None
    import dateparser  # heavy, and needed for a handful of pages only

    base = captured_at.astimezone(zone).replace(tzinfo=None)
    parsed = dateparser.parse(
        words,
        languages=["zh"],
        settings={"RELATIVE_BASE": base, "PREFER_DATES_FROM": "past", "RETURN_AS_TIMEZONE_AWARE": False},
    )
    if parsed is None:
        return None
    exact = ":" in words or "秒" in words or "分钟" in words or "小时" in words or words == "刚刚"
    if not exact:
        return Moment(datetime(parsed.year, parsed.month, parsed.day, tzinfo=zone), "day")
    return Moment(parsed.replace(second=0, microsecond=0, tzinfo=zone), "minute")


def _latest(month: int, day: int, today: date) -> date | None:
    """Return the last such day not after tomorrow: a list never shows days to come. 29 February looks back to a leap year."""
    for year in range(today.year + 1, today.year - 9, -1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate <= today + timedelta(days=1):
            return candidate
    return None
