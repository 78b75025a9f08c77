"""What a page needs to be shown, and the files it offers: pictures, style sheets, scripts, attachments. Pure.

It reads bytes, not a document: in every encoding of the family markup is ASCII, and no byte of a Chinese character looks like
`<`, `>` or a quotation mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape

from ..items import Requisite, RequisiteKind
from .hyperlinks import ATTACHMENTS, extension
from .urls import absolute, folder_of

_TAG = re.compile(rb"<(i(?:mg|nput)|script|link|base)\b([^<>]*)>")
_ATTRIBUTE = re.compile(rb"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_BACKGROUND = re.compile(rb"(?<=\s)background\s*=\s*[\"']?\s*([^\"'\s<>]+)", re.I)
_URL = re.compile(rb"url\(\s*[\"']?\s*([^\"')<>]+?)\s*[\"']?\s*\)", re.I)
_IMPORT = re.compile(rb"@import\s+(?:url\()?\s*[\"']?\s*([^\"')\s;<>]+)", re.I)
_COMMENT = re.compile(rb"/\*.*?\*/", re.S)
# A picture that is loaded when it comes into view stands in one of these.
_SOURCES = (b"src", b"data-src", b"data-original", b"original")
_PICTURES = frozenset("gif jpg jpeg png bmp ico webp svg tif tiff cur".split())
_SHOWN = _PICTURES | frozenset("woff woff2 ttf otf eot".split())


def read_requisites(body: bytes, encoding: str | None, url: str) -> list[Requisite]:
    """Return what an HTML page names, in its order and each once; `encoding` is the one the page was read in."""
    found: dict[str, Requisite] = {}
    base, small = folder_of(url), body.lower()
    for tag in _TAG.finditer(small):
        rest = body[tag.start(2) : tag.end(2)]
        if tag[1] == b"base":
            base = _absolute(base, _attributes(rest).get(b"href", b""), encoding) or base
        else:
            found.update(_named(tag[1], rest, base, encoding))
    for word in _words(_BACKGROUND, b"background", body, small):
        target = _absolute(base, word, encoding)
        if target is not None:
            found.setdefault(target, Requisite("image", target))
    for requisite in _of_style(body, small, encoding, base):
        found.setdefault(requisite.url, requisite)
    return list(found.values())


def read_style(body: bytes, url: str) -> list[Requisite]:
    """Return what a style sheet names: pictures, fonts (as pictures) and other sheets."""
    found: dict[str, Requisite] = {}
    sheet = _COMMENT.sub(b"", body)
    for requisite in _of_style(sheet, sheet.lower(), None, url):
        found.setdefault(requisite.url, requisite)
    return list(found.values())


def requisite_kind(url: str) -> RequisiteKind | None:
    """Return what a link's target is by its name, None when it is no file of these kinds."""
    suffix = extension(url)
    if suffix in _PICTURES:
        return "image"
    return "attachment" if suffix in ATTACHMENTS else None


@lru_cache(maxsize=4096)
def _named(name: bytes, rest: bytes, base: str, encoding: str | None) -> dict[str, Requisite]:
    """What a tag names. Those of a portal's frame are the same on every page."""
    kind, words = _of_tag(name, _attributes(rest))
    targets = (_absolute(base, word, encoding) for word in words) if kind else ()
    return {target: Requisite(kind, target) for target in targets if kind is not None and target is not None}


def _of_tag(name: bytes, attributes: dict[bytes, bytes]) -> tuple[RequisiteKind | None, list[bytes]]:
    sources = [attributes[source] for source in _SOURCES if attributes.get(source)]
    if name == b"img" or (name == b"input" and attributes.get(b"type", b"").lower() == b"image"):
        return "image", sources
    if name == b"script":
        return "script", sources[:1]
    rel = attributes.get(b"rel", b"").lower().split()
    target = [attributes[b"href"]] if name == b"link" and attributes.get(b"href") else []
    if b"stylesheet" in rel:
        return "style", target
    return ("image", target) if b"icon" in rel else (None, [])


def _of_style(body: bytes, small: bytes, encoding: str | None, base: str) -> Iterator[Requisite]:
    for word in _words(_IMPORT, b"@import", body, small):
        target = _absolute(base, word, encoding)
        if target and extension(target) == "css":
            yield Requisite("style", target)
    shown = (_shown(base, word, encoding) for word in _words(_URL, b"url(", body, small))
    yield from (requisite for requisite in shown if requisite is not None)


@lru_cache(maxsize=8192)
def _shown(base: str, word: bytes, encoding: str | None) -> Requisite | None:
    """What a style shows: a picture or a font."""
    target = _absolute(base, word, encoding)
    return Requisite("image", target) if target and extension(target) in _SHOWN else None


def _words(pattern: re.Pattern[bytes], beginning: bytes, body: bytes, small: bytes) -> Iterator[bytes]:
    """Yield what a pattern finds where its beginning stands in `small`, the body in lower case: a search for letters of either
    case would try at every byte of the page."""
    at = small.find(beginning)
    while at >= 0:
        found = pattern.match(body, at)
        if found:
            yield found[1]
        at = small.find(beginning, found.end() if found else at + 1)


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return {name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(text)}


def _absolute(base: str, word: bytes, encoding: str | None) -> str | None:
    text = unescape(word.decode(encoding or "utf-8", "replace")).strip()
    return absolute(base, text) if text and not text.lower().startswith(("data:", "javascript:", "about:")) else None
