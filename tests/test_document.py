"""The page as its reader sees it: lines, links, pictures; any text gives a document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuhu_crawler.extract.document import clean, parse

LINES = {
    "<p>一</p><p>二</p>": ["一", "二"],
    "一<br>二<BR/>三": ["一", "二", "三"],
    "<P>一<P>二<LI>三": ["一", "二", "三"],
    "<p><span>截至</span><span>2023</span><span>年</span><b>12</b>月</p>": ["截至2023年12月"],
    "<p>上半句\r\n    下半句</p>": ["上半句下半句"],
    "<p>two\nwords</p>": ["two words"],
    "<p>　　缩进&nbsp;&nbsp;两格　</p>": ["缩进 两格"],
    "<td>甲</td><td>乙</td>": ["甲乙"],  # no table: as a browser shows it
    "<table><tr><td>甲<td>乙<tr><td>丙</table>": ["甲", "乙", "丙"],
    "<p>党建 社建</p><p>‘数智 ’</p>": ["党建 社建", "‘数智 ’"],
    "<p>看<!-- 不看 -->见</p>": ["看见"],
    "<p>看<script>不看</script>见<style>不看</style></p>": ["看见"],
    "<p>看<span style='display: none'>不看</span>见</p>": ["看见"],
    "<p>a\0b\x07c\ufeff\u200bd</p>": ["abcd"],
    "<o:p>词</o:p><st1:place>语</st1:place>": ["词语"],
    "<p>&#8220;引&#8221;&amp;&lt;&nbsp;&#x20;</p>": ["“引”&<"],
    "<div>一<div>二</div>三</div>": ["一", "二", "三"],
    "<select><option>不看</option></select><textarea>不看</textarea>看": ["看"],
    '<table><tr><td width="98%"">甲</td><td class="a>b">乙</td></tr></table><p title="1">丙</p>': ["甲", "乙", "丙"],
    "<p =\"a>甲</p><p title='\"'>乙</p>": ["甲", "乙"],
    "没有标签": ["没有标签"],
    "": [],
    " \n ": [],
    "<": ["<"],
}


@pytest.mark.parametrize("html", LINES)
def test_lines(html: str) -> None:
    assert [line.text for line in parse(html).lines] == LINES[html]


def test_text_is_as_served() -> None:
    served = "半角,全角，１２３ＡＢＣ…—·『』\ue5e5㈠"
    assert parse(f"<p>{served}</p>").text() == served


def test_what_a_line_knows() -> None:
    document = parse(
        "<body><h2>标题</h2><p align=center><b>粗体</b></p><table><tr><td>单元</td></tr></table>"
        "<p><a href=/x>链接</a>字</p><center><font>居中</font></center><p>普通</p></body>"
    )
    title, bold, cell, linked, centred, plain = document.lines
    assert title.heading
    assert bold.bold
    assert bold.centered
    assert cell.cell is not None
    assert plain.cell is None
    assert (linked.link_chars, linked.plain_chars) == (2, 1)
    assert centred.centered
    assert not (plain.heading or plain.bold or plain.centered or plain.link_chars)


def test_links_images_scripts_and_hidden_inputs() -> None:
    document = parse(
        "<head><title>我爱\n芜湖</title><script src=/a.js></script></head><body>"
        "<p>一</p><a href=b.asp>二<b>三</b></a><img src=c.jpg>"
        "<script src=hits.asp?id=1></script><script>alert('x')</script><input type=HIDDEN name=t value=' 题 '></body>"
    )
    assert document.title == "我爱芜湖"
    assert [(href, text) for _, _, href, text in document.links] == [("b.asp", "二三")]
    assert [found["src"] for _, _, found in document.images] == ["c.jpg"]
    assert [src for _, src, _ in document.scripts if src] == ["/a.js", "hits.asp?id=1"]
    assert [value for _, _, value in document.inputs] == ["题"]


@pytest.mark.parametrize("tag", ["div", "font", "table><tr><td", "b", "blockquote", "ul><li"])
def test_text_behind_too_deep_nesting_is_kept(tag: str) -> None:
    closing = f"</{tag.split('>', maxsplit=1)[0]}>"
    document = parse("<body>" + f"<{tag}>" * 2100 + "深处" + closing * 2100 + "<p>后面的正文</p></body>")
    assert "后面的正文" in document.text()


@given(text=st.text(max_size=60))
def test_clean_twice_is_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(text=st.text(max_size=200))
def test_any_text_gives_a_document(text: str) -> None:
    document = parse(text)
    assert [line.index for line in document.lines] == list(range(len(document.lines)))
    assert all(line.text == clean(line.text) and line.text for line in document.lines)


TAGS = st.sampled_from(
    (
        "p div td tr table b a font br h1 script style ul li center span !-- form frameset svg title head body "
        "/p /div /td /table /b /a /h1 /script ? ! /"
    ).split()
)
PIECES = st.lists(
    st.one_of(
        TAGS.map(lambda tag: f"<{tag}>"),
        st.sampled_from(["字", "a", " ", "\n", "&nbsp;", "&#0;", "&#xD800;", "<", ">", "<a href=", '"']),
    ),
    max_size=30,
)


@given(pieces=PIECES)
@settings(max_examples=200)
def test_any_soup_of_tags_gives_a_document(pieces: list[str]) -> None:
    document = parse("".join(pieces))
    for block in document.blocks:
        assert 0 <= block.first <= block.end <= len(document.lines)
    for line in document.lines:
        assert 0 <= line.link_chars <= len(line.text)
