"""The other side of the benchmark: a spider with Scrapy's own settings that asks for the article URLs and reads nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider


class BareSpider(Spider):
    """Asks for `count` articles of the portal at `base`."""

    name = "bare"

    async def start(self) -> AsyncIterator[Request]:
        """Yield every article's request."""
        for number in range(1, int(self.count) + 1):  # type: ignore[attr-defined]
            yield Request(f"{self.base}/news/Info.asp?ID={number}")  # type: ignore[attr-defined]

    def parse(self, response: Any) -> None:
        """Do nothing."""
