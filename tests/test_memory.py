"""What a walk remembers of other crawls: whose failures it takes for its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert

from wuhu_crawler.db import engine, models
from wuhu_crawler.planning.memory import Memory, Owed

T0 = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    opened = engine.make_engine(database_url)
    with opened.begin() as connection:
        connection.execute(insert(models.portal), [{"name": "p", "title": "P", "timezone": "Asia/Shanghai"}])
        yield connection
    opened.dispose()


def failed(connection: Connection, job: str) -> Memory:
    """Return what a walk remembers after a crawl of that job met an error page in place of article 7."""
    crawl = {"id": job, "portal": "p", "job": job, "settings": {}, "started_at": T0, "status": "finished"}
    connection.execute(insert(models.crawl), [crawl])
    ended = {"crawl_id": job, "url": "http://p/7", "outcome": "failed", "at": T0, "article_id": 7}
    connection.execute(insert(models.outcome), [ended])
    now, longest = T0 + timedelta(days=1), timedelta(days=30)
    return Memory(connection, "p", "tonight", listing_of=str, longest=longest, now=now)


@pytest.mark.parametrize("job", ["wuhu", "article"])
def test_what_a_walk_could_not_have_is_owed(connection: Connection, job: str) -> None:
    memory = failed(connection, job)
    assert list(memory.owed()) == [Owed(7, "http://p/7")]
    assert memory.why(7) == "owed"


@pytest.mark.parametrize("job", ["gaps", "recheck"])
def test_what_others_could_not_have_they_ask_for_again_themselves(connection: Connection, job: str) -> None:
    memory = failed(connection, job)
    assert list(memory.owed()) == []
    assert memory.why(7) == "new"  # a page that names it now
