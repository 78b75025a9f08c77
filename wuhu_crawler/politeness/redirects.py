"""Redirects: followed on the portal only, and never in circles; a target out of scope is refused by scope on its own hop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware as ScrapyRedirectMiddleware

from ..extract.urls import identity
from .backoff import forget
from .faults import Refused

if TYPE_CHECKING:
    from scrapy.http import Response


class RedirectMiddleware(ScrapyRedirectMiddleware):
    """Scrapy's, without its three ways of losing a URL in silence: a redirect to itself, a circle, too many hops."""

    def _engine_started(self) -> None:
        """No Referer is sent, so there is none to mend."""

    def handle_referer(self, request: Request, response: Response) -> None:
        """No Referer is sent."""

    def process_response(  # type: ignore[override]  # without the deprecated spider argument
        self, request: Request, response: Response
    ) -> Request | Response:
        """Return the response, or the request for its target; raises Refused (failed: redirect-loop)."""
        target = super().process_response(request, response)
        if not isinstance(target, Request):
            return target
        if target.url in target.meta["redirect_urls"]:
            raise Refused("failed", "redirect-loop")
        # The same resource under another spelling would be dropped as a duplicate of the request that was redirected; and some
        # answers are waited for, whoever had them before.
        target.dont_filter = bool(target.meta.get("awaited")) or identity(target.url) == identity(request.url)
        forget(target.meta)
        target.meta.pop("retry_times", None)
        target.meta["via"] = request.url
        return target

    def _redirect(self, redirected: Request, request: Request, reason: Any) -> Request:
        if request.meta.get("redirect_times", 0) >= self.max_redirect_times:
            raise Refused("failed", "redirect-loop")
        return super()._redirect(redirected, request, reason)
