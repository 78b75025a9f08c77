"""What a page says of its publication to programs alone: meta elements of its head, JSON-LD. The last resort for a date.

Only names that mean the publication are read: a `date` or a modification may be the template's. Pure, like its room.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .document import Document
from .inline import REST, attributes

# The first that is there counts.
PUBLISHED_NAMES = (
    "article:published_time",
    "og:published_time",
    "datepublished",
    "publishdate",
    "publish_time",
    "publishtime",
    "pubdate",
    "og:release_date",
    "dcterms.issued",
    "dc.date.issued",
    "weibo:article:create_at",
)
_META = re.compile(rf"<meta\s({REST})>")
_LINKED = re.compile(r"\"(?:datePublished|pubDate)\"\s{0,9}:\s{0,9}\"([^\"\\]{8,40})\"")


class Told(NamedTuple):
    """Words for programs: the name they stand under, and the words."""

    name: str
    words: str


def published(document: Document) -> list[Told]:
    """Return what may be the publication date, best first; empty when the page tells programs of none."""
    told: dict[str, str] = {}
    for meta in _META.finditer(document.head):
        said = attributes(meta[1])
        name = said.get("property") or said.get("name") or said.get("itemprop") or ""
        told.setdefault("".join(name.lower().split()), said.get("content", "").strip())
    named = [Told(name, told[name]) for name in PUBLISHED_NAMES if told.get(name)]
    scripts = (found for script in document.scripts if (found := _LINKED.search(script.text)))
    return [*named, *(Told("JSON-LD", found[1]) for found in scripts)]
