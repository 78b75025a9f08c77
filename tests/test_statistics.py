"""What SQLite's planner is told of the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from db_samples import article, ask, bring, open_store, warc

from wuhu_crawler.db import statistics


def fill(url: str, first: int, number: int) -> None:
    with open_store(url) as store:
        for place in range(first, first + number):
            bring(store, article(place, place), text=str(place))
        store.commit((warc("c-1"), 9_999_999))


def told(url: str) -> list[Any]:
    if not ask(url, "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"):
        return []
    return ask(url, "SELECT MAX(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'article'")


def test_the_planner_is_told_of_an_archive_that_has_grown(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(statistics, "LEAST", 4)
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    fill(url, 1, 3)
    assert told(url) == []
    fill(url, 4, 2)
    assert told(url) == [(5,)]
    fill(url, 6, 4)
    assert told(url) == [(5,)]
    fill(url, 10, 2)
    assert told(url) == [(11,)]
