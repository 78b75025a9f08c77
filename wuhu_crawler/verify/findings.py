"""What can be wrong with an archive: one finding is one damage, with the place it was found at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# kind -> what it means; docs/warc.md has the same table.
KINDS = {
    "database": "SQLite, the schema, the version numbers or the search index are not sound",
    "manifest": "the manifest cannot be read, or does not agree with the database",
    "missing-file": "a file the database or the manifest knows is not there",
    "unknown-file": "a file in warc/ that the database does not know",
    "size": "a file is shorter or longer than when it was closed",
    "hash": "a file is not the one that was closed: its SHA-256 differs",
    "record": "bytes that are no whole record: damaged, or cut off",
    "digest": "a record's block or payload is not the one that was written",
    "shifted": "records lie elsewhere than the database has them: bytes were taken out or put in",
    "missing-record": "a row without its record",
    "unknown-record": "a record without its row",
    "row": "a row that says something else than its record",
    "outcome": "the outcome of a URL is not the one that was noted",
    "article": "the text of a version is not the one its digest was made of",
    "index": "a file's CDXJ index is missing or not the one its records make",
}
# So many of a kind are told of one file; what is more is counted.
SHOWN = 20


class Finding(NamedTuple):
    """One thing that is wrong: its kind, a sentence, the file (or table) it is in, and where in the file (None: all of it)."""

    kind: str
    text: str
    file: str | None = None
    offset: int | None = None

    def __str__(self) -> str:
        place = "".join((f"{self.file}: " if self.file else "", f"at {self.offset}: " if self.offset is not None else ""))
        return f"{place}{self.text} [{self.kind}]"


def limited(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings of one file, of each kind the first ones, then how many there are more."""
    counts: Counter[str] = Counter()
    last: dict[str, Finding] = {}
    for finding in findings:
        counts[finding.kind] += 1
        last[finding.kind] = finding
        if counts[finding.kind] <= SHOWN:
            yield finding
    for kind, number in counts.items():
        if number > SHOWN:
            yield Finding(kind, f"and {number - SHOWN} more like these", last[kind].file)
