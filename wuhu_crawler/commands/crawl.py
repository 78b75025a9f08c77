"""`scrapy crawl`: Scrapy's command with our manners.

Scrapy alone exits 0 after an exception in start() and prints a traceback for a bad argument. Here arguments are checked before
anything is started, a WuhuError is one sentence on stderr, and the exit code is that of docs/crawling.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from typing import TYPE_CHECKING, cast

from scrapy.commands import BaseRunSpiderCommand, ScrapyHelpFormatter
from scrapy.exceptions import UsageError as ScrapyUsageError
from scrapy.spiderloader import get_spider_loader

from ..errors import Interrupted, UsageError, WuhuError
from ..extensions import ArchiveKeeper
from ..report.make import make
from ..report.page import TITLES
from ..spiders.portal_spider import PortalSpider

if TYPE_CHECKING:
    from scrapy.crawler import AsyncCrawlerProcess, Crawler
    from scrapy.settings import BaseSettings, Settings

# Loggers that tell how things are put together, at INFO, before every crawl.
CHATTER = (
    "alembic",
    "scrapy.utils.log",
    "scrapy.crawler",
    "scrapy.middleware",
    "scrapy.addons",
    "scrapy.core.engine",
    "scrapy.extensions.feedexport",
)
# Our settings that are numbers.
NUMBERS = (
    "WUHU_COMMIT_PAGES",
    "WUHU_COMMIT_SECONDS",
    "WUHU_WARC_MAX_SIZE",
    "WUHU_BACKOFF_SECONDS",
    "WUHU_BACKOFF_MAX",
    "WUHU_RETRY_AFTER_MAX",
    "WUHU_BREAKER_FAILURES",
    "WUHU_BREAKER_SECONDS",
    "WUHU_NAVIGATION_DEPTH",
    "WUHU_PATTERN_BUDGET",
    "WUHU_STALE_PAGES",
    "WUHU_NAVIGATION_DAYS",
    "WUHU_OWED_DAYS",
    "WUHU_REQUISITE_MAX_SIZE",
    "WUHU_GAPS_BUDGET",
    "WUHU_GAPS_BEYOND",
    "WUHU_RECHECK_BUDGET",
    "WUHU_RECHECK_RATIO",
    "WUHU_RECHECK_MIN_DAYS",
    "WUHU_RECHECK_MAX_DAYS",
    "WUHU_RECHECK_TRUST",
    "WUHU_GONE_OBSERVATIONS",
    "WUHU_GONE_DAYS",
)
EXAMPLES = """\
Examples
========
  scrapy crawl wuhu -a portal=demo -O out.jsonl      the bundled portal (beside a running `wuhu demo serve`)
  scrapy crawl wuhu -a limit=20                      the first 20 articles of the live portal
  scrapy crawl wuhu -a portal=demo -a full=1         every listing to its end, every article again
  scrapy crawl wuhu -a category=社会新闻 -a since=2024-01-01
  scrapy crawl gaps -a budget=100                    article numbers no page has shown
  scrapy crawl recheck -a budget=700                 known articles that may have changed, as they fall due
  scrapy crawl article -a url=http://www.o553.cn/news/Info.asp?ID=12393

-o and -O write articles only, in the published schema. A live portal needs WUHU_CONTACT=mailto:you@example.org.
Exit codes: 0 all there, 1 a bug, 2 wrong usage, 5 the portal stopped us or kept pages back, 10 interrupted, 11 disk full,
12 archive in use, 13 storage error.
"""
logger = logging.getLogger(__name__)


class _HelpFormatter(ScrapyHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the examples."""


class Command(BaseRunSpiderCommand):
    """Runs one spider and exits with what became of it."""

    requires_project = True

    def syntax(self) -> str:
        """Return the command's syntax."""
        return "[options] <spider>"

    def short_desc(self) -> str:
        """Return what the command does."""
        return "Crawl into the archive: run a spider by name"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add Scrapy's options, and the spiders' arguments to the help."""
        super().add_options(parser)
        parser.formatter_class = _HelpFormatter
        parser.epilog = f"{_argument_help(self._settings)}\n\n{EXAMPLES}"

    @property
    def _settings(self) -> Settings:
        return cast("Settings", self.settings)  # set before anything here is called

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the spider's name and arguments; raise SystemExit(2) with one sentence when they are wrong."""
        try:
            super().process_options(args, opts)
            _articles_only(self._settings)
            _check_numbers(self._settings)
            _check(args, opts.spargs, self._settings)
        except (ScrapyUsageError, WuhuError) as error:
            _say(error)
            raise SystemExit(UsageError.exit_code) from None

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Crawl; leaves the exit code in `exitcode`."""
        if str(self._settings["LOG_LEVEL"]).upper() != "DEBUG":
            for name in CHATTER:
                logging.getLogger(name).setLevel(logging.WARNING)
        crawler = self._create_crawler(args[0])
        process = cast("AsyncCrawlerProcess", self.crawler_process)
        task = process.crawl(crawler, **opts.spargs)
        # What is loaded by now lives as long as the process: the collector need not look at it again. A page leaves some 25
        # objects in circles; looking for them at Python's own threshold of 700 allocations was 5 % of the whole job.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        process.start()
        error = _end_of(task, crawler)
        _report(crawler)
        if error is not None:
            _say(error)
            self.exitcode = error.exit_code


def _check_numbers(settings: BaseSettings) -> None:
    """Raise UsageError for a setting that must be a number, 0 or more, and is not: it may come from the environment."""
    for name in NUMBERS:
        try:
            valid = settings.getfloat(name) >= 0
        except (TypeError, ValueError):
            valid = False
        if not valid:
            raise UsageError(f"{name}={settings[name]} must be a number, 0 or more")


def _check(args: list[str], given: dict[str, str], settings: BaseSettings) -> None:
    spiders = get_spider_loader(settings)
    names = ", ".join(sorted(spiders.list()))
    if not args:
        raise UsageError(f"name a spider: {names}")
    if len(args) > 1:
        raise UsageError(
            f"{' '.join(args[1:])!r} was not understood: a crawl takes one spider, with arguments as -a name=value"
        )
    try:
        spider = spiders.load(args[0])
    except KeyError:
        raise UsageError(f"there is no spider {args[0]!r}: there are {names}") from None
    if issubclass(spider, PortalSpider):
        spider.read(given, settings)


def _articles_only(settings: BaseSettings) -> None:
    """Feeds hold article JSON; listings, soft-404s and outcomes are in the database."""
    feeds = settings.getdict("FEEDS")
    for options in feeds.values():
        options.setdefault("item_classes", ["wuhu_crawler.items.Article"])
    if feeds:
        settings.set("FEEDS", feeds, priority="cmdline")


def _end_of(task: asyncio.Task[None], crawler: Crawler) -> WuhuError | None:
    """Return what the crawl ended with, closing an archive that was left open; None when all is there."""
    keeper = _keeper(crawler)
    if keeper is not None:
        keeper.close()
    if not task.done() or task.cancelled():
        return Interrupted("the crawl was stopped by force; resume it")
    error = task.exception()
    if isinstance(error, WuhuError):
        return error
    if error is not None:
        logger.error("The crawl ended with an unexpected error", exc_info=error)
        return WuhuError(f"unexpected error: {error!r}")
    return keeper.error if keeper is not None else WuhuError("the crawl ended without an archive")


def _report(crawler: Crawler) -> None:
    """Make the report of the run. What goes wrong with it is told, and is no reason to call the crawl a failure."""
    keeper = _keeper(crawler)
    if keeper is None or keeper.writer.broken is not None or not crawler.settings.getbool("WUHU_REPORT"):
        return
    try:
        made = make(keeper.writer.paths, keeper.writer.run_id)
    except WuhuError as error:
        logger.error("There is no report of this run: %s", error)
        return
    if made is not None:
        logger.info("%s; report %s", TITLES[made["verdict"]], made["files"][-1])


def _keeper(crawler: Crawler) -> ArchiveKeeper | None:
    try:
        return crawler.get_extension(ArchiveKeeper)
    except RuntimeError:  # the crawl ended before its extensions were made
        return None


def _argument_help(settings: BaseSettings) -> str:
    lines = []
    spiders = get_spider_loader(settings)
    for name in sorted(spiders.list()):
        spider = spiders.load(name)
        lines += ["", f"Arguments of {name}", "=" * (13 + len(name))]
        for argument in getattr(spider, "known_arguments", ()):
            left = f"-a {argument.name}={argument.metavar}"
            lines.append(f"  {left:<28} {argument.meaning}{' (required)' if argument.required else ''}")
    return "\n".join(lines)


def _say(error: Exception) -> None:
    sys.stderr.write(f"scrapy crawl: {error}\n")
