"""Where words stand on a page: every XPath given must select the one element that holds them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from wuhu_crawler.extract import explanation, places
from wuhu_crawler.extract.decode import decode
from wuhu_crawler.extract.page import extract
from wuhu_crawler.extract.places import PageText, Place
from wuhu_crawler.items import Evidence
from wuhu_crawler.pages import normalize_dates
from wuhu_crawler.portals import Portal, load_portal, make_portal

FOLDERS = sorted(path.parent for path in (ROOT / "tests/fixtures").glob("*/*/page.html"))
PORTAL = Portal(name="small", title="江城在线", seeds=("http://127.0.0.1/",))
NOW = datetime(2024, 5, 1, tzinfo=UTC)


def reports(page: str, url: str = "http://127.0.0.1/show.asp?id=7") -> dict[str, explanation.FieldReport]:
    item = extract(page.encode(), url=url, captured_at=NOW, portal=PORTAL).item
    return {report.field: report for report in explanation.explain(normalize_dates(item, PORTAL, NOW), page)}


def _portal(told: Any) -> Portal:
    return load_portal(told) if isinstance(told, str) else make_portal(told, "meta.json")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_place_of_the_fixtures_holds_its_words(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    body, portal = (folder / "page.html").read_bytes(), _portal(meta["portal"])
    headers, when = meta.get("headers") or {}, datetime.fromisoformat(meta["captured_at"])
    item = extract(body, url=meta["url"], headers=headers, captured_at=when, portal=portal).item
    page = decode(body, headers.get("Content-Type")).text
    told = explanation.explain(normalize_dates(item, portal, when), page)
    given = [(report.field, place) for report in told for place in report.places + report.near if place.xpath]
    assert [(name, place) for name, place in given if not places.holds(page, place)] == []
    filled = [report.field for report in told if report.rule and report.value and report.field not in ("kind", "entry dates")]
    placed = {report.field for report in told if report.places}
    assert [name for name in filled if name not in placed] == []
    assert [report.field for report in told if report.value is None and not report.reason] == []


ARTICLE = """<html><head><title>大桥通车</title></head><body><div>看过：99999</div>
<table><tr><td>大桥通车</td></tr><tr><td><h1>大桥通车</h1></td></tr><tr><td id=meta>
发布时间：2024-4-30 8:00:00　看过：102</td></tr>
<tr><td><p>芜湖长江大桥昨日通车，市民纷纷前往参观，场面热闹。</p><p>大桥全长十公里，历时四年建成，车流通畅。</p></td></tr></table></body></html>"""


def test_the_occurrence_beside_the_body_is_meant() -> None:
    found = reports(ARTICLE)
    assert [place.xpath for place in found["title"].places] == ["/html/body/table/tr[2]/td/h1"]
    assert [place.xpath for place in found["paragraphs"].places] == ["/html/body/table/tr[4]/td"]


def test_an_empty_field_names_what_could_have_been_meant_the_nearest_first() -> None:
    views = reports(ARTICLE)["views"]
    assert views.value is None
    assert views.reason == "no view label with a number near title and date, no counter script"
    assert views.near[0] == Place("/html/body/table/tr[3]/td", "发布时间：2024-4-30 8:00:00 看过：102")
    assert views.near[1].words == "看过：99999"


def test_words_in_several_elements_are_in_the_smallest_that_holds_them_all() -> None:
    text = PageText.of("<body><div><p><span>芜湖</span><b>大桥</b></p><p>通车</p></div></body>")
    assert text.find("芜湖大桥") == (0, Place("/html/body/div/p[1]", "芜湖大桥"))
    assert text.find("大桥 通车") == (2, Place("/html/body/div", "大桥 通车"))
    assert text.find("高铁") is None


@pytest.mark.parametrize("tag", ["o:p", "di\x01v", "a-b", "st1:place"])
def test_an_element_with_a_name_xpath_cannot_say(tag: str) -> None:
    page = f"<body><div><!-- x --><b>大桥</b><{tag}>通车</{tag}></div></body>"
    found = PageText.of(page).find("通车")
    assert found
    assert places.holds(page, found[1])


def test_scripts_and_styles_are_not_the_pages_words() -> None:
    text = PageText.of("<body><script>var a='芜湖';</script><style>.芜湖{}</style><!-- 芜湖 --><p>大桥</p></body>")
    assert text.find("芜湖") is None
    assert text.script("var a") == Place("/html/body/script", "var a")


def test_a_counter_script_is_found_by_its_source() -> None:
    page = ARTICLE.replace("看过：102", '浏览：<script src="hits.asp?id=7"></script>')
    views = reports(page)["views"]
    assert views.places == [Place("/html/body/table/tr[3]/td/script", "hits.asp?id=7")]
    assert places.holds(page, views.places[0])


def test_what_is_noted_of_the_article_as_a_whole_is_told() -> None:
    item = extract(ARTICLE.encode(), url="http://127.0.0.1/show.asp?id=7", captured_at=NOW, portal=PORTAL).item
    item.evidence["parts"] = Evidence(rule="incomplete", text="part 2 (http://127.0.0.1/show.asp?id=7&page=2): HTTP 500")
    told = {report.field: report for report in explanation.explain(item, ARTICLE)}
    assert (told["parts"].rule, told["parts"].value) == ("incomplete", item.evidence["parts"].text)


@pytest.mark.parametrize("page", ["", "\0", "<", "<html>", "<!-- x", "文字", "<table><tr><td>" * 50])
def test_any_page_is_explained(page: str) -> None:
    assert reports(page)["kind"].value in ("missing", "error", "other")


def test_a_page_that_is_none_shows_the_links_no_pattern_knows() -> None:
    links = [("page", f"http://127.0.0.1/view/{n}.html") for n in range(5)]
    item = extract(b"<p>x</p>", url="http://127.0.0.1/", captured_at=NOW, portal=PORTAL).item
    told = {report.field: report for report in explanation.explain(item, "<p>x</p>", links)}
    assert told["links"].reason == "no link matches `article_urls`; the most frequent shapes are"
    assert told["links"].near == [Place("", "5 x http://127.0.0.1/view/N.html")]
