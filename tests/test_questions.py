"""Saved questions: what each answers on a small archive reckoned by hand (town.py): now, in the past, without what is hid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import town
from db_samples import reading
from sqlalchemy import Connection
from town import moment

from wuhu_crawler import questions
from wuhu_crawler.db.scope import PLAIN, Scope

OURS = questions.load()
BEFORE_EDIT = Scope(town.on(2))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    town.build(database_url)
    with reading(database_url) as opened:
        yield opened


def asked(connection: Connection, name: str, /, scope: Scope = PLAIN, **given: object) -> list[tuple[Any, ...]]:
    """Return a question's answer; its columns are those it tells of."""
    columns, rows = questions.answer(connection, OURS[name], given, scope)
    assert columns == list(OURS[name].columns)
    return list(rows)


def column(connection: Connection, name: str, wanted: str, /, scope: Scope = PLAIN, **given: object) -> list[Any]:
    """Return one column of an answer."""
    place = list(OURS[name].columns).index(wanted)
    return [row[place] for row in asked(connection, name, scope, **given)]


def test_articles_per_month(connection: Connection) -> None:
    rows = [("2024-04", "时政", 2, 2, 240), ("2024-04", "教育", 1, 0, None), (None, None, 1, 1, 7)]
    assert asked(connection, "articles-per-month") == rows
    assert asked(connection, "articles-per-month", category="教育", since="") == rows[1:2]
    assert asked(connection, "articles-per-month", until="2024-04-02") == [("2024-04", "时政", 1, 1, 190)]
    assert asked(connection, "articles-per-month", portal="o553") == []
    assert asked(connection, "articles-per-month", BEFORE_EDIT)[0] == ("2024-04", "时政", 2, 2, 180)


def test_categories(connection: Connection) -> None:
    assert asked(connection, "categories") == [
        ("时政", 2, 50.0, "2024-04-01", "2024-04-03", 1, 240),
        ("教育", 1, 25.0, "2024-04-05", "2024-04-05", 0, None),
        (None, 1, 25.0, None, None, 0, 7),
    ]


def test_newest_and_longest_articles(connection: Connection) -> None:
    assert column(connection, "newest-articles", "article_id") == [3, 2, 1]
    newest = asked(connection, "newest-articles", top=1, category="时政")
    assert newest == [
        ("demo", 2, "2024-04-03T10:00:00+08:00", "大桥今通车", "时政", "田龙", "安徽日报、芜湖日报", 50),
    ]  # fmt: skip
    # 7 characters, a line end and 5 more; 10; 4; 2.
    assert [row[1:3] for row in asked(connection, "longest-articles")] == [(1, 13), (2, 10), (3, 4), (4, 2)]
    assert asked(connection, "longest-articles", BEFORE_EDIT, top=1)[0][1:3] == (2, 10)


def test_quiet_days(connection: Connection) -> None:
    rows = [("2024-04-04", "Thursday", 0.0, 1, "2024-04-04"), ("2024-04-02", "Tuesday", 0.0, 1, "2024-04-02")]
    assert asked(connection, "quiet-days") == rows
    assert asked(connection, "quiet-days", until="2024-04-03") == rows[1:]
    assert asked(connection, "quiet-days", category="时政") == rows[1:]
    assert asked(connection, "quiet-days", usual=0.5) == []
    assert asked(connection, "quiet-days", category="无") == []


def test_reporters_and_outlets(connection: Connection) -> None:
    assert asked(connection, "reporters") == [
        ("田龙", 2, "安徽日报", 2, 1, "2024-04-01", "2024-04-03"),
        ("李敏", 1, None, 0, 1, "2024-04-05", "2024-04-05"),
    ]
    assert column(connection, "reporters", "name", role="editor") == ["王某"]
    assert asked(connection, "outlets") == [
        ("芜湖日报", 2, 100.0, 1, "2024-04-01", "2024-04-03"),
        ("安徽日报", 1, 50.0, 1, "2024-04-03", "2024-04-03"),
    ]


def test_articles_by_reporter(connection: Connection) -> None:
    assert asked(connection, "articles-by-reporter", name="田龙", outlet="芜湖日报") == [
        ("demo", 1, "2024-04-01", "大桥今日通车", "时政", "reporter", "田龙", "芜湖日报")
    ]
    assert column(connection, "articles-by-reporter", "role", name="王某") == ["editor"]
    assert column(connection, "articles-by-reporter", "article_id") == [3, 3, 2, 1]


def test_most_read(connection: Connection) -> None:
    # Published 04-01 at 02:00 UTC, seen on 05-04 at 00:00: 190 views in 32.9167 days. From day 1 to day 3: 60 views in 2 days.
    first = ("demo", 1, "大桥今日通车", "时政", "2024-04-01", 190, "2024-05-04", 5.77, 30.0)
    second = ("demo", 2, "大桥今通车", "时政", "2024-04-03", 50, "2024-05-01", 1.79, None)
    assert asked(connection, "most-read") == [first, second, ("demo", 4, "通知", None, None, 7, "2024-05-01", None, None)]
    assert column(connection, "most-read", "article_id", sort="recent", top=1) == [1]
    assert asked(connection, "most-read", BEFORE_EDIT, top=1)[0][5:] == (130, "2024-05-02", 4.2, 30.0)


def test_views_by_day(connection: Connection) -> None:
    assert asked(connection, "views-by-day", article=1) == [
        ("2024-05-04", "demo", 1, 190, 60, 2.0, 30.0),
        ("2024-05-02", "demo", 1, 130, 30, 1.0, 30.0),
        ("2024-05-01", "demo", 1, 100, None, None, None),
    ]
    assert column(connection, "views-by-day", "article_id", until="2024-05-01") == [4, 2, 1]


def test_republication_lag(connection: Connection) -> None:
    assert asked(connection, "republication-lag") == [
        ("the same day", 0, 0, 1, 50.0, 2),
        ("the next day", 1, 1, 1, 50.0, 1),
    ]
    assert asked(connection, "longest-lags", top=1) == [
        ("demo", 1, "大桥今日通车", "时政", "2024-03-31", "2024-04-01", 1)
    ]  # fmt: skip


def test_edited(connection: Connection) -> None:
    edit = ("demo", 1, "大桥今日通车", "时政", "2024-04-01", 2, moment(1), moment(3), 32.9, "title, body", 7, 13)
    assert asked(connection, "edited") == [edit]
    assert asked(connection, "edited", field="body", since="2024-05-04") == [edit]
    assert asked(connection, "edited", field="category") == []
    assert asked(connection, "edited", until="2024-05-03") == []
    assert asked(connection, "edited", BEFORE_EDIT) == []


def test_removed(connection: Connection) -> None:
    url = "http://127.0.0.1:8553/news/Info.asp?ID="
    lost = ("demo", 3, "学校开学", "教育", "2024-04-05", "missing", 1, moment(9), moment(9), moment(0), f"{url}3")
    gone = ("demo", 2, "大桥今通车", "时政", "2024-04-03", "gone", 3, moment(1), moment(9), moment(0), f"{url}2")
    assert asked(connection, "removed") == [lost, gone]
    assert asked(connection, "removed", standing="gone") == [gone]
    assert column(connection, "removed", "standing", days=8.5) == ["missing", "missing"]
    assert column(connection, "removed", "standing", times=1, days=0) == ["gone", "gone"]
    assert [row[1:7:4] for row in asked(connection, "removed", Scope(town.on(6)))] == [(2, "missing")]


def test_near_duplicates(connection: Connection) -> None:
    rows = asked(connection, "near-duplicates")
    assert [(row[:3], row[4], row[9]) for row in rows] == [((1, 3, 1), 1, 0.9), ((1, 3, 2), 2, 0.9), ((1, 3, 3), 3, 0.6)]
    assert column(connection, "near-duplicates", "article_id", similarity=0.8) == [1, 2]
    assert column(connection, "near-duplicates", "article_id", article=3) == [1, 2, 3]
    assert column(connection, "near-duplicates", "article_id", article=4) == []
    assert column(connection, "near-duplicates", "article_id", category="无") == []


def test_quality(connection: Connection) -> None:
    assert asked(connection, "decode-losses") == [("demo", 3, 3, "gb18030", "学校开学", "教育", "2024-04-05", 4)]
    # Of April's three articles one tells no time of day, one no source date and no views, one no outlet, one lost characters.
    april = ("2024-04", 3, 100.0, 100.0, 100.0, 66.7, 66.7, 66.7, 100.0, 66.7, 100.0, 66.7)
    undated = (None, 1, 100.0, 0.0, 0.0, 0.0, 0.0, 100.0, 0.0, 0.0, 0.0, 100.0)
    assert asked(connection, "missing-fields") == [april, undated]
    assert [row[:2] for row in asked(connection, "missing-fields", month="captured")] == [("2024-05", 4)]


def test_coverage(connection: Connection) -> None:
    assert asked(connection, "coverage") == [
        ("demo", "2024-04", "时政", 2, 0, 1, 0),
        ("demo", "2024-04", "教育", 1, 1, 0, 0),
        ("demo", "2024-02", "资讯杂谈", 0, 0, 0, 1),
        ("demo", None, None, 1, 0, 0, 0),
    ]
    assert [row[3:] for row in asked(connection, "coverage", Scope(town.on(6)), category="时政")] == [(2, 1, 0, 0)]


def test_crawls(connection: Connection) -> None:
    rows = {row[0]: row[2:] for row in asked(connection, "crawls")}
    assert rows["c-0"] == ("finished", moment(0), 1.0, 5, 0.0, 4, 4, 0, 0, 0)
    assert rows["c-3"] == ("finished", moment(3), 1.0, 1, 0.0, 0, 1, 0, 0, 0)
    assert rows["c-9"][-3:] == (2, 0, 0)
    assert [row[0] for row in asked(connection, "crawls", BEFORE_EDIT)] == ["c-1", "c-0"]


def test_no_question_shows_what_is_hidden(database_url: str) -> None:
    """Article 2 is hidden, which changes every answer but those it has no part in."""
    town.build(database_url)
    town.suppress(database_url, 2)
    same = set()
    with reading(database_url) as connection:
        for name in OURS:
            hidden, shown = asked(connection, name), asked(connection, name, Scope(suppressed=True))
            assert "大桥今通车" not in repr(hidden)
            if "article_id" in OURS[name].columns:
                assert 2 not in column(connection, name, "article_id")
            if hidden == shown:
                same.add(name)
    assert same == {"decode-losses", "edited"}


def test_every_parameter_is_taken(connection: Connection) -> None:
    examples = {"text": "无", "integer": 1, "number": 0.5, "date": "2024-04-03"}
    for name, question in OURS.items():
        for parameter in question.parameters:
            example = parameter.choices[0] if parameter.choices else examples[parameter.kind]
            asked(connection, name, **{parameter.name: example})
            asked(connection, name, Scope(town.on(2), True), **{parameter.name: ""})
