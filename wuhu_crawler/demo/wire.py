"""The naked connection a fault writes to: status lines, headers and endings exactly as told, right or wrong."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from .server import Handler

PAGE = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>我爱芜湖</title></head>
<body><h3>{title}</h3>{body}</body></html>
"""


class Wire:
    """What a fault works with: the inner answer's body, how often its URL was asked for, and the naked connection."""

    def __init__(self, handler: Handler, name: str, body: bytes, query: str, turn: int) -> None:
        self.handler, self.name, self.body, self.turn = handler, name, body, turn
        self.query = {key.lower(): values[0] for key, values in parse_qs(query).items()}
        self.cookie = handler.headers.get("Cookie")
        self.status = 0

    def head(self, *lines: str, status: str = "200 OK", version: str = "HTTP/1.1", content_type: str = "text/html") -> None:
        """Send a status line and header lines exactly as given."""
        self.status = int(status.split(maxsplit=1)[0])
        every = (f"{version} {status}", "Server: Microsoft-IIS/6.0", f"Content-Type: {content_type}", *lines)
        self.send("\r\n".join(every).encode("latin-1") + b"\r\n\r\n")

    def whole(self, body: bytes, *lines: str, status: str = "200 OK") -> None:
        """Send a right answer."""
        self.head(f"Content-Length: {len(body)}", *lines, status=status)
        self.send(body)

    def page(self, body: str, *lines: str, status: str = "200 OK") -> None:
        """Send a right answer: a small page around the HTML."""
        self.whole(page_bytes(self.name, body), *lines, status=status)

    def send(self, data: bytes) -> None:
        """Send bytes now."""
        self.handler.connection.sendall(data)

    def half(self) -> bytes:
        """Return the first half of the body."""
        return self.body[: len(self.body) // 2]

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())


def page_bytes(title: str, body: str) -> bytes:
    """Return a small GBK page."""
    return PAGE.format(title=title, body=body).encode("gb18030")
