"""What a saved question is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Kind of a parameter -> the SQL type its value is cast to, by names both databases read alike. A date is text like 2024-03-01.
KINDS = {"text": "TEXT", "integer": "BIGINT", "number": "DOUBLE PRECISION", "date": "TEXT"}

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may be said with a question: `kind` is one of KINDS, `default` a value of that kind or None, which is NULL.

    `choices` are the only words it takes; none = any.
    """

    name: str
    kind: str
    default: Value
    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question: `name` is that of its file, `columns` tells what its answer's columns mean (a user's may leave it empty).

    `sql` is the query as it stands in `file` from `line` on, with `:name` parameters and the macros of the views.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]
    sql: str
    group: str
    file: Path
    line: int
