"""The rebuild benchmark: an archive of many articles is crawled once, then its database is made again from the WARC files.

Pages a second on the clock and CPU milliseconds a page, with and without the search index, and the peak memory of all its
processes for archives of different sizes: it must not grow with them. docs/benchmarks.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep
from typing import NamedTuple

from crawl import PROFILE, SCRAPY, portal

HERE = Path(__file__).resolve().parent
WUHU = (sys.executable, "-c", "from wuhu_crawler.cli import main; main()")
# Pages a second on two cores.
TARGETS = {"no index": 700.0, "with the index": 300.0}
MISSED = 4


class Run(NamedTuple):
    """One rebuild: pages, seconds on the clock, CPU seconds of all its processes, MB they took at their peak together."""

    pages: int
    wall: float
    cpu: float
    memory: float

    @property
    def rate(self) -> float:
        """Pages a second, start and end of the processes included."""
        return self.pages / self.wall


def crawled(folder: Path, articles: int) -> Path:
    """Crawl a portal of so many articles and return the archive."""
    archive = folder / f"archive-{articles}"
    with portal(articles) as base:
        profile = folder / f"bench-{articles}.toml"
        profile.write_text(PROFILE.format(base=base, concurrency=8), encoding="utf-8")
        command = [*SCRAPY, "crawl", "wuhu", "-a", f"portal={profile}"]
        environment = {**os.environ, "WUHU_DATA_DIR": str(archive), "WUHU_SEARCH_INDEX": "0"}
        subprocess.run(command, cwd=HERE.parent, env=environment, check=True, stderr=subprocess.DEVNULL)
    return archive


def rebuilt(archive: Path, *, index: bool) -> Run:
    """Rebuild into a database beside the archive's own."""
    target = archive / "rebuilt.db"
    command = [*WUHU, "--data", str(archive), "rebuild", "--to", str(target), "--json", *([] if index else ["--no-index"])]
    before, began = os.times(), perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        memory = Memory(process.pid)
        out = process.stdout.read() if process.stdout else ""
        code = process.wait()
    wall, after = perf_counter() - began, os.times()
    if code:
        raise SystemExit(f"the rebuild ended with exit code {code}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(json.loads(out)["pages"], wall, cpu, memory.stop())


class Memory:
    """Watches a process and its children: the largest sum of their own memory (PSS, so shared pages count once)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        """Return the peak in MB."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._over.is_set():
            self._peak = max(self._peak, sum(map(pss, [self._pid, *children(self._pid)])))
            sleep(0.1)


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def pss(pid: int) -> float:
    """Return the proportional memory of a process in MB, 0 when it is gone; files mapped from disk do not count."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:"))) / 1024


def main() -> int:
    """Crawl, rebuild, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, nargs="+", default=[3000, 9000], metavar="N")
    parser.add_argument("--archive", type=Path, help="rebuild this archive instead of crawling one")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit 4 when a target is missed")
    options = parser.parse_args()
    found: dict[str, Run] = {}
    with tempfile.TemporaryDirectory() as name:
        archives = [options.archive] if options.archive else [crawled(Path(name), number) for number in options.articles]
        for archive in archives:
            for side in TARGETS:
                run = rebuilt(archive, index=side == "with the index")
                found[f"{side}, {run.pages} pages"] = run
    if options.json:
        print(json.dumps({name: {**run._asdict(), "pages_a_second": run.rate} for name, run in found.items()}, indent=2))
    else:
        print("| rebuild | pages/s | ms CPU a page | peak MB | target |\n|---|---|---|---|---|")
        for name, run in found.items():
            target = TARGETS[name.partition(",")[0]]
            met = "" if run.rate >= target else ": **missed**"
            cells = f"{run.rate:.0f} | {1000 * run.cpu / run.pages:.2f} | {run.memory:.0f} | >= {target:.0f}{met}"
            print(f"| {name} | {cells} |")
    missed = any(run.rate < TARGETS[name.partition(",")[0]] for name, run in found.items())
    return MISSED if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
