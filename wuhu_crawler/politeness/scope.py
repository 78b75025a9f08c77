"""Scope: the portal's own hosts and ports over http(s), and no private address unless its profile allows it.

Every request passes here, redirects and robots.txt too. A host's address is looked up once and then pinned by Scrapy's DNS
cache, so the address checked is the address connected to.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import CannotResolveHostError
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import DNSLookupError

from .faults import Refused

if TYPE_CHECKING:
    from typing import Self
    from urllib.parse import ParseResult, SplitResult

    from scrapy import Request
    from scrapy.crawler import Crawler

    from ..portals import Portal

PORTS = {"http": 80, "https": 443}


class Scope:
    """Answers which URLs belong to a portal: its hosts, on the ports of its seeds (and 80 and 443 unless it is a private one,
    whose host may well serve other things there)."""

    def __init__(self, portal: Portal) -> None:
        self._hosts = frozenset(host.lower() for host in portal.hosts)
        ports = {_port(urlsplit(seed)) for seed in portal.seeds}
        self._ports = frozenset(ports if portal.allow_private else ports | set(PORTS.values()))
        self._private = portal.allow_private

    def refusal(self, parts: ParseResult | SplitResult) -> str | None:
        """Return why a URL is out of scope (`scheme`, `offsite`, `private-address`), or None when it is in."""
        if parts.scheme not in PORTS:
            return "scheme"
        host = (parts.hostname or "").lower()
        if host not in self._hosts or _port(parts) not in self._ports:
            return "offsite"
        if not self._private and is_private(host):
            return "private-address"
        return None

    def holds(self, url: str) -> bool:
        """Tell whether a URL is in scope; one that cannot be split is not."""
        try:
            return self.refusal(urlsplit(url)) is None
        except ValueError:
            return False


def is_private(address: str) -> bool:
    """Tell whether a literal IP address is not one of the public internet; False for a host name."""
    try:
        ip = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return False
    return not ip.is_global or ip.is_multicast


class ScopeMiddleware:
    """Refuses what is out of scope, before and after the name is resolved."""

    def __init__(self, crawler: Crawler) -> None:
        portal: Portal = crawler.spider.portal  # type: ignore[union-attr]  # every spider of ours has one
        self._scope = Scope(portal)
        self._trusted = set(portal.hosts) if portal.allow_private else set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware for the portal of the crawler's spider."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Pass a request in scope; raises Refused (excluded), or CannotResolveHostError for backoff to handle."""
        parts = urlparse_cached(request)
        try:
            reason = self._scope.refusal(parts)
        except ValueError:
            reason = "malformed"
        if reason is not None:
            raise Refused("excluded", reason)
        host = parts.hostname or ""
        if host not in self._trusted:
            await self._check_address(host)
            self._trusted.add(host)

    async def _check_address(self, host: str) -> None:
        from twisted.internet import reactor  # the one Scrapy installed; importing it earlier would install another

        try:
            address = await maybe_deferred_to_future(reactor.resolve(host))  # type: ignore[arg-type]  # zope declares it wrongly
        except DNSLookupError as error:
            raise CannotResolveHostError(str(error)) from error
        if is_private(address):
            raise Refused("excluded", "private-address")


def _port(parts: ParseResult | SplitResult) -> int | None:
    return parts.port or PORTS.get(parts.scheme)
