"""Articles of several parts and counters by script, in whole crawls: what is fetched, stored, resumed, told when missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import (
    HASTY,
    PATIENCE,
    ROOT,
    Site,
    answer,
    crawl,
    environment,
    html,
    listing,
    outcomes,
    program,
    rows,
    scrapy,
    serving,
)

from wuhu_crawler.db import canonical
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.rebuild import rebuild

FIRST = "<p>　　芜湖长江大桥昨日通车，市民纷纷前往参观。</p><p>　　大桥全长十公里，历时"
SECOND = "四年建成。</p><p>　　一、桥梁建设</p><p>　　建设者们克服了重重困难，工期比原计划提前了两个月。</p><p al"
THIRD = "ign=left>　　两岸居民过江的时间从一小时缩短到十分钟。</p><p>　　芜湖日报记者 田龙</p>"
WHOLE = [
    "芜湖长江大桥昨日通车，市民纷纷前往参观。",
    "大桥全长十公里，历时四年建成。",
    "一、桥梁建设",
    "建设者们克服了重重困难，工期比原计划提前了两个月。",
    "两岸居民过江的时间从一小时缩短到十分钟。",
]
ARTICLE = "/html/show.asp?id={}"
PART = "/html/show.asp?id={}&ArticlePage={}"
COUNTER = "/html/hits.asp?id={}"


def page(number: int, body: str, part: int = 1, parts: int = 3, *, counter: bool = True, more: str = "") -> bytes:
    """Return the page of a part of an article."""
    views = f'<script src="hits.asp?id={number}"></script>' if counter else "9"
    links = " ".join(
        f"<font color=red>[{n}]</font>" if n == part else f'<a href="show.asp?id={number}&ArticlePage={n}">[{n}]</a>'
        for n in range(1, parts + 1)
    )
    return html(
        '<table><tr><td>您现在的位置：<a href="/">首页</a> &gt;&gt; <a href="/l.asp?c=1">新闻</a> &gt;&gt; 正文</td></tr>'
        f"<tr><td align=center><b>长江大桥第{number}次通车</b></td></tr>"
        f"<tr><td align=center>发布时间：2024-5-6 8:09:10　浏览次数：{views}</td></tr>"
        f"<tr><td>{body}<p align=center>{links}{more}</p></td></tr></table>"
    )


def article(number: int, **changes: Any) -> dict[str, Any]:
    """Return the pages of an article of three parts with a counter, by their targets."""
    return {
        ARTICLE.format(number): page(number, FIRST, **changes),
        PART.format(number, 2): page(number, SECOND, 2, **changes),
        PART.format(number, 3): page(number, THIRD, 3, **changes),
        COUNTER.format(number): f"document.writeln('{100 + number}')".encode(),
    }


def home(*numbers: int) -> dict[str, Any]:
    return {
        "/": listing({ARTICLE.format(number): f"长江大桥第{number}次通车" for number in numbers}),
        "/robots.txt": b"User-agent: *",
    }


def broken(status: int) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: answer(handler, status, b"<h1>error</h1>")


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Break off in the middle of the page."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "9000")
    handler.end_headers()
    handler.wfile.write(b"<html>" * 20)


@pytest.fixture
def site() -> Iterator[Site]:
    """A portal with one article of three parts."""
    with serving({**home(7), **article(7)}) as served:
        yield served


def feed(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def parts(folder: Path) -> list[tuple[Any, ...]]:
    """Return kind, number, whether there is a capture, and the reason of each piece, of the latest captures last."""
    return rows(
        folder,
        "SELECT kind, number, part_capture_id IS NOT NULL, reason FROM article_part ORDER BY capture_id, kind DESC, number",
    )


def bodies(folder: Path) -> list[str]:
    return [body for (body,) in rows(folder, "SELECT body FROM article_version ORDER BY id")]


def assert_rebuilt_alike(folder: Path) -> None:
    """The database made again from the WARC files tells exactly the same."""
    other = folder.parent / f"{folder.name}-again.db"
    rebuild(folder / "warc", other, workers=1)
    dumps = []
    for url in (ArchivePaths.of(folder).database_url, f"sqlite:///{other}"):
        engine = make_engine(url, readonly=True)
        with engine.connect() as connection:
            dumps.append(list(canonical.lines(connection)))
        engine.dispose()
    assert [line for line in dumps[0] if line not in dumps[1]] == []
    assert dumps[0] == dumps[1]


def test_a_part_that_fails_keeps_the_article_from_becoming_a_version(site: Site, tmp_path: Path) -> None:
    profile, folder, out = site.profile(tmp_path), tmp_path / "data", tmp_path / "out.jsonl"
    site.pages[PART.format(7, 2)] = broken(500)
    ended = crawl(folder, profile, "-O", str(out), **HASTY)
    assert ended.returncode == 0, ended.stderr  # the portal's own error page loses nothing
    assert "1 articles incomplete" in ended.stderr
    assert outcomes(folder)[PART.format(7, 2)] == ("failed", "HTTP 500")
    assert outcomes(folder)[ARTICLE.format(7)] == ("captured", None)
    assert bodies(folder) == []
    assert rows(folder, "SELECT page_kind FROM capture WHERE url LIKE '%id=7' AND url LIKE '%show%'") == [("article",)]
    assert parts(folder) == [("part", 2, 1, "HTTP 500"), ("part", 3, 1, None), ("counter", 1, 1, None)]
    (line,) = feed(out)
    assert line["evidence"]["parts"] == {
        "rule": "incomplete",
        "text": f"part 2 ({site.url}{PART.format(7, 2)}): HTTP 500",
    }
    assert line["views"] == 107
    # The portal mends it: the next crawl has the whole article, as its first version.
    site.pages.update(article(7))
    ended = crawl(folder, profile, **HASTY)
    assert "1 new" in ended.stderr
    assert bodies(folder) == ["\n".join(WHOLE)]
    # And when it breaks again, the version stays the latest.
    site.pages[PART.format(7, 3)] = broken(404)
    ended = crawl(folder, profile, "-a", "full=1", **HASTY)
    assert "0 new, 0 changed, 0 unchanged" in ended.stderr
    assert bodies(folder) == ["\n".join(WHOLE)]
    assert_rebuilt_alike(folder)


def test_a_part_that_was_lost_is_fetched_when_the_crawl_is_resumed(site: Site, tmp_path: Path) -> None:
    profile, folder, out = site.profile(tmp_path), tmp_path / "data", tmp_path / "out.jsonl"
    site.pages[PART.format(7, 3)] = site.pages[COUNTER.format(7)] = hang_up
    ended = crawl(folder, profile, **HASTY)
    assert ended.returncode == 5, ended.stderr
    assert parts(folder) == [("part", 2, 1, None), ("part", 3, 1, "truncated"), ("counter", 1, 1, "truncated")]
    assert bodies(folder) == []
    site.pages.update(article(7))
    site.log.clear()
    ended = crawl(folder, profile, "-a", "resume=last", "-O", str(out), **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert [target for target in site.log if target != "/robots.txt"] == [PART.format(7, 3), COUNTER.format(7)]
    assert [line["paragraphs"] for line in feed(out)] == [WHOLE]
    assert [line["views"] for line in feed(out)] == [107]
    assert bodies(folder) == ["\n".join(WHOLE)]
    assert rows(folder, "SELECT views FROM view_observation") == [(107,)]
    assert parts(folder) == [("part", 2, 1, None), ("part", 3, 1, None), ("counter", 1, 1, None)]
    assert_rebuilt_alike(folder)


def test_a_killed_crawl_neither_loses_nor_refetches_a_part(site: Site, tmp_path: Path) -> None:
    profile, folder = site.profile(tmp_path), tmp_path / "data"
    reached = threading.Event()

    def never(handler: BaseHTTPRequestHandler) -> None:
        reached.set()
        time.sleep(PATIENCE if not killed.is_set() else 0)

    killed = threading.Event()
    site.pages[PART.format(7, 3)] = never
    command = [program("scrapy"), "crawl", "wuhu", "-a", f"portal={profile}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(folder, HASTY), stderr=subprocess.DEVNULL)
    assert reached.wait(PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    killed.set()
    site.pages.update(article(7))
    before = list(site.log)
    site.log.clear()
    ended = crawl(folder, profile, "-a", "resume=last", **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert bodies(folder) == ["\n".join(WHOLE)]
    # Only what was under way is asked for again.
    assert set(site.log) & set(before) <= {PART.format(7, 3), "/robots.txt"}
    assert_rebuilt_alike(folder)


def test_a_counter_that_fails_leaves_the_article_whole(site: Site, tmp_path: Path) -> None:
    profile, folder, out = site.profile(tmp_path), tmp_path / "data", tmp_path / "out.jsonl"
    site.pages[COUNTER.format(7)] = broken(404)
    ended = crawl(folder, profile, "-O", str(out), **HASTY)
    assert ended.returncode == 0, ended.stderr
    (line,) = feed(out)
    assert line["views"] is None
    assert line["evidence"]["views"] == {
        "rule": "absent",
        "text": f"script counter {site.url}{COUNTER.format(7)}: HTTP 404",
    }
    assert bodies(folder) == ["\n".join(WHOLE)]
    assert rows(folder, "SELECT count(*) FROM view_observation") == [(0,)]
    assert outcomes(folder)[COUNTER.format(7)] == ("missing", "HTTP 404")
    assert_rebuilt_alike(folder)


def test_a_counter_that_was_lost_is_asked_again_when_the_crawl_is_resumed(site: Site, tmp_path: Path) -> None:
    profile, folder = site.profile(tmp_path), tmp_path / "data"
    site.pages[COUNTER.format(7)] = hang_up
    assert crawl(folder, profile, **HASTY).returncode == 5
    assert bodies(folder) == ["\n".join(WHOLE)]
    site.pages.update(article(7))
    assert crawl(folder, profile, "-a", "resume=last", **HASTY).returncode == 0
    assert rows(folder, "SELECT views FROM view_observation") == [(107,)]
    # Another number is another observation, and no version.
    site.pages[COUNTER.format(7)] = b'document.write("1,036");'
    assert "1 unchanged" in crawl(folder, profile, "-a", "full=1", **HASTY).stderr
    assert rows(folder, "SELECT views FROM view_observation ORDER BY capture_id") == [(107,), (1036,)]
    assert len(bodies(folder)) == 1
    assert_rebuilt_alike(folder)


def test_what_is_missing_for_good_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    profile, folder = site.profile(tmp_path), tmp_path / "data"
    site.pages[PART.format(7, 2)], site.pages[COUNTER.format(7)] = broken(404), hang_up
    assert crawl(folder, profile, **HASTY).returncode == 5
    site.pages.update(article(7))
    site.log.clear()
    assert crawl(folder, profile, "-a", "resume=last", **HASTY).returncode == 0
    assert PART.format(7, 2) not in site.log
    assert parts(folder) == [("part", 2, 1, "HTTP 404"), ("part", 3, 1, None), ("counter", 1, 1, None)]
    assert_rebuilt_alike(folder)


def test_what_must_not_be_fetched_is_told_and_bounded(tmp_path: Path) -> None:
    """A part the profile excludes, a counter robots.txt forbids, a part elsewhere, and a pager that links to itself."""
    elsewhere = '<a href="http://example.invalid/html/show.asp?id=8&ArticlePage=4">[4]</a>'
    pages = {
        **home(7, 8, 9),
        **article(7),
        **article(8, more=elsewhere),
        **article(9),
        PART.format(9, 2): page(9, SECOND, 9, 2),
        "/robots.txt": b"User-agent: *\nDisallow: /html/hits.asp\n",
    }
    with serving(pages) as site:
        folder, out = tmp_path / "data", tmp_path / "out.jsonl"
        profile = site.profile(tmp_path, exclude="['id=7&ArticlePage=2']")
        ended = crawl(folder, profile, "-O", str(out), **HASTY)
        asked = list(site.log)
    assert ended.returncode == 0, ended.stderr
    found = {line["article_id"]: line["evidence"]["parts"] for line in feed(out)}
    assert found[7]["text"].endswith("excluded (profile)")
    assert found[8]["text"] == "part 4 (http://example.invalid/html/show.asp?id=8&ArticlePage=4): excluded (offsite)"
    assert found[9]["rule"] == "joined"
    assert PART.format(7, 2) not in asked
    assert not [target for target in asked if "hits" in target]
    ended_as = outcomes(folder)
    assert ended_as[PART.format(7, 2)] == ("excluded", "profile")
    assert ended_as[COUNTER.format(9)] == ("excluded", "robots")
    assert ended_as[PART.format(8, 4)] == ("excluded", "offsite")
    assert {target: asked.count(target) for target in asked if asked.count(target) > 1} == {}
    assert [(reason,) for (reason,) in rows(folder, "SELECT reason FROM article_part WHERE kind = 'counter'")] == [
        ("excluded (robots)",)
    ] * 3
    assert_rebuilt_alike(folder)


def test_a_part_that_redirects_is_awaited(tmp_path: Path) -> None:
    def redirect(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, 302, b"", Location="/html/show.asp?page=2&id=7")

    pages = {**home(7, 8, 9, 10), **article(7), PART.format(7, 2): redirect, "/html/show.asp?page=2&id=7": page(7, SECOND, 2)}
    # One that leads to a page the crawl has had is answered by no new request, and still awaited.
    pages[PART.format(7, 3)] = lambda handler: answer(handler, 302, b"", Location="/")
    with serving(pages) as site:
        folder, out = tmp_path / "data", tmp_path / "out.jsonl"
        ended = crawl(folder, site.profile(tmp_path), "-O", str(out), **HASTY)
    assert ended.returncode == 0, ended.stderr
    (line,) = feed(out)
    assert line["paragraphs"][:3] == WHOLE[:3]
    assert line["evidence"]["parts"]["text"].endswith("a listing page")
    assert [(kind, number, reason) for kind, number, _, reason in parts(folder)] == [
        ("part", 2, None),
        ("part", 3, "a listing page"),
        ("counter", 1, None),
    ]
    assert_rebuilt_alike(folder)


def test_a_limit_counts_articles_and_waits_for_their_parts(tmp_path: Path) -> None:
    pages = {**home(7, 8, 9)}
    for number in (7, 8, 9):
        pages.update(article(number))
    with serving(pages) as site:
        out = tmp_path / "out.jsonl"
        ended = crawl(tmp_path / "data", site.profile(tmp_path), "-a", "limit=2", "-O", str(out), **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert [line["paragraphs"] for line in feed(out)] == [WHOLE, WHOLE]
    assert rows(tmp_path / "data", "SELECT count(*) FROM article") == [(2,)]


def test_a_list_that_links_to_a_later_part_leads_to_the_article(site: Site, tmp_path: Path) -> None:
    """As it does, too, where `page` in an article's URL names the page of the list it stands on."""
    site.pages["/"] = listing({PART.format(7, 3): "长江大桥第7次通车"})
    out = tmp_path / "out.jsonl"
    ended = crawl(tmp_path / "data", site.profile(tmp_path), "-O", str(out), **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert [line["paragraphs"] for line in feed(out)] == [WHOLE]


def test_a_part_asked_for_by_itself_brings_the_article(site: Site, tmp_path: Path) -> None:
    profile, folder, out = site.profile(tmp_path), tmp_path / "data", tmp_path / "out.jsonl"
    url = f"url={site.url}{PART.format(7, 2)}"
    ended = scrapy("crawl", "article", "-a", url, "-a", f"portal={profile}", "-O", str(out), folder=folder, **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert [line["paragraphs"] for line in feed(out)] == [WHOLE]
    assert outcomes(folder)[PART.format(7, 2)] == ("captured", None)
