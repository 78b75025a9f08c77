"""A collection replayed by tools we did not write, in a real browser, with the portal switched off: pywb and replayweb.page;
and those that wget and pywb wrote, taken in.

`make test-replay` sets up what is needed and runs this; it fails, and does not skip, where something is missing. The
screenshots are in .venv-replay/screenshots.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from conftest import ROOT, Page, Story, answer, crawl, environment, listing, program, rows, serving

from wuhu_crawler.ingest import ArchiveWriter
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.portals import load_portal
from wuhu_crawler.warc.records import Exchange

pytestmark = pytest.mark.replay

TOOLS = ROOT / ".venv-replay"
PYTHON = TOOLS / "bin/python"
SCREENSHOTS = TOOLS / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TITLE, TEXT = "芜湖长江大桥昨日通车", "市民纷纷前往参观，大桥全长十公里。"
WIDTH, HEIGHT = 240, 80


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive whose portal is gone: its folder, where the portal was, and the package of it."""

    folder: Path
    site: str
    wacz: Path
    article: str
    moved: str
    first: str
    last: str


def browser() -> str:
    """Return Chromium's path; the test fails without one."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("there is no Chromium: install it, e.g. `apt-get install chromium`, and run `make test-replay` again")
    return found


def picture() -> bytes:
    """Return a PNG of one colour."""
    row = b"\0" + b"\xc0\x20\x20" * WIDTH

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row * HEIGHT)) + chunk(b"IEND", b"")


def fetched(url: str) -> Exchange:
    """Fetch a URL with nothing but a socket and return the exchange, byte for byte."""
    host, port, path = re.fullmatch(r"http://([\d.]+):(\d+)(/.*)", url).groups()  # type: ignore[union-attr]
    sent = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
    now = datetime.now(UTC)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(sent)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return Exchange(url, sent, received, now, host)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Two crawls of a portal with an article, its picture and an address that moved; then the portal is switched off."""
    place = tmp_path_factory.mktemp("replay")
    image = "<img src='/UploadFile/bridge.png' alt='大桥'>".encode("gb18030")
    story = Story(7, TITLE, [f"　　{TEXT}", "　　通车仪式昨日举行。"]).page().replace(b"</p></td>", b"</p>" + image + b"</td>")

    def moved(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, 302, b"", Location="/html/show.asp?newsid=7")

    pages: dict[str, Page] = {
        "/": listing({"/html/show.asp?newsid=7": TITLE, "/html/show.asp?newsid=6": "旧址"}),
        "/html/show.asp?newsid=7": story,
        "/html/show.asp?newsid=6": moved,
        "/UploadFile/bridge.png": lambda handler: answer(handler, 200, picture(), Content_Type="image/png"),
    }
    folder = place / "archive"
    with serving(pages) as site:
        profile = site.profile(place, article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']")
        for _ in range(2):
            ended = crawl(folder, profile, "-a", "full=1")
            assert ended.returncode == 0, ended.stderr
            time.sleep(1.1)  # captures of one URL have to differ in their second to be told apart in an index
        if not rows(folder, "SELECT 1 FROM capture WHERE url LIKE '%/UploadFile/%'"):
            record_picture(folder, f"{site.url}/UploadFile/bridge.png", str(profile))
        url = site.url
    captures = rows(folder, "SELECT captured_at, record_type FROM capture WHERE url LIKE '%newsid=7' ORDER BY id")
    assert [kind for _, kind in captures] == ["response", "revisit"]
    first, last = (re.sub(r"\D", "", at)[:14] for at, _ in captures)
    wacz = place / "all.wacz"
    packed = subprocess.run(
        [program("wuhu"), "wacz", "-o", str(wacz)], env=environment(folder), capture_output=True, check=False
    )
    assert packed.returncode == 0, packed.stderr
    return Kept(folder, url, wacz, f"{url}/html/show.asp?newsid=7", f"{url}/html/show.asp?newsid=6", first, last)


def record_picture(folder: Path, url: str, profile: str) -> None:
    """Record the article's picture by the same writer a crawl has."""
    paths = ArchivePaths.of(folder)
    writer = ArchiveWriter.open(paths, load_portal(profile), job="pictures", settings={}, operator=None, argv=["test"])
    writer.record(fetched(url))
    writer.close(0, "finished", {})


def look(*looks: dict[str, str]) -> dict[str, Any]:
    """Return what the browser shows of each page."""
    SCREENSHOTS.mkdir(exist_ok=True)
    job = {"browser": browser(), "looks": list(looks)}
    seen = subprocess.run(
        [str(PYTHON), str(ROOT / "tests/replay/look.py")],
        input=json.dumps(job), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert seen.returncode == 0, seen.stderr
    shown: dict[str, Any] = json.loads(seen.stdout)
    return shown


def wanted(name: str, url: str, frame: str) -> dict[str, str]:
    """Return one look."""
    return {"name": name, "url": url, "frame": frame, "screenshot": str(SCREENSHOTS / f"{name}.png")}


def must_show_the_article(seen: dict[str, Any], port: int) -> None:
    """The GBK page is readable, its picture is there, and nothing was asked of anybody but the tool."""
    assert "failed" not in seen, seen
    assert TITLE in seen["text"] and TEXT in seen["text"]
    assert seen["font"], "there is no Chinese font to look at: install one, e.g. `apt-get install fonts-wqy-microhei`"
    assert [size for _, *size in seen["images"]] == [[WIDTH, HEIGHT]]
    strangers = [url for url in seen["asked"] if url.startswith("http") and not url.startswith(f"http://127.0.0.1:{port}/")]
    assert strangers == []


@contextmanager
def pywb(place: Path, config: str, *options: str) -> Iterator[int]:
    """Run pywb in a folder with this configuration and yield its port."""
    (place / "config.yaml").write_text(config)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(TOOLS / "bin/wayback"), "-b", "127.0.0.1", "-p", str(port), "-d", str(place), *options]
    with (place / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            for _ in range(300):
                if server.poll() is not None:
                    pytest.fail((place / "log").read_text())
                with socket.socket() as connection:
                    if connection.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield port
        finally:
            server.terminate()


def test_pywb_replays_the_archive_as_it_lies(kept: Kept, tmp_path: Path) -> None:
    config = f"collections:\n  wuhu:\n    index_paths: {kept.folder}/cdx/\n    archive_paths: {kept.folder}/warc/\n"
    with pywb(tmp_path, config) as port:
        root = f"http://127.0.0.1:{port}/wuhu"
        with urlopen(f"{root}/cdx?url={kept.article.replace('?', '%3F')}&output=json") as answered:
            found = [json.loads(line) for line in answered.read().decode().splitlines()]
        assert [each["timestamp"] for each in found] == [kept.first, kept.last]
        seen = look(
            wanted("pywb-article", f"{root}/{kept.first}/{kept.article}", "mp_/"),
            wanted("pywb-revisit", f"{root}/{kept.last}/{kept.article}", "mp_/"),
            wanted("pywb-redirect", f"{root}/{kept.last}/{kept.moved}", "mp_/"),
        )
        for name in ("article", "revisit", "redirect"):
            must_show_the_article(seen[f"pywb-{name}"], port)
        assert seen["pywb-redirect"]["url"].endswith("newsid=7")
        assert seen["pywb-article"]["charset"].lower() in ("gbk", "gb2312", "gb18030")


class Ranges(SimpleHTTPRequestHandler):
    """A static server that answers ranges, which a browser reads a package by."""

    def do_GET(self) -> None:
        """Answer a file, or the part of it that was asked for."""
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        path = Path(self.translate_path(self.path))
        if found is None or not path.is_file():
            super().do_GET()
            return
        size = path.stat().st_size
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        with path.open("rb") as file:
            file.seek(first)
            self.wfile.write(file.read(last - first + 1))

    def end_headers(self) -> None:
        """Say that ranges are answered."""
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def replaywebpage(kept: Kept, place: Path) -> Iterator[int]:
    """Serve replayweb.page from its npm package and the archive's WACZ beside it."""
    package = TOOLS / "replaywebpage/package"
    assert (package / "ui.js").is_file(), "replaywebpage is not there: run `make test-replay`"
    (place / "replay").mkdir()
    shutil.copy(package / "ui.js", place)
    shutil.copy(package / "sw.js", place / "replay")
    shutil.copy(kept.wacz, place / "all.wacz")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=str(place))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def shown_by_replaywebpage(place: Path, name: str, url: str, ts: str) -> str:
    """Write a page that embeds the package at a URL and time, and return its name."""
    element = f'<replay-web-page source="/all.wacz" url="{url}" ts="{ts}" replayBase="/replay/"></replay-web-page>'
    style = "<style>html,body,replay-web-page{height:100%;margin:0;display:block}</style>"
    (place / f"{name}.html").write_text(f'<!doctype html><meta charset="utf-8">{style}<script src="/ui.js"></script>{element}')
    return f"{name}.html"


def test_replaywebpage_replays_the_package(kept: Kept, tmp_path: Path) -> None:
    with replaywebpage(kept, tmp_path) as port:
        root = f"http://127.0.0.1:{port}"
        asked = {
            "article": (kept.article, kept.first),
            "revisit": (kept.article, kept.last),
            "redirect": (kept.moved, kept.last),
        }
        looks = [
            wanted(f"replaywebpage-{name}", f"{root}/{shown_by_replaywebpage(tmp_path, name, url, ts)}", "mp_/http")
            for name, (url, ts) in asked.items()
        ]
        seen = look(*looks)
    for name in asked:
        must_show_the_article(seen[f"replaywebpage-{name}"], port)
    assert seen["replaywebpage-redirect"]["url"].endswith("newsid=7")
    assert f"/{kept.last}mp_/" in seen["replaywebpage-revisit"]["url"]


def test_py_wacz_finds_the_package_valid(kept: Kept) -> None:
    command = [str(TOOLS / "bin/wacz"), "validate", "-f", str(kept.wacz)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, "the passed WACZ is valid" in told.stdout) == (0, True), told.stdout + told.stderr


def test_what_wget_wrote_is_taken_in(tmp_path: Path) -> None:
    """wget puts requests before responses, records chunks as they came, and writes a log and a manifest into the file."""
    if shutil.which("wget") is None:
        pytest.fail("there is no wget: install it, e.g. `apt-get install wget`, and run `make test-replay` again")
    page = Story(8, "市民纷纷前往参观").page()

    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page))

    links = {"/html/show.asp?newsid=7": TITLE, "/html/show.asp?newsid=8": "市民纷纷前往参观", "/gone": "没有"}
    pages: dict[str, Page] = {
        "/": listing(links),
        "/html/show.asp?newsid=7": Story(7, TITLE).page(),
        "/html/show.asp?newsid=8": chunked,
    }
    with serving(pages) as site:
        command = ["wget", "--quiet", "--recursive", "--level=1", "--warc-file=wget", f"{site.url}/"]
        subprocess.run(command, cwd=tmp_path, check=False, timeout=60)
        portal = site.profile(tmp_path, article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']")
    told = must_be_taken_in(tmp_path / "wget.warc.gz", portal, {7: TITLE, 8: "市民纷纷前往参观"})
    assert "written by Wget/" in told


def test_what_pywb_recorded_is_taken_in(tmp_path: Path) -> None:
    """pywb records what a browser asks for, here the same article twice in a second; its files begin without a warcinfo."""
    pages: dict[str, Page] = {
        "/": listing({"/html/show.asp?newsid=7": TITLE}),
        "/html/show.asp?newsid=7": Story(7, TITLE).page(),
    }
    (tmp_path / "collections/rec").mkdir(parents=True)
    config = "collections:\n  live: $live\nrecorder:\n  source_coll: live\n"
    with serving(pages) as site, pywb(tmp_path, config, "--record", "--live") as port:
        for path in ("/", "/html/show.asp?newsid=7", "/html/show.asp?newsid=7", "/gone"):
            with suppress(HTTPError), urlopen(f"http://127.0.0.1:{port}/rec/record/mp_/{site.url}{path}") as answered:
                answered.read()
        portal = site.profile(tmp_path, article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']")
    (recorded,) = (tmp_path / "collections/rec/archive").glob("rec-*.warc.gz")
    must_be_taken_in(recorded, portal, {7: TITLE})


def must_be_taken_in(recorded: Path, portal: Path, titles: dict[int, str]) -> str:
    """Import a file of others into a new archive, which is then sound, rebuilds and packs; return what import says."""
    folder = recorded.parent / "archive"

    def wuhu(*arguments: str) -> str:
        done = subprocess.run(
            [program("wuhu"), *arguments], env=environment(folder), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    told = wuhu("import", str(recorded), "--portal", str(portal))
    found = rows(folder, "SELECT article_id, title FROM article JOIN article_version ON article_key = key ORDER BY 1")
    assert dict(found) == titles
    assert wuhu("verify") == "ok\n"
    dump = wuhu("db", "dump", "--canonical")
    wuhu("rebuild")
    assert wuhu("db", "dump", "--canonical") == dump
    wuhu("wacz", "-o", str(folder / "all.wacz"))
    assert wuhu("wacz", "verify", str(folder / "all.wacz")) == "ok\n"
    return told
