"""Looks between the eras: the live portal's own words (o553), labels in lists with spaces inside, the sidebar first. GBK."""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from html import escape

from .page import Look, Page, crumb_link, day_only, navigation, neighbours, parts_pager, sidebar, vbscript


def _o553(page: Page) -> str:
    article = page.article
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=gb2312" />
<title>我爱芜湖</title>
<meta name="keywords" content="芜湖,芜湖新闻,我爱芜湖" />
<link href="/css/news.css" rel="stylesheet" type="text/css" />
<script type="text/javascript" src="/js/date.js"></script>
</head>
<body>
<div class="head"><a href="/"><img src="/images/logo.gif" alt="我爱芜湖" /></a><div class="r"><script>document.write(today());</script> 访客：{page.visitors}</div></div>
<div class="menu">{navigation(page.world, " ")}</div>
<div class="main">
<div class="l">
<div class="wz"><a href="/">返回首页</a> &gt; 您现在的位置: <a href="/">我爱芜湖</a> &gt; {crumb_link(page)} &gt; 正文</div>
<div class="bt">{escape(article.title)}</div>
<div class="sj">发布日期:{O553.when(article.published)[0]} 浏览:{page.views}</div>
<div class="nr">
{page.body}
</div>
{parts_pager(page)}
<div class="xg">{neighbours(page, "上一篇:", "下一篇:")}</div>
</div>
<div class="rr">
<h3>最新{article.category}</h3>
<ul>
{sidebar(page, '<li><a href="{href}">{title}</a><span>{date}</span><p>·{abstract}</p></li>', 3)}
</ul>
</div>
</div>
<div class="kf"><a href="http://wpa.qq.com/msgrd?v=3&amp;uin=10000">欢迎咨询</a></div>
<div class="top"><a href="#">返回顶部</a></div>
<div class="foot">我爱芜湖 <a href="/search.asp">站内搜索</a> <a href="/admin/">管理登录</a></div>
</body>
</html>
"""


def _dlist(page: Page) -> str:
    article = page.article
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<html><head><meta http-equiv=Content-Type content="text/html; charset=gb2312">
<title>我爱芜湖 - 芜湖人的网上家园</title><link rel=stylesheet href="/css/news.css"></head>
<body><div id=header><h1>我爱芜湖</h1><p>今天是 <script>document.write(today())</script>　在线 {page.visitors % 97 + 3} 人</p></div>
<ul id=nav><li>{navigation(page.world, "</li><li>")}</li></ul>
<div id=content>
<ul class=path><li>当前位置: </li><li><a href="/">首页</a> » </li><li>{crumb_link(page)} » </li><li>正文</li></ul>
<h2>{escape(article.title)}</h2>
<dl class=info>
<dt>时　间：</dt><dd>{DLIST.when(article.published)[0]}</dd>
<dt>作　者：</dt><dd>{article.author}</dd>
<dt>编　辑：</dt><dd>{article.editor}</dd>
<dt>点　击：</dt><dd><script src="hits.asp?id={article.id}"></script></dd>
</dl>
<div class=text>{page.body}</div>
{parts_pager(page)}
<ul class=pn><li>{neighbours(page, "上一篇：", "下一篇：", "</li><li>", "没有了")}</li></ul>
<form action="savecomment.asp" method=post><fieldset><legend>网友评论</legend><input type=hidden name=newsid value="{article.id}"><input name=topic value="回复：{escape(article.title)}">
<textarea name=body></textarea><input type=submit value=提交></fieldset></form>
</div>
<div id=side><dl><dt>最新{article.category}</dt>{sidebar(page, '<dd><a href="{href}">{title}</a> {date}</dd>')}</dl></div>
<div id=footer>Copyright 我爱芜湖 网站更新时间：2012-6-1</div>
</body></html>
"""


def _sidefirst(page: Page) -> str:
    article = page.article
    hot = '<tr><td>·<a href="{href}">{title}</a></td><td width="60">2023-12-{date:.2}</td></tr>\n'
    return f"""<html>
<head><title>我爱芜湖_芜湖门户网站</title>
<meta http-equiv="content-type" content="text/html; charset=gb2312"></head>
<body>
<table width="100%" class="bar"><tr><td>今天是2026年4月30日 星期四　农历三月十四</td><td align="right">本站已被访问 {page.visitors} 次</td></tr></table>
<table width="1000" align="center"><tr><td colspan="2">{navigation(page.world, " ┊ ")}</td></tr>
<tr><td width="250" valign="top">
<table class="box"><tr><th colspan="2">最新{article.category}</th></tr>
{sidebar(page, '<tr><td>·<a href="{href}" title="{title}">{title}</a></td><td>{date}</td></tr>', 6)}</table>
<table class="box"><tr><th colspan="2">热门文章</th></tr>
{sidebar(page, hot, 4)}<tr><td colspan="2">最近更新时间：2026-4-30 8:05:01　点击：5321</td></tr></table>
<table class="box"><tr><th>天气</th></tr><tr><td>芜湖 多云 12～19℃</td></tr></table>
</td>
<td width="750" valign="top">
<table width="100%"><tr><td class="dh">您当前的位置：<a href="/">我爱芜湖</a> -&gt; {crumb_link(page)} -&gt; 正文</td></tr>
<tr><td align="center"><br><font size="4" color="#000080"><b>{escape(article.title)}</b></font></td></tr>
<tr><td align="center">加入时间：{SIDEFIRST.when(article.published)[0]} &nbsp; 来源：{article.outlet} &nbsp; 人气：[<font color=red>{page.views}</font>]<hr size="1"></td></tr>
<tr><td style="font-size:14px;line-height:25px">
{page.body}
{parts_pager(page)}
</td></tr>
<tr><td align="right">编辑：{article.editor}</td></tr>
<tr><td><li>{neighbours(page, "上一篇：", "下一篇：", "<li>", "没有了")}</td></tr>
<tr><td>【<a href="#">发表评论</a>】【<a href="javascript:history.back()">返回上页</a>】</td></tr></table>
</td></tr></table>
<p align="center">我爱芜湖网 建议使用1024×768分辨率浏览</p>
</body>
</html>
"""


O553 = Look(
    render=_o553,
    when=vbscript("/"),
    crumbs=lambda category: ("我爱芜湖", category, "正文"),
    counter="get",
)
DLIST = Look(
    render=_dlist,
    when=day_only("{y}年{m}月{d}日"),
    crumbs=lambda category: ("首页", category, "正文"),
    counter="script",
    before=(("author", "作　者："), ("editor", "编　辑：")),
)
SIDEFIRST = Look(
    render=_sidefirst,
    when=vbscript("/"),
    crumbs=lambda category: ("我爱芜湖", category, "正文"),
    counter="get",
    before=(("outlet", "来源："),),
    after=(("editor", "编辑："),),
)
