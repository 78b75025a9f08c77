"""The heading tree of a body: which of its paragraphs are headings, and what stands under which.

A heading is a line of its own: numbered (一、 （一） 1． 第一章 ■ …) or short and set apart. A numbered paragraph that runs on
into its sentence, 一是…二是… and lists (each item directly followed by the next) are paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..items import Section

_HAN = "[一二三四五六七八九十百零〇]{1,4}"
_DIGITS = r"[0-9０-９]{1,2}"
# Style name -> (rank, pattern with groups number and heading). The rank is the usual order of nesting, outermost first.
STYLES: dict[str, tuple[int, re.Pattern[str]]] = {
    name: (rank, re.compile(pattern, re.S))
    for name, rank, pattern in (
        ("chapter", 0, rf"(?P<number>第(?:{_HAN}|{_DIGITS})[章编篇卷])[\s　:：]*(?P<heading>.+)"),
        ("part", 1, rf"(?P<number>第(?:{_HAN}|{_DIGITS})(?:部分|节))[\s　:：、]*(?P<heading>.+)"),
        ("piece", 1, r"(?P<number>[0-9０-９])(?P<heading>[\u4e00-\u9fff]{1,6}篇)"),
        ("han", 2, rf"(?P<number>{_HAN})[、．.：:](?P<heading>.+)"),
        ("han-bracket", 3, rf"[（(](?P<number>{_HAN})[)）][、．.]?\s*(?P<heading>.+)"),
        ("ordinal", 3, rf"(?P<number>第{_HAN}(?:[\u4e00-\u9fff]{{1,4}})?)[，,、：:](?P<heading>.+)"),
        ("one-of", 3, rf"(?P<number>.{{2,12}}之{_HAN})[：:](?P<heading>.+)"),
        ("digit", 4, rf"(?P<number>{_DIGITS})(?:[、．]|[.](?!\d)\s*)(?P<heading>[^、].*)"),
        ("digit-bracket", 5, rf"[（(](?P<number>{_DIGITS})[)）][、．.]?\s*(?P<heading>.+)"),
        ("circled", 6, r"(?P<number>[①-⑳])\s*(?P<heading>.+)"),
        ("bullet", 3, r"(?P<number>[■◆●▲★□◇○△☆\ue5e5])\s*(?P<heading>.+)"),
        ("letter", 3, r"(?P<number>[A-ZＡ-Ｚ])[、．.]?(?P<heading>[\u4e00-\u9fff].+)"),
        ("bracket-title", 3, r"(?P<number>)(?P<heading>【[^】]{2,16}】(?!\d)[^【】]{6,})"),
    )
}
# Asked first: no style begins otherwise.
_NUMBERED = re.compile(r"[第0-9０-９一二三四五六七八九十百零〇（(①-⑳■◆●▲★□◇○△☆\ue5e5A-ZＡ-Ｚ【]|.{2,12}之")
_PLAIN = "plain"
_PLAIN_RANK = 3
_LONGEST = 45
_LONGEST_PLAIN = 26
_LONGEST_CLOSED = 36
# A body of so many lines whose middle one is so short is a table: its numbered cells are no headings.
_TABLE_LINES, _TABLE_WIDTH = 12, 12
_STOP = re.compile(r"[。；;，,、]\Z")
_INNER_STOP = re.compile(r"[。！？；]")
_PROSE_END = re.compile(r"[。！？!?…；;：:”」』)）.]\Z")
# What an announcement tells in a line of its own: 活动时间：…
_ANNOUNCED = "时间|日期|地点|对象|方式|联系人|热线|人数|名额|费用|票价|备注|邮箱|嘉宾|报名|主办|承办|协办|单位|简称|代码"
# Short lines that are no headings: dates, captions, sources, contacts, formulas, table scraps.
_NOT_PLAIN = re.compile(
    rf"[^：:]{{0,6}}(?:{_ANNOUNCED})[：:]|"
    r"[〇○零一二三四五六七八九十]{4}年|[\d０-９年月日时分:：.\-/\s]+\Z|图为|图[：:/\d]|.*[摄图]\s*\Z|来源|信息来源|"
    r"[（(].*[)）]\Z|[【\[].*[】\]]\Z|附[件：:]|电话|地址|联系|邮编|传真|网址|www|http|.*[=|]|·|—|-|\*|记者|通讯员|作者|编辑"
    r"|.*(?:记者|通讯员)[\s\u3000]*[\u4e00-\u9fff\s]{2,8}\Z|[“\"].*[^”\"]\Z"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A paragraph that is a heading: its index among the paragraphs, printed number (None without) and words, level from 1."""

    index: int
    level: int
    number: str | None
    text: str
    style: str


@dataclass(frozen=True, slots=True)
class _Mark:
    index: int
    style: str
    rank: int
    number: str | None
    text: str


def find_headings(paragraphs: Sequence[str], emphasized: Sequence[bool] | None = None) -> list[Heading]:
    """Return the headings among the paragraphs; `emphasized` tells which stand wholly bold or centred on the page."""
    if _is_table(paragraphs):
        return []
    marks = [mark for i in range(len(paragraphs)) if (mark := _mark(paragraphs, i, emphasized)) is not None]
    return _levels(_without_lists(_without_clauses(marks, paragraphs), paragraphs))


def build_sections(paragraphs: Sequence[str], headings: Sequence[Heading]) -> list[Section]:
    """Return the tree: every paragraph stands in exactly one section, in order; headings name theirs."""
    roots: list[Section] = []
    stack: list[Section] = []
    at = {heading.index: heading for heading in headings}
    for i, paragraph in enumerate(paragraphs):
        heading = at.get(i)
        if heading is None:
            if not stack:
                stack = [Section(level=1)]
                roots.append(stack[0])
            stack[-1].paragraphs.append(paragraph)
            continue
        section = Section(level=heading.level, number=heading.number, heading=heading.text)
        while stack and (stack[-1].level >= heading.level or stack[-1].heading is None):
            stack.pop()
        (stack[-1].sections if stack else roots).append(section)
        stack.append(section)
    return roots


def _is_table(paragraphs: Sequence[str]) -> bool:
    """Tell whether a body is mostly cells: short lines that are not even numbered."""
    cells = sum(
        len(text) < _TABLE_WIDTH and not (_NUMBERED.match(text) and any(p.match(text) for _, p in STYLES.values()))
        for text in paragraphs
    )
    prose = sum(len(text) >= _TABLE_WIDTH for text in paragraphs)
    return cells + prose >= _TABLE_LINES and cells > prose


def _mark(paragraphs: Sequence[str], i: int, emphasized: Sequence[bool] | None) -> _Mark | None:
    text = paragraphs[i]
    if len(text) > _LONGEST + 15:
        return None
    numbered = _NUMBERED.match(text)
    for style, (rank, pattern) in STYLES.items() if numbered else ():
        found = pattern.fullmatch(text)
        if not found:
            continue
        if _runs_on(text, style):
            return None
        number = found["number"] or None
        return _Mark(i, style, rank, number, found["heading"].strip())
    if _is_plain_heading(paragraphs, i, bool(emphasized and emphasized[i])):
        return _Mark(i, _PLAIN, _PLAIN_RANK, None, text)
    return None


def _runs_on(text: str, style: str) -> bool:
    """Tell whether a numbered line is a sentence of its own rather than a heading."""
    if style == "ordinal":
        return len(text) > _LONGEST_CLOSED or text.endswith(("；", ";", "，", ","))
    if len(text) > _LONGEST or (style in ("digit", "digit-bracket", "circled") and text.endswith("。")):
        return True
    if text.endswith("。"):
        return len(text) > 18 or "，" in text or bool(_INNER_STOP.search(text[:-1]))
    if style in ("digit", "digit-bracket", "circled") and len(text) > _LONGEST_PLAIN and re.search(r"[：:]\s*\S", text[3:]):
        return True
    return bool(_STOP.search(text) or (_INNER_STOP.search(text) and style != "bracket-title"))


def _is_plain_heading(paragraphs: Sequence[str], i: int, emphasized: bool) -> bool:
    """An unnumbered heading: short, no sentence, set apart by emphasis or standing between paragraphs of prose."""
    text = paragraphs[i]
    if not 3 - emphasized <= len(text) <= (_LONGEST if emphasized else _LONGEST_PLAIN) or _NOT_PLAIN.match(text):
        return False
    if not re.search(r"[\u4e00-\u9fff]{2}", text) or re.search(r"[。；;，,、：:]\Z", text):
        return False
    if i + 1 >= len(paragraphs):
        return False
    after = paragraphs[i + 1]
    if STYLES["bracket-title"][1].fullmatch(after):
        return True
    if emphasized:
        return len(after) > len(text) or any(pattern.fullmatch(after) for _, pattern in STYLES.values())
    if text.endswith(("！", "!", "？", "?")) and len(text) > 14:
        return False
    if _INNER_STOP.search(text[:-1]) or i == 0:
        return False
    before = paragraphs[i - 1]
    follows = len(after) >= 28 and bool(_INNER_STOP.search(after) or _PROSE_END.search(after))
    nested = (
        i + 2 < len(paragraphs)
        and 4 <= len(after) <= _LONGEST_PLAIN
        and len(paragraphs[i + 2]) >= 28
        and not _NOT_PLAIN.match(after)
    )
    ended = len(before) >= 28 and bool(_PROSE_END.search(before))
    between = i > 1 and len(before) <= _LONGEST_PLAIN and len(paragraphs[i - 2]) >= 28
    return (follows and (ended or between)) or (ended and nested)


def _without_clauses(marks: list[_Mark], paragraphs: Sequence[str]) -> list[_Mark]:
    """Drop styles that mostly number whole paragraphs: one short clause among (1) … (10) is no heading either."""
    kept = []
    for style in {mark.style for mark in marks} - {_PLAIN}:
        pattern = STYLES[style][1]
        if 3 * sum(mark.style == style for mark in marks) < sum(bool(pattern.fullmatch(text)) for text in paragraphs):
            marks = [mark for mark in marks if mark.style != style]
    plain = sum(mark.style == _PLAIN for mark in marks)
    for mark in marks:
        # 供求原因之一：… among unnumbered headings is one of them.
        kept.append(
            replace(mark, style=_PLAIN, number=None, text=paragraphs[mark.index])
            if plain > 1 and mark.style == "one-of"
            else mark
        )
    return kept


def _without_lists(marks: list[_Mark], paragraphs: Sequence[str]) -> list[_Mark]:
    """Drop styles most of whose lines are directly followed by the next of their kind: lists and tables of contents."""
    while True:
        held = {mark.index: mark for mark in marks}
        dropped = {
            style
            for style in {mark.style for mark in marks}
            if _is_list([m for m in marks if m.style == style], held, paragraphs)
        }
        if not dropped:
            return marks
        marks = [mark for mark in marks if mark.style not in dropped]


def _is_list(run: list[_Mark], held: dict[int, _Mark], paragraphs: Sequence[str]) -> bool:
    if run[0].style in ("bullet", "letter", "piece", "one-of") and len(run) < 2:
        return True
    if run[0].style == _PLAIN:
        return False
    bare = sum(_leads_to_its_kind(mark, held.get(mark.index + 1), paragraphs) for mark in run)
    return (len(run) > 1 and bare * 2 >= len(run)) or (len(run) == 1 and bare == 1 and len(paragraphs) == 1)


def _leads_to_its_kind(mark: _Mark, after: _Mark | None, paragraphs: Sequence[str]) -> bool:
    """Tell whether a line is directly followed by the next of its kind, or by nothing."""
    if mark.index + 1 >= len(paragraphs):
        return True
    if after is not None:
        return after.style == mark.style
    following = paragraphs[mark.index + 1]
    if mark.style == "bracket-title":
        return following.startswith("【")
    return bool(STYLES[mark.style][1].fullmatch(following))


def _levels(marks: list[_Mark]) -> list[Heading]:
    """Give levels by nesting: a style seen before goes back to its depth, a new one goes below or takes a finer one's place."""
    stack: list[tuple[str, int]] = []
    headings = []
    for mark in marks:
        known = [i for i, (style, _) in enumerate(stack) if style == mark.style]
        if known:
            stack = stack[: known[0] + 1]
        else:
            if mark.style != _PLAIN:
                while stack and stack[-1][0] != _PLAIN and stack[-1][1] >= mark.rank:
                    stack.pop()
            stack.append((mark.style, mark.rank))
        headings.append(Heading(mark.index, len(stack), mark.number, mark.text, mark.style))
    return headings
