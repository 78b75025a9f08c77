"""The schedule at work: real crawls of a small portal, started by the daemon, with a clock that jumps over the waits."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT, Page, Site, Story, answer, crawl, environment, listing, program, rows, serving

from wuhu_crawler.cli.runs import logs
from wuhu_crawler.cli.runs import runs as runs_command
from wuhu_crawler.cli.schedule import schedule
from wuhu_crawler.errors import ArchiveInUse
from wuhu_crawler.paths import ArchiveLock, ArchivePaths
from wuhu_crawler.schedule.daemon import Daemon
from wuhu_crawler.schedule.timekeeper import Simulated

# Noon in Shanghai; the walk of the small portal is due daily at 01:00 there, which is 17:00 UTC.
NOON = datetime(2024, 6, 5, 4, tzinfo=UTC)
OTHERS_OFF = "".join(f"[jobs.{name}]\nenabled = false\n" for name in ("recheck", "gaps", "verify"))
ARTICLES = range(1, 4)


def pages() -> dict[str, Page]:
    links = {f"/news/Info.asp?ID={number}": f"第{number}篇" for number in ARTICLES}
    stories: dict[str, Page] = {url: Story(number, f"第{number}篇").page() for number, url in zip(ARTICLES, links, strict=True)}
    return {"/": listing(links), **stories}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(pages()) as served:
        yield served


def collection(folder: Path, site: Site, more: str = "") -> Path:
    """Write the collection file of an archive in `folder`, and the portal's profile beside it."""
    site.profile(folder)
    file = folder / "wuhu.toml"
    file.write_text(f'portals = ["small.toml"]\n{OTHERS_OFF}[jobs.walk]\n{more}', encoding="utf-8")
    return file


class Scheduled:
    """A daemon on an archive in `folder`, at a time of its own; `lines` is what it told."""

    def __init__(self, folder: Path, file: Path, begins: datetime = NOON) -> None:
        self.folder, self.lines, self.time = folder, list[str](), Simulated(begins)
        self._file = file

    def open(self) -> Daemon:
        return Daemon(ArchivePaths.of(self.folder), self._file, self.time, self.lines.append)

    def run(self, **span: float) -> list[tuple[Any, ...]]:
        with self.open() as daemon:
            daemon.run(self.time.now() + timedelta(**span))
        return runs(self.folder)


def runs(folder: Path) -> list[tuple[Any, ...]]:
    return rows(folder, "SELECT job, portal, due_at, resumed, status, goes_on, exit_code FROM job_run ORDER BY id")


def articles(folder: Path) -> list[int]:
    return [number for (number,) in rows(folder, "SELECT article_id FROM article ORDER BY article_id")]


def killing(folder: Path, story: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a page that kills the crawl that asks for it first, without warning, and then is as any other."""
    killed: list[int] = []

    def page(handler: BaseHTTPRequestHandler) -> None:
        if not killed:
            killed.append(rows(folder, "SELECT pid FROM job_run WHERE status = 'running'")[0][0])
            os.kill(killed[0], signal.SIGKILL)
        answer(handler, 200, story)

    return page


def test_a_day_and_a_missed_week(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled = Scheduled(tmp_path, collection(tmp_path, site))
    assert scheduled.run(hours=12) == []  # what it was due before it was first seen is not caught up
    assert scheduled.run(hours=6) == [("walk", "small", "2024-06-05T17:00:00.000000Z", 0, "done", None, 0)]
    assert articles(tmp_path) == list(ARTICLES)
    scheduled.time.wait(7 * 86400)
    assert [run[2] for run in scheduled.run(hours=6)] == ["2024-06-05T17:00:00.000000Z", "2024-06-12T17:00:00.000000Z"]
    log = (tmp_path / "logs" / "000001-walk-small.log").read_text(encoding="utf-8")
    assert "3 articles (3 new, 0 changed, 0 unchanged)" in log
    assert scheduled.lines[0] == "run 1, walk of small: begins, due 2024-06-06 01:00"
    # The ledger has them, and a crawl that is started by hand.
    assert crawl(tmp_path, tmp_path / "small.toml").returncode == 0
    monkeypatch.setenv("WUHU_DATA_DIR", str(tmp_path))
    listed = json.loads(CliRunner().invoke(runs_command, ["--json"]).stdout)
    assert [(run["number"], run["job"], run["do"], run["status"]) for run in listed] == [
        ("c3", None, "wuhu", "done"),
        ("2", "walk", "walk", "done"),
        ("1", "walk", "walk", "done"),
    ]
    assert [run["crawl_id"] is not None for run in listed] == [True] * 3
    assert CliRunner().invoke(logs, ["1"]).stdout == log
    assert CliRunner().invoke(logs, ["1", "--tail", "1"]).stdout == log.splitlines(keepends=True)[-1]
    assert "started by hand writes to its terminal" in str(CliRunner().invoke(logs, ["c3"]).exception)
    shown = CliRunner().invoke(runs_command, ["--job", "walk", "--since", "2024-06-10"])
    assert [line.split()[:3] for line in shown.stdout.splitlines()[1:]] == [["2", "walk", "small"]]


def test_a_killed_run_is_gone_on_with(tmp_path: Path, site: Site) -> None:
    site.pages["/news/Info.asp?ID=3"] = killing(tmp_path, Story(3, "第3篇").page())
    scheduled = Scheduled(tmp_path, collection(tmp_path, site))
    scheduled.run(hours=1)
    due = "2024-06-05T17:00:00.000000Z"
    assert scheduled.run(hours=14) == [
        ("walk", "small", due, 0, "killed", "now", -9),
        ("walk", "small", due, 1, "done", None, 0),
    ]
    assert articles(tmp_path) == list(ARTICLES)
    assert rows(tmp_path, "SELECT count(*), min(status) FROM crawl") == [(1, "finished")]
    assert site.log.count("/news/Info.asp?ID=1") <= 2


def test_a_window_ends_a_run_and_the_next_goes_on(tmp_path: Path, site: Site) -> None:
    slow: list[float] = [6.0]

    def page(handler: BaseHTTPRequestHandler) -> None:
        sleep(slow.pop() if slow else 0)
        answer(handler, 200, Story(2, "第2篇").page())

    site.pages["/news/Info.asp?ID=2"] = page
    file = collection(tmp_path, site, 'when = "daily 12:00"\nwindow = "12:00-12:01"\n')
    scheduled = Scheduled(tmp_path, file, NOON - timedelta(minutes=1))
    scheduled.run(seconds=1)
    scheduled.time.wait(60 + 57 - 1)  # three seconds before the window closes
    first, second, third = scheduled.run(hours=25)
    assert first[3:] == (0, "interrupted", "now", 10)
    assert second[2:] == (first[2], 1, "done", None, 0)
    assert third[2:] == ("2024-06-06T04:00:00.000000Z", 0, "done", None, 0)  # what was due that day comes after
    assert "its window closed" in "".join(scheduled.lines)
    assert articles(tmp_path) == list(ARTICLES)


def test_a_writer_started_by_hand_is_waited_for(tmp_path: Path, site: Site) -> None:
    scheduled = Scheduled(tmp_path, collection(tmp_path, site))
    scheduled.run(hours=1)
    lock, waited = ArchiveLock(tmp_path), list[float]()
    wait = scheduled.time.wait

    def released(seconds: float) -> None:
        if seconds == 60:  # what the daemon waits for a busy archive
            waited.append(seconds)
            if len(waited) == 3:
                lock.release()
        wait(seconds)

    scheduled.time.wait = released  # type: ignore[method-assign]
    found = scheduled.run(hours=14)
    assert [run[3:] for run in found] == [(0, "done", None, 0)]
    assert scheduled.lines[0] == f"walk is due and waits for process {os.getpid()}, which has the archive open"
    assert "begins" in scheduled.lines[1]


def test_a_resume_that_met_another_writer_is_a_resume_still(tmp_path: Path, site: Site) -> None:
    """The writer may come between the daemon's look and the crawl's: then the crawl itself ends with exit code 12."""
    site.pages["/news/Info.asp?ID=3"] = killing(tmp_path, Story(3, "第3篇").page())
    scheduled = Scheduled(tmp_path, collection(tmp_path, site))
    scheduled.run(hours=1)
    with scheduled.open() as daemon:
        held: list[ArchiveLock] = []
        looked = daemon._is_busy

        def late(turn: Any) -> bool:
            busy = looked(turn)
            if turn.resumes and not held:
                held.append(ArchiveLock(tmp_path))
            return busy

        wait = scheduled.time.wait

        def released(seconds: float) -> None:
            if held and seconds == 60:
                held[0].release()
            wait(seconds)

        daemon._is_busy = late  # type: ignore[method-assign]
        scheduled.time.wait = released  # type: ignore[method-assign]
        daemon.run(scheduled.time.now() + timedelta(hours=14))
    assert [run[3:] for run in runs(tmp_path)] == [
        (0, "killed", "now", -9),
        (1, "interrupted", None, 12),
        (1, "done", None, 0),
    ]
    assert rows(tmp_path, "SELECT count(*), min(status) FROM crawl") == [(1, "finished")]


def test_one_daemon_an_archive(tmp_path: Path, site: Site) -> None:
    scheduled = Scheduled(tmp_path, collection(tmp_path, site))
    with scheduled.open(), pytest.raises(ArchiveInUse, match=f"schedule of the archive .* process {os.getpid()}"):
        scheduled.open()


def test_a_broken_collection_file_is_told_and_does_no_harm(tmp_path: Path, site: Site) -> None:
    file = collection(tmp_path, site)
    scheduled = Scheduled(tmp_path, file)
    with scheduled.open() as daemon:
        file.write_text("portals = 5\n", encoding="utf-8")
        os.utime(file, (1, 1))
        daemon.run(scheduled.time.now() + timedelta(hours=1))
        assert [turn.job.name for turn in daemon.coming()] == ["walk"]
        assert "going on with what the file said before" in scheduled.lines[0]
        collection(tmp_path, site, 'when = "daily 12:30"\n')
        daemon.run(scheduled.time.now() + timedelta(hours=1))
    assert scheduled.lines[1].endswith("was read again")


def test_the_program_is_stopped_and_goes_on(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wuhu schedule run`, as systemd would start and stop it."""
    held = [True]

    def page(handler: BaseHTTPRequestHandler) -> None:
        if held and held.pop():
            daemon.send_signal(signal.SIGTERM)
            sleep(0.3)
        answer(handler, 200, Story(2, "第2篇").page())

    site.pages["/news/Info.asp?ID=2"] = page
    file = collection(tmp_path, site, 'when = "every minute"\n')
    Scheduled(tmp_path, file, datetime.now(UTC) - timedelta(minutes=2)).run(seconds=1)  # so that one is due by now
    command = [program("wuhu"), "schedule", "run", "--due", "--file", str(file)]
    daemon = subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
    told = daemon.communicate(timeout=60)[1]
    assert daemon.returncode == 10, told
    assert "stopped by SIGTERM" in told
    assert [run[3:] for run in runs(tmp_path)] == [(0, "interrupted", "now", 10)]
    again = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert again.returncode == 0, again.stderr
    assert runs(tmp_path)[1][3:] == (1, "done", None, 0)
    assert articles(tmp_path) == list(ARTICLES)
    monkeypatch.setenv("WUHU_DATA_DIR", str(tmp_path))
    listed = CliRunner().invoke(schedule, ["list", "--json", "--file", str(file)])
    assert [turn["words"] for turn in json.loads(listed.stdout)] == ["every minute"]


@pytest.mark.parametrize("alive", [False, True], ids=["gone", "its number is another process's"])
def test_a_run_left_behind_by_a_killed_daemon(tmp_path: Path, site: Site, alive: bool) -> None:
    """As after a power cut: nobody may wait for a process that only has the number of the one that is gone."""
    scheduled = Scheduled(tmp_path, collection(tmp_path, site))
    scheduled.run(hours=1)
    with subprocess.Popen(["true"]) as gone:
        pass
    started = (
        "INSERT INTO job_run (id, job, do, portal, due_at, resumed, started_at, status, pid, argv) "
        "VALUES (1, 'walk', 'walk', 'small', :at, 0, :at, 'running', :pid, '[\"scrapy\"]')"
    )
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        connection.execute(started, {"at": "2024-06-04T17:00:00.000000Z", "pid": os.getpid() if alive else gone.pid})
        connection.commit()
    found = scheduled.run(minutes=30)
    assert [run[3:] for run in found] == [(0, "killed", "now", None), (1, "done", None, 0)]


def test_a_run_that_outlived_its_daemon(tmp_path: Path, site: Site) -> None:
    """The daemon is killed, its crawl goes on to its end: the next daemon waits for it, and knows how it ended."""
    held = [True]

    def page(handler: BaseHTTPRequestHandler) -> None:
        if held and held.pop():
            daemon.kill()
        sleep(0.3)
        answer(handler, 200, Story(2, "第2篇").page())

    site.pages["/news/Info.asp?ID=2"] = page
    file = collection(tmp_path, site, 'when = "every hour"\n')
    Scheduled(tmp_path, file, datetime.now(UTC) - timedelta(minutes=90)).run(seconds=1)  # so that one is due by now
    command = [program("wuhu"), "schedule", "run", "--due", "--file", str(file)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path), stderr=subprocess.DEVNULL) as daemon:
        pass
    again = Scheduled(tmp_path, file, datetime.now(UTC))
    again.time.wait = lambda seconds: sleep(0.05)  # type: ignore[method-assign]
    with again.open():
        pass
    assert "of an earlier daemon is at work as process" in again.lines[0]
    assert [run[3:] for run in runs(tmp_path)] == [(0, "done", None, 0)]
    assert articles(tmp_path) == list(ARTICLES)
