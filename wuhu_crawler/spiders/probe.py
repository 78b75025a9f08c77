"""`scrapy crawl probe -a portal=P -a pages=20`: a few pages of each kind, for the first contact with a portal (`wuhu probe`).

One page at a time: the next is chosen by what the pages so far have shown. A quarter are listings, kinds never tried first,
some of them deep; the others articles, from each listing in turn, those farthest from the IDs already seen.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ..extract.urls import identity, is_part
from ..items import Article, Listing, Outcome
from ..politeness.scope import Scope
from .arguments import Argument, count
from .frontier import is_excluded, leads_on, listing_key, page_number, shape
from .portal_spider import PORTAL, RESUME, Job, PortalSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from ..extract.hyperlinks import PageLink
    from ..extract.page import Page

DEFAULT_PAGES = 20
# Articles to a listing.
_ARTICLES = 3
# So far behind the last ID that a portal has shown no article can be: it shows how the portal says that there is none.
BEYOND = 1_000_000


@dataclass(slots=True)
class Choices:
    """What could be asked for next, and what was: pure, so that the choice can be tested without a portal."""

    listings: dict[str, str] = field(default_factory=dict)
    deep: deque[str] = field(default_factory=deque)
    shelves: dict[str, dict[int, str]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    _tried: Counter[str] = field(default_factory=Counter)
    _fruitful: Counter[str] = field(default_factory=Counter)
    _taken: Counter[str] = field(default_factory=Counter)
    _listings_asked: int = 0
    _articles_asked: int = 0

    def next(self) -> str | None:
        """Return the URL to ask for now, None when nothing is known that was not asked for."""
        kinds = (
            (self._listing, self._article)
            if self._articles_asked >= _ARTICLES * self._listings_asked
            else (self._article, self._listing)
        )
        return next((url for kind in kinds if (url := kind())), None)

    def note(self, url: str, *, fruitful: bool) -> None:
        """Take note of whether a page that was to be a listing showed articles."""
        self._fruitful[shape(url)] += fruitful

    def take(self, url: str) -> str:
        """Mark a URL as asked for and return it."""
        self.asked.add(identity(url))
        return url

    def _listing(self) -> str | None:
        while self.deep and self._listings_asked % 2:
            url = self.deep.popleft()
            if identity(url) not in self.asked:
                self._listings_asked += 1
                return self.take(url)
        open_ones = [url for url in self.listings.values() if identity(url) not in self.asked]
        if not open_ones:
            return None
        # A kind of page never tried, then the kinds that showed articles, then the others.
        url = min(open_ones, key=lambda each: (self._misses(shape(each)), self._tried[shape(each)]))
        self._tried[shape(url)] += 1
        self._listings_asked += 1
        return self.take(url)

    def _misses(self, pattern: str) -> int:
        return self._tried[pattern] - self._fruitful[pattern]

    def _article(self) -> str | None:
        shelves = {name: {n: u for n, u in shelf.items() if n not in self.numbers} for name, shelf in self.shelves.items()}
        name = min((name for name, shelf in shelves.items() if shelf), key=lambda each: self._taken[each], default=None)
        if name is None:
            return None
        shelf = shelves[name]
        number = max(shelf, key=self._distance) if self.numbers else max(shelf)
        self.numbers.add(number)
        self._taken[name] += 1
        self._articles_asked += 1
        return self.take(shelf[number])

    def _distance(self, number: int) -> int:
        return min(abs(number - known) for known in self.numbers)


class ProbeSpider(PortalSpider):
    """Takes samples of a portal."""

    name = "probe"
    known_arguments: ClassVar[tuple[Argument, ...]] = (
        PORTAL,
        Argument("pages", "N", f"how many pages (default {DEFAULT_PAGES})", count),
        RESUME,
    )

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._left: int = job.values["pages"] or DEFAULT_PAGES
        self._seeds = deque(job.portal.seeds)
        self._scope = Scope(job.portal)
        self._choices = Choices()
        self._beyond = job.portal.article_url is not None

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first page."""
        for request in self._next(None):
            yield request

    def follow(self, page: Page, response: Response, known: Any) -> Iterator[Request | Outcome]:
        """Remember what the page shows, and yield the next."""
        assert response.request is not None  # noqa: S101 - Scrapy sets it; the type does not say so
        if isinstance(page.item, Article):
            self._see_articles("beside articles", page.links)
        else:
            self._see_listing(page, response.url)
            self._choices.note(response.request.url, fruitful=isinstance(page.item, Listing))
        yield from self._next(response.url)

    def give_up(self, request: Request, known: Any) -> Iterator[Request | Outcome]:
        """Yield the next page instead of one that could not be had."""
        yield from self._next(None)

    def _see_listing(self, page: Page, url: str) -> None:
        self._see_articles(url, page.links)
        known, here = self.portal.page_urls, listing_key(url, self.portal.page_urls)
        pages = [link.url for link in page.links if link.kind in ("page", "next") and listing_key(link.url, known) == here]
        numbered = [target for target in pages if page_number(target, known) is not None]
        following = [link.url for link in page.links if link.kind == "next"]
        deep = [*following[:1], *([max(numbered, key=lambda each: page_number(each, known) or 0)] if numbered else [])]
        # The second page of one listing, the last of the next: pagers are shown at both.
        if deep and isinstance(page.item, Listing):
            self._choices.deep.append(deep[len(self._choices.deep) % len(deep)])
        for link in page.links:
            key = listing_key(link.url, known)
            if link.kind == "page" and key != here and self._may_follow(link):
                self._choices.listings.setdefault(key, link.url)

    def _see_articles(self, shelf: str, links: list[PageLink]) -> None:
        for link in links:
            if link.kind == "article" and link.article_id is not None and self._may_read(link):
                self._choices.shelves.setdefault(shelf, {}).setdefault(link.article_id, link.url)

    def _may_follow(self, link: PageLink) -> bool:
        return self._scope.holds(link.url) and leads_on(link.url, link.text, self.portal)

    def _may_read(self, link: PageLink) -> bool:
        return not is_part(link.url) and self._scope.holds(link.url) and not is_excluded(link.url, self.portal)

    def _next(self, via: str | None) -> Iterator[Request]:
        url = self._choose() if self._left > 0 else None
        if url is not None:
            self._left -= 1
            yield self.request(url, via=via)

    def _choose(self) -> str | None:
        if self._seeds:
            return self._choices.take(self._seeds.popleft())
        numbers, template = self._choices.numbers, self.portal.article_url
        if self._beyond and self._left == 1 and numbers and template:
            self._beyond = False
            return template.replace("{id}", str(max(numbers) + BEYOND))
        return self._choices.next()
