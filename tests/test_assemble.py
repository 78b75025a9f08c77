"""Articles put together from their parts and their counter's answer, fed as a crawl, a rebuild or a command feeds them."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import html

from wuhu_crawler.demo import bodies, world
from wuhu_crawler.demo.looks import LOOKS
from wuhu_crawler.demo.looks import Page as Served
from wuhu_crawler.extract.assemble import MOST_PARTS, NOT_CAPTURED, Assemblies, Assembly, failure, is_composed
from wuhu_crawler.extract.counter import read_count
from wuhu_crawler.extract.page import Page, extract
from wuhu_crawler.extract.urls import part_number, part_url
from wuhu_crawler.items import Article, Assembled, Capture, OtherPage, Outcome
from wuhu_crawler.portals import load_portal

O553, DEMO = load_portal("o553"), load_portal("demo")
WHEN = datetime(2024, 5, 1, tzinfo=UTC)
URL = "http://www.o553.cn/news/Info.asp?ID=7"
COUNTER = "http://www.o553.cn/news/hits.asp?id=7"
TEXT = (
    "<p>　　芜湖长江大桥昨日通车，市民纷纷前往参观。大桥全长十公里，历时四年建成。</p>\n"
    "<p>　　一、<b>桥梁</b>建设</p>\n"
    "<p>　　建设者们克服了重重困难，工期比原计划提前了两个月，质量全部合格。</p>\n"
    '<p align=center><img src="/upload/bridge.jpg" alt="大桥"></p>\n'
    "<p>　　二、通车之后</p>\n"
    "<p>　　两岸居民过江的时间从一小时缩短到十分钟，&ldquo;真是方便多了&rdquo;，家住江北的陈先生说。</p>\n"
    "<p>　　芜湖日报记者 田龙</p>"
)
WHOLE = [
    "芜湖长江大桥昨日通车，市民纷纷前往参观。大桥全长十公里，历时四年建成。",
    "一、桥梁建设",
    "建设者们克服了重重困难，工期比原计划提前了两个月，质量全部合格。",
    "二、通车之后",
    "两岸居民过江的时间从一小时缩短到十分钟，“真是方便多了”，家住江北的陈先生说。",
]


def part(number: int) -> str:
    return URL if number == 1 else f"{URL}&ArticlePage={number}"


def served(body: str, number: int = 1, links: Sequence[int] = (), counter: bool = False) -> bytes:
    """Return a page of a portal: a part of article 7 with the links to other parts below it."""
    views = f'<script src="{COUNTER}"></script>' if counter else "55"
    pager = " ".join(f'<a href="{part(n)}">[{n}]</a>' if n != number else f"<font color=red>[{n}]</font>" for n in links)
    return html(
        '<table><tr><td>您现在的位置：<a href="/">首页</a> &gt;&gt; <a href="/l.asp?c=1">江城新闻</a> &gt;&gt; 正文</td></tr>'
        "<tr><td align=center><b>长江大桥昨日通车</b></td></tr>"
        f"<tr><td align=center>发布时间：2024-4-30 8:09:10　浏览次数：{views}</td></tr>"
        f'<tr><td class="content">\n{body}\n<p align=center>{pager}</p></td></tr>'
        "<tr><td>【<a href='javascript:window.close()'>关闭窗口</a>】</td></tr></table>"
    )


def read(body: bytes, url: str, status: int = 200, kind: str = "text/html") -> Page:
    return extract(body, url=url, headers={"Content-Type": kind}, status=status, captured_at=WHEN, portal=O553)


def pages(*pieces: str, counter: bool = False) -> dict[str, Page]:
    """Return the extracted pages of an article cut into these pieces."""
    links = range(1, len(pieces) + 1)
    return {
        part(n): read(served(piece, n, links if len(pieces) > 1 else (), counter), part(n)) for n, piece in enumerate(pieces, 1)
    }


def cut(*marks: str) -> list[str]:
    """Return TEXT cut in the middle of each of these marks, where a bar stands."""
    rest, pieces = TEXT, []
    for mark in marks:
        before, _, after = mark.partition("|")
        at = rest.index(before + after) + len(before)
        pieces.append(rest[:at])
        rest = rest[at:]
    return [*pieces, rest]


def begin(page: Page, url: str = URL) -> Assembly:
    assembly = Assemblies(O553).begin(page, url=url, capture_id=1)
    assert assembly is not None
    return assembly


def fed(found: dict[str, Page], order: random.Random | None = None) -> Assembled:
    """Return what comes of feeding an assembly with the pages it asks for."""
    assembly = begin(found[URL])
    while waiting := assembly.waiting:
        piece = order.choice(waiting) if order else waiting[0]
        assert assembly.take(piece.url, found[piece.url], 100 + piece.number) is None
    assert assembly.ended
    return assembly.assembled()


CUTS = {
    "in a sentence": ("市民纷纷|前往参观",),
    "behind a sentence inside of a paragraph": ("参观。|大桥全长",),
    "at a paragraph": ("成。</p>\n|<p>　　一、",),
    "before the end of a paragraph": ("建成。|</p>\n<p>　　一、",),
    "behind the paragraph tag": ("<p>|　　建设者们",),
    "in a tag": ("</p>\n<p al|ign=center>",),
    "before the end of a tag": ("一、<b|>桥梁",),
    "at the beginning of a tag": ("合格。<|/p>",),
    "in an attribute": ("/upload/bri|dge.jpg",),
    "in a text attribute": ('alt="大|桥"',),
    "in a heading": ("二、通|车之后",),
    "in an entity": ("十分钟，&ld|quo;真是",),
    "in an indent": ("<p>　|　二、",),
    "in a credit": ("日报记者 田|龙",),
    "before the closing byline": ("</p>\n|<p>　　芜湖日报记者",),
    "before the last character": ("田|龙</p>",),
    "in three": ("重重|困难", "江北的陈|先生"),
    "in four": ("参观|。", "提前了两个|月", "缩|短到"),
}


@pytest.mark.parametrize("marks", CUTS.values(), ids=CUTS)
def test_the_text_is_whole_wherever_it_was_cut(marks: tuple[str, ...]) -> None:
    found = fed(pages(*cut(*marks)), random.Random(len(marks[0])))
    article = found.article
    assert article.paragraphs == WHOLE
    assert article.headings == ["桥梁建设", "通车之后"]
    assert [(credit.role, credit.name, credit.outlet) for credit in article.credits] == [("reporter", "田龙", "芜湖日报")]
    assert article.reporters == ["田龙"]
    assert [(link.url, link.text) for link in article.images] == [("http://www.o553.cn/upload/bridge.jpg", "大桥")]
    assert (article.title, article.category, article.views) == ("长江大桥昨日通车", "江城新闻", 55)
    assert article.links == []
    assert article.evidence["parts"].rule == "joined"
    assert found.complete
    assert [(piece.kind, piece.number, piece.capture_id, piece.reason) for piece in found.pieces] == [
        ("part", number, 100 + number, None) for number in range(2, len(marks) + 2)
    ]


def test_parts_read_alone_are_not_the_article() -> None:
    alone = pages(*cut("江北的陈|先生"))[URL].item
    assert isinstance(alone, Article)
    assert alone.paragraphs != WHOLE


@pytest.mark.parametrize("seed", range(4))
def test_bundled_articles_cut_anywhere(demo_truth: dict[int, dict[str, Any]], seed: int) -> None:
    """Every markup and look of the bundled portal, cut at a character drawn by lot."""
    model, lot, wrong = world.build(), random.Random(seed), []
    several = [article for article in model.articles.values() if article.parts == 1 and not article.leftover]
    for article in lot.sample(several, 60):
        body = bodies.SHAPES[article.shape](article, bodies._lines(article))
        at = lot.randrange(len(body) // 3, len(body) * 2 // 3)
        shown = replace(article, cuts=("sentence",))
        url = f"http://127.0.0.1:8553/news/Info.asp?ID={article.id}"
        found = {}
        for number, piece in enumerate((body[:at], body[at:]), 1):
            text = LOOKS[article.look].render(Served(world=model, article=shown, body=piece, part=number))
            data = text.replace("\n", "\r\n").encode("utf-8" if LOOKS[article.look].utf8 != article.mislabelled else "gb18030")
            target = part_url(f"{url}&ArticlePage=2", number)
            found[target] = extract(data, url=target, captured_at=WHEN, portal=DEMO)
        assembly = Assembly(found[url], url=url, portal=DEMO)
        for piece in assembly.waiting:
            if piece.kind == "part":
                assembly.take(piece.url, found[piece.url])
        if assembly.assembled().article.paragraphs != demo_truth[article.id]["paragraphs"]:
            wrong.append((article.id, article.look, article.shape, body[at - 20 : at], body[at : at + 20]))
    assert wrong == []


def test_a_lone_pager_is_no_second_part() -> None:
    page = read(served(TEXT, 1, [1]), URL)
    assert not is_composed(page, URL)
    assert Assemblies(O553).begin(page, url=URL) is None


def test_a_missing_part_is_told_and_may_come_later() -> None:
    found = pages(*cut("重重|困难", "江北的陈|先生"))
    assembly = begin(found[URL])
    assert [piece.number for piece in assembly.waiting] == [2, 3]
    gone = read("<h1>系统错误</h1>".encode("gbk"), part(2), status=500)
    assert assembly.take(part(2), gone, 5) is gone.item
    assembly.take(part(3), found[part(3)], 6)
    state = assembly.assembled()
    assert state.ended
    assert not state.complete
    assert state.article.evidence["parts"].rule == "incomplete"
    assert state.article.evidence["parts"].text == f"part 2 ({part(2)}): HTTP 500"
    # What there is, is told, and nothing is joined over the gap.
    assert state.article.paragraphs == [*WHOLE[:2], "建设者们克服了重重", "先生说。"]
    assert [(piece.number, piece.capture_id, piece.reason) for piece in state.pieces] == [(2, 5, "HTTP 500"), (3, 6, None)]
    assembly.take(part(2), found[part(2)], 7)
    mended = assembly.assembled()
    assert mended.complete
    assert mended.article.paragraphs == WHOLE
    assert [(piece.number, piece.capture_id, piece.reason) for piece in mended.pieces] == [(2, 7, None), (3, 6, None)]


def test_what_is_not_there_yet_is_told() -> None:
    state = begin(pages(*cut("重重|困难"))[URL]).assembled()
    assert not state.ended
    assert not state.complete
    assert [(piece.kind, piece.reason) for piece in state.pieces] == [("part", NOT_CAPTURED)]


def test_a_part_that_could_not_be_fetched() -> None:
    assembly = begin(pages(*cut("重重|困难"))[URL])
    assembly.fail(part(2), "failed (timeout)")
    assert assembly.ended
    assert assembly.assembled().article.evidence["parts"].text.endswith("failed (timeout)")


def test_parts_may_reveal_further_ones_and_gaps_are_asked_for() -> None:
    pieces = cut("参观|。", "提前了两个|月", "缩|短到")
    shown = {1: [1, 4], 2: [1, 2, 3], 3: [2, 3, 4], 4: [1, 4]}
    found = {part(n): read(served(piece, n, shown[n]), part(n)) for n, piece in enumerate(pieces, 1)}
    asked = []
    assembly = begin(found[URL])
    while waiting := assembly.waiting:
        asked.append(waiting[0].number)
        assembly.take(waiting[0].url, found[waiting[0].url])
    assert asked == [4, 2, 3]
    assert assembly.assembled().article.paragraphs == WHOLE


def test_a_number_past_the_end_answered_with_a_page_again_is_no_part() -> None:
    pieces = cut("重重|困难")
    found = {part(n): read(served(piece, n, [1, 2, 3]), part(n)) for n, piece in enumerate(pieces, 1)}
    found[part(3)] = read(served(pieces[0], 3, [1, 2, 3, 4]), part(3))
    assembled = fed(found)
    assert assembled.complete
    assert assembled.article.paragraphs == WHOLE
    assert assembled.article.evidence["parts"].text == f"2 parts; part 3 ({part(3)}) repeats part 1"
    assert [piece.reason for piece in assembled.pieces] == [None, "repeats part 1"]


def test_parts_without_end_are_bounded() -> None:
    def page(number: int) -> Page:
        return read(
            served(f"<p>　　这是第{number}页的文字，后面总还有一页，永远看不完。</p>", number, [number, number + 1]),
            part(number),
        )

    assembly, asked = begin(page(1)), 0
    while waiting := assembly.waiting:
        asked += 1
        assembly.take(waiting[0].url, page(waiting[0].number))
    assert asked == MOST_PARTS - 1
    state = assembly.assembled()
    assert not state.complete
    assert "more than 100 parts" in state.article.evidence["parts"].text


def test_a_part_that_links_to_itself_is_asked_for_once() -> None:
    pieces = cut("重重|困难")
    found = pages(*pieces)
    found[part(2)] = read(served(pieces[1], 9, [2]), part(2))
    assert fed(found).article.paragraphs == WHOLE


def test_a_page_of_something_else_is_no_part() -> None:
    found = pages(*cut("重重|困难"))
    assembly = begin(found[URL])
    other = read(served(TEXT), "http://www.o553.cn/news/Info.asp?ID=8")
    assert assembly.take(part(2), other, 5) is None
    assert assembly.assembled().article.evidence["parts"].text.endswith("a page of article 8")


def test_a_part_that_redirects() -> None:
    found = pages(*cut("重重|困难"))
    assemblies = Assemblies(O553)
    assembly = assemblies.begin(found[URL], url=URL)
    assert assembly is not None
    assembly.moved(part(2), "http://www.o553.cn/news/part2.html")
    assert assemblies.of("http://www.o553.cn/news/part2.html") == [assembly]
    assembly.take("http://www.o553.cn/news/part2.html", found[part(2)], 9)
    assert assembly.assembled().complete


def test_a_later_part_is_no_article_by_itself() -> None:
    found = pages(*cut("重重|困难"))
    alone = begin(found[part(2)], part(2))
    assert alone.ended
    state = alone.assembled()
    assert not state.complete
    assert state.article.evidence["parts"].text == "this is part 2 by itself"


def test_a_part_without_any_text_of_its_own_ends_an_article() -> None:
    assembled = fed(pages(TEXT, " "))
    assert assembled.complete
    assert assembled.article.paragraphs == WHOLE


def test_a_credit_line_inside_stays_a_credit() -> None:
    first, mark, second = TEXT.partition("<p>　　二、")
    assembled = fed(pages(f"{first}<p>　　新安晚报记者 王小明</p>", mark + second))
    assert assembled.article.reporters == ["王小明", "田龙"]
    assert assembled.article.paragraphs == WHOLE


def test_the_counter_of_the_first_page_is_read() -> None:
    found = pages(*cut("重重|困难"), counter=True)
    assembly = begin(found[URL])
    assert [(piece.kind, piece.url) for piece in assembly.waiting] == [("part", part(2)), ("counter", COUNTER)]
    assembly.take(part(2), found[part(2)], 3)
    assembly.take(COUNTER, read(b"document.writeln('102')\r\n", COUNTER), 4)
    state = assembly.assembled()
    assert state.article.views == 102
    assert state.article.evidence["views"].rule == "script counter"
    assert COUNTER in state.article.evidence["views"].text
    assert [(piece.kind, piece.capture_id) for piece in state.pieces] == [("part", 3), ("counter", 4)]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (b"<h1>404</h1>", 404, "HTTP 404"),
        (b"", 200, "empty page"),
        (b"document.write('')", 200, "the answer holds no single number"),
        (b"var a=1;var b=2;", 200, "the answer holds no single number"),
    ],
)
def test_a_counter_that_fails_says_why_and_leaves_the_article_whole(answer: bytes, status: int, reason: str) -> None:
    assembly = begin(pages(TEXT, counter=True)[URL])
    page = read(answer, COUNTER, status)
    assert assembly.take(COUNTER, page, 4) is page.item
    state = assembly.assembled()
    assert state.complete
    assert state.article.views is None
    assert state.article.evidence["views"].rule == "absent"
    assert reason in state.article.evidence["views"].text


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ("document.writeln('102')", 102),
        ('document.write("1,036");', 1036),
        ("document.write(7)", 7),
        ("document.write('<b>88</b>次');", 88),
        ("document.write('浏览');document.write('12');document.write('次');", 12),
        ("102", 102),
        ("\ufeff 102\r\n", 102),
        ("var hits = 102;", 102),
        ('{"hits":"102"}', 102),
        ("callback(102)", 102),
        ("$('#hits1').html('102');", 102),
        ("document.getElementById('h1').innerHTML='102'", 102),
        ("/* 2024 */ document.write('5') // 3", 5),
        ("document.write('')", None),
        ("", None),
        ("document.write('2024-05-01')", None),
        ("1 2", None),
        ("alert('参数错误 12')", None),
        ("Microsoft VBScript 运行时错误 错误 '800a000d' 行 12", None),
        ("9" * 40, None),
    ],
)
def test_answers_of_counters(answer: str, count: int | None) -> None:
    assert read_count(answer) == count


def test_counters_come_as_any_type() -> None:
    for kind in ("text/html", "application/x-javascript", "text/javascript; charset=gb2312", "text/plain", ""):
        assert read(b"document.writeln('102')", COUNTER, kind=kind).count == 102


def test_a_page_can_be_sent_to_another_process() -> None:
    found = pages(*cut("重重|困难"))
    copied = {url: pickle.loads(pickle.dumps(page)) for url, page in found.items()}  # noqa: S301 - our own bytes
    assert fed(copied).article.paragraphs == WHOLE


def test_an_article_begun_again_takes_the_place_of_the_first() -> None:
    page, assemblies = pages(*cut("重重|困难"))[URL], Assemblies(O553)
    first = assemblies.begin(page, url=URL, capture_id=1)
    second = assemblies.begin(page, url=URL, capture_id=9)
    assert first is not second
    assert assemblies.of(part(2)) == [second]
    assert second is not None
    assemblies.end(second)
    assert assemblies.of(part(2)) == []


def test_why_a_piece_is_missing_does_not_depend_on_who_asks() -> None:
    def outcome(kind: Any, reason: str | None) -> Outcome:
        return Outcome(url=URL, outcome=kind, reason=reason)

    def capture(status: int | None, truncated: str | None = None) -> Capture:
        return Capture(
            id=1, crawl_id="c", run_id=1, url=URL, status=status, captured_at=WHEN, record_id="r", record_type="response",
            warc_file="w", offset=0, length=1, block_digest="d", truncated=truncated,
        )  # fmt: skip

    assert failure(outcome("excluded", "offsite"), None) == "excluded (offsite)"
    assert failure(outcome("failed", None), None) == "failed"
    assert failure(outcome("truncated", "disconnect"), capture(200, "disconnect")) == "truncated"
    assert failure(outcome("excluded", "too-large"), capture(200, "length")) == "truncated"
    assert failure(outcome("postponed", "HTTP 503"), capture(503)) == "HTTP 503"


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("http://a/Info.asp?ID=5", 1),
        ("http://a/Info.asp?ID=5&ArticlePage=2", 2),
        ("http://a/Info.asp?ArticlePage=12&ID=5", 12),
        ("http://a/Info.asp?ID=5&page=3", 3),
    ],
)
def test_parts_are_numbered_by_their_urls(url: str, number: int) -> None:
    assert part_number(url) == number
    if number > 1:
        assert part_number(part_url(url, 4)) == 4
        assert part_url(url, 1) == "http://a/Info.asp?ID=5"


def test_a_page_that_is_no_article_cannot_be_assembled() -> None:
    page = Page(OtherPage(kind="missing", url=URL, reason="soft 404"))
    with pytest.raises(TypeError):
        Assembly(page, url=URL, portal=O553)
