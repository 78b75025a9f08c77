"""Bytes to text. Declared charsets of this family are often wrong, so the bytes decide: fewer replacement characters wins."""

from __future__ import annotations

import re
from dataclasses import dataclass

REPLACEMENT = "\ufffd"
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]+)", re.I)
_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_\-]+)", re.I)
_COMMENT = re.compile(rb"<!--.*?-->", re.S)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# The label says gb2312, the bytes are GBK or GB18030: one superset decodes all three.
_GB_LABELS = frozenset({"gb2312", "gbk", "gb18030", "x-gbk", "gb_2312-80", "cp936", "hz-gb-2312"})
_UTF8_LABELS = frozenset({"utf-8", "utf8"})
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, the encoding that read it (`utf-8`, `gb18030`, `utf-16-le`, ...), the declared label (lower case, None when
    none) and how many characters could not be decoded."""

    text: str
    encoding: str
    declared: str | None
    losses: int


def declared_charset(body: bytes, content_type: str | None = None) -> str | None:
    """Return the charset label the page (outside comments) or else its HTTP header declares, in lower case."""
    found = _META.search(_COMMENT.sub(b"", body[:_HEAD]))
    if found:
        return found.group(1).decode("ascii").lower()
    header = _HEADER.search(content_type or "")
    return header.group(1).lower() if header else None


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Return the body as text. Never raises: what no encoding reads becomes U+FFFD and is counted.

    UTF-8 and GB18030 are both tried and the one with fewer losses wins; on a tie the declared one, else UTF-8.
    """
    declared = declared_charset(body, content_type)
    for mark, name in _BOMS:
        if body.startswith(mark):
            text = body[len(mark) :].decode(name, "replace")
            return Decoded(text, name, declared, text.count(REPLACEMENT))
    strict = _strict(body, declared)
    if strict is not None:
        return strict
    tries = [(_lossy(body, name), name) for name in ("utf-8", "gb18030")]
    preferred = "gb18030" if declared in _GB_LABELS else "utf-8"
    (text, losses), name = min(tries, key=lambda attempt: (attempt[0][1], attempt[1] != preferred))
    return Decoded(text, name, declared, losses)


def _strict(body: bytes, declared: str | None) -> Decoded | None:
    """Return the text when one of the two encodings reads every byte; the declared one is asked first."""
    order = ("utf-8", "gb18030")
    # A GBK page is hardly ever valid UTF-8, while UTF-8 Chinese is often valid GB18030 by accident: UTF-8 is asked first unless
    # the page is pure ASCII, where the label decides what is recorded.
    for name in order:
        try:
            text = body.decode(name)
        except UnicodeDecodeError:
            continue
        if name == "utf-8" and declared in _GB_LABELS and body.isascii():
            name = "gb18030"
        return Decoded(text, name, declared, text.count(REPLACEMENT) if name == "utf-8" else 0)
    return None


def _lossy(body: bytes, name: str) -> tuple[str, int]:
    text = body.decode(name, "replace")
    return text, text.count(REPLACEMENT)
