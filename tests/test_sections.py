"""The heading tree: what is a heading, at which level, and every paragraph in exactly one section."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuhu_crawler.extract.sections import build_sections, find_headings
from wuhu_crawler.items import Section

LONG = "街道去年新建了三处停车场，腾出车位二百一十个，居民晚上回家终于不用绕圈找车位了。"
MORE = "社区还请来物业、交警和业主代表一起商量办法，前后开了五次会，形成了三条意见。"

# body lines -> (level, number, heading) of each heading
TREES: dict[str, tuple[list[str], list[tuple[int, str | None, str]]]] = {
    "han": ([LONG, "一、工作情况", LONG, "二、存在问题", MORE], [(1, "一", "工作情况"), (1, "二", "存在问题")]),
    "han and bracket": (
        ["一、工作情况", "（一）抓重点", LONG, "（二）补短板", MORE, "二、打算", LONG],
        [(1, "一", "工作情况"), (2, "一", "抓重点"), (2, "二", "补短板"), (1, "二", "打算")],
    ),
    "three levels that restart": (
        [
            "一、做法",
            "（一）建机制",
            "1．例会",
            LONG,
            "2．通报",
            MORE,
            "（二）强队伍",
            "1．培训",
            LONG,
            "二、成效",
            "（一）安全",
            MORE,
        ],
        [
            (1, "一", "做法"),
            (2, "一", "建机制"),
            (3, "1", "例会"),
            (3, "2", "通报"),
            (2, "二", "强队伍"),
            (3, "1", "培训"),
            (1, "二", "成效"),
            (2, "一", "安全"),
        ],
    ),
    "digits alone": (
        ["1．哪些人可以办", LONG, "2．到哪里去办", MORE, "3．要多少钱", LONG],
        [(1, "1", "哪些人可以办"), (1, "2", "到哪里去办"), (1, "3", "要多少钱")],
    ),
    "bracketed digits below digits": (
        ["1．申请", "(1)材料", LONG, "(2)时限", MORE, "2．审核", LONG],
        [(1, "1", "申请"), (2, "1", "材料"), (2, "2", "时限"), (1, "2", "审核")],
    ),
    "full-width digits": (["１．申请", LONG, "２．审核", MORE], [(1, "１", "申请"), (1, "２", "审核")]),
    "chapters": (["第一章　总则", LONG, "第二章　管理", MORE], [(1, "第一章", "总则"), (1, "第二章", "管理")]),
    "parts above han": (
        ["第一部分　回顾", "一、成绩", LONG, "第二部分　展望", "一、目标", MORE],
        [(1, "第一部分", "回顾"), (2, "一", "成绩"), (1, "第二部分", "展望"), (2, "一", "目标")],
    ),
    "bullets": (["■老街", LONG, "■新桥", MORE], [(1, "■", "老街"), (1, "■", "新桥")]),
    "private-use bullets": (["\ue5e5老街", LONG, "\ue5e5新桥", MORE], [(1, "\ue5e5", "老街"), (1, "\ue5e5", "新桥")]),
    "unnumbered between prose": (
        [LONG, "停车不再难", MORE, "路灯亮起来", LONG],
        [(1, None, "停车不再难"), (1, None, "路灯亮起来")],
    ),
    "heading that is a closed sentence": (
        ["一、抓好安全。", LONG, "二、办好实事。", MORE],
        [(1, "一", "抓好安全。"), (1, "二", "办好实事。")],
    ),
}
# bodies without any heading
FLAT = {
    "one paragraph": [LONG],
    "prose": [LONG, MORE, LONG],
    "run-in topic sentences": [
        LONG,
        "党的建设活力增强。通过深化理论学习，筑牢基层堡垒，党员的劲头更足了。",
        "社会治理突破创新。通过网格管理，小事不出社区，大事不出街道。",
    ],
    "inline ordinals": [
        LONG,
        "一是抓学习，坚持每周一课，雷打不动。",
        "二是抓服务，窗口周末不打烊，随到随办。",
        "三是抓环境，背街小巷全部亮灯。",
    ],
    "numbered sentences": [
        "1、申请人应当如实填写表格，并对所填内容负责。",
        "2、材料不全的，窗口应当一次告知。",
        "3、逾期不补正的，视为放弃申请。",
    ],
    "clauses of a decree": [
        "第一条　为了加强停车管理，方便群众出行，制定本办法。",
        "第二条　本市城区内的停车场适用本办法。",
        "第三条　街道办事处负责日常管理工作。",
    ],
    "table of contents": ["一、总则", "二、管理", "三、罚则", "四、附则"],
    "list of items": [LONG, "1．身份证", "2．户口本", "3．一寸照片", "4．居住证明"],
    "programme": [LONG, "活动时间：4月14日上午9时", "活动地点：滨江公园南广场", MORE],
    "date line": [LONG, "2024年1月5日", MORE],
    "closing signature": [LONG, MORE, "街道办事处"],
    "caption": [LONG, "图为施工现场", MORE],
    "quoted line": [LONG, "“这下好了！”", MORE],
}


def tree(lines: list[str]) -> list[tuple[int, str | None, str]]:
    return [(heading.level, heading.number, heading.text) for heading in find_headings(lines)]


@pytest.mark.parametrize("name", TREES)
def test_tree(name: str) -> None:
    lines, expected = TREES[name]
    assert tree(lines) == expected


@pytest.mark.parametrize("name", FLAT)
def test_no_heading(name: str) -> None:
    assert tree(FLAT[name]) == []
    assert build_sections(FLAT[name], []) == [Section(level=1, paragraphs=FLAT[name])]


def test_emphasis_makes_a_heading_of_a_short_line() -> None:
    lines = ["开头", LONG, "第一锅", MORE, "第二锅", LONG]
    emphasized = [line in ("第一锅", "第二锅") for line in lines]
    assert [heading.text for heading in find_headings(lines, emphasized)] == ["第一锅", "第二锅"]


def test_text_before_the_first_heading_is_a_section_of_its_own() -> None:
    lines = [LONG, "一、甲事", MORE, "二、乙事", LONG]
    first, one, two = build_sections(lines, find_headings(lines))
    assert first == Section(level=1, paragraphs=[LONG])
    assert (one.number, one.heading, one.paragraphs) == ("一", "甲事", [MORE])
    assert (two.number, two.heading, two.paragraphs) == ("二", "乙事", [LONG])


def test_nothing_gives_nothing() -> None:
    assert find_headings([]) == []
    assert build_sections([], []) == []


NUMBERS = st.sampled_from(["", "一、", "二、", "（一）", "1．", "(1)", "第一章", "■", "①", "一是", "A"])
WORDS = st.sampled_from(["工作情况", "打算", LONG, MORE, "路灯亮起来", "2024年", "。", "记者王某"])
BODIES = st.lists(st.tuples(NUMBERS, WORDS).map("".join) | st.text(min_size=1, max_size=30), max_size=25)


def flat(sections: list[Section], level: int, out: list[tuple[str | None, str]]) -> list[tuple[str | None, str]]:
    for section in sections:
        assert section.level >= level
        if section.heading is not None:
            out.append((section.number, section.heading))
        out.extend((None, paragraph) for paragraph in section.paragraphs)
        flat(section.sections, section.level + 1, out)
    return out


@given(lines=BODIES, data=st.data())
def test_every_paragraph_is_in_exactly_one_section_in_order(lines: list[str], data: st.DataObject) -> None:
    emphasized = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    headings = find_headings(lines, emphasized)
    sections = build_sections(lines, headings)
    at = {heading.index: heading for heading in headings}
    assert flat(sections, 1, []) == [(at[i].number, at[i].text) if i in at else (None, line) for i, line in enumerate(lines)]
    assert all(section.level == 1 for section in sections)


@given(lines=BODIES)
def test_levels_begin_at_one_and_go_down_one_by_one(lines: list[str]) -> None:
    previous = 0
    for heading in find_headings(lines):
        assert 1 <= heading.level <= previous + 1
        previous = heading.level
