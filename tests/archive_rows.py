"""Rows of an archive as crawls would leave them, for the tests of questions to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, update

from wuhu_crawler.db import engine, models

T0 = datetime(2024, 5, 1, 18, tzinfo=UTC)


class Rows:
    """Writes rows as a crawl would leave them; what no question here is about is left at its least."""

    def __init__(self, connection: Connection, portal: str = "p", title: str = "江城在线") -> None:
        self.connection, self.portal = connection, portal
        self.add(models.portal, name=portal, title=title, timezone="Asia/Shanghai")
        self.now = T0
        self.crawl = self.begin("0", T0)
        self.listing = self.page("0")

    def add(self, table: Any, **row: Any) -> None:
        self.connection.execute(insert(table), [row])

    def night(self, day: float, job: str = "wuhu", **settings: str) -> None:
        """What follows is of a crawl that began so many days after the first."""
        self.now = T0 + timedelta(days=day)
        self.crawl = self.begin(f"{day}-{job}", self.now, job, **settings)

    def begin(self, name: str, at: datetime, job: str = "wuhu", **settings: str) -> str:
        crawl = f"{self.portal}-{name}"
        row = {"id": crawl, "portal": self.portal, "job": job, "settings": settings, "started_at": at}
        self.add(models.crawl, **row, status="finished")
        self.add(models.warc_file, name=crawl, serial=1, crawl_id=crawl, committed=0)
        return crawl

    def page(self, name: str, kind: str = "listing") -> int:
        """A page without a number, and its outcome."""
        place = self.capture(kind, None)
        ended = {"crawl_id": self.crawl, "url": f"http://{self.portal}/list/{name}", "outcome": "captured", "at": self.now}
        self.add(models.outcome, **ended, capture_id=place)
        return place

    def capture(self, kind: str | None, number: int | None) -> int:
        place = self.connection.exec_driver_sql("SELECT count(*) + 1 FROM capture").scalar_one()
        self.add(
            models.capture, id=place, crawl_id=self.crawl, url=f"http://{self.portal}/{number}", method="GET",
            captured_at=self.now, record_id=f"r{place}", record_type="response", warc_file=self.crawl, warc_offset=place,
            warc_length=1, block_digest="d", payload_length=1, flags=[], page_kind=kind, article_id=number,
        )  # fmt: skip
        return int(place)

    def article(self, number: int, published: str | None = "2024-02-03", category: str | None = None) -> None:
        place = self.capture("article", number)
        times = {"first_captured_at": self.now, "last_captured_at": self.now}
        known = self.connection.exec_driver_sql("SELECT id FROM category WHERE name = ?", (category,)).scalar_one_or_none()
        if category and known is None:
            known = place
            self.add(models.category, id=known, portal=self.portal, name=category)
        self.add(models.article, key=place, portal=self.portal, article_id=number, url="u", versions=1, last_capture_id=place,
                 category_id=known, **times)  # fmt: skip
        at = None if published is None else datetime.fromisoformat(f"{published}T08:00:00+08:00")
        self.version(place, 1, place, at)
        self.outcome(number, "captured", capture=place)

    def again(self, number: int, *, changed: bool = False) -> None:
        """The article was captured once more."""
        place = self.capture("article", number)
        known = self.connection.exec_driver_sql("SELECT key, versions FROM article WHERE article_id = ?", (number,)).one()
        if changed:
            self.version(known.key, known.versions + 1, place, None)
        row = {"last_captured_at": self.now, "last_capture_id": place, "versions": known.versions + changed}
        self.connection.execute(update(models.article).where(models.article.c.key == known.key).values(row))
        self.outcome(number, "captured", capture=place)

    def version(self, key: int, number: int, capture: int, published: datetime | None) -> None:
        self.add(
            models.article_version, id=capture, article_key=key, number=number, capture_id=capture, url="u", breadcrumb=[],
            outlets=[], reporters=[], body="", headings=[], article_digest="d", decode_losses=0, evidence={},
            published_at=published,
        )  # fmt: skip

    def outcome(
        self,
        number: int,
        outcome: str,
        reason: str | None = None,
        *,
        days: float = 0,
        url: str = "",
        capture: int | None = None,
    ) -> None:
        row = {"outcome": outcome, "reason": reason, "at": self.now + timedelta(days=days), "capture_id": capture}
        self.add(models.outcome, crawl_id=self.crawl, url=f"http://{self.portal}/{number}{url}", article_id=number, **row)

    def sighting(self, number: int, date_text: str | None = None, day: date | None = None) -> None:
        row = {"capture_id": self.listing, "position": number, "article_id": number, "url": "u", "title": "t"}
        self.add(models.listing_sighting, **row, date_text=date_text, date=day)


@contextmanager
def archive(folder: Path) -> Iterator[Connection]:
    url = f"sqlite:///{folder / 'archive.db'}"
    engine.upgrade(url)
    opened = engine.make_engine(url)
    try:
        with opened.connect() as connection:
            yield connection
    finally:
        opened.dispose()
