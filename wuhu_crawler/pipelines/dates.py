"""Second pipeline: the page's own date words become ISO dates in the portal's time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import clock
from ..extensions import keeper_of
from ..items import Assembled, Outcome, Walked
from ..pages import normalize_dates

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from ..items import PageItem

    Item = PageItem | Assembled | Outcome | Walked


class DatesPipeline:
    """Normalizes dates; a form that is not surely a date stays None, never a guess."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline of a crawler."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Find the open archive; its portal fixes the zone."""
        self._portal = keeper_of(self._crawler).writer.portal

    def process_item(self, item: Item) -> Item:
        """Return the item with its dates filled."""
        if isinstance(item, Outcome | Walked):
            return item
        page = item.article if isinstance(item, Assembled) else item
        normalize_dates(page, self._portal, page.captured_at or clock.now())
        return item
