"""How the crawl goes: a live status line on a terminal, plain log lines elsewhere, and no log line larger than a line."""

from __future__ import annotations

import logging
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.logformatter import LogFormatter
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.log import get_scrapy_root_handler

from ..errors import WuhuError
from .keeper import keeper_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


class Progress:
    """One live status line on a terminal, a plain log line now and then elsewhere."""

    def __init__(self, crawler: Crawler, *, terminal: bool) -> None:
        self._crawler = crawler
        self._terminal = terminal
        self._interval = 0.5 if terminal else crawler.settings.getfloat("LOGSTATS_INTERVAL")
        self._timer = create_looping_call(self._show)
        self._started = monotonic()
        self._live: Any = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension; raises NotConfigured when there is no log to tell it in."""
        if not crawler.settings.getbool("LOG_ENABLED"):
            raise NotConfigured
        progress = cls(crawler, terminal=sys.stderr.isatty() and not crawler.settings["LOG_FILE"])
        crawler.signals.connect(progress._start, signal=signals.engine_started)
        crawler.signals.connect(progress._stop, signal=signals.spider_closed)
        return progress

    def line(self) -> str:
        """Return pages, articles, rate and queue, as they are now."""
        scheduler: Any = self._crawler.engine.scheduler
        counts, seconds = keeper_of(self._crawler).writer.counts, max(monotonic() - self._started, 0.001)
        return (
            f"{counts['captures']} pages, {counts['pages/article']} articles, {counts['captures'] / seconds:.1f} pages/s, "
            f"{len(scheduler) if scheduler else 0} in the queue"
        )

    def _start(self) -> None:
        self._started = monotonic()
        if self._terminal:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
            self._send_log_through(sys.stderr)
        self._timer.start(self._interval, now=self._terminal)

    def _show(self) -> None:
        if self._live is None:
            logger.info("%s", self.line())
            return
        from rich.spinner import Spinner

        self._live.update(Spinner("dots", text=self.line()), refresh=True)

    def _stop(self) -> None:
        if self._timer.running:
            self._timer.stop()
        if self._live is not None:
            self._live.stop()
            self._send_log_through(sys.stderr)

    def _send_log_through(self, stream: Any) -> None:
        # Log lines written past rich would be overwritten by the status line.
        handler = get_scrapy_root_handler()
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setStream(stream)


class QuietFormatter(LogFormatter):
    """Log lines without the text of whole articles; two lines a page only when somebody asked for DEBUG."""

    def __init__(self, *, every_page: bool) -> None:
        self._every_page = every_page

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the formatter for LOG_LEVEL: the loggers themselves are open to every level."""
        return cls(every_page=str(crawler.settings["LOG_LEVEL"]).upper() == "DEBUG")

    def crawled(self, request: Any, response: Any, spider: Any) -> Any:
        """Return the line of a response, or None when nobody reads it."""
        return super().crawled(request, response, spider) if self._every_page else None

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        """Return nothing: the item is in the database."""
        return None

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Return the reason."""
        return {"level": logging.WARNING, "msg": "Not stored: %(exception)s", "args": {"exception": exception}}

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        """Return the URL; the traceback follows it, except for a storage error, which ends the crawl with its sentence."""
        level = logging.DEBUG if isinstance(exception, WuhuError) else logging.ERROR
        return {"level": level, "msg": "Could not store %(url)s", "args": {"url": item.url}}
