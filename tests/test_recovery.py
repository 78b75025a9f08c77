"""What a killed run left behind: taken in by the next writer, a torn tail in quarantine, and a resumed crawl has all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import warm
from conftest import Story, environment, listing, program, rows

from wuhu_crawler.captures import captured
from wuhu_crawler.errors import StorageError
from wuhu_crawler.ingest import ArchiveWriter
from wuhu_crawler.items import Outcome
from wuhu_crawler.paths import ArchiveLock, ArchivePaths
from wuhu_crawler.portals import Portal
from wuhu_crawler.warc.records import Exchange

T0 = datetime(2024, 5, 6, 1, 2, 3, tzinfo=UTC)
BASE = "http://127.0.0.1/news/"
PORTAL = Portal(name="small", title="江城在线", seeds=(BASE,))
Open = Callable[..., ArchiveWriter]


@pytest.fixture
def open_writer(tmp_path: Path) -> Iterator[Open]:
    """Opens the archive in tmp_path/archive; what a test leaves open is closed."""
    writers: list[ArchiveWriter] = []

    def open_(**changes: Any) -> ArchiveWriter:
        given = {"job": "wuhu", "settings": {"N": 1}, "operator": None, "argv": ["test"], "commit_seconds": 600.0, **changes}
        writers.append(ArchiveWriter.open(ArchivePaths.of(tmp_path / "archive"), PORTAL, **given))
        return writers[-1]

    yield open_
    for writer in writers:
        writer.close(1, "test", {})


def exchange(body: bytes, path: str, status: str = "200 OK", more: str = "") -> Exchange:
    """Return an exchange of a page."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode()
    sent = f"GET /news/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return Exchange(BASE + path, sent, head + body, T0, "127.0.0.1")


def story(number: int, title: str = "大桥通车") -> Exchange:
    """Return an exchange of an article's page."""
    return exchange(Story(number, title).page(), f"show.asp?id={number}")


def die(writer: ArchiveWriter) -> Path:
    """End a writer as a kill would: nothing more is written or committed. Return its open WARC file."""
    writer.broken = StorageError("as if the process had been killed")
    writer.close(13, "test", {})
    (path,) = writer.paths.warc.glob("*.open")
    return path


def test_what_the_run_had_not_come_to_is_judged_by_the_answer_alone(open_writer: Open) -> None:
    writer = open_writer()
    writer.record(story(7), via=BASE)
    writer.record(exchange(listing({f"show.asp?id={n}": f"第{n}条新闻的题目" for n in range(1, 9)}), "list.asp"))
    writer.record(exchange(b"", "old.asp", "302 Object moved", "Location: /news/show.asp?id=7\r\n"))
    writer.record(exchange(b"busy", "show.asp?id=8", "503 Service Unavailable"))
    writer.record(exchange(b"<html>half", "show.asp?id=9"), truncated="disconnect")
    crawl = writer.crawl_id
    path = die(writer)
    again = open_writer(crawl_id=crawl)
    assert (again.recovered.captures, again.recovered.adopted) == (5, 3)
    assert dict(rows(again.paths.root, "SELECT url, outcome || coalesce(' ' || reason, '') FROM outcome")) == {
        f"{BASE}show.asp?id=7": "captured",
        f"{BASE}list.asp": "captured",
        f"{BASE}old.asp": f"captured redirect to {BASE}show.asp?id=7",
    }
    assert rows(again.paths.root, "SELECT title, via FROM article_version v JOIN capture c ON c.id = v.capture_id") == [
        ("大桥通车", BASE)
    ]
    assert rows(again.paths.root, "SELECT count(*) FROM listing_sighting") == [(8,)]
    assert not path.exists()
    assert path.with_name(path.name.removesuffix(".open")).stat().st_mode & 0o777 == 0o444
    assert [again.retrieve(f"{BASE}show.asp?id={number}") is not None for number in (7, 8, 9)] == [True, False, False]


def test_a_revisit_answers_a_resumed_crawl_with_the_body_it_refers_to(open_writer: Open) -> None:
    first = open_writer()
    first.record(story(7))
    first.close(0, "finished", {})
    second = open_writer()
    capture = second.record(story(7))
    assert capture.record_type == "revisit"
    die(second)
    again = open_writer(crawl_id=second.crawl_id)
    found = again.retrieve(capture.url)
    assert found is not None and found.record_id == capture.record_id
    assert again.exchange(found).received == story(7).received
    assert rows(again.paths.root, "SELECT outcome FROM outcome WHERE crawl_id = ?", second.crawl_id) == [("revisit",)]
    assert rows(again.paths.root, "SELECT versions, last_capture_id FROM article") == [(1, 2)]


def test_what_was_decided_is_taken_as_it_was(open_writer: Open) -> None:
    writer = open_writer()
    capture = writer.record(story(7))
    writer.commit()
    writer.outcome(Outcome(url=capture.url, outcome="excluded", reason="too-large", capture_id=capture.id, at=T0))
    writer.outcome(Outcome(url=BASE + "x", outcome="postponed", reason="HTTP  503 \n", until=T0, at=T0, via=BASE))
    writer.outcome(captured(writer.record(exchange(b"User-agent: *", "robots.txt")), "robots.txt"))
    die(writer)
    again = open_writer()
    assert again.recovered.adopted == 0
    found = rows(again.paths.root, "SELECT url, outcome, reason, capture_id, at, until, via FROM outcome")
    when = "2024-05-06T01:02:03.000000Z"
    assert sorted(found, key=str) == sorted(
        [
            (capture.url, "excluded", "too-large", 1, when, None, None),
            (BASE + "x", "postponed", "HTTP  503", None, when, when, BASE),
            (BASE + "robots.txt", "captured", "robots.txt", 2, when, None, None),
        ],
        key=str,
    )
    assert rows(again.paths.root, "SELECT count(*) FROM article") == [(0,)]


@pytest.mark.parametrize("keep", [10, 300])
def test_a_torn_tail_is_kept_and_told_of(open_writer: Open, keep: int) -> None:
    writer = open_writer()
    writer.record(story(7))
    writer.commit()
    last = writer.record(story(8, "又一座桥"))
    path = die(writer)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(last.offset + keep)
    again = open_writer(crawl_id=writer.crawl_id)
    (torn,) = again.recovered.torn
    assert (torn.warc_file, torn.offset, torn.bytes) == (last.warc_file, last.offset, keep)
    assert (again.paths.warc / last.warc_file).stat().st_size == last.offset < size
    assert (again.paths.quarantine / torn.kept_as).stat().st_size == keep
    (report,) = again.paths.quarantine.glob("*.json")
    assert json.loads(report.read_text(encoding="utf-8"))["reason"] == torn.reason
    assert rows(again.paths.root, "SELECT url FROM capture") == [(story(7).url,)]
    assert rows(again.paths.root, "SELECT committed FROM warc_file ORDER BY serial LIMIT 1") == [(last.offset,)]
    subprocess.run(["gzip", "-t", again.paths.warc / last.warc_file], check=True)


@pytest.mark.parametrize("size", [0, 5])
def test_a_file_without_a_whole_record_is_no_file(open_writer: Open, size: int) -> None:
    writer = open_writer()
    writer.record(story(7))
    writer.close(0, "finished", {})
    stray = writer.paths.warc / "small-x-wuhu-1-000009-vm.warc.gz.open"
    stray.write_bytes(b"\x1f\x8b\x08\x00\x00"[:size])
    again = open_writer()
    assert not stray.exists()
    assert len(again.recovered.torn) == (1 if size else 0)


def test_a_file_the_database_never_heard_of(open_writer: Open) -> None:
    writer = open_writer()
    writer.record(story(7))
    writer.close(10, "shutdown", {})
    for path in writer.paths.root.glob("archive.db*"):
        path.unlink()
    again = open_writer(crawl_id=writer.crawl_id)
    assert rows(again.paths.root, "SELECT id, portal, settings FROM crawl") == [(writer.crawl_id, "small", '{"N":1}')]
    assert rows(again.paths.root, "SELECT count(*) FROM capture") == [(1,)]


def test_a_recovery_that_is_killed_is_done_again(open_writer: Open) -> None:
    writer = open_writer()
    writer.record(story(7))
    path = die(writer)
    at_the_rename = (
        "import os, sys; from wuhu_crawler.db.engine import make_engine; from wuhu_crawler.db.store import Store\n"
        "from wuhu_crawler.paths import ArchivePaths; from wuhu_crawler.recovery import recover\n"
        "paths = ArchivePaths.of(sys.argv[1]); store = Store(make_engine(paths.database_url))\n"
        "sys.addaudithook(lambda event, _: os.kill(os.getpid(), 9) if event == 'os.rename' else None)\n"
        "recover(paths, store)"
    )
    ended = subprocess.run([sys.executable, "-c", at_the_rename, str(writer.paths.root)], check=False)
    assert ended.returncode == -9
    assert path.exists()
    again = open_writer()
    assert not path.exists()
    assert rows(again.paths.root, "SELECT count(*) FROM capture") == [(1,)]
    assert rows(again.paths.root, "SELECT versions FROM article") == [(1,)]
    assert again.recovered.captures == 0


def test_status_tells_who_writes_and_what_was_killed(open_writer: Open, tmp_path: Path) -> None:
    writer = open_writer()
    folder = writer.paths.root
    assert ArchiveLock.holder(folder) is not None
    assert "writing   process" in status(folder)
    writer.record(story(7))
    die(writer)
    assert ArchiveLock.holder(folder) is None
    told = status(folder)
    assert "broken off" in told
    assert f"-a resume={writer.crawl_id}" in told
    assert "of 1 WARC file: the next crawl takes them in" in told
    assert ArchiveLock.holder(tmp_path / "nothing") is None


def status(folder: Path) -> str:
    """Return what `wuhu status` prints."""
    command = [program("wuhu"), "--data", str(folder), "status"]
    ended = warm.text(command, env=environment(folder))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
