"""The database made again from the WARC files: the same rows as the live one after crawls with edits, a kill and a resume."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import warm
from conftest import PATIENCE, ROOT, crawl, environment, program, rows
from sqlalchemy import Connection

from wuhu_crawler.db import canonical, search
from wuhu_crawler.db.compare import compare
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.demo import server, truth
from wuhu_crawler.demo.edits import edited
from wuhu_crawler.errors import UsageError
from wuhu_crawler.rebuild import OfflineError, offline, rebuild
from wuhu_crawler.warc.reader import iter_records

SOME = ("-a", "category=教育信息", "-a", "full=1")
# So that a run has several files, which a kill leaves in several states.
SMALL_FILES = {"WUHU_WARC_MAX_SIZE": "40000"}


def wuhu(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `wuhu --data FOLDER ARGUMENTS` to its end."""
    return warm.text([program("wuhu"), "--data", str(folder), *arguments], env=environment(folder, more), timeout=PATIENCE)


@contextmanager
def reading(database: Path) -> Iterator[Connection]:
    """Open a database for reading."""
    engine = make_engine(f"sqlite:///{database}", readonly=True)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def reading_rows(database: Path, query: str) -> list[Any]:
    """Return the rows of a query."""
    with reading(database) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def dump(database: Path) -> list[str]:
    """Return the canonical dump of a database."""
    with reading(database) as connection:
        return list(canonical.lines(connection))


def killed(folder: Path, portal: server.Handle, requests: int) -> None:
    """Begin a crawl and kill it, without warning, once the portal has answered so many requests more."""
    answered = len(portal.log)
    command = [program("scrapy"), "crawl", "wuhu", "-a", "portal=demo", *SOME]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(folder, {"WUHU_DEMO_URL": portal.url, **SMALL_FILES}), stderr=subprocess.PIPE
    ) as run:
        while len(portal.log) < answered + requests:
            assert run.poll() is None, run.stderr.read() if run.stderr else ""
        run.send_signal(signal.SIGKILL)


@dataclass(frozen=True)
class Story:
    """An archive after three crawls with edits between them; the second was killed and resumed."""

    folder: Path
    fetched_twice: list[str]
    recovered: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Crawl a part of the bundled portal three times."""
    folder = tmp_path_factory.mktemp("story") / "archive"
    with server.start(latency_ms=5) as portal:
        assert crawl(folder, "demo", *SOME, WUHU_DEMO_URL=portal.url).returncode == 0
        portal.edit(1)
        second = len(portal.log)
        killed(folder, portal, 25)
        resumed = crawl(folder, "demo", *SOME, "-a", "resume=last", WUHU_DEMO_URL=portal.url, **SMALL_FILES)
        assert resumed.returncode == 0, resumed.stderr
        asked = [entry.url for entry in portal.log[second:]]
        portal.edit(2)
        assert crawl(folder, "demo", *SOME, WUHU_DEMO_URL=portal.url).returncode == 0
    yield Story(folder, [url for url in set(asked) if asked.count(url) > 1], resumed.stderr)


def test_what_a_killed_run_had_is_not_fetched_again(story: Story) -> None:
    assert len(story.fetched_twice) <= 4  # what was under way when it was killed: the profile's concurrency
    assert "Recovered " in story.recovered
    assert rows(story.folder, "SELECT status, count(*) FROM crawl GROUP BY 1") == [("finished", 3)]
    assert rows(story.folder, "SELECT crawl_id, url, count(*) FROM capture GROUP BY 1, 2 HAVING count(*) > 1") == []
    assert [path for path in (story.folder / "warc").iterdir() if path.name.endswith(".open")] == []


def test_edits_make_versions(story: Story) -> None:
    kept = dict(rows(story.folder, "SELECT article_id, versions FROM article"))
    worlds = [{row["article_id"]: row for row in truth.rows(edited(553, number))} for number in range(3)]
    told = ("title", "paragraphs", "credits", "published_text")
    for number, versions in kept.items():
        shown = [world[number] for world in worlds if world[number]["listed"]]
        distinct = [
            one
            for one, before in zip(shown, [None, *shown], strict=False)
            if before is None or any(one[k] != before[k] for k in told)
        ]
        assert versions == len(distinct), number


@pytest.fixture(scope="module")
def again(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive's database made again, elsewhere."""
    database = tmp_path_factory.mktemp("again") / "again.db"
    ended = wuhu(story.folder, "rebuild", "--to", str(database))
    assert ended.returncode == 0, ended.stderr
    return database


def test_the_rebuilt_database_is_the_live_one(story: Story, again: Path) -> None:
    assert dump(again) == dump(story.folder / "archive.db")
    printed = wuhu(story.folder, "db", "dump", "--canonical", WUHU_DATABASE_URL=f"sqlite:///{again}").stdout
    assert printed.splitlines() == dump(again)
    followed = dict(reading_rows(again, "SELECT name, committed FROM warc_file"))
    assert followed == {path.name: path.stat().st_size for path in (story.folder / "warc").iterdir()}
    assert wuhu(story.folder, "db", "check", WUHU_DATABASE_URL=f"sqlite:///{again}").stdout == "ok\n"


def test_a_rebuild_in_place_keeps_what_is_not_derived(story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(story.folder, folder)
    before, runs = dump(folder / "archive.db"), rows(folder, "SELECT * FROM run ORDER BY id")
    path = sorted((folder / "warc").iterdir())[-1]
    whole, last = path.read_bytes(), list(iter_records(path))[-1]
    half = whole[last.offset : last.offset + last.length // 2]
    opened = path.rename(path.with_name(f"{path.name}.open"))
    opened.chmod(0o644)
    opened.write_bytes(whole + half)
    ended = wuhu(folder, "rebuild")
    assert ended.returncode == 0, ended.stderr
    assert dump(folder / "archive.db") == before
    assert rows(folder, "SELECT * FROM run ORDER BY id") == runs
    assert sorted(path.name for path in folder.iterdir()) == [
        "archive.db",
        "archive.lock",
        "cdx",
        "manifest-sha256.txt",
        "quarantine",
        "reports",
        "warc",
    ]
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o777 == 0o444
    (report,) = (folder / "quarantine").glob("*.json")
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert (told["warc_file"], told["offset"], told["bytes"]) == (path.name, len(whole), len(half))
    assert (folder / "quarantine" / told["kept_as"]).read_bytes() == half


def test_a_search_finds_the_same(story: Story, again: Path) -> None:
    found = []
    for database in (story.folder / "archive.db", again):
        with reading(database) as connection:
            found.append({row["article_id"] for row in search.search(connection, "编辑部", 100)})
    assert found[0] == found[1] != set()


def test_compare_tells_what_would_change(story: Story, again: Path, tmp_path: Path) -> None:
    with reading(story.folder / "archive.db") as live, reading(again) as rebuilt:
        assert not compare(live, rebuilt)
    folder = tmp_path / "copy"
    shutil.copytree(story.folder, folder)
    with_other_rules(folder)
    before = dump(folder / "archive.db")
    ended = wuhu(folder, "rebuild", "--compare", "--json")
    assert ended.returncode == 4, ended.stderr
    found = json.loads(ended.stdout)
    assert found["fields"]["title"] == 1
    (example,) = [each for each in found["examples"] if each["field"] == "title"]
    assert example["old"] == '"以前的规则读出的题目"'
    assert dump(folder / "archive.db") == before


def with_other_rules(folder: Path) -> None:
    """Let the database hold a title that other rules than today's have read."""
    with sqlite3.connect(folder / "archive.db") as connection:
        (number,) = connection.execute("SELECT min(id) FROM article_version").fetchone()
        connection.execute("UPDATE article_version SET title = '以前的规则读出的题目' WHERE id = ?", (number,))
    connection.close()


def test_damage_stops_a_rebuild_and_may_be_left_out(story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(story.folder, folder)
    path = sorted((folder / "warc").iterdir())[0]
    hit = [record for record in iter_records(path) if record.type == "response"][20]
    path.chmod(0o644)
    raw = bytearray(path.read_bytes())
    raw[hit.offset + hit.length // 2] ^= 0xFF
    path.write_bytes(raw)
    before = dump(folder / "archive.db")
    ended = wuhu(folder, "rebuild")
    assert ended.returncode == 4
    assert f"{path.name} at {hit.offset}" in ended.stderr
    assert dump(folder / "archive.db") == before
    again = tmp_path / "again.db"
    assert len(rebuild(folder / "warc", again, index=False, skip_damaged=True).damage) == 1
    captures = [json.loads(line)["record_id"] for line in dump(again) if '"table":"capture"' in line]
    assert hit.record_id not in captures
    assert len(captures) == rows(folder, "SELECT count(*) FROM capture")[0][0] - 1


def test_a_file_that_does_not_say_what_it_is_may_be_left_out_too(story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(story.folder, folder)
    path = sorted((folder / "warc").iterdir())[0]
    path.chmod(0o644)
    raw = bytearray(path.read_bytes())
    raw[40] ^= 0xFF  # in the warcinfo record
    path.write_bytes(raw)
    ended = wuhu(folder, "rebuild")
    assert ended.returncode == 4
    assert f"{path.name} at 0" in ended.stderr
    again = tmp_path / "again.db"
    assert [each.warc_file for each in rebuild(folder / "warc", again, index=False, skip_damaged=True).damage] == [path.name]
    kept = {json.loads(line)["warc_file"] for line in dump(again) if '"table":"capture"' in line}
    assert kept == {other.name for other in path.parent.iterdir()} - {path.name}


def test_a_rebuild_has_no_network(demo_server: server.Handle) -> None:
    port = int(demo_server.url.rstrip("/").rpartition(":")[2])
    with offline(), pytest.raises(OfflineError):
        socket.create_connection(("127.0.0.1", port))
    socket.create_connection(("127.0.0.1", port)).close()


def test_a_rebuild_waits_for_no_writer(story: Story) -> None:
    holder = "import sys, time; from pathlib import Path; from wuhu_crawler.paths import ArchiveLock\n"
    holder += "lock = ArchiveLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holder, str(story.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        ended = wuhu(story.folder, "rebuild")
        assert (ended.returncode, str(process.pid) in ended.stderr) == (12, True)


def test_nothing_to_rebuild_from(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no WARC files"):
        rebuild(tmp_path / "empty", tmp_path / "x.db")
    assert not (tmp_path / "x.db").exists()
    assert wuhu(tmp_path, "rebuild").returncode == 2
