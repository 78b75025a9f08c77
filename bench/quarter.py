"""A simulated quarter kept by the daemon: its clock jumps from one job to the next, the portal lives on by a day a night.

Nobody waits and nothing is replaced: the daemon of `wuhu schedule run` starts the real crawls, with the clock set to the night,
against the bundled portal. Planted are crawls killed without warning, three nights on which the portal does not answer, the
redesigns of the portal's own life, and nights on which it refuses every page. Told are the runs, how they ended, the verdicts
with what was found, and at the end whether anything is lost against the truth of the days. --json for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from watch import Words, versions, words_of

from wuhu_crawler.demo import server
from wuhu_crawler.demo.portal import Answer, html
from wuhu_crawler.demo.world import LAST_DAY
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.schedule.daemon import Daemon
from wuhu_crawler.schedule.timekeeper import Simulated

CHINA = timezone(timedelta(hours=8))
COLLECTION = """\
title = "A quarter of a living portal"
portals = ["demo"]
[jobs.walk]
when = "daily 22:00"
[jobs.recheck]
when = "daily 22:00"
budget = {recheck}
[jobs.gaps]
when = "daily 22:00"
budget = {gaps}
[jobs.verify]
when = "monthly last 23:30"
"""
# What is planted, as shares of the quarter: the first of three silent nights, and the nights of refusals.
OUTAGE, OUTAGE_NIGHTS, BLOCKS = 0.45, 3, (0.75,)
KINDS = ("killed", "outage", "blocked")


class Refusing:
    """The portal on a night on which it refuses everybody."""

    def __init__(self, portal: Any) -> None:
        self.world = portal.world

    def answer(self, path: str, headers: Any) -> Answer:
        """Answer anything as a firewall does."""
        return html("<title>访问被拦截</title><h1>您的访问过于频繁，请稍后再试</h1>", status=403)


class Quarter:
    """Runs the nights of the daemon."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder, self._options = folder, options
        self._random = random.Random(options.seed)
        self.portal = server.start(articles=options.articles)
        self._port = self.portal.server.server_address[1]
        self._life = self.portal.server.life
        self.kills: list[int] = []
        self.planted: dict[int, str] = {}
        self.true: dict[int, list[Words]] = {}
        self.listed: set[int] = set()
        for night in self._random.sample(range(2, options.nights), min(options.kills, options.nights - 2)):
            self.planted[night] = "killed"
        for night in range(OUTAGE_NIGHTS):
            self.planted[round(OUTAGE * options.nights) + night] = "outage"
        for share in BLOCKS:
            self.planted[round(share * options.nights)] = "blocked"

    def run(self) -> None:
        """Let the daemon keep the portal for so many nights."""
        file = self._folder / "wuhu.toml"
        file.write_text(COLLECTION.format(recheck=self._options.recheck, gaps=self._options.gaps), encoding="utf-8")
        begins = datetime.combine(LAST_DAY, time(12, 0), CHINA)
        os.environ.update(WUHU_DEMO_URL=self.portal.url, WUHU_BACKOFF_SECONDS="0.01", WUHU_BACKOFF_MAX="0.05")
        os.environ.update(WUHU_BREAKER_SECONDS="0.05")
        keeper = Simulated(begins)
        with Daemon(ArchivePaths.of(self._folder), file, keeper, self._told) as daemon:
            for night in range(self._options.nights + 1):
                with self._portal_of(night):
                    daemon.run(begins + timedelta(days=night + 1))
                self._learn(night)
                print(f"night {night}: {self.planted.get(night, '')}", file=sys.stderr)

    @contextmanager
    def _portal_of(self, night: int) -> Iterator[None]:
        """Have the portal be what it is on a night."""
        if night:
            self.portal.go_to(night)
        planted = self.planted.get(night)
        if planted == "outage":
            self.portal.stop()
            yield
            self.portal = server.start(self._port, articles=self._options.articles)
        elif planted == "blocked":
            kept = self.portal.server.portal
            self.portal.server.portal = Refusing(kept)  # type: ignore[assignment]
            yield
            self.portal.server.portal = kept
        elif planted == "killed":
            ended = threading.Event()
            killer = threading.Thread(target=self._kill, args=(night, ended))
            killer.start()
            yield
            ended.set()
            killer.join()
        else:
            yield

    def _kill(self, night: int, ended: threading.Event) -> None:
        """Kill one crawl of the night, some time after it began."""
        database, began = self._folder / "archive.db", monotonic()
        while not ended.is_set() and monotonic() - began < 60:
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
                row = connection.execute("SELECT pid FROM job_run WHERE status = 'running' AND do <> 'verify'").fetchone()
            if row and row[0]:
                sleep(self._random.uniform(0.3, 1.2))
                try:
                    os.kill(row[0], signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.kills.append(night)
                return
            sleep(0.02)

    def _learn(self, night: int) -> None:
        """Take in what is true at the end of a day: what every article says, and which a listing shows."""
        world = self._life.world(night)
        told = list(self._life.events(night)) if night else []
        changed = {event.id for event in told}
        redesigned = any(event.what in ("renamed", "redesigned") for event in told)
        for number in world.articles:
            if redesigned or number in changed or number not in self.true:
                words = words_of(world.articles[number])
                if words not in self.true.setdefault(number, []):
                    self.true[number].append(words)
        if self.planted.get(night) not in ("outage", "blocked"):
            self.listed |= {o.id for o in world.outlines() if o.listed and o.id not in world.failing}

    def _told(self, line: str) -> None:
        if self._options.verbose:
            print(f"  {line}", file=sys.stderr)


def outcome(quarter: Quarter, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what came of the quarter."""
    with closing(sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)) as connection:
        said = list(versions(connection, 0))
        runs = connection.execute("SELECT job, status, resumed FROM job_run ORDER BY id").fetchall()
        verdicts = connection.execute(
            "SELECT r.started_at, p.job, p.verdict, p.findings FROM report p JOIN run r ON r.id = p.run_id ORDER BY r.id"
        ).fetchall()
        captures = connection.execute("SELECT count(*) FROM capture").fetchone()[0]
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
    had = {number for _, number, _ in said}
    wrong = sorted({number for _, number, words in said if words not in quarter.true.get(number, [])})
    return {
        "articles": options.articles,
        "nights": options.nights,
        "planted": {kind: [n for n, each in sorted(quarter.planted.items()) if each == kind] for kind in KINDS},
        "kills": len(quarter.kills),
        "runs": dict(Counter(f"{job} {status}{' (gone on with)' if resumed else ''}" for job, status, resumed in runs)),
        "verdicts": dict(Counter(f"{job} {verdict}" for _, job, verdict, _ in verdicts)),
        "alarms": [
            {"at": at[:10], "job": job, "verdict": verdict, "findings": [each["text"] for each in json.loads(findings)]}
            for at, job, verdict, findings in verdicts
            if verdict in ("attention", "broken")
        ],
        "listed articles": len(quarter.listed),
        "lacking": sorted(quarter.listed - had),
        "versions": len(said),
        "wrong versions": wrong,
        "captures": captures,
        "integrity": sound,
    }


def main() -> int:
    """Run the quarter and print what came of it; exits 1 when something is lost or wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=600, help="articles of the portal at the start (default 600)")
    parser.add_argument("--nights", type=int, default=91, help="nights (default 91)")
    parser.add_argument("--kills", type=int, default=10, help="nights on which a crawl is killed (default 10)")
    parser.add_argument("--gaps", type=int, default=20, help="budget of gaps (default 20)")
    parser.add_argument("--recheck", type=int, default=60, help="budget of recheck (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of what is planted when (default 1)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the archive in this new folder")
    parser.add_argument("--verbose", action="store_true", help="print the daemon's log")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        quarter = Quarter(folder.resolve(), options)
        try:
            quarter.run()
            found = outcome(quarter, folder, options)
        finally:
            quarter.portal.stop()
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        for key, value in found.items():
            print(f"{key:<16} {value}" if key != "alarms" else f"{key:<16} {len(value)}")
        for alarm in found["alarms"]:
            print(f"  {alarm['at']} {alarm['job']}: {alarm['verdict']}: {'; '.join(alarm['findings'])}")
    return 1 if found["lacking"] or found["wrong versions"] or found["integrity"] != "ok" else 0


if __name__ == "__main__":
    sys.exit(main())
