"""Every link of a page, resolved and told apart: article, listing or other page, next page, attachment, asset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ..portals import Portal
from .document import Document, Element, clean
from .urls import absolute, article_id, is_part

LinkKind = Literal["article", "page", "next", "attachment", "asset"]
ATTACHMENTS = frozenset(
    ("doc docx xls xlsx ppt pptx pdf zip rar 7z txt wps et rtf csv mp3 mp4 wmv avi flv swf tar gz exe apk ceb").split()
)
ASSETS = frozenset(("jpg jpeg gif png bmp ico webp svg css js tif tiff woff woff2 ttf").split())
_NEXT_WORDS = frozenset(
    {
        "下一页",
        "下页",
        "后一页",
        "下一頁",
        "后页",
        "next",
        "next>",
        "下一页>",
        "下一页>>",
        "下一页»",
        "[下一页]",
        "【下一页】",
        "下页>",
        ">",
        ">>",
        "»",
        "›",
    }
)


@dataclass(frozen=True, slots=True)
class Hyperlink:
    """A link: its absolute URL, its words (the title attribute when that is the uncut form), its line and element."""

    url: str
    text: str
    tag_text: str
    kind: LinkKind
    article_id: int | None
    is_part: bool
    line: int
    element: Element

    @property
    def is_next(self) -> bool:
        """Whether it leads to the next page of a listing."""
        return self.kind == "next"


def read_links(document: Document, url: str, portal: Portal) -> list[Hyperlink]:
    """Return the page's links in source order; script links, anchors of the page itself and other schemes are none."""
    base = document.root.find(".//base[@href]")
    root = absolute(url, base.get("href")) or url if base is not None else url
    links = []
    for line, element, text in document.links:
        href = element.get("href")
        if not href or href.lstrip().startswith(("#", "javascript:", "mailto:")):
            continue
        target = absolute(root, href)
        if target is not None:
            links.append(_link(target, element, text, line, portal))
    return links


def _link(target: str, element: Element, text: str, line: int, portal: Portal) -> Hyperlink:
    number = article_id(target, portal)
    part = number is not None and is_part(target)
    kind: LinkKind
    suffix = extension(target)
    if number is not None:
        kind = "article"
    elif text.replace(" ", "").lower() in _NEXT_WORDS:
        kind = "next"
    elif suffix in ATTACHMENTS:
        kind = "attachment"
    elif suffix in ASSETS:
        kind = "asset"
    else:
        kind = "page"
    return Hyperlink(target, text, text, kind, number, part, line, element)


def extension(url: str) -> str:
    """Return the lower-case file extension of a URL's path, '' without one."""
    name = urlsplit(url).path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def counter_url(document: Document, url: str, number: int | None) -> tuple[str, int] | None:
    """Return the URL of the script that writes the view counter of this article, and the line it stands in; None without one.

    It names the counting (hits, count, click …) and carries the article's ID: a statistics service does not know that.
    """
    for line, src, _ in document.scripts:
        if src and _COUNTER.search(src):
            target = absolute(url, clean(src))
            if target and (number is None or re.search(rf"=0*{number}(?:&|\Z)", urlsplit(target).query)):
                return target, line
    return None


_COUNTER = re.compile(r"(?:hits?|count(?:er)?|click|views?|visit|num|liulan|dianji|renqi)\w*\.(?:asp|aspx|php|ashx|js)\?", re.I)
