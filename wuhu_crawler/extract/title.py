"""The title: the line above the date that stands alone, never a constant title element."""

from __future__ import annotations

import re
from dataclasses import replace

from ..items import Article
from .breadcrumb import crumbs_of
from .document import Line
from .facts import facts_of
from .labels import FURNITURE, is_decoy
from .reading import ABSENT, Reading, note
from .region import is_bare_slot, is_meta

_TITLE_REACH = 14
_TITLE_LONGEST = 120
_TITLE_SUFFIX = re.compile(r"\s*(?:[-_|—–－·]+|--+|::|>>?|»)\s*")
_SUBTITLE = ("——", "--", "─", "―")


def read_title(article: Article, reading: Reading) -> None:
    """Fill the title; a title below the date leaves the body."""
    best, score = None, 0.0
    hidden = {value for _, _, value in reading.document.inputs if len(value) >= 4}
    for line in _title_lines(reading):
        points = _title_score(line, reading, hidden, article.breadcrumb)
        if points > score:
            best, score = line, points
    if best is not None:
        reading.title_line = best.index
        article.title = best.text
        note(article, "title", "line above the date", best.text)
        return
    first = _leading_title(reading)
    if first is not None:
        reading.title_line = first.index
        reading.region = replace(reading.region, start=first.index + 1)
        article.title = first.text
        note(article, "title", "line that opens the body", first.text)
        return
    title = _document_title(reading, article.breadcrumb)
    if title:
        article.title = title
        note(article, "title", "title element", reading.document.title or "")
    else:
        note(article, "title", ABSENT, "no line between breadcrumb and body that stands alone")


def _leading_title(reading: Reading) -> Line | None:
    """Return the title that stands below the date: the first short line of the region, set apart as a heading."""
    lines, region = reading.document.lines, reading.region
    for line in lines[region.start : min(region.end, region.start + 4)]:
        apart = line.heading or (line.centered and line.bold) or line.text in (reading.document.title or "")
        if apart and 2 <= len(line.text) <= _TITLE_LONGEST and not line.text.endswith(("。", "；")):
            return line
    return None


def _title_lines(reading: Reading) -> list[Line]:
    """The lines a title can stand in: above the date and between it and the body, or above the body without a date."""
    lines, region = reading.document.lines, reading.region
    anchor = region.date.index if region.date else region.start
    stop = region.start if region.start > anchor else min(anchor + 1, len(lines))
    return lines[max(0, min(anchor, region.start) - _TITLE_REACH) : stop]


def _title_score(line: Line, reading: Reading, hidden: set[str], breadcrumb: list[str]) -> float:
    text = line.text
    if not 2 <= len(text) <= _TITLE_LONGEST or line.link_chars * 2 > len(text):
        return 0.0
    if is_decoy(text) or FURNITURE.fullmatch(text) or is_meta(line, reading.labels) or text in breadcrumb[:-1]:
        return 0.0
    if (
        text.startswith(_SUBTITLE)
        or text.endswith(("：", ":"))
        or is_bare_slot(line, reading.labels)
        or facts_of(line, reading.labels).end
    ):
        return 0.0
    if reading.labels.position.match(text) or crumbs_of(line, reading.labels, reading.document)[0]:
        return 0.0
    date = reading.region.date
    if date is not None and line.index == date.index:
        return 0.0
    anchor = date.index if date else reading.region.start
    points = 2.0 - 0.25 * abs(anchor - line.index)
    points += 3.0 * line.heading + 1.5 * line.bold + 1.5 * line.centered
    title = reading.document.title or ""
    if len(text) >= 4 and (text in title or (len(title) >= 6 and title in text)):
        points += 4.0
    if text in hidden:
        points += 4.0
    if len(text) < 5 or reading.labels.source.match(text):
        points -= 2.0
    return max(points, 0.05)


def _document_title(reading: Reading, breadcrumb: list[str]) -> str | None:
    """The `<title>` without the site's name; None when it is nothing but that name."""
    title = reading.document.title
    if not title:
        return None
    parts = [part.strip() for part in _TITLE_SUFFIX.split(title) if part.strip()]
    site = {reading.portal.title, *breadcrumb[:-1]}
    parts = [
        part for part in parts if part not in site and not re.search(r"(?:网|网站|首页|门户|无标题文档|Untitled|在线)\Z", part)
    ]
    return parts[0] if parts and len(parts[0]) >= 4 else None
