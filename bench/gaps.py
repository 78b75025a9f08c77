"""The gaps benchmark: what `scrapy crawl gaps` takes of memory and time where there are millions of numbers.

Each row is a real crawl, a process of its own, on an archive whose database was filled by hand; the server answers 404 to every
number. Memory is the peak of the whole process as the kernel counts it (ru_maxrss). docs/benchmarks.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from crawl import HERE, MISSED, PROFILE, SCRAPY, measured, portal
from sqlalchemy import Connection, insert

from wuhu_crawler.db import models
from wuhu_crawler.db.engine import make_engine, upgrade

TARGET_MEMORY = 150.0
MILLION = 1_000_000
NIGHT = datetime(2024, 5, 1, tzinfo=UTC)
# Rows written at a time.
BATCH = 20_000
Row = dict[str, Any]


def known(highest: int) -> Iterator[tuple[int, str]]:
    """Two articles with nothing between them."""
    yield from ((1, "article"), (highest, "article"))


def alternating(numbers: int) -> Iterator[tuple[int, str]]:
    """Of three numbers one is an article, one was missing, and one is unknown: the most runs there can be."""
    for number in range(1, numbers + 1):
        if number % 3:
            yield number, "article" if number % 3 == 1 else "missing"


# Name -> the numbers known beforehand, and the requests made.
SCENES: Mapping[str, Any] = {
    "1,000,000 unknown numbers between two articles": (lambda: known(MILLION + 2), 2000),
    "the same, ten times the budget": (lambda: known(MILLION + 2), 20_000),
    "numbers 1 and 900,000,000 known": (lambda: known(900_000_000), 2000),
    "1,000,000 answered and 500,000 unknown, in turns": (lambda: alternating(MILLION * 3 // 2), 2000),
}


def fill(connection: Connection, base: str, numbers: Iterator[tuple[int, str]]) -> None:
    """Write what crawls would have written of these numbers: outcomes, and for articles captures and articles."""
    crawl = {"id": "c", "portal": "bench", "job": "gaps", "settings": {}, "started_at": NIGHT, "status": "finished"}
    connection.execute(insert(models.portal), [{"name": "bench", "title": "Benchmark", "timezone": "Asia/Shanghai"}])
    connection.execute(insert(models.crawl), [crawl])
    connection.execute(
        insert(models.warc_file), [{"name": "w", "serial": 1, "crawl_id": "c", "committed": 1, "size": 1, "sha256": "0"}]
    )
    keys, outcomes, captures, articles = count(1), [], [], []
    for number, answer in numbers:
        url, at = f"{base}/news/Info.asp?ID={number}", NIGHT + timedelta(seconds=number % 86400)
        key = next(keys) if answer == "article" else None
        if key is not None:
            captures.append(capture(key, number, url, at))
            articles.append(article(key, number, url, at))
        outcome = "captured" if key else "missing"
        outcomes.append({"crawl_id": "c", "url": url, "outcome": outcome, "at": at, "capture_id": key, "article_id": number})
        if len(outcomes) >= BATCH:
            write(connection, captures, outcomes, articles)
    write(connection, captures, outcomes, articles)


def capture(key: int, number: int, url: str, at: datetime) -> Row:
    """Return the row of an article's capture."""
    return {
        "id": key, "crawl_id": "c", "url": url, "method": "GET", "status": 200, "captured_at": at, "record_id": f"r{key}",
        "record_type": "response", "warc_file": "w", "warc_offset": key, "warc_length": 1, "block_digest": "d",
        "payload_length": 1, "flags": [], "page_kind": "article", "article_id": number,
    }  # fmt: skip


def article(key: int, number: int, url: str, at: datetime) -> Row:
    """Return the row of an article."""
    times = {"first_captured_at": at, "last_captured_at": at}
    return {"key": key, "portal": "bench", "article_id": number, "url": url, "versions": 0, "last_capture_id": key, **times}


def write(connection: Connection, captures: list[Row], outcomes: list[Row], articles: list[Row]) -> None:
    """Insert the rows gathered so far, and forget them."""
    for table, rows in ((models.capture, captures), (models.outcome, outcomes), (models.article, articles)):
        if rows:
            connection.execute(insert(table), rows)
            rows.clear()


def run(base: str, scene: str, folder: Path, budget: int | None = None) -> dict[str, Any]:
    """Fill an archive, crawl its gaps, and return what that took."""
    numbers, usual = SCENES[scene]
    budget = budget or usual
    archive, log, profile = folder / "archive", folder / "gaps.log", folder / "bench.toml"
    profile.write_text(PROFILE.format(base=base, concurrency=4), encoding="utf-8")
    url = f"sqlite:///{archive / 'archive.db'}"
    upgrade(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        fill(connection, base, numbers())
    engine.dispose()
    command = [*SCRAPY, "crawl", "gaps", "-a", f"portal={profile}", "-a", f"budget={budget}", "-s", "LOG_LEVEL=INFO"]
    cpu, wall, memory = measured(command, HERE.parent, {"WUHU_DATA_DIR": str(archive)}, log)
    asked = re.search(r"Gaps: (\d+) asked", log.read_text(encoding="utf-8"))
    if asked is None or int(asked.group(1)) != budget:
        raise SystemExit(f"{budget} requests expected: {log.read_text(encoding='utf-8')[-2000:]}")
    return {"scene": scene, "asked": budget, "cpu": cpu, "wall": wall, "memory": memory, "met": memory < TARGET_MEMORY}


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    print(f"{'portal':<50}{'asked':>8}{'CPU s':>8}{'s':>7}{'peak MB':>9}")
    for row in rows:
        verdict = "" if row["met"] else "  MISSED"
        print(f"{row['scene']:<50}{row['asked']:>8}{row['cpu']:>8.1f}{row['wall']:>7.1f}{row['memory']:>9.0f}{verdict}")
    print(f"Target for peak memory of the whole process: under {TARGET_MEMORY:.0f} MB.")


def main() -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--check", action="store_true", help=f"exit {MISSED} when the target is missed")
    parser.add_argument("--budget", type=int, help="requests of each crawl (default 2,000; 20,000)")
    parser.add_argument("--scene", type=int, choices=range(1, len(SCENES) + 1), help="only this one")
    options = parser.parse_args()
    rows = []
    with portal(1) as base:
        for scene in [*SCENES][slice(options.scene and options.scene - 1, options.scene)]:
            print(f"{scene} ...", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="wuhu-bench-") as folder:
                rows.append(run(base, scene, Path(folder), options.budget))
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)
    return MISSED if options.check and not all(row["met"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
