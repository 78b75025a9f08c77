"""The two digests extraction answers for: what the page showed, and what the article says. (The payload digest is the WARC's.)

Both are SHA-256 over a canonical JSON of chosen fields. A new version of an article exists exactly when its article digest
differs; views, sidebars, clocks and counters are in neither, so that they never make one. A date counts as the moment it names,
however a redesign prints it; one that is told from the time of the look (3小时前) is another at every look, and does not count.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from ..items import Article, Listing, OtherPage, PageItem, to_json
from .dates import RELATIVE, find_moment

# Two dates are compared, so any zone will do where the page names none.
_ANY_ZONE = ZoneInfo("UTC")


def article_digest(article: Article) -> str:
    """Return `sha256:` + hex over title, dates, outlets, credits and body."""
    return _digest(
        [
            article.title,
            _moment(article.published_text),
            _moment(article.source_date_text),
            article.outlets,
            [[credit.role, credit.name, credit.outlet] for credit in article.credits],
            article.paragraphs,
        ]
    )


def _moment(text: str | None) -> str | None:
    """Return the moment a date names, the text itself where it names none for certain."""
    if text is None or RELATIVE.search(text):
        return None
    found = find_moment(text, _ANY_ZONE)
    return text if found is None else found[0].value.isoformat()


def page_digest(item: PageItem) -> str:
    """Return `sha256:` + hex over what a reader sees of the page's substance, without furniture."""
    match item:
        case Article():
            return _digest(
                [
                    "article",
                    item.title,
                    item.breadcrumb,
                    item.published_text,
                    item.source_date_text,
                    item.paragraphs,
                    [to_json(link) for link in (*item.images, *item.attachments, *item.links)],
                ]
            )
        case Listing():
            return _digest(
                ["listing", item.title, item.breadcrumb, [to_json(entry) for entry in item.entries], to_json(item.pager)]
            )
        case OtherPage():
            return _digest([item.kind, item.reason, item.title, item.text])


def _digest(value: Any) -> str:
    return "sha256:" + sha256(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
