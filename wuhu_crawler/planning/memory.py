"""What earlier crawls of a portal know, asked from the archive's database once and kept for the crawl.

`listings` has the rules; here are the questions. What the crawl under way has seen itself is left out of every answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import Date, TextClause, bindparam, text

from ..db.failures import translated
from ..db.types import UtcTime
from .listings import INCOMPLETE, Answer, Past, Sighting, has_words, is_changed, is_due, is_known, is_sticky, past_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..items import ListingEntry

Why = Literal["new", "changed", "owed"]
# A listing page that could not be had in so many crawls before is the portal's, and no reason to walk the listing again.
USUAL = 3  # as the question's LIMIT says
# Both databases limit the parameters of one statement.
_CHUNK = 400
# What a page is that shows no articles.
_NOTHING = frozenset({"other", "missing"})


class Owed(NamedTuple):
    """A number some page has named and no answer was had for, and a URL of it."""

    number: int
    url: str


class Memory:
    """What is known of one portal."""

    def __init__(
        self,
        database: Connection,
        portal: str,
        crawl_id: str,
        *,
        listing_of: Callable[[str], str],
        longest: timedelta,
        now: datetime,
    ) -> None:
        """`listing_of` returns the listing a page's URL belongs to; `longest` bounds the pauses of `is_due`, which is asked for
        `now`."""
        self._database = database
        self._named = {"portal": portal, "crawl": crawl_id}
        self._listing_of = listing_of
        self._longest = longest
        self._now = now
        self._pasts: dict[int, Past | None] = {}
        self._seen: dict[int, list[Sighting]] = {}
        self._covered = {row.listing: row.ended_at for row in self._rows(_WALKS)}

    @property
    def listings(self) -> Collection[str]:
        """The listings that were walked to an end before."""
        return self._covered.keys()

    def why(self, number: int, entry: ListingEntry | None = None, listing: str = "") -> Why | None:
        """Return why an article is asked for, None when it need not be; `entry` is how `listing` shows it, if one does."""
        self._learn([number])
        past = self._pasts[number]
        if past is None:
            return "new"
        if entry is not None and is_changed(entry, listing, self._sightings([number])[number], past):
            return "changed"
        return "owed" if is_due(past, self._now, self._longest) else None

    def known(self, entries: Sequence[ListingEntry], listing: str) -> tuple[frozenset[int], frozenset[int]]:
        """Return which entries of a page the listing is known to show, and which of these prove nothing: they are sticky."""
        covered = self._covered.get(listing)
        if covered is None:
            return frozenset(), frozenset()
        seen = self._sightings([entry.article_id for entry in entries])
        here = {n: [sighting for sighting in found if sighting.listing == listing] for n, found in seen.items()}
        known = [entry for entry in entries if is_known(entry, here[entry.article_id], covered)]
        sticky = (entry.article_id for entry in known if is_sticky(entry, here[entry.article_id]))
        return frozenset(entry.article_id for entry in known), frozenset(sticky)

    def learn(self, numbers: Sequence[int], *, seen: Sequence[int]) -> None:
        """Look up all the numbers of a page at once; `seen` are those whose sightings will be asked for."""
        self._learn(numbers)
        self._sightings(seen)

    def owed(self) -> Iterator[Owed]:
        """Yield the numbers a page has named and no answer was had for, with a URL of each: those never asked for, and those
        whose pause is over."""
        for row in self._rows(_UNASKED):
            yield Owed(row.article_id, row.url)
        urls = {row.article_id: row.url for row in self._rows(_UNANSWERED)}
        self._learn(list(urls))
        for number, url in urls.items():
            past = self._pasts[number]
            if past is not None and is_due(past, self._now, self._longest):
                yield Owed(number, url)

    def is_usual(self, url: str) -> bool:
        """Tell whether a page could not be had in any of the latest crawls either."""
        return len(ends := self._rows(_ENDS, url=url)) == USUAL and all(row.bad for row in ends)

    def shows_nothing(self, url: str, since: datetime) -> bool:
        """Tell whether a page was found to show no articles since then: another page, a missing one, or one that led there."""
        found = self._rows(_KIND, url=url, since=since)
        if not found:
            return False
        target = (found[0].reason or "").partition("redirect to ")[2]
        if target:
            found = self._rows(_KIND, url=target, since=since)
        return any(row.page_kind in _NOTHING or row.outcome == "missing" for row in found)

    def is_calendar(self, url: str) -> bool:
        """Tell whether a listing printed entries without a title when it was walked last; an empty one is none."""
        titles = [row.title for row in self._rows(_TITLES, url=url, listing=self._listing_of(url))]
        return bool(titles) and not any(has_words(title) for title in titles)

    def is_echo(self, listing: str, since: datetime) -> bool:
        """Tell whether a listing was walked since then, and never was the first to show an article: others show the same."""
        covered = self._covered.get(listing)
        return covered is not None and covered >= since and listing not in self._fruitful

    @cached_property
    def _fruitful(self) -> frozenset[str]:
        return frozenset(self._listing_of(row.via) for row in self._rows(_VIAS))

    def _learn(self, numbers: Sequence[int]) -> None:
        """Read the answers of numbers not read yet."""
        for asked in _chunks(number for number in dict.fromkeys(numbers) if number not in self._pasts):
            whole = {row.article_id for row in self._rows(_WHOLE, asked)}
            answers: defaultdict[int, list[Answer]] = defaultdict(list)
            for row in self._rows(_ANSWERS, asked):
                lacking = row.answer == "article" and row.article_id not in whole
                answer = Answer(INCOMPLETE if lacking else row.answer, row.observed_at, row.crawl_id)
                answers[row.article_id].append(answer)
            self._pasts.update({number: past_of(answers[number]) for number in asked})

    def _sightings(self, numbers: Sequence[int]) -> dict[int, list[Sighting]]:
        for asked in _chunks(number for number in dict.fromkeys(numbers) if number not in self._seen):
            self._seen.update({number: [] for number in asked})
            for row in self._rows(_SIGHTINGS, asked):
                seen = Sighting(
                    self._listing_of(row.url), row.url, row.crawl_id, row.title, row.date_text, row.date, row.captured_at
                )
                self._seen[row.article_id].append(seen)
        return {number: self._seen[number] for number in numbers}

    def _rows(self, statement: TextClause | Any, numbers: Sequence[int] | None = None, **more: Any) -> Sequence[Any]:
        parameters = {**self._named, **more, **({} if numbers is None else {"numbers": list(numbers)})}
        with translated():
            return self._database.execute(statement, parameters).all()


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    rest = list(numbers)
    for start in range(0, len(rest), _CHUNK):
        yield rest[start : start + _CHUNK]


def _question(words: str) -> Any:
    """Return a question with the types of what is asked with and of what comes back."""
    asked: list[Any] = [bindparam("since", type_=UtcTime())] if ":since" in words else []
    asked += [bindparam("numbers", expanding=True)] if ":numbers" in words else []
    typed: dict[str, Any] = {name: UtcTime() for name in ("ended_at", "observed_at", "captured_at")}
    columns = {name: kind for name, kind in {**typed, "date": Date()}.items() if name in words.partition(" FROM ")[0]}
    return text(words).bindparams(*asked).columns(**columns)


_WALKS = _question("SELECT listing, ended_at FROM listing_walk WHERE portal = :portal")
# What a crawl of gaps or re-checks could not have it asks for again itself.
_ANSWERS = _question(
    "SELECT v.article_id, v.answer, v.observed_at, v.crawl_id FROM article_observation v JOIN crawl w ON w.id = v.crawl_id "
    "WHERE v.portal = :portal AND v.article_id IN :numbers AND v.crawl_id <> :crawl "
    "AND (v.answer NOT IN ('error', 'blocked') OR w.job NOT IN ('gaps', 'recheck'))"
)
_WHOLE = _question("SELECT article_id FROM article WHERE portal = :portal AND article_id IN :numbers")
_SIGHTINGS = _question(
    "SELECT s.article_id, s.title, s.date_text, s.date, c.url, c.crawl_id, c.captured_at FROM listing_sighting s "
    "JOIN capture c ON c.id = s.capture_id JOIN crawl w ON w.id = c.crawl_id "
    "WHERE w.portal = :portal AND s.article_id IN :numbers AND c.crawl_id <> :crawl"
)
_UNASKED = _question(
    "SELECT s.article_id, MAX(s.url) AS url FROM listing_sighting s "
    "JOIN capture c ON c.id = s.capture_id JOIN crawl w ON w.id = c.crawl_id "
    "WHERE w.portal = :portal AND c.crawl_id <> :crawl AND NOT EXISTS (SELECT 1 FROM outcome o "
    "JOIN crawl p ON p.id = o.crawl_id WHERE o.article_id = s.article_id AND p.portal = :portal AND p.id <> :crawl) "
    "GROUP BY s.article_id ORDER BY s.article_id DESC"
)
# Errors, and articles of which no version was made since a part of each is missing.
_UNANSWERED = _question(
    "SELECT v.article_id, MAX(v.url) AS url FROM article_observation v JOIN crawl w ON w.id = v.crawl_id "
    "WHERE v.portal = :portal AND v.crawl_id <> :crawl AND v.answer IN ('error', 'blocked') "
    "AND w.job NOT IN ('gaps', 'recheck') GROUP BY v.article_id "
    "UNION ALL SELECT c.article_id, MAX(c.url) AS url FROM capture c JOIN crawl w ON w.id = c.crawl_id "
    "LEFT JOIN article a ON a.portal = w.portal AND a.article_id = c.article_id "
    "WHERE w.portal = :portal AND w.id <> :crawl AND c.page_kind = 'article' AND c.article_id IS NOT NULL AND a.key IS NULL "
    "GROUP BY c.article_id"
)
_VIAS = _question(
    "SELECT DISTINCT o.via FROM outcome o JOIN crawl w ON w.id = o.crawl_id "
    "WHERE w.portal = :portal AND w.id <> :crawl AND o.article_id IS NOT NULL AND o.via IS NOT NULL"
)
_TITLES = _question(
    "SELECT s.title FROM listing_walk k JOIN capture c ON c.crawl_id = k.crawl_id AND c.url = :url "
    "JOIN listing_sighting s ON s.capture_id = c.id WHERE k.portal = :portal AND k.listing = :listing"
)
_ENDS = _question(
    "SELECT o.outcome NOT IN ('captured', 'revisit') AS bad FROM crawl w JOIN outcome o ON o.crawl_id = w.id AND o.url = :url "
    "WHERE w.portal = :portal AND w.id <> :crawl ORDER BY w.started_at DESC LIMIT 3"
)
_KIND = _question(
    "SELECT o.outcome, o.reason, c.page_kind FROM crawl w JOIN outcome o ON o.crawl_id = w.id AND o.url = :url "
    "LEFT JOIN capture c ON c.id = o.capture_id "
    "WHERE w.portal = :portal AND w.id <> :crawl AND o.at >= :since ORDER BY o.at DESC LIMIT 1"
)
