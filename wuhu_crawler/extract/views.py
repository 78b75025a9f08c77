"""The view counter: a number behind its label, one an inline script writes, or a bare one beside a bare date."""

from __future__ import annotations

import re

from ..items import Article
from .dates import normalize_digits
from .document import Line
from .hyperlinks import counter_url
from .labels import is_decoy
from .reading import ABSENT, Reading, meta_lines, note

_WRITTEN = re.compile(r"document\.write(?:ln)?\(\s*[\"']?(\d{1,9})[\"']?\s*\);?")


def read_views(article: Article, reading: Reading) -> None:
    """Fill views; a counter script is noted as evidence, its number is not on the page."""
    for line in (line for lines in meta_lines(reading) for line in lines):
        found = _labelled_views(line, reading)
        if found is not None:
            article.views, words = found
            note(article, "views", "label and number", words)
            return
    written = _written_views(reading)
    if written:
        article.views = written[0]
        note(article, "views", "inline script", written[1])
        return
    counter = counter_url(reading.document, reading.url, reading.number, reading.portal.counter_urls)
    if counter:
        note(article, "views", "script counter", counter[0])
        return
    bare = _bare_views(reading)
    if bare is not None:
        article.views = int(bare.text)
        note(article, "views", "bare number beside the bare date", bare.text)
        return
    note(article, "views", ABSENT, "no view label with a number near title and date, no counter script")


def _labelled_views(line: Line, reading: Reading) -> tuple[int, str] | None:
    if len(line.text) > 160 or not reading.labels.views_hint.search(line.text) or is_decoy(line.text):
        return None
    for found in reading.labels.views.finditer(normalize_digits(line.text)):
        if found["views"]:
            return _number(found["views"]), found.group()
        if found.end() == len(line.text) and line.index + 1 < len(reading.document.lines):
            value = re.fullmatch(
                r"(\d{1,3}(?:,\d{3})+|\d{1,9})\s*(?:次|人|人次|℃)?",
                normalize_digits(reading.document.lines[line.index + 1].text),
            )
            if value:
                return int(value[1].replace(",", "")), f"{line.text} {value[0]}"
    return None


def _number(words: str) -> int:
    """Return the number printed as 1036, 1,036 or 1.2万."""
    if words.endswith("万"):
        return round(float(words[:-1]) * 10_000)
    return int(words.replace(",", ""))


def _written_views(reading: Reading) -> tuple[int, str] | None:
    """Return the number an inline script writes beside the article's slots: 阅读：<script>document.write('88')</script>."""
    near = {line.index for lines in meta_lines(reading) for line in lines if reading.labels.views.search(line.text)}
    for index, src, text in reading.document.scripts:
        found = _WRITTEN.fullmatch(text.strip()) if not src and index in near else None
        if found:
            return int(found[1]), found.group()
    return None


def _bare_views(reading: Reading) -> Line | None:
    date = reading.region.date
    if date is None or date.rule != "bare":
        return None
    for index in (date.index - 1, date.index + 1):
        if 0 <= index < len(reading.document.lines):
            line = reading.document.lines[index]
            same_row = line.cell is not None and line.cell.parent is reading.document.lines[date.index].node.parent
            if same_row and line.text.isascii() and line.text.isdigit() and len(line.text) <= 9:
                return line
    return None
