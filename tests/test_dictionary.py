"""The data dictionary: everything in the database is described in it, in the code and in docs/database.md alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import ROOT
from sqlalchemy import Connection, text

from wuhu_crawler.db import dictionary, engine


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    opened = engine.make_engine(database_url)
    with opened.begin() as connection:
        yield connection
    opened.dispose()


def test_everything_in_the_database_is_described(connection: Connection) -> None:
    assert dictionary.undescribed(connection) == []
    assert dictionary.differences(connection) == []
    assert connection.execute(text("SELECT object, field FROM dictionary WHERE TRIM(meaning) = ''")).all() == []
    wanted = text("SELECT kind, meaning FROM dictionary WHERE object = 'articles' AND field IN ('', 'views') ORDER BY field")
    assert [row.kind for row in connection.execute(wanted)] == ["view", "column"]


def test_what_is_not_described_is_found(connection: Connection) -> None:
    connection.execute(text("CREATE VIEW another AS SELECT article_id AS number FROM articles"))
    assert dictionary.undescribed(connection) == ["another.number"]


def test_a_dictionary_that_says_otherwise_is_found(connection: Connection) -> None:
    connection.execute(text("UPDATE dictionary SET meaning = 'x' WHERE object = 'articles' AND field = 'views'"))
    connection.execute(text("DELETE FROM dictionary WHERE object = 'capture' AND field = ''"))
    connection.execute(text("INSERT INTO dictionary VALUES ('nothing', '', 'table', NULL, 'x')"))
    assert dictionary.differences(connection) == ["articles.views", "capture", "nothing"]


def test_check_says_so(database_url: str) -> None:
    assert engine.check(database_url) == []
    opened = engine.make_engine(database_url)
    with opened.begin() as connection:
        connection.execute(text("DELETE FROM dictionary"))
    opened.dispose()
    (problem,) = engine.check(database_url)
    assert problem.startswith("the dictionary does not say what the program does of alembic_version, ")
    assert problem.endswith(", ...")


@pytest.mark.postgres
def test_postgresql_says_it_in_its_own_place(postgres_url: str) -> None:
    opened = engine.make_engine(postgres_url)
    with opened.begin() as connection:
        told = connection.execute(text("SELECT obj_description('articles'::regclass)")).scalar_one()
        assert told.startswith("What analysts ask of")
        connection.execute(text("COMMENT ON COLUMN articles.views IS 'x'"))
        assert dictionary.differences(connection) == ["articles.views"]
    opened.dispose()


def test_the_page_has_every_entry() -> None:
    page = (ROOT / "docs/database.md").read_text(encoding="utf-8").partition(dictionary.MARKER)[2]
    for entry in dictionary.entries("sqlite"):
        place = page[page.index(f"### `{entry.object}`\n") :]
        assert (f"| `{entry.field}` |" if entry.field else entry.meaning) in place.partition("\n### ")[0]
