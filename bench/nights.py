"""Three nights of one portal: this crawler beside plain Scrapy and scrapy-deltafetch. What each asked for, what each missed.

All three start at the same home page on the same three portals: a first night; a second one with new articles, corrected ones,
a listing page and an article that fail; a third with more of both, and everything mended. docs/benchmarks.md has the figures.
The peers need a Python that has Scrapy and scrapy-deltafetch (`make bench-nights` makes one): --peers.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from crawl import PROFILE
from pages import Portal, article_path, listing_path

HERE = Path(__file__).resolve().parent
NEW, EDITS, RECENT = 24, 12, 60
# What fails in the second night: the first page of a listing, and one of the new articles.
BROKEN_LISTING, BROKEN_PLACE = 2, 5
# No side takes longer for a night.
PATIENCE = 600


class Night(NamedTuple):
    """What the portal shows in a night: its pages, the paths that fail, and what was corrected so far.

    `shown` and `inside`: number of an article -> the words that were put into its title, or only into its text.
    """

    pages: dict[str, bytes]
    failing: frozenset[str]
    articles: int
    shown: dict[int, str]
    inside: dict[int, str]


def nights(articles: int) -> list[Night]:
    """Return the three nights of a portal that begins with so many articles."""
    told: list[Night] = []
    shown: dict[int, str] = {}
    inside: dict[int, str] = {}
    for night in range(3):
        count = articles + NEW * night
        if night:
            # The editors correct what is young: every fourth or so of the latest articles of the night before.
            young = range(count - NEW - RECENT, count - NEW, RECENT // EDITS)
            for place, number in enumerate(young):
                (shown if place % 2 else inside)[number + night] = f"第{night}次更正"
        failing = (listing_path(BROKEN_LISTING, 1), article_path(count - BROKEN_PLACE)) if night == 1 else ()
        told.append(Night(_pages(count, shown, inside), frozenset(failing), count, dict(shown), dict(inside)))
    return told


def _pages(count: int, shown: dict[int, str], inside: dict[int, str]) -> dict[str, bytes]:
    portal = Portal(count)
    for number, words in shown.items():
        one = portal.articles[number - 1]
        portal.articles[number - 1] = one._replace(title=f"{words}：{one.title}")
    for number, words in inside.items():
        one = portal.articles[number - 1]
        lines = (one.lines[0], f"{one.lines[1]}（{words}）", *one.lines[2:])
        portal.articles[number - 1] = one._replace(lines=lines)
    portal.listed = [[portal.articles[one.number - 1] for one in listed] for listed in portal.listed]
    return dict(portal.pages())


class Server(ThreadingHTTPServer):
    """The portal of a night; `asked` has every path that was requested, errors and repetitions too."""

    daemon_threads = True
    night: Night
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        """Answer as the night has it."""
        self.server.asked.append(self.path)
        night = self.server.night
        failing, body = self.path in night.failing, night.pages.get(self.path)
        status = 500 if failing else 404 if body is None else 200
        content = body if body is not None and not failing else f"<h1>{status}</h1>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """The server keeps its own log."""


@contextmanager
def serving() -> Iterator[Server]:
    """Serve on a free port for the length of a block."""
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Had(NamedTuple):
    """What a side has of an article: every text of it, title and body in one."""

    texts: dict[int, list[str]]

    def lacks(self, night: Night) -> tuple[int, int, int]:
        """Return how many articles of a night are missing, how many corrections in titles, and how many inside texts."""
        missing = sum(number not in self.texts for number in range(1, night.articles + 1))
        edits = (
            sum(not any(words in text for text in self.texts.get(number, ())) for number, words in corrected.items())
            for corrected in (night.shown, night.inside)
        )
        return missing, *edits


class Side:
    """One crawler with what it keeps from night to night in a folder of its own."""

    def __init__(self, name: str, folder: Path, base: str, options: argparse.Namespace) -> None:
        self.name = name
        self._folder, self._base, self._options = folder / name.replace(" ", "-"), base, options
        self._folder.mkdir()
        self._night = 0

    def crawl(self) -> Had:
        """Crawl once, and return all there is by then."""
        self._night += 1
        return self._ours() if self.name == "wuhu" else self._peer()

    def _ours(self) -> Had:
        profile = self._folder / "nights.toml"
        profile.write_text(PROFILE.format(base=self._base, concurrency=8), encoding="utf-8")
        command = [sys.executable, "-m", "scrapy", "crawl", "wuhu", "-a", f"portal={profile}", "-a", "requisites=no"]
        self._run(command, HERE.parent, WUHU_DATA_DIR=str(self._folder / "archive"), WUHU_BACKOFF_SECONDS="0.1")
        query = "SELECT a.article_id, v.title, v.body FROM article a JOIN article_version v ON v.article_key = a.key"
        texts: dict[int, list[str]] = {}
        with closing(sqlite3.connect(self._folder / "archive/archive.db")) as connection:
            for number, title, body in connection.execute(query):
                texts.setdefault(number, []).append(f"{title}\n{body}")
        return Had(texts)

    def _peer(self) -> Had:
        feed = self._folder / f"night-{self._night}.jsonl"
        command = [
            str(Path(self._options.peers).absolute()),
            "-m",
            "scrapy",
            "runspider",
            str(HERE / "peer.py"),
            "-a",
            f"base={self._base}",
        ]
        command += ["-o", str(feed), "-s", "LOG_LEVEL=INFO"]
        if self.name == "deltafetch":
            middlewares = json.dumps({"scrapy_deltafetch.DeltaFetch": 100})
            command += ["-s", "DELTAFETCH_ENABLED=1", "-s", f"SPIDER_MIDDLEWARES={middlewares}"]
            command += ["-s", f"DELTAFETCH_DIR={self._folder / 'seen'}"]
        self._run(command, self._folder)
        texts: dict[int, list[str]] = {}
        for night in sorted(self._folder.glob("night-*.jsonl")):
            for line in night.read_text(encoding="utf-8").splitlines():
                item = json.loads(line)
                texts.setdefault(item["number"], []).append(f"{item['title']}\n{item['body']}")
        return Had(texts)

    def _run(self, command: list[str], folder: Path, **more: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WUHU_", "SCRAPY_"))}
        log = self._folder / f"night-{self._night}.log"
        with log.open("wb") as told:
            ended = subprocess.run(
                command, cwd=folder, env={**kept, **more}, stdout=told, stderr=told, timeout=PATIENCE, check=False
            )
        if ended.returncode or b"Traceback" in log.read_bytes():
            raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}: {log.read_text(errors='replace')[-3000:]}")


SIDES = {"plain": "plain Scrapy, all again", "deltafetch": "scrapy-deltafetch", "wuhu": "scrapy crawl wuhu"}


def measure(options: argparse.Namespace) -> list[dict[str, object]]:
    """Let every side crawl the three nights; return one row a side and night."""
    rows: list[dict[str, object]] = []
    told = nights(options.articles)
    with tempfile.TemporaryDirectory(prefix="wuhu-nights-") as folder:
        for name in SIDES:
            with serving() as server:
                side = Side(name, Path(folder), f"http://127.0.0.1:{server.server_address[1]}", options)
                for number, night in enumerate(told, 1):
                    server.night, server.asked = night, []
                    had = side.crawl()
                    missing, shown, inside = had.lacks(night)
                    row = {"side": name, "night": number, "requests": len(server.asked), "articles_missed": missing}
                    rows.append({**row, "titles_missed": shown, "texts_missed": inside})
                    print(f"{name}, night {number}: {len(server.asked)} requests", file=sys.stderr)
    return rows


def show(rows: list[dict[str, object]], articles: int) -> None:
    """Print the table."""
    print(f"{articles} articles; {NEW} new and {EDITS} corrected a night, half of these by their titles")
    head = ("", "night", "requests", "articles missed", "titles missed", "texts missed")
    print("{:<26}{:>6}{:>10}{:>17}{:>15}{:>14}".format(*head))
    for row in rows:
        name = SIDES[str(row["side"])] if row["night"] == 1 else ""
        print(
            f"{name:<26}{row['night']:>6}{row['requests']:>10}{row['articles_missed']:>17}"
            f"{row['titles_missed']:>15}{row['texts_missed']:>14}"
        )
    print("Missed: not had at the end of the night, of all there was to be had by then.")


def main() -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=3000, help="articles on the portal in the first night (default 3000)")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the Python that has the peers")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    rows = measure(options)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows, options.articles)
    return 0


if __name__ == "__main__":
    sys.exit(main())
