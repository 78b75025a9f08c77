"""What a scope shows: the archive as it stood, and without what is suppressed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from db_samples import T0, article, at, bring, open_store, warc
from sqlalchemy import Connection, text

from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.db.scope import PLAIN, Scope, as_of
from wuhu_crawler.db.types import utc_text
from wuhu_crawler.db.views import read_by, scoped
from wuhu_crawler.errors import UsageError

SUPPRESS = (
    "INSERT INTO suppression (portal, article_id, reason, suppressed_at, suppressed_by) VALUES ('demo', 2, 'r', :at, 'me')"
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """An archive with article 1 in two texts (captures 1 and 3) and article 2 (capture 2)."""
    with open_store(database_url) as store:
        for capture_id, article_id, title in ((1, 1, "旧题"), (2, 2, "另一篇"), (3, 1, "新题")):
            bring(store, article(article_id, capture_id, title=title, views=capture_id * 10), text=(title,))
        store.commit((warc("c-1"), 9_999_999))
    engine = make_engine(database_url)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def asked(connection: Connection, sql: str, scope: Scope = PLAIN) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(scoped(sql, connection.dialect.name, scope)))]


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("2024-03-01", datetime(2024, 3, 1, 16, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, 16, tzinfo=UTC)),
        ("2024-03-01T12:00:00+08:00", datetime(2024, 3, 1, 4, 0, 0, 1, tzinfo=UTC)),
        ("2024-03-01T12:00:00Z", datetime(2024, 3, 1, 12, 0, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_moment(said: str, until: datetime) -> None:
    assert as_of(said) == until


@pytest.mark.parametrize("said", ["2024-02-30", "yesterday", "2024-03", "2024-03-01T12:00:00", "", "9999-12-31", "20240301"])
def test_what_is_no_moment(said: str) -> None:
    with pytest.raises(UsageError, match="is no moment"):
        as_of(said)


def test_the_archive_as_it_stood(connection: Connection) -> None:
    sql = "SELECT article_id, title, versions, views, last_captured_at FROM articles ORDER BY article_id"
    now = [(1, "新题", 2, 30, utc_text(at(3))), (2, "另一篇", 1, 20, utc_text(at(2)))]
    assert asked(connection, sql) == now
    assert asked(connection, sql, Scope(at(1))) == []
    assert asked(connection, sql, Scope(at(2))) == [(1, "旧题", 1, 10, utc_text(at(1)))]
    assert asked(connection, sql, Scope(at(3))) == [(1, "旧题", 1, 10, utc_text(at(1))), now[1]]
    assert asked(connection, sql, Scope(at(4))) == now


def test_suppressed_articles_are_hidden(connection: Connection) -> None:
    sql = "SELECT article_id FROM articles ORDER BY article_id"
    connection.execute(text(SUPPRESS), {"at": utc_text(T0)})
    assert asked(connection, sql) == [(1,)]
    assert asked(connection, sql, Scope(at(3))) == [(1,)]
    assert asked(connection, sql, Scope(None, True)) == [(1,), (2,)]
    connection.execute(text("UPDATE suppression SET lifted_at = :at"), {"at": utc_text(T0)})
    assert asked(connection, sql) == [(1,), (2,)]


def test_a_query_keeps_its_own_expressions(connection: Connection) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2) SELECT i, title FROM n, articles"
    assert sorted(asked(connection, sql, Scope(at(2)))) == [(1, "旧题"), (2, "旧题")]
    assert asked(connection, "SELECT 1", Scope(at(2))) == [(1,)]


def test_the_views_a_query_reads() -> None:
    assert read_by("SELECT * FROM article_state JOIN articles") == ["article_observation", "article_state", "articles"]
    assert read_by("SELECT * FROM article") == []
