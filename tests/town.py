"""A small archive whose every answer can be reckoned by hand, for the tests of saved questions and views.

Four articles and a listing, captured on some days of May 2024 at 00:00 UTC (08:00 in Shanghai):

    article  published   category  reporter         views by day           what happened
    1        04-01 (Mon) 时政      田龙 芜湖日报    0: 100, 1: 130, 3: 190  edited on day 3: title and body
    2        04-03 (Wed) 时政      田龙 安徽日报    0: 50                  missing on days 1, 5 and 9: gone
    3        04-05 (Fri) 教育      李敏             never                  missing on day 9
    4        not told    none      none             0: 7
    99       a listing shows it, with the date 2024-02-03

Articles 1 and 2, and 2 and 3, are near-duplicates.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from db_samples import PORTAL, SHANGHAI, article, capture, digest, listing, missing, warc
from sqlalchemy import text

from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.db.store import Store
from wuhu_crawler.db.types import utc_text
from wuhu_crawler.items import Article, Credit, Listing, Outcome, PageItem

DAY0 = datetime(2024, 5, 1, tzinfo=UTC)


def on(day: float) -> datetime:
    """Return the time of a day's captures."""
    return DAY0 + timedelta(days=day)


def moment(day: float) -> str:
    """Return that time as the database writes it."""
    return utc_text(on(day))


def published(day: int) -> datetime:
    """Return ten o'clock of a day of April."""
    return datetime(2024, 4, day, 10, tzinfo=SHANGHAI)


def story(number: int, **changes: Any) -> Article:
    """Return an article of the town as it was first seen."""
    reporter = [Credit(role="reporter", name="田龙", outlet="芜湖日报", text="芜湖日报记者田龙")]
    other = [Credit(role="reporter", name="田龙", outlet="安徽日报", text="安徽日报记者田龙")]
    teacher = [Credit(role="reporter", name="李敏", text="记者 李敏"), Credit(role="editor", name="王某", text="责编 王某")]
    nothing: dict[str, Any] = {
        "published_at": None, "published_text": None, "published_precision": None, "category": None, "breadcrumb": [],
        "reporters": [], "outlets": [], "credits": [], "source_date": None, "views": 7,
    }  # fmt: skip
    told: dict[int, dict[str, Any]] = {
        1: {
            "title": "大桥通车", "category": "时政", "published_at": published(1), "source_date": date(2024, 3, 31),
            "credits": reporter, "reporters": ["田龙"], "outlets": ["芜湖日报"], "views": 100, "paragraphs": ["大桥昨日通车。"],
        },
        2: {
            "title": "大桥今通车", "category": "时政", "published_at": published(3), "source_date": date(2024, 4, 3),
            "credits": other, "reporters": ["田龙"], "outlets": ["安徽日报", "芜湖日报"], "views": 50,
            "paragraphs": ["今日，市民前往参观。"], "published_precision": "day",
        },
        3: {
            "title": "学校开学", "category": "教育", "published_at": published(5), "source_date": None, "credits": teacher,
            "reporters": ["李敏"], "outlets": [], "views": None, "paragraphs": ["新学期。"], "decode_losses": 3,
        },
        4: {"title": "通知", "paragraphs": ["无。"], **nothing},
    }  # fmt: skip
    return article(number, 0, **{"decode_losses": 0, **told[number], **changes})


EDITED = {"title": "大桥今日通车", "paragraphs": ["大桥今日通车。", "市民参观。"], "views": 190}


class Town:
    """Brings the store what was seen, a crawl a day."""

    def __init__(self, store: Store) -> None:
        self.store, self.number = store, 0
        store.register_portal(PORTAL)

    def day(self, day: int, *seen: PageItem) -> None:
        """Crawl on a day for an hour, and see these pages."""
        crawl = f"c-{day}"
        self.store.begin_crawl(crawl, "demo", "wuhu", {"portal": "demo"}, on(day))
        run = self.store.begin_run(crawl, pid=1, argv=["scrapy"], started_at=on(day))
        for item in seen:
            self.number += 1
            item.capture_id, item.captured_at = self.number, on(day)
            kind = "missing" if item.kind == "missing" else "captured"
            article_id = None if isinstance(item, Listing) else item.article_id
            self.store.add_capture(capture(self.number, item.url, crawl_id=crawl, captured_at=on(day), run_id=run))
            self.store.add_outcome(crawl, Outcome(url=item.url, outcome=kind, capture_id=self.number, at=on(day)), article_id)
            text_digest = digest(item.article_id, item.title, item.paragraphs) if isinstance(item, Article) else None
            self.store.add_page(item, article_digest=text_digest, page_digest=digest("page", self.number))
        self.store.commit((warc(crawl), 9_999_999))
        self.store.end_crawl(crawl, on(day + 1 / 24), "finished")


def build(url: str) -> None:
    """Bring the town into an empty database."""
    with Store(make_engine(url)) as store:
        town = Town(store)
        town.day(0, listing(0, 1, 2, 99), story(1), story(2), story(3), story(4))
        town.day(1, story(1, views=130), missing(2, 0))
        town.day(3, story(1, **EDITED))
        town.day(5, missing(2, 0))
        town.day(9, missing(2, 0), missing(3, 0))
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM near_duplicate"))
        pairs = [{"one": 1, "other": 2, "alike": 0.9}, {"one": 2, "other": 3, "alike": 0.6}]
        connection.execute(text("INSERT INTO near_duplicate VALUES (:one, :other, :alike)"), pairs)
    engine.dispose()


def suppress(url: str, article_id: int) -> None:
    """Hide an article."""
    engine = make_engine(url)
    row = "(1, 'demo', :article_id, 'asked', '2024-06-01T00:00:00.000000Z', 'archivist')"
    names = "(id, portal, article_id, reason, suppressed_at, suppressed_by)"
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO suppression {names} VALUES {row}"), {"article_id": article_id})  # noqa: S608
    engine.dispose()
