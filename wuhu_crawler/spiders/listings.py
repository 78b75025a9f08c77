"""Walking one listing: when its next page is worth asking for. Pure.

A page number past the end answers page 1 again with HTTP 200, sticky entries stand on top of every page, and a date may be
missing or lack its year; so the walk ends on a repeated set of entries, on pages without anything new, or on a page that is
wholly too old.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..items import Listing, ListingEntry


@dataclass(slots=True)
class Walk:
    """One listing as far as it was walked in this crawl. `latest`: the entries its last page added."""

    pages: int | None = None
    latest: frozenset[int] = frozenset()
    _stale: int = 0
    _sets: set[frozenset[int]] = field(default_factory=set)
    _entries: set[int] = field(default_factory=set)

    def goes_on(self, listing: Listing, *, new: int, patience: int, since: date | None) -> bool:
        """Tell whether to ask for the page after this one. `new` counts its entries no listing has shown before in this crawl;
        `patience` bounds the pages in a row without any (0: unbounded)."""
        shown = frozenset(entry.article_id for entry in listing.entries)
        if not shown or shown in self._sets:
            return False
        fresh = [entry for entry in listing.entries if entry.article_id not in self._entries]
        self._sets.add(shown)
        self.latest = frozenset(entry.article_id for entry in fresh)
        self._entries |= shown
        if listing.pager and listing.pager.pages:
            self.pages = listing.pager.pages
        self._stale = 0 if new else self._stale + 1
        if patience and self._stale >= patience:
            return False
        return since is None or not too_old(fresh, since)


def too_old(entries: list[ListingEntry], since: date) -> bool:
    """Tell whether all the entries are dated before `since`; one without a date speaks against it."""
    return bool(entries) and all(entry.date is not None and entry.date < since for entry in entries)
