"""The SQL of a question: its parameters, its macros, and the scope it is asked in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from ..db import views
from ..db.scope import PLAIN, Scope
from ..errors import UsageError
from .question import KINDS, Question, Value

# What is not looked into: texts, quoted names, comments, casts, the head of a macro. Then a parameter.
_TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|::|\{\w+:|:(?P<name>[A-Za-z_]\w*)|(?P<end>;)""", re.DOTALL
)
_OWN = re.compile(
    r"(?:\bWITH|\bRECURSIVE|,)\s+(?P<view>\w+)\s*(?:\([^()]*\)\s*)?AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(", re.IGNORECASE
)
_READS = re.compile(r"(?:SELECT|WITH|VALUES)\b", re.IGNORECASE)


def statement(question: Question, dialect: str, scope: Scope = PLAIN) -> str:
    """Return the question's query for a database (`sqlite` or `postgresql`) and a scope, with parameters like `:name`.

    Each stands in a cast to the SQL type of its kind, so that text from a web form and NULL do as well.
    """
    kinds = {parameter.name: KINDS[parameter.kind] for parameter in question.parameters}
    return _written(question, dialect, scope, lambda name: f"CAST(:{name} AS {kinds[name]})")


def runnable(question: Question, dialect: str, given: Mapping[str, Value], scope: Scope = PLAIN) -> str:
    """Return the query as it can be pasted into a shell of the database: `given` (all parameters, see `values`) written out."""
    kinds = {parameter.name: KINDS[parameter.kind] for parameter in question.parameters}
    return _written(question, dialect, scope, lambda name: _literal(given[name], kinds[name])) + ";"


def check(path: Path, line: int, sql: str, parameters: Collection[str]) -> str:
    """Return a file's query without the semicolon behind it. Raises UsageError for one that is not one query that reads, or
    whose parameters or macros are not those there are."""
    query = sql.strip().removesuffix(";").rstrip()
    if not _READS.match(query):
        raise UsageError(f"{path}, line {line}: a question only reads: its query begins with SELECT, WITH or VALUES")
    for place, wrong in _wrong(query, parameters):
        raise UsageError(f"{path}, line {line + query.count(chr(10), 0, place)}: {wrong}")
    if unused := [name for name in parameters if name not in parameters_of(query)]:
        raise UsageError(f"{path}: the query does not use the parameter {unused[0]}")
    return query


def _wrong(query: str, parameters: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with a query, and where."""
    for found in _TOKEN.finditer(query):
        if found["name"] and found["name"] not in parameters:
            yield found.start(), f"no line `-- parameter:` tells of :{found['name']}"
        if found["end"]:
            yield found.start(), "a question is one query: take the semicolon away, and what comes after it"
    for found in _OWN.finditer(query):
        if found["view"] in views.VIEWS:
            yield found.start("view"), f"{found['view']} is a view: give the expression another name"
    for place, name in views.macros_of(query):
        if name not in views.MACROS:
            yield place, f"there is no macro {name!r}: there are {', '.join(views.MACROS)}"


def placed(sql: str, put: Callable[[str], str]) -> str:
    """Return SQL with what `put` makes of each parameter's name in its place."""
    return _TOKEN.sub(lambda found: found[0] if found["name"] is None else put(found["name"]), sql)


def guarded(sql: str) -> str:
    """Return SQL in which SQLAlchemy's text() takes no colon for a parameter but those of parameters."""
    return _TOKEN.sub(lambda found: found[0] if found["name"] or found[0] == "::" else found[0].replace(":", r"\:"), sql)


def parameters_of(sql: str) -> list[str]:
    """Return the names of the parameters in SQL, each once, in order."""
    return list(dict.fromkeys(found["name"] for found in _TOKEN.finditer(sql) if found["name"]))


def _written(question: Question, dialect: str, scope: Scope, put: Callable[[str], str]) -> str:
    return views.scoped(views.expanded(placed(question.sql, put), dialect, scope), dialect, scope)


def _literal(value: Value, kind: str) -> str:
    if value is None:
        return f"CAST(NULL AS {kind})"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"({value!r})" if value < 0 else repr(value)
