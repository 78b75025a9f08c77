"""Looks of the table era, 2003 to 2008: 778 pixels, FONT, upper-case tags, things left open. GBK bytes labelled gb2312."""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from html import escape

from .page import Look, Page, crumb_link, day_only, navigation, neighbours, parts_pager, sidebar, vbscript

HEAD = """<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=gb2312">
<title>我爱芜湖</title>
<link href="/css/style.css" rel="stylesheet" type="text/css">
<script language="javascript" src="/js/date.js"></script>
</head>
"""


def _table778(page: Page) -> str:
    article = page.article
    title, when = escape(article.title), TABLE778.when(article.published)[0]
    return f"""{HEAD}<body topmargin="0" leftmargin="0" bgcolor="#F4F4F4">
<table width="778" border="0" align="center" cellpadding="0" cellspacing="0" bgcolor="#FFFFFF">
  <tr><td height="80"><a href="/"><img src="/images/logo.gif" width="180" height="60" border="0"></a></td>
  <td align="right"><font color="#808080">欢迎您！您是本站第 {page.visitors} 位访客 <script>document.write(today())</script></font></td></tr>
  <tr><td colspan="2" height="26" bgcolor="#336699" align="center">{navigation(page.world, attributes=' class="white"')}</td></tr>
</table>
<table width="778" border="0" align="center" cellpadding="0" cellspacing="0" bgcolor="#FFFFFF">
<tr>
<td width="568" valign="top">
  <table width="98%" border="0" align="center">
    <tr><td height="25" background="/images/bg1.gif">&nbsp;您现在的位置：<a href="/">我爱芜湖</a> &gt;&gt; {crumb_link(page)} &gt;&gt; 正文</td></tr>
    <tr><td height="50"><div align=center><p><strong><font size=3> {title} </font></strong></p></div></td></tr>
    <tr><td height="22" align="center"><font color="#999999">发布时间：{when}　责任编辑：{article.editor}　阅读：<script src="hits.asp?id={article.id}"></script>次</font></td></tr>
    <tr><td height="1" bgcolor="#CCCCCC"></td></tr>
    <tr><td class="p14" id="fontzoom">
{page.body}
{parts_pager(page)}
    </td></tr>
    <tr><td align="right">【<a href="print.asp?id={article.id}" target="_blank">打印</a>】【<a href="javascript:window.close()">关闭窗口</a>】</td></tr>
    <tr><td>{neighbours(page)}</td></tr>
    <tr><td><form action="savecomment.asp" method="post"><input type="hidden" name="id" value="{article.id}"><input type="hidden" name="title" value="{title}">
    姓名：<input name="user" size="10">　评论：<textarea name="content" rows="3" cols="40"></textarea> <input type="submit" value="发表评论"></form></td></tr>
  </table>
</td>
<td width="210" valign="top" bgcolor="#EFEFEF">
  <table width="100%"><tr><td height="25"><b>最新{article.category}</b>
  {sidebar(page, '<tr><td>·<a href="{href}" title="{title}">{title}</a> <font color="#FF0000">{date}</font>')}
  </table>
  <table width="100%"><tr><td><form action="/search.asp"><input name="key" size="12"> <input type="submit" value="搜索"></form></td></tr></table>
</td>
</tr>
</table>
<table width="778" align="center"><tr><td align="center">版权所有 我爱芜湖 皖ICP备05001234号　更新时间：2008-8-8 <a href="/admin/login.asp">管理</a></td></tr></table>
</body>
</html>
"""


def _cells(page: Page) -> str:
    article = page.article
    return f"""{HEAD}<BODY>
<TABLE cellSpacing=0 cellPadding=0 width=760 align=center border=0>
<TR><TD background=/images/top.gif height=60><FONT size=5 color=#ffffff><B>我爱芜湖</B></FONT></TD></TR>
<TR><TD align=middle>{navigation(page.world, "　")}</TD></TR></TABLE>
<TABLE cellSpacing=0 cellPadding=4 width=760 align=center border=0>
<TR><TD colSpan=6>当前位置：<A href="/">首页</A> -- {crumb_link(page)} -- 正文
<TR><TD class=bt align=middle colSpan=6><B>{escape(article.title)}</B>
<TR bgColor=#f0f0f0><TD align=right width=100>来源：<TD width=160>{article.outlet}<TD align=right width=90>点击数：</TD><TD width=60>{page.views}</TD><TD align=right width=100>更新时间：</TD><TD>{CELLS.when(article.published)[0]}</TD></TR>
<TR><TD colSpan=6 class=STYLE1>{page.body}{parts_pager(page, "align=center")}</TD></TR>
<TR><TD colSpan=6 align=right>责任编辑：{article.editor}</TD></TR>
<TR><TD colSpan=3>{neighbours(page, "上一条：", "下一条：", "</TD><TD colSpan=3>", "无")}</TD></TR>
</TABLE>
<CENTER><FONT color=#666666>我爱芜湖 版权所有 2004-2009 总访问量：{page.visitors}</FONT></CENTER>
</BODY></HTML>
"""


def _span(page: Page) -> str:
    article = page.article
    return f"""<html>
<head>
<!-- <meta http-equiv="Content-Type" content="text/html; charset=utf-8"> -->
<meta http-equiv="Content-Type" content="text/html; charset=gb2312">
<title>我爱芜湖 新闻频道</title>
<link href="/css/style.css" rel="stylesheet">
</head>
<body>
<div id="top"><img src="/images/banner.jpg" alt="我爱芜湖"></div>
<table width="960" align="center" class="nav"><tr><td>{navigation(page.world, "</td><td>")}</td></tr></table>
<table width="960" align="center"><tr><td width="700" valign="top">
<table width="100%"><tr><td class="path">您的位置：<a href="/">首页</a> > <a href="/news/">新闻</a> > {crumb_link(page)} > 正文</td></tr>
<tr><td align="center" class="newstitle">{escape(article.title)}</td></tr>
<tr><td align="center"><span class="time">发布日期：{SPAN.when(article.published)[0]}　来源：{article.outlet}　作者：{article.author}　【<a href="javascript:self.close()">关闭</a>】</span></td></tr>
<tr><td class="newscontent">{page.body}</td></tr>
<tr><td>{parts_pager(page)}</td></tr>
<tr><td class="more">{neighbours(page, none="没有了！")}</td></tr>
</table></td>
<td width="240" valign="top"><div class="lefttitle">热点推荐</div><ul>{sidebar(page, '<li><a href="{href}">{title}</a> [{date}]</li>', 6)}</ul></td></tr></table>
<div align="center" class="foot"><a href="/about.asp">关于我们</a> | <a href="/news/rili.asp">新闻日历</a> | 您是第{page.visitors}位访客</div>
</body>
</html>
"""


TABLE778 = Look(
    render=_table778,
    when=vbscript("-"),
    crumbs=lambda category: ("我爱芜湖", category, "正文"),
    counter="script",
    before=(("editor", "责任编辑："),),
)
CELLS = Look(
    render=_cells,
    when=day_only("{y}-{m}-{d}"),
    crumbs=lambda category: ("首页", category, "正文"),
    counter="get",
    before=(("outlet", "来源："),),
    after=(("editor", "责任编辑："),),
)
SPAN = Look(
    render=_span,
    when=vbscript("-"),
    crumbs=lambda category: ("首页", "新闻", category, "正文"),
    counter="absent",
    before=(("outlet", "来源："), ("author", "作者：")),
)
