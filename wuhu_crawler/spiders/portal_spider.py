"""What every spider of ours shares: its portal and arguments, the portal's politeness, one item for each response, the pieces
of an article (later parts, a view counter) asked for before anything else, and the requisites of pages after all else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy import Request, Spider

from .. import __version__
from ..captures import captured, page_outcome, uncount
from ..extensions import keeper_of
from ..extract import missing
from ..extract.assemble import Assemblies, Assembly
from ..extract.assemble import failure as why
from ..extract.page import extract
from ..extract.requisites import read_requisites, read_style, requisite_kind
from ..items import Outcome, OutcomeKind, PieceOf, Requisite
from ..politeness.backoff import retry
from ..politeness.faults import outcome_of
from ..portals import Portal
from .arguments import Argument, check_contact, choose_portal, crawl_id, read_arguments, switch, word
from .frontier import is_excluded
from .requisites import Requisites

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings
    from sqlalchemy import Connection
    from twisted.python.failure import Failure

    from ..extract.page import Page
    from ..items import Assembled, Capture, PageItem, Walked
    from ..planning.plan import Part
    from ..planning.record import Skips

    Yielded = PageItem | Assembled | Outcome | Walked | Request

PORTAL = Argument("portal", "NAME|FILE", "the portal's profile: o553, demo, or the path of a TOML (default o553)", word)
REQUISITES = Argument("requisites", "no", "leave out pictures, style sheets, scripts and attachments", switch)
RESUME = Argument("resume", "ID|last", "go on with an unfinished crawl", crawl_id)


# An article is finished before anything else is begun.
PIECE = 40
# A page's requisites come when no page is waiting any more.
REQUISITE = -10
# Pages whose requisites are asked for, and how a status that is no success ends one.
_SHOWN = ("article", "listing", "other")
_ENDS: dict[str, OutcomeKind] = {"missing": "missing", "error": "failed", "blocked": "blocked"}


@dataclass(slots=True)
class Composed:
    """An article under way: what it is put together from, the capture of its first page, what was known of it, and the pieces
    asked for so far."""

    assembly: Assembly
    url: str
    record_id: str
    known: Any
    asked: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Job:
    """What a spider was asked to do: the portal, the values of its arguments and their words as given, and the settings."""

    portal: Portal
    values: dict[str, Any]
    given: dict[str, str]
    settings: BaseSettings


class PortalSpider(Spider):
    """A spider of one portal. Subclasses name their `known_arguments` and follow what `follow` yields."""

    known_arguments: ClassVar[tuple[Argument, ...]] = (PORTAL,)

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.portal = job.portal
        self.arguments_given = job.given
        self.resume: str | None = job.values.get("resume")
        self._tries = job.settings.getint("RETRY_TIMES")
        self._pause = job.settings.getfloat("WUHU_BACKOFF_SECONDS")
        self._assemblies = Assemblies(job.portal)
        # A spider without the argument asks for none.
        self._needed = Requisites(job.portal, job.settings) if job.values.get("requisites", False) in (None, True) else None
        # No table holds them: only a feed shows an article's hints.
        self.reads_related = bool(job.settings.getdict("FEEDS"))
        self.requisites_waiting = 0
        self.requisite_priority = REQUISITE
        # Set when the spider has what it was asked for; nothing waits then any more.
        self.finished = False

    @classmethod
    def read(cls, given: Mapping[str, str], settings: BaseSettings) -> Job:
        """Return the job the arguments describe. Raises UsageError; the command asks this before anything is started."""
        values = read_arguments(cls.name, cls.known_arguments, given)
        portal = cls.choose(values, settings)
        check_contact(portal, settings["WUHU_CONTACT"])
        return Job(portal, values, dict(given), settings)

    @classmethod
    def choose(cls, values: dict[str, Any], settings: BaseSettings) -> Portal:
        """Return the portal the arguments name."""
        return choose_portal(values["portal"] or "o553", settings["WUHU_DEMO_URL"])

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: Any, **given: str) -> Self:
        """Make the spider, and set the crawler to the portal's pace. Raises UsageError."""
        job = cls.read(given, crawler.settings)
        contact = crawler.settings["WUHU_CONTACT"]
        agent = f"wuhu_crawler/{__version__}" + (f" (+{contact})" if contact else "")
        pace = {
            "USER_AGENT": agent,
            "DOWNLOAD_DELAY": job.portal.delay,
            "CONCURRENT_REQUESTS": job.portal.concurrency,
            "CONCURRENT_REQUESTS_PER_DOMAIN": job.portal.concurrency,
        }
        for name, value in pace.items():
            crawler.settings.set(name, value, priority="spider")
        return super().from_crawler(crawler, job)

    def plan(self, connection: Connection) -> list[Part] | None:
        """Return what the spider is to ask for in this crawl, as far as that can be told; None: it follows no plan."""
        return None

    def skips(self) -> Skips:
        """Return the requests the spider left out for reasons no outcome tells: part of the plan -> reason -> how many."""
        return {}

    @property
    def database(self) -> Connection:
        """The archive's database, for questions once the crawl has begun; it shows what is committed."""
        return keeper_of(self.crawler).writer.database

    @property
    def crawl_id(self) -> str:
        """The ID of the crawl under way."""
        return keeper_of(self.crawler).writer.crawl_id

    def request(self, url: str, *, via: str | None = None, priority: int = 0, known: Any = None) -> Request:
        """Return a request whose response goes to `parse`; what is `known` of the page is handed on to `follow`."""
        return Request(
            url,
            callback=self.parse,
            errback=self.failed,
            priority=priority,
            meta={"via": via} if via else None,
            cb_kwargs={"known": known},
        )

    def parse(self, response: Response, known: Any = None) -> Iterator[Yielded]:
        """Yield the page's one item, then what follows from it; of an article of several captures first its pieces."""
        page, capture = self.read_page(response), response.meta["capture"]
        again = self._ask_again(page, response)
        assembly = None if again else self._assemblies.begin(page, url=capture.url, capture_id=capture.id)
        if assembly is not None:
            composed = Composed(assembly, response.url, capture.record_id, known)
            yield assembly.assembled()
            yield from self._pieces(composed)
            yield from self.follow(page, response, known)
            yield from self._requisites(page, response)
            yield from self._end(composed)
            return
        yield page.item
        if again is not None:
            yield again
        else:
            yield from self.follow(page, response, known)
            yield from self._requisites(page, response)
            yield from self.done(known, page.item)

    def parse_piece(self, response: Response, composed: Composed, piece: str) -> Iterator[Yielded]:
        """Yield what the page of a piece is by itself, then the article as far as it is there now."""
        page, capture = self.read_page(response), response.meta["capture"]
        again = self._ask_again(page, response)
        if again is not None:
            yield page.item
            yield again
            return
        capture.piece_of = PieceOf(composed.record_id, piece)
        item = composed.assembly.take(piece, page, capture.id)
        if item is None or "archived" in response.flags:
            # What an earlier run stored need not be stored again.
            outcome = captured(capture) if item is None else page_outcome(item, capture)
            yield replace(outcome, piece_of=capture.piece_of)
        else:
            yield item
        if page.fragment is not None:
            yield from self._requisites(page, response)
        yield from self._go_on(composed)

    def _requisites(self, page: Page, response: Response) -> Iterator[Outcome | Request]:
        """Yield requests for what a page needs to be shown and the files it offers."""
        if self._needed is None or page.item.kind not in _SHOWN or page.item.encoding is None:
            return
        found = read_requisites(response.body, page.item.encoding, response.url)
        files = ((requisite_kind(link.url), link.url) for link in page.links if link.kind in ("attachment", "asset"))
        found += [Requisite(kind, url) for kind, url in files if kind is not None]
        yield from self._ask_for(found, response.url, deeper=True)

    def _ask_for(self, found: list[Requisite], via: str, *, deeper: bool) -> Iterator[Outcome | Request]:
        assert self._needed is not None  # noqa: S101 - whoever asks has looked
        for requisite, reason in self._needed.sift(found):
            if self.has(requisite):
                continue
            if reason is not None:
                yield Outcome(url=requisite.url, outcome="excluded", reason=reason, via=via, requisite=requisite)
                continue
            self.requisites_waiting += 1
            yield Request(
                requisite.url,
                callback=self.parse_requisite,
                errback=self.failed_requisite,
                priority=self.requisite_priority,
                dont_filter=True,
                meta={
                    "via": via,
                    "awaited": True,
                    "requisite": requisite,
                    "download_maxsize": self._needed.max_size,
                },
                cb_kwargs={"requisite": requisite, "deeper": deeper},
            )

    def has(self, requisite: Requisite) -> bool:
        """Tell whether a requisite need not be asked for, since the archive has it."""
        return False

    def parse_requisite(self, response: Response, requisite: Requisite, deeper: bool) -> Iterator[Outcome | Request]:
        """Yield how a requisite ended; of a style sheet a page names, what that names in turn."""
        capture = response.meta["capture"]
        yield replace(_requisite_outcome(response, capture), requisite=requisite)
        if deeper and requisite.kind == "style" and response.status in (200, 304):
            yield from self._ask_for(read_style(response.body, response.url), response.url, deeper=False)
        yield from self._requisite_done()

    def failed_requisite(self, failure: Failure) -> Iterator[Outcome | Request]:
        """Yield how a requisite ended that could not be had."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        outcome = outcome_of(request, failure.value)
        yield replace(outcome, requisite=request.cb_kwargs["requisite"])
        yield from _others_astray(request, outcome)
        yield from self._requisite_done()

    def _requisite_done(self) -> Iterator[Outcome | Request]:
        self.requisites_waiting -= 1
        if not self.requisites_waiting:
            yield from self.requisites_done()

    def requisites_done(self) -> Iterator[Request | Outcome]:
        """Yield what follows when no requisite asked for so far is waited for."""
        yield from ()

    def failed_piece(self, failure: Failure) -> Iterator[Yielded]:
        """Yield how the URL of a piece ended without a page, then the article as far as it is there."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        composed, piece = request.cb_kwargs["composed"], request.cb_kwargs["piece"]
        capture, outcome = request.meta.get("capture"), outcome_of(request, failure.value)
        yield replace(outcome, piece_of=PieceOf(composed.record_id, piece))
        yield from _others_astray(request, outcome)
        composed.assembly.fail(piece, why(outcome, capture), None if capture is None else capture.id)
        yield from self._go_on(composed)

    def _go_on(self, composed: Composed) -> Iterator[Yielded]:
        yield composed.assembly.assembled()
        yield from self._pieces(composed)
        yield from self._end(composed)

    def _pieces(self, composed: Composed) -> Iterator[Yielded]:
        """Yield requests for the pieces not asked for yet; the profile may keep us from one."""
        excluded = False
        for piece in composed.assembly.waiting:
            if piece.url in composed.asked:
                continue
            composed.asked.add(piece.url)
            if is_excluded(piece.url, self.portal):
                of = PieceOf(composed.record_id, piece.url)
                outcome = Outcome(url=piece.url, outcome="excluded", reason="profile", via=composed.url, piece_of=of)
                yield outcome
                composed.assembly.fail(piece.url, why(outcome, None))
                excluded = True
            else:
                yield self._piece(composed, piece.url)
        if excluded:
            yield composed.assembly.assembled()

    def _piece(self, composed: Composed, url: str) -> Request:
        # Whatever else asks for the URL: an article waits for the answer.
        return Request(
            url,
            callback=self.parse_piece,
            errback=self.failed_piece,
            priority=PIECE,
            dont_filter=True,
            meta={"via": composed.url, "awaited": True},
            cb_kwargs={"composed": composed, "piece": url},
        )

    def _end(self, composed: Composed) -> Iterator[Yielded]:
        if composed.assembly.ended:
            self._assemblies.end(composed.assembly)
            yield from self.done(composed.known, composed.assembly.assembled().article)

    def done(self, known: Any, item: PageItem | None) -> Iterator[Request | Outcome]:
        """Yield what follows once nothing more is to come of a page that was asked for; `item` is None where none came."""
        yield from ()

    def _ask_again(self, page: Page, response: Response) -> Request | None:
        """A rate limit that comes as a page with status 200 is no answer to what was asked."""
        request = response.request
        assert request is not None  # noqa: S101 - Scrapy sets it; the type does not say so
        attempt = request.meta.get("retry_times", 0) + 1
        if page.item.kind != "blocked" or response.status != 200 or attempt > self._tries:
            return None
        return retry(request, attempt, attempt * self._pause)

    def read_page(self, response: Response) -> Page:
        """Return what extraction makes of the response; the item names the capture it was read from."""
        capture = response.meta["capture"]
        page = extract(
            response.body,
            url=capture.url,
            headers=response.meta["fields"],
            status=response.status,
            captured_at=capture.captured_at,
            portal=self.portal,
            related=self.reads_related,
        )
        page.item.capture_id = capture.id
        if response.meta.get("unmodified"):
            uncount(page.item)
        capture.outlinks = [link.url for link in page.links]
        return page

    def follow(self, page: Page, response: Response, known: Any) -> Iterator[Request | Outcome | Walked]:
        """Yield the requests a page leads to."""
        yield from ()

    def failed(self, failure: Failure) -> Iterator[Outcome | Walked | Request]:
        """Yield how a URL without a page ended, then what follows from that."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy adds it
        outcome = outcome_of(request, failure.value)
        yield outcome
        yield from _others_astray(request, outcome)
        yield from self.give_up(request, request.cb_kwargs["known"])
        yield from self.done(request.cb_kwargs["known"], None)

    def give_up(self, request: Request, known: Any) -> Iterator[Request | Outcome | Walked]:
        """Yield what follows from a request that brought no page."""
        yield from ()

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first requests."""
        for seed in self.portal.seeds:
            yield self.request(seed)


def _requisite_outcome(response: Response, capture: Capture) -> Outcome:
    """Return how a requisite ended by its answer."""
    found = missing.by_status(response.status)
    if found is not None and found.kind in _ENDS:
        return replace(captured(capture), outcome=_ENDS[found.kind], reason=found.reason)
    if capture.content_type == "text/html" and response.status == 200:
        # A portal that has no such file shows its page for that, with status 200.
        return replace(captured(capture), outcome="missing", reason="soft 404: a page instead of the file")
    return captured(capture)


def _others_astray(request: Request, outcome: Outcome) -> Iterator[Outcome]:
    """Yield the outcomes of the URLs that led into a circle of redirects."""
    if outcome.reason == "redirect-loop":
        yield from (_led_astray(outcome, url) for url in request.meta.get("redirect_urls", ()) if url != request.url)


def _led_astray(outcome: Outcome, url: str) -> Outcome:
    return Outcome(url=url, outcome=outcome.outcome, reason=outcome.reason, at=outcome.at, via=outcome.via)
