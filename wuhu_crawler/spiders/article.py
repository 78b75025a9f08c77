"""`scrapy crawl article -a url=U`: single pages of a portal, archived now, into the same store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import UsageError
from ..extract.urls import article_id, is_part, part_url
from ..politeness.scope import Scope
from .arguments import Argument, choose_portal, portal_of, urls, word
from .portal_spider import REQUISITES, Job, PortalSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.settings import BaseSettings

    from ..portals import Portal


class ArticleSpider(PortalSpider):
    """Archives the pages it is given and follows nothing."""

    name = "article"
    known_arguments: ClassVar[tuple[Argument, ...]] = (
        Argument("url", "URL[,...]", "the pages to archive", urls, required=True),
        REQUISITES,
        Argument("portal", "NAME|FILE", "the portal's profile (default: the bundled one whose hosts match)", word),
    )

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._urls: tuple[str, ...] = job.values["url"]

    @classmethod
    def choose(cls, values: dict[str, Any], settings: BaseSettings) -> Portal:
        """Return the portal all the URLs are on. Raises UsageError naming the URL that is elsewhere."""
        demo = settings["WUHU_DEMO_URL"]
        portal = choose_portal(values["portal"], demo) if values["portal"] else portal_of(values["url"][0], demo)
        scope = Scope(portal)
        for url in values["url"]:
            if not scope.holds(url):
                raise UsageError(f"-a url={url}: not on a host of portal {portal.name} ({', '.join(portal.hosts)})")
        return portal

    async def start(self) -> AsyncIterator[Request]:
        """Yield the pages."""
        for url in self._urls:
            # A later part is asked for as one, after the first page that links to it.
            yield self.request(part_url(url, 1) if is_part(url) and article_id(url, self.portal) is not None else url)
