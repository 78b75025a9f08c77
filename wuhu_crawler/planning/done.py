"""What a crawl asked for and what came of it, part by part of its plan: read off its outcomes, so that a resumed one is whole.

A number the archive had an article of before belongs to the re-checks, one that an earlier crawl had seen, or had asked for
without an answer, is owed; any other is new, also where it was missing before it was given out. In a crawl of the spider `gaps`
or `recheck` all numbers are that spider's part. What has no number and was read as a page is a listing, or on the way to one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from ..db.models import PLAN_PARTS

# The part that all numbers of a crawl are, by its job.
PART_OF = {"gaps": "gaps", "recheck": "rechecks"}
# Outcomes of requests that were not made, and of those made in vain.
_NOT_MADE, _IN_VAIN = ("excluded", "postponed"), ("failed", "truncated", "blocked")


@dataclass(slots=True)
class Done:
    """Requests of one part that were made, what they brought, and why others were not made or brought nothing (reason -> how
    many). New, owed and gaps bring articles; re-checks changes, a removal among them; listings numbers not seen before."""

    done: int = 0
    brought: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def done(connection: Connection, crawl_id: str) -> dict[str, Done]:
    """Return what became of each part of a crawl, as committed; parts it did not touch are left out.

    Parts of articles, counters and requisites are not counted: they belong to their page.
    """
    crawl = connection.execute(text(_CRAWL), {"crawl": crawl_id}).one_or_none()
    if crawl is None:
        return {}
    parts: dict[str, Done] = {}
    values = {"crawl": crawl_id, "portal": crawl.portal, "started": crawl.started_at, "first": crawl.first or 0}
    for row in connection.execute(text(_NUMBERS), values):
        name = PART_OF.get(crawl.job, row.part)
        brought = row.changed if name == "rechecks" else row.first_had
        _count(parts.setdefault(name, Done()), row.outcome, row.reason, row.number, brought)
    for row in connection.execute(text(_PAGES), values):
        _count(parts.setdefault("listings", Done()), row.outcome, row.reason, row.number, 0)
    if crawl.job not in PART_OF:
        _count_sighted(connection, parts, values)
    return {name: parts[name] for name in PLAN_PARTS if name in parts}


def pages(connection: Connection, crawl_id: str) -> int:
    """Return how many pages without a number a crawl asked for: listings, and what leads to them."""
    rows = connection.execute(text(_PAGES), {"crawl": crawl_id})
    return sum(row.number for row in rows if row.outcome not in _NOT_MADE)


def _count(part: Done, outcome: str, reason: str | None, number: int, brought: int) -> None:
    if outcome not in _NOT_MADE:
        part.done += number
        part.brought += brought
    if outcome in _NOT_MADE or outcome in _IN_VAIN:
        part.skipped[_why(outcome, reason)] += number


def _why(outcome: str, reason: str | None) -> str:
    """Return an outcome with the first words of its reason: what follows a bracket or a colon is of one page only."""
    words = (reason or "").partition(" (")[0].partition(":")[0]
    return words if outcome == "excluded" and words else f"{outcome} {words}".strip()


def _count_sighted(connection: Connection, parts: dict[str, Done], values: dict[str, object]) -> None:
    """Count what listings showed and was not asked for; what they showed for the first time is what they brought."""
    for row in connection.execute(text(_SIGHTED), values):
        if not row.asked:
            parts.setdefault("new", Done()).skipped["known" if row.had else "not asked"] += row.number
        if row.fresh and "listings" in parts:
            parts["listings"].brought += row.number


_CRAWL = """
    SELECT w.portal, w.job, w.started_at, (SELECT MIN(c.id) FROM capture c WHERE c.crawl_id = w.id) AS first
    FROM crawl w WHERE w.id = :crawl
"""
# Whether an earlier crawl came to know of a number and left it open: it was in a listing, or asking for it settled nothing. One
# that was missing beyond the highest number had not been given out then.
_BEFORE = """
    (EXISTS (SELECT 1 FROM listing_sighting s JOIN capture c ON c.id = s.capture_id JOIN crawl w ON w.id = c.crawl_id
      WHERE s.article_id = {number} AND s.capture_id < :first AND w.portal = :portal)
    OR EXISTS (SELECT 1 FROM outcome b JOIN crawl w ON w.id = b.crawl_id
      WHERE b.article_id = {number} AND b.crawl_id <> :crawl AND b.outcome <> 'missing' AND w.portal = :portal
        AND w.started_at < :started))
"""
# Each number of the crawl once, by its last outcome. A change is a version that is not the first, or that the article is
# missing for the first time since it was there.
_NUMBERS = f"""
    WITH asked AS (
      SELECT article_id AS n, MAX(at || outcome) AS latest FROM outcome
      WHERE crawl_id = :crawl AND article_id IS NOT NULL GROUP BY article_id),
    ended AS (
      SELECT a.n, SUBSTR(a.latest, 28) AS outcome,
        (SELECT MAX(o.reason) FROM outcome o WHERE o.crawl_id = :crawl AND o.article_id = a.n
          AND o.outcome = SUBSTR(a.latest, 28)) AS reason,
        k.key, k.last_captured_at, (SELECT c.crawl_id FROM article_version v JOIN capture c ON c.id = v.capture_id
          WHERE v.article_key = k.key AND v.number = 1) AS first_crawl
      FROM asked a LEFT JOIN article k ON k.portal = :portal AND k.article_id = a.n),
    told AS (
      SELECT e.outcome, e.reason, CASE WHEN e.first_crawl <> :crawl THEN 'rechecks'
          WHEN {_BEFORE.format(number="e.n")} THEN 'owed' ELSE 'new' END AS part,
        CASE WHEN e.first_crawl = :crawl THEN 1 ELSE 0 END AS first_had,
        CASE WHEN EXISTS (SELECT 1 FROM article_version v JOIN capture c ON c.id = v.capture_id
            WHERE v.article_key = e.key AND v.number > 1 AND c.crawl_id = :crawl)
          OR (e.outcome = 'missing' AND e.first_crawl <> :crawl AND NOT EXISTS (SELECT 1 FROM outcome o
            WHERE o.article_id = e.n AND o.outcome = 'missing' AND o.crawl_id <> :crawl AND o.at > e.last_captured_at))
          THEN 1 ELSE 0 END AS changed
      FROM ended e)
    SELECT part, outcome, reason, COUNT(*) AS number, SUM(first_had) AS first_had, SUM(changed) AS changed
    FROM told GROUP BY part, outcome, reason
"""  # noqa: S608 - our own words
_PAGES = """
    SELECT o.outcome, o.reason, COUNT(*) AS number FROM outcome o LEFT JOIN capture c ON c.id = o.capture_id
    WHERE o.crawl_id = :crawl AND o.article_id IS NULL
      AND (c.page_kind IN ('listing', 'other', 'missing', 'error', 'blocked') OR (o.outcome NOT IN ('captured', 'revisit')
        AND c.page_kind IS NULL))
      AND NOT EXISTS (SELECT 1 FROM requisite r WHERE r.crawl_id = o.crawl_id AND r.url = o.url)
      AND (o.capture_id IS NULL OR NOT EXISTS (SELECT 1 FROM article_part p WHERE p.part_capture_id = o.capture_id))
      AND (o.capture_id IS NULL OR NOT EXISTS (SELECT 1 FROM requisite r WHERE r.capture_id = o.capture_id))
    GROUP BY o.outcome, o.reason
"""
_SIGHTED = f"""
    SELECT asked, had, fresh, COUNT(*) AS number FROM (
      SELECT n, EXISTS (SELECT 1 FROM outcome o WHERE o.crawl_id = :crawl AND o.article_id = n) AS asked,
        EXISTS (SELECT 1 FROM article k WHERE k.portal = :portal AND k.article_id = n) AS had,
        NOT {_BEFORE.format(number="n")} AS fresh
      FROM (SELECT DISTINCT s.article_id AS n FROM capture c JOIN listing_sighting s ON s.capture_id = c.id
        WHERE c.crawl_id = :crawl) AS shown
    ) AS told GROUP BY asked, had, fresh
"""  # noqa: S608 - our own words
