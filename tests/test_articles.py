"""The golden fixtures: pages as served, written by hand, and what a careful reader says they hold.

A fixture is a folder of `page.html` (raw bytes), `meta.json` (URL, headers, capture time, portal, what it is about) and
`expected.json` (the item's JSON without capture_id and evidence). One test a field and page, so that a failure names both.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from wuhu_crawler.extract.page import Page, extract
from wuhu_crawler.items import Article, Listing, OtherPage, to_json
from wuhu_crawler.pages import normalize_dates
from wuhu_crawler.portals import Portal, load_portal, make_portal

FIXTURES = Path(__file__).parent / "fixtures"
# The archive gives the number of the capture; evidence is prose for people.
UNTOLD = {"capture_id", "evidence"}
ARTICLE_FIELDS = [f.name for f in fields(Article) if f.name not in UNTOLD]
LISTING_FIELDS = [f.name for f in fields(Listing) if f.name not in UNTOLD]
OTHER_FIELDS = ["kind", "portal", "url", "article_id", "captured_at"]


def names(kind: str) -> list[str]:
    return sorted(folder.name for folder in (FIXTURES / kind).iterdir())


@cache
def read(kind: str, name: str, part: str) -> dict[str, Any]:
    return json.loads((FIXTURES / kind / name / part).read_text(encoding="utf-8"))


def portal_of(meta: dict[str, Any]) -> Portal:
    """A bundled profile by name, or a sister portal's profile in the fixture itself."""
    return load_portal(meta["portal"]) if isinstance(meta["portal"], str) else make_portal(meta["portal"], "meta.json")


@cache
def page(kind: str, name: str) -> Page:
    meta = read(kind, name, "meta.json")
    captured_at, portal = datetime.fromisoformat(meta["captured_at"]), portal_of(meta)
    body = (FIXTURES / kind / name / "page.html").read_bytes()
    found = extract(
        body, url=meta["url"], headers=meta["headers"], status=meta.get("status", 200), captured_at=captured_at, portal=portal
    )
    normalize_dates(found.item, portal, captured_at)
    return found


@cache
def printed(kind: str, name: str) -> dict[str, Any]:
    return to_json(page(kind, name).item)


@pytest.mark.parametrize("field", ARTICLE_FIELDS)
@pytest.mark.parametrize("name", names("articles"))
def test_article_field(name: str, field: str) -> None:
    assert printed("articles", name).get(field) == read("articles", name, "expected.json")[field]


@pytest.mark.parametrize("name", names("articles"))
def test_article_has_no_other_field(name: str) -> None:
    assert set(read("articles", name, "expected.json")) == set(ARTICLE_FIELDS)
    assert set(printed("articles", name)) == set(ARTICLE_FIELDS) | UNTOLD


@pytest.mark.parametrize("name", names("articles"))
def test_what_a_crawl_needs_beside_the_article(name: str) -> None:
    meta = read("articles", name, "meta.json")
    assert page("articles", name).counter_url == meta["counter_url"]
    assert page("articles", name).part_urls == meta["part_urls"]


@pytest.mark.parametrize("name", names("articles"))
def test_evidence_speaks_of_every_field_that_is_read(name: str) -> None:
    item = page("articles", name).item
    for field in (
        "title",
        "breadcrumb",
        "category",
        "published_text",
        "source_date_text",
        "views",
        "credits",
        "paragraphs",
        "headings",
    ):
        evidence = item.evidence[field]
        empty = not getattr(item, field) and not (field == "views" and evidence.rule == "script counter")
        assert (evidence.rule == "absent") == empty, (field, evidence)
        assert evidence.text, field


@pytest.mark.parametrize("name", names("articles"))
def test_every_paragraph_is_in_exactly_one_section_in_order(name: str) -> None:
    def lines(sections: list[dict[str, Any]]) -> list[str]:
        out: list[str] = []
        for section in sections:
            out += [section["heading"]] if section["heading"] else []
            out += [*section["paragraphs"], *lines(section["sections"])]
        return out

    told = printed("articles", name)
    assert all(whole.endswith(part) for whole, part in zip(told["paragraphs"], lines(told["sections"]), strict=True))


@pytest.mark.parametrize("field", LISTING_FIELDS)
@pytest.mark.parametrize("name", names("listings"))
def test_listing_field(name: str, field: str) -> None:
    assert printed("listings", name).get(field) == read("listings", name, "expected.json")[field]


@pytest.mark.parametrize("name", names("listings"))
def test_listing_has_no_other_field(name: str) -> None:
    assert set(read("listings", name, "expected.json")) == set(LISTING_FIELDS)
    assert set(printed("listings", name)) == set(LISTING_FIELDS) | UNTOLD


@pytest.mark.parametrize("field", OTHER_FIELDS)
@pytest.mark.parametrize("name", names("other"))
def test_other_page_field(name: str, field: str) -> None:
    assert printed("other", name).get(field) == read("other", name, "expected.json")[field]


@pytest.mark.parametrize("name", names("other"))
def test_other_page_gives_its_reason(name: str) -> None:
    item = page("other", name).item
    assert isinstance(item, OtherPage)
    assert read("other", name, "expected.json")["reason"] in item.reason


@pytest.mark.parametrize("kind", ["articles", "listings", "other"])
def test_fixtures_say_what_they_are_about(kind: str) -> None:
    texts = [read(kind, name, "meta.json")["about"] for name in names(kind)]
    assert all(len(text) > 10 for text in texts)
    assert len(set(texts)) == len(texts)


def test_the_published_schema_is_the_code() -> None:
    text = (Path(__file__).parents[1] / "docs" / "article.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", text, re.M)
    assert [field for field, _ in table] == [f.name for f in fields(Article)]
    expected = {**read("articles", "o553-12393", "expected.json"), "capture_id": None}
    for field, example in table:
        if example.startswith("`"):
            assert json.loads(example.strip("` ")) == expected[field], field
        elif count := re.match(r"(\d+) ", example):
            assert len(expected[field]) == int(count[1]), field
