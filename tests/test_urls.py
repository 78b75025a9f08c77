"""URL identity and article IDs, as a classic-ASP server sees them."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuhu_crawler.extract.urls import absolute, article_id, identity, is_part
from wuhu_crawler.portals import Portal, load_portal, make_portal

O553 = load_portal("o553")
FAMILY = make_portal({"name": "sister", "seeds": ["http://sister.example/"]}, "test")
HERE = "http://www.o553.cn/news/Info.asp?ID=12393"

SAME = (
    ("http://www.o553.cn/news/Info.asp?ID=12393", "HTTP://WWW.O553.CN/NEWS/info.ASP?id=12393#top"),
    ("http://www.o553.cn/news/Class.asp?ClassID=7&page=2", "http://www.o553.cn:80/news/class.asp?PAGE=2&classid=7"),
    ("http://www.o553.cn", "http://www.o553.cn/"),
    ("https://www.o553.cn:443/a", "https://www.o553.cn/a"),
    ("http://www.o553.cn/a.asp?id=1", "http://www.o553.cn/a.asp?id=1&ASPSESSIONIDQQRTABCD=EFGH"),
    ("http://www.o553.cn/a.asp?id=1", "http://www.o553.cn/a.asp?sid=9f&id=1&"),
    ("http://www.o553.cn/a.asp?id=1", "http://www.o553.cn/a.asp;jsessionid=77AB?id=1"),
    ("http://www.o553.cn/a.asp?id=1", "http://user:secret@www.o553.cn/a.asp?id=1"),
)
DIFFERENT = (
    ("http://www.o553.cn/news/Info.asp?ID=12393", "http://www.o553.cn/news/Info.asp?ID=12394"),
    ("http://www.o553.cn/news/Info.asp?ID=12393", "http://www.o553.cn/news/Info.asp?ID=12393&ArticlePage=2"),
    ("http://www.o553.cn/a?n=Abc", "http://www.o553.cn/a?n=abc"),
    ("http://www.o553.cn/a", "https://www.o553.cn/a"),
    ("http://www.o553.cn/a", "http://o553.cn/a"),
    ("http://www.o553.cn/a", "http://www.o553.cn:8080/a"),
    ("http://www.o553.cn/a?x=1&x=2", "http://www.o553.cn/a?x=1"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_resource(one: str, other: str) -> None:
    assert identity(one) == identity(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_resource(one: str, other: str) -> None:
    assert identity(one) != identity(other)


HOSTS = st.sampled_from(["www.o553.cn", "WWW.O553.cn:80", "o553.cn:8080", "127.0.0.1:8553"])
PATHS = st.sampled_from(["", "/", "/news/Info.asp", "/NEWS/Class.ASP", "/a%20b.asp", "/中.asp"])
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["ID", "id", "ClassID", "page", "PageNo", "sid", "ASPSESSIONIDX"]), st.text("aB19%中", max_size=3)
    ),
    max_size=4,
)
URLS = st.builds(
    lambda h, p, q: f"http://{h}{p or '/'}" + ("?" + "&".join(f"{k}={v}" for k, v in q) if q else ""), HOSTS, PATHS, PAIRS
)


@given(url=URLS)
def test_identity_of_an_identity_is_itself(url: str) -> None:
    assert identity(identity(url)) == identity(url)


@given(url=st.text(max_size=60))
def test_identity_never_raises(url: str) -> None:
    assert isinstance(identity(url), str)
    assert article_id(url, O553) is None or "id" in url.lower()
    is_part(url)


@given(url=URLS)
def test_case_of_names_is_nothing(url: str) -> None:
    parts = urlsplit(url)
    swapped = "&".join(
        name.swapcase() + equals + value for name, equals, value in (pair.partition("=") for pair in parts.query.split("&"))
    )
    assert identity(f"{parts.scheme}://{parts.netloc.swapcase()}{parts.path}?{swapped}") == identity(url)


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from("abcde"), st.text("123", min_size=1, max_size=2)), max_size=4, unique_by=lambda pair: pair[0]
    )
)
def test_order_of_parameters_is_nothing(pairs: list[tuple[str, str]]) -> None:
    made = {identity("http://h/a?" + "&".join(map("=".join, order))) for order in itertools.permutations(pairs)}
    assert len(made) == 1


ARTICLES = (
    ("http://www.o553.cn/news/Info.asp?ID=12393", 12393),
    ("http://www.o553.cn/NEWS/info.asp?id=12393", 12393),
    ("/news/info.asp?ClassID=7&ID=12393", 12393),
    ("/news/info.asp?ID=12393&ClassID=7", 12393),
    ("/news/Info.asp?ID=012393", 12393),
    ("/news/Info.asp?ID=9223372036854775807", 2**63 - 1),
    ("/news/Info.asp?ID=9223372036854775808", None),
    ("/news/Info.asp?ID=" + "9" * 60, None),
    ("/news/Info.asp?ID=", None),
    ("/news/Info.asp?ID=12a", None),
    ("/news/Info.asp?ClassID=7", None),
    ("/news/Info.asp", None),
    ("/news/Class.asp?ID=7", None),
    ("/news/Info.asp?ID=-1", None),
    ("/news/Info.asp?ID=1.5", None),
    ("http://[::1", None),
)


@pytest.mark.parametrize(("url", "number"), ARTICLES)
def test_article_id(url: str, number: int | None) -> None:
    assert article_id(url, O553) == number


def test_an_id_of_thousands_of_digits_is_none() -> None:
    assert article_id("/news/Info.asp?ID=" + "9" * 5000, O553) is None


FAMILY_ARTICLES = (
    "/ShowNews.asp?ID=4",
    "/ReadNews.asp?NewsID=4",
    "/news/view.asp?ArticleID=4",
    "/info.asp?c=2&id=4",
    "/detail.aspx?id=4",
    "/Article_Show.asp?ArticleID=4",
    "/newsinfo.asp?id=4&page=2",
)
FAMILY_OTHERS = ("/", "/index.asp", "/class.asp?ClassID=4", "/hits.asp?id=4", "/search.asp?key=4", "/more.asp?id=4")


@pytest.mark.parametrize("url", FAMILY_ARTICLES)
def test_family_articles(url: str) -> None:
    assert article_id("http://sister.example" + url, FAMILY) == 4


@pytest.mark.parametrize("url", FAMILY_OTHERS)
def test_family_pages_that_are_no_articles(url: str) -> None:
    assert article_id("http://sister.example" + url, FAMILY) is None


def test_two_portals_do_not_share_an_answer() -> None:
    other = Portal(name="o553", title="", seeds=("http://x/",), article_urls=(r"/n/(?P<id>\d+)\.html",))
    assert article_id("http://x/n/5.html", other) == 5
    assert article_id("http://x/n/5.html", O553) is None


RESOLVED = (
    ("Info.asp?ID=1", "http://www.o553.cn/news/Info.asp?ID=1"),
    ("/", "http://www.o553.cn/"),
    ("../img/a b.gif", "http://www.o553.cn/img/a%20b.gif"),
    ("?ID=2#x", "http://www.o553.cn/news/Info.asp?ID=2"),
    ("..\\up\\1.jpg", "http://www.o553.cn/up/1.jpg"),
    ("/../../a.asp", "http://www.o553.cn/a.asp"),
    (" \r\n/a.asp\t?x=1 ", "http://www.o553.cn/a.asp?x=1"),
    ("//other.example", "http://other.example/"),
    ("HTTP://other.example/A", "http://other.example/A"),
    ("javascript:history.back()", None),
    ("mailto:a@b", None),
    ("ftp://x/y", None),
    ("http://", None),
    ("http://[", None),
    ("http://a:port/", None),
    ("tel:110", None),
    ("data:,x", None),
)


@pytest.mark.parametrize(("href", "url"), RESOLVED)
def test_absolute(href: str, url: str | None) -> None:
    assert absolute(HERE, href) == url


@given(href=st.text(max_size=40))
def test_absolute_never_raises(href: str) -> None:
    url = absolute(HERE, href)
    assert url is None or (url.startswith(("http://", "https://")) and "#" not in url)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (HERE, False),
        (HERE + "&ArticlePage=1", False),
        (HERE + "&ArticlePage=2", True),
        ("/a.asp?page=3&id=1", True),
        ("/a.asp?homepage=3", False),
    ],
)
def test_later_parts(url: str, part: bool) -> None:
    assert is_part(url) == part
