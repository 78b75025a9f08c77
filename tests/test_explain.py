"""`wuhu extract --explain` and `--against` as their user meets them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import Story, html, listing
from rich.cells import cell_len

from wuhu_crawler import cli
from wuhu_crawler.demo import server

URL = "http://www.o553.cn/news/Info.asp?ID=7"
STORY = Story(7, "长江大桥昨日通车", views=102)
TRUE: dict[str, Any] = {"article_id": 7, "title": STORY.title, "views": 102, "published_at": "2024-05-06T08:09:10+08:00"}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved article page."""
    path = tmp_path / "7.html"
    path.write_bytes(STORY.page())
    return path


class Ended(NamedTuple):
    """How a call of `wuhu` ended."""

    returncode: int
    stdout: str
    stderr: str


Wuhu = Callable[..., Ended]


@pytest.fixture
def wuhu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Wuhu:
    """Calls `wuhu` in this process, by the function its program calls."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["wuhu", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


def test_explain_for_people(wuhu: Wuhu, saved: Path) -> None:
    ended = wuhu("extract", saved, "--url", URL, "--explain")
    assert (ended.returncode, ended.stderr) == (0, "")
    blocks = {block.split()[0]: block for block in ended.stdout.split("\n\n")}
    assert STORY.title in blocks["title"]
    assert "place     /html/body/table/tr[2]/td/b" in blocks["title"]
    assert "words     发布时间：2024-5-6 8:09:10 浏览次数：102" in blocks["published_at"]
    assert "(empty)" in blocks["credits"]
    assert "why       no line or bracket that is a credit" in blocks["credits"]
    words = [line for line in ended.stdout.splitlines() if "/html" not in line]
    assert max(cell_len(line) for line in words) <= 100


def test_explain_for_machines(wuhu: Wuhu, saved: Path) -> None:
    ended = wuhu("extract", saved, saved, "--url", URL, "--explain", "--json")
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(page["kind"], page["url"]) for page in told] == [("article", URL)] * 2
    fields = {report["field"]: report for report in told[0]["fields"]}
    assert fields["views"]["value"] == "102"
    assert fields["views"]["places"] == [{"xpath": "/html/body/table/tr[3]/td", "words": "浏览次数:102"}]
    assert fields["images"]["reason"] == "none inside the body"


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (listing({f"/news/Info.asp?ID={n}": f"第{n}篇文章的标题" for n in range(1, 6)}), 0, "5 of 5"),
        (html("<p>该信息不存在！</p>"), 3, "soft 404: 该信息不存在！"),
        (html("<p>找不到</p><script>alert('参数错误');history.back()</script>"), 3, "/html/body/script"),
        (html("<a href=/view/1.html>x</a>"), 3, "1 x http://www.o553.cn/view/N.html"),
        (b"\x89PNG\r\n\x1a\n\0\0", 3, "not HTML"),
        (b"", 3, "empty page"),
    ],
    ids=["listing", "missing", "alert", "other", "picture", "empty"],
)
def test_explain_other_pages(wuhu: Wuhu, tmp_path: Path, body: bytes, code: int, words: str) -> None:
    path = tmp_path / "page"
    path.write_bytes(body)
    ended = wuhu("extract", path, "--url", "http://www.o553.cn/news/", "--explain")
    assert ended.returncode == code, ended.stderr
    assert words in ended.stdout


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TRUE),
        json.dumps([{"article_id": 8, "title": "别的"}, TRUE]),
        json.dumps({"article_id": 8, "title": "别的"}) + "\n\n" + json.dumps(TRUE) + "\n",
        json.dumps({"url": "http://WWW.o553.cn/news/info.asp?id=7", "title": STORY.title}),
        json.dumps({"title": STORY.title}),
    ],
    ids=["object", "list", "lines", "by URL", "the only page"],
)
def test_against_what_is_true(wuhu: Wuhu, saved: Path, tmp_path: Path, text: str) -> None:
    truth = tmp_path / "truth.json"
    truth.write_text(text, encoding="utf-8")
    ended = wuhu("extract", saved, "--url", URL, "--against", truth)
    assert ended.returncode == 0, ended.stderr
    assert "fields as they should be" in ended.stdout


def test_against_tells_what_differs(wuhu: Wuhu, saved: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    wanted = {**TRUE, "views": 103, "title": "长江大桥今日通车", "paragraphs": ["　　甲"], "headings": [], "note": "mine"}
    truth.write_text(json.dumps(wanted), encoding="utf-8")
    ended = wuhu("extract", saved, "--url", URL, "--against", truth)
    assert ended.returncode == 4
    assert "3 of 5 fields differ" in ended.stdout
    assert '    wanted  "长江大桥今日通车"\n    got     "长江大桥昨日通车"\n' in ended.stdout
    assert "    wanted  103\n    got     102\n" in ended.stdout
    assert "paragraphs: 2 of 2 differ, the first is number 1" in ended.stdout
    assert "no such fields: note" in ended.stderr
    assert "1 of 1 page differ" in ended.stderr
    told = json.loads(wuhu("extract", saved, "--url", URL, "--against", truth, "--json").stdout)
    assert (told["compared"], [each["field"] for each in told["differences"]]) == (5, ["title", "views", "paragraphs"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("[]", "JSON object"),
        ("[1]", "JSON object"),
        ('{"title": "x"', "line 1"),
        ('{"article_id": 7, "title": "x"}\n{"article_id": 8', "line 2"),
        ('{"article_id": 9, "title": "x"}', "no row is about"),
        ('[{"article_id": 7, "title": "x"}, {"article_id": 7, "title": "y"}]', "2 rows"),
        ('{"titel": "x"}', "names a field"),
        (None, "No such file"),
    ],
)
def test_against_what_is_no_truth(wuhu: Wuhu, saved: Path, tmp_path: Path, text: str | None, word: str) -> None:
    truth = tmp_path / "truth.json"
    if text is not None:
        truth.write_text(text, encoding="utf-8")
    ended = wuhu("extract", saved, "--url", URL, "--against", truth)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert word in ended.stderr
    assert "Traceback" not in ended.stderr


def test_against_the_truth_of_the_bundled_portal(wuhu: Wuhu, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    truth.write_text(wuhu("demo", "truth").stdout, encoding="utf-8")
    with server.start() as portal:  # one of its own: each GET counts as a view
        first = wuhu("extract", f"{portal.url}news/Info.asp?ID=12393", "--portal", "demo", "--against", truth)
        again = wuhu("extract", f"{portal.url}news/Info.asp?ID=12393", "--portal", "demo", "--against", truth)
    assert (first.returncode, first.stdout.rpartition(": ")[2]) == (0, "21 fields as they should be\n")
    assert "listed" in first.stderr
    assert (again.returncode, again.stdout.splitlines()[1:]) == (4, ["  views", "    wanted  102", "    got     103"])
