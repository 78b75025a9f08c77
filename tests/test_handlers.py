"""Wire recording: what the handler recorded is what a raw socket server sent and received, byte for byte."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import warm
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from wire_server import CLOSE, HANG, RESET, WireServer, wire_server

HTML = "<html><p>芜湖市田龙</p></html>".encode("gb18030")
OK = b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/6.0\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(HTML) + HTML
GZIP = gzip.compress(HTML, mtime=0)
EXCESS = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwuhu and more"
CLOSED = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# path -> script; a list of two scripts is for the first and the second request.
SCRIPTS: dict[str, Any] = {
    "/plain": [OK],
    "/no-reason": [b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx"],
    "/odd-reason": ["HTTP/1.1 200 一切正常\r\nContent-Length: 1\r\n\r\nx".encode("gb18030")],
    "/http10": [CLOSED + HTML, CLOSE],
    "/folded": [b"HTTP/1.1 200 OK\r\nX-A: one\r\n\ttwo\r\nset-cookie: a=1\r\nSET-COOKIE: b=2\r\nContent-Length: 0\r\n\r\n"],
    "/no-colon": [b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 1\r\n\r\nx"],
    "/line-feeds": [b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx"],
    "/chunked": [CHUNKED + b"4;ext=1\r\nwu", b"hu\r\n0\r\nX-Trailer: yes\r\n\r\n"],
    "/gzip": [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIP), GZIP],
    "/redirect": [b"HTTP/1.1 302 Object moved\r\nLocation: /plain\r\nContent-Length: 0\r\n\r\n"],
    "/excess": [EXCESS],
    "/103": [b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", OK],
    "/big": [b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + bytes(range(256)) * 1171 + bytes(224)],
    "/post": [OK],
    "/cut-length": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", CLOSE],
    "/cut-chunk": [CHUNKED + b"a\r\nhalf", CLOSE],
    "/cut-document": [CLOSED + b"<html>half", CLOSE],
    "/cut-gzip": [b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(HTML * 50)[:-20], CLOSE],
    "/reset-length": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", HANG],
    "/torn-head": [b"HTTP/1.1 200 OK\r\nServer: II", CLOSE],
    "/bad-status": [b"HTTP/1.1 OK\r\nContent-Length: 1\r\n\r\nx"],
    "/no-http": [b"\x16\x03\x01 this is no HTTP\r\n\r\n", CLOSE],
    "/slow": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", HANG],
    "/silent": [HANG],
    "/nothing": [CLOSE],
    "/too-long": [b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nhalf", HANG],
    "/grows": [CLOSED + b"x" * 5000, HANG],
    "/keep-1": [OK],
    "/keep-2": [OK],
    "/stale": [[CLOSE], [OK]],
    "/after": [OK],
}
META: dict[str, dict[str, Any]] = {
    "/slow": {"download_timeout": 0.4},
    "/silent": {"download_timeout": 0.4},
    "/reset-length": {"download_timeout": 20},
    "/too-long": {"download_maxsize": 1000},
    "/grows": {"download_maxsize": 1000},
}
SCRIPTS["/reset-length"] = [SCRIPTS["/reset-length"][0], RESET]

CRAWL = """
import base64, json, sys
import scrapy
from scrapy.crawler import AsyncCrawlerProcess

class Wire(scrapy.Spider):
    name = "wire"

    async def start(self):
        for number, (url, meta) in enumerate(json.load(sys.stdin)):
            body = {"method": "POST", "body": b"id=\\xcd\\xdf"} if url.endswith("/post") else {}
            yield scrapy.Request(url, self.done, errback=self.failed, dont_filter=True, meta=meta, priority=-number, **body)

    def done(self, response):
        self.tell(response.request, status=response.status, flags=response.flags, body=response.body)

    def failed(self, failure):
        self.tell(failure.request, failed=type(failure.value).__name__)

    def tell(self, request, *, status=None, flags=(), body=b"", failed=None):
        exchange = request.meta.get("exchange")
        if exchange is None:
            return print(json.dumps({"url": request.url, "failed": failed, "sent": "", "received": "", "body": ""}))
        b64 = lambda data: base64.b64encode(data).decode()
        print(json.dumps({
            "url": request.url, "sent": b64(exchange.sent), "received": b64(exchange.received), "body": b64(body),
            "ip": exchange.ip, "error": exchange.error, "at": exchange.started_at.isoformat(), "wire_flags": exchange.flags,
            "status": status, "flags": list(flags), "failed": failed,
        }), flush=True)

handler, concurrency = sys.argv[1:]
process = AsyncCrawlerProcess({
    "DOWNLOAD_HANDLERS": {"http": handler, "https": handler}, "CONCURRENT_REQUESTS": int(concurrency),
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "HTTPERROR_ALLOW_ALL": True, "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False, "LOG_LEVEL": "WARNING",
})
process.crawl(Wire)
process.start()
"""


class Told(NamedTuple):
    """What the crawl told of one request."""

    sent: bytes
    received: bytes
    body: bytes
    rest: dict[str, Any]


def run(urls: list[tuple[str, dict[str, Any]]], handler: str, concurrency: int) -> subprocess.CompletedProcess[str]:
    """Crawl in a process of its own: a reactor runs once."""
    command = [sys.executable, "-c", CRAWL, f"wuhu_crawler.handlers.{handler}", str(concurrency)]
    return warm.text(command, told=json.dumps(urls).encode())


def crawl(urls: list[tuple[str, dict[str, Any]]], concurrency: int = 1) -> dict[str, Told]:
    """Return what was recorded, by path."""
    done = run(urls, "WireHandler", concurrency)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    told = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        sent, received, body = (base64.b64decode(row.pop(name)) for name in ("sent", "received", "body"))
        told["/" + row["url"].rsplit("/", 1)[1]] = Told(sent, received, body, row)
    return told


@pytest.fixture(scope="module")
def crawled() -> Iterator[tuple[WireServer, Mapping[str, Told]]]:
    with wire_server(SCRIPTS) as server:
        yield server, crawl([(server.url + path, META.get(path, {})) for path in SCRIPTS])


@pytest.mark.parametrize("path", [path for path in SCRIPTS if path not in ("/bad-status", "/no-http", "/grows")])
def test_the_recording_is_what_the_server_saw(crawled: tuple[WireServer, Mapping[str, Told]], path: str) -> None:
    server, told = crawled
    seen = server.seen[path][-1]
    assert told[path].sent == seen.received
    assert told[path].received == seen.sent
    assert told[path].rest["ip"] == "127.0.0.1"
    assert told[path].rest["at"].endswith("+00:00")


@pytest.mark.parametrize("path", ["/bad-status", "/no-http", "/grows"])
def test_what_came_before_we_hung_up_is_recorded(crawled: tuple[WireServer, Mapping[str, Told]], path: str) -> None:
    server, told = crawled
    seen = server.seen[path][-1]
    assert told[path].sent == seen.received
    assert seen.sent.startswith(told[path].received)
    assert len(told[path].received) > 10


@pytest.mark.parametrize(
    ("path", "failed"),
    [
        ("/cut-length", "ResponseDataLossError"),
        ("/cut-chunk", "ResponseDataLossError"),
        ("/cut-document", "ResponseDataLossError"),
        ("/cut-gzip", "ResponseDataLossError"),
        ("/reset-length", "ResponseDataLossError"),
        ("/torn-head", "DownloadFailedError"),
        ("/bad-status", "DownloadFailedError"),
        ("/no-http", "DownloadFailedError"),
        ("/slow", "DownloadTimeoutError"),
        ("/silent", "DownloadTimeoutError"),
        ("/nothing", "DownloadFailedError"),
        ("/too-long", "DownloadCancelledError"),
        ("/grows", "DownloadCancelledError"),
    ],
)
def test_failures_fail_and_say_why(crawled: tuple[WireServer, Mapping[str, Told]], path: str, failed: str) -> None:
    told = crawled[1][path]
    assert told.rest["failed"] == failed
    assert told.rest["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/plain", HTML), ("/http10", HTML), ("/chunked", b"wuhu"), ("/no-colon", b"x"), ("/excess", b"wuhu"), ("/103", HTML)],
)
def test_scrapy_gets_its_response_as_ever(crawled: tuple[WireServer, Mapping[str, Told]], path: str, body: bytes) -> None:
    told = crawled[1][path]
    assert (told.rest["status"], told.body, told.rest["flags"], told.rest["error"]) == (200, body, [], None)


def test_a_post_is_recorded_with_its_body(crawled: tuple[WireServer, Mapping[str, Told]]) -> None:
    assert crawled[1]["/post"].sent.endswith(b"\r\n\r\nid=\xcd\xdf")


def test_oddities_are_flagged(crawled: tuple[WireServer, Mapping[str, Told]]) -> None:
    flagged = {path: told.rest["wire_flags"] for path, told in crawled[1].items() if told.rest["wire_flags"]}
    assert flagged == {
        "/excess": ["excess-body"],
        "/103": ["interim"],
        "/cut-document": ["partial"],
        "/cut-gzip": ["partial"],
        "/torn-head": ["partial"],
        "/no-http": ["not-http"],
        "/grows": ["partial"],
    }


def test_connections_are_kept_and_each_exchange_begins_clean(crawled: tuple[WireServer, Mapping[str, Told]]) -> None:
    server, told = crawled
    first, second = server.seen["/keep-1"][0], server.seen["/keep-2"][0]
    assert first.connection == second.connection
    assert second.nth == first.nth + 1
    assert told["/keep-2"].received == OK


def test_a_stale_connection_is_replaced_and_only_the_real_exchange_stays(
    crawled: tuple[WireServer, Mapping[str, Told]],
) -> None:
    server, told = crawled
    stale, real = server.seen["/stale"]
    assert stale.connection == server.seen["/keep-2"][0].connection
    assert stale.connection != real.connection
    assert told["/stale"].sent == real.received
    assert told["/stale"].received == OK


def test_no_reset_is_missed() -> None:
    """uvloop has hidden resets from HTTP clients that watch sockets themselves; they then waited for their timeout."""
    pages = {f"/{n}": [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", RESET] for n in range(60)}
    with wire_server(pages) as server:
        told = crawl([(server.url + path, {"download_timeout": 20}) for path in pages], concurrency=8)
    assert {one.rest["failed"] for one in told.values()} == {"ResponseDataLossError"}
    assert all("ConnectionResetError" in one.rest["error"] for one in told.values())


def test_parallel_exchanges_do_not_mix() -> None:
    pages = {f"/{n}": [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", f"{n:03d}".encode()] for n in range(40)}
    with wire_server(pages) as server:
        told = crawl([(server.url + path, {}) for path in pages], concurrency=8)
    assert len({seen.connection for many in server.seen.values() for seen in many}) > 1
    for path, script in pages.items():
        assert told[path].received == b"".join(script)
        assert told[path].sent == server.seen[path][0].received


def certificate(folder: Path) -> ssl.SSLContext:
    """A server context with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(secret + made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def test_over_tls_the_plain_bytes_are_recorded(tmp_path: Path) -> None:
    with wire_server({"/1": [OK], "/2": [CHUNKED, b"4\r\nwuhu\r\n0\r\n\r\n"]}, certificate(tmp_path)) as server:
        told = crawl([(server.url + path, {}) for path in ("/1", "/2")])
    for path, seen in server.seen.items():
        assert (told[path].sent, told[path].received) == (seen[0].received, seen[0].sent)
        assert told[path].rest["ip"] == "127.0.0.1"
    assert len(told) == 2


def test_offline_refuses_without_a_socket() -> None:
    with wire_server({}) as server:
        done = run([(server.url + "/x", {})], "RefusingHandler", 1)
    assert json.loads(done.stdout)["failed"] == "OfflineError", done.stderr
    assert not server.seen
