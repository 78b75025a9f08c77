"""The views for analysts, against what plain Python reckons: of the whole bundled portal, and of the town's small archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import town
from conftest import DemoCrawl, rows
from db_samples import reading
from sqlalchemy import Connection, text
from town import moment

from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.db.scope import PLAIN, Scope
from wuhu_crawler.db.shown import GONE_DAYS, GONE_TIMES, SHOWN
from wuhu_crawler.db.store import Store
from wuhu_crawler.db.views import VIEWS, read_by, scoped
from wuhu_crawler.planning.gone import GoneRule

Row = dict[str, Any]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    town.build(database_url)
    with reading(database_url) as opened:
        yield opened


def asked(connection: Connection, sql: str, scope: Scope = PLAIN) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(scoped(sql, connection.dialect.name, scope)))]


def table(demo: DemoCrawl, view: str) -> list[Row]:
    """Return a view's rows of the bundled portal, by the names of its columns."""
    return [dict(zip(SHOWN[view].columns, row, strict=True)) for row in rows(demo.folder, f"SELECT * FROM {view}")]  # noqa: S608


def fields(article: Row) -> Row:
    """What `articles` and `article_versions` should say of an article of the feed."""
    return {
        "title": article["title"],
        "category": article["category"],
        "breadcrumb": " > ".join(article["breadcrumb"]) or None,
        "published_at": article["published_at"],
        "published_on": article["published_at"][:10] if article["published_at"] else None,
        "published_precision": article["published_precision"],
        "published_text": article["published_text"],
        "source_date": article["source_date"],
        "source_date_text": article["source_date_text"],
        "reporters": "、".join(article["reporters"]) or None,
        "outlets": "、".join(article["outlets"]) or None,
        "headings": "\n".join(article["headings"]) or None,
        "body": "\n".join(article["paragraphs"]),
        "characters": len("\n".join(article["paragraphs"])),
        "images": len(article["images"]),
        "attachments": len(article["attachments"]),
        "encoding": article["encoding"],
        "decode_losses": article["decode_losses"],
        "url": article["url"],
    }


def test_articles_and_their_versions(demo: DemoCrawl) -> None:
    found, versions = table(demo, "articles"), table(demo, "article_versions")
    assert {row["article_id"] for row in found} == set(demo.articles) and len(found) == len(versions) == len(demo.articles)
    for row in found:
        article = demo.articles[row["article_id"]]
        assert {name: row[name] for name in fields(article)} == fields(article)
        assert (row["views"], row["versions"]) == (article["views"], 1)
        assert row["first_captured_at"] == row["version_captured_at"] == row["last_captured_at"]
    for row in versions:
        wanted = fields(demo.articles[row["article_id"]])
        assert {name: row[name] for name in wanted} == wanted
        assert (row["version"], row["superseded_at"]) == (1, None)


def test_credits_and_outlets(demo: DemoCrawl) -> None:
    wanted = {
        (number, place, credit["role"], credit["name"], credit["outlet"], credit["text"], article["title"], article["category"])
        for number, article in demo.articles.items()
        for place, credit in enumerate(article["credits"], 1)
    }
    names = ("article_id", "position", "role", "name", "outlet", "text", "title", "category")
    assert {tuple(row[name] for name in names) for row in table(demo, "credits")} == wanted
    outlets = Counter((number, outlet) for number, article in demo.articles.items() for outlet in article["outlets"])
    assert Counter((row["article_id"], row["outlet"]) for row in table(demo, "named_outlets")) == outlets


def flat(sections: list[Row], above: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield level, number, heading, path and text of sections in reading order."""
    for section in sections:
        path = (*above, section["heading"]) if section["heading"] else above
        words = "\n".join(section["paragraphs"]) or None
        yield section["level"], section["number"], section["heading"], " > ".join(path) or None, words
        yield from flat(section["sections"], path)


def test_sections(demo: DemoCrawl) -> None:
    wanted = {
        (number, place, *section)
        for number, article in demo.articles.items()
        for place, section in enumerate(flat(article["sections"]), 1)
    }
    names = ("article_id", "position", "level", "number", "heading", "path", "text")
    assert {tuple(row[name] for name in names) for row in table(demo, "sections_flat")} == wanted
    assert any(" > " in (row[5] or "") for row in wanted)


def test_captures_and_crawls(demo: DemoCrawl) -> None:
    (crawl,) = table(demo, "crawls")
    captures = table(demo, "captures")
    assert len({row["capture_id"] for row in captures}) == len(captures) == crawl["captures"]
    assert sum(row["warc_length"] for row in captures) == crawl["bytes"]
    ended = Counter(outcome for (outcome,) in rows(demo.folder, "SELECT outcome FROM outcome"))
    assert crawl["urls"] == sum(ended.values())
    kinds = ("captured", "revisit", "missing", "truncated", "failed", "postponed", "blocked", "excluded")
    assert {kind: crawl[kind] for kind in kinds} == {kind: ended[kind] for kind in kinds}
    assert crawl["new_articles"] == crawl["new_versions"] == len(demo.articles)
    assert Counter(row["page_kind"] for row in captures) == Counter(
        kind for (kind,) in rows(demo.folder, "SELECT page_kind FROM capture")
    )


def test_coverage_and_lags(demo: DemoCrawl) -> None:
    months = Counter(((a["published_at"] or "")[:7] or None, a["category"]) for a in demo.articles.values())
    found = table(demo, "coverage_by_month")
    assert {(row["month"], row["category"]): row["captured"] for row in found if row["captured"]} == dict(months)
    assert sum(row["missing"] + row["gone"] for row in found) == len(table(demo, "removed"))
    listed = {number for (number,) in rows(demo.folder, "SELECT article_id FROM listing_sighting")}
    assert sum(row["only_listed"] for row in found) == len(listed - set(demo.articles))
    both = {number for number, a in demo.articles.items() if a["published_at"] and a["source_date"]}
    assert {row["article_id"] for row in table(demo, "source_lag")} == both


def test_views_by_day(demo: DemoCrawl) -> None:
    wanted = {(number, article["views"]) for number, article in demo.articles.items() if article["views"] is not None}
    assert {(row["article_id"], row["views"]) for row in table(demo, "views_daily")} == wanted


def test_versions_are_superseded(connection: Connection) -> None:
    sql = (
        "SELECT version, title, version_captured_at, superseded_at FROM article_versions WHERE article_id = 1 ORDER BY version"
    )
    old, new = (1, "大桥通车", moment(0)), (2, "大桥今日通车", moment(3))
    assert asked(connection, sql) == [(*old, moment(3)), (*new, None)]
    assert asked(connection, sql, Scope(town.on(2))) == [(*old, None)]
    assert asked(connection, "SELECT version FROM article_versions", Scope(town.on(0))) == []


def test_days_are_those_of_shanghai(connection: Connection) -> None:
    sql = "SELECT day, views, change, days, per_day FROM views_daily WHERE article_id = 1 ORDER BY day"
    first, second = ("2024-05-01", 100, None, None, None), ("2024-05-02", 130, 30, 1.0, 30.0)
    assert asked(connection, sql) == [first, second, ("2024-05-04", 190, 60, 2.0, 30.0)]
    assert asked(connection, sql, Scope(town.on(2))) == [first, second]
    assert asked(connection, "SELECT DISTINCT captured_on FROM captures WHERE crawl_id = 'c-1'") == [("2024-05-02",)]


def test_the_last_look_of_a_day_counts(database_url: str) -> None:
    """17:00 UTC is the next day in Shanghai; of two looks on a day the later one counts, and a counter may go back."""
    town.build(database_url)
    engine = make_engine(database_url)
    with engine.begin() as connection:
        looks = [(2, 7, "2024-05-01T10:00:00.000000Z", 60), (2, 8, "2024-05-01T17:00:00.000000Z", 20)]
        for key, capture, at, views in looks:
            told = {"key": key, "capture": capture, "at": at, "views": views}
            connection.execute(text("INSERT INTO view_observation VALUES (:key, :capture, :at, :views)"), told)
    with reading(database_url) as connection:
        sql = "SELECT day, views, change, per_day FROM views_daily WHERE article_id = 2 ORDER BY day"
        assert asked(connection, sql) == [("2024-05-01", 60, None, None), ("2024-05-02", 20, -40, None)]
    engine.dispose()


def test_what_was_removed(connection: Connection) -> None:
    sql = "SELECT article_id, standing, times_missing, missing_since, missing_until, last_seen_at FROM removed ORDER BY 1"
    gone = (2, "gone", 3, moment(1), moment(9), moment(0))
    assert asked(connection, sql) == [gone, (3, "missing", 1, moment(9), moment(9), moment(0))]
    assert asked(connection, sql, Scope(town.on(6))) == [(2, "missing", 2, moment(1), moment(5), moment(0))]


def test_a_crawl_as_it_stood(connection: Connection) -> None:
    sql = "SELECT crawl_id, status, finished_at, captures, missing FROM crawls ORDER BY started_at"
    assert asked(connection, sql, Scope(town.on(1.01))) == [
        ("c-0", "finished", moment(1 / 24), 5, 0),
        ("c-1", "running", None, 2, 1),
    ]


def test_an_article_that_is_back_is_not_removed(database_url: str) -> None:
    town.build(database_url)
    with Store(make_engine(database_url)) as store:
        again = town.Town(store)
        again.number = 20
        again.day(12, town.story(2))
    with reading(database_url) as connection:
        assert asked(connection, "SELECT article_id FROM removed") == [(3,)]
        assert asked(connection, "SELECT article_id FROM removed ORDER BY 1", Scope(town.on(10))) == [(2,), (3,)]


def test_no_view_shows_what_is_hidden(database_url: str) -> None:
    town.build(database_url)
    town.suppress(database_url, 2)
    with reading(database_url) as connection:
        for view in SHOWN:
            found = connection.execute(text(f"SELECT * FROM {view}")).mappings().all()  # noqa: S608 - our own names
            assert found and all(row.get("article_id") != 2 for row in found), view
            shown = asked(connection, f"SELECT * FROM {view}", Scope(suppressed=True))  # noqa: S608 - our own names
            assert sorted(map(repr, shown)) != sorted(repr(tuple(row.values())) for row in found), view


def test_the_rule_of_the_views_is_the_default_one() -> None:
    assert GoneRule(GONE_TIMES, GONE_DAYS) == GoneRule()


def test_each_view_reads_only_what_stands_before_it() -> None:
    names = list(VIEWS)
    for place, name in enumerate(names):
        assert set(read_by(VIEWS[name].query)) <= set(names[: place + 1]), name
