"""`scrapy crawl recheck`: known articles asked again when they are due, for edits and removals nobody announces.

Which and in what order is decided by `planning.rechecks`, once, when the crawl begins. Nothing on the pages is followed; what
belongs to an article (parts, counter) is asked for as ever, of the requisites only what the archive does not have.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from sqlalchemy import distinct, func, select

from .. import clock
from ..db import models
from ..extensions import keeper_of
from ..items import Confirms
from ..planning.gone import GoneRule
from ..planning.intervals import Rule
from ..planning.plan import rechecks_part
from ..planning.rechecks import Survey, survey
from ..politeness.scope import Scope
from .arguments import Argument, count
from .portal_spider import PORTAL, REQUISITES, RESUME, Job, PortalSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.settings import BaseSettings
    from sqlalchemy import Connection

    from ..items import Requisite
    from ..planning.plan import Part
    from ..planning.rechecks import Due

logger = logging.getLogger(__name__)


class RecheckSpider(PortalSpider):
    """Asks for known articles again."""

    name = "recheck"
    known_arguments: ClassVar[tuple[Argument, ...]] = (
        PORTAL,
        Argument("budget", "N", "at most so many articles (default WUHU_RECHECK_BUDGET)", count),
        REQUISITES,
        RESUME,
    )

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.budget: int = job.values["budget"] or job.settings.getint("WUHU_RECHECK_BUDGET")
        self.rule, self.gone = Rule.of(job.settings.getfloat), GoneRule.of(job.settings.getfloat)
        self._scope = Scope(job.portal)
        # As the crawl's plan was made.
        self._tonight: Survey | None = None

    @classmethod
    def read(cls, given: Mapping[str, str], settings: BaseSettings) -> Job:
        """Return the job; rules that cannot be kept are refused. Raises UsageError."""
        job = super().read(given, settings)
        Rule.of(settings.getfloat)
        GoneRule.of(settings.getfloat)
        return job

    def plan(self, connection: Connection) -> list[Part] | None:
        """Return how many articles are due, and how many changes are expected of them."""
        self._tonight = survey(connection, self.portal.name, self.budget, clock.now(), self.rule, self.gone)
        return [rechecks_part(connection, self.portal.name, self._tonight)]

    async def start(self) -> AsyncIterator[Request]:
        """Yield the articles that are due; in a resumed crawl before them those it has come to, as far as it has."""
        asked, found = 0, self._tonight
        if self.resume is not None:
            for url in self._begun():
                yield self.request(url)
            asked = self._count_begun()
        if asked >= self.budget:
            return
        if found is None or asked:
            found = survey(self.database, self.portal.name, self.budget - asked, clock.now(), self.rule, self.gone)
        logger.info("%s", describe(found))
        for due in found.tonight:
            request = self._again(due)
            if request is not None:
                yield request

    def _again(self, due: Due) -> Request | None:
        url = due.url
        if not self._scope.holds(url):
            # The portal has moved since, or the capture is of somebody who found it elsewhere.
            url = (self.portal.article_url or "").replace("{id}", str(due.article_id))
            if not self._scope.holds(url):
                logger.warning("article %d was captured from %s, which is not on the portal any more", due.article_id, due.url)
                return None
        request = self.request(url, known=due)
        request.meta["confirms"] = Confirms(due.article_id, due.capture_id)
        return request

    def has(self, requisite: Requisite) -> bool:
        """Tell whether the archive has an answer for a requisite: an edit brings new pictures, seldom one by an old name."""
        return keeper_of(self.crawler).writer.has_requisite(requisite.url)

    def _begun(self) -> Iterator[str]:
        """Yield the URLs of articles this crawl has asked for before: what is not answered yet is asked anew."""
        known = models.outcome.c
        wanted = select(known.url).where(known.crawl_id == self.crawl_id, known.article_id.is_not(None))
        yield from self.database.execute(wanted.order_by(known.at, known.url)).scalars().all()

    def _count_begun(self) -> int:
        known = models.outcome.c
        wanted = select(func.count(distinct(known.article_id))).where(known.crawl_id == self.crawl_id)
        return int(self.database.execute(wanted).scalar_one())


def describe(found: Survey) -> str:
    """Return tonight's re-checks in a sentence."""
    why = ", ".join(f"{number} {reason}" for reason, number in sorted(found.reasons.items())) or "none due"
    behind = ""
    if found.behind:
        behind = f"; {found.behind} are left for later nights, this budget makes intervals {found.stretch:.1f} times as long"
    return f"Re-check of {len(found.tonight)} of {found.known} known articles ({why}; budget {found.budget}){behind}"
