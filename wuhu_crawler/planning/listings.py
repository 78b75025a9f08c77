"""Which entries of a listing are known, and which articles are worth asking for: the rules that weigh what earlier crawls saw.

An entry of a listing is known when the listing showed it like this before, within what a whole walk of it covered. An article
is asked for when there never was an answer for its number, when a listing shows it otherwise than when it was last answered,
and when the last answer was none (an error, a block, a part missing), then with growing pauses. What the crawl under way has
seen itself is never counted, so that a resumed one decides as it did before. Pure; `memory` asks the database.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..items import ListingEntry

# Answers that are none: to be asked for again.
FAILING = frozenset({"error", "blocked", "incomplete"})
# An answer of this kind was a page of an article that has no version: a part of it is missing.
INCOMPLETE = "incomplete"
# Words that come and go around a title without the article being another, and those that say it stands on top out of turn.
STICKY_WORDS = ("置顶", "固顶", "总固顶")
MARKS = (*STICKY_WORDS, "推荐", "荐", "顶", "热", "新", "new", "hot", "top")

_STANDS_ON_TOP = rf"^(?:{'|'.join(STICKY_WORDS)})"
_MARK = re.compile(rf"[\[【(（]\s*(?:{'|'.join(MARKS)})\s*[\]】)）]|{_STANDS_ON_TOP}\s*[:：]?", re.I)
_STICKY = re.compile(
    rf"[\[【(（]\s*(?:{'|'.join((*STICKY_WORDS, '顶', 'top'))})\s*[\]】)）]|^(?:{'|'.join(STICKY_WORDS)})", re.I
)
_SPACES = re.compile(r"\s+")
_ELLIPSIS = re.compile(r"(?:…|\.\.+|···*)\s*\Z")
# A day without its year, whose year is guessed from the time of the capture.
_MONTH_DAY = re.compile(r"\D*\d{1,2}\s*[-/.月]\s*\d{1,2}\D*\Z")
# A nightly crawl does not begin at the same second every night.
_NEARLY = 0.75
# Two titles that have less in common than this are not one title and its correction.
_SAME_TITLE = 0.5
_WORD = re.compile(r"[^\W\d_]")
_ONE_NIGHT = timedelta(hours=6)


class Sighting(NamedTuple):
    """An entry as an earlier crawl saw it: on which listing, on which page of it, when (UTC)."""

    listing: str
    page: str
    crawl_id: str
    title: str
    date_text: str | None
    date: date | None
    at: datetime


class Answer(NamedTuple):
    """What a crawl was told of a number: article, missing, error, blocked, other, or `incomplete`."""

    answer: str
    at: datetime
    crawl_id: str


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier crawls were told of one number: the latest answer, when, by which; how many at the end had none."""

    answer: str
    at: datetime
    crawl_id: str
    had: bool
    failures: int


def plain_title(title: str) -> str:
    """Return a title without the marks that come and go (`[置顶]`, `[新]`) and with single spaces."""
    return _SPACES.sub(" ", _MARK.sub("", title)).strip()


def has_words(title: str) -> bool:
    """Tell whether a title is more than numbers and signs, as the days of a calendar are not."""
    return bool(_WORD.search(title))


def same_date(entry: ListingEntry | Sighting, other: ListingEntry | Sighting) -> bool:
    """Tell whether two entries show the same date. Where no year is printed the words decide: the guessed year moves on."""
    if entry.date_text == other.date_text and (entry.date_text is None or _MONTH_DAY.match(entry.date_text)):
        return True
    return entry.date == other.date and (entry.date is not None or entry.date_text == other.date_text)


def same_entry(entry: ListingEntry | Sighting, other: ListingEntry | Sighting) -> bool:
    """Tell whether a listing shows an entry as before."""
    return plain_title(entry.title) == plain_title(other.title) and same_date(entry, other)


def like_entry(entry: ListingEntry | Sighting, other: ListingEntry | Sighting) -> bool:
    """Tell whether two listings show the same of an article: each cuts titles at a width of its own and may print no date.

    Words that are no form of the title at all (a day of a calendar, `[详细]`) say nothing against it.
    """
    one, two = (_ELLIPSIS.sub("", plain_title(each.title)) for each in (entry, other))
    width = min(len(one), len(two))
    if one[:width] != two[:width]:
        return SequenceMatcher(None, one[:width], two[:width], autojunk=False).ratio() < _SAME_TITLE
    return entry.date is None or other.date is None or same_date(entry, other) or _is_yearless(entry, other)


def _is_yearless(entry: ListingEntry | Sighting, other: ListingEntry | Sighting) -> bool:
    """One of the two dates has a guessed year: then month and day have to do."""
    guessed = any(each.date_text is not None and _MONTH_DAY.match(each.date_text) for each in (entry, other))
    days = [(each.date.month, each.date.day) for each in (entry, other) if each.date is not None]
    return guessed and days[0] == days[-1]


def is_known(entry: ListingEntry, here: Iterable[Sighting], covered: datetime | None) -> bool:
    """Tell whether an entry is as its listing showed it last within what a whole walk covered (`here`: all times)."""
    within = [sighting for sighting in here if covered is not None and sighting.at <= covered]
    return bool(within) and same_entry(entry, max(within, key=lambda sighting: sighting.at))


def is_sticky(entry: ListingEntry, here: Iterable[Sighting]) -> bool:
    """Tell whether an entry stands where it stands out of turn: marked so, or on several pages of its listing in one crawl."""
    if _STICKY.search(entry.title):
        return True
    pages: defaultdict[str, set[str]] = defaultdict(set)
    for sighting in here:
        pages[sighting.crawl_id].add(sighting.page)
    return any(len(shown) > 1 for shown in pages.values())


def is_changed(entry: ListingEntry, listing: str, seen: Sequence[Sighting], past: Past) -> bool:
    """Tell whether an entry shows its article otherwise than when its number was last answered.

    The same listing tells best; another cuts its titles otherwise. An article a listing shows for the first time has not
    changed; a number that was missing is asked for when one does.
    """
    near = [sighting for sighting in seen if sighting.listing == listing]
    alike = same_entry if near else like_entry
    then = [sighting for sighting in near or seen if _is_of_then(sighting, past)]
    if not past.had and past.failures == 0 and not any(sighting.at <= past.at for sighting in seen):
        return True
    if then:
        return not alike(entry, max(then, key=lambda sighting: sighting.at))
    later = near or seen
    return bool(later) and not alike(entry, min(later, key=lambda sighting: sighting.at))


def _is_of_then(sighting: Sighting, past: Past) -> bool:
    """What one listing leads to is fetched before the crawl comes to the next listing that shows it, the same night."""
    return sighting.at <= past.at or (sighting.crawl_id == past.crawl_id and sighting.at - past.at < _ONE_NIGHT)


def pause(failures: int, longest: timedelta) -> timedelta:
    """Return how long to leave a number alone after so many crawls in a row without an answer: 0, 1, 2, 4 ... days."""
    return timedelta() if failures < 2 else min(timedelta(days=2 ** min(failures - 2, 20)), longest)


def is_due(past: Past, now: datetime, longest: timedelta) -> bool:
    """Tell whether a number without an answer is to be asked for again."""
    return past.failures > 0 and now - past.at >= pause(past.failures, longest) * _NEARLY


def past_of(answers: Iterable[Answer]) -> Past | None:
    """Return what the answers amount to, None when there is none."""
    ordered = sorted(answers, key=lambda answer: answer.at)
    if not ordered:
        return None
    failed: set[str] = set()
    for answer in reversed(ordered):
        if answer.answer not in FAILING:
            break
        failed.add(answer.crawl_id)
    had = any(answer.answer == "article" for answer in ordered)
    return Past(*ordered[-1], had, len(failed))
