"""What differs between two versions: by paragraphs, by characters, and as `wuhu diff` prints it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from conftest import Wuhu

from wuhu_crawler.versions import ParagraphChange, Piece, characters, paragraphs

LONG = [f"第{number}段说的是长江大桥的第{number * 7}件事，市民纷纷前往参观。" for number in "一二三四五六"]


def kinds(before: list[str], after: list[str]) -> list[tuple[str, int | None, int | None]]:
    """Return the paragraphs' kinds and places."""
    return [(each.kind, each.before, each.after) for each in paragraphs(before, after)]


def test_one_character() -> None:
    assert characters("历时四年建成。", "历时五年建成。") == [
        Piece("equal", "历时"),
        Piece("delete", "四"),
        Piece("insert", "五"),
        Piece("equal", "年建成。"),
    ]
    assert characters("甲乙", "甲乙") == [Piece("equal", "甲乙")]
    assert characters("", "甲") == [Piece("insert", "甲")]


def test_changes_that_almost_touch_are_one() -> None:
    assert characters("共一千人参加", "共二千八人参加") == [
        Piece("equal", "共"),
        Piece("delete", "一千"),
        Piece("insert", "二千八"),
        Piece("equal", "人参加"),
    ]


def test_paragraphs_changed_inserted_and_deleted() -> None:
    texts = ["大桥昨日通车，市民前往参观。", "大桥全长十公里，历时四年。", "本报记者。"]
    edited = ["大桥昨日通车，市民前往参观。", "这一段是新加的文字内容啊！", "大桥全长十一公里，历时四年。"]
    assert kinds(texts, edited) == [("equal", 1, 1), ("inserted", None, 2), ("changed", 2, 3), ("deleted", 3, None)]


def test_a_moved_paragraph_is_said_to_be_moved() -> None:
    assert kinds(LONG[:4], [LONG[0], LONG[3], LONG[1], LONG[2]]) == [
        ("equal", 1, 1),
        ("moved", 4, 2),
        ("equal", 2, 3),
        ("equal", 3, 4),
    ]
    swapped = kinds(LONG[:3], [LONG[1], LONG[0], LONG[2]])
    assert sorted(kind for kind, _, _ in swapped) == ["equal", "equal", "moved"]


def test_a_paragraph_that_is_there_twice() -> None:
    assert kinds(["同。", "同。"], ["同。"]) == [("equal", 1, 1), ("deleted", 2, None)]


def test_both_texts_can_be_made_of_it() -> None:
    draw = random.Random(553)
    for _ in range(200):
        before = draw.choices(LONG, k=draw.randint(0, 6))
        after = [
            text.replace("桥", draw.choice(["桥", "路", ""])) for text in draw.choices([*before, *LONG], k=draw.randint(0, 6))
        ]
        found = paragraphs(before, after)
        assert side(found, "delete") == dict(enumerate(before, 1))
        assert side(found, "insert") == dict(enumerate(after, 1))


def side(found: list[ParagraphChange], op: str) -> dict[int, str]:
    """Return the paragraphs of one side, by place, from the pieces."""
    places = [(each.before if op == "delete" else each.after, each) for each in found]
    return dict(
        sorted((place, "".join(p.text for p in each.pieces if p.op in ("equal", op))) for place, each in places if place)
    )


def test_diff_of_an_archive(wuhu: Wuhu, thrice: Path) -> None:
    told = wuhu("diff", "7", folder=thrice)
    assert told.code == 0 and "version 2 (" in told.out and "-> 3 (" in told.out
    assert "{+芜湖长江大桥昨日通车" in told.out and "[-改过的正文" in told.out
    coloured = wuhu("diff", "7", "1", "2", "--color", folder=thrice).out
    assert "\x1b[31m" in coloured and "[-" not in coloured
    found = json.loads(wuhu("diff", "7", "1", "--json", folder=thrice).out)
    assert (found["before"]["version"], found["after"]["version"], found["fields"]) == (1, 3, [])
    assert {each["kind"] for each in found["paragraphs"]} == {"equal"}


@pytest.mark.parametrize(("arguments", "code"), [(("8",), 0), (("8", "1", "2"), 2), (("7", "9"), 2), (("99",), 2)])
def test_what_cannot_be_compared_is_said(wuhu: Wuhu, thrice: Path, arguments: tuple[str, ...], code: int) -> None:
    ended = wuhu("diff", *arguments, folder=thrice)
    assert ended.code == code and len(ended.err.splitlines()) == 1, ended.err
