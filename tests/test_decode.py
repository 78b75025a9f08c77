"""Bytes to text: the bytes decide, not the label; nothing raises; every loss is counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wuhu_crawler.extract.decode import REPLACEMENT, declared_charset, decode

META = b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=%s"></head><body>'
CHINESE = "芜湖市鸠江区四褐山街道昨日召开居民议事会，讨论小区停车难、路灯不亮等问题，三十余名代表参加。"
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=8, max_size=120)
LABELS = st.sampled_from([b"gb2312", b"GBK", b"utf-8", b"big5", b""])


@given(body=st.binary(max_size=300), label=LABELS)
def test_any_bytes_give_text(body: bytes, label: bytes) -> None:
    found = decode(META % label + body)
    assert isinstance(found.text, str)
    assert 0 <= found.losses <= len(body)
    assert found.encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@given(text=HAN, label=LABELS)
def test_chinese_reads_back_under_any_label(codec: str, text: str, label: bytes) -> None:
    # Two-byte pairs that are also valid UTF-8 do exist (联通); a page's worth of punctuated text never is.
    body = META % label + (CHINESE + text).encode(codec)
    found = decode(body)
    assert found.text.endswith(CHINESE + text)
    assert (found.encoding, found.losses) == (codec, 0)


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@given(places=st.lists(st.integers(0, len(CHINESE) * 8), max_size=3), label=LABELS)
@settings(max_examples=150)
def test_up_to_three_corrupt_bytes_do_not_change_the_encoding(codec: str, places: list[int], label: bytes) -> None:
    body = bytearray((CHINESE * 4).encode(codec))
    for place in places:
        body[place % len(body)] = 0xFF
    found = decode(META % label + bytes(body))
    assert found.encoding == codec
    assert (found.losses > 0) == bool(places)
    assert found.losses == found.text.count(REPLACEMENT)


def test_gb18030_characters_beyond_gbk() -> None:
    text = CHINESE + "㑇𠮷€"
    assert decode(META % b"gb2312" + text.encode("gb18030")).text.endswith(text)


def test_pure_ascii_is_recorded_as_labelled() -> None:
    assert decode(META % b"gb2312" + b"abc").encoding == "gb18030"
    assert decode(META % b"utf-8" + b"abc").encoding == "utf-8"
    assert decode(b"abc").encoding == "utf-8"


@pytest.mark.parametrize(
    ("mark", "codec"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
)
def test_byte_order_mark(mark: bytes, codec: str) -> None:
    found = decode(mark + CHINESE.encode(codec))
    assert (found.text, found.encoding, found.losses) == (CHINESE, codec, 0)


def test_replacement_characters_the_portal_itself_served_are_losses_too() -> None:
    assert decode((CHINESE + "\ufffd").encode()).losses == 1


DECLARED = (
    (META % b"GB2312", None, "gb2312"),
    (b"<meta charset='utf-8'>", None, "utf-8"),
    (b'<META content="text/html;CHARSET = gbk" http-equiv=x>', None, "gbk"),
    (b'<!-- <meta charset="utf-8"> -->' + META % b"gb2312", None, "gb2312"),
    (b"<html>", "text/html; Charset=GB2312", "gb2312"),
    (b"<html>", "text/html", None),
    (b"", None, None),
    (META % b"gbk", "text/html; charset=utf-8", "gbk"),
    (b"x" * 5000 + b"<meta charset=gbk>", None, None),
)


@pytest.mark.parametrize(("body", "header", "label"), DECLARED)
def test_declared_charset(body: bytes, header: str | None, label: str | None) -> None:
    assert declared_charset(body, header) == label
