"""Items as a crawl would bring them, for the tests of the database room."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from wuhu_crawler.db.engine import make_engine, upgrade
from wuhu_crawler.db.store import Store
from wuhu_crawler.items import (
    Article,
    Capture,
    Credit,
    Evidence,
    Link,
    Listing,
    ListingEntry,
    OtherPage,
    Outcome,
    PageItem,
    Section,
)
from wuhu_crawler.portals import Portal

T0 = datetime(2026, 11, 23, 7, 0, 0, 123456, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PORTAL = Portal(name="demo", title="我爱芜湖（示范站）", seeds=("http://127.0.0.1:8553/",))
HOST = "http://127.0.0.1:8553"


def at(capture_id: int) -> datetime:
    """Return the time of a capture."""
    return T0 + timedelta(seconds=capture_id)


def digest(*words: object) -> str:
    """Return something that looks like a digest and differs when the words do."""
    return "sha1:" + hashlib.sha1(repr(words).encode(), usedforsecurity=False).hexdigest()[:32].upper()


def warc(crawl_id: str, serial: int = 1) -> str:
    """Return a WARC file name as the writer makes them."""
    return f"demo-{crawl_id}-{serial:06d}-host-2.warc.gz"


def capture(capture_id: int, url: str, *, crawl_id: str = "c-1", **changes: Any) -> Capture:
    """Return a whole response of 1,000 bytes."""
    fields: dict[str, Any] = {
        "status": 200,
        "run_id": 1,
        "captured_at": at(capture_id),
        "record_id": f"<urn:uuid:00000000-0000-4000-8000-{capture_id:012d}>",
        "record_type": "response",
        "warc_file": warc(crawl_id),
        "offset": capture_id * 1000,
        "length": 800,
        "payload_digest": digest("payload", capture_id),
        "block_digest": digest("block", capture_id),
        "payload_length": 20_000,
        "content_type": "text/html; charset=gb2312",
        "ip": "127.0.0.1",
        "via": f"{HOST}/news/",
    }
    return Capture(id=capture_id, crawl_id=crawl_id, url=url, **{**fields, **changes})


def article(number: int, seen: int, **changes: Any) -> Article:
    """Return an article with every field set."""
    lead, work, plan = "芜湖市推进党建 社建。", "特色工作,亮点满满", "五点“打算”,笃行不怠"
    fields: dict[str, Any] = {
        "title": f"弋江区第{number}号新闻",
        "breadcrumb": ["返回首页", "我爱芜湖", "资讯杂谈", "正文"],
        "category": "资讯杂谈",
        "published_text": "2024/2/3 20:24:31",
        "published_at": datetime(2024, 2, 3, 20, 24, 31, tzinfo=SHANGHAI),
        "published_precision": "second",
        "source_date_text": "来源时间为:2024-01-23",
        "source_date": date(2024, 1, 23),
        "views": 102,
        "outlets": ["芜湖日报"],
        "credits": [
            Credit(role="reporter", name="田龙", outlet="芜湖日报", text="芜湖日报记者田龙"),
            Credit(role="editor", name="王某", text="责编 王某"),
        ],
        "reporters": ["田龙"],
        "paragraphs": [lead, f"一、{work}", "GDP增长5.8%。", "（一）细则", "细则如下。", f"二、{plan}", "2024年继续。"],
        "headings": [work, plan],
        "sections": [
            Section(level=1, paragraphs=[lead]),
            Section(
                level=1,
                number="一、",
                heading=work,
                paragraphs=["GDP增长5.8%。"],
                sections=[Section(level=2, number="（一）", heading="细则", paragraphs=["细则如下。"])],
            ),
            Section(level=1, number="二、", heading=plan, paragraphs=["2024年继续。"]),
        ],
        "images": [Link(url=f"{HOST}/UploadFile/1.jpg", text="图为现场"), Link(url=f"{HOST}/UploadFile/2.jpg", text="")],
        "attachments": [Link(url=f"{HOST}/UploadFile/附件.doc", text="附件")],
        "links": [Link(url="http://www.example.com/", text="示例")],
        "encoding": "gb18030",
        "decode_losses": 1,
        "evidence": {"title": Evidence(rule="heading", text="弋江区"), "views": Evidence(rule="label", text="浏览:102")},
    }
    url = f"{HOST}/news/Info.asp?ID={number}"
    known: dict[str, Any] = {"portal": "demo", "article_id": number, "url": url, "capture_id": seen, "captured_at": at(seen)}
    return Article(**{**known, **fields, **changes})


def listing(capture_id: int, *article_ids: int) -> Listing:
    """Return a listing page of these articles."""
    entries = [
        ListingEntry(
            article_id=article_id,
            url=f"{HOST}/news/Info.asp?ID={article_id}",
            title="弋江区第…",
            date_text="2024-2-3",
            date=date(2024, 2, 3),
            position=position,
        )
        for position, article_id in enumerate(article_ids, 1)
    ]
    url = f"{HOST}/news/list.asp?classid=3"
    return Listing(
        portal="demo", url=url, capture_id=capture_id, captured_at=at(capture_id), category="资讯杂谈", entries=entries
    )


def missing(article_id: int, capture_id: int) -> OtherPage:
    """Return a soft-404 for an article."""
    url = f"{HOST}/news/Info.asp?ID={article_id}"
    return OtherPage(
        kind="missing",
        portal="demo",
        url=url,
        article_id=article_id,
        capture_id=capture_id,
        captured_at=at(capture_id),
        reason="该信息不存在",
    )


@cache
def empty_database() -> bytes:
    """Return the file the migrations make, made once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "archive.db"
        upgrade(f"sqlite:///{file}")
        return file.read_bytes()


# For a test about SQLite's own ways among those that run on both databases.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(url: str, sql: str) -> list[Any]:
    """Ask a database with nothing but its driver, as any other tool would; JSON and dates as the text they are."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(sql).fetchall()
    import psycopg  # not needed for the other tests
    from psycopg.types.string import TextLoader

    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(), autocommit=True) as opened:
        for kind in ("json", "date"):
            opened.adapters.register_loader(kind, TextLoader)
        done = opened.execute(sql.encode())
        return done.fetchall() if done.description else []


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """Give a connection of a read-only engine, closed with the block."""
    engine = make_engine(url, readonly=True)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def open_store(url: str, *, crawl_id: str = "c-1", index: bool = True) -> Store:
    """Return a store of an upgraded database with a crawl and a run begun."""
    if url.startswith("sqlite") and not (file := Path(url.removeprefix("sqlite:///"))).exists():
        file.write_bytes(empty_database())
    store = Store(make_engine(url), index=index)
    store.register_portal(PORTAL)
    store.begin_crawl(crawl_id, "demo", "wuhu", {"portal": "demo"}, T0)
    store.begin_run(crawl_id, pid=1, argv=["scrapy", "crawl", "wuhu"], started_at=T0)
    return store


def bring(store: Store, item: PageItem, *, crawl_id: str = "c-1", text: object = "") -> None:
    """Hand the store a page with its capture and outcome; `text` stands for what the article digest covers."""
    assert item.capture_id is not None
    store.add_capture(capture(item.capture_id, item.url, crawl_id=crawl_id))
    outcome = "missing" if item.kind == "missing" else "captured"
    store.add_outcome(crawl_id, Outcome(url=item.url, outcome=outcome, capture_id=item.capture_id, at=item.captured_at))
    read_again(store, item, text=text)


def read_again(store: Store, item: PageItem, *, text: object = "") -> None:
    """Hand the store a page whose capture it has."""
    article_digest = digest("article", item.article_id, text) if isinstance(item, Article) else None
    store.add_page(item, article_digest=article_digest, page_digest=digest("page", item.capture_id))
