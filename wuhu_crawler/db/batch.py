"""What one commit does to the articles: the decision new / changed / unchanged, and the rows that follow from it.

Pages are taken in the order they were read in, which the WARC files tell, so that the rows do not depend on where one batch
ends and the next begins: a rebuild with other batches comes to the same. An article's state is read once a batch and carried on
in memory, so several captures of one article in a batch are compared with each other. A capture not younger than the last one
an article is known from is a replay (a resumed crawl reads its own WARC again) and changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from ..items import Article, Listing, PageItem, Piece
from . import models, search
from .rows import Row, credit_rows, link_rows, number, piece_rows, section_rows, sighting_rows, version_row

# Both databases limit the parameters of one statement.
CHUNK = 500


class Page(NamedTuple):
    """What one capture shows, as buffered by the store."""

    capture_id: int
    captured_at: datetime
    portal: str
    item: PageItem
    article_digest: str | None
    page_digest: str | None
    pieces: tuple[Piece, ...] = ()
    ended: bool = True
    late: bool = False


@dataclass(slots=True)
class State:
    """An article as this batch leaves it. `stored` is the number of versions the database had, None for no row yet."""

    key: int
    versions: int
    digest: str | None
    last_capture_id: int
    last_captured_at: datetime
    stored: int | None
    row: Row
    indexed: search.Indexed | None = None


class Batch:
    """The rows of one commit."""

    def __init__(self, connection: Connection, next_key: Callable[[str], int], categories: dict[tuple[str, str], int]) -> None:
        """Work inside the store's transaction; `categories` is the store's memo of (portal, name) -> id."""
        self.counts: Counter[str] = Counter()
        self._connection = connection
        self._next = next_key
        self._categories = categories
        self._states: dict[tuple[str, int], State] = {}
        self._rows: defaultdict[str, list[Row]] = defaultdict(list)
        self._late: list[Row] = []
        self._parts: dict[tuple[int, str, int], Row] = {}

    def decide(self, pages: Sequence[Page], captures: dict[int, Row]) -> None:
        """Work out every row; what a page says of its capture is put into `captures`, or updated later when it is stored."""
        self._read_states(pages)
        for page in pages:
            self._describe_capture(page, captures)
            self._put_together(page, captures)
            if isinstance(page.item, Article):
                if page.ended:
                    self._decide_article(page, page.item)
            elif isinstance(page.item, Listing):
                self._rows["listing_sighting"] += sighting_rows(page.item, self._category(page.portal, page.item.category))
        self.counts["sightings"] = len(self._rows["listing_sighting"])
        self.counts["views"] = len(self._rows["view_observation"])
        self.counts["versions"] = len(self._rows["article_version"])

    def inserts(self) -> Iterator[tuple[str, list[Row]]]:
        """Yield table and new rows, in an order that satisfies the foreign keys (captures come before them)."""
        yield "category", self._rows["category"]
        yield "article", [state.row for state in self._states.values() if state.stored is None]
        for table in ("article_version", "section", "credit", "link"):
            yield table, self._rows[table]

    def observations(self) -> Iterator[tuple[str, list[Row]]]:
        """Yield table and rows that may be there already, when a resumed crawl reads a page again."""
        yield "view_observation", self._rows["view_observation"]
        yield "listing_sighting", self._rows["listing_sighting"]

    def replacements(self) -> Iterator[tuple[str, list[Row]]]:
        """Yield table and rows that take the place of those of the same key: what an article is made of, as known by now."""
        yield "article_part", list(self._parts.values())

    def update(self) -> None:
        """Bring stored articles, and captures stored before their page was read, up to date."""
        stored = (state for state in self._states.values() if state.stored is not None)
        known = [{"b_key": state.key, **state.row} for state in stored if "last_capture_id" in state.row]
        if known:
            self._connection.execute(_UPDATE_ARTICLE, known)
        if self._late:
            self._connection.execute(_UPDATE_CAPTURE, self._late)

    def index(self) -> None:
        """Put the latest version of every new or changed article into the full-text index, in place of the one before."""
        changed = [state for state in self._states.values() if state.indexed is not None]
        if changed and search.is_indexed(self._connection):
            before = [(state.key, state.stored) for state in changed if state.stored]
            search.remove_rows(self._connection, (self._text(key, number) for key, number in before))
            search.add_rows(self._connection, [state.indexed for state in changed if state.indexed is not None])

    def _read_states(self, pages: Sequence[Page]) -> None:
        wanted: defaultdict[str, set[int]] = defaultdict(set)
        for page in pages:
            if isinstance(page.item, Article) and (found := number(page.item.article_id)) is not None:
                wanted[page.portal].add(found)
        for portal, ids in wanted.items():
            ordered = sorted(ids)
            for start in range(0, len(ordered), CHUNK):
                parameters = {"portal": portal, "ids": ordered[start : start + CHUNK]}
                for row in self._connection.execute(_STATES, parameters):
                    kept: Row = {"url": row.url, "category_id": row.category_id, "versions": row.versions}
                    state = State(
                        row.key, row.versions, row.article_digest, row.last_capture_id, row.last_captured_at, row.versions, kept
                    )
                    self._states[portal, row.article_id] = state

    def _describe_capture(self, page: Page, captures: dict[int, Row]) -> None:
        article_id = None if isinstance(page.item, Listing) else number(page.item.article_id)
        self._describe(page.capture_id, captures, page.item.kind, page.page_digest, article_id)

    def _put_together(self, page: Page, captures: dict[int, Row]) -> None:
        """Note the captures an article is made of. One that is a page of its own (an error) says itself what it is."""
        if not isinstance(page.item, Article):
            return
        for row, piece in zip(piece_rows(page.capture_id, page.pieces), page.pieces, strict=True):
            self._parts[page.capture_id, piece.kind, piece.number] = row
            if piece.capture_id is not None and (piece.page_digest is not None or piece.reason is None):
                kind = "article" if piece.kind == "part" else None
                self._describe(piece.capture_id, captures, kind, piece.page_digest, number(page.item.article_id))

    def _describe(
        self, capture_id: int, captures: dict[int, Row], kind: str | None, digest: str | None, article_id: int | None
    ) -> None:
        described = {"page_kind": kind, "page_digest": digest, "article_id": article_id}
        if capture_id in captures:
            captures[capture_id].update(described)
        else:
            self._late.append({"b_id": capture_id, **described})

    def _decide_article(self, page: Page, item: Article) -> None:
        article_id = number(item.article_id)
        if article_id is None or page.article_digest is None:
            self.counts["articles/incomplete"] += 1
            return
        state = self._states.get((page.portal, article_id))
        if state is not None and page.capture_id <= state.last_capture_id:
            self.counts["articles/replayed"] += 1
        elif state is not None and page.late and page.captured_at < state.last_captured_at:
            self.counts["articles/late"] += 1
        elif state is None:
            self.counts["articles/new"] += 1
            state = self._add_article(page, article_id)
            self._add_version(state, page, item, page.article_digest)
        elif state.digest == page.article_digest:
            self.counts["articles/unchanged"] += 1
            self._see_again(state, page)
        else:
            self.counts["articles/changed"] += 1
            self._see_again(state, page)
            self._add_version(state, page, item, page.article_digest)
        self._observe(state, page, item)

    def _add_article(self, page: Page, article_id: int) -> State:
        key = self._next("article")
        row: Row = {"key": key, "portal": page.portal, "article_id": article_id, "first_captured_at": page.captured_at}
        state = State(key, 0, None, page.capture_id, page.captured_at, None, row)
        self._states[page.portal, article_id] = state
        self._see_again(state, page)
        return state

    def _see_again(self, state: State, page: Page) -> None:
        state.last_capture_id, state.last_captured_at = page.capture_id, page.captured_at
        state.row.update(last_captured_at=page.captured_at, last_capture_id=page.capture_id)

    def _add_version(self, state: State, page: Page, item: Article, digest: str) -> None:
        version_id = self._next("article_version")
        state.versions += 1
        state.digest = digest
        category_id = self._category(page.portal, item.category)
        row = version_row(item, article_digest=digest, page_digest=page.page_digest)
        row.update(id=version_id, article_key=state.key, number=state.versions, category_id=category_id)
        self._rows["article_version"].append(row)
        self._rows["section"] += section_rows(version_id, item.sections)
        self._rows["credit"] += credit_rows(version_id, item.credits)
        self._rows["link"] += link_rows(version_id, item)
        state.row.update(url=item.url, category_id=category_id, versions=state.versions)
        state.indexed = (state.key, item.title, row["body"], row["byline"])

    def _observe(self, state: State, page: Page, item: Article) -> None:
        views = number(item.views)
        if views is not None:
            row = {"article_key": state.key, "capture_id": page.capture_id, "observed_at": page.captured_at, "views": views}
            self._rows["view_observation"].append(row)

    def _category(self, portal: str, name: str | None) -> int | None:
        if name is None:
            return None
        if (portal, name) not in self._categories:
            self._categories[portal, name] = self._next("category")
            self._rows["category"].append({"id": self._categories[portal, name], "portal": portal, "name": name})
        return self._categories[portal, name]

    def _text(self, key: int, version: int | None) -> search.Indexed:
        row = self._connection.execute(_TEXT, {"key": key, "number": version}).one()
        return key, row.title, row.body, row.byline


_article, _version = models.article.c, models.article_version.c
_STATES = (
    select(
        _article.key,
        _article.article_id,
        _article.url,
        _article.category_id,
        _article.versions,
        _article.last_capture_id,
        _article.last_captured_at,
        _version.article_digest,
    )
    .join_from(
        models.article, models.article_version, (_version.article_key == _article.key) & (_version.number == _article.versions)
    )
    .where(_article.portal == bindparam("portal"), _article.article_id.in_(bindparam("ids", expanding=True)))
)
_TEXT = select(_version.title, _version.body, _version.byline).where(
    _version.article_key == bindparam("key"), _version.number == bindparam("number")
)
_UPDATE_ARTICLE = (
    update(models.article)
    .where(_article.key == bindparam("b_key"))
    .values({name: bindparam(name) for name in ("url", "category_id", "versions", "last_captured_at", "last_capture_id")})
)
_UPDATE_CAPTURE = (
    update(models.capture)
    .where(models.capture.c.id == bindparam("b_id"))
    .values({name: bindparam(name) for name in ("page_kind", "page_digest", "article_id")})
)
