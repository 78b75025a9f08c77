"""A look of the years around 2000: breadcrumb, title, meta, body and foot lie in one cell, told apart by BR and HR alone. GBK."""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

from datetime import datetime
from html import escape

from .page import Look, Page, Precision, crumb_link, navigation, neighbours, parts_pager, sidebar

HOT = """<TR><TD><IMG SRC=/images/dot.gif> <A HREF={href} TARGET=_blank><FONT COLOR=#003399>{title}</FONT></A>
<TR><TD><FONT SIZE=2 COLOR=#666666>　　{abstract}</FONT> <FONT SIZE=1 COLOR=red>({date})</FONT><HR SIZE=1 COLOR=#CCCCCC>
"""


def _when(at: datetime) -> tuple[str, Precision]:
    """Return the time as a script glues it of Year, Month, Day, Hour and Minute: no zeros, not even in the minutes."""
    return f"{at.year}年{at.month}月{at.day}日 {at.hour}:{at.minute}", "minute"


def _onecell(page: Page) -> str:
    article = page.article
    return f"""<HTML>
<HEAD>
<TITLE>我爱芜湖--新闻浏览</TITLE>
<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=gb2312">
<META NAME=GENERATOR CONTENT="Microsoft FrontPage 4.0">
<STYLE>
<!--
TD {{ FONT-SIZE: 10.5pt; LINE-HEIGHT: 150% }}
A:hover {{ COLOR: red }}
-->
</STYLE>
</HEAD>
<BODY BGCOLOR=#FFFFFF TOPMARGIN=0 LEFTMARGIN=0>
<A NAME=top></A>
<TABLE WIDTH=760 BORDER=0 ALIGN=center CELLPADDING=0 CELLSPACING=0>
<TR><TD ROWSPAN=2 WIDTH=190><A HREF=/><IMG SRC=/images/logo.gif BORDER=0 ALT=我爱芜湖></A><TD HEIGHT=30 ALIGN=right><FONT SIZE=2>现在时间：<SCRIPT>document.write(new Date().toLocaleString())</SCRIPT>　本站总浏览量：{page.visitors}</FONT>
<TR><TD BGCOLOR=#FFFFCC><MARQUEE SCROLLAMOUNT=3 onmouseover=this.stop() onmouseout=this.start()><FONT COLOR=#CC0000>★本站公告：因机房线路调整，本站将于2004年5月1日 0:00至6:00暂停访问，敬请谅解！　★欢迎各单位来稿，来稿请注明作者：姓名及联系电话。[2004-4-28]</FONT></MARQUEE>
<TR><TD COLSPAN=2 BGCOLOR=#CC0000 ALIGN=center HEIGHT=24>{navigation(page.world, " ‖ ", " CLASS=nav")}
</TABLE>
<TABLE WIDTH=760 BORDER=1 BORDERCOLOR=#CC0000 ALIGN=center CELLPADDING=8 CELLSPACING=0 STYLE="BORDER-COLLAPSE: collapse">
<TR><TD WIDTH=560 VALIGN=top>
<IMG SRC=/images/arrow.gif>您现在所处的位置：<A HREF="/">我爱芜湖</A> :: <A HREF="/news/">新闻频道</A> :: {crumb_link(page)} :: 正文
<HR SIZE=1 COLOR=#CC0000>
<CENTER><BR><FONT FACE=宋体 SIZE=4 COLOR=red><B>{escape(article.title)}</B></FONT><BR><BR>
<FONT SIZE=2>添加日期：<FONT COLOR=#0000FF>{ONECELL.when(article.published)[0]}</FONT>　信息来源：<FONT COLOR=#0000FF>{article.outlet}</FONT>　供稿作者：<FONT COLOR=#0000FF>{article.author}</FONT></FONT></CENTER>
<HR SIZE=1 COLOR=#CC0000>
{page.body}
{parts_pager(page)}
<BR><HR SIZE=1 NOSHADE>
<FONT SIZE=2>录入：{article.editor}　　点击数：<FONT COLOR=red>{page.views}</FONT></FONT>
<BR><DIV ALIGN=right><A HREF="print.asp?id={article.id}" TARGET=_blank><IMG SRC=/images/print.gif ALT=打印本文 BORDER=0></A> <A HREF="#top"><IMG SRC=/images/gotop.gif ALT=回到页首 BORDER=0></A> <A HREF="javascript:window.close()"><IMG SRC=/images/close.gif ALT=关闭窗口 BORDER=0></A></DIV>
<HR SIZE=1 COLOR=#CC0000>
{neighbours(page, "◆上一条新闻：", "◆下一条新闻：", "<BR>", "<FONT COLOR=gray>已经到头了</FONT>")}
<TD WIDTH=200 VALIGN=top BGCOLOR=#F7F7F7>
<TABLE WIDTH=100% BORDER=0 CELLPADDING=2 CELLSPACING=0>
<TR><TD BGCOLOR=#CC0000 ALIGN=center><FONT COLOR=#FFFFFF><B>热点{article.category}</B></FONT>
{sidebar(page, HOT, 4)}</TABLE>
<TABLE WIDTH=100% BORDER=0 CELLPADDING=2 CELLSPACING=0>
<TR><TD BGCOLOR=#CC0000 ALIGN=center><FONT COLOR=#FFFFFF><B>网上调查</B></FONT>
<TR><FORM ACTION=/vote.asp METHOD=post TARGET=_blank><TD>您最关心本市的哪些新闻？<BR>
<INPUT TYPE=radio NAME=vote VALUE=1 CHECKED>城市建设<BR>
<INPUT TYPE=radio NAME=vote VALUE=2>文化教育<BR>
<INPUT TYPE=radio NAME=vote VALUE=3>社区生活<BR>
<INPUT TYPE=submit VALUE=投票> <INPUT TYPE=button VALUE=查看 onclick="window.open('/vote.asp?stype=view')"><BR>
<FONT SIZE=2>截止日期：2004年6月30日　已有 {page.visitors % 9973} 人参加</FONT></FORM>
</TABLE>
</TABLE>
<TABLE WIDTH=760 BORDER=0 ALIGN=center BGCOLOR=#FFFFCC><TR><TD ALIGN=center><FONT SIZE=2>姊妹站点：<A HREF="http://www.wuhu.gov.cn/" TARGET=_blank>芜湖市人民政府</A> ┆ <A HREF="/">我爱芜湖论坛</A> ┆ <A HREF="/about.asp">芜湖热线</A>
<SELECT onchange="window.open(this.value)"><OPTION>--友情链接--<OPTION VALUE="http://www.wuhu.gov.cn/">芜湖市人民政府<OPTION VALUE="/about.asp">关于本站</SELECT></FONT>
</TABLE>
<CENTER><HR WIDTH=760 SIZE=1 COLOR=#CC0000><FONT SIZE=2>我爱芜湖 版权所有 Copyright &copy; 2001-2004　联系编辑：<A HREF="mailto:news@o553.example">新闻部</A></FONT></CENTER>
</BODY>
</HTML>
"""


ONECELL = Look(
    render=_onecell,
    when=_when,
    crumbs=lambda category: ("我爱芜湖", "新闻频道", category, "正文"),
    counter="get",
    before=(("outlet", "信息来源："), ("author", "供稿作者：")),
    after=(("typist", "录入："),),
)
