"""The portal's scripts: from a request's path and query to an answer. Holds the counters; knows no socket.

IIS is case-insensitive in paths, ASP in parameter names. The same requests in the same order get the same bytes.
"""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from . import assets, bodies, dead, listings
from .articles import Article
from .looks import Page, look_of
from .world import World

FIRST_VISITOR = 3141592
MODIFIED = "Tue, 30 Apr 2024 01:20:19 GMT"
NOT_FOUND = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<HTML><HEAD><TITLE>无法找到该页</TITLE><META HTTP-EQUIV="Content-Type" Content="text/html; charset=GB2312"></HEAD>
<BODY><h1>无法找到该页</h1>您正在搜索的页面可能已经删除、更名或暂时不可用。<hr><h2>HTTP 错误 404 - 文件或目录未找到。<br>Internet 信息服务 (IIS)</h2></BODY></HTML>
"""
MOVED = '<head><title>Object moved</title></head>\n<body><h1>Object Moved</h1>This object may be found <a HREF="{0}">here</a>.</body>\n'
SMALL_PAGE = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>我爱芜湖</title></head><body>{0}</body></html>'


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: headers in the order sent, without Server, Date and Content-Length."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html"),)


def html(text: str, *, status: int = 200, utf8: bool = False, content_type: str = "text/html") -> Answer:
    """Return an answer of the text with a server's line ends, in GB18030 (which GBK pages are) or UTF-8."""
    body = text.replace("\n", "\r\n").encode("utf-8" if utf8 else "gb18030")
    return Answer(status, body, (("Content-Type", content_type), ("Cache-control", "private")))


@dataclass
class Portal:
    """The running portal: a world and its counters. Threads may call answer() at once."""

    world: World
    _gets: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a GET of the target (path and query); `headers` is asked for If-None-Match and Cookie."""
        path, _, query = target.partition("?")
        path, given = path.lower(), headers or {}
        if file := assets.find(self.world, path):
            return _asset(*file, given.get("If-None-Match"))
        script = SCRIPTS.get(path)
        if script is None:
            return html(NOT_FOUND, status=404)
        answer = script(self, _parameters(query))
        if "Cookie" in given or not path.endswith(".asp"):
            return answer
        return Answer(answer.status, answer.body, (*answer.headers, ("Set-Cookie", self._session())))

    def turn(self, name: str) -> int:
        """Count a GET of the named thing; return how many there were before."""
        with self._lock:
            self._gets[name] += 1
            return self._gets[name] - 1

    def visitors(self) -> int:
        """Count a visitor of the whole portal."""
        return FIRST_VISITOR + self.turn("visitors")

    def _session(self) -> str:
        digest = hashlib.sha256(f"{self.world.seed}:{self.turn('sessions')}".encode()).hexdigest()
        return f"ASPSESSIONIDQQTBSADR={''.join(chr(65 + int(c, 16)) for c in digest[:24])}; path=/"


def _parameters(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, encoding="gbk", errors="replace")
    return {name.lower(): value.strip() for name, value in reversed(pairs)}


def _asset(content_type: str, body: bytes, known: str | None) -> Answer:
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}:0"'
    headers = (("Content-Type", content_type), ("Last-Modified", MODIFIED), ("Accept-Ranges", "bytes"), ("ETag", etag))
    return Answer(304, b"", headers[1:]) if known == etag else Answer(200, body, headers)


def _info(portal: Portal, given: dict[str, str]) -> Answer:
    asked = given.get("id", "")
    if not asked.isdecimal():
        return html(dead.dead_page(portal.world, "alert", 0))
    number = int(asked)
    if number in portal.world.failing:
        return html(dead.dead_page(portal.world, portal.world.failing[number], number))
    if number in portal.world.articles:
        return _article(portal, portal.world.articles[number], given.get("articlepage", "1"))
    gone = portal.world.dead.get(number)
    return html(dead.dead_page(portal.world, gone.kind if gone else dead.FALLBACK, number))


def _article(portal: Portal, article: Article, asked: str) -> Answer:
    parts, look = bodies.parts(article), look_of(article.look)
    part = listings.page_number(asked, len(parts))
    # A later part shows the number its first part showed: one reading, one count.
    turn = portal.turn(article.url) if part == 1 else max(0, portal.turn(f"{article.url} part {part}"))
    page = Page(world=portal.world, article=article, body=parts[part - 1], part=part, turn=turn, visitors=portal.visitors())
    charset = "; Charset=utf-8" if article.look == "div2010" and not article.mislabelled else ""
    return html(look.render(page), utf8=look.utf8 != article.mislabelled, content_type="text/html" + charset)


def _hits(portal: Portal, given: dict[str, str]) -> Answer:
    number = given.get("id", "")
    article = portal.world.articles.get(int(number)) if number.isdecimal() else None
    count = article.views + portal.turn(f"hits {article.id}") if article else 0
    return html(f"document.writeln('{count}')\n")


def _print(portal: Portal, given: dict[str, str]) -> Answer:
    number = given.get("id", "")
    article = portal.world.articles.get(int(number)) if number.isdecimal() else None
    if article is None:
        return html(dead.dead_page(portal.world, dead.FALLBACK, 0))
    body = "".join(bodies.parts(article))
    return html(SMALL_PAGE.format(f"<center><b>{article.title}</b></center>\n{body}\n<script>window.print()</script>"))


def _listing(script: str) -> Callable[[Portal, dict[str, str]], Answer]:
    known = script.lower()

    def page(portal: Portal, given: dict[str, str]) -> Answer:
        for category in portal.world.categories:
            if category.script.lower() == known and given.get(category.param.lower()) == str(category.key):
                text = listings.category_page(portal.world, category, given.get(category.pager.lower(), ""), portal.visitors())
                return html(text, utf8=listings.is_utf8(category))
        return html(dead.dead_page(portal.world, "alert", 0))

    return page


def _home(portal: Portal, given: dict[str, str]) -> Answer:
    return html(listings.home_page(portal.world, portal.turn("home"), portal.visitors()))


def _calendar(portal: Portal, given: dict[str, str]) -> Answer:
    # Without a month it shows the one of the latest article.
    latest = max(portal.world.outlines()).published
    year, month = given.get("y", str(latest.year)), given.get("m", str(latest.month))
    if not (year.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12):
        year, month = str(latest.year), str(latest.month)
    return html(listings.calendar_page(portal.world, int(year), int(month)))


def _small(words: str) -> Callable[[Portal, dict[str, str]], Answer]:
    return lambda portal, given: html(SMALL_PAGE.format(words))


def _moved(portal: Portal, given: dict[str, str]) -> Answer:
    return Answer(302, MOVED.format("/").encode(), (("Location", "/"), ("Content-Type", "text/html")))


LOGIN = "<form method=post action=login.asp>用户名：<input name=user> 密码：<input type=password name=pass></form>"
SCRIPTS: dict[str, Callable[[Portal, dict[str, str]], Answer]] = {
    "/": _home,
    "/news/": _home,
    "/index.asp": _moved,
    "/news/info.asp": _info,
    "/news/class.asp": _listing("Class.asp"),
    "/news/more.asp": _listing("More.asp"),
    "/news/list.asp": _listing("List.asp"),
    "/news/hits.asp": _hits,
    "/news/print.asp": _print,
    "/news/rili.asp": _calendar,
    "/about.asp": _small("<h3>关于我们</h3><p>我爱芜湖（示范站）是一个随爬虫附带的示范门户。</p>"),
    "/search.asp": _small("<p>请输入关键字！</p>"),
    "/admin/": _small(LOGIN),
    "/admin/login.asp": _small(LOGIN),
}
