"""The database by itself: sound, and its rows in agreement with each other where no record can be asked.

What extraction made of the pages (every table behind article_version) is compared whole by `wuhu rebuild --compare`; here the
text of each version is held against its digest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from ..db import models
from ..extract.digests import article_digest
from ..items import Article, Credit
from ..paths import ArchivePaths
from ..replay import CRAWL_END
from ..warc.reader import WarcError, iter_records
from .findings import Finding

_capture, _outcome = models.capture.c, models.outcome.c
_article, _version, _credit = models.article.c, models.article_version.c, models.credit.c
_BATCH = 200


def findings(connection: Connection) -> Iterator[Finding]:
    """Yield every disagreement between rows."""
    yield from _revisits(connection)
    yield from _captures_without_outcome(connection)
    yield from _articles(connection)
    yield from _texts(connection)


def unnoted(connection: Connection, paths: ArchivePaths, settled: Counter[str]) -> Iterator[Finding]:
    """Yield outcomes without a capture that no WARC file notes; `settled` says how many of each crawl were found noted.

    Only crawls whose files are of this program and that nobody is writing to.
    """
    foreign = select(models.warc_file.c.crawl_id).where(models.warc_file.c.software.is_not(None))
    running = select(models.crawl.c.id).where(models.crawl.c.status == "running")
    wanted = (
        select(_outcome.crawl_id, func.count())
        .where(_outcome.capture_id.is_(None), _outcome.crawl_id.not_in(running), _outcome.crawl_id.not_in(foreign))
        .group_by(_outcome.crawl_id)
    )
    for crawl_id, number in connection.execute(wanted).all():
        if settled[crawl_id] < number:
            yield from _name_unnoted(connection, paths, crawl_id)


def _name_unnoted(connection: Connection, paths: ArchivePaths, crawl_id: str) -> Iterator[Finding]:
    files = connection.execute(select(models.warc_file.c.name).where(models.warc_file.c.crawl_id == crawl_id)).scalars()
    noted = {url for name in files.all() for url in _noted_urls(paths, name)}
    wanted = select(_outcome.url, _outcome.outcome, _outcome.reason, _outcome.at).where(
        _outcome.crawl_id == crawl_id, _outcome.capture_id.is_(None)
    )
    for row in connection.execute(wanted):
        if (row.url, row.at) not in noted:
            text = f"{row.url} ended as {row.outcome} ({row.reason}) by the table, but no record of crawl {crawl_id} notes it"
            yield Finding("outcome", text, "table outcome")


def _noted_urls(paths: ArchivePaths, name: str) -> Iterator[tuple[str | None, Any]]:
    try:
        for record in iter_records(paths.warc_file(name)):
            if record.type == "metadata" and not (record.url or "").startswith(CRAWL_END):
                yield record.url, record.date
    except (WarcError, OSError):
        return  # found and told before


def _revisits(connection: Connection) -> Iterator[Finding]:
    """A revisit has the payload of the capture it refers to, which is here; of others' files it may be elsewhere."""
    origin = models.capture.alias()
    wanted = (
        select(_capture.id, _capture.refers_to, _capture.payload_length, origin.c.id, origin.c.payload_length)
        .select_from(models.capture)
        .join(models.warc_file, and_(models.warc_file.c.name == _capture.warc_file, models.warc_file.c.software.is_(None)))
        .outerjoin(origin, origin.c.record_id == _capture.refers_to)
        .where(
            _capture.record_type == "revisit",
            or_(
                origin.c.id.is_(None),
                _capture.payload_digest != origin.c.payload_digest,
                and_(_capture.status != 304, _capture.payload_length != origin.c.payload_length),
            ),
        )
    )
    for number, refers_to, _, origin_id, _ in connection.execute(wanted):
        if origin_id is None:
            text = f"capture {number} repeats the payload of {refers_to}, which no capture holds"
        else:
            text = f"capture {number} repeats the payload of capture {origin_id}, but their digests or lengths differ"
        yield Finding("row", text, "table capture")


def _captures_without_outcome(connection: Connection) -> Iterator[Finding]:
    """In a crawl that came to its end every captured URL has an outcome, by itself or in its first spelling."""
    ended = select(models.crawl.c.id).where(models.crawl.c.status == "finished")
    settled = select(_outcome.url).where(
        _outcome.crawl_id == _capture.crawl_id, or_(_outcome.url == _capture.url, _outcome.capture_id == _capture.id)
    )
    wanted = select(_capture.id, _capture.url, _capture.crawl_id).where(_capture.crawl_id.in_(ended), ~settled.exists())
    for number, url, crawl_id in connection.execute(wanted):
        yield Finding("outcome", f"{url} (capture {number}) has no outcome in crawl {crawl_id}", "table outcome")


def _articles(connection: Connection) -> Iterator[Finding]:
    """What an article repeats of its versions and captures is what they say."""
    latest, last, first = models.article_version.alias(), models.capture.alias(), models.capture.alias()
    one = models.article_version.alias()
    wanted: Select[Any] = (
        select(_article.portal, _article.article_id)
        .select_from(models.article)
        .outerjoin(latest, and_(latest.c.article_key == _article.key, latest.c.number == _article.versions))
        .outerjoin(one, and_(one.c.article_key == _article.key, one.c.number == 1))
        .outerjoin(last, last.c.id == _article.last_capture_id)
        .outerjoin(first, first.c.id == one.c.capture_id)
        .where(
            or_(
                latest.c.url != _article.url,
                func.coalesce(latest.c.category_id, 0) != func.coalesce(_article.category_id, 0),
                last.c.captured_at != _article.last_captured_at,
                first.c.captured_at != _article.first_captured_at,
                last.c.article_id != _article.article_id,
            )
        )
    )
    for portal, article_id in connection.execute(wanted):
        text = f"article {article_id} of {portal} says something else of itself than its versions and captures do"
        yield Finding("row", text, "table article")


def _texts(connection: Connection) -> Iterator[Finding]:
    wanted = (
        select(models.article_version, _article.article_id, _article.portal)
        .join(models.article, _article.key == _version.article_key)
        .order_by(_version.id)
    )
    for rows in connection.execute(wanted.execution_options(yield_per=_BATCH)).partitions():
        credits = _credits(connection, [row.id for row in rows])
        for row in rows:
            if article_digest(_as_digested(row, credits[row.id])) != row.article_digest:
                text = f"version {row.number} of article {row.article_id} ({row.portal}) is not the text its digest was made of"
                yield Finding("article", text, "table article_version")


def _credits(connection: Connection, versions: Sequence[int]) -> defaultdict[int, list[Credit]]:
    found: defaultdict[int, list[Credit]] = defaultdict(list)
    wanted = select(models.credit).where(_credit.version_id.in_(versions)).order_by(_credit.version_id, _credit.position)
    for row in connection.execute(wanted):
        found[row.version_id].append(Credit(role=row.role, name=row.name, outlet=row.outlet, text=row.text))
    return found


def _as_digested(row: Row[Any], credits: list[Credit]) -> Article:
    return Article(
        url=row.url,
        title=row.title,
        published_text=row.published_text,
        source_date_text=row.source_date_text,
        outlets=row.outlets,
        credits=credits,
        paragraphs=row.body.split("\n") if row.body else [],
    )
