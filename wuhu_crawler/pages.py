"""What an extracted page has to be before it is stored: a valid item with its dates in the portal's zone. Pure functions.

The crawl's pipelines, recovery and rebuild share them, so that the same bytes become the same rows. Knows no Scrapy.
"""

from __future__ import annotations

from datetime import datetime

from .errors import WuhuError
from .extract.dates import parse_date, parse_datetime
from .items import Article, OtherPage, PageItem
from .portals import Portal


class InvalidItem(WuhuError):
    """An item that must not reach the database; the message says which field and why."""


def validate(item: PageItem) -> PageItem:
    """Return the item as it may be stored; an article without a number of its own (a print view) is another page.

    Raises InvalidItem naming the field.
    """
    if item.capture_id is None:
        raise InvalidItem(f"{item.url}: no capture_id, so nothing in the archive proves it")
    if isinstance(item, Article) and item.article_id is None:
        return _without_number(item)
    if isinstance(item, Article) and not item.title:
        raise InvalidItem(f"{item.url}: an article without a title")
    if isinstance(item, Article) and item.views is not None and item.views < 0:
        raise InvalidItem(f"{item.url}: views is negative ({item.views})")
    return item


def _without_number(item: Article) -> OtherPage:
    return OtherPage(
        kind="other",
        portal=item.portal,
        url=item.url,
        capture_id=item.capture_id,
        captured_at=item.captured_at,
        reason="an article whose URL carries no article ID",
        title=item.title,
        text="\n".join(item.paragraphs) or None,
        encoding=item.encoding,
        decode_losses=item.decode_losses,
    )


def normalize_dates(item: PageItem, portal: Portal, captured_at: datetime) -> PageItem:
    """Fill the date fields from the page's own words, in the portal's zone; what is not surely a date stays None."""
    if isinstance(item, Article):
        published = parse_datetime(item.published_text, captured_at, portal.zone)
        item.published_at = published.value if published else None
        item.published_precision = published.precision if published else None
        item.source_date = parse_date(item.source_date_text, captured_at, portal.zone)
    return item
