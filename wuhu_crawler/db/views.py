"""SQL views: answers that are asked for again and again, under names that stay. Each says what it and its columns mean.

A view is not data: it is no part of the migrations' history, but made anew from here whenever they have run, so a changed view
comes with a migration, be it an empty one. They are written for SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text


@dataclass(frozen=True, slots=True)
class View:
    """A view: what a row is, its columns with their meanings, and its query (`{days}` subtracts two times of ours)."""

    comment: str
    columns: Mapping[str, str]
    query: str


VIEWS: dict[str, View] = {
    "article_observation": View(
        "Every answer to the question whether the portal has an article: one row a crawl and URL that asked for its number",
        {
            "portal": "The portal",
            "article_id": "The portal's article number that was asked for",
            "observed_at": "When it was answered (UTC)",
            "answer": "article; missing (the portal said there is none); error or blocked (ask again); other (another page)",
            "reason": "Refines the answer: soft 404, timeout, portal error, ...",
            "url": "The URL asked",
            "crawl_id": "The crawl that asked",
            "capture_id": "The capture of the answer; NULL = nothing was received",
        },
        """
        SELECT w.portal, o.article_id, o.at AS observed_at,
          CASE WHEN o.outcome IN ('captured', 'revisit') THEN CASE WHEN c.page_kind = 'article' THEN 'article' ELSE 'other' END
            WHEN o.outcome IN ('missing', 'blocked') THEN o.outcome ELSE 'error' END AS answer,
          o.reason, o.url, o.crawl_id, o.capture_id
        FROM outcome o JOIN crawl w ON w.id = o.crawl_id LEFT JOIN capture c ON c.id = o.capture_id
        WHERE o.article_id IS NOT NULL AND o.outcome <> 'excluded'
        """,
    ),
    "article_state": View(
        "What is known of each article number that was ever asked for, from all observations of it",
        {
            "portal": "The portal",
            "article_id": "The portal's article number",
            "answer": "The latest answer, as in article_observation",
            "observed_at": "When it was observed last (UTC)",
            "first_observed_at": "When it was first observed (UTC)",
            "observations": "How often it was observed",
            "last_article_at": "When it was last there as an article (UTC); NULL = never",
            "times_missing": "How often it was missing since it was last there",
            "missing_since": "The first of these times (UTC); NULL = none",
            "missing_until": "The last of these times (UTC); NULL = none",
        },
        """
        WITH told AS (
          SELECT portal, article_id, observed_at, answer,
            MAX(CASE WHEN answer = 'article' THEN observed_at END) OVER (PARTITION BY portal, article_id) AS last_article_at,
            ROW_NUMBER() OVER (PARTITION BY portal, article_id ORDER BY observed_at DESC, capture_id DESC) AS place
          FROM article_observation),
        gone AS (
          SELECT told.*,
            CASE WHEN answer = 'missing' AND (last_article_at IS NULL OR observed_at > last_article_at)
              THEN observed_at END AS missing_at
          FROM told)
        SELECT portal, article_id, MAX(CASE WHEN place = 1 THEN answer END) AS answer, MAX(observed_at) AS observed_at,
          MIN(observed_at) AS first_observed_at, COUNT(*) AS observations, MAX(last_article_at) AS last_article_at,
          COUNT(missing_at) AS times_missing, MIN(missing_at) AS missing_since, MAX(missing_at) AS missing_until
        FROM gone GROUP BY portal, article_id
        """,
    ),
    "view_series": View(
        "The view counter of each article as a series: every observation with what changed since the one before",
        {
            "portal": "The portal",
            "article_id": "The portal's article number",
            "observed_at": "When (UTC)",
            "capture_id": "The capture that shows the number",
            "views": "Views as the page prints them",
            "change": "Views more than at the observation before; NULL = the first",
            "days": "Days since the observation before; NULL = the first",
            "per_day": "Change a day; NULL = the first, less than a minute later, or the counter went back",
            "flag": "decrease = the counter went back; reset = it went back to less than a tenth; NULL = neither",
        },
        """
        WITH seen AS (
          SELECT a.portal, a.article_id, s.observed_at, s.capture_id, s.views,
            s.views - LAG(s.views) OVER turn AS change, LAG(s.views) OVER turn AS before,
            {days:s.observed_at,LAG(s.observed_at) OVER turn} AS days
          FROM view_observation s JOIN article a ON a.key = s.article_key
          WINDOW turn AS (PARTITION BY s.article_key ORDER BY s.observed_at, s.capture_id))
        SELECT portal, article_id, observed_at, capture_id, views, change, days,
          CASE WHEN change >= 0 AND days > 0.0007 THEN change / days END AS per_day,
          CASE WHEN change < 0 THEN CASE WHEN views * 10 < before THEN 'reset' ELSE 'decrease' END END AS flag
        FROM seen
        """,
    ),
}
# Days between two times of ours.
_DAYS = {
    "sqlite": "(julianday({0}) - julianday({1}))",
    "postgresql": "(EXTRACT(EPOCH FROM ({0})::timestamptz - ({1})::timestamptz) / 86400)",
}


def definition(name: str, dialect: str) -> str:
    """Return the statement that creates a view."""
    words = " ".join(VIEWS[name].query.split())
    before, mark, rest = words.partition("{days:")
    if mark:
        operands, _, after = rest.partition("}")
        later, _, earlier = operands.partition(",")
        words = before + _DAYS[dialect].format(later, earlier) + after
    return f"CREATE VIEW {name} AS {words}"


def drop(connection: Connection) -> None:
    """Drop every view there is: a table they read cannot be changed under them."""
    for name in reversed([found for found in VIEWS if found in inspect(connection).get_view_names()]):
        connection.execute(text(f"DROP VIEW {name}"))


def create(connection: Connection) -> None:
    """Create every view."""
    for name in VIEWS:
        connection.exec_driver_sql(definition(name, connection.dialect.name))


def differences(connection: Connection) -> list[str]:
    """Return the names of the views that are not there, or not as here (SQLite keeps their words)."""
    if connection.dialect.name != "sqlite":
        return sorted(set(VIEWS) - set(inspect(connection).get_view_names()))
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
    found = {row.name: row.sql for row in rows}
    return [name for name in VIEWS if found.get(name) != definition(name, "sqlite")]
