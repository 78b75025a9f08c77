"""What a probe of a portal shows: coverage by field and template, what is odd, and whether the whole may be crawled.

Reads an archive (database and WARC files), asks no portal: after a change to the profile the same captures can be looked at
again. Beside what extraction says of each page it holds pages against each other, which needs no truth: a list's words against
the article's, the prose of a page against its body, articles against their neighbours. Knows no Scrapy.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from parsel import Selector
from sqlalchemy import Connection, select

from .db import models
from .extract.decode import declared_charset, decode
from .extract.page import extract
from .extract.places import PageText
from .extract.urls import article_id, identity
from .items import Article, Listing, ListingEntry, OtherPage, PageItem
from .pages import normalize_dates
from .portals import Portal
from .warc.codings import body_of
from .warc.reader import read_record

# Fields whose share is told, in this order; the first ones every article of a portal should have.
ESSENTIAL = ("title", "published_at", "paragraphs", "category")
FIELDS = (*ESSENTIAL, "views", "source_date", "outlets", "credits", "headings", "images", "related")
# Two pages whose frames are so much alike are of one template.
_ALIKE = 0.72
# Tags a body brings, which say nothing of the template around it.
_OF_BODIES = frozenset("p br font b strong i em u span a img center sup sub h2 h3 h4 section o:p li tr td th tbody".split())
_BODY_LIMIT = 32 << 20
_SHORT_BODY = 60
# A link of fewer letters (a day of a calendar, 详细) does not print a title.
_TITLE_SHORTEST = 4
_LONG_TEXT = 60
_CUT = re.compile(r"(?:…+|\.{2,}|。{2,})\Z")
# On so many articles of a sample one sentence may be the same by chance (转载请注明 …).
_CHANCE = 2
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"\w")
# So many letters show that two texts are the same; so many stops make a line prose.
_PROOF = 24
_YEAR = re.compile(r"\d{4}|\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}")
_STOPS = re.compile("[，。；！？,;!?]")
_PROSE_STOPS = 3


@dataclass(slots=True)
class Sample:
    """A captured page, read anew: what it was asked as, its bytes and text, and what extraction makes of it."""

    capture_id: int
    url: str
    status: int | None
    captured_at: datetime
    headers: dict[str, str]
    body: bytes
    item: PageItem
    links: list[tuple[str, int | None]]
    text: str
    declared: str | None
    via: str | None


class Oddity(NamedTuple):
    """Something to look at: `grave` when articles would be stored wrongly or missed, and the pages that show it."""

    what: str
    grave: bool
    pages: list[int]


class Template(NamedTuple):
    """Pages with the same frame: a name, their captures, and how many of them have each field."""

    name: str
    pages: list[int]
    filled: dict[str, int]


@dataclass(slots=True)
class Report:
    """What a probe shows. `ended` counts outcomes as (outcome, reason); `samples` are the pages by capture."""

    crawl_id: str
    portal: str
    samples: dict[int, Sample]
    kinds: dict[str, int]
    templates: list[Template]
    oddities: list[Oddity]
    ended: list[tuple[str, str | None, int]] = field(default_factory=list)

    @property
    def go(self) -> bool:
        """Whether nothing grave was found."""
        return not any(oddity.grave for oddity in self.oddities)

    @property
    def to_look_at(self) -> list[int]:
        """The captures to look at first: those with most grave oddities, then the others."""
        weight: Counter[int] = Counter()
        for oddity in self.oddities:
            for number in oddity.pages[: 5 if oddity.grave else 2]:
                weight[number] += 100 if oddity.grave else 1
        return [number for number, _ in weight.most_common(8)]


def latest(connection: Connection, portal: str) -> str | None:
    """Return the ID of a portal's latest probe, None when there is none."""
    crawl = models.crawl.c
    wanted = (
        select(crawl.id).where(crawl.portal == portal, crawl.job == "probe").order_by(crawl.started_at.desc(), crawl.id.desc())
    )
    return connection.execute(wanted).scalars().first()


def examine(connection: Connection, warc: Path, crawl_id: str, portal: Portal) -> Report:
    """Return what the captures of a probe show, read by the profile as it is now. Raises OSError and WarcError."""
    samples = {sample.capture_id: sample for sample in _samples(connection, warc, crawl_id, portal)}
    pages = list(samples.values())
    ended = _ended(connection, crawl_id)
    oddities = [oddity for look in LOOKS for oddity in look(pages, portal)] + _lost(ended)
    oddities.sort(key=lambda oddity: not oddity.grave)
    return Report(
        crawl_id, portal.name, samples, dict(Counter(page.item.kind for page in pages)), templates(pages), oddities, ended
    )


def _samples(connection: Connection, warc: Path, crawl_id: str, portal: Portal) -> Iterator[Sample]:
    capture = models.capture.c
    wanted = select(models.capture).where(capture.crawl_id == crawl_id, capture.page_kind.is_not(None)).order_by(capture.id)
    # The last capture of a URL counts: those before it were asked again.
    latest_of = {row["url"]: dict(row) for row in connection.execute(wanted).mappings().all()}
    for row in latest_of.values():
        yield _sample(row, _stored(connection, row), warc, portal)


def _stored(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """The capture that holds the bytes: a revisit's are with an earlier one."""
    if row["refers_to"] is None:
        return row
    found = connection.execute(select(models.capture).where(models.capture.c.record_id == row["refers_to"])).mappings().first()
    return dict(found) if found else row


def _sample(row: dict[str, Any], stored: dict[str, Any], warc: Path, portal: Portal) -> Sample:
    exchange = read_record(_file(warc, stored["warc_file"]), stored["warc_offset"]).exchange()
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in exchange.headers}
    body = body_of(exchange, _BODY_LIMIT)
    moment = row["captured_at"] if row["captured_at"].tzinfo else row["captured_at"].replace(tzinfo=UTC)
    page = extract(body, url=row["url"], headers=headers, status=row["status"] or 200, captured_at=moment, portal=portal)
    item = normalize_dates(page.item, portal, moment)
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    links = [(link.url, link.article_id) for link in page.links]
    declared = declared_charset(body, content_type)
    text = decode(body, content_type).text
    return Sample(row["id"], row["url"], row["status"], moment, headers, body, item, links, text, declared, row["via"])


def _file(warc: Path, name: str) -> Path:
    path = warc / name
    return path if path.exists() else path.with_name(path.name + ".open")


def _ended(connection: Connection, crawl_id: str) -> list[tuple[str, str | None, int]]:
    wanted = select(models.outcome.c.outcome, models.outcome.c.reason).where(models.outcome.c.crawl_id == crawl_id)
    counted = Counter((row.outcome, row.reason) for row in connection.execute(wanted))
    return [(outcome, reason, count) for (outcome, reason), count in counted.most_common()]


# --- templates ---


def templates(pages: Sequence[Sample]) -> list[Template]:
    """Return the pages grouped by the frame their HTML is built in, articles and listings apart, the largest group first."""
    groups: list[tuple[str, frozenset[str], list[Sample]]] = []
    for page in pages:
        kind: str = page.item.kind
        if kind not in ("article", "listing"):
            continue
        shape = frame(page.text)
        best = max((group for group in groups if group[0] == kind), key=lambda group: alike(shape, group[1]), default=None)
        if best is not None and alike(shape, best[1]) >= _ALIKE:
            best[2].append(page)
        else:
            groups.append((kind, shape, [page]))
    groups.sort(key=lambda group: (group[0], -len(group[2])))
    named: Counter[str] = Counter()
    found = []
    for of_kind, _, members in groups:
        named[of_kind] += 1
        name = f"{of_kind} {named[of_kind]}"
        found.append(Template(name, [page.capture_id for page in members], _filled(members)))
    return found


def frame(page: str) -> frozenset[str]:
    """Return what tells a template: the paths of tags (with class and id) from the page's root, without what bodies bring."""
    root = Selector(text=page or "<html></html>").root
    paths: set[str] = set()
    stack = [(root, "")]
    while stack:
        element, above = stack.pop()
        if not isinstance(element.tag, str):
            continue
        path = above
        if element.tag not in _OF_BODIES or element.get("class") or element.get("id"):
            path = f"{above}/{element.tag}.{element.get('class', '')}#{_DIGITS.sub('', element.get('id', ''))}"
            paths.add(path)
        stack += [(child, path) for child in element]
    return frozenset(paths)


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how much of two frames is in both, 0 to 1 (Jaccard)."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _filled(pages: Sequence[Sample]) -> dict[str, int]:
    names = FIELDS if isinstance(pages[0].item, Article) else ("title", "entries", "pager")
    filled = {name: sum(getattr(page.item, name) not in (None, "", []) for page in pages) for name in names}
    if not isinstance(pages[0].item, Article):
        filled["entry dates"] = sum(all(e.date for e in page.item.entries) for page in pages if isinstance(page.item, Listing))
    return filled


# --- what is odd ---


def _kinds(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    articles, listings = _articles(pages), _listings(pages)
    asked = [page.capture_id for page in pages if article_id(page.url, portal) is not None]
    if not pages:
        yield Oddity("not one page was captured", True, [])
    elif not articles and asked:
        yield Oddity(f"none of {_many(asked, 'page')} with an article's URL is an article", True, asked[:1])
    elif not articles:
        told = "no article among the pages: does `article_urls` fit the portal's links? (--explain shows their shapes)"
        yield Oddity(told, True, _numbers(pages)[:3])
    if pages and not listings:
        yield Oddity("no listing among the pages, so the crawl would find few articles", True, _numbers(pages)[:3])


def _numbered(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    """Articles whose URL no pattern of the profile knows are neither told apart nor stored by their number."""
    without = [page for page in pages if isinstance(page.item, Article) and page.item.article_id is None]
    shapes = Counter(_DIGITS.sub("N", "/" + _path(page.url)) for page in without)
    if without:
        told = ", ".join(shape for shape, _ in shapes.most_common(3))
        yield Oddity(f"{_many(without, 'article')} without an ID: `article_urls` does not know {told}", True, _numbers(without))


def _not_there(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    """Pages a link said are articles, and are read as none; and an ID no page names, read as an article."""
    linked = {number for page in pages for _, number in page.links if number is not None}
    wrong = defaultdict(list)
    for page in pages:
        number = article_id(page.url, portal)
        if number is None:
            continue
        if number in linked and isinstance(page.item, OtherPage):
            wrong[page.item.kind, page.item.reason].append(page.capture_id)
        if number not in linked and page.via is None and isinstance(page.item, Article):
            yield Oddity(
                f"ID {number}, which nothing links to, is read as an article: how does the portal say no?",
                True,
                [page.capture_id],
            )
    for (kind, reason), numbers in wrong.items():
        yield Oddity(f"{_many(numbers, 'linked article')} read as {kind}: {reason}", len(numbers) > 1, numbers)


def _essentials(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    articles = _articles(pages)
    for name in ESSENTIAL:
        empty = [n for n, item in articles if not getattr(item, name) and not (name == "paragraphs" and item.images)]
        if empty:
            yield Oddity(f"{name} missing on {len(empty)} of {len(articles)} articles", name != "category", empty)
    unread = [n for n, item in articles if item.published_text and not item.published_at]
    if unread:
        yield Oddity(f"date words that are not surely a date on {_many(unread, 'article')}", True, unread)


def _titles(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    same: dict[str, dict[int, int | None]] = defaultdict(dict)
    for number, item in _articles(pages):
        same[item.title or ""][number] = item.article_id
    for title, members in same.items():
        if title and (len(set(members.values())) > 1 or title == portal.title):
            known = " (the site's name)" if title == portal.title else ""
            told = f"the same title on {_many(set(members.values()), 'article')}{known}: {title}"
            yield Oddity(told, True, list(members))
    guessed = [n for n, item in _articles(pages) if _rule(item, "title") == "title element"]
    if guessed:
        yield Oddity(f"title only from the title element on {_many(guessed, 'article')}", False, guessed)


def _against_lists(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    """What a list prints beside a link is the portal's own word on title and date."""
    listed: dict[int | None, ListingEntry] = {}
    for _, listing in _listings(pages):
        listed.update((entry.article_id, entry) for entry in listing.entries)
    both = [(number, item, listed[item.article_id]) for number, item in _articles(pages) if item.article_id in listed]
    titles = [number for number, item, entry in both if item.title and not says(item.title, entry.title)]
    days = [number for number, item, entry in both if _days_apart(item, entry) > 1]
    if titles:
        yield Oddity(f"title is not what the list prints on {_many(titles, 'article')}", len(titles) > 1, titles)
    if days:
        yield Oddity(f"published is not the day the list prints on {_many(days, 'article')}", len(days) > 1, days)


def _days_apart(item: Article, entry: ListingEntry) -> int:
    if item.published_at is None or entry.date is None:
        return 0
    listed, published = entry.date, item.published_at.date()
    if not _YEAR.search(entry.date_text or ""):
        # The year of 04-30 is that of the capture, so only the day can be compared; February has 29 days in 2024.
        listed, published = listed.replace(year=2024), published.replace(year=2024)
    apart = abs((published - listed).days)
    return min(apart, 366 - apart) if apart < 366 else apart


def says(title: str, printed: str) -> bool:
    """Tell whether a list's words, perhaps cut at a width, are a title's."""
    full, short = _letters(title), _letters(_CUT.sub("", printed))
    return len(short) < _TITLE_SHORTEST or short[: max(_TITLE_SHORTEST, len(short) - 2)] in full or full in short


def _bodies(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    articles = _articles(pages)
    short = [n for n, item in articles if 0 < sum(map(len, item.paragraphs)) < _SHORT_BODY]
    if short:
        told = f"a body of less than {_SHORT_BODY} characters on {_many(short, 'article')}"
        yield Oddity(told, len(short) * 3 > len(articles), short)
    outside = [page.capture_id for page in pages if isinstance(page.item, Article) and _misses_text(page, page.item)]
    if outside:
        yield Oddity(f"more prose outside of the body than in it on {_many(outside, 'article')}", True, outside)
    for name, at in (("first", 0), ("last", -1)):
        same: dict[str, dict[int, int | None]] = defaultdict(dict)
        for number, item in articles:
            if item.paragraphs:
                same[item.paragraphs[at]][number] = item.article_id
        for words, members in same.items():
            if len(set(members.values())) > _CHANCE:
                told = f"the same {name} paragraph on {_many(members, 'article')}, so no part of them: {words[:40]}"
                yield Oddity(told, True, list(members))


def _misses_text(page: Sample, item: Article) -> bool:
    """Tell whether there is more prose outside of the body than in it. Abstracts of other articles are none."""
    body = _letters("".join(item.paragraphs))
    abstracts = {_letters(entry.abstract)[:_PROOF] for entry in item.related if entry.abstract}
    outside = 0
    for _, words in PageText.of(page.text).lines:
        letters = _letters(words)
        if len(_STOPS.findall(words)) < _PROSE_STOPS or _CUT.search(words) or letters[:_PROOF] in abstracts:
            continue
        outside += 0 if letters[:_PROOF] in body or letters[-_PROOF:] in body else len(letters)
    return outside > max(_LONG_TEXT, len(body))


def _letters(text: str) -> str:
    return "".join(_WORD.findall(text)).lower()


def _bytes(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    lossy = [page for page in pages if page.item.decode_losses]
    if lossy:
        count = sum(page.item.decode_losses for page in lossy)
        told = f"{_many(lossy, 'page')} with characters that could not be read ({count} in all)"
        yield Oddity(told, False, _numbers(lossy))
    wrong = defaultdict(list)
    for page in pages:
        if page.declared and page.item.encoding and _family(page.declared) != _family(page.item.encoding):
            wrong[f"labelled {page.declared}, in truth {page.item.encoding}"].append(page.capture_id)
    for told, numbers in wrong.items():
        yield Oddity(f"{_many(numbers, 'page')} {told} (read right all the same)", False, numbers)


def _family(charset: str) -> str:
    return "gb" if charset.startswith(("gb", "x-gbk", "cp936", "hz")) else charset.replace("-", "")


def _views(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    articles = _articles(pages)
    none = [number for number, item in articles if item.views is None]
    script = [number for number, item in articles if number in none and _rule(item, "views") == "script counter"]
    absent = [number for number in none if number not in script]
    if script:
        yield Oddity(f"views are written by a script on {len(script)} of {len(articles)} articles", False, script)
    if absent:
        told = f"no views on {len(absent)} of {len(articles)} articles: has the portal a word of its own for them?"
        yield Oddity(told, False, absent)


def _lists(pages: Sequence[Sample], portal: Portal) -> Iterator[Oddity]:
    homes = {_path(seed) for seed in portal.seeds}
    inner = [(page.capture_id, page.item) for page in pages if isinstance(page.item, Listing) and _path(page.url) not in homes]
    bare = [number for number, item in inner if item.pager is None]
    if bare:
        yield Oddity(f"{_many(bare, 'listing')} without a pager", len(bare) == len(inner) > 1, bare)
    undated = [number for number, item in inner if not any(entry.date for entry in item.entries)]
    if undated:
        yield Oddity(f"{_many(undated, 'listing')} without dates: -a since cannot go by them", False, undated)
    others = [page for page in pages if page.item.kind == "other" and article_id(page.url, portal) is None]
    if others:
        yield Oddity(f"{_many(others, 'page')} with links, none of them to an article", False, _numbers(others))


def _path(url: str) -> str:
    """What names a page within its portal."""
    return identity(url).split("/", 3)[3]


LOOKS: tuple[Callable[[Sequence[Sample], Portal], Iterator[Oddity]], ...] = (
    _kinds, _numbered, _not_there, _essentials, _titles, _against_lists, _bodies, _lists, _views, _bytes,
)  # fmt: skip


def _lost(ended: Sequence[tuple[str, str | None, int]]) -> list[Oddity]:
    lost = [(outcome, reason, n) for outcome, reason, n in ended if outcome in ("failed", "blocked", "postponed", "truncated")]
    kept = [(outcome, reason, n) for outcome, reason, n in ended if outcome == "excluded"]
    told = [Oddity(f"{n} x {outcome}: {reason or 'no reason given'}", outcome == "blocked", []) for outcome, reason, n in lost]
    return told + [Oddity(f"{n} x not asked for: {reason or 'excluded'}", reason == "robots", []) for _, reason, n in kept]


def _articles(pages: Sequence[Sample]) -> list[tuple[int, Article]]:
    return [(page.capture_id, page.item) for page in pages if isinstance(page.item, Article)]


def _listings(pages: Sequence[Sample]) -> list[tuple[int, Listing]]:
    return [(page.capture_id, page.item) for page in pages if isinstance(page.item, Listing)]


def _numbers(pages: Sequence[Sample]) -> list[int]:
    return [page.capture_id for page in pages]


def _rule(item: PageItem, name: str) -> str | None:
    found = item.evidence.get(name)
    return found.rule if found else None


def _many(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}" + ("" if len(things) == 1 else "s")
