"""Asking a question: its answer, row by row, within a time limit, through a connection that only reads."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ..db.scope import PLAIN, Scope
from ..errors import UsageError
from .parameters import values
from .question import Question
from .wording import guarded, statement

Row = tuple[Any, ...]

# SQLite asks whether to go on after so many steps of its machine: some ten thousand times a second.
_STEPS = 10_000
_TIMED_OUT = ("SQLITE_INTERRUPT", "57014")
# What a query itself is to blame for: of SQLite by name, of PostgreSQL by the class of its state.
_OWN_FAULTS = ("SQLITE_ERROR", "SQLITE_READONLY", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE", "SQLITE_AUTH")
_OWN_CLASSES = ("42", "22", "21", "25", "0A")
_WRITING = ("SQLITE_READONLY", "25006")
_NAMED = re.compile(r'(?:near "|column "|relation "|: )([\w.]+)')


def answer(
    connection: Connection,
    question: Question,
    given: Mapping[str, object],
    scope: Scope = PLAIN,
    seconds: float | None = None,
) -> tuple[list[str], Iterator[Row]]:
    """Return the names of the answer's columns and its rows, which are read as they are asked for.

    Raises UsageError for parameters that are not right, a query the database does not take, one that writes, and one that
    takes longer than so many seconds (None = as long as it takes); the last ones also while rows are read.
    """
    told = values(question, given)
    asked = text(guarded(statement(question, connection.dialect.name, scope)))
    rows = _answered(connection, question, asked, told, seconds)
    return next(rows), rows


def _answered(connection: Connection, question: Question, asked: Any, told: Any, seconds: float | None) -> Iterator[Any]:
    """Yield the names of the columns, then the rows."""
    with _explained(question, seconds), _limited(connection, seconds):
        result = connection.execute(asked, told, execution_options={"stream_results": True})
        try:
            yield list(result.keys())
            for row in result:
                yield tuple(row)
        finally:
            result.close()


@contextmanager
def _limited(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Let what is asked in the block take so long; afterwards the connection is as it was."""
    if seconds is None:
        yield
    elif connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        end = monotonic() + seconds
        driver.set_progress_handler(lambda: monotonic() > end, _STEPS)
        try:
            yield
        finally:
            with suppress(sqlite3.ProgrammingError):  # whoever leaves rows unread may have closed it by now
                driver.set_progress_handler(None, _STEPS)
    else:
        before = connection.exec_driver_sql("SHOW statement_timeout").scalar_one()
        connection.exec_driver_sql(f"SET statement_timeout = {max(1, int(seconds * 1000))}")
        again = f"SET statement_timeout = '{before}'"
        try:
            yield
        except GeneratorExit:
            if not connection.closed:
                connection.exec_driver_sql(again)
            raise
        connection.exec_driver_sql(again)  # after an error the transaction is undone, and with it what was set


@contextmanager
def _explained(question: Question, seconds: float | None) -> Iterator[None]:
    """Turn an error that is the question's own fault into a UsageError; any other goes on."""
    try:
        yield
    except DBAPIError as error:
        code = str(getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or "")
        if code in _TIMED_OUT:
            raise UsageError(
                f"{question.name} took longer than {seconds:g} seconds: narrow it down by its parameters, "
                "or allow more with WUHU_ASK_SECONDS"
            ) from error
        if not (code in _OWN_FAULTS or code[:2] in _OWN_CLASSES):
            raise
        words = " ".join(str(error.orig).split("\n")[0].split())
        wrong = f"a question only reads ({words})" if code in _WRITING else f"the database does not take the query: {words}"
        raise UsageError(f"{question.file}, {_place(question, words)}: {wrong}") from error


def _place(question: Question, words: str) -> str:
    """Return which line an error is about, by the word it names; all lines of the query when that stands in several."""
    named = _NAMED.search(words)
    lines = question.sql.split("\n")
    if named:
        word = re.compile(rf"(?<![\w.]){re.escape(named[1])}(?![\w.])")
        found = [number for number, line in enumerate(lines, question.line) if word.search(line)]
        if len(found) == 1:
            return f"line {found[0]}"
    return f"lines {question.line} to {question.line + len(lines) - 1}" if len(lines) > 1 else f"line {question.line}"
