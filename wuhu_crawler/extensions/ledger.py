"""The ledger of one run: what was had, what was lost and why; it knows whether the crawl may call itself complete."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..errors import PortalStopped, WuhuError
from ..items import Assembled, OtherPage, Outcome, Walked

# Outcomes that mean a page we wanted and did not get. An error page served as a page is not among them: we have what there is.
LOST = frozenset({"failed", "truncated", "postponed", "blocked"})
# How a requisite ended that the portal answered for.
ANSWERED = frozenset({"failed", "blocked"})
# So many different URLs answered by a refusal in a row, and nothing else between them: the portal blocks us.
SHUT_OUT = 5
# So many different URLs answered by an error page in a row: the portal is closed (maintenance, a database that is down).
CLOSED = 10


class Ledger:
    """What the items of a run say about its success: pages seen, URLs lost and why, bugs met."""

    def __init__(self) -> None:
        self.pages = 0
        self._lost: Counter[str] = Counter()
        self.excluded: Counter[str] = Counter()
        self.bugs: dict[str, Outcome] = {}
        self._blocked: set[str] = set()
        self._errors: dict[str, str] = {}
        self._had = 0
        # URLs whose latest answer is a refusal, with the reason; a later try may bring the page.
        self._refused: dict[str, str] = {}

    @property
    def lost(self) -> Counter[str]:
        """How many URLs were asked for and not had, by outcome and reason."""
        return self._lost + Counter(f"blocked ({reason})" for reason in self._refused.values())

    @property
    def shut_out(self) -> bool:
        """Whether the portal blocks us: so many different URLs in a row, and nothing else between them."""
        return len(self._blocked) >= SHUT_OUT

    @property
    def closed(self) -> bool:
        """Whether the portal shows nothing but error pages: so many different ones in a row."""
        return len(self._errors) >= CLOSED

    def add(self, item: Any) -> None:
        """Take one stored item into account."""
        if isinstance(item, Assembled | Walked):
            return  # of the first comes the article, when nothing more can come; the second is no page
        if not isinstance(item, Outcome):
            self.pages += 1
            if isinstance(item, OtherPage) and item.kind == "blocked":
                self._refused[item.url] = item.reason
                self._blocked.add(item.url)
            else:
                self._refused.pop(item.url, None)
                self._blocked.clear()
                self._count_error(item)
        elif item.requisite is not None and item.capture_id is not None and item.outcome in ANSWERED:
            pass  # a picture the portal does not have, or give: no page is lacking
        elif item.outcome in LOST:
            self._refused.pop(item.url, None)
            self._lost[f"{item.outcome} ({item.reason})"] += 1
        elif item.outcome == "excluded":
            self.excluded[item.reason or ""] += 1

    def _count_error(self, item: Any) -> None:
        if isinstance(item, OtherPage) and item.kind == "error":
            self._errors[item.url] = item.reason
        else:
            self._had += 1
            self._errors.clear()

    def trouble(self) -> WuhuError | None:
        """Return what kept the crawl from being complete, or None."""
        if self.lost:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self.lost.most_common(5))
            return PortalStopped(f"{self.lost.total()} URLs were asked for and not had: {reasons}; resume later")
        if self._errors and not self._had:
            reason = next(iter(self._errors.values()))
            return PortalStopped(f"the portal answered with nothing but error pages ({reason}); resume later")
        if not self.pages and self.excluded["robots"]:
            return PortalStopped("robots.txt forbids us every page the crawl starts from, so nothing was fetched")
        if not self.pages and self.excluded:
            reasons = ", ".join(sorted(self.excluded))
            return PortalStopped(f"every page the crawl starts from was refused ({reasons}), so nothing was fetched")
        return None
