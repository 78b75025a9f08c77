"""The items that travel from extraction to the database, and nothing else.

One dataclass is one JSON object of the published schema (docs/article.md): `wuhu extract`, feeds, exports and the database all
use these names. Absent is None, never an empty string. Date-times are aware; the portal's own times are in the portal's time
zone (Asia/Shanghai), times of ours (`captured_at`) are UTC. This module may be imported by every room and imports none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, NamedTuple

Role = Literal["reporter", "correspondent", "photographer", "editor", "intern", "author", "other"]
OtherKind = Literal["missing", "error", "blocked", "other"]
RequisiteKind = Literal["image", "style", "script", "attachment"]
PieceKind = Literal["part", "counter"]
WalkEnd = Literal["last page", "known"]
OutcomeKind = Literal["captured", "revisit", "missing", "truncated", "failed", "postponed", "blocked", "excluded"]


def iso(value: date | datetime | None) -> str | None:
    """Return a date or date-time as ISO 8601 (the serializer of every date field), None for None."""
    return None if value is None else value.isoformat()


def _date() -> Any:
    return field(default=None, metadata={"serializer": iso})


@dataclass(kw_only=True, slots=True)
class Credit:
    """One name in one role: `text` is the words on the page the credit was read from."""

    role: Role
    name: str
    outlet: str | None = None
    text: str


@dataclass(kw_only=True, slots=True)
class Link:
    """An absolute URL and the words shown for it (alt text for an image; may be empty)."""

    url: str
    text: str


@dataclass(kw_only=True, slots=True)
class Related:
    """A sidebar entry. `date` carries the year inferred from the capture date when the page prints month and day only."""

    article_id: int | None
    title: str
    date: date | None = _date()
    abstract: str | None = None


@dataclass(kw_only=True, slots=True)
class Section:
    """A node of the body's tree. Text before the first heading is a section of level 1 without number and heading."""

    level: int
    number: str | None = None
    heading: str | None = None
    paragraphs: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Evidence:
    """Which rule found a field and the words it was found in. For an absent field: rule `absent`, text = the reason."""

    rule: str
    text: str


@dataclass(kw_only=True, slots=True)
class Article:
    """One article as one capture shows it. `views` None means the page shows no number (a script may write it)."""

    kind: Literal["article"] = "article"
    portal: str | None = None
    article_id: int | None = None
    url: str
    capture_id: int | None = None
    captured_at: datetime | None = _date()
    title: str | None = None
    breadcrumb: list[str] = field(default_factory=list)
    category: str | None = None
    published_text: str | None = None
    published_at: datetime | None = _date()
    published_precision: Literal["second", "minute", "day"] | None = None
    source_date_text: str | None = None
    source_date: date | None = _date()
    views: int | None = None
    outlets: list[str] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    reporters: list[str] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    images: list[Link] = field(default_factory=list)
    attachments: list[Link] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    related: list[Related] = field(default_factory=list)
    encoding: str | None = None
    decode_losses: int = 0
    evidence: dict[str, Evidence] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class ListingEntry:
    """One row of a listing page; `title` is as printed there, often cut. `position` counts from 1 on the page."""

    article_id: int
    url: str
    title: str
    date_text: str | None = None
    date: date | None = _date()
    abstract: str | None = None
    position: int


@dataclass(kw_only=True, slots=True)
class Pager:
    """What a listing's pager says. Absent figures are None; `next_url` is absolute and None on the last page."""

    page: int | None = None
    pages: int | None = None
    total: int | None = None
    per_page: int | None = None
    next_url: str | None = None


@dataclass(kw_only=True, slots=True)
class Listing:
    """A page whose substance is links to articles (a category page, or the home page)."""

    kind: Literal["listing"] = "listing"
    portal: str | None = None
    url: str
    capture_id: int | None = None
    captured_at: datetime | None = _date()
    title: str | None = None
    breadcrumb: list[str] = field(default_factory=list)
    category: str | None = None
    entries: list[ListingEntry] = field(default_factory=list)
    pager: Pager | None = None
    encoding: str | None = None
    decode_losses: int = 0
    evidence: dict[str, Evidence] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class OtherPage:
    """A response that is neither article nor listing. `reason` says in words why it was classified so."""

    kind: OtherKind
    portal: str | None = None
    url: str
    article_id: int | None = None
    capture_id: int | None = None
    captured_at: datetime | None = _date()
    reason: str
    title: str | None = None
    text: str | None = None
    encoding: str | None = None
    decode_losses: int = 0
    evidence: dict[str, Evidence] = field(default_factory=dict)


PageItem = Article | Listing | OtherPage


class PieceOf(NamedTuple):
    """What a URL was asked for as a piece of: the record of the article's first page, and the URL the article gave it."""

    record_id: str
    url: str


class Requisite(NamedTuple):
    """A file a page needs to be shown, or offers: its kind, and the absolute URL as the page gives it."""

    kind: RequisiteKind
    url: str


class Confirms(NamedTuple):
    """What the answer to a request may confirm as unchanged: an article, as this capture shows it."""

    article_id: int
    capture_id: int


@dataclass(kw_only=True, slots=True)
class Outcome:
    """How one URL ended in one crawl: exactly one way. `reason` refines the kind (`timeout`, `robots`, `offsite`, ...)."""

    url: str
    outcome: OutcomeKind
    reason: str | None = None
    capture_id: int | None = None
    at: datetime | None = _date()
    until: datetime | None = _date()
    via: str | None = None
    piece_of: PieceOf | None = None
    requisite: Requisite | None = None


@dataclass(kw_only=True, slots=True)
class Walked:
    """A listing was walked to an end without a hole: its last page, or a page of nothing but known entries (times in UTC)."""

    listing: str
    began_at: datetime
    ended_at: datetime
    pages: int
    ending: WalkEnd

    @property
    def url(self) -> str:
        """The listing, as any other item names what it is of."""
        return self.listing

    @property
    def capture_id(self) -> None:
        """A walk has none of its own."""


@dataclass(kw_only=True, slots=True)
class Capture:
    """One fetch of one URL at one time, and where its WARC record lies. `id` counts captures in archive order from 1.

    `captured_at` is UTC; `offset` and `length` are bytes in the compressed file; digests are `sha1:` + base32 as in the record
    headers. `truncated` is the WARC-Truncated reason or None; `flags` name oddities (`excess-body`, `bad-gzip`, ...).
    `outlinks` are the URLs the page leads to, `piece_of` tells of which article it is a piece: set by whoever reads the page,
    they go into its metadata record.
    """

    id: int
    crawl_id: str
    run_id: int
    url: str
    method: str = "GET"
    status: int | None = None
    captured_at: datetime
    record_id: str
    record_type: Literal["response", "revisit", "resource"]
    refers_to: str | None = None
    warc_file: str
    offset: int
    length: int
    payload_digest: str | None = None
    block_digest: str
    payload_length: int = 0
    content_type: str | None = None
    ip: str | None = None
    truncated: str | None = None
    flags: list[str] = field(default_factory=list)
    via: str | None = None
    outlinks: list[str] = field(default_factory=list, compare=False)
    piece_of: PieceOf | None = field(default=None, compare=False)


@dataclass(kw_only=True, slots=True)
class Piece:
    """A further capture an article is made of: a later part, or the answer of its view counter's script.

    `number` is that of the part, 1 for the counter. `capture_id` None: nothing was received. `reason` None: it is in the
    article; else why it is not.
    """

    kind: PieceKind
    number: int
    url: str
    capture_id: int | None = None
    reason: str | None = None
    page_digest: str | None = None


@dataclass(kw_only=True, slots=True)
class Assembled:
    """An article with the pieces it is made of. `complete`: its whole text is there; `ended`: nothing more is waited for."""

    article: Article
    pieces: list[Piece]
    complete: bool
    ended: bool

    @property
    def url(self) -> str:
        """The article's URL."""
        return self.article.url

    @property
    def capture_id(self) -> int | None:
        """The capture of the article's first page."""
        return self.article.capture_id


def to_json(item: Any) -> Any:
    """Return the JSON form of an item, in field order: dataclasses become objects, dates ISO 8601 strings."""
    if item is None or isinstance(item, str):
        return item  # nearly all there is
    if (names := _field_names(item.__class__)) is not None:
        return {name: to_json(getattr(item, name)) for name in names}
    if isinstance(item, dict):
        return {key: to_json(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [to_json(value) for value in item]
    if isinstance(item, date):
        return item.isoformat()
    return item


@cache
def _field_names(kind: type) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields, None for another type."""
    return tuple(f.name for f in fields(kind)) if is_dataclass(kind) else None
