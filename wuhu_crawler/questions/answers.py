"""Asking a question: its answer, row by row, within a time limit and without a write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text

from ..db.scope import PLAIN, Scope
from .parameters import values
from .question import Question
from .wording import guarded, statement

Row = tuple[Any, ...]


def answer(
    connection: Connection, question: Question, given: Mapping[str, object], scope: Scope = PLAIN
) -> tuple[list[str], Iterator[Row]]:
    """Return the names of the answer's columns and its rows, which are read as they are asked for.

    Raises UsageError for parameters that are not right.
    """
    told = values(question, given)
    asked = text(guarded(statement(question, connection.dialect.name, scope)))
    result = connection.execute(asked, told, execution_options={"stream_results": True})
    return list(result.keys()), (tuple(row) for row in result)
