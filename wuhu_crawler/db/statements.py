"""The store's statements, built once; the two databases spell the upserts alike but not in the same dialect."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from . import models

# Outcomes whose capture answers the URL when the crawl is resumed; any other is asked again.
FINAL = ("captured", "revisit", "missing")


def _insert(connection: Connection, table: Any) -> Any:
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def replace(connection: Connection, table: Any, *keys: str) -> Any:
    """Return an insert that replaces the row of the same keys."""
    statement = _insert(connection, table)
    others = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=others)


def ignore(connection: Connection, table: Any) -> Any:
    """Return an insert that leaves a row of the same key as it is."""
    return _insert(connection, table).on_conflict_do_nothing()


INSERTS = {name: table.insert() for name, table in models.metadata.tables.items()}
_known = models.capture.c
PAYLOAD = (
    select(_known.record_id, _known.url, _known.captured_at)
    .where(_known.payload_digest == bindparam("digest"), _known.record_type == "response", _known.truncated.is_(None))
    .order_by(_known.id)
    .limit(1)
)
DIGESTS = select(_known.payload_digest).where(_known.payload_digest.is_not(None), _known.record_type == "response")
CAPTURE_BY_ID = select(models.capture).where(_known.id == bindparam("id"))
CAPTURE_BY_RECORD = select(models.capture).where(_known.record_id == bindparam("record_id"))
_needed = models.requisite.c
REQUISITE = (
    select(models.capture)
    .join(models.requisite, _needed.capture_id == _known.id)
    .where(_needed.url == bindparam("url"), _needed.crawl_id != bindparam("crawl_id"), _known.truncated.is_(None))
    .where(_known.status.in_((200, 304)))
    .order_by(_known.id.desc())
    .limit(1)
)
# What an article's URL answered with the article in it, the latest first.
ANSWERED = (
    select(_known.status)
    .where(
        _known.article_id == bindparam("article_id"),
        _known.url == bindparam("url"),
        _known.page_kind == "article",
    )
    .order_by(_known.id.desc())
    .limit(bindparam("most"))
)
KNOWN_REQUISITE = select(_needed.url).where(_needed.url == bindparam("url"), _needed.capture_id.is_not(None)).limit(1)
_parts = models.article_part.c
PARTS = select(models.article_part).where(_parts.capture_id == bindparam("capture_id")).order_by(_parts.kind, _parts.number)
_ended = models.outcome.c
# Captures that nobody came to: no page was read from them, and their URL's outcome is not theirs and not younger.
UNREAD = (
    select(models.capture)
    .where(_known.crawl_id == bindparam("crawl_id"), _known.warc_file.in_(bindparam("files", expanding=True)))
    .where(_known.page_kind.is_(None))
    .where(~exists().where(_ended.capture_id == _known.id))
    .where(
        ~exists().where(
            _ended.crawl_id == _known.crawl_id,
            _ended.url == _known.url,
            or_(_ended.capture_id > _known.id, _ended.at > _known.captured_at),
        )
    )
    .order_by(_known.id)
)
