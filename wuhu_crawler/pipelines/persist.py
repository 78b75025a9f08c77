"""Last pipeline: hands every item to the archive's one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..extensions import keeper_of
from ..items import Assembled, Outcome, Walked

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from ..items import PageItem

    Item = PageItem | Assembled | Outcome | Walked


class PersistPipeline:
    """Persists synchronously, so that back-pressure is real; a storage error ends the crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline of a crawler."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Find the open archive."""
        self._keeper = keeper_of(self._crawler)

    def process_item(self, item: Item) -> Item:
        """Store the item and return it, for the feeds; of an article put together the article, once nothing more can come."""
        with self._keeper.fatal_storage_errors():
            if isinstance(item, Outcome):
                self._keeper.writer.outcome(item)
            elif isinstance(item, Walked):
                self._keeper.writer.walked(item)
            else:
                self._keeper.writer.persist(item)
        return item.article if isinstance(item, Assembled) and item.ended else item
