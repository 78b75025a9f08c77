"""Saved questions: their files, their parameters, their SQL, and what each answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from db_samples import SHANGHAI, article, at, bring, open_store, warc
from sqlalchemy import Connection

from wuhu_crawler import questions
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.db.scope import Scope


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """Two articles of February, read 10 and 20 times, and one of May that shows no views."""
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    may = datetime(2024, 5, 1, 8, 0, tzinfo=SHANGHAI)
    with open_store(url) as store:
        bring(store, article(1, 1, views=10), text="1")
        bring(store, article(2, 2, views=20), text="2")
        bring(store, article(3, 3, views=None, published_at=may, category="教育信息"), text="3")
        store.commit((warc("c-1"), 9_999_999))
    engine = make_engine(url, readonly=True)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def asked(connection: Connection, name: str, scope: Scope | None = None, **given: object) -> list[tuple[object, ...]]:
    """Return a question's answer."""
    question = questions.load()[name]
    columns, rows = questions.answer(connection, question, given, scope or Scope())
    assert columns == list(question.columns)
    return list(rows)


def test_articles_per_month(connection: Connection) -> None:
    may, february = ("2024-05", "教育信息", 1, 0, None), ("2024-02", "资讯杂谈", 2, 2, 30)
    assert asked(connection, "articles-per-month") == [may, february]
    assert asked(connection, "articles-per-month", until="2024-03-01") == [february]
    assert asked(connection, "articles-per-month", category="教育信息", since="") == [may]
    assert asked(connection, "articles-per-month", Scope(at(2))) == [("2024-02", "资讯杂谈", 1, 1, 10)]


def test_most_read(connection: Connection) -> None:
    assert [row[0] for row in asked(connection, "most-read")] == [2, 1]
    assert [row[0] for row in asked(connection, "most-read", top="1")] == [2]
