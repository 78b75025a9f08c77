"""`scrapy crawl recheck`, night after night by a set clock: what is asked when, what is gone, what a 304 means."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import (
    HASTY,
    ROOT,
    Page,
    Story,
    Wuhu,
    answer,
    environment,
    html,
    listing,
    program,
    rows,
    scrapy,
    serving,
)
from sqlalchemy import Connection

from wuhu_crawler.cli import observed
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.planning.gone import GoneRule
from wuhu_crawler.planning.intervals import Rule
from wuhu_crawler.planning.rechecks import survey

PATTERN = r"['/html/show\.asp\?newsid=(?P<id>\d+)']"
FIRST = datetime(2024, 5, 7, 2, 0, tzinfo=UTC)
GONE = html("<p>该信息不存在！</p>")
BROKEN = html("<p>Microsoft VBScript 运行时错误 '800a000d' 类型不匹配</p>")


def url(number: int) -> str:
    """Return the target of an article."""
    return f"/html/show.asp?newsid={number}"


def validated(page: Callable[[], bytes], tag: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a page that has an ETag, and answers a question about it with 304."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == f'"{tag}"':
            handler.send_response(304)
            handler.send_header("ETag", f'"{tag}"')
            handler.end_headers()
        else:
            answer(handler, 200, page(), ETag=f'"{tag}"')

    return serve


@contextmanager
def reading(folder: Path) -> Iterator[Connection]:
    """Open an archive's database for reading."""
    engine = make_engine(f"sqlite:///{folder / 'archive.db'}", readonly=True)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@dataclass(frozen=True, slots=True)
class Weeks:
    """Some nights of a small portal: the archive, and which articles were asked for in each."""

    folder: Path
    asked: dict[float, list[int]]
    told: dict[float, str]
    standing: dict[float, str]


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    """Articles that are 7 edited, 8 removed and restored, 9 not to be had for some nights, 10 edited behind an ETag that stays,
    11 unchanged behind an ETag, with a counter, and 12 a year old."""
    place = tmp_path_factory.mktemp("weeks")
    folder, published = place / "archive", "2024-5-6 10:00:00"
    lines = ["　　芜湖长江大桥昨日通车，市民纷纷前往参观。", "　　大桥全长十公里，历时四年建成。"]
    counted = Story(11, "有计数脚本的一篇", published=published).page().decode("gb18030")
    counted = counted.replace("浏览次数：7", '浏览次数：<script src="/html/hits.asp?id=11"></script>')
    titles = {7: "昨日的一篇", 8: "撤下的一篇", 9: "不稳的一篇", 10: "有标记的一篇", 11: "有计数脚本的一篇", 12: "去年的一篇"}
    pages: dict[str, Page] = {
        "/": listing({url(number): title for number, title in titles.items()}),
        **{url(number): Story(number, titles[number], published=published).page() for number in (7, 8, 9)},
        url(10): validated(lambda: Story(10, titles[10], lines, published=published).page(), "a"),
        url(11): validated(lambda: counted.encode("gb18030"), "b"),
        url(12): Story(12, titles[12], published="2023-5-6 10:00:00").page(),
        "/html/hits.asp?id=11": b"document.write('41')",
    }
    asked: dict[float, list[int]] = {}
    told: dict[float, str] = {}
    standing: dict[float, str] = {}
    with serving(pages) as site:
        profile = site.profile(place, article_urls=PATTERN)

        def crawl(night: float, *arguments: str, code: int = 0, **changed: Page) -> None:
            site.pages.update({url(int(name[1:])): page for name, page in changed.items()})
            site.log.clear()
            clock = {"WUHU_CLOCK": (FIRST + timedelta(days=night)).isoformat(), "WUHU_RECHECK_TRUST": "1", **HASTY}
            ended = scrapy("crawl", *arguments, "-a", f"portal={profile}", folder=folder, **clock)
            assert ended.returncode == code, ended.stderr
            found = [int(target.rpartition("=")[2]) for target in site.log if target.startswith("/html/show.asp")]
            asked[night], told[night] = list(dict.fromkeys(found)), ended.stderr
            with reading(folder) as connection:
                standing[night] = observed.standing(connection, "small", 8)

        crawl(0, "wuhu")
        crawl(1.0, "recheck", a8=GONE, a9=BROKEN)
        for later in (1.2, 1.4):  # three answers in one night
            crawl(later, "article", "-a", f"url={site.url}{url(8)}")
        crawl(1.99, "recheck", a9=moved)
        lines[1] = "　　大桥全长十公里，历时五年建成。"
        crawl(2.98, "recheck", code=5, a7=Story(7, titles[7], lines, published=published).page(), a9=cut_off)
        crawl(3.97, "recheck", a9=Story(9, titles[9], published=published).page())
        crawl(6.9, "recheck")
        crawl(8.01, "recheck", "-a", "budget=2")
        crawl(12, "recheck", a8=Story(8, titles[8], published=published).page())
        yield Weeks(folder, asked, told, standing)


def moved(handler: BaseHTTPRequestHandler) -> None:
    """Send the reader to the home page."""
    answer(handler, 302, b"", Location="/")


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Hang up without an answer."""
    handler.close_connection = True


def test_what_is_due_is_asked(weeks: Weeks) -> None:
    assert weeks.asked[1.0] == [7, 8, 9, 10, 11]
    assert {night: sorted(numbers) for night, numbers in weeks.asked.items() if night > 1.5} == {
        1.99: [7, 9, 10, 11],
        2.98: [7, 9, 10, 11],
        3.97: [7, 9],
        6.9: [7, 9, 10, 11],
        8.01: [8, 10],
        12: [7, 8, 9, 10, 11],
    }
    assert "Re-check of 5 of 6 known articles (5 due; budget 700)" in weeks.told[1.0]
    assert "1 are left for later nights" in weeks.told[8.01]


def test_edits_are_versions_and_nothing_else_is(weeks: Weeks) -> None:
    found = rows(weeks.folder, "SELECT article_id, versions FROM article ORDER BY article_id")
    assert dict(found) == {7: 2, 8: 1, 9: 1, 10: 2, 11: 1, 12: 1}


def test_gone_after_three_answers_over_seven_days(weeks: Weeks, wuhu: Wuhu) -> None:
    assert weeks.standing[0].startswith("present (1 observation, ")
    assert weeks.standing[1.0].startswith("missing since 2024-05-08T02:00")
    assert weeks.standing[1.4].startswith("missing since 2024-05-08T02:00")
    assert "3 times until 2024-05-08T11:36" in weeks.standing[1.4]
    assert weeks.standing[8.01].startswith("gone since 2024-05-08T02:00")
    shown = wuhu("show", "8", folder=weeks.folder).out
    assert "standing:    present (6 observations" in shown
    assert "芜湖长江大桥昨日通车" in shown
    history = json.loads(wuhu("show", "8", "--history", "--json", folder=weeks.folder).out)
    assert [each["answer"] for each in history["observations"]] == ["article", *["missing"] * 4, "article"]
    assert (history["state"]["standing"], history["state"]["times_missing"]) == ("present", 0)
    assert wuhu("show", "8", "--history", folder=weeks.folder).out.count("missing  soft 404") == 4


def test_what_is_no_answer_proves_nothing(weeks: Weeks, wuhu: Wuhu) -> None:
    told = json.loads(wuhu("show", "9", "--history", "--json", folder=weeks.folder).out)
    answers = [each["answer"] for each in told["observations"]]
    assert answers == ["article", "error", "other", "error", "article", "article", "article"]
    assert told["state"]["times_missing"] == 0


def test_an_article_not_modified_is_seen_again(weeks: Weeks) -> None:
    wanted = "SELECT status FROM capture WHERE article_id = ? AND page_kind = 'article' AND url LIKE '%show.asp%' ORDER BY id"
    assert [status for (status,) in rows(weeks.folder, wanted, 10)] == [200, 304, 200, 304, 200, 304, 200]
    assert [status for (status,) in rows(weeks.folder, wanted, 11)] == [200, 304, 200, 304, 200, 304]
    seen = "SELECT article_id FROM article WHERE last_captured_at > '2024-05-19' ORDER BY 1"
    assert [number for (number,) in rows(weeks.folder, seen)] == [7, 8, 9, 10, 11]
    views = "SELECT article_id, count(*) FROM view_observation JOIN article ON key = article_key GROUP BY 1"
    counts = dict(rows(weeks.folder, views))
    assert (counts[10], counts[11]) == (4, 6), "a page not served again counts nobody; its counter does"


def test_a_rebuild_says_the_same(weeks: Weeks, wuhu: Wuhu, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(weeks.folder, folder)
    live = wuhu("db", "dump", "--canonical", folder=folder).out
    assert '"status":304' in live
    assert wuhu("rebuild", folder=folder).code == 0
    assert wuhu("db", "dump", "--canonical", folder=folder).out == live
    assert wuhu("verify", folder=folder).code == 0


def test_views_are_a_series(weeks: Weeks, wuhu: Wuhu) -> None:
    series = json.loads(wuhu("show", "11", "--views", "--json", folder=weeks.folder).out)["views"]
    assert [each["views"] for each in series] == [41] * 6
    assert series[0]["change"] is None and series[1]["per_day"] == 0
    assert "2024-05-07 02:00" in wuhu("show", "11", "--views", folder=weeks.folder).out.replace("T", " ")


def test_the_survey_needs_no_crawl(weeks: Weeks) -> None:
    with reading(weeks.folder) as connection:
        found = survey(connection, "small", 700, FIRST + timedelta(days=60), Rule(), GoneRule())
        few = survey(connection, "small", 2, FIRST + timedelta(days=60), Rule(), GoneRule())
    assert (found.known, found.due, found.overdue, found.behind) == (6, 5, 5, 0)
    assert [each.due_at for each in found.tonight] == sorted(each.due_at for each in found.tonight)
    assert few.behind == 3 and few.stretch == pytest.approx(max(1, few.demand / 2))


def test_a_killed_crawl_goes_on_with_what_is_left(tmp_path: Path, wuhu: Wuhu) -> None:
    """Ten articles behind ETags, of which the third is edited; the crawl is killed in the middle and resumed."""
    folder, texts = tmp_path / "archive", {number: Story(number, f"第{number}篇的标题") for number in range(1, 11)}

    def page(number: int) -> Callable[[BaseHTTPRequestHandler], None]:
        return lambda handler: validated(texts[number].page, f"{number}{texts[number].lines}".encode().hex())(handler)

    pages: dict[str, Page] = {url(number): page(number) for number in texts}
    with serving({"/": listing({url(number): story.title for number, story in texts.items()}), **pages}) as site:
        profile = site.profile(tmp_path, article_urls=PATTERN, delay="0.02")
        settings = {"WUHU_RECHECK_MAX_DAYS": "1", "WUHU_CLOCK": FIRST.isoformat()}
        assert scrapy("crawl", "wuhu", "-a", f"portal={profile}", folder=folder, **settings).returncode == 0
        texts[3].lines[1] = "　　大桥全长十公里，历时五年建成。"
        settings["WUHU_CLOCK"] = (FIRST + timedelta(days=1)).isoformat()
        arguments = ["crawl", "recheck", "-a", f"portal={profile}"]
        site.log.clear()
        with subprocess.Popen([program("scrapy"), *arguments], cwd=ROOT, env=environment(folder, settings)) as run:
            while len(site.log) < 6:
                assert run.poll() is None
            run.send_signal(signal.SIGKILL)
        resumed = scrapy(*arguments, "-a", "resume=last", folder=folder, **settings)
        assert resumed.returncode == 0, resumed.stderr
        asked = [target for target in site.log if target.startswith("/html/")]
    assert sorted(set(asked)) == sorted(pages)
    assert len(asked) <= len(pages) + 1, "what was under way is asked again, nothing else"
    assert rows(folder, "SELECT count(*), count(DISTINCT article_id) FROM outcome WHERE article_id > 0") == [(20, 10)]
    seen = rows(folder, "SELECT article_id, versions, last_captured_at > '2024-05-08' FROM article ORDER BY article_id")
    assert seen == [(number, 1 + (number == 3), 1) for number in texts]
    live = wuhu("db", "dump", "--canonical", folder=folder).out
    assert live.count('"status":304') == 9
    assert wuhu("rebuild", folder=folder).code == 0
    assert wuhu("db", "dump", "--canonical", folder=folder).out == live
