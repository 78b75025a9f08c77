"""Every link of a page, resolved and told apart: article, listing or other page, next page, attachment, asset."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from ..portals import Portal
from .document import Block, Document, clean
from .urls import absolute, folder_of, is_part, needs_query, numbered

LinkKind = Literal["article", "page", "next", "attachment", "asset"]
ATTACHMENTS = frozenset(
    ("doc docx xls xlsx ppt pptx pdf zip rar 7z txt wps et rtf csv mp3 mp4 wmv avi flv swf tar gz exe apk ceb").split()
)
ASSETS = frozenset(("jpg jpeg gif png bmp ico webp svg css js tif tiff woff woff2 ttf").split())
_NEXT_WORDS = frozenset(
    "下一页 下页 后一页 下一頁 后页 next next> 下一页> 下一页>> 下一页» [下一页] 【下一页】 下页> > >> » ›".split()
)


class PageLink(NamedTuple):
    """A link for whoever crawls on: absolute URL without fragment, its words, what it leads to, the article ID if it is one."""

    url: str
    text: str
    kind: LinkKind
    article_id: int | None


class Hyperlink(NamedTuple):
    """A link: what it leads to (`target` has all of it), whether to a later part of an article, the line and block it is in."""

    url: str
    text: str
    kind: LinkKind
    article_id: int | None
    is_part: bool
    line: int
    node: Block
    target: PageLink

    @property
    def is_next(self) -> bool:
        """Whether it leads to the next page of a listing."""
        return self.kind == "next"


def read_links(document: Document, url: str, portal: Portal) -> list[Hyperlink]:
    """Return the page's links in source order; script links, anchors of the page itself and other schemes are none."""
    root = (absolute(url, document.base) if document.base else None) or url
    folder, patterns = folder_of(root), portal.article_urls
    links = []
    for line, node, href, text in document.links:
        target = _target(root if needs_query(href) else folder, href, text, patterns) if href else None
        if target is not None:
            link, part = target
            links.append(Hyperlink(*link, part, line, node, link))
    return links


@lru_cache(maxsize=16384)
def _target(base: str, href: str, text: str, article_urls: tuple[str, ...]) -> tuple[PageLink, bool] | None:
    """Return what a link leads to, and whether to a later part of an article. Most links of a portal are on all its pages."""
    if href.lstrip().startswith(("#", "javascript:", "mailto:")):
        return None
    url = absolute(base, href)
    if url is None:
        return None
    number = numbered(url, article_urls)
    suffix = extension(url)
    kind: LinkKind = "article" if number is not None else "page"
    if number is None and suffix in ATTACHMENTS:
        kind = "attachment"
    elif number is None and suffix in ASSETS:
        kind = "asset"
    elif kind == "page" and text.replace(" ", "").lower() in _NEXT_WORDS:
        kind = "next"
    return PageLink(url, text, kind, number), number is not None and is_part(url)


def extension(url: str) -> str:
    """Return the lower-case file extension of a URL's path, '' without one."""
    name = urlsplit(url).path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def counter_url(document: Document, url: str, number: int | None, patterns: tuple[str, ...] = ()) -> tuple[str, int] | None:
    """Return the URL of the script that writes the view counter of this article, and the line it stands in; None without one.

    It names the counting (hits, count, click …), or matches a profile's `counter_urls`, and carries the article's ID: a
    statistics service does not know that.
    """
    for line, src, _ in document.scripts:
        target = absolute(url, clean(src)) if src and (patterns or _COUNTER.search(src)) else None
        if target and (_is_counter(src, target, number) or _is_own_counter(target, number, patterns)):
            return target, line
    return None


def _is_counter(src: str, target: str, number: int | None) -> bool:
    named = bool(_COUNTER.search(src))
    return named and (number is None or bool(re.search(rf"=0*{number}(?:&|\Z)", urlsplit(target).query)))


def _is_own_counter(target: str, number: int | None, patterns: tuple[str, ...]) -> bool:
    parts = urlsplit(target)
    place = parts.path + (f"?{parts.query}" if parts.query else "")
    known = any(re.search(pattern, place, re.I) for pattern in patterns)
    return known and (number is None or bool(re.search(rf"(?<!\d)0*{number}(?!\d)", place)))


_COUNTER = re.compile(r"(?:hits?|count(?:er)?|click|views?|visit|num|liulan|dianji|renqi)\w*\.(?:asp|aspx|php|ashx|js)\?", re.I)
