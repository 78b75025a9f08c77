"""What became of two looks when the portal was redesigned: other markup, frame and labels; title, time, slots and counter as before.

A redesign changes a page to its last byte and an article in nothing; an archive must make no version of it.
"""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from html import escape

from .page import Look, Page, crumb_link, navigation, neighbours, parts_pager, sidebar, vbscript

HEAD = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>我爱芜湖 - 新版</title>
<link rel="stylesheet" href="/css/wide.css">
</head>
<body class="v2">
"""


def _o553(page: Page) -> str:
    article = page.article
    return f"""{HEAD}<div id="hd"><a href="/"><img src="/images/logo.gif" alt="我爱芜湖"></a><p>今日访问 {page.visitors}</p></div>
<div id="nav"><ul><li>{navigation(page.world, "</li><li>")}</li></ul></div>
<div id="bd">
<div id="path">当前位置：<a href="/">我爱芜湖</a> &gt; {crumb_link(page)} &gt; 正文</div>
<div id="main">
<h1>{escape(article.title)}</h1>
<p class="meta"><span>发布时间：{O553_NEW.when(article.published)[0]}</span> <span>浏览次数：{page.views}</span></p>
<div class="text">
{page.body}
</div>
{parts_pager(page)}
<ul class="pn"><li>{neighbours(page, "上一篇：", "下一篇：", "</li><li>")}</li></ul>
</div>
<div id="side"><h3>最新{article.category}</h3><ol>{sidebar(page, '<li><a href="{href}">{title}</a> <i>{date}</i></li>', 6)}</ol></div>
</div>
<div id="ft">我爱芜湖 版权所有 <a href="/about.asp">关于我们</a></div>
</body>
</html>
"""


def _table778(page: Page) -> str:
    article = page.article
    return f"""{HEAD}<header><a href="/">我爱芜湖</a> <small>您是第 {page.visitors} 位访客</small></header>
<nav>{navigation(page.world, " / ")}</nav>
<div class="crumbs">您现在的位置：<a href="/">我爱芜湖</a> &gt;&gt; {crumb_link(page)} &gt;&gt; 正文</div>
<article>
<h2>{escape(article.title)}</h2>
<div class="info"><em>发布日期：{TABLE778_NEW.when(article.published)[0]}</em>　<em>责任编辑：{article.editor}</em>　<em>点击数：<script src="hits.asp?id={article.id}"></script></em></div>
<div class="body">
{page.body}
</div>
{parts_pager(page)}
<div class="pn">{neighbours(page, "上一条：", "下一条：")}</div>
</article>
<aside><h4>热点{article.category}</h4>{sidebar(page, '<p><a href="{href}">{title}</a><span>{date}</span></p>', 4)}</aside>
<footer>我爱芜湖 <a href="/admin/login.asp">管理</a></footer>
</body>
</html>
"""


O553_NEW = Look(
    render=_o553,
    when=vbscript("/"),
    crumbs=lambda category: ("我爱芜湖", category, "正文"),
    counter="get",
    utf8=True,
)
TABLE778_NEW = Look(
    render=_table778,
    when=vbscript("-"),
    crumbs=lambda category: ("我爱芜湖", category, "正文"),
    counter="script",
    before=(("editor", "责任编辑："),),
    utf8=True,
)
