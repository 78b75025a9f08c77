"""The bundled portal: the same from a seed, true to its own truth, and as awkward as docs/demo.md promises."""

from __future__ import annotations

import http.client
import itertools
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest

from wuhu_crawler.demo import assets, bodies, credits, faults, looks, portal, server, truth, world
from wuhu_crawler.errors import UsageError

BLOCK = re.compile(r"</?(?:p|br|div|table|tbody|tr|section|center|li|ul|hr|form|dl|dt|dd|h\d)\b[^>]*>", re.I)
HIDDEN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1>", re.I | re.S)
TAG = re.compile(r"<[^>]*>")
LINK = re.compile(r'<a href="([^"#][^"]*)"', re.I)
ARTICLE_LINK = re.compile(r"/news/info\.asp\?id=(\d+)$", re.I)
WORLD = world.build()
ROWS = {row["article_id"]: row for row in truth.rows(WORLD)}


@pytest.fixture(scope="module")
def demo() -> Iterator[server.Handle]:
    with server.start() as handle:
        yield handle


@pytest.fixture(scope="module")
def faulty() -> Iterator[server.Handle]:
    with server.start(faults=True) as handle:
        yield handle


def get(handle: server.Handle, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urljoin(handle.url, path), timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def fresh(path: str) -> portal.Answer:
    return portal.Portal(WORLD).answer(path)


def text_of(answer: portal.Answer, encoding: str | None = None) -> str:
    if encoding:
        return answer.body.decode(encoding)
    try:
        return answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return answer.body.decode("gb18030")


def squeezed(text: str) -> str:
    return re.sub(r"[\s\xa0]+", "", text)


def visible(page: str) -> str:
    return squeezed(unescape(TAG.sub("", HIDDEN.sub("", page))))


def lines_of(markup: str) -> list[str]:
    """The lines a browser would show of a body: cells of a row beside each other, blocks and breaks below each other."""
    markup = re.sub(r"\s*\n\s*", "", HIDDEN.sub("", markup))
    markup = (
        re.sub(r"<td\b[^>]*>(?:<p\b[^>]*>)?(.*?)(?:</p>)?</td>", r"\1 ", markup, flags=re.I) if "border" in markup else markup
    )
    lines = (unescape(TAG.sub("", piece)).replace("\xa0", " ").strip() for piece in BLOCK.sub("\n", markup).split("\n"))
    return [line for line in lines if line]


def whole_body(row: dict[str, object]) -> str:
    return "".join(bodies.parts(WORLD.articles[int(str(row["article_id"]))]))


# --- the world -------------------------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_world() -> None:
    world.build.cache_clear()
    again = world.build()
    assert list(truth.rows(again)) == list(ROWS.values())
    assert again is not WORLD
    assert list(truth.rows(world.build(7))) != list(ROWS.values())


def test_the_world_does_not_depend_on_the_process() -> None:
    code = "from wuhu_crawler.demo import truth, world; print(list(truth.rows(world.build())) == eval(input()))"
    result = subprocess.run(
        [sys.executable, "-c", code], input=repr(list(ROWS.values())), capture_output=True, text=True, check=True
    )
    assert result.stdout == "True\n"


def test_a_look_added_later_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.NEWCOMERS, "wide", 0.1)
    world.build.cache_clear()
    changed = world.build(553)
    world.build.cache_clear()
    moved = [a for a in changed.articles.values() if a.look != WORLD.articles[a.id].look]
    assert {a.look for a in moved} == {"wide"}
    assert 20 < len(moved) < 70
    assert all(a.lines == WORLD.articles[a.id].lines for a in changed.articles.values())


def test_the_same_requests_get_the_same_bytes() -> None:
    paths = ["/", "/news/Info.asp?ID=12393", "/news/Info.asp?ID=12393", "/news/Class.asp?ClassID=3"]
    first, second = portal.Portal(WORLD), portal.Portal(WORLD)
    assert [first.answer(path) for path in paths] == [second.answer(path) for path in paths]


def test_counts() -> None:
    counts = truth.summary(WORLD)
    assert counts["articles_listed"] >= 320
    assert counts["articles_unlisted"] == 12
    assert sum(1 for total in counts["categories"].values() if total) >= 5
    assert counts["categories"]["通知公告"] == 0
    assert sum(counts["categories"].values()) == counts["articles_listed"]
    assert len(counts["templates"]) == len(looks.LOOKS) >= 9
    assert Counter(counts["multi_part"].values()) == {2: 2, 3: 1}
    assert len(counts["mislabelled"]) == 4
    assert sum(article.lone_pager for article in WORLD.articles.values()) == 2
    assert set(counts["dead_kinds"].values()) == set(world.DEAD_KINDS)
    ids = {*WORLD.articles, *WORLD.dead}
    assert ids == set(range(counts["first_id"], counts["last_id"] + 1))


def test_ids_are_sequential_in_time_and_interleave() -> None:
    articles = list(WORLD.articles.values())
    assert all(a.published < b.published for a, b in itertools.pairwise(articles))
    assert max(len(list(run)) for _, run in itertools.groupby(articles, key=lambda a: a.category)) < 8


def test_every_shape_look_heading_style_and_byline_form_occurs() -> None:
    articles = WORLD.articles.values()
    assert {a.shape for a in articles} == set(bodies.SHAPES) == set(world.SHAPES)
    assert {a.look for a in articles} == set(looks.LOOKS) == {*world.SHARES, *world.NEWCOMERS}
    numbers = {line.number for a in articles for line in a.lines if line.kind == "heading"}
    assert {None, "一", "1"} <= numbers
    roles = {credit["role"] for row in ROWS.values() for credit in row["credits"]}
    assert roles == {"reporter", "correspondent", "photographer", "editor", "intern", "author", "other"}
    assert len({a.byline.place for a in articles if a.byline}) == 3
    assert {row["counter"] for row in ROWS.values()} == {"get", "script", "absent"}
    assert {row["published_precision"] for row in ROWS.values()} == {"second", "minute", "day"}
    assert any(a.source and a.glued for a in articles)


def test_names_in_credits_stand_in_their_words() -> None:
    for row in ROWS.values():
        for credit in row["credits"]:
            assert credit["name"] in squeezed(credit["text"])
            assert credit["outlet"] is None or credit["text"].startswith(credit["outlet"])


def test_the_byline_forms_hold_their_groups() -> None:
    for form in (*credits.CLOSING, *credits.BRACKET, *credits.DATELINE):
        assert all(group.text in form.pattern for group in form.groups)


# --- truth against the pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ROWS)
def test_truth_is_what_the_page_shows(number: int) -> None:
    row, article = ROWS[number], WORLD.articles[number]
    if article.parts == 1:
        page = text_of(fresh(row["url"]), row["encoding"])
        assert row["published_text"] in page
        shown = visible(page)
        at = shown.index(squeezed(row["title"]))
        for paragraph in row["paragraphs"]:
            at = shown.index(squeezed(paragraph), at) + len(squeezed(paragraph))
        for credit in row["credits"]:
            assert squeezed(credit["text"]) in shown
        assert all(outlet in shown for outlet in row["outlets"])
        if row["counter"] == "get":
            assert str(row["views"]) in shown
    lines = lines_of(whole_body(row).replace(bodies.LEFTOVER, ""))
    source = f"来源时间为:{row['source_date_text']}" if row["source_date"] else ""
    first = [source + row["paragraphs"][0]] if article.glued else [*filter(None, [source]), row["paragraphs"][0]]
    closing = [article.closing] if article.closing else []
    assert lines == [*first, *row["paragraphs"][1:], *closing]


def test_breadcrumbs_stand_in_order_on_the_page() -> None:
    for row in ROWS.values():
        if row["parts"] == 1:
            shown = visible(text_of(fresh(row["url"]), row["encoding"]))
            separators = r"(?:>|>>|--|->|»|::)"
            assert re.search(separators.join(map(re.escape, row["breadcrumb"])), shown), row["url"]


def test_each_paragraph_is_in_one_section() -> None:
    def walk(sections: list[dict[str, object]]) -> Iterator[str]:
        for section in sections:
            if section["heading"]:
                yield str(section["heading"])
            yield from section["paragraphs"]  # type: ignore[misc]
            yield from walk(section["sections"])  # type: ignore[arg-type]

    for row in ROWS.values():
        told = list(walk(row["sections"]))
        assert len(told) == len(row["paragraphs"])
        assert all(line.endswith(words) for words, line in zip(told, row["paragraphs"], strict=True))


def test_the_seed_article() -> None:
    row = ROWS[12393]
    assert row["title"] == "鸠江区四褐山街道:2023行稳致远2024笃行不怠"
    assert row["published_text"] == "2024/2/3 20:24:31"
    assert row["published_at"] == "2024-02-03T20:24:31+08:00"
    assert (row["views"], row["category"], row["source_date"]) == (102, "资讯杂谈", "2024-01-23")
    assert row["breadcrumb"] == ["我爱芜湖", "资讯杂谈", "正文"]
    assert row["headings"] == ["特色工作,亮点满满", "五个“聚焦”,行稳致远", "五点“打算”,笃行不怠"]
    assert row["credits"] == [{"role": "reporter", "name": "田龙", "outlet": "芜湖日报", "text": "芜湖日报记者田龙"}]
    assert "发布日期:2024/2/3 20:24:31 浏览:102" in text_of(fresh(row["url"]))


def test_a_time_of_midnight_is_not_printed() -> None:
    at_midnight = [row for row in ROWS.values() if row["template"] == "o553" and row["published_precision"] == "day"]
    assert at_midnight
    assert all(re.fullmatch(r"\d{4}/\d{1,2}/\d{1,2}", row["published_text"]) for row in at_midnight)


def test_bytes_under_labels() -> None:
    found = Counter()
    for number in truth.summary(WORLD)["mislabelled"]:
        body = fresh(f"/news/Info.asp?ID={number}").body
        label = re.search(rb"charset=\"?([\w-]+)", body)
        assert label
        found[label[1].decode(), ROWS[number]["encoding"]] += 1
    assert found == {("gb2312", "utf-8"): 2, ("utf-8", "gb18030"): 2}


def test_multi_page_articles_are_cut_as_told() -> None:
    for number, parts in truth.summary(WORLD)["multi_part"].items():
        pages = [text_of(fresh(f"/news/Info.asp?ID={number}&ArticlePage={n + 1}")) for n in range(parts)]
        pieces = bodies.parts(WORLD.articles[int(number)])
        assert all(piece.strip().replace("\n", "\r\n") in page for piece, page in zip(pieces, pages, strict=True))
        assert all(f"<font color=red>[{n + 1}]</font>" in page for n, page in enumerate(pages))
        assert f"ArticlePage={parts}" in pages[0]
        assert fresh(f"/news/Info.asp?ID={number}&ArticlePage=99").body == fresh(f"/news/Info.asp?ID={number}").body
    assert any("tag" in article.cuts and bodies.parts(article)[0].endswith("<p al") for article in WORLD.articles.values())


# --- addresses, listings, dead IDs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/NEWS/INFO.ASP?id=12393", "/news/info.asp?x=1&Id=12393", "/News/Info.asp?ID=12393"])
def test_paths_and_parameter_names_ignore_case(path: str) -> None:
    assert fresh(path).body == fresh("/news/Info.asp?ID=12393").body


def linked(path: str) -> set[str]:
    page = text_of(fresh(path))
    targets = (urlsplit(urljoin(f"http://demo{path}", unescape(href))) for href in LINK.findall(page))
    return {f"{target.path}?{target.query}" for target in targets if target.netloc == "demo"}


def linked_ids(path: str) -> set[int]:
    return {int(match[1]) for match in map(ARTICLE_LINK.search, linked(path)) if match}


@pytest.mark.parametrize("category", world.CATEGORIES, ids=lambda category: str(category.key))
def test_a_walk_by_the_pager_finds_the_whole_category(category: world.Category) -> None:
    seen, path, pages = set(), category.url(), 0
    while path:
        pages += 1
        page = text_of(fresh(path))
        seen |= linked_ids(path)
        onward = re.search(r'<a href="([^"]*)">下一页</a>', page, re.I)
        path = unescape(onward[1]) if onward else ""
    assert seen == {entry.id for entry in WORLD.entries(category)}
    assert pages == truth.summary(WORLD)["listing_pages"][category.name]


def test_a_page_number_past_the_end_answers_page_one() -> None:
    for category in world.CATEGORIES:
        pages = truth.summary(WORLD)["listing_pages"][category.name]
        assert fresh(category.url(pages + 1)).body == fresh(category.url()).body
        assert fresh(category.url(2).replace("=2", "=abc")).status == 200


def test_both_parameter_orders_and_names_occur() -> None:
    urls = [category.url(2) for category in world.CATEGORIES]
    assert any(re.search(r"\?(page|PageNo)=", url) for url in urls)
    assert any(re.search(r"&page=", url) for url in urls)
    assert any(re.search(r"&PageNo=", url) for url in urls)


def test_list_titles_are_cut_and_one_entry_is_sticky() -> None:
    page = text_of(fresh("/news/Class.asp?ClassID=1"))
    assert "…</a>" in page
    assert page.count("[置顶]") == 1


def test_unlisted_articles_are_linked_from_nowhere() -> None:
    counts = truth.summary(WORLD)
    pages = ["/", "/news/rili.asp?y=2024&m=1", *(row["url"] for row in ROWS.values())]
    pages += [c.url(n) for c in world.CATEGORIES for n in range(1, counts["listing_pages"][c.name] + 1)]
    found = set().union(*map(linked_ids, pages))
    assert found == {*(a.id for a in WORLD.articles.values() if a.listed), *counts["linked_dead"]}
    assert set(counts["gaps"]).isdisjoint(found)
    assert {WORLD.dead[number].kind for number in counts["linked_dead"]} == set(world.DEAD_KINDS) - set(world.UNLINKED_KINDS)


DEAD_WORDS = {
    "half-layout": "<p>找不到内容</p>",
    "alert": "<script>alert('参数错误');history.back()</script>",
    "plain": "该信息不存在！",
    "not-found": "访问错误，找不到网页！",
    "error-table": "产生错误的可能原因：",
    "unreviewed": "未过审",
    "database": "数据库连接出错，请检查连接字串。",
    "runtime-vbscript": "错误 '800a000d'",
    "runtime-adodb": "错误 '80020009'",
    "runtime-odbc": "错误 '80040e14'",
    "rate-limit": "间隔3秒,资源宝贵,请不要重复频繁刷新",
}


@pytest.mark.parametrize("kind", world.DEAD_KINDS)
def test_every_kind_of_dead_id_answers_with_200(kind: str, demo: server.Handle) -> None:
    number = next(d.id for d in WORLD.dead.values() if d.kind == kind)
    status, body = get(demo, f"/news/Info.asp?ID={number}")
    assert status == 200
    assert DEAD_WORDS[kind] in unescape(re.sub(r"</?font[^>]*>", "", body.decode("gb18030")))


@pytest.mark.parametrize("query", ["ID=1", "ID=99999"])
def test_an_id_outside_of_the_range_does_not_exist(query: str) -> None:
    assert text_of(fresh(f"/news/Info.asp?{query}")) == "该信息不存在！"


@pytest.mark.parametrize("query", ["", "ID=", "ID=1'", "x=1"])
def test_a_broken_id_is_a_parameter_error(query: str) -> None:
    assert "参数错误" in text_of(fresh(f"/news/Info.asp?{query}"))


# --- things that move ------------------------------------------------------------------------------------------------------


def test_a_printed_counter_counts_every_get() -> None:
    running = portal.Portal(WORLD)
    pages = [text_of(running.answer("/news/Info.asp?ID=12393")) for _ in range(3)]
    assert [re.search(r"浏览:(\d+)", page)[1] for page in pages] == ["102", "103", "104"]  # type: ignore[index]
    assert len({re.search(r"访客：(\d+)", page)[1] for page in pages}) == 3  # type: ignore[index]


def test_a_script_counter_answers_apart() -> None:
    running = portal.Portal(WORLD)
    row = next(row for row in ROWS.values() if row["counter"] == "script")
    assert f"hits.asp?id={row['article_id']}" in text_of(running.answer(row["url"]))
    answers = [running.answer(f"/news/hits.asp?id={row['article_id']}").body for _ in range(2)]
    assert answers == [b"document.writeln('%d')\r\n" % (row["views"] + n) for n in range(2)]


def test_the_sidebar_changes_on_every_get() -> None:
    running = portal.Portal(WORLD)
    first, second = (text_of(running.answer("/news/Info.asp?ID=12393")).partition("最新资讯杂谈")[2] for _ in range(2))
    assert first != second
    assert "·来源时间为:" in first + second or "·" in first


# --- files -----------------------------------------------------------------------------------------------------------------


def file_of(path: str) -> bytes:
    found = assets.find(WORLD, path)
    assert found, path
    return found[1]


def test_pictures_and_attachments_are_real() -> None:
    for row in ROWS.values():
        for link in (*row["images"], *row["attachments"]):
            assert file_of(link["url"].lower())
    assert assets.find(WORLD, "/upload/image/202402/99999.jpg") is None
    assert file_of("/images/banner.jpg")[:3] == b"\xff\xd8\xff"
    png = file_of("/images/face.png")
    assert struct.unpack(">I", png[29:33])[0] == zlib.crc32(png[12:29])
    assert file_of("/upload/file/shouce.pdf").startswith(b"%PDF-1.4")
    assert file_of("/upload/file/sbb2024.doc").startswith(bytes.fromhex("d0cf11e0a1b11ae1"))


def test_every_attachment_is_linked_from_a_listed_article() -> None:
    linked_files = {link["url"] for row in ROWS.values() if row["listed"] for link in row["attachments"]}
    assert linked_files == {url for _, url in assets.ATTACHMENTS}


# --- over HTTP -------------------------------------------------------------------------------------------------------------


def test_headers_keep_alive_and_log(demo: server.Handle) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(demo.url).port, timeout=10)
    seen = len(demo.log)
    for path in ("/", "/news/Info.asp?ID=12000", "/robots.txt"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.version == 11
        assert response.headers["Server"] == "Microsoft-IIS/6.0"
        assert "charset" not in response.headers["Content-Type"].lower()
        assert not response.will_close
    connection.close()
    assert [(entry.method, entry.url, entry.status) for entry in demo.log[seen:]][:2] == [
        ("GET", "/", 200),
        ("GET", "/news/Info.asp?ID=12000", 200),
    ]


def test_missing_moved_and_forbidden_pages(demo: server.Handle) -> None:
    assert get(demo, "/nowhere.asp")[0] == 404
    assert "Disallow: /search.asp" in get(demo, "/robots.txt")[1].decode()
    assert "/search.asp?" in linked("/")
    assert "/admin/?" in linked("/")
    moved = fresh("/INDEX.asp")
    assert (moved.status, dict(moved.headers)["Location"]) == (302, "/")
    assert get(demo, "/index.asp")[0] == 200


def test_a_known_file_is_not_sent_again() -> None:
    first = portal.Portal(WORLD).answer("/css/style.css")
    again = portal.Portal(WORLD).answer("/css/style.css", {"If-None-Match": dict(first.headers)["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_head_moves_no_counter() -> None:
    with server.start() as handle:
        request = urllib.request.Request(handle.url + "news/Info.asp?ID=12393", method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.read() == b""
        assert "浏览:102" in get(handle, "/news/Info.asp?ID=12393")[1].decode("gb18030")


def test_a_port_in_use_is_said_in_a_sentence(demo: server.Handle) -> None:
    with pytest.raises(UsageError, match="choose another port"):
        server.start(urlsplit(demo.url).port or 0)


def test_the_process_is_ready_within_three_seconds_and_ends_cleanly(tmp_path) -> None:  # type: ignore[no-untyped-def]
    log = tmp_path / "access.log"
    code = "import sys, pathlib; from wuhu_crawler.demo.server import serve; "
    code += "serve(0, ready=lambda url: print(url, flush=True), log=pathlib.Path(sys.argv[1]))"
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", code, str(log)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url, timeout=5) as response:
            assert response.status == 200
        assert time.monotonic() - began < 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert re.fullmatch(r"\S+ \S+ GET / 200 [\d.]+\n", log.read_text(encoding="utf-8"))


# --- faults ----------------------------------------------------------------------------------------------------------------


def wire(handle: server.Handle, path: str) -> tuple[bytes, bool]:
    """All bytes the server sends for a GET, and whether a reset ended them."""
    received = b""
    with socket.create_connection(("127.0.0.1", urlsplit(handle.url).port or 0), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n".encode())
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return received, True
    return received, False


def test_faults_are_off_by_default(demo: server.Handle) -> None:
    assert get(demo, "/faults/")[0] == 404


def test_the_index_links_to_every_fault(faulty: server.Handle) -> None:
    page = get(faulty, "/faults/")[1].decode("gb18030")
    assert set(re.findall(r'href="/faults/([^"]+)"', page)) == set(faults.FAULTS)
    assert get(faulty, "/faults/unheard-of")[0] == 404


@pytest.mark.parametrize("name", sorted(set(faults.FAULTS) - {"slow"}))
def test_each_fault_begins_with_its_status(name: str, faulty: server.Handle) -> None:
    received, _ = wire(faulty, f"/faults/{name}?first=1")
    expected = faults.FAULTS[name][1]
    if expected:
        assert int(received.split(b" ", 2)[1][:3]) == expected
    else:
        assert not received.startswith(b"HTTP/")


@pytest.mark.parametrize(
    ("name", "reset"), [("reset-length", True), ("reset-nolength", True), ("fin-length", False), ("fin-nolength", False)]
)
def test_an_article_can_be_cut_by_a_fault(name: str, reset: bool, faulty: server.Handle) -> None:
    received, was_reset = wire(faulty, f"/faults/{name}/news/Info.asp?ID=12393")
    head, _, body = received.partition(b"\r\n\r\n")
    assert was_reset is reset
    assert "四褐山街道".encode("gb18030") in body
    assert b"</html>" not in body
    assert (b"Content-Length" in head) is name.endswith("-length")


def test_busy_gives_way(faulty: server.Handle) -> None:
    assert [get(faulty, "/faults/busy?x=2")[0] for _ in range(3)] == [503, 200, 200]
    assert [get(faulty, "/faults/too-many?x=2")[0] for _ in range(3)] == [429, 429, 200]


def test_the_slow_fault_sends_all(faulty: server.Handle) -> None:
    received, _ = wire(faulty, "/faults/slow?seconds=0.1")
    assert received.endswith(b"</html>\n")


def test_packed_faults(faulty: server.Handle) -> None:
    body = wire(faulty, "/faults/gzip")[0].partition(b"\r\n\r\n")[2]
    assert zlib.decompress(body, 31).endswith(b"</html>\n")
    for name in ("gzip-cut", "gzip-crc"):
        body = wire(faulty, f"/faults/{name}")[0].partition(b"\r\n\r\n")[2]
        with pytest.raises(zlib.error):
            zlib.decompress(body, 31)


def test_traps_never_end(faulty: server.Handle) -> None:
    first, second = (get(faulty, "/faults/session")[1] for _ in range(2))
    assert first != second
    assert b"calendar?n=24290" in get(faulty, "/faults/calendar?n=24289")[1]
