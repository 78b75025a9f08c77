"""Dates: tables of accepted and refused forms, years for `04-30`, and properties over any date-time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuhu_crawler.extract.dates import find_moment, normalize_digits, parse_date, parse_datetime

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)  # noon in Shanghai

# text -> (ISO without zone, precision)
ACCEPTED = {
    "2024/2/3 20:24:31": ("2024-02-03T20:24:31", "second"),
    "2024-2-3 8:05:00": ("2024-02-03T08:05:00", "second"),
    "2024-02-03 08:05": ("2024-02-03T08:05:00", "minute"),
    "2024/2/3": ("2024-02-03T00:00:00", "day"),
    "2024-2-3": ("2024-02-03T00:00:00", "day"),
    "2024.2.3": ("2024-02-03T00:00:00", "day"),
    "2024年2月3日": ("2024-02-03T00:00:00", "day"),
    "2024 年 2 月 3 日": ("2024-02-03T00:00:00", "day"),
    "2024年2月3日 20时24分31秒": ("2024-02-03T20:24:31", "second"),
    "2024年02月03日20:24": ("2024-02-03T20:24:00", "minute"),
    "2024年2月3日 星期六 20:24": ("2024-02-03T20:24:00", "minute"),
    "2024-2-3 下午 3:04:05": ("2024-02-03T15:04:05", "second"),
    "2024-2-3 上午 9:04:05": ("2024-02-03T09:04:05", "second"),
    "2024-2-3 3:04:05 PM": ("2024-02-03T15:04:05", "second"),
    "2024-2-3 凌晨 1:05": ("2024-02-03T01:05:00", "minute"),
    "2024-2-3 上午 12:05:00": ("2024-02-03T00:05:00", "second"),
    "2024-2-3 12:05:00 AM": ("2024-02-03T00:05:00", "second"),
    "2024-2-3 中午 12:05": ("2024-02-03T12:05:00", "minute"),
    "2024-2-3 中午 1:05": ("2024-02-03T13:05:00", "minute"),
    "２０２４－２－３　２０：２４": ("2024-02-03T20:24:00", "minute"),
    "２０２４年２月３日": ("2024-02-03T00:00:00", "day"),
    "2024-02-03T20:24:31": ("2024-02-03T20:24:31", "second"),
    "2024-02-03T20:24:31+08:00": ("2024-02-03T20:24:31", "second"),
    "2024-02-03T12:24:31Z": ("2024-02-03T20:24:31", "second"),
    "2024-02-03T12:24:31+0000": ("2024-02-03T20:24:31", "second"),
    "2024-02-03T20:24:31.123+08:00": ("2024-02-03T20:24:31", "second"),
    "[2024-2-3]": ("2024-02-03T00:00:00", "day"),
    "（2024-2-3 8:00:01）": ("2024-02-03T08:00:01", "second"),
    "04年3月5日": ("2004-03-05T00:00:00", "day"),
    "98年3月5日": ("1998-03-05T00:00:00", "day"),
    "2024-2-29": ("2024-02-29T00:00:00", "day"),
    "昨天 10:20": ("2024-04-30T10:20:00", "minute"),
    "今天 08:01": ("2024-05-01T08:01:00", "minute"),
    "前天": ("2024-04-29T00:00:00", "day"),
    "3小时前": ("2024-05-01T09:00:00", "minute"),
    "20分钟前": ("2024-05-01T11:40:00", "minute"),
    "2天前": ("2024-04-29T00:00:00", "day"),
}
REFUSED = (
    "",
    "2361",
    "12393",
    "2024",
    "2024-13-01",
    "2024-02-30",
    "2023-2-29",
    "2024-0-3",
    "2024-2-0",
    "2013 年 6 月",
    "2013年6月",
    "6月",
    "4月20日 18:10",
    "24-2-3",
    "05-3-4 10:00",
    "3/4/05",
    "2024-2-3 25:00:00",
    "2024-2-3 10:61:00",
    "2024-2/3",
    "2024年2-3",
    "1898-1-1",
    "1970-1-1",
    "0000-00-00",
    "2099-1-1",
    "2025-12-31",
    "20240203",
    "2024-2-34",
    "12024-2-3",
    "2024-2-3 至 2024-2-9",
    "192.168.1.1",
    "13.2.3",
    "发布日期",
    "102",
    "一九九九年",
    "下周三",
    "明天",
    "5月",
    "星期六",
    "20:24:31",
    "2024-2-3-4",
    "0.5小时前吗",
)
# Month and day, seen on a day, belong to the last such day before (a day of grace for clocks that run ahead).
MONTH_DAY = (
    ("04-30", "2024-05-01", "2024-04-30"),
    ("[02-03]", "2024-05-01", "2024-02-03"),
    ("(12-31)", "2024-01-01", "2023-12-31"),
    ("01-01", "2024-01-01", "2024-01-01"),
    ("01-02", "2024-01-01", "2024-01-02"),
    ("01-03", "2024-01-01", "2023-01-03"),
    ("12-31", "2023-12-31", "2023-12-31"),
    ("01-01", "2023-12-31", "2024-01-01"),
    ("02-29", "2024-03-01", "2024-02-29"),
    ("02-29", "2026-03-01", "2024-02-29"),
    ("4月30日", "2024-05-01", "2024-04-30"),
    ("4/30", "2024-05-01", "2024-04-30"),
    ("０４－３０", "2024-05-01", "2024-04-30"),
)
NO_MONTH_DAY = ("13-01", "02-30", "00-10", "4-31", "04-30 前", "1-2-3", "2361", "06月", "4月20日 18:10")


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    moment = parse_datetime(text, NOW, ZONE)
    assert moment is not None
    assert (moment.value.replace(tzinfo=None).isoformat(), moment.precision) == ACCEPTED[text]
    assert moment.value.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    assert parse_datetime(text, NOW, ZONE) is None


@pytest.mark.parametrize(("text", "seen", "day"), MONTH_DAY)
def test_month_and_day(text: str, seen: str, day: str) -> None:
    captured_at = datetime.fromisoformat(f"{seen}T10:00:00+08:00")
    assert parse_date(text, captured_at, ZONE) == date.fromisoformat(day)


@pytest.mark.parametrize("text", NO_MONTH_DAY)
def test_no_month_and_day(text: str) -> None:
    assert parse_date(text, NOW, ZONE) is None


def test_new_year_is_the_portals_not_greenwichs() -> None:
    still_december_in_london = datetime(2023, 12, 31, 20, 0, tzinfo=UTC)
    assert parse_date("01-01", still_december_in_london, ZONE) == date(2024, 1, 1)
    assert parse_date("12-31", still_december_in_london, ZONE) == date(2023, 12, 31)


@pytest.mark.parametrize("value", [None, "", "　", "[]"])
def test_nothing_is_no_date(value: str | None) -> None:
    assert parse_datetime(value, NOW, ZONE) is None
    assert parse_date(value, NOW, ZONE) is None


def test_another_zone() -> None:
    moment = parse_datetime("2024-2-3 8:00:00", NOW, ZoneInfo("Asia/Tokyo"))
    assert moment is not None
    assert moment.value.isoformat() == "2024-02-03T08:00:00+09:00"


FOUND = (
    ("发布日期:2024/2/3 20:24:31 浏览:102", "2024/2/3 20:24:31"),
    ("2015年3月6日 星期五 14:05　来源：《江城月刊》", "2015年3月6日 星期五 14:05"),
    ("[ 2010年10月1日 8:00:00 | 查看次数：733 ]", "2010年10月1日 8:00:00"),
    ("２０１４年３月８日　９：０５", "２０１４年３月８日　９：０５"),
    ("电话 0553-3832153，2024-1-5 见报", "2024-1-5"),
)
NOT_FOUND = (
    "确定的“2361”工作思路",
    "共 390 条 3/20页",
    "2013年6月",
    "电话：0553-3832153",
    "版本 2.0.24.2.3",
    "满意率99.8.5",
    "",
)


@pytest.mark.parametrize(("text", "words"), FOUND)
def test_found_in_a_line(text: str, words: str) -> None:
    found = find_moment(text, ZONE)
    assert found is not None
    assert found[1] == words


@pytest.mark.parametrize("text", NOT_FOUND)
def test_not_found_in_a_line(text: str) -> None:
    assert find_moment(text, ZONE) is None


PAST = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2024, 4, 30)).map(lambda at: at.replace(microsecond=0))
PRINTERS = {
    "vbscript slash": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t:%M:%S}",
    "vbscript dash": lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t:%M:%S}",
    "padded": lambda t: f"{t:%Y-%m-%d %H:%M:%S}",
    "dots": lambda t: f"{t:%Y.%m.%d %H:%M:%S}",
    "chinese": lambda t: f"{t.year}年{t.month}月{t.day}日 {t.hour}:{t:%M:%S}",
    "chinese words": lambda t: f"{t.year}年{t.month}月{t.day}日{t.hour}时{t.minute}分{t.second}秒",
    "iso": lambda t: t.replace(tzinfo=ZONE).isoformat() if t.year > 1991 else f"{t:%Y-%m-%dT%H:%M:%S}",
    "halves": lambda t: f"{t.year}-{t.month}-{t.day} {'下午' if t.hour >= 12 else '上午'} {t.hour % 12 or 12}:{t:%M:%S}",
    "full width": lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t:%M:%S}".translate(
        {ord(c): ord(c) + 0xFEE0 for c in "0123456789:"}
    ),
}


@pytest.mark.parametrize("form", PRINTERS)
@given(at=PAST)
def test_every_form_reads_back(form: str, at: datetime) -> None:
    moment = parse_datetime(PRINTERS[form](at), NOW, ZONE)
    assert moment is not None
    assert moment.value.replace(tzinfo=None) == at
    assert moment.precision == "second"


@given(at=st.dates(min_value=date(1990, 1, 1), max_value=date(2024, 4, 30)))
def test_every_day_reads_back(at: date) -> None:
    for text in (f"{at.year}-{at.month}-{at.day}", f"{at:%Y/%m/%d}", f"{at.year}年{at.month}月{at.day}日"):
        assert parse_date(text, NOW, ZONE) == at


@given(seen=st.datetimes(min_value=datetime(2001, 1, 1), max_value=datetime(2030, 1, 1)), back=st.integers(0, 363))
def test_month_and_day_of_the_last_year_read_back(seen: datetime, back: int) -> None:
    day = seen.date() - timedelta(days=back)
    assert parse_date(f"{day:%m-%d}", seen.replace(tzinfo=ZONE), ZONE) == day


@given(text=st.text(max_size=40) | st.from_regex(r"[0-9年月日:/\- T]{0,24}", fullmatch=True))
def test_no_text_raises_and_none_is_from_the_future(text: str) -> None:
    moment = parse_datetime(text, NOW, ZONE)
    assert moment is None or datetime(1990, 1, 1, tzinfo=ZONE) <= moment.value <= NOW + timedelta(days=366)
    parse_date(text, NOW, ZONE)
    find_moment(text, ZONE)


def test_the_table_in_the_docs_holds() -> None:
    text = (Path(__file__).parents[1] / "docs" / "dates.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]*)` \| `?([^|`]*)`? \| (second|minute|day|refused|date) \|", text, re.M)
    assert len(rows) >= 20
    for words, value, kind in rows:
        if kind == "date":
            assert parse_date(words, NOW, ZONE) == date.fromisoformat(value), words
        elif kind == "refused":
            assert parse_datetime(words, NOW, ZONE) is None, words
        else:
            moment = parse_datetime(words, NOW, ZONE)
            assert moment is not None, words
            assert (moment.value.isoformat(), moment.precision) == (value.strip(), kind)


def test_folding_is_for_reading_only() -> None:
    assert normalize_digits("２０２４：３") == "2024:3"
