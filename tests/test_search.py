"""Chinese full-text search, on real SQLite files, against LIKE."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from db_samples import article, bring, open_store, warc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from wuhu_crawler.db.engine import check, make_engine
from wuhu_crawler.db.search import count, query, reindex, search, spaced
from wuhu_crawler.db.store import Store
from wuhu_crawler.items import Credit

END = (warc("c-1"), 9_999_999)
# Frequent and rare characters, with those of the extension blocks, compatibility forms and kana among them.
CHARACTERS = (
    "的一是在不了有和人这中大为上个国我以要他芜湖弋江区记者田龙发展经济建设" + "〇々龘㐀\U00020000\U0002b740\U00030001豈のカ한"
)
TEXTS = {
    1: ("芜湖市弋江区2023年GDP增长", "弋江区委在２０２３年的会议上提出，ＧＤＰ增长5.8%。\n芜湖日报记者田龙"),
    2: ("田龙", "别处的报道，wuhu News，提到芜湖日报。"),
    3: ("合肥新闻", "这里说的是合肥，不是别处；C919在合肥。"),
}


def add(store: Store, number: int, seen: int, title: str | None, body: str, **changes: Any) -> None:
    item = article(number, seen, title=title, paragraphs=body.split("\n"), sections=[], **{"credits": [], **changes})
    bring(store, item, text=(title, body))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'archive.db'}") as opened:
        for number, (title, body) in TEXTS.items():
            add(opened, number, number, title, body)
        opened.commit(END)
        yield opened


@pytest.fixture
def connection(store: Store, tmp_path: Path) -> Iterator[Connection]:
    engine = make_engine(f"sqlite:///{tmp_path / 'archive.db'}")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as opened:
        yield opened
    engine.dispose()


def found(connection: Connection, term: str) -> list[int]:
    return sorted(row["article_id"] for row in search(connection, term, limit=1000))


@pytest.mark.parametrize(
    ("term", "articles"),
    [
        ("芜湖", [1, 2]),
        ("田龙", [1, 2]),
        ("弋江", [1]),
        ("肥", [3]),
        ("芜湖日报记者田龙", [1]),
        ("江湖", []),
        ("GDP", [1]),
        ("gdp增长", [1]),
        ("ＧＤＰ", [1]),
        ("2023年", [1]),
        ("２０２３", [1]),
        ("5.8%", [1]),
        ("C919", [3]),
        ("news", [2]),
        ("芜湖 wuhu", [2]),
        ("合肥　C919", [3]),
        ("合肥 芜湖", []),
    ],
)
def test_words_are_found(connection: Connection, term: str, articles: list[int]) -> None:
    assert found(connection, term) == articles
    assert count(connection, term) == len(articles)


@pytest.mark.parametrize("term", ["", " ", "，。", '"', "*", "()", "^", "_", "\x00", "%", "\ud800"])
def test_a_term_without_words_finds_nothing(connection: Connection, term: str) -> None:
    assert query(term) is None
    assert search(connection, term) == []
    assert count(connection, term) == 0


@pytest.mark.parametrize(
    "term",
    [
        '芜湖"',
        "芜湖*",
        "(芜湖",
        "芜湖)",
        "^芜湖",
        "+芜湖",
        "-芜湖",
        "{芜湖}",
        "芜湖:",
        "'芜湖'",
        "芜湖;--",
        "芜\x00湖",
        "\\芜湖",
    ],
)
def test_operators_and_quotes_are_plain_text(connection: Connection, term: str) -> None:
    assert found(connection, term) == [1, 2]


@pytest.mark.parametrize("term", ["芜湖 OR 合肥", "芜湖 NOT 合肥", "title:芜湖", "NEAR(芜湖 合肥)", "body : 芜湖"])
def test_words_of_the_query_language_are_plain_words(connection: Connection, term: str) -> None:
    assert found(connection, term) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text() | st.text(alphabet='芜湖aA1 "*()^:+-{}ORNT'))
def test_no_term_is_an_error(connection: Connection, term: str) -> None:
    assert len(search(connection, term)) == count(connection, term)


def test_a_very_long_term_is_no_error(connection: Connection) -> None:
    assert found(connection, "芜" * 5000) == []
    assert found(connection, "芜 " * 1000) == [1, 2]


def test_a_word_in_the_title_counts_most(connection: Connection) -> None:
    assert [row["article_id"] for row in search(connection, "田龙")] == [2, 1]


def test_rows_say_what_was_found(connection: Connection) -> None:
    (row,) = search(connection, "弋江区")
    assert row == {
        "portal": "demo",
        "article_id": 1,
        "title": "芜湖市弋江区2023年GDP增长",
        "category": "资讯杂谈",
        "published_at": "2024-02-03T20:24:31+08:00",
        "snippet": "[弋江区]委在２０２３年的会议上提出，ＧＤＰ增长5.8%。 芜湖日报记者田龙",
    }


def test_the_snippet_shows_the_hits_as_printed(connection: Connection, store: Store) -> None:
    assert search(connection, "gdp增长", mark=("<b>", "</b>"))[0]["snippet"].count("<b>ＧＤＰ增长</b>") == 1
    add(store, 9, 9, "长文", "前文。" * 50 + "这里有“打 算”，以及打算。" + "后文。" * 50)
    store.commit(END)
    snippet = search(connection, "打算")[0]["snippet"]
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert "“[打 算]”，以及[打算]。" in snippet
    assert len(snippet) < 80
    only_title = search(connection, "长文")[0]["snippet"]
    assert only_title.startswith("前文。前文。")


def test_paging(connection: Connection, store: Store) -> None:
    for number in range(100, 130):
        add(store, number, number, "同题", "同样的正文")
    store.commit(END)
    pages = [[row["article_id"] for row in search(connection, "同题", limit=7, offset=offset)] for offset in range(0, 35, 7)]
    assert [len(page) for page in pages] == [7, 7, 7, 7, 2]
    assert sorted(number for page in pages for number in page) == list(range(100, 130))
    assert count(connection, "同题") == 30


def test_only_the_latest_version_is_found(connection: Connection, store: Store, tmp_path: Path) -> None:
    add(store, 1, 11, "改后的标题", "改后的正文")
    add(store, 2, 12, "再改一次", "中间的正文")
    add(store, 2, 13, "三改", "最后的正文")
    store.commit(END)
    assert found(connection, "弋江") == found(connection, "中间") == found(connection, "wuhu") == []
    assert found(connection, "改后") == [1]
    assert found(connection, "最后") == [2]
    assert found(connection, "合肥") == [3]
    assert check(f"sqlite:///{tmp_path / 'archive.db'}") == []


def test_an_article_without_title_is_found_by_its_body(connection: Connection, store: Store) -> None:
    add(store, 4, 14, None, "无题之文")
    store.commit(END)
    assert found(connection, "无题") == [4]
    add(store, 4, 15, None, "有变化")
    store.commit(END)
    assert found(connection, "无题") == []


def test_reindex_makes_the_same_index(connection: Connection) -> None:
    before = {term: found(connection, term) for term in ("芜湖", "弋江", "合肥", "GDP")}
    connection.execute(text("INSERT INTO article_search (article_search) VALUES ('delete-all')"))
    assert found(connection, "芜湖") == []
    assert reindex(connection) == 3
    assert {term: found(connection, term) for term in before} == before


def test_recall_and_precision_equal_those_of_like(connection: Connection, store: Store) -> None:
    dice = random.Random(553)
    weights = [1 / (place + 3) for place in range(len(CHARACTERS))]
    bodies = {}
    for number in range(1000, 1200):
        body = "，".join("".join(dice.choices(CHARACTERS, weights, k=dice.randint(3, 15))) for _ in range(12))
        bodies[number] = body
        add(store, number, number, "题", body)
    store.commit(END)
    asked = 0
    for length in (1, 2, 3, 4):
        for _ in range(60):
            clause = dice.choice(dice.choice(list(bodies.values())).split("，"))
            start = dice.randrange(max(1, len(clause) - length + 1))
            term = clause[start : start + length]
            like = text("SELECT a.article_id FROM article a JOIN article_version v ON v.article_key = a.key "
                        "WHERE v.title || char(10) || v.body LIKE '%' || :term || '%'")  # fmt: skip
            wanted = set(connection.execute(like, {"term": term}).scalars())
            got = set(found(connection, term))
            assert wanted <= got, term
            # Punctuation does not count, so a phrase may also be met across it: nowhere else.
            assert all(term in bodies[number].replace("，", "") for number in got - wanted if number in bodies), term
            asked += 1
    assert asked == 240


def test_spacing_keeps_words_and_parts_characters() -> None:
    assert spaced("芜湖2023年GDP增长café、Москва").split() == [
        "芜",
        "湖",
        "2023",
        "年",
        "GDP",
        "增",
        "长",
        "café",
        "、",
        "Москва",
    ]
    assert spaced("") == ""


def test_a_byline_that_has_left_the_body_is_found(store: Store, connection: Connection) -> None:
    credit = Credit(role="reporter", name="濮阳雪", outlet="芜湖日报", text="芜湖日报记者濮阳雪")
    add(store, 9, 9, "无题", "正文里没有她的名字，只有一句话。", credits=[credit])
    store.commit(END)
    (row,) = search(connection, "濮阳雪")
    assert (row["article_id"], row["snippet"]) == (9, "芜湖日报记者[濮阳雪]")
