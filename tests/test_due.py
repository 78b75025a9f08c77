"""What is due: missed runs once, windows, pauses, and what is gone on with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wuhu_crawler.schedule.collection import load
from wuhu_crawler.schedule.due import KILLS, Standing, Turn, bound, turns
from wuhu_crawler.schedule.jobs import Collection

# A Wednesday, noon in Shanghai; daily 01:00 there is 17:00 UTC the day before.
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
LAST, NEXT = datetime(2026, 11, 24, 17, tzinfo=UTC), datetime(2026, 11, 25, 17, tzinfo=UTC)
SETTLED = {("walk", "demo"): Standing(LAST), ("recheck", "demo"): Standing(LAST), ("verify", ""): Standing(LAST)}
ONLY_WALK = "[jobs.recheck]\nenabled = false\n[jobs.gaps]\nenabled = false\n[jobs.verify]\nenabled = false\n[jobs.walk]\n"


def collection(folder: Path, more: str = "", top: str = "") -> Collection:
    file = folder / "wuhu.toml"
    file.write_text(f'portals = ["demo"]\n{top}{ONLY_WALK}{more}', encoding="utf-8")
    return load(file)


def first(folder: Path, standing: Standing | None, more: str = "", top: str = "", free_at: datetime | None = None) -> Turn:
    standings = {} if standing is None else {("walk", "demo"): standing}
    return turns(collection(folder, more, top), standings, NOW, free_at)[0]


@pytest.mark.parametrize(
    ("standing", "due_at", "begins_at", "resumes"),
    [
        (None, NEXT, NEXT, False),  # a job first seen now: nothing was missed
        (Standing(LAST), NEXT, NEXT, False),
        (Standing(LAST - timedelta(days=1)), LAST, NOW, False),
        (Standing(LAST - timedelta(days=30)), LAST, NOW, False),  # caught up once, not thirty times
        (Standing(LAST, "now"), LAST, NOW, True),
        (Standing(LAST, "now", KILLS - 1), LAST, NOW, True),
        (Standing(LAST, "now", KILLS), NEXT, NEXT, True),  # what kills it each time waits until it is due
        (Standing(LAST, "due"), NEXT, NEXT, True),
        (Standing(LAST - timedelta(days=1), "due"), LAST, NOW, True),
    ],
)
def test_the_next_turn(tmp_path: Path, standing: Standing | None, due_at: datetime, begins_at: datetime, resumes: bool) -> None:
    found = first(tmp_path, standing)
    assert (found.due_at, found.begins_at, found.resumes) == (due_at, begins_at, resumes)


def test_a_closed_window_puts_off(tmp_path: Path) -> None:
    missed = Standing(LAST - timedelta(days=1))
    assert first(tmp_path, missed, 'window = "01:00-06:00"').begins_at == NEXT
    assert first(tmp_path, missed, 'window = "11:00-13:00"').begins_at == NOW
    assert first(tmp_path, missed, top='window = "13:00-14:00"\n').begins_at == NOW + timedelta(hours=1)


def test_a_pause_puts_off(tmp_path: Path) -> None:
    missed = Standing(LAST - timedelta(days=1))
    ended = NOW - timedelta(minutes=3)
    assert first(tmp_path, missed, top='pause = "10m"\n', free_at=ended).begins_at == NOW + timedelta(minutes=7)
    assert first(tmp_path, missed, top='pause = "2m"\n', free_at=ended).begins_at == NOW


def test_what_comes_first_is_in_front(tmp_path: Path) -> None:
    file = tmp_path / "wuhu.toml"
    file.write_text('portals = ["demo"]\n[jobs.verify]\nwhen = "daily 00:30"\n', encoding="utf-8")
    found = turns(load(file), {**SETTLED, ("gaps", "demo"): Standing(LAST - timedelta(days=1))}, NOW)
    assert [(turn.job.name, turn.portal) for turn in found] == [
        ("gaps", "demo"),
        ("verify", ""),
        ("walk", "demo"),
        ("recheck", "demo"),
    ]


def test_what_ends_a_run(tmp_path: Path) -> None:
    job = collection(tmp_path, 'window = "11:00-13:00"\nlongest = "2h"').jobs[0]
    assert bound(job, collection(tmp_path), NOW) == (NOW + timedelta(hours=1), "window")
    job = collection(tmp_path, 'window = "11:00-13:00"\nlongest = "10m"').jobs[0]
    assert bound(job, collection(tmp_path), NOW) == (NOW + timedelta(minutes=10), "longest")
