"""`scrapy crawl wuhu`: the portal's categories, page by page, and every article they show.

It starts at the profile's seeds, follows navigation to whatever shows links to articles, walks each listing by 下一页, and
takes hints from sidebars and previous/next links. Articles go before listing pages, and a listing is finished before the next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.exceptions import CloseSpider

from ..errors import UsageError, WuhuError
from ..extract.dates import parse_datetime
from ..extract.urls import article_id, identity, is_part, part_url
from ..items import Article, Listing, Outcome, PageItem
from ..politeness.scope import Scope
from .arguments import Argument, count, day, switch, words
from .frontier import PageBudget, is_excluded, leads_on, listing_key, next_page, page_number
from .limits import Categories, Quota
from .listings import Walk
from .portal_spider import PORTAL, REQUISITES, RESUME, Job, PortalSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

    from ..extract.hyperlinks import PageLink
    from ..extract.page import Page

ARTICLE, NEXT, NAVIGATION = 30, 20, 10


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a page before it is fetched: is it an article's, how far from a seed, in an asked-for category, reached
    by 下一页, or under a page budget."""

    article: bool = False
    depth: int = 0
    wanted: bool = True
    walked: bool = False
    budgeted: bool = False


class WuhuSpider(PortalSpider):
    """Walks the categories of a portal."""

    name = "wuhu"
    known_arguments: ClassVar[tuple[Argument, ...]] = (
        PORTAL,
        Argument("category", "NAME|URL[,...]", "only these categories, by the words of their link or by URL", words),
        Argument("since", "DATE", "only what the listings date on or after this day, like 2024-02-03", day),
        Argument("limit", "N", "stop after N articles", count),
        Argument("full", "1", "walk every listing to its end, also past pages without anything new", switch),
        REQUISITES,
        RESUME,
    )

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.since: date | None = job.values["since"]
        self.full = bool(job.values["full"])
        self.categories = Categories(job.values["category"] or ())
        self.reads_related |= bool(self.since or self.categories)
        self.quota = Quota(job.values["limit"])
        if job.values["limit"] is not None:
            # The requisites of the articles there are come before the listing is walked on for more.
            self.requisite_priority = (ARTICLE + NEXT) // 2
        self.depth = job.settings.getint("WUHU_NAVIGATION_DEPTH")
        self.patience = 0 if self.full else job.settings.getint("WUHU_STALE_PAGES")
        self.budget: PageBudget[Request] = PageBudget(job.settings.getint("WUHU_PATTERN_BUDGET"))
        self._scope = Scope(job.portal)
        self._asked: set[int] = set()
        self._sighted: set[int] = set()
        self._pages: set[str] = set()
        self._walks: dict[str, Walk] = {}
        # Whether an article that was fetched is older than `since`; None: it was none, or has no date.
        self._old: dict[int, bool | None] = {}

    @classmethod
    def read(cls, given: Mapping[str, str], settings: BaseSettings) -> Job:
        """Return the job; categories given by URL must be on the portal. Raises UsageError."""
        job = super().read(given, settings)
        scope = Scope(job.portal)
        for url in Categories(job.values["category"] or ()).urls.values():
            if not scope.holds(url):
                raise UsageError(f"-a category={url}: not on a host of portal {job.portal.name}")
        return job

    async def start(self) -> AsyncIterator[Request]:
        """Yield the categories given by URL, and the seeds unless those are all that is wanted."""
        for url in self.categories.urls.values():
            yield self._page(url, Known())
        if self.categories.names or not self.categories:
            for seed in self.portal.seeds:
                yield self._page(seed, Known(wanted=not self.categories))

    def complaint(self) -> WuhuError | None:
        """Return what is wrong with the arguments, as the crawl showed it."""
        unknown = self.categories.names - self.categories.found
        if not unknown or self.finished:
            return None
        shown = "、".join(words for words in self.categories.shown if words) or "none"
        return UsageError(f"-a category={','.join(sorted(unknown))}: no link or listing of that name; the portal shows {shown}")

    def follow(self, page: Page, response: Response, known: Known) -> Iterator[Request | Outcome]:
        """Yield articles first, then the listing's next page, then navigation."""
        if self.quota.used_up:
            return  # nothing but requisites is waited for
        item, request, asked_before = page.item, response.request, len(self._asked)
        assert request is not None  # noqa: S101 - Scrapy sets it; the type does not say so
        new = self._sight(item)
        if known.article:
            self._note_age(request.url, item)
        wanted = known.wanted or (isinstance(item, Listing) and self.categories.has_listing(item))
        wanted = wanted and not self._is_past(response.url)
        requests = [*self._articles(page, response.url, known, wanted=wanted)]
        if isinstance(item, Listing):
            requests += self._next(item, page.links, response.url, known, new) if wanted else []
        elif known.walked:
            requests += self._step_over(response.url, known)
        requests += self._navigation(page, response.url, known)
        yield from self.quota.take(requests)
        yield from self._settle(request, known, fruitful=new > 0 or len(self._asked) > asked_before)

    def done(self, known: Known, item: PageItem | None) -> Iterator[Request | Outcome]:
        """Count an article when nothing more is to come of it; one that was none gives its place to another."""
        if known.article:
            self.quota.settle(got_article=isinstance(item, Article))
            yield from self.quota.take(())
        self._close_when_done()

    def requisites_done(self) -> Iterator[Request | Outcome]:
        """End a crawl that waited for the requisites of its last article."""
        self._close_when_done()
        yield from ()

    def _close_when_done(self) -> None:
        if self.quota.used_up and not self.requisites_waiting:
            self.finished = True
            raise CloseSpider("limit")

    def give_up(self, request: Request, known: Known) -> Iterator[Request | Outcome]:
        """Go on past a page that could not be had."""
        if known.article:
            self._note_age(request.url, None)
        steps = self._step_over(request.url, known) if known.walked else []
        yield from self.quota.take(steps)
        yield from self._settle(request, known, fruitful=False)

    def _sight(self, item: Any) -> int:
        entries = {entry.article_id for entry in item.entries} if isinstance(item, Listing) else set()
        new = len(entries - self._sighted)
        self._sighted |= entries
        return new

    def _articles(self, page: Page, via: str, known: Known, *, wanted: bool) -> Iterator[Request]:
        if not wanted or (known.article and (self.categories or self._is_old(via))):
            return
        dates = _dates(page.item)
        for link in page.links:
            number = link.article_id
            if link.kind != "article" or number is None or number in self._asked:
                continue
            if is_excluded(link.url, self.portal):
                continue
            if self.categories and number not in dates:
                continue
            dated = dates.get(number)
            if self.since and dated and dated < self.since:
                continue
            self._asked.add(number)
            # Of an article whose later part alone is linked the first page is asked for, which leads to the part.
            url = part_url(link.url, 1) if is_part(link.url) else link.url
            yield self.request(url, via=via, priority=ARTICLE, known=Known(article=True))

    def _note_age(self, url: str, item: PageItem | None) -> None:
        number = article_id(url, self.portal)
        if self.since is None or number is None:
            return
        published = None
        if isinstance(item, Article) and item.captured_at is not None:
            # The pipelines fill in published_at; here the item is as extraction left it.
            published = parse_datetime(item.published_text, item.captured_at, self.portal.zone)
        self._old[number] = None if published is None else published.value.date() < self.since

    def _is_old(self, url: str) -> bool:
        return bool(self._old.get(article_id(url, self.portal) or 0))

    def _is_past(self, url: str) -> bool:
        """A listing may date its entries without the year: then the articles of the page before tell that all is too old."""
        walk = self._walks.get(self._listing(url)) if self.since else None
        if walk is None or not walk.latest <= self._old.keys():
            return False
        ages = {self._old[number] for number in walk.latest}
        return True in ages and False not in ages

    def _next(self, listing: Listing, links: list[PageLink], url: str, known: Known, new: int) -> list[Request]:
        walk = self._walks.setdefault(self._listing(url), Walk())
        target = next((link.url for link in links if link.kind == "next"), None)
        if not walk.goes_on(listing, new=new, patience=self.patience, since=self.since) or target is None:
            return []
        return self._unless_known(target, url, Known(depth=known.depth, walked=True), NEXT)

    def _listing(self, url: str) -> str:
        return listing_key(url, self.portal.page_urls)

    def _step_over(self, url: str, known: Known) -> list[Request]:
        """A page in the middle of a listing that is broken must not hide the pages behind it."""
        walk, target = self._walks.get(self._listing(url)), next_page(url, self.portal.page_urls)
        if walk is None or target is None or (page_number(target, self.portal.page_urls) or 0) > (walk.pages or 0):
            return []
        return self._unless_known(target, url, known, NEXT)

    def _navigation(self, page: Page, url: str, known: Known) -> Iterator[Request]:
        if known.article or known.depth >= self.depth or not (known.depth == 0 or isinstance(page.item, Listing)):
            return
        for link in page.links:
            if link.kind != "page" or not self._scope.holds(link.url) or not leads_on(link.url, link.text, self.portal):
                continue
            if self.categories and not self.categories.has_link(link):
                continue
            if page_number(link.url, self.portal.page_urls) is not None and self._listing(link.url) in self._walks:
                continue
            for request in self._unless_known(link.url, url, Known(depth=known.depth + 1, budgeted=True), NAVIGATION):
                if self.budget.admit(link.url, request):
                    yield request

    def _unless_known(self, url: str, via: str, known: Known, priority: int) -> list[Request]:
        key = identity(url)
        if key in self._pages or article_id(url, self.portal) is not None:
            return []
        self._pages.add(key)
        return [self.request(url, via=via, priority=priority - known.depth, known=known)]

    def _page(self, url: str, known: Known) -> Request:
        self._pages.add(identity(url))
        return self.request(url, priority=NAVIGATION, known=known)

    def _settle(self, request: Request, known: Known, *, fruitful: bool) -> Iterator[Request | Outcome]:
        if not known.budgeted:
            return
        admitted, given_up = self.budget.settle(_first_url(request), fruitful=fruitful)
        yield from self.quota.take(admitted)
        for trapped in given_up:
            yield Outcome(url=trapped.url, outcome="excluded", reason="trap", via=trapped.meta.get("via"))


def _dates(item: PageItem) -> dict[int, date | None]:
    """The dates a page prints beside its links to articles; the ID alone where it prints none."""
    if isinstance(item, Listing):
        return {entry.article_id: entry.date for entry in item.entries}
    related = item.related if isinstance(item, Article) else []
    return {entry.article_id: entry.date for entry in related if entry.article_id is not None}


def _first_url(request: Request) -> str:
    """The URL that was asked for, whatever redirects made of it."""
    urls: list[str] = request.meta.get("redirect_urls") or [request.url]
    return urls[0]
