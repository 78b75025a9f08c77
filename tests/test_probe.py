"""The probe: which pages it asks for, what it finds odd, and `wuhu probe` as a real process against real servers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import warm
from conftest import HASTY, PATIENCE, Page, Site, Story, environment, html, listing, program, serving

from wuhu_crawler import cli, probe
from wuhu_crawler.demo import portal as demo
from wuhu_crawler.demo import server, truth, world
from wuhu_crawler.extract.decode import declared_charset, decode
from wuhu_crawler.extract.page import extract
from wuhu_crawler.pages import normalize_dates
from wuhu_crawler.portals import Portal
from wuhu_crawler.probe import LOOKS, Oddity, Sample
from wuhu_crawler.spiders.probe import BEYOND, Choices

PORTAL = Portal(name="small", title="江城在线", seeds=("http://127.0.0.1/",))
NOW = datetime(2024, 5, 10, tzinfo=UTC)


def wuhu(folder: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return warm.text([program("wuhu"), "probe", *map(str, arguments)], env=environment(folder, more), timeout=PATIENCE)


# --- which pages ---


def test_articles_are_taken_from_every_listing_and_far_from_each_other() -> None:
    choices = Choices(shelves={"/a": {n: f"/a/{n}" for n in range(1, 101)}, "/b": {n: f"/b/{n}" for n in range(101, 111)}})
    taken = [choices.next() for _ in range(6)]
    assert taken == ["/a/100", "/b/110", "/a/1", "/b/105", "/a/50", "/b/102"]


def test_a_kind_of_page_never_tried_goes_before_a_second_of_a_kind_and_fruitless_kinds_go_last() -> None:
    urls = [f"http://h/list.asp?id={n}" for n in range(3)] + ["http://h/more.asp?c=1", "http://h/about.asp?c=1"]
    choices = Choices(listings={url: url for url in urls})
    asked = []
    while url := choices.next():
        choices.note(url, fruitful="about" not in url)
        asked.append(url.rpartition("/")[2])
    assert asked == ["list.asp?id=0", "more.asp?c=1", "about.asp?c=1", "list.asp?id=1", "list.asp?id=2"]


# --- what is odd ---


def sample(number: int, body: bytes, url: str | None = None, via: str | None = None) -> Sample:
    url = url or f"http://127.0.0.1/show.asp?id={number}"
    page = extract(body, url=url, captured_at=NOW, portal=PORTAL)
    links = [(link.url, link.article_id) for link in page.links]
    text = decode(body).text
    told = normalize_dates(page.item, PORTAL, NOW)
    return Sample(number, url, 200, NOW, {}, body, told, links, text, declared_charset(body), via)


def odd(*pages: Sample) -> list[Oddity]:
    return [oddity for look in LOOKS for oddity in look(pages, PORTAL)]


def stories(count: int = 4) -> list[Sample]:
    lines = [
        "　　第{0}座芜湖长江大桥昨日通车，市民纷纷前往参观，场面热闹，桥上桥下都是人。",
        "　　第{0}座大桥全长十公里，历时四年建成，车流通畅，往返两岸只要五分钟。",
    ]
    return [
        sample(n, Story(n, f"第{n}座大桥昨日通车", [line.format(n) for line in lines], published=f"2024-5-{n} 8:09:10").page())
        for n in range(1, count + 1)
    ]


def list_of(titles: dict[int, str], day: str = "2024-05-0{0}") -> Sample:
    rows = "".join(f'<li><a href="/show.asp?id={n}">{title}</a> ({day.format(n)})</li>' for n, title in titles.items())
    pager = '<p>共 4 条 页次：1/2页 <a href="/list.asp?classid=1&page=2">下一页</a></p>'
    return sample(99, html(f"<ul>{rows}</ul>{pager}"), "http://127.0.0.1/list.asp?classid=1")


GOOD = {n: f"第{n}座大桥昨日…" for n in range(1, 5)}


@pytest.mark.parametrize(
    "shown",
    [list_of(GOOD), list_of(GOOD, "05-0{0}"), list_of({n: str(n) for n in GOOD})],
    ids=["titles cut", "days without a year", "days of a calendar"],
)
def test_nothing_is_odd_about_a_good_portal(shown: Sample) -> None:
    assert odd(*stories(), shown) == []


@pytest.mark.parametrize(
    ("pages", "words", "grave"),
    [
        (lambda: [], "not one page", True),
        (lambda: [list_of(GOOD)], "no article among", True),
        (stories, "no listing among", True),
        (
            lambda: [*stories(), list_of({**GOOD, 1: "轻轨一号线开工建设", 2: "市民公园免费开放"})],
            "title is not what the list",
            True,
        ),
        (lambda: [*stories(), list_of(GOOD, "2024-04-0{0}")], "published is not the day the list prints on 4", True),
        (lambda: [*stories(), list_of(GOOD, "")], "without dates", False),
        (lambda: [*(sample(n, Story(n, "江城在线").page()) for n in (1, 2)), list_of(GOOD)], "(the site's name)", True),
        (
            lambda: [*stories(), sample(8, Story(8, "号外", published="昨夜").page()), list_of(GOOD)],
            "published_at missing on 1 of 5",
            True,
        ),
        (
            lambda: [sample(n, Story(n, f"第{n}座大桥昨日通车").page()) for n in GOOD] + [list_of(GOOD)],
            "the same last paragraph on 4",
            True,
        ),
        (
            lambda: [*stories(), list_of({**GOOD, 7: "号外"}), sample(7, html("<p>该信息不存在！</p>"))],
            "1 linked article read as missing",
            False,
        ),
        (
            lambda: [*stories(), list_of(GOOD), sample(BEYOND, stories(1)[0].body)],
            "which nothing links to, is read as an article",
            True,
        ),
        (lambda: [*stories(), list_of(GOOD), sample(5, stories(1)[0].body + b"\xff\xff")], "could not be read", False),
        (
            lambda: [*stories(), list_of(GOOD), sample(5, stories(1)[0].body.decode("gb18030").encode())],
            "labelled gb2312, in truth utf-8",
            False,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_odd(pages: Callable[[], list[Sample]], words: str, grave: bool) -> None:
    found = [oddity for oddity in odd(*pages()) if words in oddity.what]
    assert {oddity.grave for oddity in found} == {grave}


def test_pages_the_portal_kept_back_are_no_verdict_on_the_profile(tmp_path: Path) -> None:
    pages: dict[str, Page] = {f"/info.asp?id={n}": html("<p>间隔3秒,资源宝贵,请不要重复频繁刷新</p>") for n in range(1, 4)}
    pages["/"] = listing({url: f"第{url[-1]}座大桥通车" for url in pages})
    with serving(pages) as site:
        ended = wuhu(tmp_path, site.profile(tmp_path), "--pages", "4", **HASTY)
    assert ended.returncode == 5
    assert "none of 3 pages with an article's URL is an article" in ended.stdout
    assert "! 3 linked articles read as blocked: rate limit or block" in ended.stdout
    assert "Verdict: the portal kept pages back" in ended.stdout


def test_prose_outside_of_the_body_is_odd() -> None:
    more = "，".join("这是正文里没有读到的一段话" for _ in range(20)) + "。"
    page = stories(1)[0].body.decode("gb18030").replace("</body>", f"<hr>上一篇：无<div>{more}</div></body>").encode("gb18030")
    assert any("more prose outside of the body" in oddity.what for oddity in odd(sample(1, page), list_of(GOOD)))


def test_pages_are_grouped_by_the_template_they_are_of() -> None:
    model = world.build()
    answers = demo.Portal(model)
    told = {row["article_id"]: row for row in truth.rows(model)}
    chosen = {
        name: [n for n, row in told.items() if row["template"] == name][:3] for name in {r["template"] for r in told.values()}
    }
    pages = [sample(n, answers.answer(told[n]["url"]).body) for numbers in chosen.values() for n in numbers]
    groups = {tuple(sorted(told[n]["template"] for n in template.pages)) for template in probe.templates(pages)}
    assert groups == {(name,) * len(numbers) for name, numbers in chosen.items()}


# --- the command ---


def test_probing_the_bundled_portal(tmp_path: Path) -> None:
    with server.start() as portal:
        ended = wuhu(tmp_path, "demo", "--pages", "24", "--json", WUHU_DEMO_URL=portal.url)
        # An article's counter and its later parts come with it.
        asked = [entry.url for entry in portal.log if not re.search("robots|hits|articlepage", entry.url, re.I)]
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["verdict"], report["portal"], sum(report["kinds"].values())) == ("go", "demo", 24)
    assert len(asked) == 24
    assert {"article", "listing", "missing"} == set(report["kinds"])
    assert [t["filled"]["title"] for t in report["templates"]] == [len(t["captures"]) for t in report["templates"]]
    numbers = [int(dict(parse_qsl(urlsplit(url.lower()).query))["id"]) for url in asked if "info.asp" in url.lower()]
    listed = [number for number in numbers if number < BEYOND]
    assert max(listed) - min(listed) > 300
    assert len(numbers) - len(listed) == 1
    look = report["look_at"][0]
    assert Path(look["saved"]).is_file()
    assert look["command"].startswith(f"wuhu extract {look['saved']} --url ")


@pytest.fixture
def jiangcheng() -> dict[str, bytes]:
    """A sister portal with URLs of its own."""
    articles = {
        n: Story(
            n, f"第{n}条轻轨线路开工建设", [f"　　第{n}条线路今日开工，将穿过老城。", f"　　第{n}条线路长{n}公里，明年通车。"]
        )
        for n in range(101, 109)
    }
    pages = {f"/view/{n}.html": story.page() for n, story in articles.items()}
    pages["/"] = html(
        '<a href="/c/1.html">江城新闻</a>'
        + listing({f"/view/{n}.html": s.title for n, s in articles.items()}).decode("gb18030")
    )
    pages["/c/1.html"] = listing({f"/view/{n}.html": s.title for n, s in articles.items()}, "<p>共 8 条 页次：1/1页</p>")
    return pages


def test_a_profile_that_does_not_fit_is_told_mended_and_looked_at_again(tmp_path: Path, jiangcheng: dict[str, bytes]) -> None:
    with serving(dict(jiangcheng)) as site:
        assert isinstance(site, Site)
        profile = site.profile(tmp_path, "jiangcheng")
        ended = wuhu(tmp_path / "a", profile, "--pages", "8", **HASTY)
        requests = len(site.log)
        assert ended.returncode == 4
        assert "! 6 articles without an ID: `article_urls` does not know /view/N.html" in ended.stdout
        assert "Verdict: look at these pages first" in ended.stdout
        profile.write_text(
            profile.read_text(encoding="utf-8") + "article_urls = ['/view/(?P<id>\\d+)\\.html$']\n", encoding="utf-8"
        )
        again = wuhu(tmp_path / "a", profile, "--again")
        assert len(site.log) == requests
    assert "Probe " in again.stdout
    assert "6 article" in again.stdout
    assert "without an ID" not in again.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("nowhere",), "nowhere"), (("demo", "--again"), "probe without --again first"), (("demo", "--pages", "1"), "pages")],
)
def test_probing_wrongly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    monkeypatch.setenv("WUHU_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["wuhu", "probe", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert word in told.err


def test_a_live_portal_is_not_probed_by_someone_unnamed(tmp_path: Path) -> None:
    ended = wuhu(tmp_path, "o553")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "WUHU_CONTACT" in ended.stderr
