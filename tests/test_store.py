"""The writer, on real databases of both kinds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from db_samples import (
    HOST,
    ON_SQLITE,
    PORTAL,
    T0,
    article,
    at,
    bring,
    capture,
    digest,
    listing,
    missing,
    open_store,
    read_again,
    reading,
    warc,
)
from db_samples import ask as rows
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from wuhu_crawler.db import queries
from wuhu_crawler.db.engine import check, make_engine
from wuhu_crawler.db.rows import section_rows, section_tree
from wuhu_crawler.db.store import Store
from wuhu_crawler.errors import OutOfSpace, StorageError, UsageError
from wuhu_crawler.items import Article, Outcome, Piece, Section, to_json

END = (warc("c-1"), 9_999_999)


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


def shown(url: str, article_id: int, portal: str | None = None) -> dict[str, Any] | None:
    with reading(url) as connection:
        return queries.article(connection, article_id, portal)


def test_an_article_comes_back_as_it_went_in(store: Store, url: str) -> None:
    item = article(12393, 1)
    bring(store, item)
    counts = store.commit(END)
    assert shown(url, 12393) == to_json(item)
    assert list(shown(url, 12393) or {}) == list(to_json(item))
    assert counts == {
        "articles/new": 1, "versions": 1, "views": 1, "sightings": 0,
    }  # fmt: skip
    assert check(url) == []


def test_a_bare_article_comes_back_with_its_absences(store: Store, url: str) -> None:
    item = Article(portal="demo", article_id=7, url=f"{HOST}/news/Info.asp?ID=7", capture_id=1, captured_at=at(1))
    bring(store, item)
    store.commit(END)
    assert shown(url, 7) == to_json(item)
    assert rows(url, "SELECT title, category_id, body, published_at, evidence FROM article_version") == [
        (None, None, "", None, "{}")
    ]


@ON_SQLITE
def test_times_read_well_in_the_shell(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    store.commit(END)
    assert rows(url, "SELECT captured_at, datetime(captured_at) FROM capture") == [
        ("2026-11-23T07:00:01.123456Z", "2026-11-23 07:00:01")
    ]
    assert rows(url, "SELECT published_at, source_date, outlets FROM article_version") == [
        ("2024-02-03T20:24:31+08:00", "2024-01-23", '["芜湖日报"]')
    ]


def test_a_second_crawl_of_an_unchanged_portal_adds_captures_and_views_but_no_version(store: Store, url: str) -> None:
    for number in range(1, 31):
        bring(store, article(number, number))
    store.commit(END)
    store.begin_crawl("c-2", "demo", "wuhu", {}, at(100))
    for number in range(1, 31):
        bring(store, article(number, 100 + number, views=200), crawl_id="c-2")
    counts = store.commit((warc("c-2", 2), 5))
    assert counts["articles/unchanged"] == 30
    assert counts["versions"] == 0
    assert rows(url, "SELECT count(*) FROM capture UNION ALL SELECT count(*) FROM article_version") == [(60,), (30,)]
    assert rows(url, "SELECT views, count(*) FROM view_observation GROUP BY views ORDER BY views") == [(102, 30), (200, 30)]
    again = shown(url, 5) or {}
    assert (again["views"], again["capture_id"]) == (200, 5)
    assert rows(url, "SELECT last_capture_id, last_captured_at > first_captured_at FROM article WHERE article_id = 5") == [
        (105, 1)
    ]
    assert check(url) == []


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    store.commit(END)
    changed = article(1, 2, title="更正", category="社会新闻", paragraphs=["改过的正文。"], sections=[], views=None)
    bring(store, changed, text="changed")
    assert store.commit(END)["articles/changed"] == 1
    assert shown(url, 1) == to_json(replace(changed, views=102))
    assert rows(url, "SELECT number, capture_id, title FROM article_version ORDER BY number") == [
        (1, 1, "弋江区第1号新闻"),
        (2, 2, "更正"),
    ]
    assert rows(url, "SELECT c.name FROM article a JOIN category c ON c.id = a.category_id") == [("社会新闻",)]
    assert check(url) == []


def test_several_captures_of_one_article_in_one_batch_are_compared_in_their_order(store: Store, url: str) -> None:
    for number, text in ((1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "a")):
        bring(store, article(1, number, title=text, views=number), text=text)
    counts = store.commit(END)
    assert (counts["articles/new"], counts["articles/changed"], counts["articles/unchanged"]) == (1, 2, 2)
    assert rows(url, "SELECT number, capture_id, title FROM article_version ORDER BY number") == [
        (1, 1, "a"),
        (2, 3, "b"),
        (3, 5, "a"),
    ]
    assert (shown(url, 1) or {})["views"] == 5
    assert check(url) == []


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_what_comes_out_does_not_depend_on_where_a_batch_ends(store: Store, url: str, batch: int) -> None:
    for place, (number, text) in enumerate(((2, "b"), (1, "a"), (4, "c"), (3, "b"), (5, "a")), 1):
        bring(store, article(1, number, title=text, views=number), text=text)
        if place % batch == 0:
            store.commit(END)
    store.commit(END)
    found = rows(url, "SELECT number, capture_id, title FROM article_version ORDER BY number")
    assert found == [(1, 2, "b"), (2, 4, "c"), (3, 5, "a")]  # 1 and 3 were read after a younger one: replays
    assert rows(url, "SELECT count(*) FROM view_observation") == [(5,)]


def test_a_page_read_again_on_resume_changes_nothing(store: Store, url: str) -> None:
    everything = (
        "SELECT * FROM article",
        "SELECT * FROM article_version",
        "SELECT * FROM capture",
        "SELECT * FROM view_observation",
    )
    bring(store, article(1, 1))
    bring(store, listing(2, 1, 5))
    bring(store, article(1, 3), text="changed")
    store.commit(END)
    before = [sorted(rows(url, question)) for question in everything]
    read_again(store, article(1, 1))
    read_again(store, listing(2, 1, 5))
    assert store.commit(END)["articles/replayed"] == 1
    assert [sorted(rows(url, question)) for question in everything] == before
    assert rows(url, "SELECT count(*) FROM listing_sighting") == [(2,)]


def test_a_page_may_be_read_after_its_capture_was_committed(store: Store, url: str) -> None:
    item = article(1, 1)
    store.add_capture(capture(1, item.url))
    store.commit(END)
    assert rows(url, "SELECT page_kind, article_id FROM capture") == [(None, None)]
    read_again(store, item)
    store.commit(END)
    assert rows(url, "SELECT page_kind, article_id FROM capture") == [("article", 1)]


def test_listings_and_missing_pages_are_noted_on_their_capture(store: Store, url: str) -> None:
    bring(store, listing(1, 12, 11, 14))
    bring(store, missing(13, 2))
    assert store.commit(END)["sightings"] == 3
    assert rows(url, "SELECT page_kind, article_id FROM capture ORDER BY id") == [("listing", None), ("missing", 13)]
    assert rows(
        url,
        "SELECT position, article_id, title, date, c.name FROM listing_sighting JOIN category c ON c.id = category_id "
        "ORDER BY position",
    ) == [(place, number, "弋江区第…", "2024-02-03", "资讯杂谈") for place, number in ((1, 12), (2, 11), (3, 14))]
    assert rows(url, "SELECT count(*) FROM article") == [(0,)]


@pytest.mark.parametrize("broken", [{"article_id": None}, {"article_id": 10**30}])
def test_an_article_without_a_usable_number_has_a_capture_but_no_row(store: Store, url: str, broken: dict[str, Any]) -> None:
    bring(store, article(1, 1, **broken))
    assert store.commit(END)["articles/incomplete"] == 1
    assert rows(url, "SELECT page_kind, article_id FROM capture") == [("article", None)]


def test_numbers_too_large_for_a_database_are_left_out(store: Store, url: str) -> None:
    bring(store, article(1, 1, views=10**30))
    bring(store, listing(2, 5, 10**30))
    counts = store.commit(END)
    assert (counts["views"], counts["sightings"]) == (0, 1)


def test_an_article_with_parts_missing_makes_no_version(store: Store, url: str) -> None:
    item = article(1, 1)
    store.add_capture(capture(1, item.url))
    store.add_page(item, article_digest=None, page_digest=digest(1))
    assert store.commit(END)["articles/incomplete"] == 1
    assert shown(url, 1) is None


def test_a_later_outcome_of_a_url_replaces_the_earlier_one_of_its_crawl_only(store: Store, url: str) -> None:
    page = f"{HOST}/news/"
    store.add_outcome("c-1", Outcome(url=page, outcome="postponed", reason="429", at=T0, until=at(60)))
    store.commit(END)
    store.add_outcome("c-1", Outcome(url=page, outcome="failed", reason="timeout", at=at(1)))
    store.add_outcome("c-1", Outcome(url=page, outcome="excluded", reason="robots", at=at(2), via=HOST))
    store.commit(END)
    store.begin_crawl("c-2", "demo", "wuhu", {}, at(3))
    store.add_outcome("c-2", Outcome(url=page, outcome="failed", reason="dns", at=at(4)))
    store.commit(END)
    assert rows(url, "SELECT crawl_id, outcome, reason, until, via FROM outcome ORDER BY crawl_id") == [
        ("c-1", "excluded", "robots", None, HOST),
        ("c-2", "failed", "dns", None, None),
    ]


def test_an_outcome_takes_its_time_from_its_capture_or_must_bring_one(store: Store, url: str) -> None:
    store.add_capture(capture(1, HOST))
    store.add_outcome("c-1", Outcome(url=HOST, outcome="captured", capture_id=1))
    with pytest.raises(ValueError, match="has no time"):
        store.add_outcome("c-1", Outcome(url=f"{HOST}/x", outcome="failed"))
    store.commit(END)
    assert rows(url, "SELECT at FROM outcome") == [("2026-11-23T07:00:01.123456Z",)]


def test_a_page_needs_its_capture(store: Store) -> None:
    with pytest.raises(ValueError, match="has no capture"):
        store.add_page(article(1, 1, capture_id=None), article_digest="x", page_digest="y")


def test_only_a_final_answer_of_the_same_crawl_is_served_again(store: Store) -> None:
    answers: list[tuple[str, Any]] = [
        ("captured", 1),
        ("revisit", 2),
        ("missing", 3),
        ("truncated", 4),
        ("failed", 5),
        ("excluded", None),
    ]
    captures = {number: capture(number, f"{HOST}/{kind}", flags=["excess-body"]) for kind, number in answers if number}
    for kind, number in answers:
        if number:
            store.add_capture(captures[number])
        store.add_outcome("c-1", Outcome(url=f"{HOST}/{kind}", outcome=kind, capture_id=number, at=T0))
    assert (store.capture(4), store.capture(99)) == (captures[4], None)
    store.commit(END)
    assert (store.capture(4), store.capture(99)) == (captures[4], None)
    final = {"captured": 1, "revisit": 2, "missing": 3}
    assert dict(store.outcomes_of("c-1")) == {f"{HOST}/{kind}": final.get(kind) for kind, _ in answers}
    assert dict(store.outcomes_of("c-2")) == {}
    store.add_outcome("c-1", Outcome(url=f"{HOST}/failed", outcome="captured", capture_id=5, at=T0))
    store.commit(END)
    assert dict(store.outcomes_of("c-1"))[f"{HOST}/failed"] == 5


def test_a_payload_is_found_by_its_digest_before_and_after_the_commit(store: Store) -> None:
    same = digest("same")
    store.add_capture(capture(1, HOST, payload_digest=same, truncated="length"))
    store.add_capture(capture(2, HOST, payload_digest=same, record_type="revisit"))
    assert store.payload(same) is None
    first = capture(3, f"{HOST}/a", payload_digest=same)
    store.add_capture(first)
    store.add_capture(capture(4, f"{HOST}/b", payload_digest=same))
    wanted = (first.record_id, first.url, first.captured_at)
    assert store.payload(same) == wanted
    store.commit(END)
    assert store.payload(same) == wanted
    assert store.payload(digest("other")) is None


def test_the_store_knows_how_far_it_has_followed_each_warc_file(store: Store, url: str) -> None:
    assert (store.last_capture_id(), store.last_warc_serial(), store.warc_positions()) == (0, 0, {})
    store.add_capture(capture(1, HOST))
    store.add_capture(capture(2, f"{HOST}/a", warc_file=warc("c-1", 2)))
    assert store.last_capture_id() == 2
    store.commit((warc("c-1", 2), 12_345))
    store.commit((warc("c-1", 2), 23_456))
    assert store.warc_positions() == {warc("c-1"): 1800, warc("c-1", 2): 23_456}
    assert (store.last_capture_id(), store.last_warc_serial()) == (2, 2)
    store.commit(("renamed.warc.gz", 1))
    assert store.last_warc_serial() == 3


def test_crawls_and_runs_are_kept_and_a_resume_reopens_its_crawl(store: Store, url: str) -> None:
    store.end_run(1, finished_at=at(1), exit_code=10, reason="SIGTERM", stats={"wuhu/article/new": 3})
    store.end_crawl("c-1", None, "interrupted")
    store.close()
    with open_store(url) as again:
        assert rows(url, "SELECT id, status FROM crawl") == [("c-1", "running")]
        again.end_run(2, finished_at=at(2), exit_code=0, reason="finished", stats=None)
        again.end_crawl("c-1", at(2), "finished")
    assert rows(url, "SELECT id, exit_code, argv, stats FROM run ORDER BY id") == [
        (1, 10, '["scrapy","crawl","wuhu"]', '{"wuhu/article/new":3}'),
        (2, 0, '["scrapy","crawl","wuhu"]', None),
    ]
    with reading(url) as connection:
        (crawl,) = queries.crawls(connection)
    assert (crawl["status"], crawl["runs"], crawl["started_at"], crawl["settings"]) == (
        "finished",
        2,
        T0.isoformat(),
        {"portal": "demo"},
    )


def test_numbering_goes_on_in_the_next_process(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    store.commit(END)
    store.close()
    with open_store(url, crawl_id="c-2") as again:
        bring(again, article(2, 2), crawl_id="c-2")
        bring(again, article(1, 3), crawl_id="c-2", text="changed")
        again.commit((warc("c-2", 2), 9999))
    assert rows(url, "SELECT key, article_id, versions FROM article ORDER BY key") == [(1, 1, 2), (2, 2, 1)]
    assert rows(url, "SELECT count(*), max(id) FROM category") == [(1, 1)]
    assert check(url) == []


def test_status_counts_what_is_there(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    bring(store, missing(2, 2))
    store.add_outcome("c-1", Outcome(url=f"{HOST}/x", outcome="excluded", reason="robots", at=T0))
    store.commit(END)
    with reading(url) as connection:
        status = queries.status(connection)
        counts = queries.counts(connection)
        assert queries.article_ids(connection, "demo") == [1]
    assert status["portals"] == [{"name": "demo", "title": PORTAL.title, "articles": 1}]
    assert (status["captures"], status["articles"], status["versions"], status["warc_files"]) == (2, 1, 1, 1)
    assert status["outcomes"] == {"captured": 1, "missing": 1, "excluded": 1}
    assert status["warc_bytes"] == END[1]
    assert status["last_crawl"]["outcomes"] == status["outcomes"]
    assert status["last_run"]["argv"] == ["scrapy", "crawl", "wuhu"]
    assert (counts["section"], counts["credit"], counts["link"]) == (4, 2, 4)


def test_status_of_an_empty_database(store: Store, url: str) -> None:
    with reading(url) as connection:
        assert queries.status(connection)["outcomes"] == {}


def test_an_id_on_several_portals_needs_the_portal_named(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    store.register_portal(replace(PORTAL, name="other"))
    bring(store, article(1, 2, portal="other", title="别处"))
    store.commit(END)
    with pytest.raises(UsageError, match="name one of demo, other"):
        shown(url, 1)
    assert (shown(url, 1, "other") or {})["title"] == "别处"
    assert shown(url, 1, "third") is None
    assert shown(url, 2) is None


def test_no_nul_is_stored_wherever_it_comes_from(store: Store, url: str) -> None:
    """PostgreSQL takes none in text; extraction leaves them out, but headers, files of others and settings may have some."""
    found = capture(1, f"{HOST}/a\0b", content_type="text/html\0; x", flags=["a\0", "\\u0000", "\\"])
    store.begin_crawl("c-2", "demo", "wuhu", {"a\0": ["\0b", {"c": "\0"}], "\\u0000": 1}, T0)
    store.add_capture(found)
    store.add_outcome("c-1", Outcome(url=found.url, outcome="failed", reason="50\0", capture_id=1, via="\0"))
    store.commit(END)
    assert rows(url, "SELECT url, content_type, flags FROM capture") == [
        (f"{HOST}/ab", "text/html; x", r'["a","\\u0000","\\"]')
    ]
    assert rows(url, "SELECT url, reason, via FROM outcome") == [(f"{HOST}/ab", "50", "")]
    assert rows(url, "SELECT settings FROM crawl WHERE id = 'c-2'") == [(r'{"a":["b",{"c":""}],"\\u0000":1}',)]
    kept = store.capture(1)
    assert kept is not None and kept.url == f"{HOST}/ab"


def test_numbers_as_large_as_a_page_may_print_are_stored(store: Store, url: str) -> None:
    item = article(2**60, 1, views=2**62, decode_losses=2**40)
    store.add_capture(capture(1, item.url))
    piece = Piece(kind="part", number=20240101000000, url=item.url, capture_id=None, reason="HTTP 500")
    store.add_page(item, article_digest="x", page_digest="y", pieces=[piece])
    store.commit(END)
    asked = "SELECT a.article_id, v.views, p.number FROM article a, view_observation v, article_part p"
    assert rows(url, asked) == [(2**60, 2**62, 20240101000000)]
    assert check(url) == []


@ON_SQLITE
def test_a_full_disk_stores_nothing_of_the_batch_and_ends_the_store(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    store.commit(END)
    store.close()
    engine = make_engine(url)
    (pages,) = rows(url, "PRAGMA page_count")[0]
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages + 2}"))
    full = Store(engine)
    full.begin_crawl("c-1", "demo", "wuhu", {}, T0)
    for number in range(2, 200):
        bring(full, article(number, number))
    with pytest.raises(OutOfSpace, match="make room and resume"):
        full.commit((warc("c-1"), 99_999_999))
    for refused in (lambda: full.commit(END), lambda: full.add_capture(capture(500, HOST)), lambda: full.payload("x")):
        with pytest.raises(OutOfSpace):
            refused()
    full.close()
    assert rows(url, "SELECT count(*) FROM capture UNION ALL SELECT count(*) FROM article") == [(1,), (1,)]
    assert rows(url, "SELECT committed FROM warc_file") == [(END[1],)]
    assert check(url) == []


@ON_SQLITE
def test_a_locked_database_is_a_storage_error(url: str, store: Store) -> None:
    store.close()
    engine = make_engine(url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1"))
    waiting = Store(engine)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked") as caught:
        waiting.begin_crawl("c-1", "demo", "wuhu", {}, T0)
    assert caught.value.exit_code == 13
    other.close()
    waiting.close()


def test_a_wrong_word_is_refused_by_the_database(store: Store, url: str) -> None:
    store.add_outcome("c-1", Outcome(url=HOST, outcome="lost", at=T0))  # type: ignore[arg-type]
    with pytest.raises(StorageError, match=r"(?i)check constraint"):
        store.commit(END)
    assert rows(url, "SELECT count(*) FROM outcome UNION ALL SELECT count(*) FROM warc_file") == [(0,), (0,)]


def test_readers_see_whole_batches_while_the_store_writes(store: Store, url: str) -> None:
    bring(store, article(1, 1))
    assert rows(url, "SELECT count(*) FROM article") == [(0,)]
    store.commit(END)
    assert rows(url, "SELECT count(*) FROM article") == [(1,)]


SECTIONS = st.recursive(
    st.builds(Section, level=st.integers(1, 4), number=st.none() | st.text(max_size=3), heading=st.none() | st.text(max_size=3),
              paragraphs=st.lists(st.text(max_size=3), max_size=2)),
    lambda inner: st.builds(Section, level=st.just(1), sections=st.lists(inner, max_size=3)),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(SECTIONS, max_size=4))
def test_any_tree_of_sections_comes_back(sections: list[Section]) -> None:
    assert section_tree(list(section_rows(1, sections))) == sections
