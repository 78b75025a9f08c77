"""Reading a question from its file: a header of comments, then one query.

-- title: Articles by a reporter
-- group: People
-- description: What someone wrote,
--   newest first. A line that goes on is indented.
-- parameter: name text = NULL; Name of the reporter
-- parameter: role text(reporter|editor) = reporter; In which role
-- column: title; Title as served
SELECT ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from ..errors import UsageError
from .parameters import parsed
from .question import KINDS, Parameter, Question
from .wording import check

KEYS = ("title", "group", "description", "parameter", "column")
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ENTRY = re.compile(r"--\s(\w+):\s*(.*)")
_FURTHER = re.compile(r"--\s{2,}(.*)")
_PARAMETER = re.compile(r"([a-z_]\w*)\s+(\w+)(?:\(([^()]+)\))?\s*=\s*(.*?)\s*;\s*(.+)", re.DOTALL)
_COLUMN = re.compile(r"(\w+)\s*;\s*(.+)", re.DOTALL)

# The line it begins in, its key and its words.
Entry = tuple[int, str, str]


def read(path: Path) -> Question:
    """Return the question in a file. Raises UsageError naming the file and the line for anything a question is not."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if not NAME.fullmatch(path.stem):
        raise UsageError(f"{path}: call the file by small letters, digits and single hyphens, like quiet-days.sql")
    header = list(takewhile(lambda line: not line.strip() or line.startswith("--"), lines))
    entries = list(_entries(path, header))
    parameters = _parameters(path, entries)
    return Question(
        name=path.stem,
        title=_only(path, entries, "title", None),
        description=_only(path, entries, "description", ""),
        parameters=parameters,
        columns=_columns(path, entries),
        sql=check(path, len(header) + 1, "\n".join(lines[len(header) :]), [each.name for each in parameters]),
        group=_only(path, entries, "group", "Yours"),
        file=path,
        line=len(header) + 1,
    )


def _entries(path: Path, header: list[str]) -> Iterator[Entry]:
    """Yield the entries of a header, the indented lines that go on with one put behind it. After an empty line any other
    words are remarks, before it they are a mistake."""
    entry: Entry | None = None
    may_remark = False
    for number, line in enumerate(header, 1):
        may_remark |= not line.strip()
        if entry is not None and (further := _FURTHER.fullmatch(line)):
            entry = (*entry[:2], f"{entry[2]} {further[1].strip()}")
            continue
        found = _ENTRY.fullmatch(line)
        known = found is not None and found[1] in KEYS
        if not (known or may_remark or not line.strip("- \t")):
            raise UsageError(f"{path}, line {number}: {line!r} is no line of a header: it begins with {_ways()}")
        if entry is not None and (known or line.strip("- \t")):
            yield entry
            entry = None
        if known and found is not None:
            entry = (number, found[1], found[2].strip())
    if entry is not None:
        yield entry


def _ways() -> str:
    return ", ".join(f"`-- {key}:`" for key in KEYS) + ", or with two spaces where it goes on with the line before"


def _only(path: Path, entries: list[Entry], key: str, default: str | None) -> str:
    """Return the words of an entry that stands once; None as the default = it must be there."""
    found = [(number, words) for number, name, words in entries if name == key]
    if len(found) > 1:
        raise UsageError(f"{path}, line {found[1][0]}: `{key}` stands there a second time")
    if found and found[0][1]:
        return found[0][1]
    if default is None:
        raise UsageError(f"{path}, line {found[0][0] if found else 1}: the header needs a line `-- {key}: ...`")
    return default


def _parameters(path: Path, entries: list[Entry]) -> tuple[Parameter, ...]:
    found: dict[str, Parameter] = {}
    for number, key, words in entries:
        if key == "parameter":
            each = _parameter(f"{path}, line {number}", words)
            if each.name in found:
                raise UsageError(f"{path}, line {number}: the parameter {each.name} stands there a second time")
            found[each.name] = each
    return tuple(found.values())


def _parameter(place: str, words: str) -> Parameter:
    parts = _PARAMETER.fullmatch(words)
    if parts is None:
        raise UsageError(f"{place}: write a parameter as `-- parameter: NAME KIND = DEFAULT; MEANING` (DEFAULT may be NULL)")
    name, kind, listed, default, meaning = parts.groups()
    choices = tuple(word.strip() for word in (listed or "").split("|") if word.strip())
    if kind not in KINDS:
        raise UsageError(f"{place}: {kind!r} is no kind of parameter: there are {', '.join(KINDS)}")
    try:
        value = None if default.upper() == "NULL" else parsed(kind, default, choices)
    except ValueError as error:
        raise UsageError(f"{place}: the default {default!r} is no {kind}{' of these' if choices else ''}") from error
    return Parameter(name, kind, value, meaning, choices)


def _columns(path: Path, entries: list[Entry]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, key, words in entries:
        if key == "column":
            parts = _COLUMN.fullmatch(words)
            if parts is None:
                raise UsageError(f"{path}, line {number}: write a column as `-- column: NAME; MEANING`")
            found[parts[1]] = parts[2]
    return found
