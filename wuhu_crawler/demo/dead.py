"""What the portal answers for an ID it has no article for: soft-404s and error pages, all with HTTP 200, one function a kind.

The kinds are those of portal.md; world.DEAD_KINDS says which of them mean that the article is missing.
"""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

from .articles import Article
from .looks import LOOKS, Page
from .looks.page import navigation
from .world import World

META = '<meta http-equiv="Content-Type" content="text/html; charset=gb2312">'
FALLBACK = "plain"
TITLE_ROW = '<tr><td height="50">'
RULE_ROW = '<tr><td height="1"'


def dead_page(world: World, kind: str, number: int) -> str:
    """Return the page of that kind; `number` is the ID that was asked for."""
    return PAGES[kind](world, number)


def _half_layout(world: World, number: int) -> str:
    return f"""<html><head>{META}<title>我爱芜湖</title><link href="/css/style.css" rel="stylesheet"></head>
<body><table width="778" align="center"><tr><td>{navigation(world)}</td></tr></table>
<table width="778" align="center"><tr><td width="568">您现在的位置：<a href="/">我爱芜湖</a> &gt;&gt; <p>找不到内容</p>"""


def _alert(world: World, number: int) -> str:
    return "<script>alert('参数错误');history.back()</script>"


def _plain(world: World, number: int) -> str:
    return "该信息不存在！"


def _not_found(world: World, number: int) -> str:
    return "访问错误，找不到网页！"


def _error_table(world: World, number: int) -> str:
    return f"""<html><head>{META}<title>错误信息</title></head><body><br><br>
<table cellpadding=2 cellspacing=1 border=0 width=400 class='border' align=center>
<tr align='center' class='title'><td height='22'><strong>错误信息</strong></td></tr>
<tr class='tdbg'><td height='100' valign='top'><b>产生错误的可能原因：</b><li>找不到指定的文章！</li><li>该文章已被管理员删除！</li></td></tr>
<tr align='center' class='tdbg'><td><a href='javascript:history.go(-1)'>&lt;&lt; 返回上一页</a></td></tr></table></body></html>"""


def _unreviewed(world: World, number: int) -> str:
    return f"<html><head>{META}<title>我爱芜湖</title></head><body><center>{navigation(world)}<hr>未过审</center></body></html>"


def _database(world: World, number: int) -> str:
    return "数据库连接出错，请检查连接字串。"


def _rate_limit(world: World, number: int) -> str:
    return "<script language=javascript>alert('间隔3秒,资源宝贵,请不要重复频繁刷新');history.go(-1);</script>"


def _runtime(message: str, line: int, failed_at: str) -> Callable[[World, int], str]:
    """A page cut where the script failed, the run-time error behind what was already sent: the title at times, never a body."""

    def page(world: World, number: int) -> str:
        article = _ghost(world, number)
        whole = LOOKS["table778"].render(Page(world=world, article=article, body=""))
        head = whole[: whole.index(failed_at)]
        error = f'<font face="宋体" size=2>\n<p>{message}</p>\n</font><p>\n<font face="宋体" size=2>/news/Info.asp</font><font face="宋体" size=2>，行 {line}</font> '
        return f"{head}{error}"

    return page


def _ghost(world: World, number: int) -> Article:
    """Return an article of the table era in the place of what is asked for: a dead one, or one that cannot be read today."""
    gone = world.entry(number)
    model = next(article for article in world.articles.values() if article.look == "table778")
    return replace(model, id=number, title=gone.title, category=gone.category, published=gone.published)


def _provider(name: str, code: str, words: str) -> str:
    return f'<font face="宋体" size=2>{name}</font> <font face="宋体" size=2>错误 \'{code}\'</font>\n<p>\n<font face="宋体" size=2>{escape(words, quote=False)}</font>'


PAGES: dict[str, Callable[[World, int], str]] = {
    "half-layout": _half_layout,
    "alert": _alert,
    "plain": _plain,
    "not-found": _not_found,
    "error-table": _error_table,
    "unreviewed": _unreviewed,
    "database": _database,
    "runtime-vbscript": _runtime(
        _provider("Microsoft VBScript 运行时错误", "800a000d", "类型不匹配: '[string: \"\"]'"), 42, TITLE_ROW
    ),
    "runtime-adodb": _runtime(
        _provider(
            "ADODB.Field", "80020009", "BOF 或 EOF 中有一个是“真”，或者当前的记录已被删除，所需的操作要求一个当前的记录。"
        ),
        0,
        TITLE_ROW,
    ),
    "runtime-odbc": _runtime(
        _provider(
            "Microsoft OLE DB Provider for ODBC Drivers",
            "80040e14",
            "[Microsoft][ODBC Microsoft Access Driver] 语法错误 (操作符丢失)",
        ),
        27,
        RULE_ROW,
    ),
    "rate-limit": _rate_limit,
}
