"""Walking one listing: when its next page is worth asking for, and whether the walk left a hole. Pure.

A page number past the end answers page 1 again with HTTP 200, sticky entries stand on top of every page, and a date may be
missing or lack its year; so the walk ends on a repeated set of entries, on pages without anything new, on a page that is wholly
too old, or on one that earlier walks know. Only a walk from the first page to the last one or to a known one, without a page
missing between, is whole.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from ..items import Walked

if TYPE_CHECKING:
    from ..items import Listing, ListingEntry, WalkEnd


@dataclass(slots=True)
class Walk:
    """One listing as far as it was walked in this crawl. `latest`: the entries its last page added; `whole`: no page of it is
    missing so far; `ending`: how it came to an end, None while it has not, or ended otherwise."""

    pages: int | None = None
    latest: frozenset[int] = frozenset()
    whole: bool = True
    ending: WalkEnd | None = None
    _first: frozenset[int] = frozenset()
    _stale: int = 0
    _sets: set[frozenset[int]] = field(default_factory=set)
    _entries: set[int] = field(default_factory=set)
    _numbers: set[int] = field(default_factory=set)
    _times: list[datetime] = field(default_factory=list)

    def goes_on(
        self,
        listing: Listing,
        *,
        new: int,
        patience: int,
        since: date | None,
        known: Collection[int] = (),
        sticky: Collection[int] = (),
    ) -> bool:
        """Tell whether to ask for the page after this one. `new` counts its entries no listing has shown before in this crawl;
        `patience` bounds the pages in a row without any (0: unbounded). `known` are the entries earlier walks knew, `sticky`
        those of them that stand there out of turn."""
        shown = frozenset(entry.article_id for entry in listing.entries)
        if not shown or shown in self._sets:
            # Page 1 again is what lies past the end; another page again means that the portal moved on while we walked.
            if not shown or shown == self._first:
                self.end()
            return False
        self._first = self._first or shown
        fresh = [entry for entry in listing.entries if entry.article_id not in self._entries]
        self._sets.add(shown)
        self.latest = frozenset(entry.article_id for entry in fresh)
        self._entries |= shown
        if listing.pager and listing.pager.pages:
            self.pages = listing.pager.pages
        if self.latest and self.latest <= set(known) and not self.latest <= set(sticky):
            self.ending = "known"
            return False
        self._stale = 0 if new else self._stale + 1
        if patience and self._stale >= patience:
            return False
        return since is None or not too_old(fresh, since)

    def note(self, number: int | None, at: datetime) -> None:
        """Take note of a page that was read: its number (None: it has none, as first pages have) and when it was captured."""
        self._numbers.add(number or 1)
        self._times.append(at)

    def skip(self, number: int | None, *, usual: bool) -> None:
        """Take note of a page that could not be had; `usual` says that it never can."""
        if usual and number:
            self._numbers.add(number)
        else:
            self.whole = False

    def end(self) -> None:
        """The listing leads no further. Where it says how many pages it has, fewer are not all of it."""
        if self.pages is None or len(self._numbers) >= self.pages:
            self.ending = self.ending or "last page"

    def walked(self, listing: str) -> Walked | None:
        """Return what is known from this walk, None when it has a hole or did not come to an end."""
        if not self.whole or self.ending is None or 1 not in self._numbers or not self._times:
            return None
        began, ended = min(self._times), max(self._times)
        return Walked(listing=listing, began_at=began, ended_at=ended, pages=len(self._times), ending=self.ending)


def too_old(entries: list[ListingEntry], since: date) -> bool:
    """Tell whether all the entries are dated before `since`; one without a date speaks against it."""
    return bool(entries) and all(entry.date is not None and entry.date < since for entry in entries)
