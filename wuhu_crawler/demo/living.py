"""The world of a day in the portal's life: made of the state the day has left, its articles written when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from .articles import Article
from .world import CATEGORIES, Dead, Outline, World

# A folder of pictures nobody tidies up: every file of it is there, whatever has become of its article.
PICTURE = re.compile(r"/upload/image/\d{6}/\d{5}\.jpg")
# What a counter moves on a day: by the remainder of the ID, so that some articles are never read.
READINGS = 5
KEPT = 4096


@dataclass
class State:
    """The portal at the end of a day. Names of categories are those of day 0; `names` tells what they are called now."""

    outlines: dict[int, Outline]
    dead: dict[int, Dead]
    sticky_id: int
    # Articles as their editors have left them; all others are as they were written.
    revised: dict[int, Article] = field(default_factory=dict)
    # ID -> the day its counter began, 0 where none stands here; and those whose counter began at nothing.
    began: dict[int, int] = field(default_factory=dict)
    emptied: set[int] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    # (look, category or None for all) -> the look in its place.
    redesigned: dict[tuple[str, str | None], str] = field(default_factory=dict)
    failing: dict[int, str] = field(default_factory=dict)
    # What is still to come: day -> removed articles that come back on it; and what they were.
    returns: dict[int, list[int]] = field(default_factory=dict)
    away: dict[int, Outline] = field(default_factory=dict)

    def copy(self) -> State:
        """Return a copy that stays as it is when this one goes on."""
        return replace(
            self,
            outlines=dict(sorted(self.outlines.items())),
            dead=dict(sorted(self.dead.items())),
            revised=dict(self.revised),
            began=dict(self.began),
            emptied=set(self.emptied),
            names=dict(self.names),
            redesigned=dict(self.redesigned),
        )


class Articles(Mapping[int, Article]):
    """The articles of a day by ID, in its order; the latest ones asked for are kept."""

    def __init__(self, state: State, day: int, written: Callable[[Outline], Article]) -> None:
        self._state = state
        self._day = day
        self._written = written
        self._kept = lru_cache(maxsize=KEPT)(self._article)

    def __getitem__(self, number: int) -> Article:
        return self._kept(number)

    def __iter__(self) -> Iterator[int]:
        return iter(self._state.outlines)

    def __len__(self) -> int:
        return len(self._state.outlines)

    def __contains__(self, number: object) -> bool:
        return number in self._state.outlines

    def _article(self, number: int) -> Article:
        outline = self._state.outlines[number]
        article = self._state.revised.get(number) or self._written(outline)
        return replace(
            article,
            category=self._state.names.get(outline.category, outline.category),
            listed=outline.listed,
            look=self._look(article),
            views=self._views(article),
        )

    def _look(self, article: Article) -> str:
        rules = self._state.redesigned
        return rules.get((article.look, None)) or rules.get((article.look, article.category), article.look)

    def _views(self, article: Article) -> int:
        first = 0 if article.id in self._state.emptied else article.views
        return first + article.id % READINGS * (self._day - self._state.began.get(article.id, 0))


@dataclass(frozen=True, eq=False)
class _Living(World):
    """A world that need not write an article to list it."""

    named: tuple[Outline, ...] = ()

    def outlines(self) -> Iterable[Outline]:
        return self.named

    def has_picture(self, path: str) -> bool:
        return PICTURE.fullmatch(path) is not None


def living(seed: int, state: State, day: int, written: Callable[[Outline], Article]) -> World:
    """Return the world of a day. The state must not change any more; `written` gives an article as it was first published."""
    names = state.names
    return _Living(
        seed=seed,
        articles=Articles(state, day, written),
        dead={n: replace(d, category=names[d.category]) if d.category in names else d for n, d in state.dead.items()},
        categories=tuple(replace(c, name=names.get(c.name, c.name)) for c in CATEGORIES),
        sticky_id=state.sticky_id,
        failing=state.failing,
        named=tuple(o._replace(category=names.get(o.category, o.category)) if names else o for o in state.outlines.values()),
    )
