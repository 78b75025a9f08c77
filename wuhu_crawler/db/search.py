"""Full-text search in Chinese on SQLite's FTS5.

The tokenizer takes a run of Chinese for one word, so every character is given spaces: a word of any length is then a phrase of
characters, and a search finds what a substring search would. Numbers and Latin words stay whole. The index holds title, body
and byline of each article's latest version, its rowid is `article.key`; it is contentless (the text is in article_version
already), so a row is taken out by giving FTS5 the words that went in: `spaced` may only change together with a reindex.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, TextClause, text

# Article key, title, body, byline.
Indexed = tuple[int, str | None, str, str | None]
SEARCH_TABLE = "article_search"
TITLE_WEIGHT = 8.0

# Words written in letters and digits: everything below the CJK blocks. What else is in these ranges separates words anyway.
_LETTERS = re.compile("[0-9A-Za-z\u00aa-\u2dff]{2,}")
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
# Full-width digits and letters are the same words as their ASCII forms; one character for one, so positions stay.
_FOLD = {wide: wide - 0xFEE0 for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
# What unicode61 takes for a letter or digit; near enough to Python's, the underscore is not one.
_WORD = re.compile(r"[^\W_]+")

_INSERT = text("INSERT INTO article_search (rowid, title, body, byline) VALUES (:key, :title, :body, :byline)")
_DELETE = text(
    "INSERT INTO article_search (article_search, rowid, title, body, byline) VALUES ('delete', :key, :title, :body, :byline)"
)
_CLEAR = text("INSERT INTO article_search (article_search) VALUES ('delete-all')")
_LATEST = text(
    "SELECT a.key, v.title, v.body, v.byline FROM article a "
    "JOIN article_version v ON v.article_key = a.key AND v.number = a.versions ORDER BY a.key"
)
_SEARCH = text(
    "SELECT a.portal, a.article_id, v.title, c.name AS category, v.published_at, v.body, v.byline "
    "FROM (SELECT rowid, bm25(article_search, :title_weight, 1.0, 1.0) AS score FROM article_search "
    "WHERE article_search MATCH :query ORDER BY score, rowid LIMIT :limit OFFSET :offset) AS hit "
    "JOIN article a ON a.key = hit.rowid JOIN article_version v ON v.article_key = a.key AND v.number = a.versions "
    "LEFT JOIN category c ON c.id = v.category_id ORDER BY hit.score, hit.rowid"
)
_COUNT = text("SELECT count(*) FROM article_search WHERE article_search MATCH :query")
_UNINDEXED = text("SELECT count(*) FROM (SELECT key FROM article EXCEPT SELECT id FROM article_search_docsize)")
_STRAY = text("SELECT count(*) FROM (SELECT id FROM article_search_docsize EXCEPT SELECT key FROM article)")


def spaced(words: str) -> str:
    """Return the text as it is indexed: a space between characters but not inside words of letters and digits.

    Full-width digits and letters become ASCII.
    """
    if _WIDE.search(words):
        words = words.translate(_FOLD)
    parts: list[str] = []
    done = 0
    for run in _LETTERS.finditer(words):
        parts += (" ".join(words[done : run.start()]), run[0])
        done = run.end()
    parts.append(" ".join(words[done:]))
    return " ".join(parts)


def query(term: str) -> str | None:
    """Return the FTS5 expression for a plain-text term: every word in it must occur, as a phrase. None without any word."""
    phrases = (" ".join(_WORD.findall(spaced(word))) for word in term.split())
    return " ".join(f'"{phrase}"' for phrase in phrases if phrase) or None


def search(
    connection: Connection, term: str, limit: int = 20, offset: int = 0, *, mark: tuple[str, str] = ("[", "]")
) -> list[dict[str, Any]]:
    """Return the articles whose latest version holds `term`, best first, a word in the title counting most.

    Each is a dict of portal, article_id, title, category, published_at (ISO 8601 text, None when unknown) and snippet, in which
    the hits stand between `mark`. A term without letters or digits finds nothing.
    """
    expression = query(term)
    if expression is None:
        return []
    found = connection.execute(_SEARCH, {"query": expression, "limit": limit, "offset": offset, "title_weight": TITLE_WEIGHT})
    pattern = _pattern(term)
    return [_shown(dict(row), pattern, mark) for row in found.mappings()]


def count(connection: Connection, term: str) -> int:
    """Return how many articles `search` would find without a limit."""
    expression = query(term)
    return 0 if expression is None else int(connection.execute(_COUNT, {"query": expression}).scalar_one())


def selected(term: str) -> tuple[str, dict[str, Any]]:
    """Return a query of one column, `version_id`: the version of each article `term` finds, of all when it is empty.

    With it come its parameters. It reads the view `articles`, so the query it becomes part of is put into a scope as a whole
    (`views.scoped`).
    """
    if not term.strip():
        return "SELECT version_id FROM articles", {}
    expression = query(term)
    if expression is None:
        return "SELECT version_id FROM articles WHERE FALSE", {}
    found = "SELECT rowid FROM article_search WHERE article_search MATCH :search"
    return f"SELECT version_id FROM articles WHERE article_key IN ({found})", {"search": expression}  # noqa: S608


def snippet(body: str, pattern: re.Pattern[str], mark: tuple[str, str], width: int = 60) -> str:
    """Return about `width` characters of `body` around its first hit, hits marked; its beginning when there is none."""
    hit = pattern.search(body.translate(_FOLD))
    start = max(0, hit.start() - width // 3) if hit else 0
    end = max(start + width, hit.end() if hit else 0)
    part = body[start:end]
    pieces, done = [], 0
    for found in pattern.finditer(part.translate(_FOLD)):
        pieces += [part[done : found.start()], mark[0], part[found.start() : found.end()], mark[1]]
        done = found.end()
    shown = "".join((*pieces, part[done:])).replace("\n", " ").strip()
    return ("…" if start else "") + shown + ("…" if end < len(body) else "")


def add_rows(connection: Connection, rows: Iterable[Indexed]) -> None:
    """Index rows inside the caller's transaction."""
    _change(connection, _INSERT, rows)


def remove_rows(connection: Connection, rows: Iterable[Indexed]) -> None:
    """Take rows out of the index; their texts must be those they were added with."""
    _change(connection, _DELETE, rows)


def reindex(connection: Connection) -> int:
    """Make the index anew from the latest versions, in the caller's transaction; return the number of articles."""
    if not is_indexed(connection):
        return 0
    connection.execute(_CLEAR)
    rows = connection.execute(_LATEST)
    total = 0
    for part in rows.partitions(500):
        add_rows(connection, [tuple(row) for row in part])
        total += len(part)
    return total


def is_indexed(connection: Connection) -> bool:
    """Return whether the database has a full-text index of this kind (SQLite only)."""
    return connection.dialect.name == "sqlite"


def index_problems(connection: Connection) -> Iterator[str]:
    """Yield what is wrong with the index, one sentence each."""
    if not is_indexed(connection):
        return
    if missing := connection.execute(_UNINDEXED).scalar_one():
        yield f"{missing} articles are missing from the search index: run `wuhu db reindex`"
    if stray := connection.execute(_STRAY).scalar_one():
        yield f"the search index holds {stray} articles that do not exist: run `wuhu db reindex`"


def _shown(row: dict[str, Any], pattern: re.Pattern[str], mark: tuple[str, str]) -> dict[str, Any]:
    body, byline = row.pop("body"), row.pop("byline")
    # The byline is only shown when the hit stands nowhere else.
    shown = byline if byline and not pattern.search(body.translate(_FOLD)) and pattern.search(byline) else body
    return {**row, "snippet": snippet(shown, pattern, mark)}


def _change(connection: Connection, statement: TextClause, rows: Iterable[Indexed]) -> None:
    parameters = [
        {"key": key, "title": spaced(title or ""), "body": spaced(body), "byline": spaced(byline or "")}
        for key, title, body, byline in rows
    ]
    if parameters:
        connection.execute(statement, parameters)


def _pattern(term: str) -> re.Pattern[str]:
    phrases = (_WORD.findall(spaced(word)) for word in term.split())
    return re.compile("|".join(r"[\W_]*".join(map(re.escape, words)) for words in phrases if words), re.IGNORECASE)
