"""What a look is, what it is given, and the few pieces of chrome all looks print: navigation, neighbours, sidebar rows.

A Look also tells what its page shows (words of the date, crumbs, meta slots), so that truth.py can tell it without any HTML.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Literal

from ..articles import Article
from ..world import Entry, World

Precision = Literal["second", "minute", "day"]
# The typist (录入) is the editor by another name: who put the article in.
Slot = Literal["outlet", "author", "editor", "typist"]
# Hyperlinks to one article are written in all these ways: ASP is case-insensitive.
HREFS = ("Info.asp?ID={}", "info.asp?id={}", "Info.asp?id={}", "info.asp?ID={}", "/news/Info.asp?ID={}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One GET of one article page. `body` is the HTML of this part; `turn` counts the GETs of this article from 0."""

    world: World
    article: Article
    body: str
    part: int = 1
    turn: int = 0
    visitors: int = 0

    @property
    def views(self) -> int:
        """The number a counter of this page prints: the stored one at the first GET, one more at each later one."""
        return self.article.views + self.turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A page template and what it shows. `when` prints the time; `crumbs` are the breadcrumb's words for a category; `before`
    and `after` are the meta slots in front of and behind the body, each with the label it prints."""

    render: Callable[[Page], str]
    when: Callable[[datetime], tuple[str, Precision]]
    crumbs: Callable[[str], tuple[str, ...]]
    counter: Literal["get", "script", "absent"]
    before: tuple[tuple[Slot, str], ...] = ()
    after: tuple[tuple[Slot, str], ...] = ()
    utf8: bool = False


def vbscript(sep: str) -> Callable[[datetime], tuple[str, Precision]]:
    """Return the printer of a VBScript date: no zero padding, and a time of exactly 00:00:00 is not printed."""

    def when(at: datetime) -> tuple[str, Precision]:
        day = f"{at.year}{sep}{at.month}{sep}{at.day}"
        return (day, "day") if not (at.hour or at.minute or at.second) else (f"{day} {at.hour}:{at:%M:%S}", "second")

    return when


def day_only(pattern: str) -> Callable[[datetime], tuple[str, Precision]]:
    """Return the printer of a day without padding, after a pattern of y, m and d."""
    return lambda at: (pattern.format(y=at.year, m=at.month, d=at.day), "day")


def padded(pattern: str, precision: Precision) -> Callable[[datetime], tuple[str, Precision]]:
    """Return the printer of a strftime pattern."""
    return lambda at: (at.strftime(pattern), precision)


def slot(article: Article, name: Slot) -> str:
    """Return the words of a meta slot; empty when the editors left it so."""
    return {"outlet": article.outlet, "author": article.author, "editor": article.editor, "typist": article.editor}[name]


def href(entry: Entry, spelling: int = 0) -> str:
    """Return a link to the entry as a page beside it writes it, in one of the spellings."""
    return HREFS[(entry.id + spelling) % len(HREFS)].format(entry.id)


def navigation(world: World, between: str = " | ", attributes: str = "") -> str:
    """Return the links to all categories."""
    links = [f'<a href="/news/{_mixed(c.url(), c.key)}"{attributes}>{c.name}</a>' for c in world.categories]
    return between.join([f'<a href="/"{attributes}>首页</a>', *links])


def _mixed(url: str, key: int) -> str:
    name = url.removeprefix("/news/")
    return name.lower() if key % 3 == 0 else name


def crumb_link(page: Page) -> str:
    """Return the category's crumb as a link."""
    category = page.world.category(page.article.category)
    return f'<a href="{category.url()}">{category.name}</a>'


def neighbours(
    page: Page, before: str = "上一篇：", after: str = "下一篇：", between: str = "<br>", none: str = "没有了"
) -> str:
    """Return the links to the previous and the next article of the category."""
    texts = []
    for label, entry in zip((before, after), page.world.neighbours(page.article), strict=True):
        link = f'<a href="{href(entry, 1)}">{escape(entry.title)}</a>' if entry else none
        texts.append(label + link)
    return between.join(texts)


def parts_pager(page: Page, attributes: str = 'align="center"') -> str:
    """Return the pager under a part; some one-page articles print a lone [1] too."""
    if page.article.parts == 1 and not page.article.lone_pager:
        return ""
    links = []
    for number in range(1, page.article.parts + 1):
        target = f"{HREFS[0].format(page.article.id)}&ArticlePage={number}"
        here = f"<font color=red>[{number}]</font>" if page.article.parts > 1 else "[1]"
        links.append(here if number == page.part else f'<a href="{target}">[{number}]</a>')
    return f"<p {attributes}>{' '.join(links)}</p>"


def sidebar(page: Page, row: str, count: int = 5) -> str:
    """Return rows of latest articles, other ones at each GET. The pattern's fields: href, title, date, abstract."""
    rows = page.world.latest(page.article.category, count, page.turn + page.article.id)
    return "".join(
        row.format(href=href(a, 2), title=escape(a.title), date=f"{a.published:%m-%d}", abstract=escape(a.abstract))
        for a in rows
        if a.id != page.article.id
    )
