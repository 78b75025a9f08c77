"""robots.txt as RFC 9309 says: 2xx is obeyed, 4xx allows all, 5xx or no answer forbids all until it answers again.

429 counts as no answer (section 2.3.1.4 leaves it to the crawler). Only the first 512 KiB are read. Crawl-delay is no part of
the RFC; it is honoured where it asks for more patience than the profile does.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protego import Protego
from scrapy import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from ..extensions import keeper_of
from .faults import Refused, outcome_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

MAX_BYTES = 512 << 10
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host's robots.txt says to us. `trouble` names why it could not be read, which forbids everything for now."""

    parser: Protego
    trouble: str | None = None

    def refusal(self, url: str, agent: str) -> Refused | None:
        """Return the exception that refuses the URL, or None when it may be fetched."""
        if self.trouble:
            return Refused("postponed", f"robots-unreachable ({self.trouble})")
        return None if self.parser.can_fetch(url, agent) else Refused("excluded", "robots")


def read_rules(status: int, body: bytes) -> Rules:
    """Return the rules of a robots.txt response."""
    if status >= 500 or status == 429:
        return Rules(Protego.parse(""), f"HTTP {status}")
    text = body[:MAX_BYTES].decode("utf-8-sig", "replace") if 200 <= status < 300 else ""
    return Rules(Protego.parse(text))


class RobotsMiddleware:
    """Fetches each host's robots.txt once, through the archive like any page, and refuses what it forbids."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        self._obey = crawler.settings.getbool("ROBOTSTXT_OBEY")
        self._rules: dict[str, asyncio.Future[Rules]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Pass a request the host's robots.txt allows; raises Refused (excluded or postponed)."""
        if not self._obey or request.meta.get("robots"):
            return
        parts = urlparse_cached(request)
        authority = f"{parts.scheme}://{parts.netloc}"
        if authority not in self._rules:
            self._rules[authority] = asyncio.ensure_future(self._fetch(authority))
        rules = await asyncio.shield(self._rules[authority])
        refusal = rules.refusal(request.url, self._agent)
        if refusal is not None:
            raise refusal

    async def _fetch(self, authority: str) -> Rules:
        request = Request(f"{authority}/robots.txt", callback=NO_CALLBACK, meta={"robots": True}, dont_filter=True)
        try:
            response: Response = await self._crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the file was not read, and that forbids all
            return self._unread(request, error)
        rules = read_rules(response.status, response.body)
        self._slow_down(request, rules)
        return rules

    def _unread(self, request: Request, error: Exception) -> Rules:
        outcome = outcome_of(request, error)
        keeper_of(self._crawler).note(outcome)
        if outcome.reason == "offsite":  # it leads away from the portal, which so has none of its own
            return Rules(Protego.parse(""))
        logger.warning("%s could not be read (%s), so nothing may be fetched there now", request.url, outcome.reason)
        return Rules(Protego.parse(""), outcome.reason)

    def _slow_down(self, request: Request, rules: Rules) -> None:
        delay = rules.parser.crawl_delay(self._agent)
        downloader = self._crawler.engine.downloader
        if not delay or delay <= self._crawler.settings.getfloat("DOWNLOAD_DELAY"):
            return
        logger.info("%s asks for %g seconds between requests: honoured", request.url, delay)
        key = downloader.get_slot_key(request)
        downloader.per_slot_settings[key] = {"delay": delay, "concurrency": 1, "jitter": 0}
        if key in downloader.slots:
            slot = downloader.slots[key]
            slot.delay, slot.concurrency, slot.jitter = delay, 1, 0
