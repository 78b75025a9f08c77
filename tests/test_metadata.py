"""A date that only programs are told is read when readers are shown none, and its evidence says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wuhu_crawler.extract import explanation, places
from wuhu_crawler.extract.page import extract
from wuhu_crawler.items import Article
from wuhu_crawler.pages import normalize_dates
from wuhu_crawler.portals import load_portal

O553 = load_portal("o553")
NOW = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)
BODY = "<p>镜湖边的老码头昨天重新开放，第一批游船在上午九点离岸，不少市民一早就来排队。</p>" * 3
LINKED = '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2024-04-29T08:05:00+08:00"}</script>'


def page(head: str, shown: str = "") -> str:
    return f"<html><head><title>老码头开放</title>{head}</head><body><h1>老码头开放</h1>{shown}<div>{BODY}</div></body></html>"


def read(text: str) -> Article:
    item = extract(text.encode(), url="http://www.o553.cn/news/Info.asp?ID=7", captured_at=NOW, portal=O553).item
    assert isinstance(item, Article)
    return item


@pytest.mark.parametrize(
    ("head", "words", "name"),
    [
        (
            '<meta property="article:published_time" content="2024-04-29T08:05:00+08:00">',
            "2024-04-29T08:05:00+08:00",
            "article",
        ),
        ("<meta content='2024-04-29' name=PublishDate>", "2024-04-29", "publishdate"),
        (LINKED, "2024-04-29T08:05:00+08:00", "JSON-LD"),
        ('<meta name="pubdate" content="unknown">' + LINKED, "2024-04-29T08:05:00+08:00", "JSON-LD"),
    ],
)
def test_what_programs_are_told_is_the_last_resort(head: str, words: str, name: str) -> None:
    article = read(page(head))
    assert article.published_text == words
    assert article.evidence["published_text"].rule.startswith(f"told to programs as {name}")
    told = normalize_dates(article, O553, NOW)
    assert isinstance(told, Article)
    assert str(told.published_at).startswith("2024-04-29")
    report = next(r for r in explanation.explain(told, page(head)) if r.field == "published_at")
    assert [places.holds(page(head), place) for place in report.places] == [True]


def test_what_readers_are_shown_counts() -> None:
    assert read(page(LINKED, "<p>发布时间：2024-04-30</p>")).published_text == "2024-04-30"


@pytest.mark.parametrize(
    "meta", ['name="date"', 'itemprop="dateUpdate"', 'name="generator"', 'property="article:modified_time"']
)
def test_a_date_that_may_be_the_templates_is_none(meta: str) -> None:
    article = read(page(f'<meta {meta} content="2024-04-29">'))
    assert (article.published_text, article.evidence["published_text"].rule) == (None, "absent")
