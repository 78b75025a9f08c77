"""The spiders: arguments, what is followed and what is not, when a listing ends; then real crawls of portals with traps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from crawling import BRISK, answer, article, crawl, listing, profile
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.utils.project import get_project_settings
from wire_server import CLOSE, wire_server

from wuhu_crawler.demo import server
from wuhu_crawler.demo.truth import rows
from wuhu_crawler.demo.world import build
from wuhu_crawler.errors import UsageError
from wuhu_crawler.extract.page import PageLink
from wuhu_crawler.items import Listing, ListingEntry, Pager
from wuhu_crawler.portals import load_portal
from wuhu_crawler.spiders.arguments import (
    check_contact,
    choose_portal,
    day,
    moved,
    portal_of,
    read_arguments,
    urls,
    words,
)
from wuhu_crawler.spiders.frontier import PageBudget, leads_on, listing_key, next_page, page_number, resource, shape
from wuhu_crawler.spiders.limits import Categories, Quota
from wuhu_crawler.spiders.listings import Walk, too_old
from wuhu_crawler.spiders.wuhu import Known, WuhuSpider

O553 = load_portal("o553")
DEMO_URL = "http://127.0.0.1:8553/"


@pytest.mark.parametrize(
    ("name", "text", "words_of_error"),
    [
        ("limt", "3", "takes category, full, limit, portal, requisites, resume, since"),
        ("limit", "0", "whole number of at least 1"),
        ("limit", "-1", "whole number of at least 1"),
        ("limit", "３", "whole number of at least 1"),
        ("since", "2024-02-30", "a date like 2024-02-03"),
        ("since", "yesterday", "a date like 2024-02-03"),
        ("full", "perhaps", "1 or 0"),
        ("category", "", "names or URLs"),
        ("category", "a,,b", "names or URLs"),
        ("resume", "../x", "ID of a crawl"),
        ("portal", "", "must not be empty"),
    ],
)
def test_a_wrong_argument_is_named_with_the_mend(name: str, text: str, words_of_error: str) -> None:
    with pytest.raises(UsageError, match=words_of_error):
        read_arguments("wuhu", WuhuSpider.known_arguments, {name: text})


def test_arguments_are_read() -> None:
    given = {"since": "2024/2/3", "limit": "20", "full": "yes", "category": "社会新闻，教育", "resume": "last"}
    assert read_arguments("wuhu", WuhuSpider.known_arguments, given) == {
        "portal": None,
        "category": ("社会新闻", "教育"),
        "since": date(2024, 2, 3),
        "limit": 20,
        "full": True,
        "requisites": None,
        "resume": "last",
    }


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(day(text), date)
    except ValueError:
        return


def test_lists_keep_their_order_and_name_each_once() -> None:
    assert words("b, a,b") == ("b", "a")
    assert urls("http://a/?x=1,http://b/,http://a/?x=1") == ("http://a/?x=1", "http://b/")
    with pytest.raises(ValueError, match="not an http"):
        urls("http://a/,ftp://b/")


@pytest.mark.parametrize("contact", ["mailto:me@example.org", "https://example.org/crawler", "http://example.org"])
def test_a_contact(contact: str) -> None:
    check_contact(O553, contact)


@pytest.mark.parametrize("contact", ["", "me@example.org", "mailto:me", "https://", "mailto:me@x (evil)", "ftp://x"])
def test_a_live_portal_is_not_crawled_without_a_contact(contact: str) -> None:
    with pytest.raises(UsageError, match="mailto:"):
        check_contact(O553, contact)


def test_the_bundled_portal_moves_as_a_whole() -> None:
    portal = moved(load_portal("demo"), "http://127.0.0.1:9000")
    assert portal.seeds == ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/news/")
    assert portal.article_url == "http://127.0.0.1:9000/news/Info.asp?ID={id}"
    with pytest.raises(UsageError, match="WUHU_DEMO_URL"):
        choose_portal("demo", "127.0.0.1:9000")


def test_a_page_finds_its_profile_by_its_host() -> None:
    assert portal_of("http://www.o553.cn/news/Info.asp?ID=1", DEMO_URL).name == "o553"
    assert portal_of("http://127.0.0.1:8553/x", DEMO_URL).name == "demo"
    with pytest.raises(UsageError, match="portal=FILE"):
        portal_of("http://example.org/", DEMO_URL)


@pytest.mark.parametrize(
    ("path", "text", "followed"),
    [
        ("/news/Class.asp?ClassID=3", "社会新闻", True),
        ("/society/country.asp", "县区", True),
        ("/soccer/index.asp", "足球", True),
        ("/about.htm", "关于我们", True),
        ("/news/Print.asp?ID=3", "x", False),
        ("/news/PrintNews.asp?ID=3", "x", False),
        ("/UserLogin.asp", "x", False),
        ("/userlogin.asp", "x", False),
        ("/so.asp?q=1", "x", False),
        ("/GuestBook/index.asp", "x", False),
        ("/admin/", "x", False),
        ("/news/x.asp", "我要评论", False),
        ("/" + "x" * 3000, "x", False),
    ],
)
def test_which_navigation_is_followed(path: str, text: str, followed: bool) -> None:
    assert leads_on("http://www.o553.cn" + path, text, O553) is followed


def test_a_profile_excludes_by_its_patterns(tmp_path: Path) -> None:
    portal = load_portal(profile(tmp_path / "p.toml", "http://a", exclude=[r"^/old/", "lang=en"]))
    assert not leads_on("http://a/OLD/x.asp", "x", portal)
    assert not leads_on("http://a/x.asp?lang=en", "x", portal)
    assert leads_on("http://a/x.asp?lang=zh", "x", portal)


def test_urls_of_one_listing_and_of_one_shape() -> None:
    assert listing_key("http://A/List.asp?Page=3&ClassID=2") == listing_key("http://a/list.asp?classid=2")
    assert listing_key("http://a/list.asp?classid=2") != listing_key("http://a/list.asp?classid=3")
    assert shape("http://a/c/2024/02.asp?y=1&m=2") == shape("http://a/c/1999/12.asp?m=9&y=8")
    assert page_number("http://a/l.asp?PageNo=12&x=1") == 12
    assert page_number("http://a/l.asp?x=1") is None
    assert next_page("http://a/l.asp?page=9&c=1") == "http://a/l.asp?page=10&c=1"
    assert next_page("http://a/l.asp?c=1") is None


def test_pages_of_a_listing_as_the_profile_numbers_them() -> None:
    known = (r"/list/\d+_(?P<page>\d+)\.html$", r"[?&]seite=(?P<page>\d+)")
    assert page_number("http://7/list/3_12.html", known) == 12
    assert next_page("http://7/list/3_12.html", known) == "http://7/list/3_13.html"
    assert next_page("http://7/l.asp?c=1&Seite=9", known) == "http://7/l.asp?c=1&Seite=10"
    assert next_page("http://7/l.asp?c=1&page=9", known) == "http://7/l.asp?c=1&page=10"
    assert page_number("http://7/list/3.html", known) is None
    assert listing_key("http://7/list/3_12.html", known) == listing_key("http://7/list/3_2.html", known)
    assert listing_key("http://7/list/3_12.html", known) != listing_key("http://7/list/4_12.html", known)


def test_one_article_is_one_resource_and_its_second_part_another() -> None:
    first = resource("http://www.o553.cn/news/Info.asp?ID=12393", O553)
    assert resource("http://o553.cn/NEWS/info.asp?from=list&id=12393", O553) == first
    assert resource("http://www.o553.cn/news/Info.asp?ID=12393&ArticlePage=2", O553) != first
    assert resource("http://www.o553.cn/news/", O553) == resource("http://WWW.o553.cn:80/News/#top", O553)


def page_of(*entries: tuple[int, date | None], pages: int | None = None) -> Listing:
    made = [
        ListingEntry(article_id=number, url="u", title="t", date=day, position=place)
        for place, (number, day) in enumerate(entries, 1)
    ]
    return Listing(url="u", entries=made, pager=Pager(pages=pages))


OLD, NEW = date(2023, 1, 1), date(2024, 3, 1)
SINCE = date(2024, 1, 1)


def test_a_walk_ends_where_a_set_of_entries_comes_again() -> None:
    walk = Walk()
    assert walk.goes_on(page_of((1, None), (2, None)), new=2, patience=5, since=None)
    assert walk.goes_on(page_of((3, None)), new=1, patience=5, since=None)
    assert not walk.goes_on(page_of((2, None), (1, None)), new=0, patience=5, since=None)
    assert not Walk().goes_on(page_of(), new=0, patience=5, since=None)


def test_a_walk_ends_after_pages_without_anything_new_unless_it_is_to_be_full() -> None:
    for patience, end in ((2, False), (0, True)):
        walk = Walk()
        assert walk.goes_on(page_of((1, None)), new=0, patience=patience, since=None)
        assert walk.goes_on(page_of((2, None)), new=0, patience=patience, since=None) is end


def test_a_walk_ends_where_all_is_too_old_whatever_stands_on_top() -> None:
    walk = Walk()
    assert walk.goes_on(page_of((9, OLD), (2, NEW)), new=2, patience=5, since=SINCE)
    assert walk.goes_on(page_of((9, OLD), (3, OLD), (4, None)), new=2, patience=5, since=SINCE)
    assert not walk.goes_on(page_of((2, NEW), (5, OLD), (6, OLD)), new=2, patience=5, since=SINCE)
    assert not too_old([], SINCE)


def test_a_pattern_with_nothing_new_runs_out_of_budget() -> None:
    budget: PageBudget[str] = PageBudget(2)
    pages = [f"http://a/calendar.asp?m={month}" for month in range(5)]
    assert [budget.admit(page, page) for page in pages] == [True, True, False, False, False]
    assert budget.settle(pages[0], fruitful=True) == ([pages[2]], [])
    assert budget.settle(pages[1], fruitful=False) == ([], [])
    assert budget.settle(pages[2], fruitful=False) == ([], pages[3:])
    assert budget.admit("http://a/list.asp?c=1", "another pattern")


def request_of(number: int, *, is_article: bool = True) -> Request:
    return Request(f"http://a/{number}", cb_kwargs={"known": Known(article=is_article)})


def test_a_quota_counts_articles_and_takes_back_what_was_none() -> None:
    quota = Quota(2)
    asked = [request_of(number) for number in range(4)]
    assert list(quota.take(asked)) == asked[:2]
    quota.settle(got_article=True)
    assert not quota.used_up
    quota.settle(got_article=False)
    assert list(quota.take([request_of(9, is_article=False)])) == [asked[2]]
    quota.settle(got_article=True)
    assert quota.used_up
    assert list(quota.take([])) == []


def test_no_limit_lets_everything_pass() -> None:
    assert len(list(Quota(None).take(request_of(number) for number in range(9)))) == 9
    assert not Quota(None).used_up


def test_categories_by_name_and_url() -> None:
    categories = Categories(("社会新闻", "http://a/List.asp?c=1"))
    assert categories.has_listing(Listing(url="u", category="社会新闻"))
    assert not categories.has_listing(Listing(url="u", category="教育"))
    assert list(categories.urls) == ["http://a/list.asp?c=1"]
    assert not Categories(())


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The bundled portal's URL."""
    with server.start() as portal:
        yield portal.url


def articles(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_limit_is_kept_to_the_article(demo: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = crawl(tmp_path / "data", "wuhu", "-a", "portal=demo", "-a", "limit=7", "-O", str(out), WUHU_DEMO_URL=demo)
    assert done.code == 0, done.log
    found = articles(out)
    assert {found_one["kind"] for found_one in found} == {"article"}
    assert len(found) == 7
    assert done.rows("SELECT count(*) FROM article") == [(7,)]


def test_a_category_is_walked_alone_and_whole(demo: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ("-a", "portal=demo", "-a", "category=教育信息", "-O", str(out))
    done = crawl(tmp_path / "data", "wuhu", *arguments, WUHU_DEMO_URL=demo)
    assert done.code == 0, done.log
    wanted = {row["article_id"] for row in rows(build(553)) if row["listed"] and row["category"] == "教育信息"}
    assert {found["article_id"] for found in articles(out)} == wanted


def test_an_unknown_category_is_told_with_those_there_are() -> None:
    settings = get_project_settings()
    spider = WuhuSpider(WuhuSpider.read({"portal": "demo", "category": "没有,教育信息"}, settings))
    for text in ("本地新闻", "教育信息"):
        spider.categories.has_link(PageLink(url="http://127.0.0.1:8553/x", text=text, kind="page", article_id=None))
    complaint = spider.complaint()
    assert isinstance(complaint, UsageError)
    assert str(complaint) == "-a category=没有: no link or listing of that name; the portal shows 本地新闻、教育信息"


def test_since_ends_a_listing_that_prints_no_years(demo: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ("-a", "portal=demo", "-a", "category=社区动态", "-a", "since=2024-02-20", "-O", str(out))
    done = crawl(tmp_path / "data", "wuhu", *arguments, WUHU_DEMO_URL=demo)
    assert done.code == 0, done.log
    truth = [row for row in rows(build(553)) if row["listed"] and row["category"] == "社区动态"]
    recent = {row["article_id"] for row in truth if str(row["published_at"]) >= "2024-02-20"}
    found = {one["article_id"] for one in articles(out)}
    assert recent <= found
    assert len(found) < len(truth)


def trap_scripts() -> dict[str, object]:
    """A portal with a listing of five pages whose third is broken, a page number past the end, an endless calendar, a print
    page, an off-site link, and an article only its neighbour shows."""

    def pager(page: int) -> str:
        after = f"<a href='/list.asp?c=1&page={page + 1}'>下一页</a>" if page < 6 else "下一页"
        return f"<p>共 11 条 首页 上一页 {after} 尾页 页次：{page}/5页 2条/页</p>"

    def calendar(month: int) -> bytes:
        months = "".join(f"<a href='/rili.asp?m={n}'>{n}月</a>" for n in range(month + 1, month + 4))
        return listing([1, 2, 3], more=months)

    home = listing(
        [1, 2],
        more="<a href='/list.asp?c=1'>新闻</a><a href='/LIST.asp?C=1'>新闻</a><a href='/rili.asp?m=1'>日历</a>"
        "<a href='/print.asp?id=1'>打印</a><a href='http://elsewhere.example/'>友情链接</a><a href='/news/gone.doc'>附件</a>",
    )
    pages = {
        f"/list.asp?c=1&page={page}": [listing([2 * page, 2 * page + 1], more=pager(page))]
        for page in (2, 4, 5)  # the entries of page 1 are on page 6 again
    }
    neighbour = article(11, more="<p>下一篇：<a href='/news/info.asp?id=99'>隐</a></p>")
    return {
        "/robots.txt": [answer("", "404 Not Found")],
        "/": [home],
        "/list.asp?c=1": [listing([1, 2, 3], more=pager(1))],
        **pages,
        "/list.asp?c=1&page=3": [answer("Microsoft VBScript 运行时错误 错误 '800a000d'", "500 Internal Server Error")],
        "/list.asp?c=1&page=6": [listing([1, 2, 3], more=pager(1))],
        **{f"/rili.asp?m={month}": [calendar(month)] for month in range(1, 40)},
        **{f"/news/Info.asp?ID={number}": [article(number)] for number in range(1, 11)},
        "/news/Info.asp?ID=11": [neighbour, CLOSE],
        "/news/info.asp?id=99": [article(99)],
    }


def test_traps_end_and_nothing_is_lost(tmp_path: Path) -> None:
    with wire_server(trap_scripts()) as site:  # type: ignore[arg-type]
        toml = profile(tmp_path / "p.toml", site.url)
        pages = ("-a", f"portal={toml}", "-a", "requisites=no")
        done = crawl(tmp_path / "data", "wuhu", *pages, "-s", "WUHU_PATTERN_BUDGET=4", *BRISK)
        asked = set(site.seen)
        times = {path: len(seen) for path, seen in site.seen.items()}
    ids = {row[0] for row in done.rows("SELECT article_id FROM article")}
    assert ids == {1, 2, 3, 4, 5, 8, 9, 10, 11, 99}
    assert {path for path in asked if path.startswith("/rili")} == {f"/rili.asp?m={month}" for month in (1, 2, 3, 4)}
    assert done.outcomes()["/rili.asp?m=5"] == ("excluded", "trap")
    assert not {"/print.asp?id=1", "/news/gone.doc", "/LIST.asp?C=1"} & asked
    assert times.pop("/list.asp?c=1&page=3") == 3  # a 500 is tried again
    assert set(times.values()) == {1}
    assert done.code == 0, done.log
