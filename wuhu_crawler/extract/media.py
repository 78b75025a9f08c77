"""What a body shows besides text: pictures, attachments and links."""

from __future__ import annotations

import re

from ..items import Article, Link
from .labels import FURNITURE
from .reading import Reading
from .urls import absolute

_SPACER = re.compile(
    r"(?:spacer|blank|dot|arrow|icon|line|bullet|space|point|jt|logo|button|btn|print|close|gotop|back|fav)\w*\.(?:gif|png|jpg)\Z",
    re.I,
)
_TINY = 24


def read_media(article: Article, reading: Reading) -> None:
    """Fill images, attachments and links of the body."""
    region = reading.region
    for line, node, image in reading.document.images:
        if region.start <= line <= region.end and node.within(region.container) and not _is_spacer(image):
            target = absolute(reading.url, _source(image))
            if target and not any(link.url == target for link in article.images):
                article.images.append(Link(url=target, text=image.get("alt", "").strip()))
    for link in reading.links:
        inside = region.start <= link.line < region.end and link.node.within(region.container)
        if not inside and not (link.kind == "attachment" and region.start <= link.line <= region.end + 2):
            continue
        if link.kind == "attachment":
            article.attachments.append(Link(url=link.url, text=link.text))
        elif inside and link.text and not FURNITURE.fullmatch(link.text) and not link.is_part:
            article.links.append(Link(url=link.url, text=link.text))


def _source(image: dict[str, str]) -> str:
    """The picture's URL; one that is loaded lazily stands in another attribute."""
    return str(image.get("data-src") or image.get("data-original") or image.get("original") or image.get("src", ""))


def _is_spacer(image: dict[str, str]) -> bool:
    sizes = [int(size) for size in (image.get("width", ""), image.get("height", "")) if size.isdigit()]
    if any(size <= _TINY for size in sizes) or _SPACER.search(_source(image)):
        return True
    return bool(FURNITURE.fullmatch(image.get("alt", "").strip() or "-"))
