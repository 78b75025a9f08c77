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
_TITLE_SUFFIX = re.compile(r"\s*(?:[-_|—–－·@]+|--+|::|>>?|»)\s*")
_SITE = re.compile(r"(?:网|网站|首页|门户|无标题文档|Untitled|在线)\Z")
# A line with less is a guess.
_WEAK = 1.0
_SHORT = 5
_NAMED = 4.0
_SUBTITLE = ("——", "--", "─", "―")


def read_title(article: Article, reading: Reading) -> None:
    """Fill the title; a title below the date leaves the body."""
    best, score = None, 0.0
    hidden = {value for _, _, value in reading.document.inputs if len(value) >= 4}
    for line in _title_lines(reading):
        points = _title_score(line, reading, hidden, article.breadcrumb)
        if points > score:
            best, score = line, points
    named = _named_line(reading, article.breadcrumb) if score < _WEAK else None
    chosen = named or best
    if chosen is not None:
        reading.title_line = chosen.index
        article.title = chosen.text
        note(article, "title", "heading the title element begins with" if named else "line above the date", chosen.text)
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


def _named_line(reading: Reading, breadcrumb: list[str]) -> Line | None:
    """Return the heading before or in the body that the title element names, far from the date as it may stand."""
    lines, site = reading.document.lines[: reading.region.end], {reading.portal.title, *breadcrumb[:-1]}
    found = (line for line in lines if line.heading and _is_named(line, reading))
    return next((line for line in found if line.text not in site and not _SITE.search(line.text)), None)


def _is_named(line: Line, reading: Reading) -> bool:
    """Tell whether the title element is the line, or begins with it and goes on with the names of channel and site."""
    text, title = line.text, reading.document.title or ""
    return len(text) >= 3 and title.startswith(text) and (title == text or bool(_TITLE_SUFFIX.match(title, len(text))))


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
    if not 2 <= len(text) <= _TITLE_LONGEST:
        return 0.0
    # A link is no title, but the heading of an article that links to its own page.
    if line.link_chars * 2 > len(text) and not (line.heading and len(text) > _SHORT and _is_named(line, reading)):
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
    points += _NAMED * _names(reading.document.title or "", text, reading.portal.title)
    if text in hidden:
        points += 4.0
    if len(text) < _SHORT or reading.labels.source.match(text):
        points -= 2.0
    return max(points, 0.05)


def _names(title: str, text: str, site: str) -> int:
    """Return 1 when a title element tells of a line, -1 when the line is just the name of the site or channel in it, else 0."""
    if text not in title:
        return int(len(title) >= 6 and title in text)
    parts = _TITLE_SUFFIX.split(title)
    title_like = text == parts[0] and len(text) == max(map(len, parts))
    if text in parts and not title_like and (text == site or _SITE.search(text)):
        return -1
    return int(len(text) >= 4)


def _document_title(reading: Reading, breadcrumb: list[str]) -> str | None:
    """The `<title>` without the site's name; None when it is nothing but that name."""
    title = reading.document.title
    if not title:
        return None
    parts = [part.strip() for part in _TITLE_SUFFIX.split(title) if part.strip()]
    site = {reading.portal.title, *breadcrumb[:-1]}
    parts = [part for part in parts if part not in site and not _SITE.search(part)]
    return parts[0] if parts and len(parts[0]) >= 4 else None
