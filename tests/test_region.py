"""Where the article ends on pages that say it in no end word: comments, headlines, the editor's line, buttons for sharing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wuhu_crawler.extract.page import extract
from wuhu_crawler.items import Article
from wuhu_crawler.portals import load_portal

O553 = load_portal("o553")
NOW = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)
PROSE = [
    "镜湖边的老码头昨天重新开放，第一批游船在上午九点离岸，不少市民一早就来排队。",
    "园林部门说，码头的石阶全部按原样修复，木栏杆换成了铁的，夜里还有灯光。",
    "船票暂不涨价，六十岁以上的老人凭身份证半价，孩子由大人带着可以免票。",
]
BODY = "".join(f"<p>{words}</p>" for words in PROSE)
COMMENT = (
    "<li><b>游客{n}</b> 3小时前<p>小时候就在这里坐船，那时候一张票只要两毛钱，让人怀念啊，大家说是不是？</p><a>回复</a></li>"
)
COMMENTS = "".join(COMMENT.format(n=n) for n in range(12))


def read(behind: str, before: str = "", head: str = "", title: str = "镜湖老码头重新开放") -> Article:
    heading = head or f"<h1>{title}</h1><p>2024-04-30 09:12 来源：江城日报</p>"
    page = f"<title>{title}_江城在线</title>{before}<div>{heading}<div>{BODY}{behind}"
    item = extract(page.encode(), url="http://www.o553.cn/news/Info.asp?ID=7", captured_at=NOW, portal=O553).item
    assert isinstance(item, Article)
    assert item.title == title
    return item


@pytest.mark.parametrize("head", ["热门评论 12条", "12 条评论", "全部留言(12)", "<b>网友评论</b>", "評論", "跟贴"])
def test_what_readers_wrote_is_no_body(head: str) -> None:
    assert read(f"</div><div><h3>{head}</h3><ul>{COMMENTS}</ul></div></div>").paragraphs == PROSE


def test_a_date_beside_a_comment_is_not_the_articles() -> None:
    comments = COMMENTS.replace("3小时前", "发表于 2024-05-01 08:00")
    article = read(f"</div><div><h3>留言(12)</h3><ul>{comments * 4}</ul></div></div>")
    assert (article.published_text, article.paragraphs) == ("2024-04-30 09:12", PROSE)


def test_comments_beside_the_article_leave_it_alone() -> None:
    assert read("</div></div>", before=f"<div><h3>最新评论</h3><ul>{COMMENTS}</ul></div>").paragraphs == PROSE


@pytest.mark.parametrize("head", ["回复", "回复内容：", "留言回复", "答复"])
def test_an_offices_answer_to_a_letter_is_the_article(head: str) -> None:
    slots = "<p>回复单位：江城市园林局</p><p>回复时间：2024-04-30 10:20</p><p>回复人：江城市园林局</p>"
    assert read(f"</div><div><h3>{head}</h3>{BODY}{slots}</div></div>").paragraphs.count(PROSE[0]) == 2


def test_a_text_about_comments_is_a_text() -> None:
    assert len(read(f"<p><b>读者留言</b></p>{BODY}</div></div>").paragraphs) == 7


LINKS = [
    f'<p><a href="/news/Info.asp?ID={n}">{words}</a></p>'
    for n, words in enumerate(["第二码头年底动工", "游船公司招聘船工"], 20)
]


@pytest.mark.parametrize(
    "box",
    [
        "".join(LINKS),
        "".join(LINKS).replace("</a>", "</a> 2024/04/12"),
        "<h4>重点关注</h4>" + LINKS[0] + "<p><b>行业动态</b></p>" + LINKS[1] + LINKS[0],
        "<table><tr><td><p>请看：</p></td></tr></table>" + LINKS[1] + LINKS[0],
    ],
)
def test_headlines_below_a_text_are_none_of_it(box: str) -> None:
    assert read(f"{box}</div></div>").paragraphs == PROSE


def test_a_short_notice_above_many_headlines_is_an_article() -> None:
    notice = "<h1>停水通知</h1><p>发布时间：2024-04-30</p><div><p>明天上午八点到十二点，北京路一带停水，请市民提前储水。</p>"
    page = f"<title>停水通知</title><div>{notice}<h4>更多</h4>{''.join(LINKS) * 9}</div></div>"
    item = extract(page.encode(), url="http://www.o553.cn/x.htm", captured_at=NOW, portal=O553).item
    assert isinstance(item, Article)
    assert item.paragraphs == ["明天上午八点到十二点，北京路一带停水，请市民提前储水。"]


def test_links_below_a_text_end_it_without_any_word_for_them() -> None:
    notice = "<p>本站文章欢迎读者来信指正，来信请写明文章名称和日期。</p>"
    assert read(f"<p>镜湖周边</p>{''.join(LINKS) * 9}{notice}{LINKS[0]}{notice}</div></div>").paragraphs[:4] == [
        *PROSE,
        "镜湖周边",
    ]
    assert len(read(f"{''.join(LINKS) * 9}{notice}{LINKS[0]}{notice}</div></div>").paragraphs) == 3


def test_links_above_a_list_of_names_are_part_of_the_text() -> None:
    names = "".join(f"<p>江城市第{n}房产管理处</p>" for n in range(20))
    assert len(read(f"<p>附件</p>{''.join(LINKS) * 4}<p>先进单位</p>{names}</div></div>").paragraphs) == 33


def test_links_among_prose_are_part_of_the_text() -> None:
    assert len(read(f"{''.join(LINKS) * 4}{BODY}{BODY}</div></div>").paragraphs) == 17


def test_attached_files_and_the_signature_below_them_are_part_of_the_text() -> None:
    files = "".join(f'<p><a href="/up/{n}.doc">附件{n}：江城市镜湖码头游船管理办法</a></p>' for n in range(1, 9))
    assert read(f"{files}<p>江城市园林局</p></div></div>").paragraphs[-1] == "江城市园林局"


@pytest.mark.parametrize("closing", ["<p>江城市园林局<br>2024年4月30日</p>", "<p>（完）</p>"])
def test_a_signature_below_links_stays_with_them(closing: str) -> None:
    assert len(read(f"{''.join(LINKS)}{closing}</div></div>").paragraphs) > 5


@pytest.mark.parametrize(
    "line", ["[责任编辑：王小明 JC012]", "（责编：王小明）", "本文来源：江城日报责任编辑：王小明_JC12", "编辑：王小明"]
)
def test_behind_the_editors_line_nothing_follows(line: str) -> None:
    moods = "".join(f"<li><b>{mood}</b></li>" for mood in ("好看", "感动", "难过"))
    article = read(f"<p>{line}</p><ul>{moods}</ul><p>用微信扫描二维码</p><p>分享至好友和朋友圈</p></div></div>")
    assert article.paragraphs == PROSE
    assert [(credit.name, credit.role) for credit in article.credits] == [("王小明", "editor")]


def test_credits_behind_the_editors_line_are_read() -> None:
    article = read("<p>责任编辑：王小明</p><p>（记者 李大山 通讯员 陈小河）</p></div></div>")
    assert {credit.name for credit in article.credits} == {"王小明", "李大山", "陈小河"}
    assert article.paragraphs == PROSE


@pytest.mark.parametrize("slot", ["原标题：老码头昨天重新开放 游船票价不变", "标签 <a href='/t'>镜湖</a>", "关键词：码头 游船"])
def test_slots_below_a_text_are_none_of_it(slot: str) -> None:
    assert read(f"<p>{slot}</p></div></div>").paragraphs == PROSE


def test_the_date_line_once_more_is_no_body() -> None:
    head = "<h1>镜湖老码头重新开放</h1><p>2024-04-30 09:12</p><p>2024-04-30 09:12:40来源：江城日报 作者：编辑：王小明</p>"
    assert read("</div></div>", head=head).paragraphs == PROSE


@pytest.mark.parametrize(
    "tools", ["", '<div align="right">【<a href="#">打印此文</a>】　字号：<a href="#">大</a> <a href="#">中</a></div>']
)
@pytest.mark.parametrize(
    "last",
    ["本网记者 田龙", '附件：<a href="/upload/file/bm.doc">报名表.doc</a>', '可登录<a href="/bm/">报名入口</a>查看详情。'],
)
def test_a_short_line_behind_one_long_paragraph_is_part_of_the_body(tools: str, last: str) -> None:
    """An editor that breaks lines inside one element and puts the last of them into another."""
    body = f"<p>　　{'<br />　　'.join(PROSE)}</p><p>　　{last}</p>"
    head = "<div><h1>镜湖老码头重新开放</h1><p>2024-04-30 09:12 来源：江城日报</p>"
    foot = '<div>上一篇：<a href="Info.asp?ID=6">无</a></div></div>'
    page = f"<title>镜湖老码头重新开放</title>{head}<div>{tools}{body}</div>{foot}"
    item = extract(page.encode(), url="http://www.o553.cn/news/Info.asp?ID=7", captured_at=NOW, portal=O553).item
    assert isinstance(item, Article)
    if "记者" in last:
        assert (item.paragraphs, item.reporters) == (PROSE, ["田龙"])
    else:
        assert len(item.paragraphs) == 4 and item.paragraphs[:3] == PROSE
