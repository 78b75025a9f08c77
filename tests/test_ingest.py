"""The archive's one writer: WARC before database, group commits, one lock, and the end at the first storage error."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import rows

from wuhu_crawler.errors import ArchiveInUse, StorageError, UsageError
from wuhu_crawler.ingest import ArchiveWriter
from wuhu_crawler.items import Article, Capture, Credit, Listing, OtherPage, Outcome
from wuhu_crawler.pages import InvalidItem, normalize_dates, validate
from wuhu_crawler.paths import ArchiveLock, ArchivePaths
from wuhu_crawler.portals import Portal
from wuhu_crawler.warc.reader import Record, iter_records, read_record
from wuhu_crawler.warc.records import Exchange

T0 = datetime(2024, 5, 6, 1, 2, 3, tzinfo=UTC)
PORTAL = Portal(name="small", title="江城在线", seeds=("http://127.0.0.1/",))
URL = "http://127.0.0.1/info.asp?id=7"

Open = Callable[..., ArchiveWriter]


@pytest.fixture
def open_writer(tmp_path: Path) -> Iterator[Open]:
    """Opens the archive in tmp_path/archive; what a test leaves open is closed."""
    writers: list[ArchiveWriter] = []

    def open_(**changes: Any) -> ArchiveWriter:
        given = {"job": "wuhu", "settings": {}, "operator": None, "argv": ["test"], "commit_seconds": 600.0, **changes}
        portal = given.pop("portal", PORTAL)
        writer = ArchiveWriter.open(ArchivePaths.of(tmp_path / "archive"), portal, **given)
        writers.append(writer)
        return writer

    yield open_
    for writer in writers:
        writer.close(1, "test", {})


def exchange(body: str = "大桥通车", url: str = URL, status: str = "200 OK") -> Exchange:
    """Return an exchange of a small page."""
    raw = body.encode("gb18030")
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    return Exchange(url, f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(), head + raw, T0, "127.0.0.1")


def article(capture: Capture, **changes: Any) -> Article:
    """Return an article as extraction would find it in the capture."""
    fields: dict[str, Any] = {
        "article_id": 7,
        "url": capture.url,
        "capture_id": capture.id,
        "title": "大桥通车",
        "published_text": "2024-5-6 8:09:10",
        "paragraphs": ["芜湖长江大桥通车。"],
        "views": 7,
        **changes,
    }
    return Article(**fields)


def in_file(writer: ArchiveWriter) -> list[Record]:
    """Return the whole records that another process would find in the open WARC file now."""
    (path,) = writer.paths.warc.glob("*.open")
    return list(iter_records(path))


def stored(writer: ArchiveWriter, query: str) -> list[tuple[Any, ...]]:
    """Return what another process would find in the database now."""
    return rows(writer.paths.root, query)


# --- the order of writes ---


def test_a_record_is_in_the_file_before_record_returns(open_writer: Open) -> None:
    writer = open_writer()
    capture = writer.record(exchange())
    (path,) = writer.paths.warc.glob(f"{capture.warc_file}.open")
    record = read_record(path, capture.offset)
    assert (record.record_id, record.length, record.url) == (capture.record_id, capture.length, URL)
    assert record.block == exchange().received
    assert [record.type for record in in_file(writer)] == ["warcinfo", "response", "request"]


def test_the_database_follows_only_at_the_commit(open_writer: Open) -> None:
    writer = open_writer()
    writer.persist(article(writer.record(exchange())))
    assert stored(writer, "SELECT count(*) FROM capture") == [(0,)]
    writer.commit()
    assert stored(writer, "SELECT id, url FROM capture") == [(1, URL)]
    assert stored(writer, "SELECT url, outcome FROM outcome") == [(URL, "captured")]
    assert stored(writer, "SELECT title FROM article_version") == [("大桥通车",)]


def test_what_was_not_committed_is_taken_in_by_the_next_writer(open_writer: Open) -> None:
    writer = open_writer()
    writer.record(exchange())
    writer.commit()
    lost = writer.record(exchange(url=URL + "8"))
    writer.broken = StorageError("as if the process had died")
    writer.close(13, "test", {})
    again = open_writer()
    assert again.record(exchange(url=URL + "9")).id == 3
    assert (again.recovered.captures, again.recovered.torn) == (1, [])
    assert stored(again, "SELECT record_id, url FROM capture WHERE id = 2") == [(lost.record_id, lost.url)]


def test_what_was_committed_and_not_come_to_is_taken_in_too(open_writer: Open) -> None:
    """The database had followed the file to its end: then there is no record to play, but a page to read."""
    writer = open_writer()
    writer.record(exchange())
    writer.commit()
    writer.broken = StorageError("as if the process had died")
    writer.close(13, "test", {})
    again = open_writer(crawl_id=writer.crawl_id)
    assert again.recovered.adopted == 1
    # Before anything new is written, so that the page is not asked for again.
    assert stored(again, "SELECT url, capture_id FROM outcome") == [(URL, 1)]


def test_a_commit_after_so_many_pages(open_writer: Open) -> None:
    writer = open_writer(commit_pages=4)
    for number in range(2):  # a capture and its outcome count each
        assert stored(writer, "SELECT count(*) FROM capture") == [(0,)]
        capture = writer.record(exchange(url=f"{URL}{number}"))
        writer.persist(article(capture, article_id=70 + number))
    assert stored(writer, "SELECT count(*) FROM capture") == [(2,)]


def test_a_commit_after_so_many_seconds(open_writer: Open) -> None:
    writer = open_writer(commit_seconds=0.0)
    writer.record(exchange())
    assert stored(writer, "SELECT count(*) FROM capture") == [(0,)]
    writer.tick()
    assert stored(writer, "SELECT count(*) FROM capture") == [(1,)]


def test_close_commits_and_names_the_file(open_writer: Open) -> None:
    writer = open_writer()
    capture = writer.record(exchange())
    writer.close(0, "finished", {"captures": 1})
    assert [path.name for path in writer.paths.warc.iterdir()] == [capture.warc_file]
    assert rows(writer.paths.root, "SELECT exit_code, reason FROM run") == [(0, "finished")]
    assert rows(writer.paths.root, "SELECT status FROM crawl") == [("finished",)]
    assert rows(writer.paths.root, "SELECT count(*) FROM capture") == [(1,)]


@pytest.mark.parametrize(("code", "status"), [(0, "finished"), (1, "failed"), (5, "interrupted"), (10, "interrupted")])
def test_how_a_crawl_ends(open_writer: Open, code: int, status: str) -> None:
    writer = open_writer()
    writer.close(code, "test", {})
    assert rows(writer.paths.root, "SELECT status FROM crawl") == [(status,)]


def test_files_rotate_and_later_crawls_go_on_counting(open_writer: Open) -> None:
    writer = open_writer(warc_max_size=1)
    first = [writer.record(exchange(url=f"{URL}{number}")).warc_file for number in range(3)]
    assert len(set(first)) == 3
    writer.close(0, "finished", {})
    second = open_writer().record(exchange())
    assert second.id == 4
    assert [int(name.split("-")[-2]) for name in [*first, second.warc_file]] == [2, 3, 4, 6]  # 1 and 5 hold no capture


# --- what becomes of a page ---


def test_the_same_payload_is_a_revisit(open_writer: Open) -> None:
    writer = open_writer()
    first = writer.record(exchange())
    writer.persist(article(first))
    again = writer.record(exchange(url=URL + "&x=1"))  # even before the first is committed
    assert (again.record_type, again.refers_to, again.payload_digest) == ("revisit", first.record_id, first.payload_digest)
    writer.close(0, "finished", {})
    writer = open_writer()
    third = writer.record(exchange())
    writer.persist(article(third, views=8))
    writer.commit()
    assert (third.record_type, third.refers_to) == ("revisit", first.record_id)
    # The newer crawl's ID sorts behind.
    assert stored(writer, "SELECT outcome FROM outcome ORDER BY crawl_id DESC LIMIT 1") == [("revisit",)]
    assert stored(writer, "SELECT versions FROM article") == [(1,)]
    assert stored(writer, "SELECT views FROM view_observation ORDER BY capture_id") == [(7,), (8,)]


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "302 Object moved"])
def test_only_good_answers_are_told_as_revisits(open_writer: Open, status: str) -> None:
    writer = open_writer()
    kinds = [writer.record(exchange(status=status)).record_type for _ in range(2)]
    assert kinds == ["response", "response"]


def test_a_change_makes_a_version_and_views_do_not(open_writer: Open) -> None:
    writer = open_writer()
    for body, changes in (
        ("一", {}),
        ("二", {"views": 900}),
        ("三", {"paragraphs": ["更正。"]}),
        ("四", {"paragraphs": ["更正。"], "credits": [Credit(role="reporter", name="田龙", text="记者田龙")]}),
    ):
        writer.persist(article(writer.record(exchange(body)), **changes))
    writer.commit()
    assert stored(writer, "SELECT versions FROM article") == [(3,)]
    assert stored(writer, "SELECT number, capture_id FROM article_version ORDER BY number") == [(1, 1), (2, 3), (3, 4)]
    assert {name: writer.counts[f"articles/{name}"] for name in ("new", "changed", "unchanged")} == {
        "new": 1,
        "changed": 2,
        "unchanged": 1,
    }


def test_a_truncated_article_makes_no_version(open_writer: Open) -> None:
    writer = open_writer()
    writer.persist(article(writer.record(exchange(), truncated="disconnect")))
    writer.commit()
    assert stored(writer, "SELECT outcome, reason FROM outcome") == [("truncated", "disconnect")]
    assert stored(writer, "SELECT count(*) FROM article_version") == [(0,)]
    assert stored(writer, "SELECT count(*) FROM article") == [(0,)]


@pytest.mark.parametrize(
    ("kind", "outcome"), [("missing", "missing"), ("error", "failed"), ("blocked", "blocked"), ("other", "captured")]
)
def test_the_outcome_of_other_pages(open_writer: Open, kind: Any, outcome: str) -> None:
    writer = open_writer()
    capture = writer.record(exchange())
    writer.persist(OtherPage(kind=kind, url=URL, capture_id=capture.id, reason="so it says"))
    writer.commit()
    assert stored(writer, "SELECT outcome FROM outcome") == [(outcome,)]
    assert stored(writer, "SELECT count(*) FROM article") == [(0,)]


def test_a_listing_is_captured(open_writer: Open) -> None:
    writer = open_writer()
    writer.persist(Listing(url=URL, capture_id=writer.record(exchange()).id))
    writer.commit()
    assert stored(writer, "SELECT page_kind FROM capture") == [("listing",)]


def test_an_outcome_without_a_capture_is_in_the_warc_too(open_writer: Open) -> None:
    writer = open_writer()
    writer.outcome(Outcome(url=URL, outcome="postponed", reason="HTTP 503", until=T0, via="http://127.0.0.1/"))
    record = in_file(writer)[-1]
    assert (record.type, record.url) == ("metadata", URL)
    told = dict(record.fields)
    assert (told["outcome"], told["reason"], told["via"]) == ("postponed", "HTTP 503", "http://127.0.0.1/")
    assert datetime.fromisoformat(told["until"]) == T0
    writer.commit()
    assert stored(writer, "SELECT outcome, reason, capture_id FROM outcome") == [("postponed", "HTTP 503", None)]


def test_a_later_outcome_replaces_an_earlier(open_writer: Open) -> None:
    writer = open_writer()
    writer.outcome(Outcome(url=URL, outcome="failed", reason="timeout"))
    writer.commit()
    writer.persist(article(writer.record(exchange())))
    writer.commit()
    assert stored(writer, "SELECT outcome, reason FROM outcome") == [("captured", None)]


def test_a_page_of_an_unknown_capture_is_refused(open_writer: Open) -> None:
    writer = open_writer()
    capture = writer.record(exchange())
    with pytest.raises((StorageError, KeyError)):
        writer.persist(article(capture, capture_id=99))


# --- resuming ---


def test_a_resumed_crawl_knows_a_url_in_any_spelling(open_writer: Open) -> None:
    first = open_writer()
    had, failed = first.record(exchange(url="http://127.0.0.1/news/Info.asp?ID=7")), "http://127.0.0.1/news/Info.asp?ID=8"
    first.persist(article(had))
    first.outcome(Outcome(url=failed, outcome="failed", reason="timeout"))
    first.close(10, "shutdown", {})
    again = open_writer(crawl_id=first.crawl_id)
    assert again.retrieve("http://127.0.0.1/NEWS/info.asp?id=7") == had
    assert again.retrieve("http://127.0.0.1/news/info.asp?id=8") is None
    again.outcome(Outcome(url="http://127.0.0.1/news/info.asp?id=8", outcome="failed", reason="reset"))
    again.commit()
    assert stored(again, "SELECT url, reason FROM outcome WHERE outcome = 'failed'") == [(failed, "reset")]


@pytest.mark.parametrize("came_to_the_article", [True, False])
def test_a_resumed_crawl_takes_no_redirect_for_the_article_it_leads_to(open_writer: Open, came_to_the_article: bool) -> None:
    old, new = "http://127.0.0.1/news/Info.asp?ID=7&from=home", "http://127.0.0.1/news/Info.asp?ID=7"
    portal = replace(PORTAL, article_url="http://127.0.0.1/news/Info.asp?ID={id}")
    first = open_writer(portal=portal)
    moved = first.record(exchange("", old, f"302 Found\r\nLocation: {new}"))
    first.outcome(Outcome(url=old, outcome="captured", reason=f"redirect to {new}", capture_id=moved.id))
    if came_to_the_article:
        first.persist(article(first.record(exchange(url=new))))
    first.close(10, "shutdown", {})
    again = open_writer(crawl_id=first.crawl_id, portal=portal)
    found, there = again.retrieve(old), again.retrieve(new)
    if came_to_the_article:
        assert found is not None and there is not None and found.url == there.url == new
    else:
        assert found == moved and there is None


def test_only_a_resumed_crawl_answers_from_its_captures(open_writer: Open) -> None:
    writer = open_writer()
    writer.persist(article(writer.record(exchange())))
    writer.outcome(Outcome(url=URL + "8", outcome="postponed", reason="HTTP 503"))
    writer.commit()
    assert writer.retrieve(URL) is None
    writer.close(10, "shutdown", {})
    again = open_writer(crawl_id=writer.crawl_id)
    found = again.retrieve(URL)
    assert found is not None
    assert found.id == 1
    assert again.retrieve(URL + "8") is None
    assert stored(again, "SELECT count(*) FROM crawl") == [(1,)]
    assert stored(again, "SELECT count(*) FROM run") == [(2,)]
    again.close(0, "finished", {})
    assert open_writer().retrieve(URL) is None


# --- the lock ---


def test_the_lock_names_its_holder_and_is_given_back(open_writer: Open) -> None:
    writer = open_writer()
    with pytest.raises(ArchiveInUse, match=str(os.getpid())):
        open_writer()
    writer.close(0, "finished", {})
    assert open_writer().run_id == 2


def test_a_dead_process_holds_no_lock(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from wuhu_crawler.paths import ArchiveLock\n"
        "lock = ArchiveLock(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode < 0
    assert (tmp_path / "archive.lock").read_text().strip().isdigit()
    ArchiveLock(tmp_path).release()


def test_readers_need_no_lock(open_writer: Open) -> None:
    writer = open_writer()
    assert stored(writer, "SELECT status FROM crawl") == [("running",)]


# --- what cannot be written ---


def test_a_storage_error_is_final(open_writer: Open) -> None:
    writer = open_writer()
    capture = writer.record(exchange())
    with closing(sqlite3.connect(writer.paths.root / "archive.db")) as database:
        database.execute("DROP TABLE outcome")
    with pytest.raises(StorageError) as first:
        writer.persist(article(capture))
        writer.commit()
    before = in_file(writer)
    for call in (
        lambda: writer.record(exchange("anders")),
        lambda: writer.persist(article(capture)),
        lambda: writer.outcome(Outcome(url=URL, outcome="failed")),
        writer.commit,
    ):
        with pytest.raises(StorageError) as again:
            call()
        assert again.value is first.value
    assert writer.broken is first.value
    writer.close(13, "storage error", {})
    assert rows(writer.paths.root, "SELECT count(*) FROM capture") == [(0,)]
    assert [record.record_id for record in before] == [record.record_id for record in in_file(writer)]


def test_a_full_disk_is_out_of_space_and_leaves_whole_records(tmp_path: Path) -> None:
    program = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from test_ingest import PORTAL, URL, exchange
from wuhu_crawler.errors import OutOfSpace
from wuhu_crawler.ingest import ArchiveWriter
from wuhu_crawler.paths import ArchivePaths
paths = ArchivePaths.of(sys.argv[1])
writer = ArchiveWriter.open(paths, PORTAL, job="wuhu", settings={}, operator=None, argv=[], commit_seconds=600)
(path,) = writer.paths.warc.iterdir()
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 2500,) * 2)
for number in range(100):
    try:
        writer.record(exchange("".join(chr(0x4E00 + (number * 977 + n * 31) % 20000) for n in range(200)), f"{URL}{number}"))
    except OutOfSpace as error:
        print(number, error.exit_code, error)
        break
writer.close(11, "full", {})
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "archive"), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    number, code, sentence = ended.stdout.split(" ", 2)
    assert (code, "resume" in sentence) == ("11", True)
    (path,) = (tmp_path / "archive" / "warc").iterdir()
    records = list(iter_records(path))
    assert [record.type for record in records].count("request") == int(number) > 0
    assert rows(tmp_path / "archive", "SELECT count(*) FROM capture") == [(0,)]


def test_an_archive_that_cannot_be_opened_leaves_no_lock(tmp_path: Path, open_writer: Open) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "warc").write_text("in the way")
    with pytest.raises(StorageError, match="archive"):
        open_writer()
    (folder / "warc").unlink()
    assert open_writer().record(exchange()).id == 1


def test_a_folder_that_is_a_file(tmp_path: Path, open_writer: Open) -> None:
    (tmp_path / "archive").write_text("in the way")
    with pytest.raises(StorageError, match="archive"):
        open_writer()


def test_a_database_of_the_future_is_refused(tmp_path: Path, open_writer: Open) -> None:
    open_writer().close(0, "finished", {})
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    with pytest.raises(UsageError, match="9999"):
        open_writer()
    ArchiveLock(tmp_path / "archive").release()


# --- paths ---


@pytest.mark.parametrize(
    ("environ", "root", "database"),
    [
        ({}, "data", "sqlite:///data/archive.db"),
        ({"WUHU_DATA_DIR": "", "WUHU_DATABASE_URL": ""}, "data", "sqlite:///data/archive.db"),
        ({"WUHU_DATA_DIR": "/srv/wuhu"}, "/srv/wuhu", "sqlite:////srv/wuhu/archive.db"),
        ({"WUHU_DATA_DIR": "/srv/wuhu", "WUHU_DATABASE_URL": "sqlite:////var/x.db"}, "/srv/wuhu", "sqlite:////var/x.db"),
    ],
)
def test_paths_from_the_environment(environ: dict[str, str], root: str, database: str) -> None:
    paths = ArchivePaths.from_environment(environ)
    assert (str(paths.root), paths.database_url) == (root, database)
    assert {paths.warc.parent, paths.quarantine.parent, paths.reports.parent} == {Path(root)}


def test_the_database_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    paths = ArchivePaths.of(tmp_path / "archive", f"sqlite:///{tmp_path / 'elsewhere' / 'a.db'}")
    writer = ArchiveWriter.open(paths, PORTAL, job="wuhu", settings={}, operator=None, argv=[])
    writer.close(0, "finished", {})
    assert (tmp_path / "elsewhere" / "a.db").exists()
    assert not (tmp_path / "archive" / "archive.db").exists()


# --- validate and dates ---


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"capture_id": None}, "capture_id"),
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"views": -1}, "views"),
    ],
)
def test_what_may_not_be_stored(changes: dict[str, Any], word: str) -> None:
    item = Article(**{"article_id": 7, "url": URL, "capture_id": 1, "title": "大桥通车", **changes})
    with pytest.raises(InvalidItem, match=word) as refused:
        validate(item)
    assert URL in str(refused.value)


@pytest.mark.parametrize(
    "item",
    [
        Article(article_id=7, url=URL, capture_id=1, title="大桥通车"),
        Article(article_id=7, url=URL, capture_id=1, title="大桥通车", views=0),
        Listing(url=URL, capture_id=1),
        OtherPage(kind="missing", url=URL, capture_id=1, reason="soft 404"),
    ],
)
def test_what_may_be_stored(item: Any) -> None:
    assert validate(item) is item


def test_an_article_without_a_number_is_another_page() -> None:
    item = validate(Article(url="http://127.0.0.1/print.asp", capture_id=1, title="大桥通车", paragraphs=["一", "二"]))
    assert isinstance(item, OtherPage)
    assert (item.kind, item.capture_id, item.title, item.text) == ("other", 1, "大桥通车", "一\n二")


CAPTURED = datetime(2024, 5, 6, 17, 0, tzinfo=UTC)  # the 7th, 01:00, in Wuhu
PUBLISHED = {
    "2024-4-30 9:20:19": ("2024-04-30T09:20:19+08:00", "second"),
    "2024/04/30 09:20": ("2024-04-30T09:20:00+08:00", "minute"),
    "2024年4月30日": ("2024-04-30T00:00:00+08:00", "day"),
    "2024-4-30 下午 3:05:00": ("2024-04-30T15:05:00+08:00", "second"),
    "２０２４年４月３０日": ("2024-04-30T00:00:00+08:00", "day"),
    "2024-04-30T09:20:19Z": ("2024-04-30T17:20:19+08:00", "second"),
    "今天 00:30": ("2024-05-07T00:30:00+08:00", "minute"),
    "昨天": ("2024-05-06T00:00:00+08:00", "day"),
    None: (None, None),
    "": (None, None),
    "04-30": (None, None),
    "2024-13-01": (None, None),
    "2024-2-30": (None, None),
    "2013 年 6 月": (None, None),
    "2042-4-30": (None, None),
    "1024-4-30": (None, None),
    "4月20日 18:10": (None, None),
    "近日": (None, None),
}


@pytest.mark.parametrize("words", PUBLISHED)
def test_published(words: str | None) -> None:
    item = Article(url=URL, published_text=words)
    normalize_dates(item, PORTAL, CAPTURED)
    found = item.published_at.isoformat() if item.published_at else None
    assert (found, item.published_precision) == PUBLISHED[words]


def test_a_wrong_date_is_not_kept_from_before() -> None:
    item = Article(url=URL, published_text="近日", published_at=CAPTURED, published_precision="second")
    item.source_date = date(2020, 1, 1)
    normalize_dates(item, PORTAL, CAPTURED)
    assert (item.published_at, item.published_precision, item.source_date) == (None, None, None)


@pytest.mark.parametrize(
    ("words", "day"),
    [("2023/10/1", date(2023, 10, 1)), ("12-31", date(2023, 12, 31)), ("5-7", date(2024, 5, 7)), ("2-30", None), (None, None)],
)
def test_source_dates(words: str | None, day: date | None) -> None:
    item = Article(url=URL, source_date_text=words)
    normalize_dates(item, PORTAL, CAPTURED)
    assert item.source_date == day
