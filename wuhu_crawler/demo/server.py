"""The bundled portal as an HTTP server on 127.0.0.1: serve() for the command line, start() for tests. Standard library only."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ..errors import UsageError
from . import faults as fault_pages
from .edits import edited
from .life import Life
from .portal import Answer, Portal, html

HOST = "127.0.0.1"
PORT = 8553
# A client that goes away is no error of a server.
GONE = (ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One request served: UTC time, method, URL as requested, status (0 when none was sent whole), milliseconds taken."""

    at: datetime
    method: str
    url: str
    status: int
    milliseconds: float

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.method} {self.url} {self.status} {self.milliseconds:.1f}"


class DemoServer(ThreadingHTTPServer):
    """The listening socket with its portal, log and open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        *,
        latency_ms: int,
        faults: bool,
        seed: int,
        log: Path | None,
        edits: int = 0,
        day: int = 0,
        articles: int | None = None,
    ) -> None:
        self.seed = seed
        self.life = Life.of(articles, seed)
        lives = day > 0 or articles is not None
        self.portal = Portal(self.life.world(day) if lives else edited(seed, edits))
        self.faults = fault_pages.Faults() if faults else None
        self.latency = latency_ms / 1000
        self.log: list[LogEntry] = []
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._log_file = log.open("a", encoding="utf-8", buffering=1) if log else None
        try:
            super().__init__((HOST, port), Handler)
        except OSError as error:
            raise UsageError(f"cannot listen on {HOST}:{port}: {error.strerror}; choose another port") from error

    @property
    def url(self) -> str:
        """The portal's home page."""
        return f"http://{HOST}:{self.server_address[1]}/"

    def write_log(self, entry: LogEntry) -> None:
        """Append to the log in memory and, where one was asked for, to the file."""
        with self._lock:
            self.log.append(entry)
            if self._log_file:
                self._log_file.write(f"{entry}\n")

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Called inside the handling of an exception: a vanished client is normal, anything else is a bug and shown."""
        if not isinstance(sys.exc_info()[1], GONE):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Close the socket, the connections clients keep alive, and the log."""
        super().server_close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            if self._log_file:
                self._log_file.close()
                self._log_file = None


class Handler(BaseHTTPRequestHandler):
    """One connection. Answers leave in one write, so that no small packet waits for an acknowledgement."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: DemoServer

    def version_string(self) -> str:
        return "Microsoft-IIS/6.0"

    def log_message(self, format: str, *args: Any) -> None:
        """The server keeps its own log; nothing is printed."""

    def do_GET(self) -> None:
        """Answer a GET (a HEAD too), or have a fault answer it."""
        began, at = time.perf_counter(), datetime.now(UTC)
        if self.server.latency:
            time.sleep(self.server.latency)
        status = 0
        try:
            status = self._serve()
        finally:
            taken = (time.perf_counter() - began) * 1000
            self.server.write_log(LogEntry(at, self.command, self.path, status, taken))

    do_HEAD = do_GET  # noqa: N815 (the name http.server looks for)

    def _serve(self) -> int:
        faults = self.server.faults
        if faults and self.path.lower().startswith("/faults/"):
            status = faults.serve(self)
            if status is not None:
                return status
        return self.send_answer(self._answer())

    def _answer(self) -> Answer:
        if self.command == "HEAD":
            # A HEAD moves no counter; its body is not sent, so a fresh portal may answer it.
            return Portal(self.server.portal.world).answer(self.path, self.headers)  # type: ignore[arg-type]
        return self.server.portal.answer(self.path, self.headers)  # type: ignore[arg-type]

    def send_answer(self, answer: Answer) -> int:
        """Send the answer; return its status."""
        self.send_response(answer.status)
        self.send_header("X-Powered-By", "ASP.NET")
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        return answer.status

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request of ours (a bad request line, an unknown method) as plainly as IIS does."""
        self.close_connection = True
        self.send_response(code, message)
        answer = html(f"<h1>{code}</h1>", status=code)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)


@dataclass(slots=True)
class Handle:
    """A portal running in a thread of this process; also a context manager that stops it."""

    server: DemoServer
    thread: threading.Thread

    @property
    def url(self) -> str:
        """The home page, with a slash at the end."""
        return self.server.url

    @property
    def log(self) -> list[LogEntry]:
        """The requests served so far."""
        return self.server.log

    @property
    def portal(self) -> Portal:
        """The portal with its world."""
        return self.server.portal

    def edit(self, rounds: int) -> None:
        """Let the editors have done so many rounds of edits; counters go on."""
        self.portal.world = edited(self.server.seed, rounds)

    def go_to(self, day: int) -> None:
        """Let it be the end of a day of the portal's life; counters go on."""
        self.portal.world = self.server.life.world(day)

    def stop(self) -> None:
        """Stop serving and close every connection; may be called twice."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start(
    port: int = 0,
    *,
    latency_ms: int = 0,
    faults: bool = False,
    seed: int = 553,
    log: Path | None = None,
    edits: int = 0,
    day: int = 0,
    articles: int | None = None,
) -> Handle:
    """Start the portal in a thread and return its handle; port 0 takes a free one. Raises UsageError for a port in use.

    `day` is one of the portal's life (Handle.go_to moves on), `articles` asks for a large portal of so many.
    """
    server = DemoServer(port, latency_ms=latency_ms, faults=faults, seed=seed, log=log, edits=edits, day=day, articles=articles)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="demo portal")
    thread.start()
    return Handle(server, thread)


def serve(
    port: int = PORT,
    latency_ms: int = 0,
    faults: bool = False,
    ready: Callable[[str], None] | None = None,
    *,
    seed: int = 553,
    log: Path | None = None,
    edits: int = 0,
    day: int = 0,
    articles: int | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then return; `ready` is called with the URL once requests are accepted.

    Must be called in the main thread. Raises UsageError for a port in use.
    """
    server = DemoServer(port, latency_ms=latency_ms, faults=faults, seed=seed, log=log, edits=edits, day=day, articles=articles)

    def stop(*_: object) -> None:
        # shutdown() waits for serve_forever(), which this very thread runs.
        threading.Thread(target=server.shutdown).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if ready:
            ready(server.url)
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)
