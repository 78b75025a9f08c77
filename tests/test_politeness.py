"""Politeness: scope, robots, patience, whole bodies; first the rules, then real crawls of servers that misbehave."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import brotli
import pytest
from crawling import BRISK, Crawl, answer, article, crawl, profile
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    NotSupported,
    ResponseDataLossError,
)
from wire_server import wire_server

from wuhu_crawler.demo import server
from wuhu_crawler.handlers import UnreachableError
from wuhu_crawler.politeness.backoff import Host, Patience, retry, retry_after
from wuhu_crawler.politeness.faults import Refused, fate, outcome_of
from wuhu_crawler.politeness.robots import MAX_BYTES, read_rules
from wuhu_crawler.politeness.scope import Scope, is_private
from wuhu_crawler.portals import Portal
from wuhu_crawler.warc.codings import CutBodyError, TooLargeError, decode

LIVE = Portal(name="live", title="live", seeds=("http://www.o553.cn/",), hosts=("www.o553.cn", "10.0.0.1"))
LOCAL = Portal(name="local", title="local", seeds=("http://127.0.0.1:8553/",), hosts=("127.0.0.1",), allow_private=True)
NOW = datetime(2024, 2, 3, 12, tzinfo=UTC)
TEXT = "　　长江之滨，镜湖之畔。".encode() * 5000


@pytest.mark.parametrize(
    ("portal", "url", "inside"),
    [
        (LIVE, "http://www.o553.cn/news/", True),
        (LIVE, "https://WWW.O553.CN/news/", True),
        (LIVE, "http://www.o553.cn:8080/", False),
        (LIVE, "http://o553.cn.evil.example/", False),
        (LIVE, "http://www.o553.cn@evil.example/", False),
        (LIVE, "http://10.0.0.1/", False),
        (LIVE, "file:///etc/passwd", False),
        (LIVE, "ftp://www.o553.cn/", False),
        (LIVE, "http://www.o553.cn:x/", False),
        (LOCAL, "http://127.0.0.1:8553/news/", True),
        (LOCAL, "http://127.0.0.1:22/", False),
        (LOCAL, "http://127.0.0.1/", False),
        (LOCAL, "http://localhost:8553/", False),
    ],
)
def test_scope(portal: Portal, url: str, inside: bool) -> None:
    assert Scope(portal).holds(url) is inside


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("169.254.169.254", True),
        ("0.1.2.3", True),
        ("[::1]", True),
        ("224.0.0.1", True),
        ("114.114.114.114", False),
        ("www.o553.cn", False),
    ],
)
def test_private_addresses(address: str, private: bool) -> None:
    assert is_private(address) is private


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("１２", None),
    ],
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40))
def test_retry_after_survives_anything(header: str) -> None:
    seconds = retry_after(header, NOW)
    assert seconds is None or seconds >= 0


def test_pauses_grow_and_are_bounded() -> None:
    patience = Patience(base=1.0, maximum=60.0, retry_after=300.0, failures=5, rest=60.0)
    for attempt, highest in ((1, 1.0), (2, 2.0), (5, 16.0), (9, 60.0), (10_000, 60.0)):
        assert highest / 2 <= patience.pause(attempt) <= highest


def test_a_host_gets_one_long_rest_and_is_then_given_up() -> None:
    patience = Patience(base=0.0, maximum=0.0, retry_after=0.0, failures=2, rest=1000.0)
    host = Host()
    host.failed(0, "refused", patience)
    host.failed(0, "refused", patience)  # begun before the first failure was known: the same burst
    assert (host.failures, host.down) == (1, None)
    host.failed(1, "refused", patience)
    assert host.down is None
    assert host.rests_until > 900
    host.failed(2, "refused", patience)
    assert host.down == "refused"


def test_an_answer_makes_good_for_earlier_failures() -> None:
    patience = Patience(base=0.0, maximum=0.0, retry_after=0.0, failures=1, rest=0.0)
    host = Host()
    for generation in range(10):
        host.failed(generation, "refused", patience)
        host.recovered()
    assert host.down is None


def test_a_retry_forgets_the_response_it_had_and_waits_behind_the_others() -> None:
    again = retry(Request("http://a/", meta={"capture": 1, "exchange": 2, "via": "http://b/"}, priority=30), 2, 5.0)
    assert again.dont_filter
    assert again.priority < 0
    assert (again.meta["retry_times"], again.meta["via"]) == (2, "http://b/")
    assert not {"capture", "exchange"} & again.meta.keys()


@pytest.mark.parametrize(
    ("status", "body", "allowed"),
    [
        (200, b"User-agent: *\nDisallow: /news/", False),
        (200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /news/", False),
        (200, b"User-agent: wuhu_crawler\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        (200, b"User-agent: *\nDisallow: /\nAllow: /news/", True),
        (200, b"#" * MAX_BYTES + b"\nUser-agent: *\nDisallow: /", True),
        (200, b"<html>\xc4\xe3\xba\xc3</html>", True),
        (404, b"User-agent: *\nDisallow: /", True),
        (403, b"", True),
        (429, b"", False),
        (500, b"", False),
        (503, b"", False),
    ],
)
def test_robots(status: int, body: bytes, allowed: bool) -> None:
    assert (read_rules(status, body).refusal("http://a/news/Info.asp", "wuhu_crawler") is None) is allowed


def test_unread_robots_postpone_and_read_ones_exclude() -> None:
    unread = read_rules(500, b"").refusal("http://a/", "wuhu_crawler")
    forbidden = read_rules(200, b"User-agent: *\nDisallow: /").refusal("http://a/", "wuhu_crawler")
    assert unread is not None
    assert forbidden is not None
    assert (unread.outcome, forbidden.outcome) == ("postponed", "excluded")


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "raw deflate": raw_deflate(TEXT),
    "br": brotli.compress(TEXT, quality=3),
}


def coding(name: str) -> list[str]:
    return [name.rpartition(" ")[2]]


@pytest.mark.parametrize("name", PACKED)
def test_decoding(name: str) -> None:
    assert decode(PACKED[name], coding(name), len(TEXT)) == TEXT


@pytest.mark.parametrize("name", PACKED)
@given(st.data())
def test_a_cut_stream_is_noticed_wherever_it_is_cut(name: str, data: st.DataObject) -> None:
    packed = PACKED[name]
    cut = data.draw(st.integers(min_value=1, max_value=len(packed) - 1))
    with pytest.raises(CutBodyError):
        decode(packed[:cut], coding(name), 1 << 20)


@given(st.integers(min_value=0, max_value=len(PACKED["gzip"]) - 1), st.integers(min_value=1, max_value=255))
def test_a_flipped_byte_never_gives_another_text(position: int, flip: int) -> None:
    damaged = bytearray(PACKED["gzip"])
    damaged[position] ^= flip
    try:
        text = decode(bytes(damaged), ["gzip"], 1 << 20)
    except CutBodyError:
        return
    assert text == TEXT  # the byte was of the header: time, operating system


@pytest.mark.parametrize("name", PACKED)
def test_a_bomb_is_stopped_at_the_limit(name: str) -> None:
    with pytest.raises(TooLargeError):
        decode(PACKED[name], coding(name), len(TEXT) - 1)


def test_members_trailing_zeros_and_two_codings() -> None:
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), ["gzip"], 10) == b"ab"
    assert decode(gzip.compress(b"a") + b"\0\0", ["gzip"], 10) == b"a"
    assert decode(gzip.compress(zlib.compress(b"a")), ["deflate", "gzip"], 100) == b"a"


def test_a_page_that_is_not_compressed_though_its_header_says_so_is_whole() -> None:
    assert decode(b"\r\n<html>", ["gzip"], 100) == b"\r\n<html>"


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (DownloadTimeoutError(), ("failed", "timeout")),
        (CannotResolveHostError(), ("failed", "dns")),
        (UnreachableError(), ("failed", "unreachable")),
        (DownloadFailedError(), ("failed", "reset")),
        (DownloadCancelledError(), ("excluded", "too-large")),
        (ResponseDataLossError(), ("truncated", "disconnect")),
        (NotSupported(), ("excluded", "scheme")),
        (Refused("postponed", "host-down"), ("postponed", "host-down")),
        (RuntimeError(), ("failed", "error (RuntimeError)")),
    ],
)
def test_every_exception_has_its_fate(error: Exception, end: tuple[str, str]) -> None:
    assert fate(error) == end
    assert outcome_of(Request("http://a/", meta={"via": "http://b/"}), error).via == "http://b/"


FAULTS = {
    "/faults/reset-length": ("truncated", "disconnect"),
    "/faults/reset-nolength": ("truncated", "disconnect"),
    "/faults/fin-length": ("truncated", "disconnect"),
    "/faults/fin-nolength": ("truncated", "disconnect"),
    "/faults/chunked-cut": ("truncated", "disconnect"),
    "/faults/gzip-cut": ("truncated", "bad-encoding"),
    "/faults/gzip-crc": ("truncated", "bad-encoding"),
    "/faults/slow": ("truncated", "timeout"),
    "/faults/silent": ("failed", "reset"),
    "/faults/server-error": ("failed", "HTTP 500"),
    "/faults/gzip-bomb": ("excluded", "too-large"),
    "/faults/loop": ("failed", "redirect-loop"),
    "/faults/offsite": ("captured", "redirect to http://www.example.invalid/landing.html"),
    "/landing.html": ("excluded", "offsite"),
    "/faults/private": ("captured", "redirect to http://127.0.0.1:1/secret"),
    "/secret": ("excluded", "offsite"),
    "/faults/to-file": ("captured", None),
    "/faults/refresh-file": ("captured", None),
    "/faults/links": ("captured", None),
    "/faults/fin-whole/news/Info.asp?ID=12393": ("captured", None),
    "/faults/gzip/news/Info.asp?ID=12367": ("captured", None),
    "/faults/busy/news/Info.asp?ID=12283": ("captured", None),
    "/faults/busy/news/hits.asp?id=12283": ("captured", None),
    "/admin/": ("excluded", "robots"),
    "/robots.txt": ("captured", "robots.txt"),
}
LED_TO = ("/landing.html", "/secret", "/robots.txt", "/faults/busy/news/hits.asp?id=12283")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """The bundled portal's faults, archived page by page in one crawl."""
    with server.start(faults=True) as portal:
        urls = ",".join(f"{portal.url.rstrip('/')}{path}" for path in FAULTS if path not in LED_TO)
        folder = tmp_path_factory.mktemp("faulty")
        pages = ("-a", f"url={urls}", "-a", "requisites=no")
        return crawl(folder, "article", *pages, *BRISK, "-s", "DOWNLOAD_TIMEOUT=0.4", WUHU_DEMO_URL=portal.url)


def test_every_fault_ends_in_its_one_outcome(faulty: Crawl) -> None:
    assert faulty.outcomes() == FAULTS


def test_lost_pages_are_told_and_the_exit_code_says_so(faulty: Crawl) -> None:
    assert faulty.code == 5
    assert "asked for and not had" in faulty.sentence


def test_a_broken_page_is_kept_but_is_no_article(faulty: Crawl) -> None:
    assert faulty.rows("SELECT article_id FROM article ORDER BY 1") == [(12283,), (12367,), (12393,)]
    truncated = "SELECT count(*) FROM capture WHERE truncated = 'disconnect' AND url LIKE '%/faults/fin-length'"
    assert faulty.rows(truncated) == [(1,)]


def test_a_retried_answer_is_a_capture_of_its_own(faulty: Crawl) -> None:
    assert faulty.rows("SELECT count(*) FROM capture WHERE url LIKE '%/faults/server-error'") == [(3,)]


def test_a_long_retry_after_postpones_the_whole_host(tmp_path: Path) -> None:
    busy = answer("busy", "503 Service Unavailable", {"Retry-After": "99999"})
    with wire_server({"/a.asp": [busy], "/b.asp": [answer("b")]}) as site:
        toml = profile(tmp_path / "busy.toml", site.url)
        done = crawl(
            tmp_path / "data", "article", "-a", f"url={site.url}/a.asp,{site.url}/b.asp", "-a", f"portal={toml}", *BRISK
        )
        assert "/b.asp" not in site.seen
    assert done.code == 5
    assert done.outcomes()["/b.asp"] == ("postponed", "retry-after (HTTP 503)")
    [(until,)] = done.rows("SELECT until FROM outcome WHERE url LIKE '%/a.asp'")
    assert until > (datetime.now(UTC) + timedelta(hours=20)).isoformat()


def test_a_robots_txt_that_cannot_be_read_forbids_everything(tmp_path: Path) -> None:
    with wire_server({"/robots.txt": [answer("x", "500 Oops")], "/": [answer("home")]}) as site:
        done = crawl(tmp_path / "data", "wuhu", "-a", f"portal={profile(tmp_path / 'p.toml', site.url)}", *BRISK)
        assert "/" not in site.seen
        assert len(site.seen["/robots.txt"]) == 3
    assert done.code == 5
    assert done.outcomes()["/"] == ("postponed", "robots-unreachable (HTTP 500)")
    assert "robots-unreachable" in done.sentence


def test_a_robots_txt_that_forbids_all_is_obeyed_and_told(tmp_path: Path) -> None:
    with wire_server({"/robots.txt": [answer("User-agent: *\nDisallow: /")]}) as site:
        done = crawl(tmp_path / "data", "wuhu", "-a", f"portal={profile(tmp_path / 'p.toml', site.url)}")
        assert list(site.seen) == ["/robots.txt"]
    assert done.code == 5
    assert "robots.txt forbids us" in done.sentence
    assert done.outcomes()["/"] == ("excluded", "robots")


def test_a_host_that_is_down_keeps_its_urls(tmp_path: Path) -> None:
    with wire_server({}) as site:
        url = site.url
    toml = profile(tmp_path / "p.toml", url, "/", "/news/")
    done = crawl(tmp_path / "data", "wuhu", "-a", f"portal={toml}", *BRISK, "-s", "WUHU_BREAKER_FAILURES=1")
    assert done.code == 5
    postponed = ("postponed", "host-down (refused)")
    assert done.outcomes() == {
        "/robots.txt": postponed,
        "/": ("postponed", "robots-unreachable (host-down (refused))"),
        "/news/": ("postponed", "robots-unreachable (host-down (refused))"),
    }


def test_crawl_delay_spelling_and_a_rate_limit_page(tmp_path: Path) -> None:
    limited = answer("<script>alert('间隔3秒,资源宝贵,请不要重复频繁刷新');history.go(-1);</script>")
    scripts = {
        "/robots.txt": [answer("User-agent: *\nCrawl-delay: 0.02")],
        "/news/INFO.asp?id=7": [answer("", "301 Moved", {"Location": "/news/Info.asp?ID=7"})],
        "/news/Info.asp?ID=7": [article(7)],
        "/news/Info.asp?ID=8": [[limited], [article(8)]],
        "/circle": [answer("", "302 Found", {"Location": "/elcric"})],
        "/elcric": [answer("", "302 Found", {"Location": "/circle"})],
    }
    with wire_server(scripts) as site:
        urls = ",".join(site.url + path for path in ("/news/INFO.asp?id=7", "/news/Info.asp?ID=8", "/circle"))
        toml = profile(tmp_path / "p.toml", site.url)
        done = crawl(tmp_path / "data", "article", "-a", f"url={urls}", "-a", f"portal={toml}", *BRISK)
    assert "asks for 0.02 seconds between requests: honoured" in done.log
    assert done.outcomes() == {
        "/robots.txt": ("captured", "robots.txt"),
        "/news/INFO.asp?id=7": ("captured", f"redirect to {site.url}/news/Info.asp?ID=7"),
        "/news/Info.asp?ID=7": ("captured", None),
        "/news/Info.asp?ID=8": ("captured", None),
        "/circle": ("failed", "redirect-loop"),
        "/elcric": ("failed", "redirect-loop"),
    }
