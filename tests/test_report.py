"""The report of a run: its facts, held against the archive, and its page, on which a portal's words are words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from conftest import Story, crawl, listing, rows, serving

from wuhu_crawler.cli.report import report
from wuhu_crawler.errors import UsageError

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


class Crawled:
    """Two crawls of a small portal: between them an article changes, one goes, one comes, and one cannot be had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        links = {f"/news/Info.asp?ID={number}": f"第{number}篇" for number in (1, 2, 3)}
        stories = {url: Story(number, f"第{number}篇") for number, url in enumerate(links, 1)}
        with serving({"/": listing(links), **{url: story.page() for url, story in stories.items()}}) as site:
            profile = site.profile(folder)
            self.first = crawl(folder, profile)
            stories["/news/Info.asp?ID=2"].lines[0] = "　　桥没有通车。"
            site.pages["/news/Info.asp?ID=2"] = stories["/news/Info.asp?ID=2"].page()
            del site.pages["/news/Info.asp?ID=3"]
            new = {"/news/Info.asp?ID=9": EVIL, "/news/Info.asp?ID=10": "坏了"}
            site.pages["/"] = listing({**new, **links})
            tomorrow = f"{datetime.now(SHANGHAI) + timedelta(days=1):%Y-%m-%d} 23:01:01"
            site.pages["/news/Info.asp?ID=9"] = Story(9, EVIL.replace("<", "&lt;"), published=tomorrow).page()
            site.pages["/news/Info.asp?ID=10"] = "Microsoft OLE DB Provider for ODBC Drivers 错误 '80040e14'".encode("gb18030")
            self.second = crawl(folder, profile, "-a", "full=1")

    def made(self, run: int) -> dict[str, Any]:
        text = (self.folder / "reports" / f"run-{run:06d}.json").read_text(encoding="utf-8")
        return dict(json.loads(text))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    yield Crawled(tmp_path_factory.mktemp("report"))


def test_every_crawl_makes_one(crawled: Crawled) -> None:
    assert (crawled.first.returncode, crawled.second.returncode) == (0, 0), crawled.second.stderr
    assert [path.name for path in sorted((crawled.folder / "reports").iterdir())] == [
        "run-000001.html",
        "run-000001.json",
        "run-000002.html",
        "run-000002.json",
    ]
    assert rows(crawled.folder, "SELECT run_id, portal, job, verdict FROM report ORDER BY 1") == [
        (1, "small", "wuhu", "early"),
        (2, "small", "wuhu", "early"),
    ]
    assert "Too early to judge; report" in crawled.first.stderr


def test_what_was_new_changed_and_missing(crawled: Crawled) -> None:
    found = crawled.made(2)["facts"]["articles"]
    assert {kind: [row["article_id"] for row in found[kind]["examples"]] for kind in ("new", "changed", "missing")} == {
        "new": [9],
        "changed": [2],
        "missing": [3],
    }
    assert found["missing"]["examples"][0] == {
        "article_id": 3,
        "url": rows(crawled.folder, "SELECT url FROM article WHERE article_id = 3")[0][0],
        "title": "第3篇",
        "times": 1,
    }
    assert (found["highest"], found["read"], found["categories"]) == (9, 2, {"江城新闻": 1})
    assert found["fields"] == {
        "title": 2,
        "published_at": 2,
        "source_date": 0,
        "category": 2,
        "reporters": 0,
        "outlets": 0,
        "views": 2,
        "body": 2,
    }
    assert (found["dates"]["timed"], found["dates"]["ahead"]) == (1, 1)
    assert [each["articles"] for each in found["templates"]] == [2]


def test_requests_and_troubles_are_those_of_the_archive(crawled: Crawled) -> None:
    facts = crawled.made(2)["facts"]
    asked = "SELECT count(*), sum(payload_length) FROM capture WHERE crawl_id = ?"
    requests, size = rows(crawled.folder, asked, facts["crawl"]["id"])[0]
    kinds = facts["requests"]["by_kind"]
    assert (sum(row["requests"] for row in kinds), sum(row["bytes"] for row in kinds)) == (requests, size)
    assert facts["pace"]["requests"] == requests
    assert {row["status"]: row["requests"] for row in facts["requests"]["by_status"]}[404] >= 1
    troubles = {(row["outcome"], row["reason"].split(":")[0]): row["urls"] for row in facts["troubles"]}
    assert troubles["failed", "portal error"] == 1
    file = facts["space"]["warc_files"][0]
    assert (file["bytes"], file["sha256"]) == rows(
        crawled.folder, "SELECT size, sha256 FROM warc_file WHERE name = ?", file["name"]
    )[0]
    assert facts["space"]["free"] > 0


class Elements(HTMLParser):
    """The elements of a page, with what each refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            assert not name.startswith("on")
            if name in ("src", "href", "action", "style") and tag != "svg":
                self.references.append(f"{tag}:{value}")


def test_a_page_needs_nothing_else_and_runs_nothing(crawled: Crawled) -> None:
    text = (crawled.folder / "reports" / "run-000002.html").read_text(encoding="utf-8")
    page = Elements(text)
    assert not {"script", "img", "link", "iframe", "form"} & set(page.tags)
    assert all(reference.startswith("a:http://127.0.0.1:") for reference in page.references)
    assert "&lt;script&gt;alert(1)" in text
    assert "url(" not in text and "@import" not in text
    assert re.search(r"New articles: 1\b", text) and re.search(r"Changed articles: 1\b", text)
    assert "The runs before" in text


def test_a_report_is_made_again(crawled: Crawled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUHU_DATA_DIR", str(crawled.folder))
    before = crawled.made(1)["facts"]
    again = json.loads(CliRunner().invoke(report, ["1", "--json"], catch_exceptions=False).stdout)
    del again["facts"]["space"], before["space"]
    assert again["facts"] == before
    shown = CliRunner().invoke(report, catch_exceptions=False)
    assert shown.stdout.startswith("Too early to judge: wuhu of small, run 2\n")
    with pytest.raises(UsageError, match="there is no run 99"):
        CliRunner().invoke(report, ["99"], catch_exceptions=False)
