"""`scrapy crawl wuhu`: the portal's categories, page by page, and every article they show.

It starts at the profile's seeds, follows navigation to whatever shows links to articles, walks each listing by 下一页, and
takes hints from sidebars and previous/next links. Articles go before listing pages, and a listing is finished before the next.

What earlier crawls know is not asked for again (`planning.memory`), unless `full=1`: a listing is left at a page of nothing but
known entries, articles are asked for when they are new, shown otherwise than before, or owed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.exceptions import CloseSpider

from .. import clock
from ..errors import UsageError, WuhuError
from ..extract.dates import parse_datetime
from ..extract.urls import article_id, identity, is_part, part_url
from ..items import Article, Listing, Outcome, PageItem, Walked
from ..planning.memory import Memory
from ..planning.plan import walk_parts
from ..politeness.scope import Scope
from .arguments import Argument, count, day, switch, words
from .frontier import PageBudget, is_excluded, leads_on, listing_key, next_page, page_number, shape
from .limits import Categories, Quota
from .listings import Walk
from .portal_spider import PORTAL, REQUISITES, RESUME, Job, PortalSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from sqlalchemy import Connection

    from ..extract.hyperlinks import PageLink
    from ..extract.page import Page
    from ..items import ListingEntry
    from ..planning.plan import Part
    from ..planning.record import Skips

# What is owed comes behind what is new: nothing tells that it is still there.
ARTICLE, NEXT, NAVIGATION, OWED = 30, 20, 10, 5


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
        Argument("full", "1", "walk every listing to its end and fetch every article again, known or not", switch),
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
        self._longest = timedelta(days=job.settings.getfloat("WUHU_OWED_DAYS"))
        self._idle = timedelta(days=job.settings.getfloat("WUHU_NAVIGATION_DAYS"))
        self._scope = Scope(job.portal)
        # What earlier crawls know; None: everything is asked for as if there had been none.
        self.memory: Memory | None = None
        self._shapes: frozenset[str] = frozenset()
        self._known: set[int] = set()
        self._asked: set[int] = set()
        self._sighted: set[int] = set()
        self._pages: set[str] = set()
        self._walks: dict[str, Walk] = {}
        self._told: set[str] = set()
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

    def plan(self, connection: Connection) -> list[Part] | None:
        """Return the listings, new and owed articles of a whole walk; of one that is narrowed by arguments nobody can tell."""
        if self.categories or self.since is not None or self.full or self.quota.bounded:
            return []
        return walk_parts(connection, self.portal.name, clock.now(), self._longest)

    def skips(self) -> Skips:
        """Return the listings that were left since the rest of them is known, and pages that showed no articles lately."""
        stats = self.crawler.stats
        left = {"left as known": stats.get_value("wuhu/listing/known", 0), "idle": stats.get_value("wuhu/page/idle", 0)}
        return {"listings": {reason: number for reason, number in left.items() if number}}

    async def start(self) -> AsyncIterator[Request]:
        """Yield the categories given by URL, the seeds unless those are all that is wanted, and the articles owed."""
        if not self.full:
            self.memory = self._remember()
        for url in self.categories.urls.values():
            yield self._page(url, Known())
        if self.categories.names or not self.categories:
            for seed in self.portal.seeds:
                yield self._page(seed, Known(wanted=not self.categories))
        if not self.categories and self.since is None:
            for request in self.quota.take(self._owed()):
                yield request

    def _remember(self) -> Memory:
        memory = Memory(
            self.database, self.portal.name, self.crawl_id, listing_of=self._listing, longest=self._longest, now=clock.now()
        )
        self._shapes = frozenset(shape(listing) for listing in memory.listings)
        return memory

    def _owed(self) -> Iterator[Request]:
        """Yield requests for what earlier crawls came to know of and did not get."""
        for number, url in self.memory.owed() if self.memory else ():
            if number not in self._asked and not is_excluded(url, self.portal):
                self.crawler.stats.inc_value("wuhu/article/owed")
                yield self._article(number, url, via=None, priority=OWED)

    def _article(self, number: int, url: str, *, via: str | None, priority: int) -> Request:
        self._asked.add(number)
        # Of an article whose later part alone is linked the first page is asked for, which leads to the part.
        return self.request(part_url(url, 1) if is_part(url) else url, via=via, priority=priority, known=Known(article=True))

    def complaint(self) -> WuhuError | None:
        """Return what is wrong with the arguments, as the crawl showed it."""
        unknown = self.categories.names - self.categories.found
        if not unknown or self.finished:
            return None
        shown = "、".join(words for words in self.categories.shown if words) or "none"
        return UsageError(f"-a category={','.join(sorted(unknown))}: no link or listing of that name; the portal shows {shown}")

    def follow(self, page: Page, response: Response, known: Known) -> Iterator[Request | Outcome | Walked]:
        """Yield articles first, then the listing's next page or how far it is known, then navigation."""
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
            requests += self._next(item, page.links, response, known, new) if wanted else []
        elif known.walked:
            requests += self._step_over(response.url, known, past=item.kind == "missing")
        requests += self._navigation(page, response.url, known)
        yield from self.quota.take(requests)
        yield from self._walked(response.url)
        # A listing that is known has nothing new on most nights, and is no trap.
        is_old = self.memory is not None and self._listing(response.url) in self.memory.listings
        yield from self._settle(request, known, fruitful=is_old or new > 0 or len(self._asked) > asked_before)

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

    def give_up(self, request: Request, known: Known) -> Iterator[Request | Outcome | Walked]:
        """Go on past a page that could not be had."""
        if known.article:
            self._note_age(request.url, None)
        steps = self._step_over(request.url, known) if known.walked else []
        yield from self.quota.take(steps)
        if known.walked:
            yield from self._walked(request.url)
        yield from self._settle(request, known, fruitful=False)

    def _sight(self, item: Any) -> int:
        entries = {entry.article_id for entry in item.entries} if isinstance(item, Listing) else set()
        new = len(entries - self._sighted)
        self._sighted |= entries
        return new

    def _articles(self, page: Page, via: str, known: Known, *, wanted: bool) -> Iterator[Request]:
        if not wanted or (known.article and (self.categories or self._is_old(via))):
            return
        dates, item = _dates(page.item), page.item
        entries = {entry.article_id: entry for entry in item.entries} if isinstance(item, Listing) else {}
        if self.memory is not None:
            self.memory.learn([link.article_id for link in page.links if link.article_id is not None], seen=list(entries))
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
            if self._is_worth_asking(number, entries.get(number), via):
                yield self._article(number, link.url, via=via, priority=ARTICLE)

    def _is_worth_asking(self, number: int, entry: ListingEntry | None, via: str) -> bool:
        """Tell whether an article is asked for; `entry` is how the listing at `via` shows it, if that is one."""
        if self.memory is None or self.memory.why(number, entry, self._listing(via) if entry else ""):
            self._known.discard(number)
            return True
        self._known.add(number)
        self.crawler.stats.set_value("wuhu/article/known", len(self._known))
        return False

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

    def _next(self, item: Listing, links: list[PageLink], response: Response, known: Known, new: int) -> list[Request]:
        url, listing = response.url, self._listing(response.url)
        walk = self._walks.setdefault(listing, Walk())
        number = page_number(url, self.portal.page_urls) or (item.pager.page if item.pager else None)
        walk.note(number, response.meta["capture"].captured_at)
        seen, sticky = self.memory.known(item.entries, listing) if self.memory else (frozenset(), frozenset())
        if not walk.goes_on(item, new=new, patience=self.patience, since=self.since, known=seen, sticky=sticky):
            return []
        target = next((link.url for link in links if link.kind == "next"), None)
        following = self._unless_known(target, url, Known(depth=known.depth, walked=True), NEXT) if target else []
        if not following:
            walk.end()
        return following

    def _walked(self, url: str) -> Iterator[Walked]:
        """Yield how far the listing of a page is known, once its walk has come to an end without a hole."""
        listing = self._listing(url)
        walk = self._walks.get(listing)
        told = walk.walked(listing) if walk is not None else None
        if told is None or listing in self._told:
            return
        self._told.add(listing)
        if told.ending == "known":
            self.crawler.stats.inc_value("wuhu/listing/known")
        yield told

    def _listing(self, url: str) -> str:
        return listing_key(url, self.portal.page_urls)

    def _step_over(self, url: str, known: Known, *, past: bool = False) -> list[Request]:
        """A page in the middle of a listing that is broken must not hide the pages behind it. One that is missing behind all
        pages there are (`past`) is none of them."""
        walk, target = self._walks.get(self._listing(url)), next_page(url, self.portal.page_urls)
        if walk is None:
            return []
        number = page_number(url, self.portal.page_urls)
        if past and (number or 0) > (walk.pages or 0):
            walk.end()
            return []
        walk.skip(number, usual=self.memory is not None and self.memory.is_usual(url))
        if target is None or (page_number(target, self.portal.page_urls) or 0) > (walk.pages or 0):
            walk.end()
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
            if self._is_idle(link.url, known.depth + 1):
                continue
            for request in self._unless_known(link.url, url, Known(depth=known.depth + 1, budgeted=True), NAVIGATION):
                if self.budget.admit(link.url, request):
                    yield request

    def _is_idle(self, url: str, depth: int) -> bool:
        """Tell whether a page is left alone tonight: it showed no articles lately, and is not of a listing's kind, which may be
        empty for a while; or it only shows what others do, and no seed links to it or it prints no titles (a calendar)."""
        if self.memory is None:
            return False
        since, listing = clock.now() - self._idle, self._listing(url)
        if listing in self.memory.listings:
            idle = self.memory.is_echo(listing, since) and (depth > 1 or self.memory.is_calendar(url))
        else:
            idle = shape(url) not in self._shapes and self.memory.shows_nothing(url, since)
        if idle:
            self.crawler.stats.inc_value("wuhu/page/idle")
        return idle

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
