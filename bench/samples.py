"""What the extraction benchmark reads: the bundled portal's pages with their truth, a folder of real pages, and pages to time.

The folder's formats are those its README tells: zh_pages/pages.jsonl with html/, bylines.jsonl, sections.jsonl, score.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from pages import Portal as BenchPortal
from readers import Sample

from wuhu_crawler.demo import portal as demo
from wuhu_crawler.demo import truth, world
from wuhu_crawler.portals import Portal, load_portal

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "tests/fixtures/articles/o553-12393/page.html"
# What truth tells beside the article's fields, and the URL, which five spellings lead to.
_BESIDE = {"listed", "template", "counter", "parts", "url"}
_LINKS = ("images", "attachments", "links")
_CAPTURED = datetime(2024, 5, 1, tzinfo=UTC)


class DemoPage(NamedTuple):
    """An article page of the bundled portal: the page, its template, the fields a perfect reader reads, and what answers a GET
    of its further parts and its counter."""

    sample: Sample
    template: str
    wanted: dict[str, Any]
    parts: int
    counter: str
    fetch: Callable[[str], bytes]


class RealPage(NamedTuple):
    """A real page with what is true of it; None where it is not told. `truth`: `exact` (rendered from the site's own database),
    `silver` (read by hand) or `repo` (another project's test data)."""

    sample: Sample
    truth: str
    title: str | None
    date: str | None
    body: str | None


def demo_pages() -> Iterator[DemoPage]:
    """Yield every article of the bundled portal, listed or not, as its server answers the first GET."""
    profile, model = load_portal("demo"), world.build()
    server = demo.Portal(model)

    def fetch(url: str) -> bytes:
        parts = urlsplit(url)
        return server.answer(f"{parts.path}?{parts.query}").body

    for row in truth.rows(model):
        url = urljoin(profile.seeds[0], row["url"])
        wanted = {name: value for name, value in row.items() if name not in _BESIDE}
        for name in _LINKS:
            wanted[name] = [{**link, "url": urljoin(url, link["url"])} for link in wanted[name]]
        body = server.answer(row["url"]).body
        sample = Sample(f"demo {row['article_id']}", url, body, row["encoding"], profile, _CAPTURED)
        yield DemoPage(sample, row["template"], wanted, row["parts"], row["counter"], fetch)


def real_pages(folder: Path) -> list[RealPage]:
    """Return the pages of zh_pages/ in the order of its table."""
    return [_real(folder / "zh_pages", row) for row in rows(folder / "zh_pages/pages.jsonl")]


def _real(folder: Path, row: dict[str, Any]) -> RealPage:
    # A table may say None in words; a body cut by its makers is no truth.
    told = {name: row[name] if row[name] not in ("", "None") else None for name in ("title", "date", "body")}
    if "prefix tests only" in (row["notes"] or ""):
        told["body"] = None
    url = row["url"] or f"http://unknown.example/{row['id']}"
    sample = Sample(row["id"], url, (folder / row["html_path"]).read_bytes(), row["encoding"])
    return RealPage(sample, row["truth"].partition(":")[0].strip(), **told)


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def seed_page() -> Sample:
    """Return the one page of the live portal that is known, as rebuilt for the tests."""
    return Sample(
        "seed", "http://www.o553.cn/news/Info.asp?ID=12393", SEED.read_bytes(), "gb18030", load_portal("o553"), _CAPTURED
    )


def large_pages(count: int) -> list[Sample]:
    """Return so many article pages of the crawl benchmark's portal: 20 KB each, furniture alike, text not."""
    base = "http://127.0.0.1"
    profile = Portal(name="bench", title="我爱芜湖", seeds=(f"{base}/",), article_urls=(r"/news/info\.asp\?id=(?P<id>\d+)$",))
    found = []
    for path, body in BenchPortal(300).pages():
        if "/Info.asp" in path:
            found.append(Sample(path, base + path, body, "gb18030", profile, _CAPTURED))
    return found[:count]
