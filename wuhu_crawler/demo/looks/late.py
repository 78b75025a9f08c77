"""Looks of the 2010s: div and css, UTF-8, padded times; pages still made by ASP."""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from html import escape

from .page import Look, Page, crumb_link, navigation, neighbours, padded, parts_pager, sidebar


def _div2010(page: Page) -> str:
    article = page.article
    title = escape(article.title)
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" lang="zh-CN">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>{title}_我爱芜湖</title>
<link rel="stylesheet" href="/css/news.css" />
</head>
<body>
<div class="topbar"><span>访问统计：{page.visitors}</span></div>
<div class="nav">{navigation(page.world, "")}</div>
<div class="wrap">
<div class="position">当前位置：<a href="/">首页</a> » <a href="/news/">新闻中心</a> » {crumb_link(page)}</div>
<h1>{title}</h1>
<div class="info"><span>时间：{DIV2010.when(article.published)[0]}</span><span>来源：{article.outlet}</span><span>浏览次数：<em>{page.views}</em>次</span></div>
<div class="news_con">
{page.body}
</div>
{parts_pager(page)}
<div class="share">分享到：<a href="#">微博</a> <a href="#">微信</a></div>
<div class="prevnext"><p>{neighbours(page, "上一篇：", "下一篇：", "</p><p>", "没有了")}</p></div>
<div class="relate"><h4>相关新闻</h4><ul>{sidebar(page, '<li><a href="{href}">{title}</a><span>{date}</span></li>', 4)}</ul></div>
</div>
<div class="footer"><p>主办：我爱芜湖网　技术支持：示范科技</p></div>
</body>
</html>
"""


def _wide(page: Page) -> str:
    article = page.article
    return f"""<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>我爱芜湖网</title>
<link rel="stylesheet" href="/css/wide.css">
</head>
<body>
<header><h1><a href="/">我爱芜湖</a></h1><nav>{navigation(page.world, " · ")}</nav></header>
<div class="crumb">您的位置：<a href="/">我爱芜湖</a> &raquo; {crumb_link(page)} &raquo; 正文</div>
<div class="col-9 art">
<h2 class="art-tit">{escape(article.title)}</h2>
<p class="art-from">发布时间：{WIDE.when(article.published)[0]}　文章来源：{article.outlet}　点击：<script type="text/javascript" src="/news/hits.asp?id={article.id}"></script></p>
<div class="art-txt">{page.body}</div>
{parts_pager(page)}
<p class="art-ed">责任编辑：{article.editor}</p>
<p class="art-pn">{neighbours(page, "上一篇：", "下一篇：", "　", "没有了")}</p>
</div>
<aside class="col-3"><h3>最新{article.category}</h3>{sidebar(page, '<dl><dt><a href="{href}">{title}</a></dt><dd>{date} {abstract}</dd></dl>', 4)}</aside>
<footer>我爱芜湖 2015 <img src="/images/count.gif" alt="第{page.visitors}位"></footer>
</body>
</html>
"""


DIV2010 = Look(
    render=_div2010,
    when=padded("%Y-%m-%d %H:%M", "minute"),
    crumbs=lambda category: ("首页", "新闻中心", category),
    counter="get",
    before=(("outlet", "来源："),),
    utf8=True,
)
WIDE = Look(
    render=_wide,
    when=padded("%Y-%m-%d %H:%M:%S", "second"),
    crumbs=lambda category: ("我爱芜湖", category, "正文"),
    counter="script",
    before=(("outlet", "文章来源："),),
    after=(("editor", "责任编辑："),),
    utf8=True,
)
