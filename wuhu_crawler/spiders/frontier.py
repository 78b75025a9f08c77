"""The frontier: which links lead on, which URLs are the same, and what keeps a trap from being crawled for ever.

Everything but `UrlFingerprinter` is pure. The tables grow by what portals show.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ..extract.urls import identity, resource

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler

    from ..portals import Portal

T = TypeVar("T")

# Words in the name of a script that shows no articles: for printing, searching, signing in, voting, writing; mere counters.
# `UserLogin.asp` and `user_login.asp` are two words; a name without case is one, and then only a long word is proof enough.
USELESS_SCRIPTS = frozenset((
    "print", "search", "so", "query", "login", "logout", "reg", "register", "signin", "vote", "toupiao", "poll", "survey",
    "guestbook", "gbook", "book", "liuyan", "message", "feedback", "comment", "comments", "pinglun", "review", "reply", "post",
    "user", "member", "admin", "manage", "cart", "order", "sendmail", "tofriend", "hits", "hit", "count", "counter", "click",
    "rss", "bbs", "forum", "captcha", "getcode", "code", "down", "download",
))  # fmt: skip
USELESS_NAMES = re.compile(
    "print|search|login|regist|toupiao|guestbook|gbook|liuyan|comment|pinglun|sendmail|tofriend|checkcode|validatecode", re.I
)
# Words of links that lead to no article either.
USELESS_WORDS = ("打印", "搜索", "登录", "登陆", "注册", "投票", "留言", "评论", "推荐给好友", "发送给好友", "关闭窗口",
                 "设为首页", "加入收藏", "返回顶部", "举报")  # fmt: skip
# The parameter that numbers the pages of a listing.
PAGE_PARAMETERS = ("page", "pageno", "pagenum", "pageindex", "currentpage", "curpage", "pageid", "pn")
URL_LIMIT = 2083

_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGITS = re.compile(r"\d+")


@lru_cache(maxsize=64)
def _excluded(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.I) if patterns else None


def leads_on(url: str, text: str, portal: Portal) -> bool:
    """Tell whether a navigation link may lead to articles: not a script or word of the tables, not excluded by the profile."""
    if len(url) > URL_LIMIT or is_excluded(url, portal):
        return False
    return not _useless(urlsplit(url).path) and not any(word in text for word in USELESS_WORDS)


def is_excluded(url: str, portal: Portal) -> bool:
    """Tell whether the profile's `exclude` patterns keep us from a URL."""
    excluded = _excluded(portal.exclude)
    if excluded is None:
        return False
    parts = urlsplit(url)
    return bool(excluded.search(parts.path + (f"?{parts.query}" if parts.query else "")))


def _useless(path: str) -> bool:
    *folders, name = path.split("/")
    stem = name.partition(".")[0]
    if USELESS_NAMES.search(stem) or not USELESS_SCRIPTS.isdisjoint(folder.lower() for folder in folders):
        return True
    return any(part.lower() in USELESS_SCRIPTS for part in _NAME_PARTS.findall(stem))


def shape(url: str) -> str:
    """Return the pattern a URL is one of: its path with numbers blotted out, and the names of its parameters."""
    parts = urlsplit(identity(url))
    names = ",".join(name for name, _ in parse_qsl(parts.query, keep_blank_values=True, encoding="latin-1"))
    return f"{parts.netloc}{_DIGITS.sub('#', parts.path)}?{names}"


def listing_key(url: str, patterns: tuple[str, ...] = ()) -> str:
    """Return the identity of a listing, whichever of its pages the URL names; `patterns` are a profile's `page_urls`."""
    if patterns and (found := _page_span(url, patterns)):
        url = f"{url[: found[0]]}{url[found[1] :]}"
    parts = urlsplit(identity(url))
    kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] not in PAGE_PARAMETERS]
    return urlunsplit(parts._replace(query="&".join(kept)))


def page_number(url: str, patterns: tuple[str, ...] = ()) -> int | None:
    """Return the page of a listing the URL names by its parameter or as a profile's `page_urls` say, or None."""
    found = _page_span(url, patterns)
    return int(url[found[0] : found[1]]) if found else None


def next_page(url: str, patterns: tuple[str, ...] = ()) -> str | None:
    """Return the URL of the following page of a listing, or None when the URL does not number its pages."""
    found = _page_span(url, patterns)
    if found is None:
        return None
    return f"{url[: found[0]]}{int(url[found[0] : found[1]]) + 1}{url[found[1] :]}"


_PAGE = re.compile(rf"[?&]({'|'.join(PAGE_PARAMETERS)})=(\d{{1,6}})(?=&|#|$)", re.I)


def _page_span(url: str, patterns: tuple[str, ...]) -> tuple[int, int] | None:
    """Where in a URL the number of a listing's page stands."""
    host = url.find("/", url.find("://") + 3)
    for pattern in patterns:
        found = re.compile(pattern, re.I).search(url, max(host, 0))
        if found and (found["page"] or "").isdecimal():
            return found.span("page")
    parameter = _PAGE.search(url)
    return parameter.span(2) if parameter else None


class PageBudget(Generic[T]):
    """Bounds the pages of one URL pattern (a calendar, a session in the path) that show nothing new.

    A pattern may have `allowance` such pages under way or done; a page that shows something new gives its share back. What
    exceeds it waits, and is given up once the pattern has nothing under way and nothing left.
    """

    def __init__(self, allowance: int) -> None:
        self._left: dict[str, int] = defaultdict(lambda: allowance)
        self._under_way: Counter[str] = Counter()
        self._waiting: dict[str, deque[T]] = defaultdict(deque)

    def admit(self, url: str, page: T) -> bool:
        """Tell whether the page may be asked for now; else it waits."""
        pattern = shape(url)
        if self._left[pattern] <= 0:
            self._waiting[pattern].append(page)
            return False
        self._left[pattern] -= 1
        self._under_way[pattern] += 1
        return True

    def settle(self, url: str, *, fruitful: bool) -> tuple[list[T], list[T]]:
        """Take note of what an admitted page brought; return the pages that may be asked for now, and those given up."""
        pattern = shape(url)
        self._under_way[pattern] -= 1
        self._left[pattern] += fruitful
        waiting, admitted = self._waiting[pattern], []
        while waiting and self._left[pattern] > 0:
            self._left[pattern] -= 1
            self._under_way[pattern] += 1
            admitted.append(waiting.popleft())
        if self._under_way[pattern] or not waiting:
            return admitted, []
        given_up = list(waiting)
        waiting.clear()
        return admitted, given_up


class UrlFingerprinter:
    """Makes two spellings of one URL, and two URLs of one article, the same request."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the fingerprinter for the portal of the crawler's spider."""
        return cls(crawler)

    def fingerprint(self, request: Request) -> bytes:
        """Return 16 bytes that are the same for the same resource."""
        portal = self._crawler.spider.portal  # type: ignore[union-attr]  # every spider of ours has one
        key = f"{request.method} {resource(request.url, portal)}"
        return blake2b(key.encode("utf-8", "surrogatepass") + b"\0" + request.body, digest_size=16).digest()
