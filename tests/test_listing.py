"""Listing pages: entries, dates and pagers in all the shapes portal.md counts, and what is no listing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from wuhu_crawler.extract.page import extract
from wuhu_crawler.items import Listing, Pager
from wuhu_crawler.portals import make_portal

PORTAL = make_portal({"name": "sister", "title": "江城在线", "seeds": ["http://sister.example/"]}, "test")
URL = "http://sister.example/news/Class.asp?ClassID=7&page=2"
NOW = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)
ROWS = "".join(f"<li><a href='Info.asp?ID={n}'>江城新闻第{n}条</a> 2024-4-{n}</li>" for n in (4, 3, 2))


def listing(body: str) -> Listing:
    item = extract(f"<html><body>{body}</body></html>".encode(), url=URL, captured_at=NOW, portal=PORTAL).item
    assert isinstance(item, Listing), item
    return item


PAGERS = {
    "共 <b>390</b> 条 <a href=?page=1>首页</a> <a href=?page=2>上一页</a> <a href=?page=4>下一页</a> <a href=?page=20>尾页</a> "
    "页次：<strong><font color=red>3</font>/20</strong>页 <b>20</b>条/页": (
        3,
        20,
        390,
        20,
        "?page=4",
    ),
    "第 3 页 / 共 20 页 <a href='?page=4&ClassID=7'>下一页</a>": (3, 20, None, None, "?page=4&ClassID=7"),
    "第3页，共20页 共390篇 每页20篇 <a href=?PageNo=4>下页</a>": (3, 20, 390, 20, "?PageNo=4"),
    "共20页 当前第3页 <a href=?page=4>[下一页]</a>": (3, 20, None, None, "?page=4"),
    "页次：3/20页 共390条记录 20条记录/页": (3, 20, 390, 20, None),
    "共有43篇文章 10篇/页 第5页/共5页 首页 上一页 下一页 尾页": (5, 5, 43, 10, None),
    "共１２条　每页５条　页次：１/３": (1, 3, 12, 5, None),
    "<a href=?page=1>1</a> 2 <a href=?page=3>3</a> <a href=?page=3>&gt;&gt;</a>": (None, None, None, None, "?page=3"),
}


@pytest.mark.parametrize("words", PAGERS)
def test_pager(words: str) -> None:
    page, pages, total, per_page, target = PAGERS[words]
    next_url = f"http://sister.example/news/Class.asp{target}" if target else None
    pager = listing(f"<ul>{ROWS}</ul><p>{words}</p>").pager
    assert pager == Pager(page=page, pages=pages, total=total, per_page=per_page, next_url=next_url)


def test_no_pager() -> None:
    assert listing(f"<ul>{ROWS}</ul>").pager is None


ROW_SHAPES = {
    "behind": "<li><a href='Info.asp?ID={n}'>{t}</a> {d}</li>",
    "bracketed": "<li><a href='Info.asp?ID={n}'>{t}</a>[{d}]</li>",
    "own cell": "<tr><td><img src=dot.gif></td><td><a href='Info.asp?ID={n}'>{t}</a></td>"
    "<td><font color=#808080>{d}</font></td></tr><tr><td colspan=3 height=1></td></tr>",
    "cell before": "<tr><td>{d}</td><td><a href='Info.asp?ID={n}'>{t}</a></td><td>点击：9</td></tr>",
    "before in the line": "<li>{d} <a href='Info.asp?ID={n}'>{t}</a></li>",
    "definition": "<dt><a href='Info.asp?ID={n}'>{t}</a></dt><dd>{d}</dd>",
    "span floated": "<div><span>{d}</span><a href='Info.asp?ID={n}'>{t}</a></div>",
    "inside the link": "<li><a href='Info.asp?ID={n}'><span>{t}</span></a><em>{d}</em></li>",
}
DAYS = {
    "2024-4-{n}": "2024-04-0{n}",
    "2024年4月{n}日": "2024-04-0{n}",
    "2024/4/{n}": "2024-04-0{n}",
    "04-0{n}": "2024-04-0{n}",
    "12-0{n}": "2023-12-0{n}",
}


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("shape", ROW_SHAPES)
def test_each_row_keeps_its_own_date(shape: str, day: str) -> None:
    numbers = (5, 3, 2, 1)
    html = "".join(ROW_SHAPES[shape].format(n=n, t=f"江城要闻之{n}", d=day.format(n=n)) for n in numbers)
    entries = listing(f"<table>{html}</table>" if "<tr" in html else f"<dl>{html}</dl>").entries
    assert [(entry.article_id, entry.title, entry.position) for entry in entries] == [
        (n, f"江城要闻之{n}", i) for i, n in enumerate(numbers, 1)
    ]
    assert [entry.date for entry in entries] == [date.fromisoformat(DAYS[day].format(n=n)) for n in numbers]
    assert [entry.date_text for entry in entries] == [day.format(n=n) for n in numbers]


def test_no_date_is_no_date() -> None:
    entries = listing("".join(f"<li><a href='Info.asp?ID={n}'>江城要闻之{n}</a></li>" for n in (3, 2, 1))).entries
    assert [(entry.date_text, entry.date) for entry in entries] == [(None, None)] * 3


def test_a_date_missing_in_one_row_is_not_taken_from_the_next() -> None:
    first, second, third = listing(
        "<table><tr><td><a href='Info.asp?ID=3'>江城要闻之三</a></td><td></td></tr>"
        "<tr><td><a href='Info.asp?ID=2'>江城要闻之二</a></td><td>2024-4-2</td></tr>"
        "<tr><td><a href='Info.asp?ID=1'>江城要闻之一</a></td><td>2024-4-1</td></tr></table>"
    ).entries
    assert (first.date, second.date, third.date) == (None, date(2024, 4, 2), date(2024, 4, 1))


def test_a_picture_and_a_title_are_one_entry() -> None:
    rows = "".join(
        f"<div><a href='Info.asp?ID={n}'><img src={n}.jpg></a><a href='info.asp?id={n}'>江城要闻之{n}</a></div>"
        for n in (2, 1, 3)
    )
    assert [(entry.article_id, entry.title) for entry in listing(rows).entries] == [
        (2, "江城要闻之2"),
        (1, "江城要闻之1"),
        (3, "江城要闻之3"),
    ]


def test_abstract_without_its_bullet() -> None:
    rows = "".join(
        f"<li><a href='Info.asp?ID={n}'>江城要闻之{n}</a><span>04-0{n}</span>"
        f"<p>·日前，江城开展了第{n}次路灯普查，结果显示背街小巷的路灯……</p></li>"
        for n in (2, 1, 3)
    )
    entries = listing(f"<ul>{rows}</ul>").entries
    assert [entry.abstract for entry in entries] == [
        f"日前，江城开展了第{n}次路灯普查，结果显示背街小巷的路灯……" for n in (2, 1, 3)
    ]
    assert all(entry.date is not None for entry in entries)
