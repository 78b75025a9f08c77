"""What past crawls of a portal tell of the next one: pages, new articles a day, how often asking again was worth while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from sqlalchemy import Connection, desc, select, text

from ..db import models
from .done import done, pages

# So many past crawls are looked at, the latest.
CRAWLS = 14
# Without two crawls that tell it, new articles are counted by their dates in so many days.
DATED_DAYS = 30
NIGHT = timedelta(days=1)
# A crawl that lost a page can be resumed; it tells all the same.
_ENDED = ("finished", "interrupted")
# Arguments of a crawl that keep it from telling what a night is like: it was to bring a part only, or everything once more.
_UNLIKE = ("argument-category", "argument-since", "argument-limit", "argument-full")


class Past(NamedTuple):
    """A crawl that has ended, and when it began (UTC)."""

    crawl_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Walks:
    """What past walks of the listings tell. `pages` and `new_a_day` are None where nothing does; the words say from what they
    follow. `since` is when the last walk began; `first` whether there was none."""

    pages: float | None
    pages_by: str
    new_a_day: float | None
    new_by: str
    since: datetime | None

    def new(self, now: datetime) -> float | None:
        """Return how many new articles are to be expected by now; a night counts as a day at least."""
        if self.new_a_day is None or self.since is None:
            return None
        return self.new_a_day * max(1.0, (now - self.since) / NIGHT)


def past(connection: Connection, portal: str, job: str, most: int = CRAWLS) -> Iterator[Past]:
    """Yield the crawls of a job that have ended, the latest first; those that are like no night are left out."""
    known = models.crawl.c
    wanted = select(known.id, known.started_at, known.settings).where(
        known.portal == portal, known.job == job, known.status.in_(_ENDED)
    )
    found = 0
    for row in connection.execute(wanted.order_by(desc(known.started_at), desc(known.id))).all():
        if not any(name in row.settings for name in _UNLIKE):
            yield Past(row.id, row.started_at)
            found += 1
        if found == most:
            return


def walks(connection: Connection, portal: str) -> Walks:
    """Return what past walks of a portal tell. The first one, which brought all there was, tells nothing of a night."""
    found = [*past(connection, portal, "wuhu", CRAWLS + 1)]
    if not found:
        return Walks(None, "there was no walk yet", None, "there was no walk yet", None)
    since = found[0].started_at
    if len(found) == 1:
        new, new_by = _by_dates(connection, portal, since)
        read, pages_by = _after_one(connection, portal, found[0])
        return Walks(read, pages_by, new, new_by, since)
    told = [done(connection, each.crawl_id) for each in found[:-1]]
    days = max((since - found[-1].started_at) / NIGHT, 1 / len(told))
    new = sum(parts["new"].brought for parts in told if "new" in parts) / days
    by = _counted(len(told), "walk")
    counts = [parts["listings"].done if "listings" in parts else 0 for parts in told]
    return Walks(median(counts), f"the median of {by}", new, f"{new:.1f} a day in {by}", since)


def worth(connection: Connection, portal: str, job: str, part: str) -> tuple[int, int]:
    """Return how many requests of a part past crawls of a job made, and how many brought something."""
    told = (done(connection, each.crawl_id) for each in past(connection, portal, job))
    parts = [each[part] for each in told if part in each]
    return sum(each.done for each in parts), sum(each.brought for each in parts)


def _by_dates(connection: Connection, portal: str, since: datetime) -> tuple[float, str]:
    values = {"portal": portal, "from": (since - DATED_DAYS * NIGHT).isoformat()[:10], "to": since.isoformat()[:10]}
    number = connection.execute(text(_DATED), values).scalar_one()
    return number / DATED_DAYS, f"{number} articles are dated in the {DATED_DAYS} days before the only walk"


def _after_one(connection: Connection, portal: str, walk: Past) -> tuple[float, str]:
    asked = pages(connection, walk.crawl_id)
    walked = connection.execute(text(_WALKED), {"portal": portal}).one()
    if not walked.listings:
        return asked, "as many as the only walk"
    # Of each listing its first page at least; what is no listing is asked for as ever.
    return walked.listings + max(0, asked - walked.pages), "a page of each listing, and the ways there"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_DATED = """
    SELECT COUNT(*) FROM article a JOIN article_version v ON v.article_key = a.key AND v.number = a.versions
    WHERE a.portal = :portal AND SUBSTR(v.published_at, 1, 10) >= :from AND SUBSTR(v.published_at, 1, 10) < :to
"""
_WALKED = "SELECT COUNT(*) AS listings, COALESCE(SUM(pages), 0) AS pages FROM listing_walk WHERE portal = :portal"
