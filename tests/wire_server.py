"""A raw TCP server that sends scripted bytes and remembers, exchange for exchange, what it received and what it sent."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

CLOSE, RESET, HANG = "close", "reset", "hang"
# What is sent to a request: bytes as they are; a string ends the connection: with a FIN, a reset, or when the client gives up.
Script = Sequence[bytes | str]


class Seen(NamedTuple):
    """One exchange as the server saw it; `connection` counts from 0, `nth` is the request's number on it."""

    received: bytes
    sent: bytes
    connection: int
    nth: int


class WireServer:
    """Serves `scripts` (path -> script) on 127.0.0.1. A list of scripts answers the first, second, ... request for the path."""

    def __init__(self, scripts: Mapping[str, Script | list[Script]], tls: ssl.SSLContext | None = None) -> None:
        self.scripts = scripts
        self._tls = tls
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for connection in self._connections:
            with connection:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it is closed already
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._tls:  # the handshake takes place with the first read, in the connection's own thread
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            number = len(self._connections)
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, number))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        nth = 0
        try:
            while request := _read_request(connection):
                if not self._answer(connection, request, number, nth):
                    return
                nth += 1
        except OSError:
            return  # the client went away, or the test is over

    def _answer(self, connection: socket.socket, request: bytes, number: int, nth: int) -> bool:
        path = request.split(b" ", 2)[1].decode("ascii")
        script = self._script(path)
        data = b"".join(step for step in script if isinstance(step, bytes))
        self.seen[path].append(Seen(request, data, number, nth))
        for step in script:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step == HANG:
                return bool(connection.recv(1))
            else:
                _end(connection, step)
                return False
        return True

    def _script(self, path: str) -> Script:
        script = self.scripts.get(path, [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
        if script and isinstance(script[0], list | tuple):
            return script[min(len(self.seen[path]), len(script) - 1)]  # type: ignore[return-value]
        return script  # type: ignore[return-value]


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", data)
    body = int(length[1]) if length else 0
    while len(data.split(b"\r\n\r\n", 1)[1]) < body:
        data += connection.recv(65536)
    return data


def _end(connection: socket.socket, how: str) -> None:
    if how == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def wire_server(scripts: Mapping[str, Script | list[Script]], tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    """A running server, closed at the end."""
    server = WireServer(scripts, tls)
    try:
        yield server
    finally:
        server.close()
