"""The archive seam in real crawls: the project's settings, a raw server, and what is in the WARC and the database after."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import warm
from scrapy.exceptions import DownloadCancelledError, DownloadFailedError, DownloadTimeoutError, ResponseDataLossError
from wire_server import CLOSE, RESET, WireServer, wire_server

from wuhu_crawler.archive import truncation
from wuhu_crawler.handlers import ConnectionBrokenError, ProtocolError, response_of
from wuhu_crawler.warc.reader import Record, iter_records, read_record
from wuhu_crawler.warc.records import Exchange

HTML = "<html><p>芜湖</p></html>".encode("gb18030")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(HTML) + HTML
OTHER = OK.replace(b"<p>", b"<b>")
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy"
RULES = b"User-agent: *\r\nDisallow: /forbidden\r\n"
ROBOTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(RULES) + RULES

SCRIPTS: dict[str, Any] = {
    "/robots.txt": [ROBOTS],
    "/page": [OK],
    "/same": [OK],
    "/chunked": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nx-a: 2\r\n\r\n4\r\nwuhu\r\n0\r\n\r\n"],
    "/redirect": [b"HTTP/1.1 302 Object moved\r\nLocation: /target?id=1\r\nContent-Length: 0\r\n\r\n"],
    "/target?id=1": [OTHER],
    "/missing": [b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"],
    "/busy-once": [[BUSY], [OTHER]],
    "/cut-once": [[CUT, CLOSE], [OTHER]],
    "/cut": [CUT, CLOSE],
    "/reset": [CUT, RESET],
    "/cut-document": [b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>half", CLOSE],
    "/whole-document": [b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML, CLOSE],
    "/excess": [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwuhu and more"],
    "/huge": [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nbeginning", CLOSE],
    "/bad-status": [b"HTTP/1.1 fine\r\nContent-Length: 1\r\n\r\nx", CLOSE],
    "/garbage": [b"\x16\x03\x01 no HTTP at all\r\n\r\n", CLOSE],
    "/nothing": [CLOSE],
    "/forbidden": [OK],
}

CRAWL = """
import json, resource, sys
import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from wuhu_crawler.extensions import ArchiveKeeper
from wuhu_crawler.items import OtherPage
from wuhu_crawler.politeness.faults import outcome_of
from wuhu_crawler.portals import make_portal

job = json.loads(sys.argv[1])
if job["file_limit"]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_limit"], job["file_limit"]))


class Pages(scrapy.Spider):
    name = "pages"
    resume = job["resume"]
    arguments_given = {}
    portal = make_portal({"name": "raw", "seeds": [job["url"]], "allow_private": True, "contact_required": False}, where="test")

    async def start(self):
        for number, path in enumerate(job["paths"]):
            yield scrapy.Request(job["url"] + path, self.parse, errback=self.failed, priority=-number, meta={"via": job["url"]})

    def parse(self, response):
        print(json.dumps({"parsed": response.url, "body": response.body.hex(), "flags": response.flags,
                          "headers": {k.decode(): [v.decode() for v in vs] for k, vs in response.headers.items()}}))
        capture = response.meta["capture"]
        yield OtherPage(kind="other", url=capture.url, capture_id=capture.id, captured_at=capture.captured_at, reason="test")

    def failed(self, failure):
        print(json.dumps({"failed": failure.request.url, "with": type(failure.value).__name__}))
        yield outcome_of(failure.request, failure.value)


settings = Settings()
settings.setmodule("wuhu_crawler.settings")
settings.setdict({"WUHU_DATA_DIR": job["folder"], "WUHU_DATABASE_URL": "", "RETRY_TIMES": 1, "WUHU_BACKOFF_SECONDS": 0.01,
                  "WUHU_BACKOFF_MAX": 0.02, "WUHU_BREAKER_SECONDS": 0.02, "WUHU_BREAKER_FAILURES": 50, "DOWNLOAD_DELAY": 0,
                  "WUHU_OPERATOR": "tests", "LOG_LEVEL": "ERROR", **job["settings"]}, priority="cmdline")
process = AsyncCrawlerProcess(settings)
crawler = process.create_crawler(Pages)
process.crawl(crawler)
process.start()
keeper = crawler.get_extension(ArchiveKeeper)
print(json.dumps({"exit_code": keeper.exit_code, "crawl": keeper.writer.crawl_id, "error": str(keeper.error)}))
"""


class Crawled(NamedTuple):
    """What a crawl printed, and its archive."""

    parsed: dict[str, dict[str, Any]]
    failed: dict[str, str]
    end: dict[str, Any]
    folder: Path

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows of the archive's database."""
        with sqlite3.connect(self.folder / "archive.db") as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(query)]
        connection.close()
        return rows

    def captures(self, path: str) -> list[dict[str, Any]]:
        """The captures of a path, in order."""
        return [row for row in self.rows("SELECT * FROM capture ORDER BY id") if row["url"].endswith(path)]

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Path -> outcome and reason."""
        return {path_of(row["url"]): (row["outcome"], row["reason"]) for row in self.rows("SELECT * FROM outcome")}

    def record(self, capture: dict[str, Any]) -> Record:
        """The capture's record."""
        return read_record(self.folder / "warc" / capture["warc_file"], capture["warc_offset"])


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def crawl(
    url: str, folder: Path, paths: list[str], *, resume: str | None = None, file_limit: int = 0, **settings: Any
) -> Crawled:
    """Crawl the paths in a process of its own, with the project's settings."""
    job = {"url": url, "folder": str(folder), "paths": paths, "resume": resume, "file_limit": file_limit, "settings": settings}
    done = warm.text([sys.executable, "-c", CRAWL, json.dumps(job)])
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    parsed = {path_of(line["parsed"]): line for line in lines if "parsed" in line}
    failed = {path_of(line["failed"]): line["with"] for line in lines if "failed" in line}
    return Crawled(parsed, failed, lines[-1], folder)


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with wire_server(SCRIPTS) as running:
        yield running


@pytest.fixture(scope="module")
def crawled(server: WireServer, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    paths = [path for path in SCRIPTS if path not in ("/robots.txt", "/target?id=1")]
    return crawl(server.url, tmp_path_factory.mktemp("archive"), paths)


def test_every_url_has_one_outcome(crawled: Crawled) -> None:
    assert crawled.outcomes() == {
        "/robots.txt": ("captured", "robots.txt"),
        "/page": ("captured", None),
        "/same": ("revisit", None),
        "/chunked": ("captured", None),
        "/redirect": ("captured", f"redirect to {crawled.captures('/target?id=1')[0]['url']}"),
        "/target?id=1": ("captured", None),
        "/missing": ("captured", None),
        "/busy-once": ("revisit", None),
        "/cut-once": ("revisit", None),
        "/cut": ("truncated", "disconnect"),
        "/reset": ("truncated", "disconnect"),
        "/cut-document": ("truncated", "disconnect"),
        "/whole-document": ("revisit", None),
        "/excess": ("captured", None),
        "/huge": ("excluded", "too-large"),
        "/bad-status": ("truncated", "protocol"),
        "/garbage": ("truncated", "protocol"),
        "/nothing": ("failed", "reset"),
        "/forbidden": ("excluded", "robots"),
    }


def test_the_records_hold_what_the_server_sent(server: WireServer, crawled: Crawled) -> None:
    for path in ("/robots.txt", "/page", "/chunked", "/redirect", "/missing", "/excess", "/cut", "/reset", "/cut-document"):
        capture = crawled.captures(path)[-1]
        record = crawled.record(capture)
        assert record.block == server.seen[path][-1].sent, path
        (request,) = [
            other
            for other in iter_records(crawled.folder / "warc" / capture["warc_file"])
            if other.type == "request" and other.headers.get("warc-concurrent-to") == record.record_id
        ]
        assert request.block == server.seen[path][-1].received


def test_a_response_to_be_retried_is_a_capture_of_its_own(crawled: Crawled) -> None:
    assert [capture["status"] for capture in crawled.captures("/busy-once")] == [503, 200]


def test_of_tries_that_broke_off_the_last_is_kept(server: WireServer, crawled: Crawled) -> None:
    assert len(server.seen["/cut"]) == 2
    (cut,) = crawled.captures("/cut")
    assert cut["truncated"] == "disconnect"
    assert crawled.record(cut).headers["warc-truncated"] == "disconnect"
    assert [capture["truncated"] for capture in crawled.captures("/cut-once")] == [None]
    assert crawled.captures("/nothing") == []
    assert crawled.captures("/huge")[0]["truncated"] == "length"
    assert crawled.captures("/bad-status")[0]["truncated"] == "unspecified"


def test_what_broke_off_is_never_parsed(crawled: Crawled) -> None:
    assert {"/cut", "/reset", "/cut-document", "/huge", "/bad-status", "/garbage", "/nothing", "/forbidden"} == set(
        crawled.failed
    )
    assert not set(crawled.failed) & set(crawled.parsed)


def test_oddities_are_flagged_on_the_capture(crawled: Crawled) -> None:
    flags = {path_of(row["url"]): json.loads(row["flags"]) for row in crawled.rows("SELECT url, flags FROM capture")}
    assert {path: flag for path, flag in flags.items() if flag} == {
        "/excess": ["excess-body"],
        "/cut-document": ["partial"],
        "/garbage": ["not-http"],
    }


def test_what_is_no_http_is_kept_as_a_resource(server: WireServer, crawled: Crawled) -> None:
    (garbage,) = crawled.captures("/garbage")
    assert (garbage["record_type"], garbage["status"], garbage["truncated"]) == ("resource", None, "unspecified")
    assert server.seen["/garbage"][-1].sent.startswith(crawled.record(garbage).block)


def test_captures_name_where_they_were_found_and_from_whom(crawled: Crawled) -> None:
    (page,) = crawled.captures("/page")
    assert page["ip"] == "127.0.0.1"
    assert crawled.record(page).headers["warc-via"] == page["via"]


def test_a_resumed_crawl_is_served_from_its_own_record(server: WireServer, tmp_path: Path) -> None:
    paths = ["/page", "/chunked", "/redirect", "/excess", "/cut"]
    first = crawl(server.url, tmp_path, paths)
    answered = [*paths[:-1], "/robots.txt", "/target?id=1"]
    before = {path: len(server.seen[path]) for path in [*answered, "/cut", "/missing"]}
    again = crawl(server.url, tmp_path, [*paths, "/missing"], resume=first.end["crawl"])
    asked = {path for path, count in before.items() if len(server.seen[path]) > count}
    assert asked == {"/cut", "/missing"}
    for path in ("/page", "/chunked", "/excess", "/target?id=1"):
        assert again.parsed[path]["body"] == first.parsed[path]["body"]
        assert again.parsed[path]["headers"] == first.parsed[path]["headers"]
        assert (first.parsed[path]["flags"], again.parsed[path]["flags"]) == ([], ["archived"])
        assert len(again.captures(path)) == 1


def test_a_full_disk_ends_the_crawl_and_no_parser_sees_the_page(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"
    pages: dict[str, Any] = {f"/{n}": [head + Random(n).randbytes(200_000)] for n in range(20)}
    with wire_server(pages) as server:
        done = crawl(server.url, tmp_path, list(pages), file_limit=1_000_000)
    assert done.end["exit_code"] == 11
    assert "no space" in done.end["error"].lower()
    (warc,) = (tmp_path / "warc").iterdir()
    kept = {path_of(record.url or "/") for record in iter_records(warc) if record.type == "response"}
    assert set(done.parsed) == kept - {"/robots.txt"}
    assert 0 < len(kept) < len(pages)
    # Nothing is asked for after the failure but what was under way.
    assert len(server.seen) <= len(kept) + 2


def test_a_damaged_record_ends_a_resumed_crawl(server: WireServer, tmp_path: Path) -> None:
    first = crawl(server.url, tmp_path, ["/page"])
    (capture,) = first.captures("/page")
    warc = tmp_path / "warc" / capture["warc_file"]
    warc.chmod(0o644)
    data = bytearray(warc.read_bytes())
    data[capture["warc_offset"] + 30] ^= 255
    warc.write_bytes(data)
    with sqlite3.connect(tmp_path / "archive.db") as database:
        # As if it had been interrupted: a finished crawl is not resumed.
        database.execute("UPDATE crawl SET status = 'interrupted', finished_at = NULL")
    again = crawl(server.url, tmp_path, ["/page"], resume=first.end["crawl"])
    assert again.end["exit_code"] == 13
    assert "cannot be read back" in again.end["error"]
    assert not again.parsed


def caused_by(cause: Exception) -> DownloadFailedError:
    error = DownloadFailedError()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DownloadTimeoutError(), "time"),
        (DownloadCancelledError(), "length"),
        (ResponseDataLossError(), "disconnect"),
        (caused_by(ConnectionBrokenError()), "disconnect"),
        (caused_by(ProtocolError()), "unspecified"),
        (DownloadFailedError(), "unspecified"),
    ],
)
def test_truncation_says_why(error: Exception, reason: str) -> None:
    assert truncation(error) == reason


def test_bytes_without_a_status_line_are_not_restored() -> None:
    page = Exchange("http://x/", b"", b"<html>", None, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="status"):
        response_of(page, page.url, [])
