"""`scrapy crawl` as a command: one sentence for what is wrong, an exit code for what became of it, articles only in feeds."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import scrapy.cmdline
from crawling import BRISK, PROJECT, command, crawl, environment
from scrapy.utils.project import get_project_settings

from wuhu_crawler import settings as project_settings
from wuhu_crawler.demo import server
from wuhu_crawler.errors import UsageError
from wuhu_crawler.extensions.resume import crawl_to_resume
from wuhu_crawler.items import Article
from wuhu_crawler.paths import ArchiveLock, ArchivePaths

ARTICLE_FIELDS = list(Article.__dataclass_fields__)
BROKEN_SPIDERS = """
from wuhu_crawler.spiders.wuhu import WuhuSpider

class StartFails(WuhuSpider):
    name = "start-fails"

    async def start(self):
        raise ZeroDivisionError("a bug in start")
        yield

class FollowFails(WuhuSpider):
    name = "follow-fails"

    def follow(self, page, response, known):
        raise ZeroDivisionError("a bug in a callback")
        yield
"""


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The bundled portal's URL."""
    with server.start() as portal:
        yield portal.url


def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what a crawl that must not start says; it ends before any reactor exists."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.delenv("WUHU_CONTACT", raising=False)
    with pytest.raises(SystemExit) as ended:
        scrapy.cmdline.execute(["scrapy", "crawl", *arguments], get_project_settings())
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a spider: article, gaps, probe, recheck, wuhu"),
        (["nix"], "there is no spider 'nix': there are article, gaps, probe, recheck, wuhu"),
        (["wuhu", "--limit", "3"], "'--limit 3' was not understood"),
        (["wuhu", "-a", "limit"], "Invalid -a value"),
        (["wuhu", "-a", "limt=3"], "has no argument 'limt'"),
        (["wuhu", "-a", "portal=demo", "-a", "since=soon"], "-a since=soon: must be a date like 2024-02-03"),
        (["wuhu", "-a", "portal=nowhere"], "give one of demo, o553"),
        (["wuhu", "-a", "portal=demo", "-a", "category=http://example.org/"], "not on a host of portal demo"),
        (["wuhu"], "WUHU_CONTACT=mailto:you@example.org"),
        (["wuhu", "-s", "WUHU_CONTACT=me"], "must be a mailto: or http(s): address"),
        (["wuhu", "-a", "portal=demo", "-s", "WUHU_COMMIT_PAGES=many"], "WUHU_COMMIT_PAGES=many must be a number"),
        (["wuhu", "-a", "portal=demo", "-s", "WUHU_BACKOFF_SECONDS=-1"], "WUHU_BACKOFF_SECONDS=-1 must be a number, 0 or more"),
        (["article"], "needs -a url=URL"),
        (["article", "-a", "url=http://example.org/"], "on no host of the bundled portals"),
        (["article", "-a", "url=http://example.org/", "-a", "portal=demo"], "not on a host of portal demo"),
    ],
)
def test_wrong_usage_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in refusal(monkeypatch, capsys, *arguments)


def test_help_teaches_the_arguments(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(PROJECT)
    with pytest.raises(SystemExit):
        scrapy.cmdline.execute(["scrapy", "crawl", "--help"], get_project_settings())
    text = capsys.readouterr().out
    for words in ("-a portal=", "-a category=", "-a since=", "-a limit=", "-a full=", "-a resume=", "-a url=", "Examples"):
        assert words in text


def test_articles_archived_now_and_once_more(demo: str, tmp_path: Path) -> None:
    url, out = f"{demo.rstrip('/')}/news/Info.asp?ID=12393", tmp_path / "out.jsonl"
    for versions, word in ((1, "1 new"), (1, "1 unchanged")):
        done = crawl(tmp_path / "data", "article", "-a", f"url={url}", "-O", str(out), WUHU_DEMO_URL=demo)
        assert done.code == 0, done.log
        assert word in done.log
        assert done.rows("SELECT count(*) FROM article_version") == [(versions,)]
    (line,) = out.read_text(encoding="utf-8").splitlines()
    found = json.loads(line)
    assert list(found) == ARTICLE_FIELDS
    assert (found["published_at"], found["reporters"]) == ("2024-02-03T20:24:31+08:00", ["田龙"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", found["captured_at"])


def test_a_second_crawl_into_the_archive_is_refused(demo: str, tmp_path: Path) -> None:
    lock = ArchiveLock(tmp_path)
    done = crawl(tmp_path, "wuhu", "-a", "portal=demo", WUHU_DEMO_URL=demo)
    lock.release()
    assert done.code == 12
    assert "is in use by process" in done.sentence
    assert "Traceback" not in done.log


@pytest.mark.parametrize(("spider", "captures"), [("start-fails", 0), ("follow-fails", 3)])
def test_a_bug_exits_1(demo: str, tmp_path: Path, spider: str, captures: int) -> None:
    (tmp_path / "broken_spiders.py").write_text(BROKEN_SPIDERS, encoding="utf-8")
    arguments = ("-a", "portal=demo", "-s", "SPIDER_MODULES=broken_spiders")
    done = crawl(tmp_path / "data", spider, *arguments, WUHU_DEMO_URL=demo, PYTHONPATH=str(tmp_path))
    assert done.code == 1
    assert "a bug in" in done.log
    assert done.rows("SELECT count(*) FROM capture") == [(captures,)]
    if captures:
        assert set(done.outcomes().values()) == {("failed", "bug (ZeroDivisionError)"), ("captured", "robots.txt")}


def test_an_interrupted_crawl_exits_10_and_is_resumed_without_asking_twice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with server.start(latency_ms=20) as portal:
        env = environment(data, WUHU_DEMO_URL=portal.url)
        arguments = command("wuhu", "-a", "portal=demo", "-a", "category=教育信息", "-s", "LOG_LEVEL=DEBUG", *BRISK)
        with subprocess.Popen(arguments, cwd=PROJECT, env=env, stderr=subprocess.PIPE, text=True) as running:
            assert running.stderr is not None
            seen = 0
            for line in running.stderr:
                seen += "Crawled (200)" in line
                if seen == 10:
                    running.send_signal(signal.SIGTERM)
                    break
            rest = running.stderr.read()
        assert running.returncode == 10, rest
        crawl_id = re.search(r"-a resume=(\S+)", rest)
        assert crawl_id is not None
        done = crawl(
            data, "wuhu", "-a", "portal=demo", "-a", "category=教育信息", "-a", "resume=last", WUHU_DEMO_URL=portal.url
        )
        asked = [entry.url for entry in portal.log]
    assert done.code == 0, done.log
    assert f"Crawl {crawl_id[1]} ended (finished)" in done.log
    assert len(asked) == len(set(asked))
    assert done.rows("SELECT count(DISTINCT crawl_id), count(DISTINCT run_id) FROM capture") == [(1, 2)]
    paths = ArchivePaths.of(data)
    assert crawl_to_resume(paths, "last", portal="demo", job="wuhu") is None
    for asked_for, said in ((crawl_id[1], "is finished"), ("nix", "no such crawl")):
        with pytest.raises(UsageError, match=said):
            crawl_to_resume(paths, asked_for, portal="demo", job="wuhu")
    with pytest.raises(UsageError, match="a crawl of spider wuhu on portal demo"):
        crawl_to_resume(paths, crawl_id[1], portal="o553", job="wuhu")


def test_where_there_is_no_archive_there_is_nothing_to_resume(tmp_path: Path) -> None:
    assert crawl_to_resume(ArchivePaths.of(tmp_path), "last", portal="demo", job="wuhu") is None


def test_every_setting_says_its_default_or_why() -> None:
    source = Path(project_settings.__file__).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(source):
        if re.match(r"WUHU_\w+ = ", line):
            above = source[number - 1]
            assert above.startswith(("#", "WUHU_")), f"{line} has no comment"


def test_every_setting_and_argument_is_documented() -> None:
    page = (PROJECT / "docs" / "crawling.md").read_text(encoding="utf-8")
    names = [name for name in vars(project_settings) if name.startswith("WUHU_")]
    assert [name for name in names if name not in page] == []
    for argument in ("portal", "category", "since", "limit", "full", "resume", "url"):
        assert f"`{argument}" in page


def test_a_csv_feed_holds_nested_fields_as_json(demo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLD_STARTS", "1")
    feed = tmp_path / "out.csv"
    url = f"{demo.rstrip('/')}/news/Info.asp?ID=12393"
    done = crawl(tmp_path / "archive", "article", "-a", f"url={url}", "-O", str(feed), WUHU_DEMO_URL=demo)
    assert done.code == 0, done.log
    (row,) = csv.DictReader(feed.read_text(encoding="utf-8").splitlines())
    assert json.loads(row["credits"]) == [
        {"role": "reporter", "name": "田龙", "outlet": "芜湖日报", "text": "芜湖日报记者田龙"}
    ]
    assert (row["published_at"], row["source_date"]) == ("2024-02-03T20:24:31+08:00", "2024-01-23")
