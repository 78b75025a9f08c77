"""SQL views: answers that are asked for again and again, under names that stay. Each says what it and its columns mean.

A view is not data: it is no part of the migrations' history, but made anew from here whenever they have run, so a changed view
comes with a migration, be it an empty one. A view reads tables, and views that stand before it.

They are written for SQLite and PostgreSQL alike, and for any scope: what differs is a macro, `{name:argument,argument}`, see
MACROS. Those of this module tell planning what there is, suppressed or not; those of `shown` are for analysts. The database
has them in the plain scope; `scoped` puts those of another one before a query, under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, inspect, text

from .scope import PLAIN, ZONE, Scope
from .shown import GONE_DAYS, GONE_TIMES, SHOWN
from .view import View

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
    **SHOWN,
}


def _days(dialect: str, scope: Scope, later: str, earlier: str) -> str:
    """Days between two times of ours, or two dates, with fractions."""
    if dialect == "sqlite":
        return f"(julianday({later}) - julianday({earlier}))"
    return f"CAST(EXTRACT(EPOCH FROM ({later})::timestamptz - ({earlier})::timestamptz) / 86400 AS DOUBLE PRECISION)"


def _day(dialect: str, scope: Scope, moment: str) -> str:
    """The day of a time of ours in Asia/Shanghai, which has not changed its clocks since 1991."""
    if dialect == "sqlite":
        return f"date({moment}, '+8 hours')"
    return f"TO_CHAR(({moment})::timestamptz AT TIME ZONE '{ZONE.key}', 'YYYY-MM-DD') COLLATE \"C\""


def _month(dialect: str, scope: Scope, day: str) -> str:
    """The month of a day or time, `2024-02`."""
    return f"SUBSTR({day}, 1, 7)"


def _rounded(dialect: str, scope: Scope, number: str, digits: str) -> str:
    """A number rounded to so many digits behind the point, as a number with a point on either database."""
    if dialect == "sqlite":
        return f"ROUND(CAST({number} AS DOUBLE PRECISION), {digits})"
    return f"CAST(ROUND(CAST({number} AS NUMERIC), {digits}) AS DOUBLE PRECISION)"


def _weekday(dialect: str, scope: Scope, day: str) -> str:
    """The weekday of a day: 1 = Monday to 7 = Sunday."""
    if dialect == "sqlite":
        return f"((CAST(strftime('%w', {day}) AS INTEGER) + 6) % 7 + 1)"
    return f"CAST(EXTRACT(ISODOW FROM ({day})::date) AS INTEGER)"


def _after(dialect: str, scope: Scope, day: str, number: str) -> str:
    """The day so many days after another one."""
    if dialect == "sqlite":
        return f"date({day}, ({number}) || ' days')"
    return f"TO_CHAR(({day})::date + CAST({number} AS INTEGER), 'YYYY-MM-DD') COLLATE \"C\""


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


def _gone(dialect: str, scope: Scope, times: str, since: str, until: str) -> str:
    """How an article stands that was missing so often between two times: `gone` or `missing`."""
    is_gone = f"{times} >= {GONE_TIMES} AND {_days(dialect, scope, until, since)} >= {GONE_DAYS}"
    return f"CASE WHEN {is_gone} THEN 'gone' ELSE 'missing' END"


def _elements(dialect: str, scope: Scope, names: str) -> str:
    """A JSON list of texts as a table: each.value."""
    if dialect == "sqlite":
        return f"json_each({names}) each"
    # Text out of JSON has the server's order, that of our columns is by bytes.
    parts = f"json_array_elements_text({names}) WITH ORDINALITY part(value, place)"
    return f'LATERAL (SELECT part.value COLLATE "C" AS value, part.place FROM {parts}) each'  # noqa: S608 - our own words


def _between(separator: str) -> Callable[..., str]:
    def joined(dialect: str, scope: Scope, names: str) -> str:
        """A JSON list of texts as one text with a separator; NULL for an empty one."""
        told = "group_concat(each.value, {})" if dialect == "sqlite" else "string_agg(each.value, {} ORDER BY each.place)"
        return f"(SELECT {told.format(separator)} FROM {_elements(dialect, scope, names)})"  # noqa: S608 - our own words

    return joined


def _lines(dialect: str, scope: Scope, names: str) -> str:
    """A JSON list of texts as one text, a line each; NULL for an empty one."""
    return _between("CHAR(10)" if dialect == "sqlite" else "CHR(10)")(dialect, scope, names)


MACROS: Mapping[str, Callable[..., str]] = {
    "days": _days,
    "day": _day,
    "month": _month,
    "weekday": _weekday,
    "after": _after,
    "round": _rounded,
    "until": _until,
    "shown": _shown,
    "latest": _latest,
    "last_captured": _last_captured,
    "gone": _gone,
    "elements": _elements,
    "joined": _between("'、'"),
    "path": _between("' > '"),
    "lines": _lines,
}
# Texts, quoted names and comments are left as they are.
QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/"""
_MACRO = re.compile(QUOTED + r"|\{(?P<name>\w+):(?P<arguments>[^{}]*)\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")


def expanded(sql: str, dialect: str, scope: Scope = PLAIN) -> str:
    """Return SQL with its macros written out for a database and a scope."""

    def written_out(found: re.Match[str]) -> str:
        name = found["name"]
        return found[0] if name is None else MACROS[name](dialect, scope, *_split(found["arguments"]))

    before = None
    while before != sql:  # a macro may stand in another one
        before, sql = sql, _MACRO.sub(written_out, sql)
    return sql


def _split(arguments: str) -> list[str]:
    """Return a macro's arguments: a comma inside parentheses does not end one."""
    parts, depth = [""], 0
    for character in arguments:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def macros_of(sql: str) -> list[tuple[int, str]]:
    """Return where each macro stands in SQL, and its name; one that stands in another one is not told of."""
    return [(found.start(), found["name"]) for found in _MACRO.finditer(sql) if found["name"] is not None]


def query(name: str, dialect: str, scope: Scope = PLAIN) -> str:
    """Return the query of a view for a database and a scope, on one line."""
    return expanded(" ".join(VIEWS[name].query.split()), dialect, scope)


def definition(name: str, dialect: str) -> str:
    """Return the statement that creates a view."""
    return f"CREATE VIEW {name} AS {query(name, dialect)}"


def scoped(sql: str, dialect: str, scope: Scope = PLAIN) -> str:
    """Return a query whose views show the archive in a scope: each view it reads stands before it as a table expression."""
    if scope.is_plain:
        return sql
    # Not materialized, so that a column nobody asks for costs nothing, as in a view.
    before = [f"{name} AS NOT MATERIALIZED ({query(name, dialect, scope)})" for name in read_by(sql)]
    if not before:
        return sql
    words = re.match(r"\s*WITH\s+(RECURSIVE\s+)?", sql, re.IGNORECASE)
    recursive = "RECURSIVE " if words and words[1] else ""
    rest = f",\n{sql[words.end() :]}" if words else f"\n{sql}"
    return f"WITH {recursive}" + ",\n".join(before) + rest


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
