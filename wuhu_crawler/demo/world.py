"""The portal's world: categories, articles, IDs with their holes, and who links to whom. Pure and the same for the same seed.

IDs are sequential in time across categories, as in the family. Some articles are shown nowhere (`listed` false), some IDs are
dead: they answer with a soft-404 or an error page of a kind, and a few of them are still linked, as on real portals.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import islice
from typing import Literal, NamedTuple, overload

from . import texts, words
from .articles import SEED_ID, Article, Cut, compose, seed_article

SEED = 553
FIRST_ID, LAST_ID = 11950, 12420
FIRST_DAY, SEED_DAY, LAST_DAY = date(2023, 10, 9), date(2024, 2, 3), date(2024, 4, 30)
UNLISTED, DEAD = 12, 60
MIDNIGHTS = 14

# Name of a dead ID's answer (faults.py writes them) -> what it is. A portal error is no proof that the article is gone.
DEAD_KINDS = {
    "half-layout": "missing",
    "alert": "missing",
    "plain": "missing",
    "not-found": "missing",
    "error-table": "missing",
    "unreviewed": "missing",
    "database": "error",
    "runtime-vbscript": "error",
    "runtime-adodb": "error",
    "runtime-odbc": "error",
    "rate-limit": "blocked",
}
# The rate limit is met by ID only: linked, it would pause every crawl.
UNLINKED_KINDS = ("rate-limit",)
# Page looks with their weights.
SHARES = {"o553": 26, "table778": 18, "cells": 11, "span": 11, "div2010": 11, "dlist": 9, "sidefirst": 9, "wide": 9}
# A look added later takes its share (0 to 1) of all articles and leaves everything else of them as it was.
NEWCOMERS: dict[str, float] = {"onecell": 0.1}
# Body markups with their shares, after the counts in portal.md.
SHAPES = {
    "p": 26, "p-open": 14, "p-nbsp": 10, "br": 15, "br-nbsp": 10, "font": 14, "font-br": 5, "word": 9, "wechat": 5, "table": 8,
    "bare": 3, "div": 5, "p-br": 7, "editor": 8,
}  # fmt: skip


# Where the bodies of articles in parts are cut.
CUTS: tuple[tuple[Cut, ...], ...] = (("sentence",), ("tag",), ("border", "sentence"))
# Of the articles written when asked for: the share in parts of those that can be cut, and of those under a wrong charset label.
CUT_SHARE, MISLABELLED_SHARE = 0.2, 0.005


@dataclass(frozen=True, slots=True)
class Category:
    """A category: its class number, name, topics, and its listing (script, parameter names and order, row style)."""

    key: int
    name: str
    topics: tuple[str, ...]
    style: Literal["table", "brackets", "list"]
    script: str
    param: str
    pager: str
    page_first: bool
    per_page: int = 20
    weight: int = 10

    def url(self, page: int = 1) -> str:
        """Return the path and query of a listing page; page 1 carries no page parameter."""
        if page == 1:
            return f"/news/{self.script}?{self.param}={self.key}"
        pair = (f"{self.pager}={page}", f"{self.param}={self.key}")
        return f"/news/{self.script}?" + "&".join(pair if self.page_first else reversed(pair))


CATEGORIES = (
    Category(1, "本地新闻", ("社区", "交通", "生态"), "table", "Class.asp", "ClassID", "page", True, weight=24),
    Category(3, "资讯杂谈", tuple(words.TOPICS), "table", "Class.asp", "ClassID", "page", False, weight=22),
    Category(5, "社区动态", ("社区", "就业"), "brackets", "More.asp", "LeiBie", "PageNo", True, 25, weight=16),
    Category(6, "教育信息", ("教育",), "brackets", "More.asp", "LeiBie", "PageNo", False, 15, weight=12),
    Category(8, "文化旅游", ("文旅", "农业"), "list", "List.asp", "BigClassID", "page", False, 18, weight=14),
    Category(9, "产业经济", ("产业", "就业"), "list", "List.asp", "BigClassID", "PageNo", True, 18, weight=12),
    Category(12, "通知公告", ("社区",), "table", "Class.asp", "ClassID", "page", True, weight=0),
)


@dataclass(frozen=True, slots=True)
class Dead:
    """An ID without an article. `linked` says where a page still links to it: its listing, its neighbours, or nowhere."""

    id: int
    kind: str
    linked: Literal["listing", "neighbour"] | None
    category: str
    title: str
    published: datetime


Entry = Article | Dead


class Outline(NamedTuple):
    """What is known of an article before its text is written: enough for every list of links but the titles."""

    id: int
    category: str
    published: datetime
    listed: bool


class Rows(Sequence[Entry]):
    """The rows of a listing; each entry is made when it is asked for."""

    def __init__(self, numbers: Sequence[int], entry: Callable[[int], Entry]) -> None:
        self._numbers = numbers
        self._entry = entry

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self._entry(number) for number in self._numbers[index]]
        return self._entry(self._numbers[index])

    def __len__(self) -> int:
        return len(self._numbers)


@dataclass(frozen=True, eq=False)
class World:
    """Everything the portal knows, made once from a seed. `failing` are IDs that answer an error page today, with its kind."""

    seed: int
    articles: Mapping[int, Article]
    dead: Mapping[int, Dead]
    categories: tuple[Category, ...] = CATEGORIES
    sticky_id: int = 0
    failing: Mapping[int, str] = field(default_factory=dict)

    def category(self, name: str) -> Category:
        """Return the category of that name."""
        return next(category for category in self.categories if category.name == name)

    def entry(self, number: int) -> Entry:
        """Return the article of that ID, or else the dead one. Raises KeyError for an ID that never was."""
        return self.articles[number] if number in self.articles else self.dead[number]

    def outlines(self) -> Iterable[Outline]:
        """Return the outline of every article, by ID."""
        return (Outline(a.id, a.category, a.published, a.listed) for a in self.articles.values())

    def has_picture(self, path: str) -> bool:
        """Tell whether an article shows the picture of that path (lower case)."""
        return path in self._pictures

    @cached_property
    def _pictures(self) -> set[str]:
        return {line.src.lower() for article in self.articles.values() for line in article.lines if line.src}

    @cached_property
    def _shown(self) -> dict[str, list[int]]:
        shown = [(outline.id, outline.category) for outline in self.outlines() if outline.listed]
        shown += [(d.id, d.category) for d in self.dead.values() if d.linked == "listing"]
        found: dict[str, list[int]] = defaultdict(list)
        for number, category in sorted(shown, reverse=True):
            found[category].append(number)
        return found

    def entries(self, category: Category) -> Sequence[Entry]:
        """Return the rows of the category's listing, newest first; dead ones it still links are among them."""
        return Rows(self._shown.get(category.name, []), self.entry)

    @cached_property
    def _chains(self) -> dict[str, list[int]]:
        dead = [d for d in self.dead.values() if d.linked == "neighbour"]
        chains = {name: [*rows, *(d.id for d in dead if d.category == name)] for name, rows in self._shown.items()}
        return {name: sorted(rows) for name, rows in chains.items()}

    def neighbours(self, article: Article) -> tuple[Entry | None, Entry | None]:
        """Return the previous and the next article of the category, as the page links them; unlisted ones are passed over."""
        chain = self._chains.get(article.category, [])
        before, after = bisect_left(chain, article.id) - 1, bisect_right(chain, article.id)
        return (
            self.entry(chain[before]) if before >= 0 else None,
            self.entry(chain[after]) if after < len(chain) else None,
        )

    def latest(self, category: str, count: int, turn: int) -> list[Article]:
        """Return `count` of the category's latest living articles; `turn` rotates them, as a sidebar changes on every GET."""
        living = (self.articles[number] for number in self._shown[category] if number in self.articles)
        rows = list(islice(living, count * 3))
        start = turn % len(rows)
        return (rows[start:] + rows[:start])[:count]


@lru_cache(maxsize=4)
def build(seed: int = SEED) -> World:
    """Return the world of a seed: about 400 listed articles, 12 unlisted ones, 60 dead IDs."""
    rng = random.Random(seed)
    times = _times(rng)
    holes = rng.sample([n for n in times if n not in (FIRST_ID, SEED_ID, LAST_ID)], UNLISTED + DEAD)
    unlisted, dead_ids = set(holes[:UNLISTED]), sorted(holes[UNLISTED:])
    articles = {n: replace(_article(seed, n, t), listed=n not in unlisted) for n, t in times.items() if n not in dead_ids}
    _make_titles_unique(seed, articles)
    _apply_specials(articles)
    dead = {n: _dead(seed, index, n, times[n]) for index, n in enumerate(dead_ids)}
    sticky = next(a.id for a in articles.values() if a.listed and a.category == "本地新闻" and a.id > FIRST_ID + 40)
    return World(seed, articles, dead, sticky_id=sticky)


def _times(rng: random.Random) -> dict[int, datetime]:
    days = {n: FIRST_DAY + (SEED_DAY - FIRST_DAY) * (n - FIRST_ID) // (SEED_ID - FIRST_ID) for n in range(FIRST_ID, SEED_ID)}
    after = SEED_DAY + timedelta(days=1)
    days |= {n: after + (LAST_DAY - after) * (n - SEED_ID) // (LAST_ID - SEED_ID) for n in range(SEED_ID + 1, LAST_ID + 1)}
    by_day: dict[date, list[int]] = defaultdict(list)
    for number, day in days.items():
        by_day[day].append(number)
    times = {SEED_ID: datetime(2024, 2, 3, 20, 24, 31)}
    midnights = set(rng.sample(sorted(by_day), MIDNIGHTS))
    for day, numbers in by_day.items():
        clock = sorted(rng.sample(range(27000, 82000), len(numbers)))
        clock[0] = 0 if day in midnights else clock[0]
        times |= {
            n: datetime.combine(day, datetime.min.time()) + timedelta(seconds=s) for n, s in zip(numbers, clock, strict=True)
        }
    return dict(sorted(times.items()))


def _article(seed: int, number: int, published: datetime) -> Article:
    if number == SEED_ID:
        return seed_article("o553")
    rng = random.Random(f"{seed}:{number}")
    category = rng.choices(CATEGORIES, weights=[c.weight for c in CATEGORIES])[0]
    return _written(rng, seed, number, category, published)


def _written(rng: random.Random, seed: int, number: int, category: Category, published: datetime) -> Article:
    look = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    shape = rng.choices(list(SHAPES), weights=list(SHAPES.values()))[0]
    return compose(rng, number, category.name, rng.choice(category.topics), published, _newcomer(seed, number) or look, shape)


def write(seed: int, outline: Outline) -> Article:
    """Return the article of an outline, the same whenever it is asked for; some are in parts or under a wrong charset label."""
    category = next(category for category in CATEGORIES if category.name == outline.category)
    rng = random.Random(f"{seed}:{outline.id}:{category.key}")
    article = replace(_written(rng, seed, outline.id, category, outline.published), listed=outline.listed)
    draw = rng.random()
    if draw < CUT_SHARE and _can_be_cut(article):
        return replace(article, cuts=rng.choice(CUTS), leftover=False)
    return replace(article, mislabelled=draw > 1 - MISLABELLED_SHARE)


def _newcomer(seed: int, number: int) -> str | None:
    return next((name for name, share in NEWCOMERS.items() if random.Random(f"{seed}:{name}:{number}").random() < share), None)


def _make_titles_unique(seed: int, articles: dict[int, Article]) -> None:
    seen: set[str] = set()
    for number, article in articles.items():
        rng = random.Random(f"{seed}:title:{number}")
        while article.title in seen:
            topic = rng.choice(CATEGORIES[0].topics)
            article = replace(article, title=texts.Writer(rng, topic, article.published.date()).title())
        seen.add(article.title)
        articles[number] = article


def _apply_specials(articles: dict[int, Article]) -> None:
    """Choose the articles in parts, the ones with a lone [1], and the ones under a wrong charset label."""
    long = [a for a in articles.values() if a.listed and a.id != SEED_ID and _can_be_cut(a)]
    for article, cut in zip(long, CUTS, strict=False):
        articles[article.id] = replace(article, cuts=cut, leftover=False)
    for article in long[len(CUTS) : len(CUTS) + 2]:
        articles[article.id] = replace(article, lone_pager=True)
    plain = [a for a in articles.values() if a.listed and a.id != SEED_ID and not a.cuts and not a.lone_pager]
    for look in ("table778", "dlist", "div2010", "wide"):
        chosen = next(a for a in plain if a.look == look)
        articles[chosen.id] = replace(chosen, mislabelled=True)


def _can_be_cut(article: Article) -> bool:
    plain = len(article.lines) >= 8 and not any(line.kind in ("row", "image") for line in article.lines)
    return plain and article.shape in ("p", "p-nbsp") and article.look in ("o553", "table778", "span")


def _dead(seed: int, index: int, number: int, published: datetime) -> Dead:
    rng = random.Random(f"{seed}:{number}")
    kinds = list(DEAD_KINDS)
    # Each kind once, then mostly the ways in which an article is gone.
    kind = kinds[index] if index < len(kinds) else rng.choice(kinds[:6])
    category = rng.choice(CATEGORIES[:-1])
    places: tuple[Literal["listing", "neighbour"], ...] = ("listing", "neighbour")
    linked = places[index % 2] if index < len(kinds) and kind not in UNLINKED_KINDS else None
    title = texts.Writer(rng, category.topics[0], published.date()).title()
    return Dead(number, kind, linked, category.name, title, published)
