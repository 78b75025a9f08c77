"""The portal's life: what happens on which day, and the world of a day. The same from a seed, whatever days are asked for.

Day 0 is the world as built, of LAST_DAY; day N is N days later. A Life draws the days one after another, each from the seed
and its number, and can tell of every day what happened (events) and what the portal is then (world).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal

from .articles import Article
from .changes import can_change, change
from .living import State, living
from .looks import REDESIGNS
from .stock import Stock, large, small
from .world import CATEGORIES, DEAD_KINDS, LAST_DAY, SEED, Dead, Outline, World

What = Literal[
    "new", "skipped", "edited", "removed", "restored", "listed", "renamed", "redesigned", "sticky", "failing"
]  # fmt: skip
# Day -> category's name and its new one; day -> look that is redesigned, and in which category (None: in all).
RENAMES: dict[int, tuple[str, str]] = {
    18: ("社区动态", "社区新闻"), 97: ("产业经济", "经济观察"), 190: ("教育信息", "教育在线"), 281: ("文化旅游", "文旅芜湖"),
}  # fmt: skip
REDESIGNED: dict[int, tuple[str, str | None]] = {25: ("o553", None), 150: ("table778", "本地新闻"), 240: ("table778", None)}
# Every so many days from the given one: another sticky entry; a database that fails for one ID in FAILING, for this day.
STICKY_EVERY, STICKY_FROM = 10, 5
FAILING_EVERY, FAILING_FROM, FAILING = 11, 4, 25
FAILURES = [kind for kind, what in DEAD_KINDS.items() if what == "error"]
REMOVED_AS = [kind for kind, what in DEAD_KINDS.items() if what == "missing"]
# Editors mostly touch what is new: so many of the edited articles are of the latest days, the others of any age.
YOUNG_SHARE, YOUNG_DAYS = 0.7, 14
RESTORED_SHARE, RESTORED_WITHIN = 0.35, (2, 40)
OPENS, CLOSES = 27000, 82000


@dataclass(frozen=True, slots=True)
class Rates:
    """How much happens a day, on average: articles, edits, removals, late listings; and the shares of new IDs that are skipped
    and of new articles that no listing shows."""

    new: float = 2
    edits: float = 1
    removals: float = 0.3
    late: float = 0.1
    skipped: float = 0.08
    unlisted: float = 0.04

    @classmethod
    def of(cls, articles: int) -> Rates:
        """Return the rates of a large portal: 20, 5 and 1 a day at 50,000 articles; never less than those of the small one."""
        share = articles / 50_000
        least = cls()
        return cls(
            new=max(least.new, 20 * share),
            edits=max(least.edits, 5 * share),
            removals=max(least.removals, share),
            late=max(least.late, share / 5),
            unlisted=0.02,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens. `kind` is the kind of edit or of the page that answers; `name` and `to` are a category's names,
    or looks (of one `category`, else of all); `ids` fail for the day."""

    day: int
    what: What
    id: int | None = None
    kind: str | None = None
    listed: bool | None = None
    category: str | None = None
    name: str | None = None
    to: str | None = None
    ids: tuple[int, ...] | None = None

    @property
    def date(self) -> date:
        """The date of the day, in the portal's zone."""
        return LAST_DAY + timedelta(days=self.day)

    def row(self) -> dict[str, Any]:
        """Return the event as JSON has it: what does not apply is left out."""
        told = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        return {"day": told.pop("day"), "date": self.date.isoformat(), **told}


class Life:
    """All days of a portal."""

    def __init__(self, stock: Stock, rates: Rates) -> None:
        self._stock = stock
        self._rates = rates
        self._base = lru_cache(maxsize=4096)(stock.article)
        self._days: list[list[Event]] = [[]]
        self._state = State(dict(stock.outlines), dict(stock.dead), stock.sticky_id)

    @classmethod
    def of(cls, articles: int | None = None, seed: int = SEED) -> Life:
        """Return the life of the bundled portal, or of a large one of so many articles."""
        return cls(small(seed), Rates()) if articles is None else cls(large(articles, seed), Rates.of(articles))

    def events(self, day: int) -> list[Event]:
        """Return what happens on a day, in order; nothing on day 0."""
        while len(self._days) <= day:
            self._days.append(list(_Day(len(self._days), self._stock, self._rates, self._state, self._article).pass_by()))
        return self._days[day]

    def world(self, day: int) -> World:
        """Return the portal at the end of a day."""
        if day < len(self._days) - 1:
            return Life(self._stock, self._rates).world(day)
        self.events(day)
        return living(self._stock.seed, self._state.copy(), day, self._base)

    def _article(self, number: int) -> Article:
        """The article as its editors have left it, whatever the portal makes of it."""
        return self._state.revised.get(number) or self._base(self._state.outlines[number])


class _Day:
    """One day passing: draws what happens, changes the state by it, and tells it."""

    def __init__(self, day: int, stock: Stock, rates: Rates, state: State, article: Callable[[int], Article]) -> None:
        self._day = day
        self._rates = rates
        self._state = state
        self._article = article
        self._rng = random.Random(f"{stock.seed}:day:{day}")
        # Nothing happens to an article twice on a day: a visitor of the evening could not tell.
        self._touched: set[int] = set()
        self._numbers = sorted(state.outlines)

    def pass_by(self) -> Iterator[Event]:
        """Yield what happens, in order; the state follows."""
        self._state.failing = {}
        for happening in (
            self._restorations,
            self._removals,
            self._edits,
            self._late_listings,
            self._publications,
            self._new_names,
            self._new_looks,
            self._new_sticky,
            self._failures,
        ):
            yield from happening()

    def _event(self, what: What, **facts: Any) -> Event:
        return Event(day=self._day, what=what, **facts)

    def _count(self, rate: float) -> int:
        """Draw how often something happens that happens so often a day on average."""
        if rate >= 1:
            return self._rng.randint(round(rate / 2), round(rate * 1.5))
        return int(self._rng.random() < rate)

    def _picked(self, count: int) -> Iterator[int]:
        """Yield up to so many listed articles that nothing has happened to today; the young first of all."""
        young = max(10, round(YOUNG_DAYS * self._rates.new))
        for _ in range(count * 20):
            if count <= 0:
                return
            pool = self._numbers[-young:] if self._rng.random() < YOUNG_SHARE else self._numbers
            number = self._rng.choice(pool)
            if number in self._touched or number == self._state.sticky_id or not self._state.outlines[number].listed:
                continue
            if can_change(self._article(number)):
                self._touched.add(number)
                count -= 1
                yield number

    def _restorations(self) -> Iterator[Event]:
        for number in self._state.returns.pop(self._day, []):
            del self._state.dead[number]
            self._state.outlines[number] = self._state.away.pop(number)
            # Put in again, it is counted from nothing.
            self._state.began[number] = self._day
            self._state.emptied.add(number)
            self._touched.add(number)
            yield self._event("restored", id=number)

    def _removals(self) -> Iterator[Event]:
        for number in self._picked(self._count(self._rates.removals)):
            outline, title = self._state.outlines[number], self._article(number).title
            kind = self._rng.choice(REMOVED_AS)
            del self._state.outlines[number]
            self._state.away[number] = outline
            self._state.dead[number] = Dead(number, kind, None, outline.category, title, outline.published)
            if self._rng.random() < RESTORED_SHARE:
                back = self._day + self._rng.randint(*RESTORED_WITHIN)
                self._state.returns.setdefault(back, []).append(number)
            yield self._event("removed", id=number, kind=kind)
        self._numbers = sorted(self._state.outlines)

    def _edits(self) -> Iterator[Event]:
        for number in self._picked(self._count(self._rates.edits)):
            article, kind = change(self._rng, self._article(number))
            self._state.revised[number] = article
            self._state.outlines[number] = self._state.outlines[number]._replace(published=article.published)
            yield self._event("edited", id=number, kind=kind)

    def _late_listings(self) -> Iterator[Event]:
        hidden = [outline.id for outline in self._state.outlines.values() if not outline.listed]
        for number in self._rng.sample(hidden, min(len(hidden), self._count(self._rates.late))):
            self._state.outlines[number] = self._state.outlines[number]._replace(listed=True)
            yield self._event("listed", id=number)

    def _publications(self) -> Iterator[Event]:
        number = max(*self._state.outlines, *self._state.dead)
        for at in sorted(self._rng.sample(range(OPENS, CLOSES), self._count(self._rates.new))):
            published = datetime.combine(LAST_DAY + timedelta(days=self._day), time()) + timedelta(seconds=at)
            category = self._rng.choices(CATEGORIES, weights=[c.weight for c in CATEGORIES])[0]
            number += 1
            while self._rng.random() < self._rates.skipped:
                self._state.dead[number] = Dead(number, "plain", None, category.name, "", published)
                yield self._event("skipped", id=number)
                number += 1
            listed = self._rng.random() >= self._rates.unlisted
            self._state.outlines[number] = Outline(number, category.name, published, listed)
            self._state.began[number] = self._day
            yield self._event("new", id=number, listed=listed)

    def _new_names(self) -> Iterator[Event]:
        if self._day in RENAMES:
            name, to = RENAMES[self._day]
            self._state.names[name] = to
            yield self._event("renamed", name=name, to=to)

    def _new_looks(self) -> Iterator[Event]:
        if self._day in REDESIGNED:
            look, category = REDESIGNED[self._day]
            self._state.redesigned[look, category] = REDESIGNS[look][0]
            yield self._event("redesigned", name=look, to=REDESIGNS[look][0], category=category)

    def _new_sticky(self) -> Iterator[Event]:
        if self._day % STICKY_EVERY == STICKY_FROM:
            shown = [n for n in self._numbers if (o := self._state.outlines[n]).listed and o.category == CATEGORIES[0].name]
            self._state.sticky_id = self._rng.choice(shown[-40:])
            yield self._event("sticky", id=self._state.sticky_id)

    def _failures(self) -> Iterator[Event]:
        if self._day % FAILING_EVERY == FAILING_FROM:
            kind, rest = self._rng.choice(FAILURES), self._rng.randrange(FAILING)
            ids = tuple(number for number in self._state.outlines if number % FAILING == rest)
            self._state.failing = dict.fromkeys(ids, kind)
            yield self._event("failing", kind=kind, ids=ids)
