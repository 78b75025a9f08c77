"""First pipeline: an item that may not be stored is dropped with its reason and a statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from ..items import Assembled, Outcome, Walked
from ..pages import InvalidItem, validate

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

    from ..items import PageItem

    Item = PageItem | Assembled | Outcome | Walked


class ValidatePipeline:
    """Drops invalid items; the page itself is archived all the same."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline of a crawler."""
        return cls(crawler)

    def process_item(self, item: Item) -> Item:
        """Return the item; raises DropItem with the reason."""
        if isinstance(item, Outcome | Walked):
            return item
        try:
            if isinstance(item, Assembled):
                validate(item.article)
                return item
            return validate(item)
        except InvalidItem as error:
            self._stats.inc_value("wuhu/item/invalid")
            raise DropItem(str(error)) from error
