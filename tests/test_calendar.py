"""Calendar expressions: what they mean, in times and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from wuhu_crawler.errors import UsageError
from wuhu_crawler.schedule.calendar import when

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
# A Wednesday, noon in Shanghai.
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "comes", "words"),
    [
        ("daily 02:30", "2026-11-26T02:30", "every day at 02:30"),
        ("Daily  2:30", "2026-11-26T02:30", "every day at 02:30"),
        ("daily 12:00", "2026-11-26T12:00", "every day at 12:00"),
        ("mon,thu 02:05", "2026-11-26T02:05", "on Monday and Thursday at 02:05"),
        ("sunday 02:05", "2026-11-29T02:05", "on Sunday at 02:05"),
        ("weekends 10:00", "2026-11-28T10:00", "on weekends at 10:00"),
        ("monthly 1 04:00", "2026-12-01T04:00", "on day 1 of the month at 04:00"),
        ("monthly last 04:00", "2026-11-30T04:00", "on the last day of the month at 04:00"),
        ("yearly 02-29 04:00", "2028-02-29T04:00", "every year on 02-29 at 04:00"),
        ("every 6 hours", "2026-11-25T18:00", "every 6 hours"),
        ("every hour", "2026-11-25T13:00", "every hour"),
        ("every 15 minutes", "2026-11-25T12:15", "every 15 minutes"),
        ("30 2 * * 1-5", "2026-11-26T02:30", "by cron's 30 2 * * 1-5"),
        ("30 2 * * 7", "2026-11-29T02:30", "by cron's 30 2 * * 7"),
        ("30 2 * * 0", "2026-11-29T02:30", "by cron's 30 2 * * 0"),
        ("30 2 * * 5-1", "2026-11-27T02:30", "by cron's 30 2 * * 5-1"),
        ("0 */6 1,15 * *", "2026-12-01T00:00", "by cron's 0 */6 1,15 * *"),
        # A day of the month or a day of the week, where cron has both.
        ("0 3 1 * sun", "2026-11-29T03:00", "by cron's 0 3 1 * sun"),
    ],
)
def test_when(text: str, comes: str, words: str) -> None:
    found = when(text, SHANGHAI)
    after = found.after(NOW)
    assert after is not None
    assert after.astimezone(SHANGHAI).isoformat(timespec="minutes").removesuffix("+08:00") == comes
    assert found.words == words


@pytest.mark.parametrize(
    "text",
    """ |dayly 02:30|daily|daily 24:00|daily 2:3|mon,foo 02:00|monthly 31 02:00|monthly 0 02:00|yearly 02-30 04:00|every 7 hours
    |every 0 minutes|* * * * 8|61 * * * *|* * * *|0 0 31 13 *|每天 02:30""".split("|"),
)
def test_what_is_no_time_of_the_calendar(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no time of the calendar.*write daily 02:30"):
        when(text, SHANGHAI)


def test_what_was_missed_is_the_last_time_only() -> None:
    daily = when("daily 02:30", SHANGHAI)
    assert daily.last(datetime(2026, 1, 1, tzinfo=UTC), NOW) == datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
    assert daily.last(datetime(2026, 11, 24, 18, 30, tzinfo=UTC), NOW) is None
    assert when("every minute", SHANGHAI).last(datetime(2000, 1, 1, tzinfo=UTC), NOW) == NOW
    assert when("yearly 03-15 04:00", SHANGHAI).last(datetime(2020, 1, 1, tzinfo=UTC), NOW) == datetime(
        2026, 3, 14, 20, tzinfo=UTC
    )


def test_the_day_the_clocks_go_forward_and_the_day_they_go_back() -> None:
    daily = when("daily 02:30", BERLIN)
    assert daily.after(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 there
    first = daily.after(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert daily.after(first) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_day_that_never_comes() -> None:
    assert when("0 0 31 2 *", SHANGHAI).after(NOW) is None
