"""Chinese personal names as credits need them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wuhu_crawler.extract.names import is_name, is_signature, split_glued, surname_length

NAMES = (
    "田龙",
    "王芳",
    "李立新",
    "欧阳倩",
    "司马长风",
    "诸葛亮",
    "上官婉儿",
    "璩美凤",
    "蹇小雨",
    "仵云",
    "单小山",
    "乐可",
    "牛犇",
    "阮小飞",
    "令狐冲",
    "陈李佳",
    "麦麦提·艾力",
    "买买提江·吾甫尔",
    "祝枝山",
    "时光",
    "解冰",
)
NO_NAMES = (
    "",
    "田",
    "记者",
    "通讯员",
    "佚名",
    "本站",
    "我们的",
    "获悉",
    "昨日从",
    "abc",
    "123",
    "王芳说",
    "市委宣传部",
    "李立新谢寅庆",
    "了解到",
    "问",
)
GLUED = {
    "李立新谢寅庆": ("李立新", "谢寅庆"),
    "王芳李明": ("王芳", "李明"),
    "欧阳倩王芳": ("欧阳倩", "王芳"),
    "张三丰李四光王五岳": ("张三丰", "李四光", "王五岳"),
    "田龙": ("田龙",),
    "王芳欧阳倩": ("王芳", "欧阳倩"),
}
UNSPLIT = ("市公安局", "从市教育局获悉", "弋江日报", "")
SIGNATURES = ("小橘子", "Jack Ma", "王芳", "江南雨", "fangfang")
NO_SIGNATURES = ("admin", "佚名", "市委宣传部", "区教育局", "本站编辑", "镜湖小学", "新闻中心")


@pytest.mark.parametrize("text", NAMES)
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", NO_NAMES)
def test_no_names(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize("text", GLUED)
def test_glued_names(text: str) -> None:
    assert split_glued(text) == GLUED[text]


@pytest.mark.parametrize("text", UNSPLIT)
def test_what_is_not_only_names_is_not_split(text: str) -> None:
    assert split_glued(text) is None


@pytest.mark.parametrize("text", SIGNATURES)
def test_signatures(text: str) -> None:
    assert is_signature(text)


@pytest.mark.parametrize("text", NO_SIGNATURES)
def test_no_signatures(text: str) -> None:
    assert not is_signature(text)


def test_surnames() -> None:
    assert [surname_length(text) for text in ("欧阳倩", "王芳", "璩美凤", "的", "")] == [2, 1, 1, 0, 0]
    assert surname_length("璩美凤", rare=False) == 0


@given(text=st.text(max_size=30) | st.text("王李欧阳芳明", max_size=30))
def test_split_parts_make_the_text(text: str) -> None:
    parts = split_glued(text)
    assert parts is None or "".join(parts) == text
