"""The days on which no Chinese newsroom keeps its rhythm: public holidays, in the portal's own time. Quiet is no news then.

The days are those of the law (全国年节及纪念日放假办法) with the days around them that are taken off. Spring Festival follows
the moon, so its first days are a table; the short lunar holidays are one day and cost no more than one quiet day each.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
# The first day of the lunar year, MMDD by year.
SPRING = {
    2010: 214, 2011: 203, 2012: 123, 2013: 210, 2014: 131, 2015: 219, 2016: 208, 2017: 128, 2018: 216, 2019: 205,
    2020: 125, 2021: 212, 2022: 201, 2023: 122, 2024: 210, 2025: 129, 2026: 217, 2027: 206, 2028: 126, 2029: 213,
    2030: 203, 2031: 123, 2032: 211, 2033: 131, 2034: 219, 2035: 208, 2036: 128, 2037: 215, 2038: 204, 2039: 124,
    2040: 212, 2041: 201, 2042: 122, 2043: 210, 2044: 130, 2045: 217, 2046: 206, 2047: 126, 2048: 214, 2049: 202,
}  # fmt: skip
# Days off around it: from so many days before the first day to so many after it.
_SPRING_SPAN = (-4, 9)
# Month and day of the others, the first and the last: New Year, Qingming, Labour Day, the weeks of the National Day.
_FIXED = (((12, 31), (12, 31)), ((1, 1), (1, 3)), ((4, 3), (4, 6)), ((5, 1), (5, 5)), ((10, 1), (10, 8)))
_DAY = timedelta(days=1)


def is_holiday(day: date) -> bool:
    """Tell whether a day is a holiday, or one of those around Spring Festival."""
    if any(first <= (day.month, day.day) <= last for first, last in _FIXED):
        return True
    mark = SPRING.get(day.year)
    if mark is None:
        return False
    first = date(day.year, mark // 100, mark % 100)
    return _SPRING_SPAN[0] <= (day - first).days <= _SPRING_SPAN[1]


def touched(begin: datetime, end: datetime) -> bool:
    """Tell whether a holiday falls into the time from one moment to another."""
    day, last = begin.astimezone(ZONE).date(), end.astimezone(ZONE).date()
    while day <= last:
        if is_holiday(day):
            return True
        day += _DAY
    return False
