"""The room's entrance: every response is classified, nothing raises, and a crawl gets the links it needs."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuhu_crawler.extract import explanation, places
from wuhu_crawler.extract.decode import decode
from wuhu_crawler.extract.digests import article_digest, page_digest
from wuhu_crawler.extract.page import Page, extract
from wuhu_crawler.items import Article, Listing, OtherPage, to_json
from wuhu_crawler.pages import normalize_dates
from wuhu_crawler.portals import load_portal, make_portal

FIXTURES = Path(__file__).parent / "fixtures"
O553 = load_portal("o553")
NOW = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)
URL = "http://www.o553.cn/news/Info.asp?ID=12393"
SEED = (FIXTURES / "articles" / "o553-12393" / "page.html").read_bytes()
PAGES = sorted(path.read_bytes() for path in FIXTURES.glob("*/*/page.html"))
KINDS = {"article", "listing", "missing", "error", "blocked", "other"}


def read(body: bytes, url: str = URL, **more: object) -> Page:
    return extract(body, url=url, captured_at=NOW, portal=O553, **more)  # type: ignore[arg-type]


def check(page: Page) -> None:
    """What holds of every page, whatever its bytes."""
    item = page.item
    assert item.kind in KINDS
    assert item.captured_at == NOW
    assert item.portal == "o553"
    to_json(normalize_dates(item, O553, NOW))
    assert page_digest(item).startswith("sha256:")
    if isinstance(item, OtherPage):
        assert item.reason
    if isinstance(item, Article):
        assert item.title
        texts = [item.title, *item.breadcrumb, *item.paragraphs, *item.headings, *(credit.name for credit in item.credits)]
        assert all(text and text == text.strip() for text in texts)
        assert not any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for text in texts for c in text)
    if isinstance(item, Listing):
        assert [entry.position for entry in item.entries] == list(range(1, len(item.entries) + 1))
    assert all(link.url.startswith(("http://", "https://")) and "#" not in link.url for link in page.links)


@given(body=st.binary(max_size=400))
@settings(max_examples=60)
def test_any_bytes_are_classified(body: bytes) -> None:
    check(read(body))
    check(read(body, "http://www.o553.cn/"))


# `make fuzz` damages more.
DAMAGED = int(os.environ.get("FUZZ_PAGES", "1000"))


@pytest.mark.parametrize("seed", range(20))
def test_cut_swapped_and_reencoded_pages_are_classified(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(max(1, DAMAGED // 20)):
        body = mutated(rng.choice(PAGES), rng)
        if rng.random() < 0.3:
            body = mutated(body, rng)
        page = read(body)
        check(page)
        check_places(page, decode(body, None).text)


def check_places(page: Page, text: str) -> None:
    """Every place told of a page is one element that holds the words; on a damaged page there may be none."""
    for report in explanation.explain(normalize_dates(page.item, O553, NOW), text):
        told = [place for place in report.places + report.near if place.xpath]
        assert [place for place in told if not places.holds(text, place)] == [], report.field


def mutated(body: bytes, rng: random.Random) -> bytes:
    """Damage a page as disks, proxies and servers do."""
    if not body:
        return b"\0"
    a, b = sorted(rng.randrange(len(body) + 1) for _ in range(2))
    match rng.randrange(6):
        case 0:
            return body[:a]
        case 1:
            return body[b:] + body[:a]
        case 2:
            return body[:a] + rng.randbytes(rng.randrange(1, 40)) + body[b:]
        case 3:
            return body.decode("gb18030", "replace").encode("utf-8")
        case 4:
            return body.decode("utf-8", "replace").encode("utf-16", "surrogatepass")
        case _:
            changed = bytearray(body)
            for _ in range(rng.randrange(1, 30)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            return bytes(changed)


def test_a_page_cut_anywhere_is_classified() -> None:
    for end in range(0, len(SEED), len(SEED) // 60):
        check(read(SEED[:end]))


def test_a_link_with_a_number_of_thousands_of_digits() -> None:
    check(read(SEED.replace(b"ID=12931", b"ID=" + b"1" * 5000)))


@pytest.mark.parametrize("kind", ["image/gif", "application/pdf", "application/msword", "text/css", "application/javascript"])
def test_what_is_no_html(kind: str) -> None:
    page = read(SEED, "http://www.o553.cn/upload/a", headers={"Content-Type": kind})
    assert page.item.kind == "other"
    assert kind in page.item.reason
    assert page.links == []


def test_html_served_under_no_type_or_a_wrong_one() -> None:
    for headers in (
        {},
        {"content-type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/octet-stream"},
        {"CONTENT-TYPE": "text/html;charset=x-none"},
    ):
        assert read(SEED, headers=headers).item.kind == "article", headers


@pytest.mark.parametrize(
    ("status", "kind"), [(404, "missing"), (410, "missing"), (500, "error"), (503, "error"), (403, "blocked"), (429, "blocked")]
)
def test_a_status_outweighs_the_body(status: int, kind: str) -> None:
    item = read(SEED, status=status).item
    assert (item.kind, item.reason) == (kind, f"HTTP {status}")
    assert item.article_id == 12393


def test_the_links_of_a_page() -> None:
    kinds = {(link.url.removeprefix("http://www.o553.cn"), link.kind, link.article_id) for link in read(SEED).links}
    assert ("/news/Info.asp?ID=12931", "article", 12931) in kinds
    assert ("/news/Class.asp?ClassID=7", "page", None) in kinds
    assert ("/", "page", None) in kinds


def test_links_of_all_kinds() -> None:
    html = (
        "<base href='/news/'><a href='Info.asp?ID=5#x'>文</a><a href='Class.asp?page=2'>下一页</a><a href='/f/a.DOC'>附</a>"
        "<a href=/i/b.jpg>图</a><a href=About.asp>关于</a>"
        "<a href='javascript:void(0)'>无</a><a href='#top'>顶</a><a href='mailto:a@b.c'>信</a><a>空</a>"
    )
    links = read(html.encode(), "http://www.o553.cn/x/y/z.asp").links
    assert [(link.url, link.kind) for link in links] == [
        ("http://www.o553.cn/news/Info.asp?ID=5", "article"),
        ("http://www.o553.cn/news/Class.asp?page=2", "next"),
        ("http://www.o553.cn/f/a.DOC", "attachment"),
        ("http://www.o553.cn/i/b.jpg", "asset"),
        ("http://www.o553.cn/news/About.asp", "page"),
    ]


def test_views_and_sidebar_make_no_version_but_the_body_does() -> None:
    def digests(body: bytes) -> tuple[str, str]:
        item = read(body).item
        assert isinstance(item, Article)
        return article_digest(item), page_digest(item)

    served = digests(SEED)
    assert digests(SEED.replace("浏览:102".encode("gbk"), "浏览:103".encode("gbk"))) == served
    assert digests(SEED.replace("人才资讯速递".encode("gbk"), "招聘资讯速递".encode("gbk"))) == served
    assert digests(SEED.replace("一是推进".encode("gbk"), "一是加快".encode("gbk")))[0] != served[0]
    assert digests(SEED.replace(b"2024/2/3 20:24:31", b"2024/2/3 20:24:32"))[0] != served[0]
    assert digests(SEED.replace(b"2024/2/3 20:24:31", b"2024-02-03 20:24:31"))[0] == served[0]
    assert (
        digests(SEED.replace(b"2024/2/3 20:24:31", "3小时前".encode("gbk")))[0]
        == digests(SEED.replace(b"2024/2/3 20:24:31", "昨天 10:20".encode("gbk")))[0]
    )
    assert digests(SEED.replace("记者田龙".encode("gbk"), "记者田虎".encode("gbk")))[0] != served[0]


def test_relative_dates_are_read_against_the_capture_only() -> None:
    item = normalize_dates(read(SEED).item, O553, NOW)
    later = extract(SEED, url=URL, captured_at=NOW.replace(year=2030), portal=O553).item
    assert isinstance(item, Article)
    assert isinstance(later, Article)
    assert later.published_text == item.published_text
    assert [entry.date.year for entry in later.related if entry.date] == [2030, 2030, 2030]


def test_a_portals_own_labels() -> None:
    html = (
        "<p>您在此处：<a href=/>首页</a> &gt; 新闻 &gt; 正文</p><h1>新灯亮了</h1><p>刊登日：2024-4-3　热度值：55</p>"
        "<p>中山路步行街昨晚亮起了新路灯，灯罩做成了荷叶的样子。</p><p>沿街商铺的老板们搬出桌椅，在灯下摆起了夜市。</p>"
    )
    raw = {
        "name": "own",
        "seeds": ["http://own.example/"],
        "labels": {"published": ["刊登日"], "views": ["热度值"], "position": ["您在此处"]},
    }
    taught = extract(
        html.encode(), url="http://own.example/show.asp?id=3", captured_at=NOW, portal=make_portal(raw, "test")
    ).item
    assert isinstance(taught, Article)
    assert (taught.published_text, taught.views, taught.breadcrumb) == ("2024-4-3", 55, ["首页", "新闻", "正文"])


def test_an_article_without_article_url_is_told_by_its_page() -> None:
    item = read(SEED, "http://www.o553.cn/special/page1.htm").item
    assert isinstance(item, Article)
    assert item.article_id is None


# Each once made a pattern try every way to split it: with repeats of a thousand the page would never have been read.
RUNS = ("1 ", "[1] ", "大 中 小 ", "【大 中 小 ", "【打印】 ", "记者 王强 ", "、", "(一) ", "首页 > ", "2024-1-1 ", "　", "1,")


@pytest.mark.parametrize("run", RUNS)
def test_long_runs_are_read_through(run: str) -> None:
    for count in (20, 1000):
        words = f"<p>{run * count}x</p><p>{run * count}摄</p><p>发布时间：2024-1-1 {run * count}</p>"
        check(read(f"<html><h1>{run * count}</h1>{words}</html>".encode()))


@pytest.mark.parametrize(
    ("behind", "kept"),
    [
        ("<br>调查：半年内会涨价吗？" + "<br>记者走近市民，倾听他们的心声，有人说涨，有人说跌。" * 6, True),
        ("</div><div>相关新闻：</div><div>" + "网友说这篇文章写得很好，希望多写一些这样的文章。" * 6, False),
    ],
)
def test_an_end_word_inside_a_running_text_does_not_end_it(behind: str, kept: bool) -> None:
    body = "今天上午，市民在展览馆里谈论房价。" * 5
    mark = "相关新闻：" if kept else ""
    page = read(f"<h1>房价调查</h1><p>发布时间：2024-1-1</p><div>{body}<br>{body}<br>{mark}{behind}</div>".encode())
    assert isinstance(page.item, Article)
    assert (len(page.item.paragraphs) > 5) == kept


@pytest.mark.parametrize(
    ("src", "found"),
    [
        ("/js/tj.asp?aid=7", True),
        ("/js/TJ.asp?aid=0007&x=1", True),
        ("/tj/7.js", True),
        ("/js/tj.asp?aid=17", False),
        ("/js/menu.js?id=7", False),
        ("hits.asp?id=7", True),
    ],
)
def test_a_counter_script_of_the_portals_own(src: str, found: bool) -> None:
    portal = make_portal(
        {"name": "p", "seeds": ["http://a.example/"], "counter_urls": [r"/tj\.asp\?", r"/tj/\d+\.js$"]}, "p.toml"
    )
    lines = "<p>芜湖长江大桥昨日通车，市民纷纷前往参观，桥上桥下都是人。</p>" * 3
    page = f'<h1>大桥昨日通车</h1><div>发布时间：2024-5-6 浏览：<script src="{src}"></script></div>{lines}'
    answer = extract(page.encode(), url="http://a.example/show.asp?id=7", captured_at=NOW, portal=portal)
    assert (answer.counter_url is not None) == found


def test_a_page_with_control_characters_is_read_without_them() -> None:
    html = (
        "<html><head><title>站\x07名</title></head><body><h1>标\x00题&#1;甲乙丙\x85丁</h1>"
        "<div>发布时间：2013-5-18 10:00 浏览：1&#x200b;5 编辑：王\x02伟</div>"
        "<p>正文第一段，这里有一些控制\x0b字符&#x7f;和\u200b零宽字符，写得长一些。</p></body></html>"
    )
    item = extract(html.encode(), url="http://www.o553.cn/news/Info.asp?ID=5", captured_at=NOW, portal=O553).item
    assert isinstance(item, Article)
    assert (item.title, item.views, [credit.name for credit in item.credits]) == ("标题甲乙丙丁", 15, ["王伟"])
    assert item.paragraphs == ["正文第一段，这里有一些控制字符和零宽字符，写得长一些。"]
