"""Pages of links: the home page, the category listings in three styles with the family's pagers, and the calendar.

A listing cuts its titles, mixes the spelling of its links, and answers page 1 for any page number it does not have.
"""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from itertools import islice

from .articles import Article
from .looks.page import href, navigation
from .world import Category, Dead, Entry, World

HEAD = """<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset={charset}">
<title>我爱芜湖</title>
<link href="/css/style.css" rel="stylesheet" type="text/css">
</head>
<body>
"""
HOME_ROWS = 8


def cut(title: str, width: int) -> str:
    """Return the title as a list prints it, cut at a number of characters."""
    return title if len(title) <= width else title[:width] + "…"


def page_number(asked: str, pages: int) -> int:
    """Return the page an ASP script serves for the words asked for: 1 for anything it does not have."""
    return int(asked) if asked.isdecimal() and 1 <= int(asked) <= pages else 1


def category_page(world: World, category: Category, asked: str, visitors: int) -> str:
    """Return a listing page of the category."""
    entries = world.entries(category)
    pages = max(1, -(-len(entries) // category.per_page))
    page = page_number(asked, pages)
    rows = entries[(page - 1) * category.per_page : page * category.per_page]
    body = STYLES[category.style](world, category, rows, page, pages, len(entries))
    return f"""{HEAD.format(charset="utf-8" if is_utf8(category) else "gb2312")}<table width="960" align="center" class="nav"><tr><td>{navigation(world)}</td></tr></table>
{body}
<div align="center" class="foot">我爱芜湖 您是第{visitors}位访客 <a href="/search.asp">搜索</a> <a href="/admin/">管理</a></div>
</body>
</html>
"""


def is_utf8(category: Category) -> bool:
    """Tell whether the category's pages are UTF-8: the youngest style is."""
    return category.style == "list"


def _table(world: World, category: Category, rows: Sequence[Entry], page: int, pages: int, total: int) -> str:
    spacer = '<tr><td colspan="3" height="1" background="/images/dot.gif"></td></tr>\n'
    lines = [_table_row(entry) for entry in rows]
    if category.name == world.articles[world.sticky_id].category:
        lines.insert(0, _table_row(world.articles[world.sticky_id], "<font color=red>[置顶]</font>"))
    listed = spacer.join(lines) if lines else '<tr><td align="center">暂无内容！</td></tr>'
    return f"""<table width="760" border="0" align="center"><tr><td height="25">您现在的位置：<a href="/">我爱芜湖</a> &gt;&gt; {category.name}</td></tr></table>
<table width="760" border="0" align="center" cellpadding="2">
{listed}</table>
<table width="760" align="center"><tr><td align="center">{_long_pager(category, page, pages, total)}</td></tr></table>"""


def _table_row(entry: Entry, mark: str = "") -> str:
    day = entry.published
    link = f'<a href="{href(entry)}" target=_blank>{mark}{escape(cut(entry.title, 18))}</a>'
    when = f"<font color=#808080>{day.year}-{day.month}-{day.day}</font>"
    return f'<tr><td width="15"><img src="/images/arrow.gif"></td><td>{link}</td><td width="80">{when}</td></tr>\n'


def _long_pager(category: Category, page: int, pages: int, total: int) -> str:
    words = _steps(category, page, pages)
    options = "".join(
        f'<option value="{escape(category.url(n))}"{" selected" if n == page else ""}>第{n}页</option>'
        for n in range(1, pages + 1)
    )
    return (
        f"共 <b>{total}</b> 条 {' '.join(words)} 页次：<strong><font color=red>{page}</font>/{pages}</strong>页 "
        f'<b>{category.per_page}</b>条/页 转到：<select name="page" onchange="javascript:location=this.options[this.selectedIndex].value;">{options}</select>'
    )


def _steps(category: Category, page: int, pages: int) -> list[str]:
    """Return 首页 上一页 下一页 尾页, as plain words where there is nowhere to go."""
    steps = (
        ("首页", 1, page > 1),
        ("上一页", page - 1, page > 1),
        ("下一页", page + 1, page < pages),
        ("尾页", pages, page < pages),
    )
    return [f'<a href="{escape(_paged(category, n))}">{word}</a>' if there else word for word, n, there in steps]


def _paged(category: Category, page: int) -> str:
    """Return the page's URL with its number even for page 1, as pagers write it."""
    return category.url(page) if page > 1 else category.url(2).replace(f"{category.pager}=2", f"{category.pager}=1")


def _brackets(world: World, category: Category, rows: Sequence[Entry], page: int, pages: int, total: int) -> str:
    lines = "".join(
        f'<TR><TD height=24>·<A href="{href(e, 3)}" title="{escape(e.title)}">{escape(cut(e.title, 22))}</A> [{e.published:%m-%d}]\n'
        for e in rows
    )
    return f"""<TABLE width=760 align=center><TR><TD>当前位置：<A href="/">首页</A> -- {category.name}</TD></TR></TABLE>
<TABLE width=760 align=center class=list>
{lines}</TABLE>
<P align=center>[{"] [".join(_steps(category, page, pages))}]　第{page}/{pages}页　共{total}篇</P>"""


def _list(world: World, category: Category, rows: Sequence[Entry], page: int, pages: int, total: int) -> str:
    lines = "".join(
        f'<li><span>{e.published.year}年{e.published.month}月{e.published.day}日</span><a href="{href(e, 1)}">{escape(cut(e.title, 20))}</a>'
        f"<p>{escape(cut(e.abstract, 60)) if isinstance(e, Article) else ''}</p></li>\n"
        for e in rows
    )
    numbers = " ".join(
        f'<span class="current">{n}</span>' if n == page else f'<a href="{escape(_paged(category, n))}">{n}</a>'
        for n in range(1, pages + 1)
    )
    _, before, after, _ = _steps(category, page, pages)
    return f"""<div class="position">您的位置：<a href="/">我爱芜湖</a> » {category.name}</div>
<ul class="newslist">
{lines}</ul>
<div class="pages">{before} {numbers} {after}</div>"""


STYLES: dict[str, Callable[[World, Category, Sequence[Entry], int, int, int], str]] = {
    "table": _table,
    "brackets": _brackets,
    "list": _list,
}


def home_page(world: World, turn: int, visitors: int) -> str:
    """Return the home page: navigation and the newest articles of each category."""
    boxes = "".join(_box(world, category) for category in world.categories if world.entries(category))
    return f"""{HEAD.format(charset="gb2312").replace("<title>我爱芜湖", "<title>我爱芜湖（示范站）")}<table width="960" align="center">
<tr><td><img src="/images/banner.jpg" width="400"></td><td align="right">欢迎光临我爱芜湖！本站已被访问 {visitors} 次 今日第 {turn + 1} 次刷新</td></tr>
<tr><td colspan="2" bgcolor="#336699">{navigation(world)} | <a href="/news/rili.asp">新闻日历</a> | <a href="/search.asp">搜索</a></td></tr></table>
<table width="960" align="center"><tr>{boxes}</tr></table>
<div align="center">友情链接：<a href="http://www.wuhu.gov.cn/" target="_blank">芜湖市人民政府</a> <a href="/admin/">管理入口</a></div>
</body>
</html>
"""


def _box(world: World, category: Category) -> str:
    living = islice((entry for entry in world.entries(category) if not isinstance(entry, Dead)), HOME_ROWS)
    rows = "".join(
        f'<tr><td>·<a href="/news/{href(e).removeprefix("/news/")}" target="_blank">{escape(cut(e.title, 15))}</a></td><td>{e.published:%m-%d}</td></tr>\n'
        for e in living
    )
    more = f'<tr><th>{category.name}</th><th><a href="{category.url()}">更多&gt;&gt;</a></th></tr>'
    return f'<td valign="top"><table width="310">{more}\n{rows}</table></td>' + ("</tr><tr>" if category.key % 5 == 0 else "")


def calendar_page(world: World, year: int, month: int) -> str:
    """Return the calendar of a month: links of days to articles of that day, and to the months before and after in its range."""
    outlines = list(world.outlines())
    of_day = {o.published.day: o.id for o in outlines if o.listed and (o.published.year, o.published.month) == (year, month)}
    cells = "".join(
        f'<td><a href="{href(world.articles[of_day[d]])}">{d}</a></td>' if d in of_day else f"<td>{d}</td>"
        for d in range(1, 29)
    )
    first, last = min(outlines).published, max(outlines).published
    index, bounds = year * 12 + month - 1, (first.year * 12 + first.month - 1, last.year * 12 + last.month - 1)
    around = [(word, index + step) for word, step in (("上月", -1), ("下月", 1)) if bounds[0] <= index + step <= bounds[1]]
    links = " ".join(f'<a href="rili.asp?y={n // 12}&m={n % 12 + 1}">{word}</a>' for word, n in around)
    return f"{HEAD.format(charset='gb2312')}<h3>{year}年{month}月 新闻日历</h3><table><tr>{cells}</tr></table><p>{links}</p></body></html>"
