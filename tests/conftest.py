"""What the end-to-end tests share: the programs as a user starts them, portals a test writes itself, and one whole crawl."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import warm
from db_samples import empty_database

from wuhu_crawler import cli
from wuhu_crawler.db.engine import upgrade
from wuhu_crawler.demo import server, truth, world
from wuhu_crawler.demo.server import LogEntry

# The hundreds of programs the tests start need not compile the project anew each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT = Path(__file__).parent.parent
# No test waits longer for a program; none comes near it.
PATIENCE = 60
# What a failing portal costs in seconds is politeness, not what these tests are about.
HASTY = {"WUHU_BACKOFF_SECONDS": "0.01", "WUHU_BACKOFF_MAX": "0.02", "WUHU_BREAKER_SECONDS": "0.02"}


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a user's environment: the archive is in `folder`, and no WUHU_* setting is inherited."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WUHU_")}
    return {**inherited, "WUHU_DATA_DIR": str(folder), "COLUMNS": "200", **(more or {})}


def program(name: str) -> str:
    """Return the path of a program of this environment, as its user would call it."""
    return str(Path(sys.executable).with_name(name))


def scrapy(*arguments: str, folder: Path, limit: int | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `scrapy ARGUMENTS` to its end in the checkout (warm.py); no file may grow beyond `limit` bytes."""
    command, env = [program("scrapy"), *arguments], environment(folder, more)
    if limit is None:
        return warm.text(command, env=env, timeout=PATIENCE)
    limited = [sys.executable, "-c", _LIMITED, str(limit), *command]
    return subprocess.run(limited, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.argv[2], sys.argv[2:])
"""


def crawl(folder: Path, portal: str | Path = "demo", *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `scrapy crawl wuhu` on a portal; further arguments as they are, further settings from the environment."""
    return scrapy("crawl", "wuhu", "-a", f"portal={portal}", *arguments, folder=folder, **more)


def result(log: str) -> str:
    """Return the sentence a crawl tells its result in; the line of its report comes after it."""
    (told,) = (line for line in log.splitlines() if " INFO: Crawl " in line and " ended (" in line)
    return told


def rows(folder: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask the archive's database with nothing but SQLite."""
    with closing(sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def outcomes(folder: Path) -> dict[str, tuple[str, str | None]]:
    """Return how each URL of the latest crawl ended, by its path and query: (outcome, reason)."""
    wanted = "SELECT url, outcome, reason FROM outcome WHERE crawl_id = (SELECT id FROM crawl ORDER BY started_at DESC LIMIT 1)"
    return {"/" + url.split("/", 3)[3]: (outcome, reason) for url, outcome, reason in rows(folder, wanted)}


Page = bytes | Callable[[BaseHTTPRequestHandler], None]


class Site(ThreadingHTTPServer):
    """A portal on 127.0.0.1 that a test writes: `pages` by target (path and query), anything else is a 404.

    A page is the bytes of a 200, or a function that answers the request its own way. `log` has the targets asked for.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, pages: dict[str, Page]) -> None:
        super().__init__(("127.0.0.1", 0), SiteHandler)
        self.pages = pages
        self.log: list[str] = []

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def profile(self, folder: Path, name: str = "small", **more: str) -> Path:
        """Write the site's portal TOML and return its path; `more` are further keys with their TOML values."""
        facts = {
            "title": '"江城在线"',
            "seeds": f'["{self.url}/"]',
            "delay": "0",
            "allow_private": "true",
            "contact_required": "false",
            **more,
        }
        path = folder / f"{name}.toml"
        path.write_text("".join(f"{key} = {value}\n" for key, value in facts.items()), encoding="utf-8")
        return path

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests want; anything else is a bug of the test."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class SiteHandler(BaseHTTPRequestHandler):
    """One request of a Site."""

    server: Site

    def do_GET(self) -> None:
        """Answer from the site's pages."""
        self.server.log.append(self.path)
        page = self.server.pages.get(self.path)
        if callable(page):
            page(self)
        else:
            answer(self, 404 if page is None else 200, b"<h1>404</h1>" if page is None else page)

    def log_message(self, format: str, *args: Any) -> None:
        """The site keeps its own log."""


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Send a whole response; `headers` with underscores for hyphens."""
    handler.send_response(status)
    for name, value in {"Content_Type": "text/html", "Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving(pages: dict[str, Page]) -> Iterator[Site]:
    """Serve the pages for the length of a block."""
    with Site(pages) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


@dataclass(slots=True)
class Story:
    """An article of a small site: what is true of it, from which its page is made."""

    number: int
    title: str
    lines: list[str] = field(
        default_factory=lambda: ["　　芜湖长江大桥昨日通车，市民纷纷前往参观。", "　　大桥全长十公里，历时四年建成。"]
    )
    published: str = "2024-5-6 8:09:10"
    views: int = 7
    category: str = "江城新闻"

    def page(self) -> bytes:
        """Return the page of a table-era template, in the bytes of gb2312."""
        body = "".join(f"<p>{line}</p>" for line in self.lines)
        return html(
            '<table><tr><td>您现在的位置：<a href="/">首页</a> &gt;&gt; '
            f'<a href="/html/list.asp?classid=1">{self.category}</a> &gt;&gt; 正文</td></tr>'
            f"<tr><td align=center><b>{self.title}</b></td></tr>"
            f"<tr><td align=center>发布时间：{self.published}　浏览次数：{self.views}</td></tr>"
            f"<tr><td>{body}</td></tr></table>"
        )


def html(body: str) -> bytes:
    """Return a page of the family: GBK bytes under the label gb2312."""
    head = '<meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>江城在线</title>'
    return f"<html><head>{head}</head><body>{body}</body></html>".encode("gb18030")


def listing(links: Mapping[str, str], after: str = "") -> bytes:
    """Return a listing page of links (URL -> words), each with a date."""
    items = "".join(f'<li><a href="{url}">{words}</a> (2024-05-06)</li>' for url, words in links.items())
    return html(f'您现在的位置：<a href="/">首页</a> &gt;&gt; 江城新闻<ul>{items}</ul>{after}')


class Workers:
    """The workers of one run of pytest, each a process: what one of them has made for all, and when the last is done."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.place.mkdir(exist_ok=True)
        self.at_work = (place / "at-work").open("w")
        fcntl.flock(self.at_work, fcntl.LOCK_SH)

    def once(self, name: str, make: Callable[[Path], Any], copy: Path) -> Any:
        """Return what `make` told of the folder it filled, and copy the folder; only the first worker to ask makes it.

        Nobody reads the folder itself, since SQLite has files come and go beside a database that is read.
        """
        folder, told = self.place / name, self.place / f"{name}.pickle"
        with (self.place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not told.exists():
                folder.mkdir()
                told.write_bytes(pickle.dumps(make(folder)))
            shutil.copytree(folder, copy)
            return pickle.loads(told.read_bytes())  # noqa: S301 - one of us wrote it

    def wait(self) -> None:
        """Wait until this is the only worker left."""
        fcntl.flock(self.at_work, fcntl.LOCK_EX)


@pytest.fixture(scope="session", autouse=True)
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """The workers of this run; each is at work from its first test to its last."""
    base = tmp_path_factory.getbasetemp()
    together = Workers((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "workers")
    with together.at_work:
        yield together


@dataclass(frozen=True, slots=True)
class DemoCrawl:
    """The bundled portal, crawled whole and once: do not write into `folder`, copy it."""

    folder: Path
    url: str
    log: list[LogEntry]
    articles: dict[int, dict[str, Any]]


@pytest.fixture(scope="session")
def demo_server() -> Iterator[server.Handle]:
    """The bundled portal, serving for the whole session."""
    with server.start() as handle:
        yield handle


@pytest.fixture(scope="session")
def demo_truth() -> dict[int, dict[str, Any]]:
    """The true fields of every article of the bundled portal, by its number."""
    return {row["article_id"]: row for row in truth.rows(world.build())}


@pytest.fixture(scope="session")
def demo_facts() -> dict[str, Any]:
    """The counts a whole crawl of the bundled portal must meet."""
    return truth.summary(world.build())


@pytest.fixture(scope="session")
def demo(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCrawl]:
    """The whole bundled portal, crawled over HTTP by a real `scrapy crawl`, from a server nobody else moves the counters of."""
    with ExitStack() as ended:

        def make(folder: Path) -> tuple[str, list[LogEntry]]:
            portal = ended.enter_context(server.start())
            done = crawl(folder / "archive", "demo", "-O", str(folder / "out.jsonl"), WUHU_DEMO_URL=portal.url)
            assert done.returncode == 0, done.stderr
            ended.callback(workers.wait)  # they ask this server, too
            return portal.url, list(portal.log)

        place = tmp_path_factory.mktemp("demo") / "crawled"
        url, log = workers.once("demo", make, place)
        articles = [json.loads(line) for line in (place / "out.jsonl").read_text(encoding="utf-8").splitlines()]
        by_number = {article["article_id"]: article for article in articles}
        assert len(by_number) == len(articles), "the feed holds an article twice"
        yield DemoCrawl(place / "archive", url, log, by_number)


class Result(NamedTuple):
    """How a call of `wuhu` ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The JSON objects printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Wuhu = Callable[..., Result]


@pytest.fixture
def wuhu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Wuhu:
    """Calls `wuhu` in this process, by the function its program calls."""

    def run(*arguments: str, folder: Path = tmp_path / "no-archive") -> Result:
        for name in [name for name in os.environ if name.startswith("WUHU_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("WUHU_DATA_DIR", str(folder))
        monkeypatch.setattr(sys, "argv", ["wuhu", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Result(int(ended.value.code or 0), *capsys.readouterr())

    return run


# A test that asks for `database_url` runs on both databases: on SQLite in `make test`, on PostgreSQL in `make test-postgres`.
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """A PostgreSQL server for the whole session (a `cluster.Cluster`). Only for tests marked `postgres`."""
    from cluster import running  # psycopg is not there for its own sake in the other tests

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(cluster: Any) -> str:
    """The name of a PostgreSQL database with the tables and nothing in them: do not connect to it, copy it."""
    name: str = cluster.create()
    upgrade(cluster.url(name))
    return name


@pytest.fixture
def postgres_url(cluster: Any, migrated: str) -> Iterator[str]:
    """The URL of a new PostgreSQL database with the tables and nothing in them."""
    name = cluster.create(migrated)
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def empty_postgres_url(cluster: Any) -> Iterator[str]:
    """The URL of a new PostgreSQL database without tables."""
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database with the tables and nothing in them, of either kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    file = tmp_path / "archive.db"
    file.write_bytes(empty_database())
    return f"sqlite:///{file}"


STORY = Story(7, "长江大桥昨日通车")


@pytest.fixture(scope="session")
def thrice(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three crawls: one article is changed and changed back, one stays the same (sent in gzip and in chunks), one
    is forbidden. Do not write into it, copy it."""
    place = tmp_path_factory.mktemp("thrice") / "crawled"
    workers.once("thrice", crawl_thrice, place)
    return place / "archive"


def crawl_thrice(place: Path) -> None:
    """Make that archive."""
    squeezed = gzip.compress(Story(8, "市民纷纷前往参观").page(), mtime=0)

    def chunked(handler: BaseHTTPRequestHandler) -> None:
        framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (squeezed[:100], squeezed[100:], b""))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        handler.wfile.write(head + framed)
        handler.close_connection = True

    links = {"/html/show.asp?newsid=7": STORY.title, "/html/show.asp?newsid=8": "市民纷纷前往参观", "/private/": "内部"}
    pages: dict[str, Page] = {
        "/robots.txt": b"User-agent: *\nDisallow: /private/\n",
        "/": listing(links),
        "/html/show.asp?newsid=7": STORY.page(),
        "/html/show.asp?newsid=8": chunked,
    }
    with serving(pages) as site:
        portal = site.profile(place, article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']")
        changed = Story(7, STORY.title, ["　　改过的正文，仍然足够长，好让人看出是一篇文章。"])
        for page in (STORY.page(), changed.page(), STORY.page()):
            site.pages["/html/show.asp?newsid=7"] = page
            ended = crawl(place / "archive", portal, "-a", "full=1")
            assert ended.returncode == 0, ended.stderr
