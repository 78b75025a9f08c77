"""From what a user says to the values of a question's parameters."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date
from difflib import get_close_matches

from ..errors import UsageError
from .question import Parameter, Question, Value

LARGEST = 2**63 - 1
_EXAMPLES = {"integer": "a whole number like 20", "number": "a number like 1.5", "date": "a day like 2024-03-01"}


def values(question: Question, given: Mapping[str, object]) -> dict[str, Value]:
    """Return a value for each parameter: what is given, parsed by its kind, else the default. None and "" count as not given.

    Raises UsageError for an unknown parameter, or a value that is not of its kind.
    """
    known = {parameter.name: parameter for parameter in question.parameters}
    for name in given:
        if name not in known:
            raise UsageError(f"{question.name} has no parameter {name!r}{_instead(name, known)}")
    return {name: _value(question, parameter, given.get(name)) for name, parameter in known.items()}


def parsed(kind: str, words: str, choices: Collection[str] = ()) -> Value:
    """Return the value a text means as one of KINDS. Raises ValueError when it means none, or is none of the choices."""
    if choices and words not in choices:
        raise ValueError(words)
    if kind == "integer":
        number = int(words)
        if abs(number) > LARGEST:
            raise ValueError(words)
        return number
    if kind == "number":
        real = float(words)
        if not math.isfinite(real):
            raise ValueError(words)
        return real
    if kind == "date":
        day = date.fromisoformat(words).isoformat()
        if day != words:  # 20240301 is a date as well, but not as the views write it
            raise ValueError(words)
        return day
    if "\0" in words:  # no database takes it
        raise ValueError(words)
    return words


def _value(question: Question, parameter: Parameter, given: object) -> Value:
    words = "" if given is None else str(given).strip()
    if not words:
        return parameter.default
    try:
        return parsed(parameter.kind, words, parameter.choices)
    except ValueError as error:
        example = " or ".join(parameter.choices) or _EXAMPLES.get(parameter.kind, "a text")
        raise UsageError(f"{question.name}: {parameter.name}={words!r} is not right: give {example}") from error


def _instead(name: str, known: Mapping[str, Parameter]) -> str:
    close = get_close_matches(name, known, 1)
    if close:
        return f": did you mean {close[0]}?"
    return f": there are {', '.join(known)}" if known else ": it has none"
