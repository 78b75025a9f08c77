"""docs/portals.md walked as its reader walks it: a portal with URLs and words of its own, from two saved pages to a crawl."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import HASTY, PATIENCE, ROOT, Site, crawl, environment, html, outcomes, program, rows, serving
from test_explain import Wuhu, wuhu  # noqa: F401 - a fixture

GUIDE = (ROOT / "docs/portals.md").read_text(encoding="utf-8")
ARTICLES, PER_PAGE, COLUMNS = range(101, 144), 10, {1: "江城新闻", 2: "江城生活"}
MISSING = "本条消息已撤回"


def article(number: int) -> bytes:
    """An article page: labels, counter and layout of its own."""
    column = 2 - number % 2
    return html(
        '<div><a href="/">江城在线</a> <a href="/list/1_1.html">江城新闻</a> <a href="/list/2_1.html">江城生活</a></div>'
        f'<div>当前位置：<a href="/">江城在线</a> > <a href="/list/{column}_1.html">{COLUMNS[column]}</a> > 正文</div>'
        f"<h2>芜湖老街修缮第{number}期完工</h2>"
        f'<div class="xx">刊发于：2025-{1 + number % 12}-{1 + number % 28} 08:41:00　稿件提供：江城日报　看过：{number}</div>'
        f"<div class=nr>　　记者从现场看到，第{number}期修缮的门楼和沿街铺面已经全部完工，今起向市民开放。<br>"
        f"　　第{number}期工程历时{number}天，修旧如旧，保留了原有的砖雕和木窗。<br>　　（江城日报记者 王小明）</div>"
        f'<div>上一篇：<a href="/view/{number - 1}.html">芜湖老街修缮第{number - 1}期完工</a></div>'
    )


def column_page(column: int, page: int) -> bytes:
    """A page of a column's list: numbers in the path, a page past the end answers page one."""
    numbers = [number for number in reversed(ARTICLES) if 2 - number % 2 == column]
    pages = -(-len(numbers) // PER_PAGE)
    page = page if page <= pages else 1
    shown = numbers[(page - 1) * PER_PAGE : page * PER_PAGE]
    links = "".join(f'<li><a href="/view/{n}.html">芜湖老街修缮第{n // 100}…</a> <span>{_day(n)}</span></li>' for n in shown)
    steps = f'<a href="/list/{column}_{page + 1}.html">下一页</a>' if page < pages else "下一页"
    return html(f"<div>当前位置：江城在线 > {COLUMNS[column]}</div><ul>{links}</ul><p>第{page}/{pages}页 {steps}</p>")


def _day(number: int) -> str:
    return f"2025-{1 + number % 12:02}-{1 + number % 28:02}"


@pytest.fixture
def site() -> Iterator[Site]:
    """The sister portal."""
    pages = {f"/view/{number}.html": article(number) for number in ARTICLES}
    pages |= {f"/list/{column}_{page}.html": column_page(column, page) for column in COLUMNS for page in range(1, 6)}
    pages["/"] = html("".join(f'<a href="/list/{column}_1.html">{name}</a> ' for column, name in COLUMNS.items()))
    pages |= {"/view/100.html": html(f"<p>{MISSING}</p>")}
    with serving(dict(pages)) as site:
        yield site


def profile(site: Site, folder: Path, *, taught: bool) -> Path:
    """The guide's profile, as its reader has it after step 2 or after step 5, on the site's own port."""
    given = {next(word for word in ("seeds", "labels", "allow_private") if word in block): block for block in blocks()[:3]}
    text = given["seeds"] + (given["allow_private"] + given["labels"] if taught else "")
    path = folder / "jiangcheng.toml"
    path.write_text(text.replace("http://127.0.0.1:8600", site.url), encoding="utf-8")
    return path


def blocks() -> list[str]:
    """The TOML the guide gives."""
    return re.findall(r"```toml\n(.*?)```", GUIDE, re.S)


def test_the_guide_from_two_saved_pages_to_a_whole_crawl(site: Site, tmp_path: Path, wuhu: Wuhu) -> None:  # noqa: F811
    page, shown = tmp_path / "article.html", tmp_path / "list.html"
    page.write_bytes(article(101))
    shown.write_bytes(column_page(1, 1))
    at, listed = f"{site.url}/view/101.html", f"{site.url}/list/1_1.html"

    first = profile(site, tmp_path, taught=False)
    told = json.loads(wuhu("extract", page, "--url", at, "--portal", first).stdout)
    assert (told["article_id"], told["title"], told["category"]) == (101, "芜湖老街修缮第101期完工", "江城新闻")
    assert (told["published_at"], told["views"], told["reporters"]) == ("2025-06-18T08:41:00+08:00", None, ["王小明"])
    entries = json.loads(wuhu("extract", shown, "--url", listed, "--portal", first).stdout)["entries"]
    assert (len(entries), entries[0]["article_id"], entries[0]["date"]) == (10, 143, "2025-12-04")

    why = wuhu("extract", page, "--url", at, "--portal", first, "--explain").stdout
    assert re.search(r"views +\(empty\)\n +why .*\n +near +刊发于：.* 看过：101\n", why)

    taught = profile(site, tmp_path, taught=True)
    assert set(tomllib.loads(taught.read_text(encoding="utf-8"))) >= {"seeds", "labels", "allow_private", "page_urls"}
    told = json.loads(wuhu("extract", page, "--url", at, "--portal", taught).stdout)
    assert (told["views"], told["outlets"], told["evidence"]["published_text"]["rule"]) == (101, ["江城日报"], "label and date")
    gone = tmp_path / "gone.html"
    gone.write_bytes(html(f"<p>{MISSING}</p>"))
    ended = wuhu("extract", gone, "--url", f"{site.url}/view/9.html", "--portal", taught)
    assert (ended.returncode, json.loads(ended.stdout)["reason"]) == (3, f"soft 404: {MISSING}")

    archive = tmp_path / "archive"
    command = [program("wuhu"), "probe", str(taught), "--pages", "12", "--json"]
    probed = subprocess.run(
        command, cwd=ROOT, env=environment(archive, HASTY), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    report = json.loads(probed.stdout)
    assert (probed.returncode, report["verdict"], report["kinds"]["missing"]) == (0, "go", 1), probed.stderr
    assert {template["name"]: template["filled"]["title"] for template in report["templates"]} == {
        "article 1": 7,
        "listing 1": 3,
    }
    site.log.clear()

    ended = crawl(archive, taught, **HASTY)
    assert ended.returncode == 0, ended.stderr
    assert rows(archive, "SELECT count(*), count(DISTINCT title) FROM article_version") == [(len(ARTICLES), len(ARTICLES))]
    assert outcomes(archive)["/view/100.html"] == ("missing", f"soft 404: {MISSING}")
    # `page_urls` tells what a page of a list is: none is asked for twice, none past the end.
    assert sorted(url for url in site.log if url.startswith("/list/")) == [
        f"/list/{c}_{p}.html" for c, n in ((1, 3), (2, 3)) for p in range(1, n + 1)
    ]
