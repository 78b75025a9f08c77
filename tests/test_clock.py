"""The simulated clock: it dates an archive of a portal on this machine, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

PRINT = "from wuhu_crawler import clock; print(clock.now().isoformat(), clock.shift().days)"


def run(argv: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False)


def test_the_clock_goes_on_from_the_time_it_is_set_to() -> None:
    told = run([sys.executable, "-c", PRINT], WUHU_CLOCK="2031-02-03T04:00:00+08:00")
    assert told.stdout.startswith("2031-02-02T20:0") and told.stdout.split()[0].endswith("+00:00")


def test_the_true_time_is_not_shifted() -> None:
    assert run([sys.executable, "-c", PRINT], WUHU_CLOCK="").stdout.endswith(f" {timedelta(0).days}\n")


@pytest.mark.parametrize("words", ["tomorrow", "2031-02-03T04:00:00"])
def test_a_time_that_is_none_is_refused(words: str) -> None:
    assert f"WUHU_CLOCK={words} must be a time" in run([sys.executable, "-c", PRINT], WUHU_CLOCK=words).stderr


def test_a_portal_of_the_real_world_is_not_crawled_by_it(tmp_path: Path) -> None:
    ended = run(
        [sys.executable, "-m", "scrapy", "crawl", "wuhu"],
        WUHU_CLOCK="2031-02-03T04:00:00+08:00",
        WUHU_CONTACT="mailto:a@example.org",
        WUHU_DATA_DIR=str(tmp_path / "data"),
        SCRAPY_SETTINGS_MODULE="wuhu_crawler.settings",
    )
    assert ended.returncode == 2 and "WUHU_CLOCK is set" in ended.stderr
    assert not (tmp_path / "data").exists()
