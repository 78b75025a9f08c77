"""Faults on demand (`--faults`): what real servers and networks do wrong, each under /faults/NAME; /faults/ links to all.

A path behind the name is served with that fault: /faults/fin-length/news/Info.asp?ID=12001 is that article, cut. Without one a
small page is. Names and promises are in the table of docs/demo.md.
"""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING

from .wire import Wire, page_bytes

if TYPE_CHECKING:
    from .server import Handler

PREFIX = "/faults/"
FILLER = "<p>　　长江之滨，镜湖之畔，这是一段为故障演示而写的文字。</p>\n" * 40
BOMB = 40 << 20
DEEP = 2100
SLOW_PIECES = 20


def _reset_length(wire: Wire) -> None:
    wire.head(f"Content-Length: {len(wire.body)}")
    wire.send(wire.half())
    wire.reset()


def _reset_nolength(wire: Wire) -> None:
    wire.head("Connection: close")
    wire.send(wire.half())
    wire.reset()


def _fin_length(wire: Wire) -> None:
    wire.head(f"Content-Length: {len(wire.body)}")
    wire.send(wire.half())


def _fin_nolength(wire: Wire) -> None:
    wire.head("Connection: close")
    wire.send(wire.half())


def _fin_whole(wire: Wire) -> None:
    wire.head("Connection: close")
    wire.send(wire.body)


def _http10(wire: Wire) -> None:
    wire.head(version="HTTP/1.0")
    wire.send(wire.body)


def _excess(wire: Wire) -> None:
    wire.head(f"Content-Length: {len(wire.body) // 2}", "Connection: close")
    wire.send(wire.body)


def _slow(wire: Wire) -> None:
    wire.head(f"Content-Length: {len(wire.body)}")
    seconds = min(600.0, float(wire.query.get("seconds", "4")))
    size = -(-len(wire.body) // SLOW_PIECES)
    for start in range(0, len(wire.body), size):
        wire.send(wire.body[start : start + size])
        time.sleep(seconds / SLOW_PIECES)


def _busy(wire: Wire) -> None:
    if wire.turn == 0:
        wire.page("Service Unavailable", "Retry-After: 1", status="503 Service Unavailable")
    else:
        wire.whole(wire.body)


def _busy_date(wire: Wire) -> None:
    if wire.turn == 0:
        wire.page(
            "Service Unavailable", f"Retry-After: {formatdate(time.time() + 2, usegmt=True)}", status="503 Service Unavailable"
        )
    else:
        wire.whole(wire.body)


def _busy_always(wire: Wire) -> None:
    wire.page("Service Unavailable", "Retry-After: 1", status="503 Service Unavailable")


def _too_many(wire: Wire) -> None:
    if wire.turn < 2:
        wire.page("Too Many Requests", "Retry-After: 1", status="429 Too Many Requests")
    else:
        wire.whole(wire.body)


def _server_error(wire: Wire) -> None:
    wire.page("Internal Server Error", status="500 Internal Server Error")


def _gzip(wire: Wire) -> None:
    wire.whole(gzip.compress(wire.body, mtime=0), "Content-Encoding: gzip")


def _gzip_cut(wire: Wire) -> None:
    packed = gzip.compress(wire.body, mtime=0)
    wire.whole(packed[: len(packed) // 2], "Content-Encoding: gzip")


def _gzip_crc(wire: Wire) -> None:
    packed = bytearray(gzip.compress(wire.body, mtime=0))
    packed[-8] ^= 0xFF
    wire.whole(bytes(packed), "Content-Encoding: gzip")


def _gzip_bomb(wire: Wire) -> None:
    wire.whole(_bomb(), "Content-Encoding: gzip")


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * BOMB, mtime=0)


def _redirect(target: str) -> Callable[[Wire], None]:
    return lambda wire: wire.page("Object Moved", f"Location: {target}", status="302 Object moved")


def _loop(wire: Wire) -> None:
    _redirect(wire.handler.path)(wire)


def _cookie_wall(wire: Wire) -> None:
    if wire.cookie:
        wire.whole(wire.body)
    else:
        wire.page("Object Moved", f"Location: {wire.handler.path}", "Set-Cookie: wall=1; path=/", status="302 Object moved")


def _refresh_file(wire: Wire) -> None:
    wire.whole(
        page_bytes("refresh", "<p>请稍候</p>").replace(
            b"<title>", b'<meta http-equiv="refresh" content="0;url=file:///etc/hostname"><title>', 1
        )
    )


def _links(wire: Wire) -> None:
    schemes = (
        "file:///etc/hostname",
        "data:text/html,secret",
        "javascript:alert(1)",
        "ftp://127.0.0.1/x",
        "http://127.0.0.1:1/",
        "//localhost/x",
        "mailto:a@b.cn",
    )
    wire.page(" ".join(f'<a href="{url}">{url.partition(":")[0]}</a>' for url in schemes))


def _calendar(wire: Wire) -> None:
    index = int(wire.query.get("n", "24288"))
    months = "".join(f'<a href="/faults/calendar?n={n}">{n // 12}年{n % 12 + 1}月</a> ' for n in (index - 1, index + 1))
    wire.page(f"<p>{months}</p>")


def _session(wire: Wire) -> None:
    mark = f"{wire.turn:08x}{len(wire.query):02x}"
    links = "".join(f'<a href="/faults/session?page={n}&sid={mark}{n}">第{n}页</a> ' for n in range(1, 4))
    wire.page(f"<p>第{wire.query.get('page', '1')}页</p>{links}")


def _header_charset(wire: Wire) -> None:
    wire.head(f"Content-Length: {len(wire.body)}", content_type="text/html; charset=utf-8")
    wire.send(wire.body)


def _unknown_charset(wire: Wire) -> None:
    wire.whole(wire.body.replace(b"gb2312", b"x-zh-17"))


def _no_colon(wire: Wire) -> None:
    wire.head("X-Powered-By ASP.NET", f"Content-Length: {len(wire.body)}")
    wire.send(wire.body)


def _folded(wire: Wire) -> None:
    wire.whole(wire.body, "X-Folded: first\r\n second\r\n\tthird", "X-Twice: a", "x-twice: b")


def _odd_status(wire: Wire) -> None:
    wire.whole(wire.body, status="200")


def _chunks(body: bytes) -> bytes:
    pieces = [body[start : start + 700] for start in range(0, len(body), 700)]
    return b"".join(b"%x;odd=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def _chunked(wire: Wire) -> None:
    wire.head("Transfer-Encoding: chunked", "Trailer: X-Checked")
    wire.send(_chunks(wire.body) + b"0\r\nX-Checked: yes\r\n\r\n")


def _chunked_cut(wire: Wire) -> None:
    wire.head("Transfer-Encoding: chunked")
    framed = _chunks(wire.body)
    wire.send(framed[: len(framed) // 2])


def _deep(wire: Wire) -> None:
    soup = "".join(f"<font size=2>第{number}层" for number in range(1, DEEP + 1))
    wire.page(f"{soup}<p>最深处的文字</p>")


def _empty(wire: Wire) -> None:
    wire.whole(b"")


def _silent(wire: Wire) -> None:
    """Close without a byte."""


def _garbage(wire: Wire) -> None:
    wire.send(b"\x16\x03\x01\x00\x02\x02\x28 this is no HTTP\r\n\r\n")


def _is_later_part(wire: Wire) -> bool:
    return wire.query.get("articlepage", "1") != "1"


def _is_counter(wire: Wire) -> bool:
    return "/hits.asp" in wire.handler.path.lower()


def _only(wrong: Callable[[Wire], bool], status: str, words: str) -> Callable[[Wire], None]:
    """A fault of some pages of a portal, the others being right."""

    def fault(wire: Wire) -> None:
        if wrong(wire):
            wire.page(words, status=status)
        else:
            wire.whole(wire.body)

    return fault


def _part_cut(wire: Wire) -> None:
    wire.head(f"Content-Length: {len(wire.body)}")
    wire.send(wire.half() if _is_later_part(wire) else wire.body)


def _part_repeats(wire: Wire) -> None:
    """A number past the end is answered with page 1, and here every number is; its pager names one more part each time."""
    number = wire.query.get("articlepage", "1")
    inner = wire.handler.path[len(PREFIX) :].partition("/")[2].partition("?")[0]
    first = wire.handler.server.portal.answer(f"/{inner}?ID={wire.query.get('id', '')}").body
    if number.isdecimal():
        link = f'<p><a href="Info.asp?ID={wire.query.get("id", "")}&ArticlePage={int(number) + 1}">[{int(number) + 1}]</a></p>'
        first = first.replace(b"</body>", link.encode("ascii") + b"</body>", 1)
    wire.whole(first)


def _counter_empty(wire: Wire) -> None:
    wire.whole(b"document.writeln('')" if _is_counter(wire) else wire.body)


# name -> (fault, the status its answer begins with; 0 = none)
FAULTS: dict[str, tuple[Callable[[Wire], None], int]] = {
    "reset-length": (_reset_length, 200),
    "reset-nolength": (_reset_nolength, 200),
    "fin-length": (_fin_length, 200),
    "fin-nolength": (_fin_nolength, 200),
    "fin-whole": (_fin_whole, 200),
    "http10": (_http10, 200),
    "excess": (_excess, 200),
    "slow": (_slow, 200),
    "busy": (_busy, 503),
    "busy-date": (_busy_date, 503),
    "busy-always": (_busy_always, 503),
    "too-many": (_too_many, 429),
    "server-error": (_server_error, 500),
    "gzip": (_gzip, 200),
    "gzip-cut": (_gzip_cut, 200),
    "gzip-crc": (_gzip_crc, 200),
    "gzip-bomb": (_gzip_bomb, 200),
    "loop": (_loop, 302),
    "cookie-wall": (_cookie_wall, 302),
    "offsite": (_redirect("http://www.example.invalid/landing.html"), 302),
    "private": (_redirect("http://127.0.0.1:1/secret"), 302),
    "to-file": (_redirect("file:///etc/hostname"), 302),
    "refresh-file": (_refresh_file, 200),
    "links": (_links, 200),
    "calendar": (_calendar, 200),
    "session": (_session, 200),
    "header-charset": (_header_charset, 200),
    "unknown-charset": (_unknown_charset, 200),
    "no-colon": (_no_colon, 200),
    "folded": (_folded, 200),
    "odd-status": (_odd_status, 200),
    "chunked": (_chunked, 200),
    "chunked-cut": (_chunked_cut, 200),
    "deep": (_deep, 200),
    "empty": (_empty, 200),
    "silent": (_silent, 0),
    "garbage": (_garbage, 0),
    "part-missing": (_only(_is_later_part, "404 Not Found", "无法找到该页"), 200),
    "part-error": (_only(_is_later_part, "500 Internal Server Error", "Microsoft VBScript 运行时错误"), 200),
    "part-cut": (_part_cut, 200),
    "part-repeats": (_part_repeats, 200),
    "counter-error": (_only(_is_counter, "500 Internal Server Error", "Microsoft VBScript 运行时错误"), 200),
    "counter-empty": (_counter_empty, 200),
}
# Faults of some pages of a portal: the status is that of the page.
PARTLY = ("part-missing", "part-error", "part-cut", "part-repeats", "counter-error", "counter-empty")
# Faults that keep their connection usable; the others end it.
KEEPING = ("busy", "busy-date", "busy-always", "too-many", "calendar", "session", "chunked", "deep", "loop", "gzip")


class Faults:
    """The faults of one server with their counters."""

    def __init__(self) -> None:
        self._gets: Counter[str] = Counter()
        self._lock = threading.Lock()

    def serve(self, handler: Handler) -> int | None:
        """Answer the handler's request under /faults/; return the status, 0 for none, or None when there is no such fault."""
        path, _, query = handler.path[len(PREFIX) :].partition("?")
        name, slash, inner = path.partition("/")
        if not name:
            wire = Wire(handler, "故障", b"", "", 0)
            wire.page("".join(f'<li><a href="{PREFIX}{each}">{each}</a></li>' for each in FAULTS))
            return 200
        if name not in FAULTS:
            return None
        fault, status = FAULTS[name]
        body = handler.server.portal.answer(f"/{inner}?{query}").body if slash and inner else page_bytes(name, FILLER)
        turn = self._turn(handler.path if name != "session" else name)
        handler.close_connection = handler.close_connection or name not in KEEPING
        wire = Wire(handler, name, body, query, turn)
        fault(wire)
        if name in PARTLY:
            return wire.status
        return 200 if status in (429, 503) and name != "busy-always" and turn >= (2 if status == 429 else 1) else status

    def _turn(self, key: str) -> int:
        with self._lock:
            self._gets[key] += 1
            return self._gets[key] - 1
