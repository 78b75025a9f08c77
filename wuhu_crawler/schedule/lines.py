"""Which line of a TOML file a key stands in: tomllib reads values and forgets their places."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_STRINGS = ('"""', "'''")


def line_of(text: str, path: tuple[str, ...]) -> int:
    """Return the line, from 1, of a key or table; of the nearest table that holds it when it is not written, else 0."""
    found: dict[tuple[str, ...], int] = {}
    for number, place in _places(text):
        for end in range(1, len(place) + 1):
            found.setdefault(place[:end], number)
    return next((found[path[:end]] for end in range(len(path), 0, -1) if path[:end] in found), 0)


def _places(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the line and the whole path of every table header and key; lines inside a long string are none."""
    table: tuple[str, ...] = ()
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if inside is not None:
            inside = None if inside in line else inside
            continue
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield number, table
        elif key := _KEY.match(line):
            yield number, (*table, *_parts(key[1]))
            inside = next((mark for mark in _STRINGS if line.count(mark) == 1), None)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(text))
