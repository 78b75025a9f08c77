"""The watcher of the simulated year notices what it is there to notice: an archive that does nothing misses everything."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ROOT, DemoCrawl

from wuhu_crawler.demo.life import Life

sys.path.insert(0, str(ROOT / "bench"))
import watch
import year

LIFE = Life.of()
DAYS = 32


# The evening of day 0.
EVENING = datetime(2024, 4, 30, 14, tzinfo=UTC)
NIGHTS = [EVENING + timedelta(days=day) for day in range(DAYS)]


@pytest.fixture
def idle(demo: DemoCrawl, tmp_path: Path) -> watch.Watch:
    """A watch over an archive of day 0, in a copy that a test may spoil; its clock is set to that day."""
    shutil.copy(demo.folder / "archive.db", tmp_path / "archive.db")
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        for table, column in (("capture", "captured_at"), ("article", "last_captured_at"), ("outcome", "at")):
            connection.execute(f"UPDATE {table} SET {column} = '2024-04-30T14:00:' || substr({column}, 18)")  # noqa: S608
        connection.commit()
    return watch.Watch(tmp_path, LIFE.world(0), NIGHTS, budget=50)


def pass_by(idle: watch.Watch, day: int) -> int:
    least, _ = idle.begin(day, LIFE.world(day), LIFE.events(day))
    idle.end(day, [], 0)
    return least


@pytest.mark.parametrize(
    ("url", "kind", "number"),
    [
        ("/", "seed", None),
        ("/news/Class.asp?ClassID=1&page=2", "listing", None),
        ("/NEWS/info.asp?id=12001", "article", 12001),
        ("/news/Info.asp?ID=12001&ArticlePage=1", "article", 12001),
        ("/news/Info.asp?ID=12001&ArticlePage=2", "part", 12001),
        ("/news/hits.asp?id=7", "counter", 7),
        ("/robots.txt", "robots", None),
        ("/images/logo.gif", "other", None),
    ],
)
def test_requests_are_told_apart(url: str, kind: str, number: int | None) -> None:
    assert (watch.kind_of(url), watch.number_of(url)) == (kind, number)


def test_a_right_archive_is_found_right(idle: watch.Watch) -> None:
    idle.end(0, [], 1)
    assert idle.found.wrong_versions == idle.found.false_versions == []
    assert idle.stale() == {"lacking": [], "differing": [], "gone though there": []}


def test_an_archive_that_does_nothing_misses_everything(idle: watch.Watch) -> None:
    idle.end(0, [], 1)
    for day in range(1, DAYS):
        assert pass_by(idle, day) >= 7, "a look at each listing"
    found, happened = idle.found, [event for day in range(1, DAYS) for event in LIFE.events(day)]
    assert found.new_same_night == 0
    assert len(found.new_late) == found.new > 40
    assert set(found.hidden_late) >= {o.id for o in LIFE.world(0).outlines() if not o.listed}
    assert found.edits > 10
    assert len(found.edits_late) >= 4
    assert found.removals_late
    assert found.edit_delays == found.removal_delays == []
    shown = {e.id for e in happened if e.what == "new" and e.listed} & set(LIFE.world(DAYS - 1).articles)
    assert shown <= set(idle.stale()["lacking"])


def test_a_version_nobody_wrote_and_one_that_is_wrong(idle: watch.Watch, tmp_path: Path) -> None:
    idle.end(0, [], 1)
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(article_version)") if row[1] not in ("id", "number")]
        columns = ", ".join(names)
        for title in ("title", "'另一个标题'"):
            values = columns.replace("title", title)
            connection.execute(
                f"INSERT INTO article_version (number, {columns}) SELECT (SELECT max(number) + 1 FROM article_version), "  # noqa: S608
                f"{values} FROM article_version WHERE id = (SELECT min(v.id) FROM article_version v WHERE NOT EXISTS "
                "(SELECT 1 FROM credit WHERE version_id = v.id))"
            )
        connection.commit()
    idle.end(0, [], 1)
    assert len(idle.found.false_versions) == len(idle.found.wrong_versions) == 1


def test_budgets_follow_the_size() -> None:
    small, full = year.parse(["--articles", "5000"]), year.parse(["--articles", "50000", "--recheck", "900"])
    assert (small.gaps, small.recheck) == (10, 70)
    assert (full.gaps, full.recheck) == (100, 900)
