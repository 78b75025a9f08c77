"""Whole crawls by a real `scrapy crawl` over HTTP, and what the archive holds afterwards, asked with tools of others, too."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import pytest
from conftest import (
    HASTY,
    PATIENCE,
    ROOT,
    DemoCrawl,
    Page,
    Story,
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
from fastwarc.warc import ArchiveIterator, WarcRecordType

from wuhu_crawler.db import queries
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.demo import server
from wuhu_crawler.demo.looks import LOOKS
from wuhu_crawler.extract.urls import article_id, identity, is_part
from wuhu_crawler.items import Article
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.portals import load_portal
from wuhu_crawler.warc.reader import iter_records

Truth = dict[int, dict[str, Any]]
Ended = subprocess.CompletedProcess[str]
# What truth tells beside the article's fields.
BESIDE = {"listed", "template", "counter", "parts"}
LINKS = ("images", "attachments", "links")


@pytest.fixture(scope="module")
def started(
    demo: DemoCrawl, demo_server: server.Handle, demo_truth: Truth, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Any]]]:
    """The crawls of this module, two at a time: each is a process of its own, and most of its time is Python starting."""
    scenarios: dict[str, Callable[[Path], Any]] = {
        "twice": crawl_twice,
        "again": lambda place: crawl_again(place, demo),
        "stopped": stop_and_resume,
        "faulty": lambda place: crawl_faults(place, demo_truth),
        "unreachable": crawl_nothing,
        "robots broken": lambda place: crawl_home(place, robots=broken),
        "file": crawl_into_a_file,
        "full": lambda place: crawl_with_limit(place, demo_server.url),
        "refused": refuse,
    }
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(run, tmp_path_factory.mktemp(name.replace(" ", "-"))) for name, run in scenarios.items()}


# --- the bundled portal against its truth ---


def told(true: dict[str, Any], page: str) -> dict[str, Any]:
    """Return what a capture of the article at the URL `page` must show."""
    wanted = {name: value for name, value in true.items() if name not in BESIDE}
    for name in LINKS:
        wanted[name] = [{**link, "url": urljoin(page, link["url"])} for link in wanted[name]]
    del wanted["url"]  # five spellings lead to it; see test_urls
    return wanted


def differences(found: dict[int, dict[str, Any]], true: Truth, template: str) -> list[tuple[int, str, Any, Any]]:
    """Return (article, field, found, true) for every field of the template's listed articles that is not as it should be."""
    return [
        (number, name, found[number][name], value)
        for number, row in true.items()
        if row["listed"] and row["template"] == template
        for name, value in told(row, found[number]["url"]).items()
        if found[number][name] != value
    ]


@pytest.fixture(scope="module")
def stored(demo: DemoCrawl) -> dict[int, dict[str, Any]]:
    """Every article as the database has it."""
    engine = make_engine(ArchivePaths.of(demo.folder).database_url, readonly=True)
    with engine.connect() as connection:
        found = {number: queries.article(connection, number, "demo") for number in queries.article_ids(connection, "demo")}
    engine.dispose()
    return {number: article for number, article in found.items() if article is not None}


@pytest.mark.parametrize("template", sorted(LOOKS))
def test_every_field_in_the_feed(demo: DemoCrawl, demo_truth: Truth, template: str) -> None:
    assert differences(demo.articles, demo_truth, template) == []


@pytest.mark.parametrize("template", sorted(LOOKS))
def test_every_field_in_the_database(stored: dict[int, dict[str, Any]], demo_truth: Truth, template: str) -> None:
    assert differences(stored, demo_truth, template) == []


def test_the_feed_is_the_published_schema(demo: DemoCrawl) -> None:
    names = [field.name for field in fields(Article)]
    assert {tuple(article) for article in demo.articles.values()} == {tuple(names)}


def test_feed_and_database_tell_the_same(demo: DemoCrawl, stored: dict[int, dict[str, Any]]) -> None:
    # `related` are hints of the moment and not stored.
    assert stored == {number: {**article, "related": []} for number, article in demo.articles.items()}


def test_exactly_the_listed_articles(demo: DemoCrawl, demo_truth: Truth) -> None:
    assert set(demo.articles) == {number for number, row in demo_truth.items() if row["listed"]}


def test_every_capture_an_article_is_made_of_is_linked(demo: DemoCrawl, demo_truth: Truth) -> None:
    """Later parts and the answers of counter scripts: each capture stands with its article, and has an outcome of its own."""
    made = rows(
        demo.folder,
        "SELECT a.article_id, p.kind, p.number, p.reason, c.url, p.url, c.via, o.outcome, c.page_kind, c.article_id "
        "FROM article_version v JOIN article a ON a.key = v.article_key JOIN article_part p ON p.capture_id = v.capture_id "
        "JOIN capture c ON c.id = p.part_capture_id JOIN outcome o ON o.capture_id = c.id",
    )
    listed = {number: row for number, row in demo_truth.items() if row["listed"]}
    wanted = {(n, "part", part) for n, row in listed.items() for part in range(2, row["parts"] + 1)}
    wanted |= {(n, "counter", 1) for n, row in listed.items() if row["counter"] == "script"}
    assert {row[:3] for row in made} == wanted
    assert len(made) == len(wanted)
    for number, kind, _, reason, captured, url, via, outcome, page_kind, of in made:
        assert (reason, captured, of) == (None, url, number)
        assert identity(via) == identity(urljoin(demo.url, demo_truth[number]["url"]))
        assert outcome in ("captured", "revisit")
        assert page_kind == ("article" if kind == "part" else None)


def test_the_number_of_a_counter_script_names_its_url(demo: DemoCrawl, demo_truth: Truth) -> None:
    for number, article in demo.articles.items():
        if demo_truth[number]["counter"] == "script":
            assert article["evidence"]["views"]["rule"] == "script counter"
            assert f"hits.asp?id={number} " in article["evidence"]["views"]["text"]


def test_urls(demo: DemoCrawl, demo_truth: Truth) -> None:
    for number, article in demo.articles.items():
        assert identity(article["url"]) == identity(urljoin(demo.url, demo_truth[number]["url"]))


def test_every_absent_field_has_its_reason(demo: DemoCrawl) -> None:
    bare = [
        (article["article_id"], name)
        for article in demo.articles.values()
        for name in ("title", "category", "published_at", "source_date", "views")
        if article[name] is None
        if not any(word.startswith(name.partition("_")[0]) and why["text"] for word, why in article["evidence"].items())
    ]
    assert bare == []


def test_counts(demo: DemoCrawl, demo_facts: dict[str, Any]) -> None:
    portal = load_portal("demo")
    met = Counter[str]()
    known: set[int] = set()
    for url, outcome in rows(demo.folder, "SELECT url, outcome FROM outcome"):
        number = article_id(url, portal)
        if number is not None and not is_part(url):
            known.add(number)
            met[outcome] += 1
    linked = set(demo_facts["linked_dead"])
    assert met == {
        "captured": demo_facts["articles_listed"],
        "missing": len(linked & set(demo_facts["missing"])),
        "failed": len(linked & set(demo_facts["portal_errors"])),
    }
    everything = set(range(demo_facts["first_id"], demo_facts["last_id"] + 1))
    assert sorted(everything - known) == demo_facts["gaps"]


def test_portal_errors_are_no_proof_of_absence(demo: DemoCrawl, demo_facts: dict[str, Any]) -> None:
    portal = load_portal("demo")
    found = rows(demo.folder, "SELECT url, outcome FROM outcome")
    ended = {article_id(url, portal): outcome for url, outcome in found if not is_part(url)}
    assert {ended[number] for number in set(demo_facts["portal_errors"]) & set(demo_facts["linked_dead"])} == {"failed"}
    assert {ended[number] for number in set(demo_facts["missing"]) & set(demo_facts["linked_dead"])} == {"missing"}


def test_every_url_the_server_saw_has_one_outcome(demo: DemoCrawl) -> None:
    asked = Counter(urljoin(demo.url, entry.url) for entry in demo.log)
    ended = [url for (url,) in rows(demo.folder, "SELECT url FROM outcome")]
    assert Counter(ended) == Counter(asked.keys()), "what was asked for and what has an outcome differ"
    assert {url: times for url, times in asked.items() if times > 1} == {}


def test_every_article_is_fetched_once(demo: DemoCrawl) -> None:
    portal = load_portal("demo")
    urls = [urljoin(demo.url, entry.url) for entry in demo.log]
    asked = Counter(article_id(url, portal) for url in urls if not is_part(url))
    del asked[None]
    assert set(asked.values()) == {1}
    assert set(demo.articles) <= set(asked)


def test_every_part_and_counter_is_fetched_once(demo: DemoCrawl, demo_truth: Truth) -> None:
    asked, portal = [urljoin(demo.url, entry.url) for entry in demo.log], load_portal("demo")
    listed = [row for row in demo_truth.values() if row["listed"]]
    assert sum(is_part(url) and article_id(url, portal) is not None for url in asked) == sum(row["parts"] - 1 for row in listed)
    assert sum("hits.asp" in url for url in asked) == sum(row["counter"] == "script" for row in listed)


def test_an_article_is_finished_before_others_are_begun(demo: DemoCrawl) -> None:
    """Not later than what was under way when its first page came."""
    place = {urljoin(demo.url, entry.url): at for at, entry in enumerate(demo.log)}
    for first, piece in rows(
        demo.folder, "SELECT f.url, p.url FROM article_part p JOIN capture f ON f.id = p.capture_id WHERE p.number < 3"
    ):
        assert place[piece] - place[first] <= 20


def test_every_listing_page_is_fetched_once(demo: DemoCrawl, demo_facts: dict[str, Any]) -> None:
    pages = Counter(identity(urljoin(demo.url, entry.url)) for entry in demo.log)
    assert {url: times for url, times in pages.items() if times > 1} == {}
    listings = [url for url in pages if re.search(r"/news/(class|more|list)\.asp\?", url)]
    # An URL without page number and one with the number 1 are two URLs of one page; a page past the end is none.
    assert len({re.sub(r"page(no)?=1(&|$)", "", url).rstrip("?&") for url in listings}) == sum(
        demo_facts["listing_pages"].values()
    )


def test_nothing_robots_forbids_is_fetched(demo: DemoCrawl) -> None:
    asked = [entry.url.lower() for entry in demo.log]
    assert asked[0] == "/robots.txt"
    assert [url for url in asked if url.startswith(("/admin/", "/search.asp", "/inc/"))] == []


def test_titles_are_the_articles_own(demo: DemoCrawl, demo_truth: Truth) -> None:
    cut = rows(
        demo.folder,
        "SELECT DISTINCT s.article_id, s.title, v.title FROM listing_sighting s JOIN article a USING (article_id) "
        "JOIN article_version v ON v.article_key = a.key WHERE s.title LIKE '%…'",
    )
    assert len(cut) > 20
    for number, shown, title in cut:
        assert title == demo_truth[number]["title"] != shown
        assert title.startswith(shown.removeprefix("[置顶]").rstrip("…"))


def test_every_listed_article_was_sighted(demo: DemoCrawl, demo_truth: Truth) -> None:
    sighted = {number for (number,) in rows(demo.folder, "SELECT article_id FROM listing_sighting")}
    assert {number for number, row in demo_truth.items() if row["listed"]} <= sighted


def test_an_analyst_needs_only_sqlite(demo: DemoCrawl, demo_truth: Truth) -> None:
    true = {number: row for number, row in demo_truth.items() if row["listed"]}
    articles = "FROM article a JOIN article_version v ON v.article_key = a.key AND v.number = a.versions"
    for number, title, published, source, category in rows(
        demo.folder,
        f"SELECT a.article_id, v.title, v.published_at, v.source_date, c.name {articles} "
        "JOIN category c ON c.id = v.category_id",
    ):
        row = demo_truth[number]
        assert (title, source, category) == (row["title"], row["source_date"], row["category"])
        assert published.replace(" ", "T").startswith(row["published_at"][:19])
    named = rows(demo.folder, f"SELECT a.article_id, c.role, c.name {articles} JOIN credit c ON c.version_id = v.id")
    assert Counter(row for row in named if row[0] in true) == Counter(
        (number, credit["role"], credit["name"]) for number, row in true.items() for credit in row["credits"]
    )


# --- the WARC files, read by others ---


def warcs(folder: Path) -> list[Path]:
    """Return the archive's WARC files; all of them must be closed."""
    assert list((folder / "warc").glob("*.open")) == []
    return sorted((folder / "warc").glob("*.warc.gz"))


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()  # noqa: S324 - what WARC uses


class Kept(NamedTuple):
    """A record as a stranger cuts it out of a file."""

    headers: dict[str, str]
    block: bytes

    @property
    def payload(self) -> bytes:
        return self.block.partition(b"\r\n\r\n")[2]


def cut_out(folder: Path, name: str, offset: int, length: int) -> Kept:
    """Do by hand what `dd | gunzip` does."""
    with (folder / "warc" / name).open("rb") as file:
        file.seek(offset)
        raw = gzip.decompress(file.read(length))
    head, _, rest = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "WARC/1.1"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert rest[int(headers["Content-Length"]) :] == b"\r\n\r\n"
    return Kept(headers, rest[:-4])


CAPTURES = "SELECT url, warc_file, warc_offset, warc_length, record_id, record_type, payload_digest, block_digest FROM capture"


def test_foreign_checkers_find_nothing(demo: DemoCrawl) -> None:
    files = [str(path) for path in warcs(demo.folder)]
    assert files
    for command in ([program("warcio"), "check", "-v", *files], ["gzip", "-t", *files]):
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "digest failed" not in ended.stdout


def test_fastwarc_reads_the_same_records(demo: DemoCrawl) -> None:
    for path in warcs(demo.folder):
        ours = Counter(record.type for record in iter_records(path))
        theirs = Counter[str]()
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False, record_types=WarcRecordType.any_type):
                theirs[record.headers["WARC-Type"]] += 1
                assert record.verify_block_digest()
        assert theirs == ours
        assert ours["warcinfo"] == 1
        assert ours["request"] == ours["response"] + ours["revisit"] == rows(demo.folder, "SELECT count(*) FROM capture")[0][0]


def test_every_capture_row_leads_to_its_record(demo: DemoCrawl) -> None:
    for url, name, offset, length, record_id, kind, payload, block in rows(demo.folder, CAPTURES):
        record = cut_out(demo.folder, name, offset, length)
        told = record.headers
        assert (told["WARC-Target-URI"], told["WARC-Record-ID"], told["WARC-Type"]) == (url, record_id, kind)
        assert told["WARC-Block-Digest"] == block == sha1(record.block)
        assert told["WARC-Payload-Digest"] == payload
        assert kind == "revisit" or payload == sha1(record.payload)
        assert told["WARC-IP-Address"] == "127.0.0.1"


def test_the_warcinfo_tells_who_and_how(demo: DemoCrawl) -> None:
    record = next(iter_records(warcs(demo.folder)[0]))
    told = dict(record.fields)
    assert told["software"].startswith("wuhu_crawler/")
    assert told["robots"] == "obey"
    assert told["isPartOf"] == rows(demo.folder, "SELECT id FROM crawl")[0][0]


def test_the_run_is_on_record(demo: DemoCrawl) -> None:
    ((code, reason, argv, stats),) = rows(demo.folder, "SELECT exit_code, reason, argv, stats FROM run")
    assert (code, reason) == (0, "finished")
    assert "wuhu" in json.loads(argv)
    assert json.loads(stats)["captures"] == len(demo.log)
    assert rows(demo.folder, "SELECT status FROM crawl") == [("finished",)]


# --- a second crawl ---


COUNTS = (
    "SELECT (SELECT count(*) FROM capture), (SELECT count(*) FROM view_observation), "
    "(SELECT count(*) FROM article_version), (SELECT count(*) FROM article), (SELECT sum(versions) FROM article)"
)


class Again(NamedTuple):
    """The bundled portal crawled a second time into a copy of its archive."""

    folder: Path
    ended: Ended


def crawl_again(place: Path, demo: DemoCrawl) -> Again:
    """Crawl the unchanged portal again, every article of it."""
    folder = Path(shutil.copytree(demo.folder, place / "archive"))
    return Again(folder, crawl(folder, "demo", "-a", "full=1", WUHU_DEMO_URL=demo.url))


@pytest.fixture(scope="module")
def again(started: dict[str, Future[Any]]) -> Again:
    """The second crawl's end."""
    return started["again"].result()


def test_a_second_crawl_makes_no_version(demo: DemoCrawl, again: Again) -> None:
    assert again.ended.returncode == 0, again.ended.stderr
    captures, observations, versions, articles, numbered = rows(demo.folder, COUNTS)[0]
    assert observations > 0
    assert rows(again.folder, COUNTS) == [(2 * captures, 2 * observations, versions, articles, numbered)]
    assert f"{articles} unchanged" in again.ended.stderr


def test_a_second_crawl_writes_a_file_of_its_own(demo: DemoCrawl, again: Again) -> None:
    first, second = warcs(again.folder)
    assert first.read_bytes() == warcs(demo.folder)[0].read_bytes()
    assert rows(again.folder, "SELECT count(DISTINCT warc_file) FROM capture") == [(2,)]
    assert subprocess.run([program("warcio"), "check", str(second)], check=False, capture_output=True).returncode == 0


# --- a portal with habits of its own, crawled twice ---

STORIES = {
    7: Story(7, "长江大桥通车仪式昨日在芜湖隆重举行数千市民前往参观"),
    8: Story(8, "市民公园免费开放"),
    9: Story(9, "逐字不变的一篇"),
    10: Story(10, "即将被删除的一篇"),
    11: Story(11, "第二页上的一篇"),
}
URLS = {
    "/html/show.asp?pageno=1&newsid=7": "长江大桥通车仪式昨日在芜…",
    "/html/Show.asp?NewsID=7&pageno=1": "长江大桥",
    "/html/show.asp?newsid=8": "市民公园免费开放",
    "/html/show.asp?newsid=9": "逐字不变的一篇",
    "/html/show.asp?newsid=10": "即将被删除的一篇",
    "/html/show.asp?newsid=404": "找不到的一篇",
    "/html/secret/show.asp?newsid=12": "禁止访问的一篇",
}
PATTERN = r"""['/html/(?:secret/)?show\.asp\?(?:[^#]*&)?newsid=(?P<id>\d+)(?=&|$)']"""


def small_portal(stories: dict[int, Story]) -> dict[str, Page]:
    """Return the pages of a portal whose articles are /html/show.asp?pageno=1&newsid=N."""
    pages: dict[str, Page] = {
        "/": html('<a href="/html/list.asp?classid=1">江城新闻</a> <a href="http://www.example.invalid/">友情链接</a>'),
        "/robots.txt": b"User-agent: *\nDisallow: /html/secret/\n",
        "/html/list.asp?classid=1": listing(URLS, '第1/2页 <a href="list.asp?classid=1&amp;page=2">下一页</a>'),
        "/html/list.asp?classid=1&page=2": listing({"/html/show.asp?newsid=11": "第二页上的一篇"}, "第2/2页"),
        "/html/show.asp?newsid=404": html("<p>该信息不存在！</p>"),
        "/html/secret/show.asp?newsid=12": Story(12, "禁止访问的一篇").page(),
    }
    for number, story in stories.items():
        pages[f"/html/show.asp?newsid={number}"] = story.page()
    pages["/html/show.asp?pageno=1&newsid=7"] = pages["/html/Show.asp?NewsID=7&pageno=1"] = stories[7].page()
    return pages


@dataclass(frozen=True, slots=True)
class Twice:
    """A small portal crawled, edited and crawled again."""

    folder: Path
    first: dict[int, dict[str, Any]]
    first_outcomes: dict[str, tuple[str, str | None]]
    first_log: list[str]
    served: dict[str, Page]
    second_outcomes: dict[str, tuple[str, str | None]]


def crawl_twice(place: Path) -> Twice:
    """Crawl the small portal, edit it, crawl it again."""
    folder, feed = place / "archive", place / "out.jsonl"
    with serving(small_portal(STORIES)) as site:
        profile = site.profile(place, "sister", article_urls=PATTERN)
        ended = crawl(folder, profile, "-O", str(feed))
        assert ended.returncode == 0, ended.stderr
        articles = [json.loads(line) for line in feed.read_text(encoding="utf-8").splitlines()]
        served, log, before = dict(site.pages), list(site.log), outcomes(folder)
        edited = Story(7, STORIES[7].title, ["　　芜湖长江大桥昨日通车，更正：全长十一公里。"], views=8)
        site.pages.update(small_portal({**STORIES, 7: edited, 8: Story(8, STORIES[8].title, views=99)}))
        site.pages["/html/show.asp?newsid=10"] = html("<p>该信息已被删除！</p>")
        ended = crawl(folder, profile, "-a", "full=1")
        assert ended.returncode == 0, ended.stderr
        by_number = {article["article_id"]: article for article in articles}
        return Twice(folder, by_number, before, log, served, outcomes(folder))


@pytest.fixture(scope="module")
def twice(started: dict[str, Future[Any]]) -> Twice:
    """Both crawls' end."""
    return started["twice"].result()


def test_a_sister_portal_is_read_by_its_profile(twice: Twice) -> None:
    assert set(twice.first) == set(STORIES)
    for number, story in STORIES.items():
        found = twice.first[number]
        assert (found["portal"], found["title"], found["category"]) == ("sister", story.title, "江城新闻")
        assert (found["published_at"], found["published_precision"]) == ("2024-05-06T08:09:10+08:00", "second")
        assert (found["views"], found["encoding"], found["decode_losses"]) == (story.views, "gb18030", 0)
        assert found["paragraphs"] == [line.strip("　") for line in story.lines]


def test_one_article_is_one_url(twice: Twice) -> None:
    assert [url for url in twice.first_log if "7" in url.partition("?")[2]] == ["/html/show.asp?pageno=1&newsid=7"]


def test_robots_offsite_and_missing_pages_have_outcomes(twice: Twice) -> None:
    ended = twice.first_outcomes
    assert ended["/html/secret/show.asp?newsid=12"] == ("excluded", "robots")
    assert ended["/html/show.asp?newsid=404"][0] == "missing"
    assert "/html/secret/show.asp?newsid=12" not in twice.first_log
    captured = {url for url, (outcome, _) in ended.items() if outcome in ("captured", "missing")}
    assert captured == set(twice.first_log)


def test_the_payload_is_what_was_served(twice: Twice) -> None:
    first = [row for row in rows(twice.folder, CAPTURES) if row[5] == "response"][: len(twice.first_log)]
    assert len(first) == len(twice.first_log)
    for url, name, offset, length, _, kind, *_ in first:
        path = "/" + url.split("/", 3)[3]
        assert kind == "response"
        assert cut_out(twice.folder, name, offset, length).payload == twice.served[path]


def test_an_edit_makes_exactly_one_version(twice: Twice) -> None:
    assert dict(rows(twice.folder, "SELECT article_id, versions FROM article")) == {7: 2, 8: 1, 9: 1, 10: 1, 11: 1}
    assert rows(
        twice.folder,
        "SELECT v.number, v.body FROM article_version v JOIN article a ON a.key = v.article_key "
        "WHERE article_id = 7 ORDER BY v.number",
    ) == [
        (1, "\n".join(line.strip("　") for line in STORIES[7].lines)),
        (2, "芜湖长江大桥昨日通车，更正：全长十一公里。"),
    ]


def test_views_are_a_time_series(twice: Twice) -> None:
    wanted = (
        "SELECT views FROM view_observation v JOIN article a ON a.key = v.article_key WHERE article_id = ? ORDER BY capture_id"
    )
    assert rows(twice.folder, wanted, 8) == [(7,), (99,)]
    assert rows(twice.folder, wanted, 7) == [(7,), (8,)]


def test_the_same_bytes_are_a_revisit(twice: Twice) -> None:
    assert twice.second_outcomes["/html/show.asp?newsid=9"] == ("revisit", None)
    wanted = "SELECT record_id, refers_to, record_type, payload_digest FROM capture WHERE url LIKE '%newsid=9' ORDER BY id"
    (first, _, kind, digest), (_, refers_to, second_kind, second_digest) = rows(twice.folder, wanted)
    assert (kind, second_kind) == ("response", "revisit")
    assert (refers_to, second_digest) == (first, digest)
    # Read again all the same: the counter it shows is an observation.
    assert rows(
        twice.folder,
        "SELECT count(*) FROM view_observation v JOIN article a ON a.key = v.article_key WHERE article_id = 9",
    ) == [(2,)]


def test_a_deleted_article_stays_in_the_archive(twice: Twice) -> None:
    assert twice.first_outcomes["/html/show.asp?newsid=10"] == ("captured", None)
    assert twice.second_outcomes["/html/show.asp?newsid=10"][0] == "missing"
    assert rows(twice.folder, "SELECT count(*) FROM article WHERE article_id = 10") == [(1,)]


# --- faults ---

# fault -> how an article served with it ends; the reason is a beginning.
FATES: dict[str, tuple[str, str]] = {
    "busy": ("captured", ""),
    "too-many": ("captured", ""),
    "fin-whole": ("captured", ""),
    "http10": ("captured", ""),
    "chunked": ("captured", ""),
    "gzip": ("captured", ""),
    "folded": ("captured", ""),
    "header-charset": ("captured", ""),
    "unknown-charset": ("captured", ""),
    "excess": ("captured", ""),
    "fin-length": ("truncated", "disconnect"),
    "fin-nolength": ("truncated", "disconnect"),
    "reset-length": ("truncated", ""),
    "reset-nolength": ("truncated", ""),
    "chunked-cut": ("truncated", "disconnect"),
    "gzip-cut": ("truncated", "bad-encoding"),
    "gzip-crc": ("truncated", "bad-encoding"),
    "server-error": ("failed", "HTTP 500"),
    "empty": ("failed", "empty page"),
    "silent": ("failed", "reset"),
    "loop": ("failed", "redirect-loop"),
    "garbage": ("truncated", "protocol"),
}
WHOLE = {name for name, (outcome, _) in FATES.items() if outcome == "captured"} - {"excess"}


class Faulty(NamedTuple):
    """One crawl of articles that are all served with some fault."""

    folder: Path
    articles: dict[str, int]
    paths: dict[str, str]
    ended: Ended
    log: list[str]


def crawl_faults(place: Path, true: Truth) -> Faulty:
    """Archive an article for each fault."""
    folder = place / "archive"
    plain = [number for number, row in true.items() if row["listed"] and row["parts"] == 1 and row["counter"] == "get"]
    articles = dict(zip(FATES, plain, strict=False))
    paths = {name: f"/faults/{name}/news/Info.asp?ID={number}" for name, number in articles.items()}
    with server.start(faults=True) as portal:
        urls = ",".join(portal.url.rstrip("/") + path for path in paths.values())
        words = ("-a", f"url={urls}", "-s", "DOWNLOAD_TIMEOUT=6")
        ended = scrapy("crawl", "article", *words, folder=folder, WUHU_DEMO_URL=portal.url, **HASTY)
        return Faulty(folder, articles, paths, ended, [entry.url for entry in portal.log])


@pytest.fixture(scope="module")
def faulty(started: dict[str, Future[Any]]) -> Faulty:
    """The crawl's end."""
    return started["faulty"].result()


@pytest.mark.parametrize("name", FATES)
def test_how_a_fault_ends(faulty: Faulty, name: str) -> None:
    outcome, reason = outcomes(faulty.folder)[faulty.paths[name]]
    wanted, beginning = FATES[name]
    assert outcome == wanted, reason
    assert (reason or "").startswith(beginning)


def test_only_whole_articles_are_stored(faulty: Faulty, demo_truth: Truth) -> None:
    titles = dict(
        rows(faulty.folder, "SELECT a.article_id, v.title FROM article a JOIN article_version v ON v.article_key = a.key")
    )
    wanted = {faulty.articles[name]: demo_truth[faulty.articles[name]]["title"] for name in WHOLE}
    assert {number: titles.get(number) for number in wanted} == wanted
    assert set(titles) - set(wanted) <= {faulty.articles["excess"]}


def test_a_busy_portal_is_asked_again_and_a_cut_page_too(faulty: Faulty) -> None:
    asked = Counter(faulty.log)
    assert asked[faulty.paths["busy"]] == 2
    assert asked[faulty.paths["too-many"]] == 3
    assert asked[faulty.paths["fin-length"]] == 3
    assert asked[faulty.paths["http10"]] == 1


def test_what_came_of_a_cut_page_is_kept_and_marked(faulty: Faulty) -> None:
    for name in ("fin-length", "fin-nolength", "reset-length", "chunked-cut"):
        wanted = "SELECT truncated, warc_file, warc_offset, warc_length FROM capture WHERE url LIKE ?"
        ((truncated, file, offset, length),) = rows(faulty.folder, wanted, "%" + faulty.paths[name])
        assert truncated == "disconnect"
        assert cut_out(faulty.folder, file, offset, length).headers["WARC-Truncated"] == "disconnect"


def test_a_crawl_that_lost_pages_says_so(faulty: Faulty) -> None:
    assert faulty.ended.returncode == 5
    assert "Traceback" not in faulty.ended.stderr
    assert "not had" in faulty.ended.stderr.splitlines()[-1]


def test_the_archive_of_a_faulty_portal_is_sound(faulty: Faulty) -> None:
    files = [str(path) for path in warcs(faulty.folder)]
    for command in ([program("warcio"), "check", *files], ["gzip", "-t", *files]):
        assert subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode == 0
    asked = {path for path in faulty.log if path != "/robots.txt"}
    assert asked == set(outcomes(faulty.folder)) - {"/robots.txt"}


class Home(NamedTuple):
    """A crawl that never got beyond the home page."""

    folder: Path
    ended: Ended
    log: list[str]


def crawl_nothing(place: Path) -> Home:
    """Crawl a port where nobody listens."""
    with serving({}) as site:
        profile = site.profile(place)
    return Home(place / "archive", crawl(place / "archive", profile, **HASTY), site.log)


def crawl_home(place: Path, *, robots: Page) -> Home:
    """Crawl a portal of a home page and a robots.txt."""
    with serving({"/": html("<p>home</p>"), "/robots.txt": robots}) as site:
        return Home(place / "archive", crawl(place / "archive", site.profile(place), **HASTY), site.log)


def broken(handler: BaseHTTPRequestHandler) -> None:
    """Answer as a server that is down."""
    answer(handler, 500, b"down")


# scenario -> what was asked for, how the home page ended, a word of the sentence
SHUT = {
    "unreachable": (set[str](), ("postponed", "robots-unreachable (host-down (refused))"), "refused"),
    "robots broken": ({"/robots.txt"}, ("postponed", "robots-unreachable (HTTP 500)"), "robots"),
}


@pytest.mark.parametrize("scenario", SHUT)
def test_a_portal_that_is_shut(started: dict[str, Future[Home]], scenario: str) -> None:
    folder, ended, log = started[scenario].result()
    asked, outcome, word = SHUT[scenario]
    assert ended.returncode == 5, ended.stderr
    assert "Traceback" not in ended.stderr
    assert word in ended.stderr.splitlines()[-1]
    assert set(log) == asked
    assert outcomes(folder)["/"] == outcome
    # What was refused is in the WARC as well, so that a rebuild finds it.
    (file,) = warcs(folder)
    assert "/" in {"/" + (record.url or "").split("/", 3)[3] for record in iter_records(file) if record.type == "metadata"}


# --- stopped, locked out, out of space ---


@dataclass(slots=True)
class Gate:
    """A page that answers only when it is told to."""

    body: bytes
    reached: threading.Event
    opened: threading.Event

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Say that somebody waits, wait, answer."""
        self.reached.set()
        self.opened.wait(PATIENCE)
        answer(handler, 200, self.body)


class Stopped(NamedTuple):
    """A crawl that a second one met, and that was then stopped by SIGTERM."""

    folder: Path
    pid: int
    second: Ended
    code: int
    stderr: str
    status: dict[str, Any]
    resumed: Ended
    log: list[str]
    log_before: int


def stop_and_resume(place: Path) -> Stopped:
    """Stop a crawl while a page is under way, after a second crawl has tried the archive; then resume it."""
    folder = place / "archive"
    with serving(small_portal(STORIES)) as site:
        profile = site.profile(place, "sister", article_urls=PATTERN)
        gate = Gate(STORIES[8].page(), threading.Event(), threading.Event())
        site.pages["/html/show.asp?newsid=8"] = gate
        first = subprocess.Popen(
            [program("scrapy"), "crawl", "wuhu", "-a", f"portal={profile}"],
            cwd=ROOT,
            env=environment(folder),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert gate.reached.wait(PATIENCE)
            second = crawl(folder, profile)
            first.send_signal(signal.SIGTERM)
            gate.opened.set()
            _, stderr = first.communicate(timeout=PATIENCE)
        finally:
            gate.opened.set()
            first.kill()
        before = len(site.log)
        told = subprocess.run(
            [program("wuhu"), "status", "--json"], env=environment(folder), capture_output=True, text=True, check=True
        )
        status = json.loads(told.stdout)
        resumed = crawl(folder, profile, "-a", f"resume={status['last_crawl']['id']}")
        return Stopped(folder, first.pid, second, first.returncode, stderr, status, resumed, list(site.log), before)


@pytest.fixture(scope="module")
def stopped(started: dict[str, Future[Any]]) -> Stopped:
    """The end of it all."""
    return started["stopped"].result()


def test_a_second_crawl_is_refused_with_the_pid(stopped: Stopped) -> None:
    assert stopped.second.returncode == 12
    assert str(stopped.pid) in stopped.second.stderr
    assert "Traceback" not in stopped.second.stderr
    assert rows(stopped.folder, "SELECT count(*) FROM crawl") == [(1,)]


def test_sigterm_stops_cleanly(stopped: Stopped) -> None:
    assert stopped.code == 10, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "resume" in stopped.stderr


def test_a_stopped_crawl_is_shown_as_resumable(stopped: Stopped) -> None:
    assert stopped.status["last_crawl"]["status"] == "interrupted"
    assert stopped.status["last_run"]["exit_code"] == 10
    assert 0 < stopped.status["captures"] < len(stopped.log)


def test_a_stopped_crawl_goes_on_without_fetching_twice(stopped: Stopped) -> None:
    assert stopped.resumed.returncode == 0, stopped.resumed.stderr
    assert {number for (number,) in rows(stopped.folder, "SELECT article_id FROM article")} == set(STORIES)
    assert [count for url, count in Counter(stopped.log).items() if count > 1 and url != "/robots.txt"] == []
    assert len(stopped.log) > stopped.log_before
    assert rows(stopped.folder, "SELECT status FROM crawl") == [("finished",)]
    assert rows(stopped.folder, "SELECT exit_code FROM run ORDER BY id") == [(10,), (0,)]


def crawl_into_a_file(place: Path) -> Home:
    """Crawl into an archive that is a file. (That a folder is read-only would not hinder root.)"""
    (place / "archive").write_text("not a folder")
    with serving({}) as site:
        return Home(place / "archive", crawl(place / "archive", site.profile(place)), site.log)


def test_a_file_where_the_archive_should_be(started: dict[str, Future[Home]]) -> None:
    folder, ended, log = started["file"].result()
    assert (ended.returncode, log) == (13, [])
    assert str(folder) in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert folder.read_text() == "not a folder"


class Full(NamedTuple):
    """A crawl that ran out of space."""

    folder: Path
    ended: Ended


def crawl_with_limit(place: Path, url: str) -> Full:
    """Crawl the bundled portal where no file may grow beyond 500 kB; the WARC is the first to, before any commit.

    (An empty database has some 350 kB.)
    """
    settings = {"WUHU_DEMO_URL": url, "WUHU_COMMIT_PAGES": "5000", "WUHU_COMMIT_SECONDS": "600"}
    folder = place / "archive"
    return Full(folder, scrapy("crawl", "wuhu", "-a", "portal=demo", folder=folder, limit=500_000, **settings))


@pytest.fixture(scope="module")
def full(started: dict[str, Future[Any]]) -> Full:
    """The crawl's end."""
    return started["full"].result()


@pytest.fixture(scope="module")
def full_volume(demo_server: server.Handle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    """A crawl onto a real volume of a megabyte; there the database is the first to fill it, after some commits."""
    place = tmp_path_factory.mktemp("volume")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], check=True)
    try:
        settings = {"WUHU_DEMO_URL": demo_server.url, "WUHU_COMMIT_PAGES": "10", "WUHU_COMMIT_SECONDS": "600"}
        yield Full(place / "archive", crawl(place / "archive", "demo", **settings))
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("where", ["full", pytest.param("full_volume", marks=pytest.mark.root)])
def test_out_of_space_stops_at_once_and_stores_nothing_half(where: str, request: pytest.FixtureRequest) -> None:
    folder, ended = request.getfixturevalue(where)
    assert ended.returncode == 11, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "resume" in ended.stderr.splitlines()[-1]
    (path,) = (folder / "warc").iterdir()
    whole = {record.record_id for record in iter_records(path)}  # raises at a torn record
    stored = {record_id for (record_id,) in rows(folder, "SELECT record_id FROM capture")}
    assert stored <= whole
    assert bool(stored) == (where == "full_volume")
    assert rows(folder, "PRAGMA integrity_check") == [("ok",)]
    assert rows(folder, "PRAGMA foreign_key_check") == []
    assert rows(folder, "SELECT count(*) FROM article WHERE key NOT IN (SELECT article_key FROM article_version)") == [(0,)]
    assert rows(folder, "SELECT count(*) FROM capture WHERE id NOT IN (SELECT capture_id FROM outcome)")[0][0] <= 10


# --- wrong usage ---

# arguments of `scrapy crawl` -> what the sentence must name (test_commands.py has all the rest, without a process for each)
WRONG: dict[tuple[str, ...], str] = {
    ("wuhu",): "WUHU_CONTACT",
    ("wuhu", "-a", "portal=demo", "-a", "colour=red"): "colour",
    ("article",): "url",
}


def refuse(place: Path) -> dict[tuple[str, ...], Ended]:
    """Call `scrapy crawl` wrongly, again and again."""
    ended = {words: scrapy("crawl", *words, folder=place / "archive") for words in WRONG}
    assert not (place / "archive").exists(), "wrong usage must touch nothing"
    return ended


@pytest.fixture(scope="module")
def refused(started: dict[str, Future[Any]]) -> dict[tuple[str, ...], Ended]:
    """How each call ended."""
    return started["refused"].result()


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_one_sentence(refused: dict[tuple[str, ...], Ended], words: tuple[str, ...]) -> None:
    ended = refused[words]
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert WRONG[words] in ended.stderr
    assert ended.stdout == ""
