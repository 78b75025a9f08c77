"""The benchmark's server: every response made before the first request, sent by a bare asyncio protocol.

Run as a program it serves `pages.Portal` on a free port of 127.0.0.1 and prints the port once it is ready; it ends with its
standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from pages import Portal

HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/6.0\r\nX-Powered-By: ASP.NET\r\nCache-control: private\r\n"
    b"Content-Type: text/html\r\nContent-Length: %d\r\n\r\n"
)
MISSING = b"HTTP/1.1 404 Not Found\r\nServer: Microsoft-IIS/6.0\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One kept-alive connection; requests have no body."""

    def __init__(self, responses: dict[bytes, bytes]) -> None:
        self._responses = responses
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            self._transport.write(self._responses.get(request.split(b" ", 2)[1], MISSING))  # type: ignore[attr-defined]


async def serve(responses: dict[bytes, bytes]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(responses), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Make the pages, then serve them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=3000)
    articles = parser.parse_args().articles
    asyncio.run(serve({path.encode(): HEAD % len(body) + body for path, body in Portal(articles).pages()}))


if __name__ == "__main__":
    main()
