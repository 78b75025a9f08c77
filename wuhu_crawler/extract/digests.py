"""The two digests extraction answers for: what the page showed, and what the article says. (The payload digest is the WARC's.)

Both are SHA-256 over a canonical JSON of chosen fields. A new version of an article exists exactly when its article digest
differs; views, sidebars, clocks and counters are in neither, so that they never make one.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from ..items import Article, Listing, OtherPage, PageItem, to_json


def article_digest(article: Article) -> str:
    """Return `sha256:` + hex over title, dates, outlets, credits and body."""
    return _digest(
        [
            article.title,
            article.published_text,
            article.source_date_text,
            article.outlets,
            [[credit.role, credit.name, credit.outlet] for credit in article.credits],
            article.paragraphs,
        ]
    )


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
