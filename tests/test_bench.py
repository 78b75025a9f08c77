"""How the extraction benchmark scores, and that what it installs is pinned. The benchmark itself is a target of its own."""

from __future__ import annotations

import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "bench"))
import scores

from wuhu_crawler.items import Credit


@pytest.mark.parametrize(
    ("found", "wanted", "score"),
    [
        ("芜湖长江大桥通车", "芜湖长江\n　大桥通车", 1.0),
        ("", "芜湖长江大桥通车", 0.0),
        ("", "", 0.0),
        ("桥", "桥", 1.0),
        ("芜湖长江大桥通车", "芜湖长江大桥", 0.75),  # 3 grams of 5 and of 3
        ("芜湖长江芜湖长江", "芜湖长江", 2 / 6),  # a gram counts as often as it stands there
    ],
)
def test_body_f1(found: str, wanted: str, score: float) -> None:
    assert scores.f1(found, wanted) == pytest.approx(score)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2024/2/3 20:24:31", "2024-02-03"),
        ("2019年02月20日 02:26:00", "2019-02-20"),
        ("2024-04-30T09:20:19+08:00", "2024-04-30"),
        ("昨天", None),
        ("", None),
    ],
)
def test_the_day_of_a_date(words: str, day: str | None) -> None:
    assert scores.day(words) == day


def test_titles_are_compared_without_spaces_and_references() -> None:
    assert scores.packed("大桥&ldquo;通车&rdquo; 了\xa0") == "大桥“通车”了"


def test_names_by_role() -> None:
    credits = [
        Credit(role=role, name=name, text="") for role, name in (("reporter", "乙"), ("reporter", "甲"), ("other", "丙"))
    ]
    found = scores.names_by_role(credits)
    assert found == {"reporters": sorted("甲乙"), "correspondents": [], "photographers": [], "editors": []}


def test_what_the_benchmark_installs_is_pinned() -> None:
    lines = (ROOT / "bench/constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    names = {line.partition("==")[0].lower() for line in lines}
    assert {"trafilatura", "readability-lxml", "newspaper4k", "gne"} <= names
    peers = (ROOT / "bench/peers.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in peers if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
