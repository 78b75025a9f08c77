"""The collection file as `wuhu init` writes it: every key with its meaning, those at their default as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from .collection import DEFAULT_JOBS
from .keys import JOB, MAIL, NOTIFY, POLITENESS, RETENTION, TOP, WEBHOOK, Key

_HEAD = """\
# The collection file: what this archive keeps, by which jobs, and when. `wuhu config check` checks it, `wuhu schedule list`
# tells what it means, `wuhu schedule run` does it. Lines that begin with # are defaults or examples.
"""
_JOBS = """
# Jobs. walk, recheck, gaps and verify are there even when nothing is written; a table changes one, `enabled = false` turns it
# off. Others are added by a name of your own and `do`. Those due at the same time run one after the other, in this order.
"""
_EXAMPLES: Sequence[tuple[str, Mapping[str, str]]] = (
    ("backup", {"when": '"daily 07:00"', "options": '["/mnt/copy"]'}),
    ("quarterly", {"do": '"export"', "when": '"0 8 1 1,4,7,10 *"'}),
)


def template(given: Mapping[str, str | Sequence[str]]) -> str:
    """Return the file's text; `given` are keys of its top with their values."""
    return "\n".join(_lines(given)) + "\n"


def _lines(given: Mapping[str, str | Sequence[str]]) -> Iterator[str]:
    yield _HEAD
    for name, key in TOP.items():
        yield from _key(name, key, json.dumps(given[name], ensure_ascii=False) if name in given else None)
    yield _JOBS
    for name, values in DEFAULT_JOBS.items():
        yield f"[jobs.{name}]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in values.items())
        yield ""
    yield "# What else a job can say:"
    yield from (f"#   {f'{name} = {key.default}':<24} {key.meaning}" for name, key in JOB.items() if name != "when")
    for name, words in _EXAMPLES:
        yield from ("", f"# [jobs.{name}]", *(f"# {key} = {value}" for key, value in words.items()))
    for table, keys in (("politeness", POLITENESS), ("retention", RETENTION), ("notify", NOTIFY)):
        yield from ("", f"[{table}]", *(line for name, key in keys.items() for line in _key(name, key, None)))
    for table, keys in (("notify.mail", MAIL), ("notify.webhook", WEBHOOK)):
        yield from ("", f"# [{table}]", *(line for name, key in keys.items() for line in _key(name, key, None)))


def _key(name: str, key: Key, value: str | None) -> Iterator[str]:
    yield f"# {key.meaning}"
    yield f"# {name} = {key.default}" if value is None else f"{name} = {value}"
