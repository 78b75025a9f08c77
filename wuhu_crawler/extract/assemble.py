"""An article put together from its pieces: its first page, the later parts of a multi-page article, the view counter's answer.

An `Assembly` is fed with pages in any order, by a crawl, a rebuild or `wuhu extract` alike, and says what it still waits for.
`Assemblies` finds the ones a URL belongs to. Pure; docs/architecture.md says how they are driven.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import replace

from ..items import Article, Assembled, Capture, Link, Listing, Outcome, PageItem, Piece, PieceKind
from ..portals import Portal
from .digests import page_digest
from .fragment import Fragment
from .page import Page, extract
from .reading import ABSENT, note
from .splice import body_of, splice
from .urls import article_id, identity, is_part, part_number, part_url

# An article of more parts than this is no article but a trap; the parts behind are not asked for.
MOST_PARTS = 100
NOT_CAPTURED = "not captured"
_PAGER = re.compile(r"[\[【]?\s*\d{1,3}\s*[\]】]?|第\s*\d+\s*页|[上下前后]一?页|首页|尾页|末页|[<>«»]+")
_EVIDENCE_PIECES = 5
_UTF8 = {"Content-Type": "text/html; charset=utf-8"}


class Assembly:
    """One article being put together. Made of its first page as captured under `url`.

    `waiting` are the pieces to be fetched; feed each with `take` or `fail`. When it has `ended`, `assembled` is the article; it
    can be asked for before, too, and then says what is not there yet. The last word on a piece counts: a retry mends a failure.
    """

    def __init__(self, page: Page, *, url: str, portal: Portal, capture_id: int | None = None) -> None:
        """`page.item` must be an article (`is_composed` tells whether there is anything to put together)."""
        if not isinstance(page.item, Article):
            raise TypeError(f"{url}: only an article has parts")
        self.url, self.capture_id = url, capture_id
        self.page = replace(page, links=[])
        self._portal = portal
        self._article = page.item
        self._first = page.fragment
        self._parts: dict[int, Piece] = {}
        self._fragments: dict[int, tuple[Fragment, Article]] = {}
        self._counter: Piece | None = None
        self._count: int | None = None
        self._keys: dict[str, Piece] = {}
        self._too_many = False
        self._lone = is_part(url)
        if not self._lone:
            self._learn(page)
        if page.counter_url and not self._lone:
            self._counter = self._await("counter", 1, page.counter_url)

    @property
    def article_id(self) -> int | None:
        """The portal's number of the article."""
        return self._article.article_id

    @property
    def waiting(self) -> list[Piece]:
        """The pieces not ended yet, parts in page order and then the counter."""
        pieces = [*(self._parts[number] for number in sorted(self._parts)), *([self._counter] if self._counter else [])]
        return [piece for piece in pieces if piece.reason == NOT_CAPTURED]

    @property
    def ended(self) -> bool:
        """Whether every piece has been had or has failed."""
        return not any(piece.reason == NOT_CAPTURED for piece in self._keys.values())

    @property
    def complete(self) -> bool:
        """Whether the whole text is there. The counter does not matter for it."""
        return not (self._missing or self._too_many or self._lone)

    @property
    def whole(self) -> bool:
        """Whether nothing more can come of it: the whole text is there, and the counter's number."""
        return self.ended and self.complete and (self._counter is None or self._counter.reason is None)

    @property
    def keys(self) -> Collection[str]:
        """The identities of its pieces' URLs, had or not."""
        return self._keys.keys()

    def moved(self, url: str, target: str) -> None:
        """Take note that a piece's URL redirects: what is captured at the target is the piece."""
        piece = self._keys.get(identity(url))
        if piece is not None:
            self._keys.setdefault(identity(target), piece)

    def take(self, url: str, page: Page, capture_id: int | None = None) -> PageItem | None:
        """Feed a piece with what its page shows. Returns the item to be stored for that page by itself; None when it is nothing
        but a piece of the article."""
        piece = self._keys[identity(url)]
        piece.capture_id = capture_id
        if piece.kind == "counter":
            self._count = page.count
            piece.reason = None if page.count is not None else _no_count(page)
        else:
            self._take_part(piece, page)
        return None if piece.reason is None or isinstance(page.item, Article) else page.item

    def fail(self, url: str, reason: str, capture_id: int | None = None) -> None:
        """Take note that a piece cannot be had, and why."""
        piece = self._keys[identity(url)]
        piece.reason, piece.capture_id, piece.page_digest = reason, capture_id, None
        if piece.kind == "counter":
            self._count = None
        else:
            self._fragments.pop(piece.number, None)

    def assembled(self) -> Assembled:
        """Return the article as far as it is there, a new one each time; its date fields are words, as extraction leaves them.

        Evidence `parts` says what was joined, or what is missing and why; evidence `views` names the counter's URL.
        """
        article = self._join() or deepcopy(self._article)
        self._tell_parts(article)
        self._tell_views(article)
        return Assembled(article=article, pieces=self._pieces(), complete=self.complete, ended=self.ended)

    @property
    def _missing(self) -> list[Piece]:
        repeats = self._repeats()
        return [piece for number, piece in self._parts.items() if piece.reason and number not in repeats]

    def _await(self, kind: PieceKind, number: int, url: str) -> Piece:
        piece = Piece(kind=kind, number=number, url=url, reason=NOT_CAPTURED)
        return self._keys.setdefault(identity(url), piece)

    def _learn(self, page: Page) -> None:
        """Take note of the parts a page links to, and of those its pager skips."""
        for url in page.part_urls:
            number = part_number(url)
            if number > MOST_PARTS:
                self._too_many = True
            elif number > 1 and number not in self._parts and identity(url) not in self._keys:
                self._parts[number] = self._await("part", number, url)
        self._fill_gap()

    def _fill_gap(self) -> None:
        """A pager may show the first and the last parts only: ask for those between that no page has shown, one by one and only
        while all before went well."""
        if not self._parts or any(piece.reason for piece in self._parts.values()) or self._repeats():
            return
        gap = next((number for number in range(2, max(self._parts)) if number not in self._parts), None)
        if gap is not None:
            self._parts[gap] = self._await("part", gap, part_url(next(iter(self._parts.values())).url, gap))

    def _take_part(self, piece: Piece, page: Page) -> None:
        item, fragment = page.item, page.fragment
        self._fragments.pop(piece.number, None)
        piece.page_digest = None
        if isinstance(item, Article) and item.article_id == self._article.article_id and fragment is not None:
            new = all(self._words(fragment) != self._words(known) for known in self._known())
            piece.reason, piece.page_digest = None, page_digest(item)
            self._fragments[piece.number] = (fragment, item)
            if new:
                self._learn(page)
        else:
            piece.reason = _no_part(page)

    def _known(self) -> Iterator[Fragment]:
        if self._first is not None:
            yield self._first
        yield from (fragment for fragment, _ in self._fragments.values())

    def _words(self, fragment: Fragment) -> tuple[str, ...]:
        return body_of(fragment, self._first or fragment).words

    def _repeats(self) -> dict[int, int]:
        """Return which parts show what another before them shows: a number past the end is answered with another page."""
        shown = {self._words(self._first): 1} if self._first is not None else {}
        repeats = {}
        for number in sorted(self._fragments):
            words = self._words(self._fragments[number][0])
            if words in shown:
                repeats[number] = shown[words]
            shown.setdefault(words, number)
        return repeats

    def _joined(self) -> dict[int, tuple[Fragment, Article]]:
        repeats = self._repeats()
        return {number: self._fragments[number] for number in sorted(self._fragments) if number not in repeats}

    def _join(self) -> Article | None:
        """Return the article of the parts there are, read as if they had been served on one page; None with the first alone."""
        first, later = self._first, self._joined()
        if first is None or not later:
            return None
        parts = [first, *(later[n][0] if n in later else None for n in range(2, max(later) + 1))]
        whole = splice(parts).encode("utf-8", "replace")
        captured_at = self._article.captured_at
        assert captured_at is not None  # noqa: S101 - extraction sets it; the type does not say so
        item = extract(whole, url=self._article.url, headers=_UTF8, captured_at=captured_at, portal=self._portal).item
        if not isinstance(item, Article):
            return None
        item.capture_id, item.encoding = self._article.capture_id, self._article.encoding
        item.decode_losses = sum(article.decode_losses for article in (self._article, *(found for _, found in later.values())))
        item.links = [link for link in item.links if not self._is_pager(link)]
        return item

    def _is_pager(self, link: Link) -> bool:
        return bool(_PAGER.fullmatch(link.text)) and article_id(link.url, self._portal) == self._article.article_id

    def _tell_parts(self, article: Article) -> None:
        if not (self._parts or self._too_many or self._lone):
            return
        missing, repeats = self._missing, self._repeats()
        told = [f"part {piece.number} ({piece.url}): {piece.reason}" for piece in missing[:_EVIDENCE_PIECES]]
        if len(missing) > _EVIDENCE_PIECES:
            told.append(f"and {len(missing) - _EVIDENCE_PIECES} more")
        if self._too_many:
            told.append(f"it claims more than {MOST_PARTS} parts; those behind are not asked for")
        if self._lone:
            told.append(f"this is part {part_number(self.url)} by itself")
        if not told:
            told.append(f"{1 + len(self._joined())} parts")
        told += [f"part {number} ({self._parts[number].url}) repeats part {of}" for number, of in repeats.items()]
        note(article, "parts", "joined" if self.complete else "incomplete", "; ".join(told))

    def _tell_views(self, article: Article) -> None:
        counter = self._counter
        if counter is None or article.views is not None:
            return
        if counter.reason is None:
            article.views = self._count
            note(article, "views", "script counter", f"{counter.url} writes {self._count}")
        else:
            note(article, "views", ABSENT, f"script counter {counter.url}: {counter.reason}")

    def _pieces(self) -> list[Piece]:
        repeats = self._repeats()
        parts = [
            replace(self._parts[number], reason=f"repeats part {repeats[number]}")
            if number in repeats
            else replace(self._parts[number])
            for number in sorted(self._parts)
        ]
        return [*parts, *([replace(self._counter)] if self._counter else [])]


class Assemblies:
    """The articles of one crawl that are being put together, found by the URLs of their pieces."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._open: dict[int, Assembly] = {}
        self._by_capture: dict[int, Assembly] = {}

    def begin(self, page: Page, *, url: str, capture_id: int | None = None) -> Assembly | None:
        """Return the assembly of an article's first page; None when the page stands alone.

        It takes the place of one begun earlier of the same article.
        """
        if not is_composed(page, url):
            return None
        assembly = Assembly(page, url=url, portal=self._portal, capture_id=capture_id)
        number = page.item.article_id if isinstance(page.item, Article) else None
        if number is not None:
            if number in self._open:
                self.end(self._open[number])
            self._open[number] = assembly
        if capture_id is not None:
            self._by_capture[capture_id] = assembly
        return assembly

    def of(self, url: str) -> list[Assembly]:
        """Return the assemblies a captured or failed URL is a piece of."""
        key = identity(url)
        return [assembly for assembly in self._open.values() if key in assembly.keys]

    def get(self, capture_id: int) -> Assembly | None:
        """Return the assembly whose first page is that capture."""
        return self._by_capture.get(capture_id)

    def end(self, assembly: Assembly) -> None:
        """Let go of an assembly."""
        number = assembly.article_id
        if number is not None and self._open.get(number) is assembly:
            del self._open[number]
        if assembly.capture_id is not None and self._by_capture.get(assembly.capture_id) is assembly:
            del self._by_capture[assembly.capture_id]


def is_composed(page: Page, url: str) -> bool:
    """Tell whether a page is an article that more captures belong to, or a later part that is none by itself."""
    item = page.item
    if not isinstance(item, Article) or item.article_id is None:
        return False
    return bool(page.part_urls or page.counter_url or is_part(url))


def failure(outcome: Outcome, capture: Capture | None) -> str:
    """Return why a piece that ended in this outcome is missing, in words that do not depend on who asks: a crawl, which knows
    the error, or a rebuild, which knows the records."""
    if outcome.outcome == "truncated" or (capture is not None and capture.truncated):
        return "truncated"
    if capture is not None and (capture.status or 0) >= 400:
        return f"HTTP {capture.status}"
    return f"{outcome.outcome} ({outcome.reason})" if outcome.reason else outcome.outcome


def _no_part(page: Page) -> str:
    match page.item:
        case Article():
            return f"a page of article {page.item.article_id}"
        case Listing():
            return "a listing page"
        case other:
            return other.reason


def _no_count(page: Page) -> str:
    if isinstance(page.item, Article | Listing) or page.item.kind == "other":
        return "the answer holds no single number"
    return page.item.reason
