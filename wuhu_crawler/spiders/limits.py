"""What narrows a crawl: the categories asked for and the number of articles."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from ..extract.urls import identity
from .arguments import is_url

if TYPE_CHECKING:
    from scrapy import Request

    from ..extract.hyperlinks import PageLink
    from ..items import Listing


class Categories:
    """The categories asked for, by the words of a link, the title of a listing, or a URL. None asked for: all are."""

    def __init__(self, asked: Collection[str]) -> None:
        self.urls = {identity(word): word for word in asked if is_url(word)}
        self.names = {word for word in asked if not is_url(word)}
        self.found: set[str] = set()
        self.shown: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self.urls or self.names)

    def has_link(self, link: PageLink) -> bool:
        """Tell whether a link leads to a category asked for."""
        words = link.text.strip()
        self.shown.setdefault(words)
        return self._has(words) or identity(link.url) in self.urls

    def has_listing(self, listing: Listing) -> bool:
        """Tell whether a listing says it is of a category asked for."""
        return any(self._has(words.strip()) for words in (listing.category, listing.title) if words)

    def _has(self, words: str) -> bool:
        if words in self.names:
            self.found.add(words)
            return True
        return False


class Quota:
    """How many articles may still be asked for. One that turns out to be none gives its place back. None: no limit."""

    def __init__(self, limit: int | None) -> None:
        self._left = limit
        self._under_way = 0
        self._waiting: deque[Request] = deque()

    def take(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Yield the requests that may go now; the others wait."""
        if self._left is None:
            yield from requests
            return
        self._waiting.extend(requests)
        while self._waiting and self._left > 0:
            request = self._waiting.popleft()
            if request.cb_kwargs["known"].article:
                self._left -= 1
                self._under_way += 1
            yield request

    def settle(self, *, got_article: bool) -> None:
        """Take note of how an article's request ended."""
        if self._left is not None:
            self._under_way -= 1
            self._left += not got_article

    @property
    def bounded(self) -> bool:
        """Whether there is a limit at all."""
        return self._left is not None

    @property
    def used_up(self) -> bool:
        """Whether all the articles asked for are there."""
        return self._left == 0 and self._under_way == 0
