"""The portal's files: pictures, style sheets, scripts and two attachments, as real bytes made here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache

from .articles import ATTACHMENTS
from .world import World

GIF = bytes.fromhex("47494638396101000100800000ccccccffffff21f90400000000002c00000000010001000002024401003b")
CSS = "body{font-size:12px;background:url(/images/bg1.gif)}\r\na{color:#333}\r\n.white{color:#fff}\r\n/* 我爱芜湖 */\r\n"
SCRIPT = "function today(){var d=new Date();return d.getFullYear()+'年'+(d.getMonth()+1)+'月'+d.getDate()+'日';}\r\n"
ROBOTS = "User-agent: *\r\nDisallow: /admin/\r\nDisallow: /search.asp\r\nDisallow: /inc/\r\n"
Asset = tuple[str, bytes]


def png(shade: int) -> bytes:
    """Return an 8 x 8 grey PNG."""
    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([shade % 256]) * 8 for _ in range(8))
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(comment: str) -> bytes:
    """Return an 8 x 8 grey baseline JPEG that carries the comment."""
    tables = bytes([1]) + bytes(15) + bytes([0])
    segments = (
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xFE, comment.encode("ascii")),
        (0xDB, b"\0" + bytes([1]) * 64),
        (0xC0, bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0])),
        (0xC4, b"\x00" + tables),
        (0xC4, b"\x10" + tables),
        (0xDA, bytes([1, 1, 0, 0, 63, 0])),
    )
    return (
        b"\xff\xd8"
        + b"".join(struct.pack(">BBH", 255, mark, len(data) + 2) + data for mark, data in segments)
        + b"\x3f\xff\xd9"
    )


def pdf() -> bytes:
    """Return a one-page PDF with a right cross-reference table."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<<>>>>"
    stream = b"<</Length 22>>stream\n0 0 m 200 200 l 0 0 m S\nendstream"
    objects = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream)
    body, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def doc() -> bytes:
    """Return bytes that begin as a Word 97 file does: the compound-document header and one sector of text."""
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    return head.ljust(512, b"\xff") + "芜湖市技能培训项目申报表".encode("utf-16-le").ljust(512, b"\0")


def find(world: World, path: str) -> Asset | None:
    """Return content type and bytes of the file at a path (lower case), or None: the portal has no such file."""
    if world.has_picture(path):
        return "image/jpeg", jpeg(path)
    return _files().get(path)


@lru_cache(maxsize=1)
def _files() -> dict[str, Asset]:
    return dict(_named())


def _named() -> Iterator[tuple[str, Asset]]:
    for name in ("logo", "arrow", "dot", "bg1", "top", "count", "print", "gotop", "close"):
        yield f"/images/{name}.gif", ("image/gif", GIF)
    yield "/images/banner.jpg", ("image/jpeg", jpeg("banner"))
    yield "/images/face.png", ("image/png", png(160))
    yield "/favicon.ico", ("image/x-icon", png(80))
    for name in ("style", "news", "wide"):
        yield f"/css/{name}.css", ("text/css", CSS.encode("gbk"))
    yield "/js/date.js", ("application/x-javascript", SCRIPT.encode("gbk"))
    yield "/robots.txt", ("text/plain", ROBOTS.encode("ascii"))
    for (_, url), asset in zip(ATTACHMENTS, (("application/msword", doc()), ("application/pdf", pdf())), strict=True):
        yield url, asset
