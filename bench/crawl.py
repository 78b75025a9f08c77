"""The crawl benchmark: our whole job (archive + extract + persist) against a bare Scrapy spider, in alternating runs.

Each run is a process of its own against the same server; CPU (user + system) and peak memory are what the kernel says of it.
The bare spider asks for the article URLs and parses nothing; ours finds them through home page and listings, so it fetches
more: the ratio compares CPU per *response* of each, CPU per article is printed beside it. docs/benchmarks.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SCRAPY = (sys.executable, "-m", "scrapy")
# What we aim at: CPU per page against bare Scrapy, without and with the search index, and MB of peak memory.
TARGETS = {"ours": 1.25, "ours + index": 2.2}
TARGET_MEMORY = 250.0
MISSED = 4
PROFILE = """\
title = "Benchmark"
seeds = ["{base}/"]
article_urls = ['/news/info\\.asp\\?id=(?P<id>\\d+)$']
article_url = "{base}/news/Info.asp?ID={{id}}"
delay = 0
concurrency = {concurrency}
allow_private = true
contact_required = false
"""


class Run(NamedTuple):
    """One run: CPU seconds, seconds on the clock, MB of memory at its peak, responses and articles it brought."""

    cpu: float
    wall: float
    memory: float
    responses: int
    articles: int

    @property
    def per_response(self) -> float:
        """CPU milliseconds for each response."""
        return 1000 * self.cpu / self.responses

    @property
    def per_article(self) -> float:
        """CPU milliseconds for each article."""
        return 1000 * self.cpu / self.articles


class Bench:
    """Runs the sides against the server at `base`."""

    def __init__(self, base: str, options: argparse.Namespace, folder: Path) -> None:
        self._base = base
        self._options = options
        self._folder = folder
        self._profile = folder / "bench.toml"
        self._profile.write_text(PROFILE.format(base=base, concurrency=options.concurrency), encoding="utf-8")

    def bare(self) -> Run:
        """Run the bare spider, with Scrapy's own settings: outside the project's folder."""
        count = self._options.articles
        given = ("-a", f"base={self._base}", "-a", f"count={count}")
        told = self._folder / "bare.log"
        cpu, wall, memory = measured([*SCRAPY, "runspider", str(HERE / "bare.py"), *given], self._folder, {}, told)
        words = told.read_text(encoding="utf-8", errors="replace")
        if f"'downloader/response_status_count/200': {count}," not in words:
            raise SystemExit(f"the bare spider did not get {count} pages: {words[-2000:]}")
        return Run(cpu, wall, memory, count, count)

    def ours(self, *, index: bool) -> Run:
        """Run our whole job into an archive of its own, check that everything is in it, and throw it away."""
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            archive = Path(name)
            environment = {"WUHU_DATA_DIR": str(archive), "WUHU_SEARCH_INDEX": str(int(index))}
            # Bare Scrapy fetches no pictures either.
            command = [*SCRAPY, "crawl", "wuhu", "-a", f"portal={self._profile}", "-a", "requisites=no"]
            cpu, wall, memory = measured(command, HERE.parent, environment, self._folder / "ours.log")
            articles, responses = self._checked(archive, index=index)
        return Run(cpu, wall, memory, responses, articles)

    def _checked(self, archive: Path, *, index: bool) -> tuple[int, int]:
        """Return articles and captures; ends the benchmark when anything is missing or damaged."""
        connection = sqlite3.connect(archive / "archive.db")
        try:
            articles, versions, captures, indexed = (
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
                for table in ("article", "article_version", "capture", "article_search_docsize")
            )
        finally:
            connection.close()
        wanted = self._options.articles
        if (articles, versions, indexed) != (wanted, wanted, wanted * index):
            raise SystemExit(f"{wanted} articles expected; the archive has {articles}, {versions} versions, {indexed} indexed")
        files = [str(path) for path in archive.glob("warc/*")]
        for check in (["gzip", "-t", *files], [sys.executable, "-m", "warcio.cli", "check", *files]):
            subprocess.run(check, check=True, stdout=subprocess.DEVNULL)
        return articles, captures


def measured(command: list[str], folder: Path, environment: dict[str, str], told: Path) -> tuple[float, float, float]:
    """Run a command; return its CPU seconds, its seconds on the clock and its peak memory in MB. Its log goes to `told`."""
    # As on a user's machine: Python keeps the modules it has compiled.
    unwanted = ("WUHU_", "SCRAPY_", "PYTHONDONTWRITEBYTECODE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    with told.open("wb") as log:
        begun = perf_counter()
        process = subprocess.Popen(command, cwd=folder, env={**clean, **environment}, stdout=log, stderr=log)
        memory = 0.0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            memory = max(memory, peak(process.pid))
            sleep(0.02)
        _, status, usage = ended
        wall = perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {told.read_text(errors='replace')[-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall, memory


def peak(pid: int) -> float:
    """Return the peak memory of a process so far in MB. What `wait4` tells is also that of the process that started it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def portal(articles: int) -> Iterator[str]:
    """Start the server and yield its base URL."""
    command = [sys.executable, str(HERE / "server.py"), "--articles", str(articles)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None  # noqa: S101 - both are pipes
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()


def alternate(bench: Bench, runs: int) -> dict[str, list[Run]]:
    """Run each side so many times, in turns, so that a slow moment of the machine meets all of them."""
    sides = {"bare": bench.bare, "ours": lambda: bench.ours(index=False), "ours + index": lambda: bench.ours(index=True)}
    found: dict[str, list[Run]] = {name: [] for name in sides}
    for turn in range(1, runs + 1):
        for name, run in sides.items():
            found[name].append(run())
            latest = found[name][-1]
            print(f"run {turn}/{runs} {name}: {latest.per_response:.2f} ms CPU a response", file=sys.stderr)
    return found


def summary(found: dict[str, list[Run]]) -> list[dict[str, float | str | bool | None]]:
    """Return one row a side: medians over the runs, the ratio as the median of the pairs, and whether the targets are met."""
    rows: list[dict[str, float | str | bool | None]] = []
    for name, runs in found.items():
        pairs = zip(runs, found["bare"], strict=True)
        ratio = median(one.per_response / bare.per_response for one, bare in pairs)
        target, memory = TARGETS.get(name), max(run.memory for run in runs)
        rows.append({
            "side": name,
            "cpu_ms_per_response": round(median(run.per_response for run in runs), 3),
            "cpu_ms_per_article": round(median(run.per_article for run in runs), 3),
            "responses": runs[0].responses,
            "articles": runs[0].articles,
            "responses_per_second": round(median(run.responses / run.wall for run in runs), 1),
            "peak_memory_mb": round(memory, 1),
            "ratio": round(ratio, 3),
            "target": target,
            "met": target is None or (ratio <= target and memory < TARGET_MEMORY),
        })  # fmt: skip
    return rows


def show(rows: list[dict[str, float | str | bool | None]]) -> None:
    """Print the table."""
    head = ("side", "ms/response", "ms/article", "responses", "resp./s", "peak MB", "ratio", "target", "")
    print("{:<14}{:>12}{:>12}{:>11}{:>9}{:>9}{:>8}{:>8}  {}".format(*head))
    for row in rows:
        target = f"<= {row['target']}" if row["target"] else ""
        verdict = "" if not row["target"] else "met" if row["met"] else "MISSED"
        print(
            f"{row['side']:<14}{row['cpu_ms_per_response']:>12.2f}{row['cpu_ms_per_article']:>12.2f}{row['responses']:>11}"
            f"{row['responses_per_second']:>9.0f}{row['peak_memory_mb']:>9.0f}{row['ratio']:>8.2f}{target:>8}  {verdict}"
        )
    print("ms: CPU (user + system) of the whole process. Ratio: median of the pairs, by CPU per response.")
    print(f"Target for peak memory: under {TARGET_MEMORY:.0f} MB.")


def main() -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=3000, help="articles on the portal (default 3000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each side (default 3)")
    parser.add_argument("--concurrency", type=int, default=8, help="ours; bare Scrapy has 8 a domain (default 8)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--check", action="store_true", help=f"exit {MISSED} when a target is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wuhu-bench-") as folder, portal(options.articles) as base:
        rows = summary(alternate(Bench(base, options, Path(folder)), options.runs))
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)
    return MISSED if options.check and not all(row["met"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
