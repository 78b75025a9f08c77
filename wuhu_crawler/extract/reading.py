"""An article page being read: what every rule of its fields needs at hand, and how evidence is noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..items import Article, Evidence
from ..portals import Portal
from .document import Document, Line
from .hyperlinks import Hyperlink
from .labels import Labels
from .region import Region

ABSENT = "absent"
# Rules that begin so found words no reader sees; the name they stand under follows.
FOR_PROGRAMS = "told to programs as"


@dataclass(slots=True)
class Reading:
    """An article page being read: what every rule needs at hand."""

    document: Document
    links: list[Hyperlink]
    labels: Labels
    region: Region
    url: str
    portal: Portal
    captured_at: datetime
    number: int | None
    title_line: int | None = None


def note(article: Article, field: str, rule: str, text: str) -> None:
    """Note the rule that found a field and the words it was found in; for an absent field rule ABSENT and the reason."""
    article.evidence[field] = Evidence(rule=rule, text=text[:300])


def meta_lines(reading: Reading) -> tuple[list[Line], list[Line]]:
    """Lines that can hold the article's slots: those above the body, nearest to the date first, and those below it."""
    lines, region = reading.document.lines, reading.region
    anchor = region.date.index if region.date else region.start
    near = lines[max(0, min(anchor, region.start) - 8) : max(region.start, anchor + 1)]
    above = sorted(near, key=lambda line: abs(line.index - anchor))
    return above, lines[region.end : region.end + 12]
