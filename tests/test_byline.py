"""Credits: every role and shape, each with the words it was read from; and what looks like a credit and is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuhu_crawler.extract.byline import Byline, read_closing, read_line, read_slots

Row = tuple[str, str, str | None, str]  # role, name, outlet, the credit's own words

# lines that are nothing but credits -> (outlets, credits)
WHOLE: dict[str, tuple[list[str], list[Row]]] = {
    "芜湖日报记者田龙": (["芜湖日报"], [("reporter", "田龙", "芜湖日报", "芜湖日报记者田龙")]),
    "芜湖日报记者 田 龙": (["芜湖日报"], [("reporter", "田龙", "芜湖日报", "芜湖日报记者 田 龙")]),
    "（记者 丁一）": ([], [("reporter", "丁一", None, "记者 丁一")]),
    "记者 丁一 通讯员 马小军": (
        [],
        [("reporter", "丁一", None, "记者 丁一"), ("correspondent", "马小军", None, "通讯员 马小军")],
    ),
    "(记者丁一 马小军)": ([], [("reporter", "丁一", None, "记者丁一 马小军"), ("reporter", "马小军", None, "记者丁一 马小军")]),
    "记者丁一、马小军": (
        [],
        [("reporter", "丁一", None, "记者丁一、马小军"), ("reporter", "马小军", None, "记者丁一、马小军")],
    ),
    "记者：丁一/马小军": (
        [],
        [("reporter", "丁一", None, "记者：丁一/马小军"), ("reporter", "马小军", None, "记者：丁一/马小军")],
    ),
    "记者丁一鸣马小军": (
        [],
        [("reporter", "丁一鸣", None, "记者丁一鸣马小军"), ("reporter", "马小军", None, "记者丁一鸣马小军")],
    ),
    "（通讯员卫方大江晚报记者毕小星）": (
        ["大江晚报"],
        [("correspondent", "卫方", None, "通讯员卫方"), ("reporter", "毕小星", "大江晚报", "大江晚报记者毕小星")],
    ),
    "弋江日报全媒体记者 丁一": (["弋江日报"], [("reporter", "丁一", "弋江日报", "弋江日报全媒体记者 丁一")]),
    "见习记者 丁一": ([], [("reporter", "丁一", None, "见习记者 丁一")]),
    "首席记者丁一": ([], [("reporter", "丁一", None, "首席记者丁一")]),
    "本报记者 丁一": (["本报"], [("reporter", "丁一", "本报", "本报记者 丁一")]),
    "新华社记者 丁一": (["新华社"], [("reporter", "丁一", "新华社", "新华社记者 丁一")]),
    "记者丁一 实习生马小军": ([], [("reporter", "丁一", None, "记者丁一"), ("intern", "马小军", None, "实习生马小军")]),
    "实习生 丁一": ([], [("intern", "丁一", None, "实习生 丁一")]),
    "（实习生：丁一 马小军）": (
        [],
        [("intern", "丁一", None, "实习生：丁一 马小军"), ("intern", "马小军", None, "实习生：丁一 马小军")],
    ),
    "实习记者 丁一": ([], [("intern", "丁一", None, "实习记者 丁一")]),
    "作者：丁一": ([], [("author", "丁一", None, "作者：丁一")]),
    "作者 丁一": ([], [("author", "丁一", None, "作者 丁一")]),
    "（作者：欧阳一叶）": ([], [("author", "欧阳一叶", None, "作者：欧阳一叶")]),
    "作　者：丁一": ([], [("author", "丁一", None, "作　者：丁一")]),
    "文/丁一": ([], [("author", "丁一", None, "文/丁一")]),
    "文：丁一 图：马小军": ([], [("author", "丁一", None, "文：丁一"), ("photographer", "马小军", None, "图：马小军")]),
    "文/丁一 摄影/马小军": ([], [("author", "丁一", None, "文/丁一"), ("photographer", "马小军", None, "摄影/马小军")]),
    "文/图 丁一": ([], [("author", "丁一", None, "文/图 丁一"), ("photographer", "丁一", None, "文/图 丁一")]),
    "文/图：丁一": ([], [("author", "丁一", None, "文/图：丁一"), ("photographer", "丁一", None, "文/图：丁一")]),
    "摄影：丁一": ([], [("photographer", "丁一", None, "摄影：丁一")]),
    "摄影 丁一": ([], [("photographer", "丁一", None, "摄影 丁一")]),
    "丁一 摄": ([], [("photographer", "丁一", None, "丁一 摄")]),
    "（丁一鸣摄）": ([], [("photographer", "丁一鸣", None, "丁一鸣摄")]),
    "新华社记者丁一鸣摄": (["新华社"], [("photographer", "丁一鸣", "新华社", "新华社记者丁一鸣摄")]),
    "芜湖日报记者丁一 摄影报道": (
        ["芜湖日报"],
        [
            ("reporter", "丁一", "芜湖日报", "芜湖日报记者丁一 摄影报道"),
            ("photographer", "丁一", "芜湖日报", "芜湖日报记者丁一 摄影报道"),
        ],
    ),
    "记者 丁一鸣 摄影报道": (
        [],
        [("reporter", "丁一鸣", None, "记者 丁一鸣 摄影报道"), ("photographer", "丁一鸣", None, "记者 丁一鸣 摄影报道")],
    ),
    "（责任编辑：丁一）": ([], [("editor", "丁一", None, "责任编辑：丁一")]),
    "责编:丁一 审核:马小军": ([], [("editor", "丁一", None, "责编:丁一"), ("other", "马小军", None, "审核:马小军")]),
    "编辑：丁一 校对：马小军 监制：卫方": (
        [],
        [
            ("editor", "丁一", None, "编辑：丁一"),
            ("other", "马小军", None, "校对：马小军"),
            ("other", "卫方", None, "监制：卫方"),
        ],
    ),
    "编　辑：丁一": ([], [("editor", "丁一", None, "编　辑：丁一")]),
    "通讯员 司马南山 仵小云": (
        [],
        [
            ("correspondent", "司马南山", None, "通讯员 司马南山 仵小云"),
            ("correspondent", "仵小云", None, "通讯员 司马南山 仵小云"),
        ],
    ),
    "记者 璩一方": ([], [("reporter", "璩一方", None, "记者 璩一方")]),
    "记者 蹇红": ([], [("reporter", "蹇红", None, "记者 蹇红")]),
    "记者 买买提江·艾力": ([], [("reporter", "买买提江·艾力", None, "记者 买买提江·艾力")]),
    "（弋江日报记者 丁一 通讯员 马小军 卫方）": (
        ["弋江日报"],
        [
            ("reporter", "丁一", "弋江日报", "弋江日报记者 丁一"),
            ("correspondent", "马小军", None, "通讯员 马小军 卫方"),
            ("correspondent", "卫方", None, "通讯员 马小军 卫方"),
        ],
    ),
    "大江晚报记者丁一鸣 弋江网记者马小军": (
        ["大江晚报", "弋江网"],
        [("reporter", "丁一鸣", "大江晚报", "大江晚报记者丁一鸣"), ("reporter", "马小军", "弋江网", "弋江网记者马小军")],
    ),
    "记者丁一鸣 摄影马小军": ([], [("reporter", "丁一鸣", None, "记者丁一鸣"), ("photographer", "马小军", None, "摄影马小军")]),
}
# datelines and closing brackets: the paragraph stays in the body
INSIDE: dict[str, tuple[list[str], list[Row]]] = {
    "芜湖日报讯（记者 丁一 通讯员 马小军）昨日上午，大桥引桥合龙。": (
        ["芜湖日报"],
        [("reporter", "丁一", None, "记者 丁一"), ("correspondent", "马小军", None, "通讯员 马小军")],
    ),
    "本报讯(见习记者丁一)昨日上午，大桥引桥合龙。": (["本报"], [("reporter", "丁一", None, "见习记者丁一")]),
    "弋江日报4月30日讯（全媒体记者 丁一、马小军）昨日上午，大桥引桥合龙。": (
        ["弋江日报"],
        [("reporter", "丁一", None, "全媒体记者 丁一、马小军"), ("reporter", "马小军", None, "全媒体记者 丁一、马小军")],
    ),
    "新华社合肥5月1日电（记者丁一）昨日上午，大桥引桥合龙。": (["新华社"], [("reporter", "丁一", None, "记者丁一")]),
    "本网讯（实习生 丁一 记者 卫方）昨日上午，大桥引桥合龙。": (
        ["本网"],
        [("intern", "丁一", None, "实习生 丁一"), ("reporter", "卫方", None, "记者 卫方")],
    ),
    "昨日上午，大桥引桥合龙，市民在江边拍照留念。（记者 丁一）": ([], [("reporter", "丁一", None, "记者 丁一")]),
    "昨日上午，大桥引桥合龙。(记者丁一通讯员马小军)": (
        [],
        [("reporter", "丁一", None, "记者丁一"), ("correspondent", "马小军", None, "通讯员马小军")],
    ),
    "昨日上午，大桥引桥合龙。（丁一鸣 文/图）": (
        [],
        [("author", "丁一鸣", None, "丁一鸣 文/图"), ("photographer", "丁一鸣", None, "丁一鸣 文/图")],
    ),
    "昨日上午，大桥引桥合龙。（责任编辑：丁一）": ([], [("editor", "丁一", None, "责任编辑：丁一")]),
    "图为大桥引桥合龙现场。丁一鸣 摄": ([], [("photographer", "丁一鸣", None, "丁一鸣 摄")]),
    "昨日上午，大桥引桥合龙。（作者：丁一）": ([], [("author", "丁一", None, "作者：丁一")]),
}
NEGATIVE = (
    "记者从市公安局获悉，电动车上牌延长到六月。",
    "记者昨日从市教育局了解到，中考报名下周开始。",
    "外交部发言人答记者问",
    "市长就停车难答记者问",
    "第二十四个中国记者节",
    "祝全体新闻工作者记者节快乐！",
    "“记者同志，你们也来看看。”周大姐说。",
    "他对记者说，今年收成不错。",
    "记者走访了三家菜场。",
    "记者在现场看到，桥面已经通车。",
    "多名记者受邀采访",
    "通讯员队伍建设培训班开班",
    "市作者协会成立",
    "本次展览由摄影家协会主办。",
    "编辑部的故事",
    "责任编辑要认真审稿，不放过一个错字。",
    "摄影：用光的艺术",
    "图书馆改造完工",
    "文化馆招募志愿者",
    "实习生招聘启事",
    "实习生们来自六所高校。",
    "作者在书中写道，老街有三百年历史。",
    "来源：网络",
    "（图片来自网络）",
    "（完）",
    "记者站成立十周年",
    "新华社北京5月1日电",
    "昨日，记者跟随执法人员来到弋江桥下。",
    "小记者团走进消防队",
    "据《弋江日报》报道",
    "芜湖日报社记者部",
    "一名记者被打",
    "前方记者发来报道",
    "记者手记",
    "记者观察：老街怎么改",
)
# meta lines above or below a body
SLOTS: dict[str, list[Row]] = {
    "发布时间：2008-3-4　责任编辑：丁一　阅读：1644次": [("editor", "丁一", None, "责任编辑：丁一")],
    "责任编辑：　阅读：1644": [],
    "来源：弋江日报 作者：马小军 编辑：丁一": [
        ("author", "马小军", None, "作者：马小军"),
        ("editor", "丁一", None, "编辑：丁一"),
    ],
    "作　者：丁一 编　辑：马小军": [("author", "丁一", None, "作　者：丁一"), ("editor", "马小军", None, "编　辑：马小军")],
    "文/丁一 摄影：马小军": [("author", "丁一", None, "文/丁一"), ("photographer", "马小军", None, "摄影：马小军")],
    "责任编辑：admin": [],
    "作者：佚名 点击：22": [],
    "作者:丁一发布日期:2019-07-11": [("author", "丁一", None, "作者:丁一")],
    "[责任编辑：丁一鸣]": [("editor", "丁一鸣", None, "责任编辑：丁一鸣")],
    "记者：丁一、马小军 2020-1-1": [
        ("reporter", "丁一", None, "记者：丁一、马小军"),
        ("reporter", "马小军", None, "记者：丁一、马小军"),
    ],
    "发布日期:2024/2/3 20:24:31 浏览:102": [],
}


def rows(byline: Byline) -> list[Row]:
    return [(credit.role, credit.name, credit.outlet, credit.text) for credit in byline.credits]


@pytest.mark.parametrize("line", WHOLE)
def test_whole_line(line: str) -> None:
    outlets, credits = WHOLE[line]
    found = read_line(line)
    assert rows(found) == credits
    assert list(found.outlets) == outlets
    assert found.whole


@pytest.mark.parametrize("line", INSIDE)
def test_inside_a_paragraph(line: str) -> None:
    outlets, credits = INSIDE[line]
    found = read_line(line)
    assert rows(found) == credits
    assert list(found.outlets) == outlets
    assert not found.whole


@pytest.mark.parametrize("line", NEGATIVE)
def test_no_credit(line: str) -> None:
    assert read_line(line).credits == ()
    assert read_closing(line).credits == ()


@pytest.mark.parametrize("line", SLOTS)
def test_slots(line: str) -> None:
    assert rows(read_slots(line)) == SLOTS[line]


@pytest.mark.parametrize("line", INSIDE)
def test_closing_words_read_alike_inside_the_body(line: str) -> None:
    if not line.endswith("合龙。"):
        assert rows(read_closing(line)) == INSIDE[line][1]


ROLE_WORDS = st.sampled_from(
    ["记者", "通讯员", "摄影：", "责任编辑：", "文/图", "实习生", "（", "）", "讯", "芜湖日报", " ", "　", "、", "/"]
)


@given(pieces=st.lists(ROLE_WORDS | st.text("王李芳明欧阳的从说一二三，。", min_size=1, max_size=4), max_size=12))
def test_nothing_raises_and_credits_keep_to_their_line(pieces: list[str]) -> None:
    line = "".join(pieces)
    for found in (read_line(line), read_closing(line), read_slots(line)):
        for credit in found.credits:
            assert credit.name
            assert re.sub(r"\s", "", credit.name) in re.sub(r"\s", "", line)
            assert credit.text.strip() == credit.text != ""


def test_the_table_in_the_docs_holds() -> None:
    text = (Path(__file__).parents[1] / "docs" / "credits.md").read_text(encoding="utf-8").partition("| line | credits |")[2]
    table = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.M)
    assert len(table) >= 20
    for line, told in table:
        found = ", ".join(f"{credit.role} {credit.name}" for credit in read_line(line).credits) or "none"
        assert found == told.strip(), line
