"""The killer: crawls of the bundled portal are killed at random instants and resumed until they end; then all is checked.

The portal is slowed, so that a kill lands while pages are under way; a run that ends before its kill does not count, and fewer
kills than asked for are a failure. Some kills are made worse the way a power cut would: the open WARC file is left with half a
record at its end. Beside the kills, a SIGTERM and a full disk. Exit code 4 when anything is wrong; --json for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wuhu_crawler.demo import server, truth
from wuhu_crawler.demo.edits import edited
from wuhu_crawler.demo.world import DEAD_KINDS, SEED
from wuhu_crawler.extract.urls import resource
from wuhu_crawler.portals import load_portal
from wuhu_crawler.warc.reader import WarcError, iter_records

ROOT = Path(__file__).resolve().parent.parent
SCRAPY = (sys.executable, "-m", "scrapy")
WUHU = (sys.executable, "-c", "from wuhu_crawler.cli import main; main()")
WRONG = 4
KILLED, INTERRUPTED, FULL = -signal.SIGKILL, 10, 11
# The bundled profile's connections: so many requests may be under way at a kill.
CONCURRENCY = 4
# No run takes longer than this to its kill or its end; seconds.
PATIENCE = 180
TEAR_EVERY = 5
LIMITED = (
    "import os, resource, sys; size = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


@dataclass
class Crawl:
    """One crawl of the portal, killed and resumed to its end."""

    edits: int
    kills: int = 0
    full: int = 0
    torn: int = 0
    requests: int = 0
    instants: list[float] = field(default_factory=list)
    fetched_twice: int = 0
    recovered: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Verdict:
    """Everything the killer found."""

    crawls: list[Crawl] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    checks: dict[str, str] = field(default_factory=dict)

    def check(self, what: str, found: object, *, good: bool) -> None:
        """Note a check and its result."""
        self.checks[what] = f"{found}" if good else f"WRONG: {found}"
        if not good:
            self.wrong.append(f"{what}: {found}")


class Killer:
    """Runs crawls into one archive against one portal."""

    def __init__(self, folder: Path, portal: server.Handle, rng: random.Random, verdict: Verdict) -> None:
        self.folder = folder
        self.verdict = verdict
        self._portal = portal
        self._rng = rng

    def crawl(self, edits: int, kills: int) -> None:
        """Crawl the portal after so many rounds of edits, killing it so many times, then to its end; check what was asked."""
        self._portal.edit(edits)
        crawl, first, began = Crawl(edits), len(self._portal.log), time.monotonic()
        self.verdict.crawls.append(crawl)
        # Requests are left for every kill still to come, and some for the end.
        whole = self._whole()
        while crawl.kills < kills:
            done = len(self._portal.log) - first
            share = max(1.0, (whole - done - 20) / (kills - crawl.kills))
            self._kill(crawl, first, done + self._rng.uniform(0, 1.6 * share), resumed=crawl.kills > 0)
        self._finish(crawl, kills > 0)
        self._account(crawl, first)
        crawl.seconds = time.monotonic() - began

    def _whole(self) -> int:
        """Requests a whole crawl makes, at least: every listed article."""
        return sum(article.listed for article in self._portal.portal.world.articles.values())

    def _kill(self, crawl: Crawl, first: int, at_request: float, *, resumed: bool) -> None:
        """Start a run and kill it a random moment after the portal has seen so many requests of this crawl."""
        began = time.monotonic()
        with self._run(resumed=resumed) as run:
            moment = self._rng.uniform(0.0, 0.25)
            while run.poll() is None and time.monotonic() - began < PATIENCE:
                if self._has_begun(run) and len(self._portal.log) - first >= at_request:
                    break
                time.sleep(0.002)
            time.sleep(moment)
            run.send_signal(signal.SIGKILL)
            err = run.stderr.read() if run.stderr else ""
            code = run.wait()
        if code != KILLED:
            raise SystemExit(f"the run ended with {code} before it could be killed: {err[-600:]}")
        crawl.kills += 1
        crawl.instants.append(round(time.monotonic() - began, 2))
        crawl.recovered += recovered(err)
        if crawl.kills % TEAR_EVERY == 0:
            crawl.torn += tear(self.folder / "warc", self._rng)

    def _has_begun(self, run: subprocess.Popen[str]) -> bool:
        """Tell whether the run has opened the archive: a kill before that kills no crawl."""
        lock = self.folder / "archive.lock"
        return lock.exists() and lock.read_text(encoding="ascii").strip() == str(run.pid)

    def _finish(self, crawl: Crawl, resumed: bool) -> None:
        with self._run(resumed=resumed) as run:
            _, err = run.communicate(timeout=PATIENCE * 4)
        crawl.recovered += recovered(err)
        if run.returncode:
            self.verdict.wrong.append(f"the crawl did not end well: exit code {run.returncode}: {err[-600:]}")

    def _run(self, *, resumed: bool, limit: int | None = None, **more: str) -> subprocess.Popen[str]:
        command = [*SCRAPY, "crawl", "wuhu", "-a", "portal=demo", "-a", "full=1", *(["-a", "resume=last"] if resumed else [])]
        if limit is not None:
            command = [sys.executable, "-c", LIMITED, str(limit), *command]
        given = {**environment(self.folder, self._portal.url), **more}
        return subprocess.Popen(command, cwd=ROOT, env=given, stderr=subprocess.PIPE, text=True)

    def _account(self, crawl: Crawl, first: int) -> None:
        """Check the crawl by the server's own log and by the truth."""
        asked = Counter(named(self._portal.url, entry.url) for entry in self._portal.log[first:])
        crawl.requests = asked.total()
        # The portal's own error pages are no answer: a resumed crawl asks for them again, as it should.
        again = {f"article {dead.id}" for dead in self._portal.portal.world.dead.values() if DEAD_KINDS[dead.kind] != "missing"}
        crawl.fetched_twice = sum(count - 1 for name, count in asked.items() if count > 1 and name not in again)
        allowed = CONCURRENCY * (crawl.kills + crawl.full)
        what = f"crawl {len(self.verdict.crawls)}: fetched twice, at most {CONCURRENCY} a kill"
        self.verdict.check(what, f"{crawl.fetched_twice} of {allowed}", good=crawl.fetched_twice <= allowed)
        crawl.lost = list(self._lost(crawl.edits))
        self.verdict.check(
            f"crawl {len(self.verdict.crawls)}: articles and fields of the truth", crawl.lost or "all", good=not crawl.lost
        )

    def _lost(self, edits: int) -> Iterator[str]:
        """Yield what the archive's latest versions lack of the truth."""
        compared = ("title", "published_text", "paragraphs", "category", "outlets", "reporters")
        shown = articles(self.folder)
        for row in truth.rows(edited(SEED, edits)):
            number = row["article_id"]
            if not row["listed"]:
                continue
            if number not in shown:
                yield f"article {number} is not there"
            else:
                yield from (f"{name} of {number}" for name in compared if shown[number][name] != row[name])

    def terminate(self, edits: int) -> None:
        """SIGTERM in mid-crawl: exit code 10, then resumed to the end."""
        self._portal.edit(edits)
        first = len(self._portal.log)
        with self._run(resumed=False) as run:
            while len(self._portal.log) - first < 60 and run.poll() is None:
                time.sleep(0.01)
            run.send_signal(signal.SIGTERM)
            _, err = run.communicate(timeout=PATIENCE)
        self.verdict.check("SIGTERM: exit code", run.returncode, good=run.returncode == INTERRUPTED and "resume" in err)
        left = list((self.folder / "warc").glob("*.open"))
        self.verdict.check("SIGTERM: files left open", len(left), good=not left)
        crawl = Crawl(edits)
        self.verdict.crawls.append(crawl)
        self._finish(crawl, True)
        self._account(crawl, first)
        self.verdict.check("SIGTERM: fetched twice", crawl.fetched_twice, good=crawl.fetched_twice == 0)

    def fill_disk(self, edits: int) -> None:
        """A disk that is full in mid-crawl: exit code 11, nothing half stored, resumed when there is room."""
        self._portal.edit(edits)
        first = len(self._portal.log)
        # Without commits the WARC file is the first to meet its limit, with them the database's log.
        late = {"WUHU_COMMIT_PAGES": "100000", "WUHU_COMMIT_SECONDS": "600"}
        limits: tuple[tuple[str, int, dict[str, str]], ...] = (("WARC", 300_000, late), ("log", 400_000, {}))
        for number, (what, size, more) in enumerate(limits):
            with self._run(resumed=number > 0, limit=size, **more) as run:
                _, err = run.communicate(timeout=PATIENCE)
            name = f"full disk ({what}, {size // 1000} kB a file)"
            self.verdict.check(f"{name}: exit code", run.returncode, good=run.returncode == FULL)
            self.verdict.check(f"{name}: says so", err.strip().rpartition("\n")[2], good="no room" in err or "no space" in err)
            self.verdict.check(f"{name}: WARC files whole", whole(self.folder), good=whole(self.folder) == "yes")
            self.verdict.check(f"{name}: database", integrity(self.folder), good=integrity(self.folder) == "ok")
        crawl = Crawl(edits, full=2)
        self.verdict.crawls.append(crawl)
        self._finish(crawl, True)
        self._account(crawl, first)


def environment(folder: Path, url: str) -> dict[str, str]:
    """Return the environment of a run."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUHU_")}
    return {**kept, "WUHU_DATA_DIR": str(folder), "WUHU_DEMO_URL": url}


def named(base: str, target: str) -> str:
    """Return what a URL names on the portal, so that two spellings of one page count as twice."""
    return resource(base.rstrip("/") + target, PORTAL)


PORTAL = load_portal("demo")


def recovered(err: str) -> int:
    """Return how many captures a run says it recovered."""
    _, found, rest = err.partition("Recovered ")
    return int(rest.split(" ", 1)[0]) if found else 0


def tear(warc: Path, rng: random.Random) -> int:
    """Leave half a record at the end of the open file, as a power cut would; return 1, or 0 when none is open and whole."""
    opened = sorted(warc.glob("*.open"))
    if not opened:
        return 0
    path = opened[-1]
    try:
        records = list(iter_records(path))
    except WarcError:  # a run that was killed before it looked at the tear before this one
        return 0
    last = next(record for record in reversed(records) if record.type in ("response", "warcinfo"))
    with path.open("r+b") as file:
        file.seek(last.offset)
        member = file.read(last.length)
        file.seek(0, os.SEEK_END)
        file.write(member[: rng.randrange(1, len(member))])
    return 1


def whole(folder: Path) -> str:
    """Return "yes" when every WARC file is a sequence of whole records, else what is not."""
    for path in sorted((folder / "warc").iterdir()):
        try:
            for _ in iter_records(path):
                pass
        except WarcError as error:
            return str(error)
    return "yes"


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the archive's database with nothing but SQLite."""
    with closing(sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def integrity(folder: Path) -> str:
    """Return SQLite's own verdict on the database."""
    found = [line for (line,) in query(folder, "PRAGMA integrity_check")]
    return "ok" if found == ["ok"] and not query(folder, "PRAGMA foreign_key_check") else str(found[:3])


def articles(folder: Path) -> dict[int, dict[str, Any]]:
    """Return the latest version of every article, by its number."""
    sql = (
        "SELECT a.article_id, v.title, v.published_text, v.body, c.name, v.outlets, v.reporters FROM article a "
        "JOIN article_version v ON v.article_key = a.key AND v.number = a.versions LEFT JOIN category c ON c.id = v.category_id"
    )
    return {
        number: {
            "title": title,
            "published_text": published,
            "paragraphs": body.split("\n") if body else [],
            "category": category,
            "outlets": json.loads(outlets),
            "reporters": json.loads(reporters),
        }
        for number, title, published, body, category, outlets, reporters in query(folder, sql)
    }


def check_archive(folder: Path, verdict: Verdict) -> None:
    """Check the whole archive with tools of others, and the database against its rebuild."""
    twice = "SELECT count(*) FROM (SELECT 1 FROM capture WHERE page_kind <> 'error' GROUP BY crawl_id, url HAVING count(*) > 1)"
    ((captures,),) = query(folder, twice)
    verdict.check("duplicate captures of a page in one crawl", captures, good=captures == 0)
    same = (
        "SELECT count(*) FROM article_version a JOIN article_version b ON b.article_key = a.article_key "
        "AND b.number = a.number + 1 AND b.article_digest = a.article_digest"
    )
    ((versions,),) = query(folder, same)
    verdict.check("versions equal to the one before", versions, good=versions == 0)
    verdict.check("database integrity_check", integrity(folder), good=integrity(folder) == "ok")
    files = [str(path) for path in sorted((folder / "warc").iterdir())]
    left = [name for name in files if name.endswith(".open")]
    verdict.check("WARC files left open", len(left), good=not left)
    for name, command in (("gzip -t", ["gzip", "-t"]), ("warcio check", [sys.executable, "-m", "warcio.cli", "check"])):
        code = subprocess.run([*command, *files], check=False, capture_output=True).returncode
        verdict.check(f"{name} of {len(files)} files", "ok" if code == 0 else code, good=code == 0)
    compare_rebuilt(folder, verdict)


def compare_rebuilt(folder: Path, verdict: Verdict) -> None:
    """Check that the database made from the WARC files alone has the same canonical dump, byte by byte."""
    with tempfile.TemporaryDirectory() as place:
        again = f"{place}/again.db"
        made = [*WUHU, "--data", str(folder), "rebuild", "--to", again]
        code = subprocess.run(made, check=False, capture_output=True, env=environment(folder, "")).returncode
        dumps = []
        for database in ("", f"sqlite:///{again}"):
            env = {**environment(folder, ""), "WUHU_DATABASE_URL": database}
            dumped = subprocess.run([*WUHU, "db", "dump", "--canonical"], check=False, capture_output=True, env=env)
            dumps.append(dumped.stdout)
        same = code == 0 and dumps[0] == dumps[1] and bool(dumps[0])
        rows = dumps[0].count(b"\n")
        verdict.check("rebuilt database equal", f"{rows} rows" if same else first_difference(dumps), good=same)


def first_difference(dumps: list[bytes]) -> str:
    """Return the first line in which two dumps differ."""
    lines = [dump.decode(errors="replace").splitlines() for dump in dumps]
    for one, two in zip(*lines, strict=False):
        if one != two:
            return f"{one[:300]} <> {two[:300]}"
    return f"{len(lines[0])} lines <> {len(lines[1])} lines"


def show(verdict: Verdict) -> None:
    """Print the table and the checks."""
    print("| crawl | edits | kills | torn | requests | fetched twice | recovered | lost | killed after (s) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for number, crawl in enumerate(verdict.crawls, 1):
        instants = f"{min(crawl.instants)} to {max(crawl.instants)}" if crawl.instants else ""
        print(
            f"| {number} | {crawl.edits} | {crawl.kills} | {crawl.torn} | {crawl.requests} | {crawl.fetched_twice} | "
            f"{crawl.recovered} | {len(crawl.lost)} | {instants} |"
        )
    names = ("kills", "torn", "requests", "fetched_twice", "recovered")
    total = " | ".join(str(sum(getattr(crawl, name) for crawl in verdict.crawls)) for name in names)
    print(f"| all | | {total} | {sum(len(crawl.lost) for crawl in verdict.crawls)} | |\n")
    for what, found in verdict.checks.items():
        print(f"{what}: {found}")


def main() -> int:
    """Kill, resume, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25, metavar="N", help="kills in all (default 25)")
    parser.add_argument("--per-crawl", type=int, default=25, metavar="N", help="kills of one crawl at most (default 25)")
    parser.add_argument("--latency", type=int, default=25, metavar="MS", help="the portal's latency (default 25)")
    parser.add_argument("--seed", type=int, default=None, help="of the instants (default: another each time; it is printed)")
    parser.add_argument("--folder", type=Path, help="keep the archive here (default: thrown away)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", file=sys.stderr)
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="wuhu-killer-") as place, server.start(latency_ms=options.latency) as portal:
        killer = Killer(options.folder or Path(place) / "archive", portal, random.Random(seed), verdict)
        left, edits = options.kills, 0
        while left > 0:
            killer.crawl(edits, min(left, options.per_crawl))
            left, edits = left - min(left, options.per_crawl), edits + 1
            print(f"{options.kills - left} of {options.kills} kills", file=sys.stderr)
        killer.terminate(edits)
        killer.fill_disk(edits + 1)
        check_archive(killer.folder, verdict)
    kills = sum(crawl.kills for crawl in verdict.crawls)
    verdict.check("kills in mid-crawl", f"{kills} of {options.kills}", good=kills == options.kills)
    if options.json:
        print(json.dumps({"seed": seed, **asdict(verdict)}, ensure_ascii=False, indent=2))
    else:
        show(verdict)
    for words in verdict.wrong:
        print(f"WRONG: {words}", file=sys.stderr)
    return WRONG if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
