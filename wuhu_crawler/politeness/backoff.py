"""Patience: what failed is asked again later, and a host that fails rests as a whole.

Three levels. A *request* that fails (timeout, reset, a cut body, a 5xx) is tried RETRY_TIMES more, after the rest of the
queue. A *busy host* (429, 503) rests for its Retry-After or a growing pause. A host that *cannot be reached* rests without
using up its URLs' tries; after WUHU_BREAKER_FAILURES in a row it gets one long rest and one more chance, then all its URLs are
postponed. All waiting is done at the gate in process_request, in slices, so that a stopped crawl stops.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING

from scrapy.utils.httpobj import urlparse_cached

from .. import clock
from .faults import CONNECTION_FAULTS, REQUEST_FAULTS, Refused, fate

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

BUSY = frozenset({429, 503})
FAILING = frozenset({408, 500, 502, 504, 520, 522, 524})
# Response flags that say the body is not the whole body: the archive's and the decoder's.
CUT_FLAGS = {"partial": "disconnect", "bad-encoding": "bad-encoding"}
# A retried request waits behind all that was not tried yet.
LATER = -100
_SLICE = 0.5
logger = logging.getLogger(__name__)


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds a Retry-After header asks for (seconds or an HTTP date), never negative; None when it is neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Patience:
    """The figures of the settings; seconds."""

    base: float
    maximum: float
    retry_after: float
    failures: int
    rest: float

    def pause(self, attempt: int) -> float:
        """Return the pause before the next try after `attempt` failures: doubling, with jitter, bounded."""
        return min(self.maximum, self.base * 2.0 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter


@dataclass(slots=True)
class Host:
    """How a host has been doing. Times are those of `monotonic`."""

    failures: int = 0
    rests_until: float = 0.0
    down: str | None = None
    until: datetime | None = None
    # Counts the failures; a request that began before the last one belongs to the same burst and counts no more.
    generation: int = 0

    def rest(self, seconds: float) -> None:
        """Rest for so long from now, at least."""
        self.rests_until = max(self.rests_until, monotonic() + seconds)

    def recovered(self) -> None:
        """It answered."""
        self.failures = 0

    def failed(self, generation: int, reason: str, patience: Patience) -> None:
        """It failed a request begun in `generation`: rest, and after the long rest give it up."""
        if generation != self.generation or self.down:
            return
        self.generation += 1
        self.failures += 1
        if self.failures > patience.failures:
            self.down = reason
        else:
            self.rest(patience.rest if self.failures == patience.failures else patience.pause(self.failures))


class BackoffMiddleware:
    """Holds requests at the gate while their host rests, and sends failed ones round again."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._tries = settings.getint("RETRY_TIMES")
        self._patience = Patience(
            settings.getfloat("WUHU_BACKOFF_SECONDS"),
            settings.getfloat("WUHU_BACKOFF_MAX"),
            settings.getfloat("WUHU_RETRY_AFTER_MAX"),
            settings.getint("WUHU_BREAKER_FAILURES"),
            settings.getfloat("WUHU_BREAKER_SECONDS"),
        )
        self._hosts: dict[str, Host] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware of a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait until the host and the request have rested; raises Refused (postponed) when it is not worth waiting."""
        host = self._host(request)
        while (left := max(host.rests_until, request.meta.get("not_before", 0.0)) - monotonic()) > 0 and not host.down:
            if self._stopping():
                raise Refused("postponed", "interrupted")
            await asyncio.sleep(min(left, _SLICE))
        if host.down:
            raise Refused("postponed", host.down, until=host.until)
        request.meta["generation"] = host.generation

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the response, or the request for another try; raises Refused when the tries are used up."""
        host = self._host(request)
        cut = next((reason for flag, reason in CUT_FLAGS.items() if flag in response.flags), None)
        if "archived" in response.flags and cut is None:
            return response
        if response.status in BUSY:
            return self._busy(host, request, response)
        host.recovered()
        if cut is None and response.status not in FAILING:
            return response
        again = self._again(request)
        if again is None and cut is not None:
            raise Refused("truncated", cut)
        return again or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request for another try, or None to let the exception be the URL's end."""
        host = self._host(request)
        reason = fate(exception)[1]
        if isinstance(exception, CONNECTION_FAULTS):
            host.failed(request.meta.get("generation", host.generation), f"host-down ({reason})", self._patience)
            logger.warning("%s: %s", request.url, f"giving the host up: {reason}" if host.down else f"{reason}, the host rests")
            if host.down:
                raise Refused("postponed", host.down) from exception
            return _copy(request)
        if isinstance(exception, REQUEST_FAULTS):
            again = self._again(request)
            if again is None:
                host.failed(request.meta.get("generation", host.generation), f"host-down ({reason})", self._patience)
            return again
        return None

    def _busy(self, host: Host, request: Request, response: Response) -> Request:
        now = clock.now()
        asked = retry_after((response.headers.get("Retry-After") or b"").decode("latin-1"), now)
        if asked is not None and asked > self._patience.retry_after:
            host.down, host.until = f"retry-after (HTTP {response.status})", now + timedelta(seconds=asked)
            raise Refused("postponed", host.down, until=host.until)
        attempt = request.meta.get("retry_times", 0) + 1
        host.rest(self._patience.pause(attempt) if asked is None else asked)
        if attempt <= self._tries:
            return _copy(request, retry_times=attempt)
        host.failed(request.meta.get("generation", host.generation), f"busy (HTTP {response.status})", self._patience)
        raise Refused("postponed", f"HTTP {response.status}")

    def _again(self, request: Request) -> Request | None:
        attempt = request.meta.get("retry_times", 0) + 1
        if attempt > self._tries or self._stopping():
            return None
        return retry(request, attempt, self._patience.pause(attempt))

    def _host(self, request: Request) -> Host:
        return self._hosts.setdefault(urlparse_cached(request).netloc, Host())

    def _stopping(self) -> bool:
        spider = self._crawler.spider
        return not self._crawler.crawling or not self._crawler.engine.running or getattr(spider, "finished", False)


def retry(request: Request, attempt: int, seconds: float) -> Request:
    """Return the request for its next try, not before so many seconds from now and after what was not tried yet."""
    return _copy(request, LATER, retry_times=attempt, not_before=monotonic() + seconds)


def _copy(request: Request, priority: int = 0, **meta: object) -> Request:
    again: Request = request.copy()
    again.dont_filter = True
    again.priority += priority
    forget(again.meta)
    again.meta.update(meta)
    return again


def forget(meta: dict[str, object]) -> None:
    """Drop from a request's meta what belongs to the response it had before."""
    for key in ("capture", "exchange", "not_before"):
        meta.pop(key, None)
