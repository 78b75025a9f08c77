"""What the commands ask the database: functions of a connection that return plain dicts, ready for JSON.

Only reading; a connection of a read-only engine will do. Times of ours are UTC, the portal's own keep their offset.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, func, select

from ..errors import UsageError
from ..items import to_json
from . import models
from .rows import Row, article_item

_article, _version, _capture = models.article.c, models.article_version.c, models.capture.c
_VERSION = (
    select(
        models.article_version,
        _article.portal,
        _article.article_id,
        models.category.c.name.label("category"),
        _capture.captured_at,
    )
    .join_from(models.article_version, models.article, _version.article_key == _article.key)
    .join(models.capture, _capture.id == _version.capture_id)
    .outerjoin(models.category, models.category.c.id == _version.category_id)
)


_RECORD = (
    _capture.id.label("capture_id"),
    _capture.crawl_id,
    _capture.url,
    _capture.captured_at,
    _capture.record_type,
    _capture.record_id,
    _capture.refers_to,
    _capture.warc_file,
    _capture.warc_offset.label("offset"),
    _capture.warc_length.label("length"),
    _capture.block_digest,
    _capture.payload_digest,
)


def article(
    connection: Connection, article_id: int, portal: str | None = None, number: int | None = None
) -> dict[str, Any] | None:
    """Return a version of an article in the published JSON shape (`items.Article`), the latest unless `number` says which; None
    when there is none.

    `capture_id`, `captured_at` and the other fields are those of the first capture of that version, `views` is the latest seen.
    `related` is empty: hints are not stored. Raises UsageError when several portals have the ID and `portal` is not given.
    """
    found = portal_of(connection, article_id, portal)
    if found is None:
        return None
    wanted = _VERSION.where(_article.portal == found, _article.article_id == article_id)
    wanted = wanted.where(_version.number == (_article.versions if number is None else number))
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        return None
    version = dict(row)
    shown = article_item(
        version,
        sections=_parts(connection, models.section, version["id"]),
        credits=_parts(connection, models.credit, version["id"]),
        links=_parts(connection, models.link, version["id"]),
        views=_views(connection, version["article_key"]),
    )
    return dict(to_json(shown))


def article_versions(connection: Connection, article_id: int, portal: str | None = None) -> int:
    """Return how many versions an article has, 0 for one that is not there. Raises UsageError as `article` does."""
    found = portal_of(connection, article_id, portal)
    wanted = select(_article.versions).where(_article.portal == found, _article.article_id == article_id)
    return int(connection.execute(wanted).scalar_one_or_none() or 0)


def provenance(connection: Connection, article_id: int, portal: str | None = None) -> list[dict[str, Any]]:
    """Return each version of an article, the first one first, with the record it was read from; none of an unknown article.

    `payload` is the record that holds the body: the same one, or for a revisit the one it refers to (None when that is not
    here). Raises UsageError when several portals have the ID and `portal` is not given.
    """
    found = portal_of(connection, article_id, portal)
    wanted = (
        select(_version.number, _version.title, _version.article_digest, *_RECORD)
        .join_from(models.article_version, models.article, _version.article_key == _article.key)
        .join(models.capture, _capture.id == _version.capture_id)
        .where(_article.portal == found, _article.article_id == article_id)
        .order_by(_version.number)
    )
    rows = [dict(to_json(dict(row))) for row in connection.execute(wanted).mappings()]
    return [{**row, "payload": _payload(connection, row)} for row in rows]


def capture_record(connection: Connection, capture_id: int) -> dict[str, Any] | None:
    """Return where the record of a capture lies, as `provenance` does; None when there is no such capture."""
    row = connection.execute(select(*_RECORD).where(_capture.id == capture_id)).mappings().one_or_none()
    return None if row is None else {**to_json(dict(row)), "payload": _payload(connection, dict(row))}


def article_ids(connection: Connection, portal: str) -> list[int]:
    """Return the numbers of a portal's captured articles, ascending."""
    wanted = select(_article.article_id).where(_article.portal == portal).order_by(_article.article_id)
    return list(connection.execute(wanted).scalars())


def ended(connection: Connection, portal: str, outcome: str) -> list[str]:
    """Return the URLs of a portal that ended so in any of its crawls, each once, in order."""
    crawls_of = select(models.crawl.c.id).where(models.crawl.c.portal == portal)
    known = models.outcome.c
    wanted = select(known.url).where(known.outcome == outcome, known.crawl_id.in_(crawls_of)).distinct().order_by(known.url)
    return list(connection.execute(wanted).scalars())


def counts(connection: Connection) -> dict[str, int]:
    """Return the number of rows of every table, in the order of the data dictionary."""
    return {name: _count(connection, table) for name, table in sorted(models.metadata.tables.items())}


def status(connection: Connection) -> dict[str, Any]:
    """Return what `wuhu status` prints: portals, totals, outcomes by kind, latest crawl and run (None if none)."""
    totals = {name: _count(connection, models.metadata.tables[table]) for name, table in _TOTALS.items()}
    committed = connection.execute(select(func.coalesce(func.sum(models.warc_file.c.committed), 0))).scalar_one()
    return {
        "portals": _portals(connection),
        **totals,
        "outcomes": outcomes_of(connection),
        "warc_bytes": int(committed),
        "last_crawl": next(iter(crawls(connection, limit=1)), None),
        "last_run": _last_run(connection),
    }


def warc_positions(connection: Connection) -> dict[str, int]:
    """Return each WARC file's name and how many of its bytes the database has followed."""
    known = models.warc_file.c
    return {row.name: row.committed for row in connection.execute(select(known.name, known.committed))}


def crawls(connection: Connection, limit: int = 20) -> list[dict[str, Any]]:
    """Return the latest crawls, newest first, each with its runs, captures and outcomes by kind."""
    known = models.crawl.c
    rows = connection.execute(select(models.crawl).order_by(known.started_at.desc(), known.id.desc()).limit(limit)).mappings()
    return [{**to_json(dict(row)), **_tallies(connection, row["id"])} for row in rows.all()]


def _payload(connection: Connection, row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record that holds a capture's body; a chain of revisits is followed to its end."""
    seen = {row["record_id"]}
    while row["record_type"] == "revisit":
        found = connection.execute(select(*_RECORD).where(_capture.record_id == row["refers_to"])).mappings().one_or_none()
        if found is None or found["record_id"] in seen:
            return None
        row = dict(to_json(dict(found)))
        seen.add(row["record_id"])
    return {name: row[name] for name in ("capture_id", "record_id", "warc_file", "offset", "length", "url", "captured_at")}


def portal_of(connection: Connection, article_id: int, portal: str | None) -> str | None:
    """Return the portal that has the article, None when none has; raises UsageError when several have and none is named."""
    # From the portals, of which there are few: the index of articles begins with them.
    known = models.portal.c.name
    wanted = (
        select(known).join(models.article, (_article.portal == known) & (_article.article_id == article_id)).order_by(known)
    )
    found = list(connection.execute(wanted).scalars())
    if portal is not None:
        return portal if portal in found else None
    if len(found) > 1:
        raise UsageError(f"article {article_id} is on several portals: name one of {', '.join(found)}")
    return found[0] if found else None


def _parts(connection: Connection, table: Table, version_id: int) -> list[Row]:
    wanted = select(table).where(table.c.version_id == version_id).order_by(table.c.position)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def _views(connection: Connection, key: int) -> int | None:
    seen = models.view_observation.c
    wanted = (
        select(seen.views).where(seen.article_key == key).order_by(seen.observed_at.desc(), seen.capture_id.desc()).limit(1)
    )
    return connection.execute(wanted).scalar_one_or_none()


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _portals(connection: Connection) -> list[dict[str, Any]]:
    articles = select(func.count()).where(_article.portal == models.portal.c.name).scalar_subquery()
    wanted = select(models.portal.c.name, models.portal.c.title, articles.label("articles")).order_by(models.portal.c.name)
    return [dict(row) for row in connection.execute(wanted).mappings()]


def _tallies(connection: Connection, crawl_id: str) -> dict[str, Any]:
    runs = select(func.count()).where(models.run.c.crawl_id == crawl_id)
    captures = select(func.count()).where(_capture.crawl_id == crawl_id)
    return {
        "runs": connection.execute(runs).scalar_one(),
        "captures": connection.execute(captures).scalar_one(),
        "outcomes": outcomes_of(connection, crawl_id),
    }


def outcomes_of(connection: Connection, crawl_id: str | None = None) -> dict[str, int]:
    """Return the outcomes by kind, of one crawl or of all, in the order of the vocabulary."""
    outcome = models.outcome.c
    wanted = select(outcome.outcome, func.count().label("number")).group_by(outcome.outcome)
    if crawl_id is not None:
        wanted = wanted.where(outcome.crawl_id == crawl_id)
    found = {row.outcome: row.number for row in connection.execute(wanted)}
    return {kind: found[kind] for kind in models.OUTCOMES if kind in found}


def _last_run(connection: Connection) -> dict[str, Any] | None:
    row = connection.execute(select(models.run).order_by(models.run.c.id.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else dict(to_json(dict(row)))


_TOTALS = {
    "crawls": "crawl",
    "runs": "run",
    "captures": "capture",
    "articles": "article",
    "versions": "article_version",
    "sightings": "listing_sighting",
    "view_observations": "view_observation",
    "warc_files": "warc_file",
}
