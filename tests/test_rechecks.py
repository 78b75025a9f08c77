"""The survey of an archive: nights are played on the database alone, so that a year of them is quick."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, text

from wuhu_crawler.db import models
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.planning.gone import GoneRule
from wuhu_crawler.planning.intervals import NIGHT, Rule
from wuhu_crawler.planning.rechecks import Survey, due, survey

NOW = datetime(2024, 5, 7, 2, tzinfo=UTC)
FIRST = {"crawl_id": "one", "warc_file": "w", "record_type": "response", "method": "GET", "block_digest": "", "flags": []}


@pytest.fixture
def archive(database_url: str) -> Iterator[Engine]:
    """A database with a portal and a crawl, and no articles."""
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(insert(models.portal), [{"name": "small", "title": "江城在线", "timezone": "Asia/Shanghai"}])
        crawl = {"id": "one", "portal": "small", "job": "wuhu", "settings": {}, "started_at": NOW, "status": "finished"}
        connection.execute(insert(models.crawl), [crawl])
        connection.execute(insert(models.warc_file), [{"name": "w", "serial": 1, "crawl_id": "one", "committed": 0}])
    yield engine
    engine.dispose()


def add(connection: Connection, first: int, quiet: list[float], seen: datetime) -> None:
    """Add an article for each time of quiet, in days, last seen then; each changed once since its first version."""
    numbers = range(first, first + len(quiet))
    began = [seen - NIGHT * days for days in quiet]
    base = {**FIRST, "warc_length": 1, "payload_length": 1}
    captures = [
        {
            **base,
            "id": 2 * n + late,
            "url": f"http://a.example/{n}",
            "captured_at": at,
            "record_id": f"{n}.{late}",
            "warc_offset": 2 * n + late,
        }
        for n, was in zip(numbers, began, strict=True)
        for late, at in ((0, was), (1, seen))
    ]
    connection.execute(insert(models.capture), captures)
    articles = [
        {
            "key": n,
            "portal": "small",
            "article_id": n,
            "url": "",
            "versions": 2,
            "first_captured_at": was,
            "last_captured_at": seen,
            "last_capture_id": 2 * n + 1,
        }
        for n, was in zip(numbers, began, strict=True)
    ]
    connection.execute(insert(models.article), articles)
    version = {"number": 2, "body": "", "evidence": {}, "breadcrumb": [], "outlets": [], "reporters": [], "headings": []}
    version |= {"url": "", "article_digest": "", "decode_losses": 0}
    connection.execute(
        insert(models.article_version), [{**version, "id": n, "article_key": n, "capture_id": 2 * n} for n in numbers]
    )


def look(connection: Connection, found: Survey, at: datetime) -> None:
    """Note that tonight's articles were found unchanged."""
    done = [
        {"at": at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z", "n": each.article_id} for each in found.tonight
    ]
    if done:
        connection.execute(text("UPDATE article SET last_captured_at = :at WHERE article_id = :n"), done)


def test_a_night_after_a_night_no_interval_is_exceeded(archive: Engine) -> None:
    """A thousand articles captured in one night, half of them old, with a new one every night, and a budget of 70."""
    rule, gone, loads = Rule(longest=30), GoneRule(), []
    with archive.begin() as connection:
        add(connection, 1, [200.0] * 500 + [days / 10 for days in range(500)], NOW)
        for night in range(1, 45):
            now = NOW + NIGHT * night
            found = survey(connection, "small", 70, now, rule, gone)
            assert found.overdue == 0, f"night {night}"
            assert found.due <= len(found.tonight) <= 70
            for each in found.tonight:
                assert now - each.seen_at <= each.interval
            loads.append(len(found.tonight))
            look(connection, found, now)
            add(connection, 10_000 + night, [0.0], now)
    assert min(loads[:30]) > 25, loads


def test_over_the_budget_all_intervals_stretch_alike(archive: Engine) -> None:
    gone = GoneRule()
    with archive.begin() as connection:
        add(connection, 1, [4.0] * 60 + [16.0] * 160, NOW)  # asked every 2 and every 8 nights: 50 a night
        waited: dict[int, list[float]] = {2: [], 8: []}
        kept = Rule(ratio=2, longest=8)
        for night in range(1, 80):
            now = NOW + NIGHT * night
            found = survey(connection, "small", 25, now, kept, gone)
            assert len(found.tonight) <= 25
            if night > 40:
                for each in found.tonight:
                    waited[8 if each.interval > NIGHT * 4 else 2].append((now - each.seen_at) / each.interval)
            # What is quiet stays as quiet as it was.
            moved = [
                {
                    "at": (now - (each.interval * 2)).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
                    "n": 2 * each.article_id,
                }
                for each in found.tonight
            ]
            look(connection, found, now)
            connection.execute(text("UPDATE capture SET captured_at = :at WHERE id = :n"), moved)
    means = {wait: sum(each) / len(each) for wait, each in waited.items()}
    assert survey_stretch(60 / 2 + 160 / 8, 25) == 2.0
    assert all(1.7 < mean < 2.3 for mean in means.values()), means


def survey_stretch(demand: float, budget: int) -> float:
    """Return the stretch a survey of this demand promises."""
    return Survey(budget, demand=demand).stretch


def test_due_is_a_stream_of_the_same(archive: Engine) -> None:
    with archive.begin() as connection:
        add(connection, 1, [1.0, 100.0, 2.0], NOW)
        found = list(due(connection, "small", 700, NOW + NIGHT))
    assert [(each.article_id, each.url, each.reason) for each in found] == [
        (1, "http://a.example/1", "due"),
        (3, "http://a.example/3", "due"),
    ]
    assert found[0].due_at == NOW + timedelta(days=1)
