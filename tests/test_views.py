"""The SQL views, asked as an analyst would ask them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from wuhu_crawler.db import engine, models, views

T0 = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def connection(database_url: str) -> Any:
    opened = engine.make_engine(database_url)
    with opened.begin() as connection:
        connection.execute(insert(models.portal), [{"name": "p", "title": "P", "timezone": "Asia/Shanghai"}])
        yield connection
    opened.dispose()


def observe(connection: Connection, day: int, article_id: int, outcome: str, kind: str | None = None) -> None:
    """Note how a URL that asks for an article ended in the crawl of a day; with a page of that kind, where there is one."""
    at, crawl = T0 + timedelta(days=day), f"c{day}"
    row = {"id": crawl, "portal": "p", "job": "wuhu", "settings": {}, "started_at": at, "status": "finished"}
    if not connection.execute(text("SELECT 1 FROM crawl WHERE id = :id"), {"id": crawl}).first():
        connection.execute(insert(models.crawl), [row])
        connection.execute(insert(models.warc_file), [{"name": crawl, "serial": day, "crawl_id": crawl, "committed": 0}])
    number = None
    if kind is not None:
        number = connection.execute(text("SELECT count(*) + 1 FROM capture")).scalar_one()
        capture = {
            "id": number, "crawl_id": crawl, "url": f"http://p/{article_id}", "method": "GET", "captured_at": at,
            "record_id": f"r{number}", "record_type": "response", "warc_file": crawl, "warc_offset": number, "warc_length": 1,
            "block_digest": "d", "payload_length": 1, "flags": [], "page_kind": kind, "article_id": article_id,
        }  # fmt: skip
        connection.execute(insert(models.capture), [capture])
    ended = {"crawl_id": crawl, "url": f"http://p/{article_id}", "outcome": outcome, "at": at, "capture_id": number}
    connection.execute(insert(models.outcome), [{**ended, "article_id": article_id}])


def state(connection: Connection, article_id: int) -> dict[str, Any]:
    found = connection.execute(text("SELECT * FROM article_state WHERE article_id = :id"), {"id": article_id})
    return dict(found.mappings().one())


def test_columns_are_those_described(connection: Connection) -> None:
    for name, view in views.VIEWS.items():
        assert list(connection.execute(text(f"SELECT * FROM {name}")).keys()) == list(view.columns)  # noqa: S608 - our own names
    assert views.differences(connection) == []


def test_a_changed_view_is_found(connection: Connection) -> None:
    connection.execute(text("DROP VIEW view_series"))
    assert views.differences(connection) == ["view_series"]


def test_an_article_is_missing_from_the_first_time_it_was_not_there(connection: Connection) -> None:
    observe(connection, 0, 7, "captured", "article")
    observe(connection, 1, 7, "missing", "missing")
    observe(connection, 2, 7, "failed")
    observe(connection, 3, 7, "missing", "missing")
    found = state(connection, 7)
    assert (found["answer"], found["times_missing"], found["observations"]) == ("missing", 2, 4)
    assert found["missing_since"].startswith("2024-05-02") and found["missing_until"].startswith("2024-05-04")


def test_an_article_that_came_back_is_missing_no_more(connection: Connection) -> None:
    observe(connection, 0, 7, "missing", "missing")
    observe(connection, 1, 7, "revisit", "article")
    found = state(connection, 7)
    assert (found["answer"], found["times_missing"], found["missing_since"]) == ("article", 0, None)


@pytest.mark.parametrize(
    ("outcome", "kind", "answer"),
    [
        ("failed", "error", "error"),
        ("truncated", None, "error"),
        ("blocked", "blocked", "blocked"),
        ("captured", "other", "other"),
    ],
)
def test_no_error_is_an_answer_that_nothing_is_there(
    connection: Connection, outcome: str, kind: str | None, answer: str
) -> None:
    observe(connection, 0, 7, outcome, kind)
    assert state(connection, 7)["answer"] == answer


def test_what_was_not_asked_is_no_observation(connection: Connection) -> None:
    observe(connection, 0, 7, "excluded")
    assert connection.execute(text("SELECT count(*) FROM article_observation")).scalar_one() == 0


def test_views_have_a_rate_and_a_reset_is_flagged(connection: Connection) -> None:
    for day, count in enumerate((10, 40, 30, 2)):
        observe(connection, day, 7, "captured", "article")
        if day == 0:
            article = {"key": 1, "portal": "p", "article_id": 7, "url": "u", "versions": 0, "last_capture_id": 1}
            times = {"first_captured_at": T0, "last_captured_at": T0}
            connection.execute(insert(models.article), [{**article, **times}])
        seen = {"article_key": 1, "capture_id": day + 1, "observed_at": T0 + timedelta(days=day), "views": count}
        connection.execute(insert(models.view_observation), [seen])
    rows = connection.execute(text("SELECT change, per_day, flag FROM view_series ORDER BY observed_at")).all()
    assert [(row.change, row.flag) for row in rows] == [(None, None), (30, None), (-10, "decrease"), (-28, "reset")]
    assert rows[1].per_day == pytest.approx(30) and rows[2].per_day is None
