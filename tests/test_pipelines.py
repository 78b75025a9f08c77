"""The three pipelines in a real crawl whose spider hands them right and wrong items, and what becomes of each."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import warm
from conftest import PATIENCE, Page, Story, environment, outcomes, rows, serving

from wuhu_crawler import settings
from wuhu_crawler.warc.reader import iter_records

# What the spider does to the article of each page before it yields it.
DEEDS = ("right", "untitled", "negative", "unproved", "unnumbered", "undated", "outcome")
SPIDER = """
import json, sys
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from wuhu_crawler.extensions import keeper_of
from wuhu_crawler.items import Outcome
from wuhu_crawler.spiders.portal_spider import PortalSpider

DEEDS = {
    "untitled": {"title": None},
    "negative": {"views": -1},
    "unproved": {"capture_id": None},
    "unnumbered": {"article_id": None},
    "undated": {"published_text": "近日", "source_date_text": "2-30"},
    "right": {"source_date_text": "2024-5-5"},
}


class Wrong(PortalSpider):
    name = "wrong"

    async def start(self):
        for number, deed in enumerate(sys.argv[2].split(",")):
            yield self.request(f"{self.portal.seeds[0]}show.asp?id={number}", known=deed)

    def parse(self, response, known=None):
        item = self.read_page(response).item
        if known == "outcome":
            yield Outcome(url=item.url, outcome="excluded", reason="for the test", capture_id=item.capture_id)
            return
        for name, value in DEEDS[known].items():
            setattr(item, name, value)
        yield item


settings = Settings()
settings.setmodule("wuhu_crawler.settings")
settings.setdict({"LOG_LEVEL": "WARNING"}, priority="cmdline")
process = AsyncCrawlerProcess(settings)
crawler = process.create_crawler(Wrong)
process.crawl(crawler, portal=sys.argv[1])
process.start()
keeper = keeper_of(crawler)
print(json.dumps({"exit_code": keeper.exit_code, "invalid": crawler.stats.get_value("wuhu/item/invalid")}))
"""


class Crawled(NamedTuple):
    """The crawl's archive, what it printed, and its log."""

    folder: Path
    end: dict[str, Any]
    log: str

    def outcome(self, deed: str) -> tuple[str, str | None]:
        """Return how the page of a deed ended."""
        return outcomes(self.folder)[f"/show.asp?id={DEEDS.index(deed)}"]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    place = tmp_path_factory.mktemp("pipelines")
    pages: dict[str, Page] = {f"/show.asp?id={n}": Story(n, f"第{n}篇：大桥通车仪式").page() for n in range(len(DEEDS))}
    with serving(pages) as site:
        command = [sys.executable, "-c", SPIDER, str(site.profile(place)), ",".join(DEEDS)]
        ended = warm.text(command, env=environment(place / "archive"), timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    return Crawled(place / "archive", json.loads(ended.stdout.splitlines()[-1]), ended.stderr)


def test_the_order() -> None:
    order = sorted(settings.ITEM_PIPELINES, key=settings.ITEM_PIPELINES.__getitem__)
    assert [name.rpartition(".")[2] for name in order] == ["ValidatePipeline", "DatesPipeline", "PersistPipeline"]


def test_a_right_item_is_stored_with_its_dates(crawled: Crawled) -> None:
    assert crawled.outcome("right") == ("captured", None)
    wanted = (
        "SELECT v.published_at, v.published_precision, v.source_date FROM article a "
        "JOIN article_version v ON v.article_key = a.key WHERE a.article_id = ?"
    )
    ((published, precision, source),) = rows(crawled.folder, wanted, DEEDS.index("right"))
    assert published.replace(" ", "T").startswith("2024-05-06T08:09:10")
    assert (precision, source) == ("second", "2024-05-05")


def test_words_that_are_no_date_are_none(crawled: Crawled) -> None:
    wanted = (
        "SELECT v.published_text, v.published_at, v.published_precision, v.source_date FROM article a "
        "JOIN article_version v ON v.article_key = a.key WHERE a.article_id = ?"
    )
    assert rows(crawled.folder, wanted, DEEDS.index("undated")) == [("近日", None, None, None)]


@pytest.mark.parametrize(("deed", "word"), [("untitled", "title"), ("negative", "views"), ("unproved", "capture_id")])
def test_an_invalid_item_is_dropped_with_its_reason(crawled: Crawled, deed: str, word: str) -> None:
    outcome, reason = crawled.outcome(deed)
    assert outcome == "failed"
    assert (reason or "").startswith("invalid (")
    assert word in (reason or "")
    assert rows(crawled.folder, "SELECT count(*) FROM article WHERE article_id = ?", DEEDS.index(deed)) == [(0,)]


def test_drops_are_counted_and_logged(crawled: Crawled) -> None:
    assert crawled.end["invalid"] == 3
    ((stats,),) = rows(crawled.folder, "SELECT stats FROM run")
    assert json.loads(stats)["wuhu/item/invalid"] == 3
    assert crawled.log.count("Not stored") == 3
    assert "Traceback" not in crawled.log


def test_a_dropped_item_loses_nothing(crawled: Crawled) -> None:
    # Its bytes are in the archive: a rebuild by better rules will store it.
    assert crawled.end["exit_code"] == 0
    (path,) = (crawled.folder / "warc").glob("*.warc.gz")
    kept = {record.url for record in iter_records(path) if record.type == "response"}
    assert sum("show.asp" in (url or "") for url in kept) == len(DEEDS)


def test_an_article_without_a_number_is_another_page(crawled: Crawled) -> None:
    assert crawled.outcome("unnumbered")[0] == "captured"
    wanted = "SELECT page_kind FROM capture WHERE url LIKE ?"
    assert rows(crawled.folder, wanted, f"%?id={DEEDS.index('unnumbered')}") == [("other",)]


def test_an_outcome_passes_all_three(crawled: Crawled) -> None:
    assert crawled.outcome("outcome") == ("excluded", "for the test")


def test_every_page_has_one_outcome(crawled: Crawled) -> None:
    assert len(outcomes(crawled.folder)) == len(DEEDS) + 1  # and robots.txt
