"""The keeper of the crawl's archive: opens it before the crawl, closes it after, and settles the exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from scrapy import signals
from scrapy.utils.asyncio import create_looping_call

from .. import clock
from ..db.failures import translated
from ..errors import Interrupted, PortalStopped, WuhuError
from ..ingest import ArchiveWriter
from ..items import Outcome
from ..paths import ArchivePaths
from ..planning.record import rows, rows_of, sentence, settled
from .ledger import CLOSED, SHUT_OUT, Ledger
from .resume import crawl_to_resume

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

    from ..spiders.portal_spider import PortalSpider

# Reasons a crawl closes with when it did all it was asked to.
DONE = frozenset({"finished", "limit"})
# Settings worth keeping with the crawl's row and in each WARC file.
KEPT_SETTINGS = ("USER_AGENT", "ROBOTSTXT_OBEY", "DOWNLOAD_DELAY", "CONCURRENT_REQUESTS", "DOWNLOAD_TIMEOUT")
logger = logging.getLogger(__name__)


class ArchiveKeeper:
    """Opens the archive before the crawl (an error there keeps it from starting), commits on a timer, closes it at the end and
    knows the exit code. `writer` is the open archive; `error` is what ended the crawl before its time."""

    def __init__(self, crawler: Crawler, writer: ArchiveWriter) -> None:
        self.writer = writer
        self.ledger = Ledger()
        self.error: WuhuError | None = None
        self.exit_code: int | None = None
        self._crawler = crawler
        self._reason = "shutdown"
        self._planned = False
        self._closing: asyncio.Future[None] | None = None
        self._timer = create_looping_call(self._tick)
        self._stats = {"wuhu/url/duplicate": 0}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Open the archive of the crawler's settings. Raises what ArchiveWriter.open raises."""
        settings, spider = crawler.settings, cast("PortalSpider", crawler.spider)
        kept: dict[str, Any] = {name: settings[name] for name in KEPT_SETTINGS}
        if settings["WUHU_CLOCK"]:
            kept["WUHU_CLOCK"] = settings["WUHU_CLOCK"]
        kept.update({f"argument-{name}": value for name, value in spider.arguments_given.items()})
        paths = ArchivePaths.of(settings["WUHU_DATA_DIR"], settings["WUHU_DATABASE_URL"] or None)
        writer = ArchiveWriter.open(
            paths,
            spider.portal,
            job=spider.name,
            crawl_id=crawl_to_resume(paths, spider.resume, portal=spider.portal.name, job=spider.name),
            settings=kept,
            operator=settings["WUHU_OPERATOR"] or None,
            argv=sys.orig_argv[1:],
            commit_pages=settings.getint("WUHU_COMMIT_PAGES"),
            commit_seconds=settings.getfloat("WUHU_COMMIT_SECONDS"),
            warc_max_size=settings.getint("WUHU_WARC_MAX_SIZE"),
            index=settings.getbool("WUHU_SEARCH_INDEX"),
        )
        keeper = cls(crawler, writer)
        for handler, signal in (
            (keeper._start, signals.engine_started),
            (keeper._item_scraped, signals.item_scraped),
            (keeper._item_dropped, signals.item_dropped),
            (keeper._item_error, signals.item_error),
            (keeper._spider_error, signals.spider_error),
            (keeper._request_dropped, signals.request_dropped),
            (keeper._spider_closed, signals.spider_closed),
            (keeper.close, signals.engine_stopped),
        ):
            crawler.signals.connect(handler, signal=signal)
        return keeper

    def note(self, outcome: Outcome) -> None:
        """Store the outcome of a URL that reaches no spider callback; a storage error ends the crawl."""
        with self.fatal_storage_errors():
            self.writer.outcome(outcome)
        self.ledger.add(outcome)

    @contextmanager
    def fatal_storage_errors(self) -> Iterator[None]:
        """Let a storage error through, and end the crawl with it."""
        try:
            yield
        except WuhuError as error:
            self.stop(error)
            raise

    def stop(self, error: WuhuError) -> None:
        """End the crawl because of `error`; the first one decides the exit code."""
        if self.error is not None:
            return
        self.error = error
        logger.error("%s", error)
        if self._crawler.engine.spider is not None:
            self._closing = asyncio.ensure_future(self._crawler.engine.close_spider_async(reason=type(error).__name__))

    def close(self) -> None:
        """Close the archive and settle the exit code. Safe to call twice."""
        if self.exit_code is not None:
            return
        if self._timer.running:
            self._timer.stop()
        verdict = self._verdict()
        self.error, self.exit_code = verdict, verdict.exit_code if verdict else 0
        try:
            try:
                for outcome in self.ledger.bugs.values():
                    if outcome.url and self.writer.broken is None:
                        self.writer.outcome(outcome)
                self._settle_plan()
            finally:
                self.writer.close(self.exit_code, self._reason, self._statistics())
        except WuhuError as error:
            self.error, self.exit_code = error, error.exit_code
        logger.info("%s", self.summary())

    def _plan(self) -> None:
        """Store what the crawl is to ask for, as its spider plans it; one that is resumed keeps the plan it began with.

        A spider of other people's, kept in an archive of ours, plans nothing.
        """
        plan = getattr(self._crawler.spider, "plan", None)
        if plan is None:
            return
        try:
            with translated():
                database = self.writer.database
                begun = bool(rows(database, self.writer.crawl_id))
                parts = [] if begun else plan(database)
            self._planned = parts is not None
            self.writer.plan(rows_of(parts or [], clock.now()))
        except WuhuError as error:
            self.stop(error)

    def _settle_plan(self) -> None:
        """Store what became of the plan, and say it in a line."""
        if self.writer.broken is not None or not self._planned:
            return
        self.writer.commit()
        spider = cast("PortalSpider", self._crawler.spider)
        with translated():
            found = settled(self.writer.database, self.writer.crawl_id, clock.now(), spider.skips())
        self.writer.plan(found, anew=True)
        if found:
            logger.info("Plan: %s", sentence(found))

    def summary(self) -> str:
        """Return the crawl's result in a sentence."""
        counts = self.writer.counts
        articles = ", ".join(f"{counts[f'articles/{kind}']} {kind}" for kind in ("new", "changed", "unchanged"))
        stats = self._crawler.stats
        left, known = (stats.get_value(f"wuhu/{noun}/known", 0) for noun in ("listing", "article"))
        spared = f", {left} listings left as known, {known} known articles not asked for" if left or known else ""
        incomplete = counts["articles/incomplete"]
        needed = f", {counts['requisites']} requisites" if counts["requisites"] else ""
        parts = f", {incomplete} articles incomplete" if incomplete else ""
        lost = f", {self.ledger.lost.total()} URLs lost" if self.ledger.lost else ""
        return (
            f"Crawl {self.writer.crawl_id} ended ({self._reason}): {counts['captures']} captures, "
            f"{counts['pages/article']} articles ({articles}), {counts['pages/listing']} listing pages, "
            f"{counts['pages/missing']} missing{spared}{needed}{parts}{lost}; archive {self.writer.paths.root}"
        )

    def _verdict(self) -> WuhuError | None:
        broken = self.writer.broken
        if broken is not None:
            return broken
        if self.error is not None:
            return self.error
        if self.ledger.bugs:
            count = len(self.ledger.bugs)
            return WuhuError(f"a bug of ours met {count} URLs (tracebacks are in the log); what came is in the archive")
        complaint = getattr(self._crawler.spider, "complaint", None)
        if self._reason not in DONE:
            return Interrupted(
                f"the crawl was stopped before its end ({self._reason}); resume it with -a resume={self.writer.crawl_id}"
            )
        return (complaint() if complaint else None) or self.ledger.trouble()

    def _statistics(self) -> dict[str, int]:
        ours = {name: value for name, value in self._crawler.stats.get_stats().items() if name.startswith("wuhu/")}
        lost = {f"lost/{reason}": count for reason, count in self.ledger.lost.items()}
        return {**self._stats, **dict(self.writer.counts), **ours, **lost}

    def _start(self) -> None:
        self._plan()
        self._timer.start(max(0.1, self._crawler.settings.getfloat("WUHU_COMMIT_SECONDS")), now=False)

    def _tick(self) -> None:
        if self.error is None:
            try:
                self.writer.tick()
            except WuhuError as error:
                self.stop(error)

    def _item_scraped(self, item: Any) -> None:
        self.ledger.add(item)
        if self.ledger.shut_out:
            self.stop(PortalStopped(f"the portal blocks us: {SHUT_OUT} pages in a row were refusals; wait before resuming"))
        elif self.ledger.closed:
            self.stop(PortalStopped(f"the portal is closed: {CLOSED} pages in a row were error pages; wait before resuming"))

    def _request_dropped(self) -> None:
        # Another spelling of a URL that was asked for already: that URL has the outcome.
        self._stats["wuhu/url/duplicate"] += 1

    def _item_dropped(self, item: Any, exception: Exception) -> None:
        # No loss: the bytes are in the archive, and a rebuild by better rules will store it.
        self._note_failure(item.url, item.capture_id, f"invalid ({exception})")

    def _item_error(self, item: Any, failure: Failure) -> None:
        if not isinstance(failure.value, WuhuError):
            self._note_bug(item.url, item.capture_id, failure)

    def _spider_error(self, failure: Failure, response: Any) -> None:
        if isinstance(failure.value, WuhuError):
            self.stop(failure.value)
            return
        request = getattr(response, "request", None)
        capture = None if request is None else request.meta.get("capture")
        url = capture.url if capture else "" if request is None else request.url
        self._note_bug(url, capture.id if capture else None, failure)

    def _note_bug(self, url: str, capture_id: int | None, failure: Failure) -> None:
        # Stored at the end: the page's own item may still be on its way through the pipelines.
        reason = f"bug ({type(failure.value).__name__})"
        self.ledger.bugs[url] = Outcome(url=url, outcome="failed", reason=reason, capture_id=capture_id)

    def _note_failure(self, url: str, capture_id: int | None, reason: str) -> None:
        if self.writer.broken is None:
            with self.fatal_storage_errors():
                self.writer.outcome(Outcome(url=url, outcome="failed", reason=reason, capture_id=capture_id))

    def _spider_closed(self, reason: str) -> None:
        self._reason = reason


def keeper_of(crawler: Crawler) -> ArchiveKeeper:
    """Return the crawl's keeper. Raises RuntimeError when the extension is switched off: then there is no archive."""
    keeper = crawler.get_extension(ArchiveKeeper)
    if keeper is None:
        raise RuntimeError("the extension wuhu_crawler.extensions.ArchiveKeeper is needed")
    return keeper
