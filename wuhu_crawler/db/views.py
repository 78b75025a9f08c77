"""SQL views: answers that are asked for again and again, under names that stay. Each says what it and its columns mean.

A view is not data: it is no part of the migrations' history, but made anew from here whenever they have run, so a changed view
comes with a migration, be it an empty one. A view reads tables, and views that stand before it.

They are written for SQLite and PostgreSQL alike, and for any scope: what differs is a macro, `{name:argument,argument}`, see
_MACROS. The database has them in the plain scope; `scoped` puts those of another one before a query, under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from .scope import PLAIN, Scope


@dataclass(frozen=True, slots=True)
class View:
    """A view: what a row is, its columns with their meanings, and its query, in which macros may stand."""

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
        WHERE o.article_id IS NOT NULL AND o.outcome <> 'excluded' AND {until:o.at}
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
            ROW_NUMBER() OVER (PARTITION BY portal, article_id ORDER BY observed_at DESC, COALESCE(capture_id, 0) DESC) AS place
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
          FROM view_observation s JOIN article a ON a.key = s.article_key WHERE {until:s.observed_at}
          WINDOW turn AS (PARTITION BY s.article_key ORDER BY s.observed_at, s.capture_id))
        SELECT portal, article_id, observed_at, capture_id, views, change, days,
          CASE WHEN change >= 0 AND days > 0.0007 THEN change / days END AS per_day,
          CASE WHEN change < 0 THEN CASE WHEN views * 10 < before THEN 'reset' ELSE 'decrease' END END AS flag
        FROM seen
        """,
    ),
    "articles": View(
        "What analysts ask of: one row an article, with the fields of its latest version; suppressed ones are not in it",
        {
            "portal": "The portal",
            "article_id": "The portal's article number",
            "url": "Its URL",
            "title": "Title as served",
            "category": "Category: the crumb before 正文; NULL = none shown",
            "published_at": "Publication time in the portal's zone, with offset; text order is time order within a zone",
            "published_on": "Its day, `2024-02-03`",
            "published_precision": "second, minute, or day (no time printed: published_at says 00:00:00)",
            "source_date": "Date of the source (来源时间为)",
            "reporters": "Names of the reporter credits, 、 between them; NULL = none",
            "outlets": "Outlets named in the credits, 、 between them; NULL = none",
            "views": "Views as last seen; NULL = never shown",
            "body": "Paragraphs in reading order, one a line, headings included",
            "characters": "Characters of the body",
            "versions": "Number of versions, so the number of this one",
            "first_captured_at": "When the article was first captured (UTC)",
            "last_captured_at": "When it was last captured (UTC)",
            "version_captured_at": "When this version was first captured (UTC)",
            "capture_id": "The capture this version was read from",
            "article_digest": "Digest of title, dates, credits and body",
            "article_key": "Our number of the article",
            "version_id": "Our number of the version",
        },
        """
        SELECT a.portal, a.article_id, v.url, v.title, g.name AS category, v.published_at,
          SUBSTR(v.published_at, 1, 10) AS published_on, v.published_precision, v.source_date,
          {joined:v.reporters} AS reporters, {joined:v.outlets} AS outlets,
          (SELECT s.views FROM view_observation s WHERE s.article_key = a.key AND {until:s.observed_at}
            ORDER BY s.observed_at DESC, s.capture_id DESC LIMIT 1) AS views,
          v.body, LENGTH(v.body) AS characters, v.number AS versions, a.first_captured_at,
          {last_captured:a} AS last_captured_at, c.captured_at AS version_captured_at, v.capture_id, v.article_digest,
          a.key AS article_key, v.id AS version_id
        FROM article a JOIN article_version v ON v.article_key = a.key AND {latest:a,v}
        JOIN capture c ON c.id = v.capture_id LEFT JOIN category g ON g.id = v.category_id
        WHERE {shown:a.portal,a.article_id}
        """,
    ),
}


def _days(dialect: str, scope: Scope, later: str, earlier: str) -> str:
    """Days between two times of ours."""
    if dialect == "sqlite":
        return f"(julianday({later}) - julianday({earlier}))"
    return f"(EXTRACT(EPOCH FROM ({later})::timestamptz - ({earlier})::timestamptz) / 86400)"


def _until(dialect: str, scope: Scope, moment: str) -> str:
    """Whether a time of ours is known in the scope."""
    return "TRUE" if scope.until is None else f"{moment} < '{scope.until_text}'"


def _shown(dialect: str, scope: Scope, portal: str, article_id: str) -> str:
    """Whether an article is not suppressed, or suppressed ones are shown."""
    if scope.suppressed:
        return "TRUE"
    suppressed = f"hidden.portal = {portal} AND hidden.article_id = {article_id} AND hidden.lifted_at IS NULL"
    return f"NOT EXISTS (SELECT 1 FROM suppression hidden WHERE {suppressed})"  # noqa: S608 - our own words


def _latest(dialect: str, scope: Scope, article: str, version: str) -> str:
    """Whether a version is the latest one of its article that is known in the scope."""
    if scope.until is None:
        return f"{version}.number = {article}.versions"
    known = "FROM article_version known JOIN capture seen ON seen.id = known.capture_id"
    return (
        f"{version}.number = (SELECT MAX(known.number) {known} "
        f"WHERE known.article_key = {article}.key AND {_until(dialect, scope, 'seen.captured_at')})"
    )


def _last_captured(dialect: str, scope: Scope, article: str) -> str:
    """When an article was last captured, as far as it is known in the scope."""
    if scope.until is None:
        return f"{article}.last_captured_at"
    captures = "FROM capture seen JOIN crawl made ON made.id = seen.crawl_id"
    return (
        f"(SELECT MAX(seen.captured_at) {captures} WHERE seen.article_id = {article}.article_id "
        f"AND made.portal = {article}.portal AND seen.page_kind = 'article' AND {_until(dialect, scope, 'seen.captured_at')})"
    )


def _joined(dialect: str, scope: Scope, names: str) -> str:
    """A JSON list of texts as one text, with 、 between them; NULL for an empty one."""
    if dialect == "sqlite":
        return f"(SELECT group_concat(each.value, '、') FROM json_each({names}) each)"  # noqa: S608 - our own words
    return f"(SELECT string_agg(each.value, '、' ORDER BY each.place) FROM {_ELEMENTS.format(names)} each(value, place))"  # noqa: S608 - our own words


_ELEMENTS = "json_array_elements_text({}) WITH ORDINALITY"
_MACROS: Mapping[str, Callable[..., str]] = {
    "days": _days,
    "until": _until,
    "shown": _shown,
    "latest": _latest,
    "last_captured": _last_captured,
    "joined": _joined,
}
_MACRO = re.compile(r"\{(\w+):([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*")


def expanded(sql: str, dialect: str, scope: Scope = PLAIN) -> str:
    """Return SQL with its macros written out for a database and a scope, on one line."""

    def written_out(macro: re.Match[str]) -> str:
        return _MACROS[macro[1]](dialect, scope, *macro[2].split(","))

    return _MACRO.sub(written_out, " ".join(sql.split()))


def definition(name: str, dialect: str) -> str:
    """Return the statement that creates a view."""
    return f"CREATE VIEW {name} AS {expanded(VIEWS[name].query, dialect)}"


def scoped(sql: str, dialect: str, scope: Scope = PLAIN) -> str:
    """Return a query whose views show the archive in a scope: each view it reads stands before it as a table expression."""
    if scope.is_plain:
        return sql
    before = [f"{name} AS ({expanded(VIEWS[name].query, dialect, scope)})" for name in read_by(sql)]
    if not before:
        return sql
    words = re.match(r"\s*WITH\s+(RECURSIVE\s+)?", sql, re.IGNORECASE)
    recursive = "RECURSIVE " if words and words[1] else ""
    rest = f", {sql[words.end() :]}" if words else f" {sql}"
    return f"WITH {recursive}{', '.join(before)}{rest}"


def read_by(sql: str) -> list[str]:
    """Return the views a query names, and those they read, in the order they depend on each other."""
    wanted = set(_NAME.findall(sql))
    for name in reversed(VIEWS):
        if name in wanted:
            wanted.update(_NAME.findall(VIEWS[name].query))
    return [name for name in VIEWS if name in wanted]


def drop(connection: Connection) -> None:
    """Drop every view there is: a table they read cannot be changed under them."""
    for name in reversed([found for found in VIEWS if found in inspect(connection).get_view_names()]):
        connection.execute(text(f"DROP VIEW {name}"))


def create(connection: Connection) -> None:
    """Create every view."""
    for name in VIEWS:
        # Without parameters, or psycopg would take a % in the words for the place of one.
        connection.exec_driver_sql(definition(name, connection.dialect.name), execution_options={"no_parameters": True})


def differences(connection: Connection) -> list[str]:
    """Return the names of the views that are not there, or not as here (SQLite keeps their words)."""
    if connection.dialect.name != "sqlite":
        return sorted(set(VIEWS) - set(inspect(connection).get_view_names()))
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
    found = {row.name: row.sql for row in rows}
    return [name for name in VIEWS if found.get(name) != definition(name, "sqlite")]
