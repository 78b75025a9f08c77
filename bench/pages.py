"""The benchmark's portal: deterministic pages of the family, about 20 KB each as GBK bytes under a gb2312 label.

Every article is another one: title, date, views, some 1,200 Chinese characters in sections, a byline, and all the furniture
that makes such a page 20 KB. Listings show 50 articles a page with the family's pager, so a spider finds all by itself.
"""

# ruff: noqa: E501 -- HTML lines are kept as the family writes them

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from html import escape
from typing import NamedTuple

from wuhu_crawler.demo import texts, words

PER_LISTING = 50
CATEGORIES = ("资讯杂谈", "社会新闻", "教育动态", "文化旅游", "生态环保", "三农纵横")
BODY_CHARACTERS = 1100
NUMERALS = "一二三四五六"
OLDEST = datetime(2012, 3, 1, 8, 5, 9)

STYLE = "\n".join(
    f".c{n}{{margin:0 auto;padding:{n}px 0;line-height:{150 + n}%;font-size:12px;color:#{n * 4111 % 0xFFFFFF:06x};background:url(/images/bg{n}.gif) repeat-x}}"
    for n in range(1, 30)
)
SCRIPT = "\n".join(
    f"function tab{n}(o){{for(var i=0;i<{n};i++){{document.getElementById('t'+i).className='off';}}o.className='on';return false;}}"
    for n in range(1, 16)
)
CHANNELS = " ".join(
    f'<a href="http://shop.o553.example/class{n:02}.htm" target="_blank" title="{name}">{name}</a>'
    for n, name in enumerate(words.COMMUNITIES)
)
FRIENDS = " | ".join(
    f'<a href="http://www.site{n:02}.example/" target="_blank">{name}</a>' for n, name in enumerate(words.STREETS)
)


class Article(NamedTuple):
    """What an article page shows."""

    number: int
    category: int
    title: str
    published: datetime
    views: int
    lines: tuple[str, ...]

    @property
    def when(self) -> str:
        """The date as VBScript prints it."""
        at = self.published
        return f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M:%S}"


def article(number: int) -> Article:
    """Return the article of a number; numbers count from 1 and run across the categories."""
    rng = random.Random(number)
    published = OLDEST + timedelta(minutes=97 * number, seconds=number % 53)
    writer = texts.Writer(rng, rng.choice(tuple(words.TOPICS)), published.date())
    lines, size, section = [f"来源时间为:{published:%Y-%m-%d}", writer.paragraph()], 0, 0
    while size < BODY_CHARACTERS:
        if size >= section * BODY_CHARACTERS // 4:
            lines.append(f"{NUMERALS[section]}、{writer.heading()}")
            section += 1
        lines.append(writer.paragraph())
        size += len(lines[-1])
    lines.append(f"{rng.choice(words.OUTLETS)}记者{texts.person(rng)}")
    return Article(
        number, number % len(CATEGORIES), f"{writer.title()}（{number}）", published, rng.randint(20, 9000), tuple(lines)
    )


class Portal:
    """All pages of a portal of so many articles, by path and query."""

    def __init__(self, articles: int) -> None:
        self.articles = [article(number) for number in range(1, articles + 1)]
        self.listed = [[a for a in reversed(self.articles) if a.category == category] for category in range(len(CATEGORIES))]

    def pages(self) -> Iterator[tuple[str, bytes]]:
        """Yield every page's path and bytes."""
        yield "/", self._home().encode("gb18030")
        for category in range(len(CATEGORIES)):
            for page in range(1, self._listings(category) + 1):
                yield listing_path(category, page), self._listing(category, page).encode("gb18030")
        for one in self.articles:
            yield article_path(one.number), self._article(one).encode("gb18030")

    def _listings(self, category: int) -> int:
        return max(1, -(-len(self.listed[category]) // PER_LISTING))

    def _home(self) -> str:
        blocks = "".join(
            f"<table width=470><tr><td colspan=2><b>{name}</b></td></tr>{_rows(self.listed[category][:8])}</table>"
            for category, name in enumerate(CATEGORIES)
        )
        return f"{head('我爱芜湖')}{blocks}{foot()}"

    def _listing(self, category: int, page: int) -> str:
        rows, pages = self.listed[category], self._listings(category)
        shown = rows[(page - 1) * PER_LISTING : page * PER_LISTING]
        return f"""{head("我爱芜湖")}
<table width="760" align="center"><tr><td>您现在的位置：<a href="/">我爱芜湖</a> &gt;&gt; {CATEGORIES[category]}</td></tr></table>
<table width="760" align="center" cellpadding="2">{_rows(shown)}</table>
<table width="760" align="center"><tr><td align="center">共 <b>{len(rows)}</b> 条 {_steps(category, page, pages)}
页次：<strong><font color=red>{page}</font>/{pages}</strong>页 <b>{PER_LISTING}</b>条/页</td></tr></table>
{foot()}"""

    def _article(self, one: Article) -> str:
        title, category = escape(one.title), CATEGORIES[one.category]
        body = "\n".join(f"<p>　　{escape(line)}</p>" for line in one.lines)
        return f"""{head("我爱芜湖")}
<table width="960" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td width="710" valign="top">
<table width="98%" border="0" align="center">
<tr><td height="25" background="/images/bg1.gif">返回首页 &gt; 您现在的位置: <a href="/">我爱芜湖</a> &gt; <a href="{escape(listing_path(one.category, 1))}">{category}</a> &gt; 正文</td></tr>
<tr><td height="50"><div align=center><p><strong><font size=3> {title} </font></strong></p></div></td></tr>
<tr><td height="22" align="center"><font color="#999999">发布日期:{one.when} 浏览:{one.views}</font></td></tr>
<tr><td class="p14" id="fontzoom">
{body}
</td></tr>
<tr><td align="right">【<a href="print.asp?id={one.number}" target="_blank">打印</a>】【<a href="javascript:window.close()">关闭窗口</a>】</td></tr>
<tr><td>{self._neighbour("上一篇：", one, -1)}<br>{self._neighbour("下一篇：", one, 1)}</td></tr>
<tr><td><form action="savecomment.asp" method="post"><input type="hidden" name="id" value="{one.number}"><input type="hidden" name="title" value="{title}">
姓名：<input name="user" size="10">　评论：<textarea name="content" rows="3" cols="40"></textarea> <input type="submit" value="发表评论"></form></td></tr>
</table></td>
<td width="250" valign="top" bgcolor="#EFEFEF">
<div class="c1">最新{category}</div><ul>{self._latest(one)}</ul>
<div class="c2">热门文章</div><table width="100%">{_rows(self._hot(one))}</table>
</td></tr></table>
{foot()}"""

    def _neighbour(self, label: str, one: Article, step: int) -> str:
        at = one.number - 1 + step * len(CATEGORIES)
        if not 0 <= at < len(self.articles):
            return f"{label}没有了"
        other = self.articles[at]
        return f'{label}<a href="{article_path(other.number)}">{escape(other.title)}</a>'

    def _latest(self, one: Article) -> str:
        return "".join(
            f'<li><a href="{article_path(a.number)}">{escape(a.title)}</a><span>{a.published:%m-%d}</span><p>·{escape(a.lines[1][:40])}……</p></li>\n'
            for a in self.listed[one.category][:10]
        )

    def _hot(self, one: Article) -> list[Article]:
        count = len(self.articles)
        return [self.articles[(one.number * 31 + n * 17) % count] for n in range(20)]


def article_path(number: int) -> str:
    """Return the path of an article."""
    return f"/news/Info.asp?ID={number}"


def listing_path(category: int, page: int) -> str:
    """Return the path of a page of a category's listing."""
    return f"/news/List.asp?ClassID={category + 1}&page={page}"


@cache
def head(title: str) -> str:
    """Return everything above a page's own part."""
    links = " | ".join(
        f'<a href="{escape(listing_path(c, 1))}" class="c{c + 3}">{name}</a>' for c, name in enumerate(CATEGORIES)
    )
    return f"""<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=gb2312">
<title>{title}</title>
<link href="/css/style.css" rel="stylesheet" type="text/css">
<style type="text/css">
{STYLE}
</style>
<script language="javascript">
{SCRIPT}
</script>
</head>
<body topmargin="0" leftmargin="0" bgcolor="#F4F4F4">
<table width="960" align="center"><tr><td><a href="/"><img src="/images/logo.gif" width="180" height="60" border="0"></a></td>
<td align="right"><font color="#808080">欢迎您！您是本站第 1028731 位访客 <script>document.write(today())</script></font></td></tr>
<tr><td colspan="2" bgcolor="#336699" align="center"><a href="/">首页</a> | {links}</td></tr><tr><td colspan="2">{CHANNELS}</td></tr></table>
"""


@cache
def foot() -> str:
    """Return everything below a page's own part."""
    return f"""<table width="960" align="center" class="c9"><tr><td>友情链接：{FRIENDS}</td></tr></table>
<table width="960" align="center"><tr><td align="center">欢迎咨询 <a href="#">返回顶部</a> 版权所有 我爱芜湖 皖ICP备05001234号 <a href="/admin/login.asp">管理</a></td></tr></table>
</body>
</html>
"""


def _rows(articles: list[Article]) -> str:
    return "".join(
        f'<tr><td width="15"><img src="/images/arrow.gif"></td><td><a href="{article_path(a.number)}" target=_blank>{escape(a.title[:18])}…</a></td>'
        f"<td><font color=#808080>{a.published.year}-{a.published.month}-{a.published.day}</font></td></tr>\n"
        for a in articles
    )


def _steps(category: int, page: int, pages: int) -> str:
    targets = (("首页", 1), ("上一页", page - 1), ("下一页", page + 1), ("尾页", pages))
    return " ".join(
        f'<a href="{escape(listing_path(category, to))}">{word}</a>' if 1 <= to <= pages and to != page else word
        for word, to in targets
    )
