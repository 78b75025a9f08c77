"""Page requisites: what pages name, what is asked for, once a crawl and only if it changed; what is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import HASTY, DemoCrawl, Story, answer, crawl, html, listing, outcomes, result, rows, serving
from fastwarc.warc import ArchiveIterator, WarcRecordType
from scrapy.settings import Settings
from test_parts import assert_rebuilt_alike

from wuhu_crawler.errors import UsageError
from wuhu_crawler.extract.requisites import read_requisites, read_style, requisite_kind
from wuhu_crawler.items import Requisite
from wuhu_crawler.portals import load_portal
from wuhu_crawler.spiders.requisites import Requisites

URL = "http://www.o553.cn/news/Info.asp?ID=7"
CSS = b"@import url(print.css); body{background:url('../images/bg.gif')} /* url(gone.gif) */ @font-face{src:url(f.woff)}"


def named(markup: str, url: str = URL) -> list[tuple[str, str]]:
    found = read_requisites(markup.encode("gb18030"), "gb18030", url)
    return [(requisite.kind, requisite.url.removeprefix("http://www.o553.cn")) for requisite in found]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<img src="/a.gif">', [("image", "/a.gif")]),
        ("<IMG BORDER=0 SRC=a.gif width=1>", [("image", "/news/a.gif")]),
        ("<img src='a b.gif'><img src=\"a b.gif\">", [("image", "/news/a%20b.gif")]),
        ('<img src="blank.gif" data-src="x.jpg">', [("image", "/news/blank.gif"), ("image", "/news/x.jpg")]),
        ('<input type="image" src="go.gif"><input type=text src=no.gif>', [("image", "/news/go.gif")]),
        ('<link rel="stylesheet" href="/css/a.css?v=1&amp;b=2">', [("style", "/css/a.css?v=1&b=2")]),
        ('<link href=a.css rel="Stylesheet"><link rel=next href=b.asp>', [("style", "/news/a.css")]),
        ('<link rel="shortcut icon" href="/favicon.ico">', [("image", "/favicon.ico")]),
        ('<script src="/js/a.js"></script><script>var x=1</script>', [("script", "/js/a.js")]),
        ("<body background=../bg.jpg><td background='t.gif'>", [("image", "/bg.jpg"), ("image", "/news/t.gif")]),
        ("<style>@import 'b.css'; a{background:url(c.png)}</style>", [("style", "/news/b.css"), ("image", "/news/c.png")]),
        ('<div style="background:url(d.png)">', [("image", "/news/d.png")]),
        ('<img src="data:image/gif;base64,R0"><img src="">', []),
        ('<base href="http://www.o553.cn/x/"><img src=a.gif>', [("image", "/x/a.gif")]),
        ('<img src="/upload/大桥.jpg">', [("image", "/upload/大桥.jpg")]),
        ("<a href=a.gif>", []),
    ],
)
def test_what_a_page_names(markup: str, expected: list[tuple[str, str]]) -> None:
    assert named(markup) == expected


def test_what_a_style_sheet_names() -> None:
    found = [(r.kind, r.url) for r in read_style(CSS, "http://a/css/s.css")]
    assert found == [
        ("style", "http://a/css/print.css"),
        ("image", "http://a/images/bg.gif"),
        ("image", "http://a/css/f.woff"),
    ]


def test_kinds_of_links() -> None:
    assert requisite_kind("http://a/x.PDF?a=1") == "attachment"
    assert requisite_kind("http://a/x.jpg") == "image"
    assert requisite_kind("http://a/x.asp") is None


def sifted(found: list[Requisite], **settings: Any) -> list[tuple[str, str | None]]:
    values = {
        "WUHU_REQUISITE_KINDS": "image,style,script,attachment",
        "WUHU_REQUISITE_ATTACHMENTS": "doc,pdf",
        "WUHU_REQUISITE_MAX_SIZE": "100",
        **settings,
    }
    return [(r.url, reason) for r, reason in Requisites(load_portal("o553"), Settings(values)).sift(found)]


def test_what_is_asked_for() -> None:
    host = "http://www.o553.cn"
    found = [
        Requisite("image", f"{host}/a.gif"),
        Requisite("image", f"{host}/A.GIF"),
        Requisite("image", "http://elsewhere.example/a.gif"),
        Requisite("image", f"{host}/inc/getcode.asp"),
        Requisite("image", f"{host}/pic.asp?id=3"),
        Requisite("script", f"{host}/news/hits.asp?id=7"),
        Requisite("attachment", f"{host}/a.doc"),
        Requisite("attachment", f"{host}/film.wmv"),
    ]
    assert sifted(found) == [
        (f"{host}/a.gif", None),
        (f"{host}/pic.asp?id=3", None),
        (f"{host}/a.doc", None),
        (f"{host}/film.wmv", "type"),
    ]
    assert sifted(found, WUHU_REQUISITE_KINDS="attachment") == [(f"{host}/a.doc", None), (f"{host}/film.wmv", "type")]
    with pytest.raises(UsageError, match="WUHU_REQUISITE_KINDS=film"):
        sifted([], WUHU_REQUISITE_KINDS="film")


def versioned(body: bytes, kind: str, tag: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """A file with an ETag, as a server that knows conditional requests sends it."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == f'"{tag}"':
            handler.send_response(304)
            handler.send_header("ETag", f'"{tag}"')
            handler.end_headers()
        else:
            answer(handler, 200, body, Content_Type=kind, ETag=f'"{tag}"')

    return serve


def dated(body: bytes, kind: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """A file with a date only."""
    when = "Tue, 30 Apr 2024 01:20:19 GMT"

    def serve(handler: BaseHTTPRequestHandler) -> None:
        fresh = handler.headers.get("If-Modified-Since") == when
        answer(handler, 304 if fresh else 200, b"" if fresh else body, Content_Type=kind, Last_Modified=when)

    return serve


def portal() -> dict[str, Any]:
    """Two articles with a picture and attachments in a common frame."""
    frame = (
        '<link rel=stylesheet href="/css/s.css"><script src="/js/a.js"></script><img src="/logo.gif"><img src="/gone.gif">'
        '<img src="http://elsewhere.invalid/x.gif"><img src="/admin/secret.gif"><script src="hits.asp?id=1"></script>'
    )

    def page(number: int) -> bytes:
        story = Story(number, f"长江大桥第{number}次通车")
        story.lines.append(
            f'<img src="/upload/{number}.jpg"><a href="/upload/plan.doc">附件：规划</a><a href="/f.wmv">影片</a>'
        )
        return story.page().replace(b"<body>", b"<body>" + frame.encode())

    return {
        "/": listing({f"/news/info.asp?id={number}": f"长江大桥第{number}次通车" for number in (7, 8)}),
        "/robots.txt": b"User-agent: *\nDisallow: /admin/\n",
        "/news/info.asp?id=7": page(7),
        "/news/info.asp?id=8": page(8),
        "/css/s.css": versioned(b"@import 'more.css'; body{background:url(bg.gif)}", "text/css", "s1"),
        "/css/more.css": dated(b"a{background:url(deeper.gif)}", "text/css"),
        "/css/bg.gif": versioned(b"GIF89a-bg", "image/gif", "b1"),
        "/css/deeper.gif": b"never asked for",
        "/js/a.js": dated(b"var a = 1;", "application/x-javascript"),
        "/logo.gif": lambda handler: answer(handler, 200, b"GIF89a-logo", Content_Type="image/gif"),
        "/upload/7.jpg": versioned(b"JFIF-7", "image/jpeg", "j7"),
        "/upload/8.jpg": html("没有此文件"),
        "/upload/plan.doc": versioned(b"\xd0\xcf\x11\xe0" + bytes(500), "application/msword", "d1"),
    }


REQUISITES = {
    "/css/s.css": ("captured", None),
    "/css/more.css": ("captured", None),
    "/css/bg.gif": ("captured", None),
    "/js/a.js": ("captured", None),
    "/logo.gif": ("captured", None),
    "/gone.gif": ("missing", "HTTP 404"),
    "/admin/secret.gif": ("excluded", "robots"),
    "/upload/7.jpg": ("captured", None),
    "/upload/8.jpg": ("missing", "soft 404: a page instead of the file"),
    "/upload/plan.doc": ("captured", None),
    "/f.wmv": ("excluded", "type"),
}
PAGES = {
    "/": ("captured", None),
    "/robots.txt": ("captured", "robots.txt"),
    "/news/info.asp?id=7": ("captured", None),
    "/news/info.asp?id=8": ("captured", None),
}


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]], list[str]]:
    """A portal crawled twice; the script changes in between. Returns the archive, what was asked for, and the last lines."""
    place = tmp_path_factory.mktemp("requisites")
    asked, told = [], []
    with serving(portal()) as site:
        profile = site.profile(place)
        for _ in range(2):
            ended = crawl(place / "data", profile, "-a", "full=1", **HASTY)
            assert ended.returncode == 0, ended.stderr
            asked.append(list(site.log))
            told.append(result(ended.stderr))
            site.log.clear()
            site.pages["/css/bg.gif"] = versioned(b"GIF89a-other", "image/gif", "b2")
    return place / "data", asked, told


def test_every_requisite_is_fetched_once_behind_all_pages(twice: tuple[Path, list[list[str]], list[str]]) -> None:
    for asked in twice[1]:
        assert [target for target, times in Counter(asked).items() if times > 1] == []
        fetched = {target for target, (outcome, _) in REQUISITES.items() if outcome != "excluded"}
        assert set(asked) == fetched | set(PAGES)
        last_page = max(asked.index(target) for target in PAGES)
        assert min(asked.index(target) for target in fetched) > last_page


def test_every_requisite_has_its_outcome(twice: tuple[Path, list[list[str]], list[str]]) -> None:
    again = {"/css/bg.gif", "/gone.gif", "/upload/8.jpg", "/admin/secret.gif", "/f.wmv"}
    # What the server says is unchanged, and what came with the same bytes, is a revisit.
    expected = {
        target: ended if target in again else ("revisit", ended[1]) for target, ended in {**REQUISITES, **PAGES}.items()
    }
    found = outcomes(twice[0])
    assert found == expected


def test_requisites_are_no_articles(twice: tuple[Path, list[list[str]], list[str]]) -> None:
    assert "2 articles (2 new, 0 changed, 0 unchanged)" in twice[2][0]
    assert "2 articles (0 new, 0 changed, 2 unchanged)" in twice[2][1]
    assert ", 11 requisites" in twice[2][0]


def test_an_article_leads_to_the_captures_of_its_files(twice: tuple[Path, list[list[str]], list[str]]) -> None:
    found = rows(
        twice[0],
        "SELECT a.article_id, l.kind, r.kind, c.status, c.payload_digest, r.crawl_id FROM link l "
        "JOIN article_version v ON v.id = l.version_id JOIN article a ON a.key = v.article_key "
        "JOIN requisite r ON r.url = l.url JOIN capture c ON c.id = r.capture_id ORDER BY r.crawl_id, a.article_id, l.kind",
    )
    assert [row[:4] for row in found] == [
        (7, "attachment", "attachment", 200),
        (7, "image", "image", 200),
        (8, "attachment", "attachment", 200),
        (8, "image", "image", 200),
        (7, "attachment", "attachment", 304),
        (7, "image", "image", 304),
        (8, "attachment", "attachment", 304),
        (8, "image", "image", 200),
    ]
    # What has not been modified has the digest of what it was.
    assert found[0][4] == found[4][4]


def test_what_is_not_modified_refers_to_what_it_was(twice: tuple[Path, list[list[str]], list[str]]) -> None:
    captures = rows(twice[0], "SELECT record_id, url, status FROM capture ORDER BY id")
    first = {}
    for record, url, status in captures:
        if status == 200:
            first.setdefault(url, record)
    revisits = {}
    for path in sorted((twice[0] / "warc").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False, record_types=WarcRecordType.revisit):
                if record.headers["WARC-Profile"].endswith("server-not-modified"):
                    revisits[record.headers["WARC-Target-URI"]] = record.headers["WARC-Refers-To"]
                    assert record.headers["WARC-Refers-To-Target-URI"] == record.headers["WARC-Target-URI"]
    assert {"/" + url.split("/", 3)[3] for url in revisits} == {
        "/css/s.css", "/css/more.css", "/js/a.js", "/upload/7.jpg", "/upload/plan.doc",
    }  # fmt: skip
    assert all(first[url] == origin for url, origin in revisits.items())


def test_a_database_made_again_knows_the_requisites(twice: tuple[Path, list[list[str]], list[str]]) -> None:
    assert rows(twice[0], "SELECT count(*) FROM requisite") == [(2 * len(REQUISITES),)]
    assert_rebuilt_alike(twice[0])


def test_they_can_be_turned_off_and_bounded(tmp_path: Path) -> None:
    with serving(portal()) as site:
        profile = site.profile(tmp_path)
        ended = crawl(tmp_path / "none", profile, "-a", "requisites=no", **HASTY)
        assert ended.returncode == 0, ended.stderr
        assert set(site.log) == set(PAGES)
        site.log.clear()
        more = {"WUHU_REQUISITE_KINDS": "attachment", "WUHU_REQUISITE_MAX_SIZE": "400"}
        ended = crawl(tmp_path / "small", profile, **more, **HASTY)
        assert ended.returncode == 0, ended.stderr
        assert set(site.log) == {*PAGES, "/upload/plan.doc"}
        assert outcomes(tmp_path / "small")["/upload/plan.doc"] == ("excluded", "too-large")


def test_a_limited_crawl_has_the_requisites_of_its_articles(tmp_path: Path) -> None:
    with serving(portal()) as site:
        ended = crawl(tmp_path / "data", site.profile(tmp_path), "-a", "limit=1", **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert "ended (limit)" in ended.stderr
    assert rows(tmp_path / "data", "SELECT count(*) FROM article") == [(1,)]
    (missing,) = rows(
        tmp_path / "data",
        "SELECT count(*) FROM link l WHERE kind = 'image' AND NOT EXISTS (SELECT 1 FROM requisite r WHERE r.url = l.url)",
    )
    assert missing == (0,)


def test_a_requisite_that_was_lost_is_asked_for_again(tmp_path: Path) -> None:
    with serving(portal()) as site:
        profile, folder = site.profile(tmp_path), tmp_path / "data"
        whole = site.pages["/upload/7.jpg"]

        def cut(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "image/jpeg")
            handler.send_header("Content-Length", "5000")
            handler.end_headers()
            handler.wfile.write(b"JFIF")

        site.pages["/upload/7.jpg"] = cut
        ended = crawl(folder, profile, **HASTY)
        assert ended.returncode == 5, ended.stderr
        site.pages["/upload/7.jpg"] = whole
        site.log.clear()
        ended = crawl(folder, profile, "-a", "resume=last", **HASTY)
        assert ended.returncode == 0, ended.stderr
        assert set(site.log) <= {"/upload/7.jpg", "/robots.txt", "/gone.gif"}
    assert outcomes(folder)["/upload/7.jpg"] == ("captured", None)
    assert_rebuilt_alike(folder)


def test_the_bundled_portal_is_kept_with_all_its_files(demo: DemoCrawl) -> None:
    """Every picture and attachment of every article, and what the frame of its pages needs."""
    unkept = rows(
        demo.folder,
        "SELECT l.url FROM link l WHERE l.kind IN ('image', 'attachment') AND l.url NOT IN "
        "(SELECT r.url FROM requisite r JOIN capture c ON c.id = r.capture_id WHERE c.status = 200)",
    )
    assert unkept == []
    assert {kind for (kind,) in rows(demo.folder, "SELECT DISTINCT kind FROM requisite")} == {
        "image",
        "style",
        "script",
        "attachment",
    }
