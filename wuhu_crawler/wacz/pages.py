"""The pages of a package, with the titles and texts the database has of them: a page of the family says gb2312 and is GBK, so
what a packer reads from the bytes as UTF-8 is not to be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

from sqlalchemy import Connection, Row, select

from ..captures import Source, exchange_at
from ..db import models
from ..extract.decode import decode
from ..paths import ArchivePaths
from ..warc.codings import body_of
from ..warc.reader import WarcError
from .choice import Chosen

HEADER = {"format": "json-pages-1.0", "id": "pages", "title": "Pages", "hasText": True}
_KINDS = frozenset({"article", "listing", "other"})
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_SPACE = re.compile(r"\s+")
_LIMIT = 32 << 20
_article, _version, _capture, _entry = (
    models.article.c,
    models.article_version.c,
    models.capture.c,
    models.listing_sighting.c,
)


def lines(connection: Connection, chosen: Chosen, paths: ArchivePaths) -> Iterator[str]:
    """Yield pages.jsonl, its header first, a line at a time without its end. Raises OSError."""
    yield json.dumps(HEADER)
    for row in chosen.captures():
        if row.page_kind in _KINDS and row.status == 200:
            title, text = _said(connection, row, paths)
            page = {"id": f"capture-{row.id}", "url": row.url, "ts": timestamp(row.captured_at), "title": title or row.url}
            yield json.dumps({**page, "text": text} if text else page, ensure_ascii=False)


def timestamp(moment: datetime) -> str:
    """Return a time as pages have it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _said(connection: Connection, row: Row[Any], paths: ArchivePaths) -> tuple[str | None, str | None]:
    """Return the title and the text of a page, None for what it has not."""
    if row.page_kind == "article":
        found = _version_at(connection, row)
        if found is not None:
            return found
    if row.page_kind == "listing":
        wanted = select(_entry.title).where(_entry.capture_id == row.id).order_by(_entry.position)
        return _own_title(connection, row, paths), "\n".join(connection.execute(wanted).scalars()) or None
    return _own_title(connection, row, paths), None


def _version_at(connection: Connection, row: Row[Any]) -> tuple[str | None, str] | None:
    """Return title and text of the version the capture shows: the last one first seen in it or before."""
    seen = models.capture.alias()
    wanted = (
        select(_version.title, _version.body)
        .join_from(models.article_version, models.article, _version.article_key == _article.key)
        .join(models.crawl, models.crawl.c.portal == _article.portal)
        .join(seen, seen.c.id == _version.capture_id)
        .where(
            models.crawl.c.id == row.crawl_id,
            _article.article_id == row.article_id,
            seen.c.id <= row.id,
            seen.c.captured_at <= row.captured_at,
        )
        .order_by(_version.number.desc())
        .limit(1)
    )
    found = connection.execute(wanted).first()
    return None if found is None else (found.title, found.body)


def _own_title(connection: Connection, row: Row[Any], paths: ArchivePaths) -> str | None:
    """Return the title a page gives itself, read from its bytes in the encoding they are in."""
    origin = None
    if row.refers_to:
        found = connection.execute(
            select(_capture.warc_file, _capture.warc_offset).where(_capture.record_id == row.refers_to)
        ).first()
        origin = None if found is None else (found.warc_file, found.warc_offset)
    try:
        _, exchange = exchange_at(paths.warc, Source(row.warc_file, row.warc_offset, row.method, origin))
        body = body_of(exchange, _LIMIT)
    except (WarcError, ValueError):
        return None
    title = _TITLE.search(decode(body, exchange.content_type).text)
    return _SPACE.sub(" ", unescape(title[1])).strip() or None if title else None
