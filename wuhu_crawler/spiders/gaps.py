"""`scrapy crawl gaps`: the article numbers that no page has shown, within a budget, as planning/gaps.py chooses them.

One number after the other, the next chosen when there is room for its request, by what the answers so far have told; so a
range of millions takes no memory. An article found is stored like any other, with its parts, its counter and its requisites;
its links are not followed: other numbers have their turn anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from urllib.parse import urljoin

from scrapy import signals
from w3lib.url import safe_url_string

from .. import clock
from ..captures import REDIRECTS, captured
from ..db.failures import translated
from ..errors import UsageError, WuhuError
from ..extract.urls import asked_number
from ..planning.gaps import Limits, Search, search
from ..planning.numbers import LARGEST, asked_by, spare_memory
from ..planning.plan import gaps_part
from ..politeness.faults import outcome_of
from .arguments import Argument, count
from .portal_spider import PORTAL, REQUISITES, RESUME, Job, PortalSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.core.engine import ExecutionEngine
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from sqlalchemy import Connection
    from twisted.python.failure import Failure

    from ..items import Outcome, PageItem, Walked
    from ..planning.plan import Part
    from .portal_spider import Yielded

# So many requests in a row put off or forbidden, and the others would be, too.
REFUSALS = 3
# What a page says of its number: an article, none, or nothing.
_TELLS = {"article": True, "listing": False, "missing": False, "other": False}


class Number(NamedTuple):
    """A number that was asked for, through how many redirects, and whether an earlier run of this crawl had its article."""

    number: int
    hops: int = 0
    had: bool = False


class GapsSpider(PortalSpider):
    """Asks for the numbers between the known ones, and a way beyond the highest."""

    name = "gaps"
    known_arguments: ClassVar[tuple[Argument, ...]] = (
        PORTAL,
        Argument("budget", "N", "ask for so many numbers (default WUHU_GAPS_BUDGET)", count),
        Argument("from", "ID", "no number below this one (default: the lowest known)", count),
        Argument("to", "ID", "no number above this one (default: a way beyond the highest known)", count),
        REQUISITES,
        RESUME,
    )

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        spare_memory()
        budget = job.values["budget"] or job.settings.getint("WUHU_GAPS_BUDGET")
        beyond = job.settings.getint("WUHU_GAPS_BEYOND")
        self._limits = Limits(budget, beyond, job.values["from"], job.values["to"])
        self._longest_way = job.settings.getint("REDIRECT_MAX_TIMES")
        self._search: Search | None = None
        self._answers: Counter[str] = Counter()
        self._refused = 0

    @classmethod
    def read(cls, given: Mapping[str, str], settings: BaseSettings) -> Job:
        """Return the job; numbers can only be asked for where the profile says how. Raises UsageError."""
        job = super().read(given, settings)
        low, high = job.values["from"], job.values["to"]
        if low is not None and high is not None and low > high:
            raise UsageError(f"-a from={low} is above -a to={high}: there is no number between")
        if max(low or 0, high or 0) > LARGEST:
            raise UsageError(f"-a from and -a to must be numbers up to {LARGEST}, which is all the database can hold")
        if job.portal.article_url is None:
            raise UsageError(
                f"portal {job.portal.name} has no `article_url`, so its numbers cannot be asked for: add it to the profile, an "
                'article\'s URL with {id} in place of the number, like article_url = "http://www.example.cn/show.asp?id={id}"'
            )
        return job

    def plan(self, connection: Connection) -> list[Part] | None:
        """Return how many numbers are to be asked for, and what is expected of them."""
        return [gaps_part(connection, self.portal.name, clock.now(), self._limits)]

    async def start(self) -> AsyncIterator[Request]:
        """Yield what an earlier run of this crawl had or got no answer for, then a number whenever there is room for it."""
        with translated():
            done = asked_by(self.database, self.crawl_id)
            limits = replace(self._limits, budget=max(0, self._limits.budget - done.numbers))
            self._search = search(self.database, self.portal.name, limits, clock.now())
        numbers = chain((Number(number, had=True) for number in done.articles), map(Number, done.open))
        while self._refused < REFUSALS:
            # Chosen when there is room, not before: the answers until then have a say.
            if self._engine.needs_backout():
                await self.crawler.signals.wait_for(signals.scheduler_empty)
            number = next(numbers, None) or self._next()
            if number is not None:
                yield self._ask(number)
            elif self._under_way():
                await self.crawler.signals.wait_for(signals.scheduler_empty)
            else:
                return
        self.logger.warning("%d requests in a row were put off or forbidden: nothing more is asked for", self._refused)

    def complaint(self) -> WuhuError | None:
        """Return what kept the crawl from asking for anything."""
        if self._search is not None:
            return None
        name = self.portal.name
        return UsageError(f"no article of portal {name} is known yet: crawl it first, or give the range with -a from and -a to")

    @property
    def _engine(self) -> ExecutionEngine:
        assert self.crawler.engine is not None  # noqa: S101 - it is what calls us
        return self.crawler.engine

    def _next(self) -> Number | None:
        choice = None if self._search is None else self._search.next()
        return None if choice is None else Number(choice.number)

    def _under_way(self) -> bool:
        """Tell whether answers are still to come: one of them may open the way further beyond."""
        slot = self._engine.scraper.slot
        return bool(self._engine.downloader.active) or not (slot is None or slot.is_idle())

    def _ask(self, number: Number) -> Request:
        assert self.portal.article_url is not None  # noqa: S101 - see `read`
        return self._request_to(self.portal.article_url.replace("{id}", str(number.number)), number)

    def _request_to(self, url: str, known: Number, via: str | None = None) -> Request:
        request = self.request(url, via=via, known=known)
        # Each number comes once, so nobody has to remember it; where it is redirected to is looked at here.
        return request.replace(dont_filter=True, meta={**request.meta, "dont_redirect": True})

    def parse(self, response: Response, known: Number | None = None) -> Iterator[Yielded]:
        """Yield the page of a number; of a redirect the request for its target, where that is the same number's."""
        self._refused = 0
        assert known is not None  # noqa: S101 - every request of this spider names its number
        location = response.headers.get("Location") if response.status in REDIRECTS else None
        if location is not None:
            yield from self._redirected(response, urljoin(response.url, safe_url_string(location.decode("latin-1"))), known)
        else:
            yield from super().parse(response, known)

    def _redirected(self, response: Response, target: str, known: Number) -> Iterator[Yielded]:
        """A number that leads elsewhere is no article: to the home page, say, which is not fetched for every number."""
        archived = "archived" in response.flags and known.hops > 0  # the archive has one answer for all spellings of a number
        if archived or asked_number(target, self.portal) != known.number:
            self._note(known, "other")
        elif target == response.url or known.hops >= self._longest_way:
            yield replace(captured(response.meta["capture"]), outcome="failed", reason="redirect-loop")
            self._note(known, "error")
        else:
            yield self._request_to(target, known._replace(hops=known.hops + 1), via=response.url)

    def failed(self, failure: Failure) -> Iterator[Outcome | Walked | Request]:
        """Yield how a number without a page ended; when one after the other is refused, no more are asked for."""
        outcome = outcome_of(failure.request, failure.value)  # type: ignore[attr-defined]  # Scrapy adds it
        self._refused = self._refused + 1 if outcome.outcome in ("postponed", "excluded") else 0
        yield from super().failed(failure)

    def done(self, known: Number, item: PageItem | None) -> Iterator[Request | Outcome]:
        """Take note of what a number turned out to be."""
        if item is not None:
            self._note(known, item.kind)
        elif not self._refused:
            self._note(known, "error")
        yield from ()

    def _note(self, known: Number, kind: str) -> None:
        if known.had:
            return
        self._answers[kind] += 1
        assert self.crawler.stats is not None  # noqa: S101 - a crawler that runs has them
        self.crawler.stats.inc_value(f"wuhu/gaps/{kind}")
        if self._search is not None:
            self._search.tell(known.number, article=_TELLS.get(kind))

    def closed(self, reason: str) -> None:
        """Say what came of the numbers."""
        asked, found, missing = self._answers.total(), self._answers["article"], self._answers["missing"]
        errors, other = self._answers["error"] + self._answers["blocked"], self._answers["other"] + self._answers["listing"]
        rate = f"{100 * found / asked:.1f} %" if asked else "no"
        self.logger.info(
            "Gaps: %d asked, %d found, %d missing, %d errors or blocks, %d other pages; hit rate %s",
            asked, found, missing, errors, other, rate,
        )  # fmt: skip
