"""What a portal has before its first day: the bundled world, or one of as many articles as asked for.

Of a large one only the outlines are kept; an article's text is written from the seed and its ID when somebody asks for it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from . import texts
from .articles import Article
from .world import CATEGORIES, DEAD_KINDS, LAST_DAY, SEED, UNLINKED_KINDS, Category, Dead, Outline, build, write

FIRST_LARGE_ID = 1001
# IDs a day of a large portal, and the shares of its IDs that are dead and of its articles that no listing shows.
IDS_A_DAY = 21
DEAD_SHARE, UNLISTED_SHARE = 0.044, 0.01
# Of the dead: one in so many answers a portal error, and one in so many is still linked from its listing.
BROKEN_EVERY, LINKED_EVERY = 50, 40
OPENS, DAY_SECONDS = 27000, 55000
_MISSING = [kind for kind, what in DEAD_KINDS.items() if what == "missing"]
_BROKEN = [kind for kind, what in DEAD_KINDS.items() if what == "error" and kind not in UNLINKED_KINDS]


@dataclass(frozen=True, eq=False)
class Stock:
    """The portal as the first day finds it. `written` are articles with their text; any other is written when asked for."""

    seed: int
    outlines: Mapping[int, Outline]
    dead: Mapping[int, Dead]
    sticky_id: int
    written: Mapping[int, Article]

    def article(self, outline: Outline) -> Article:
        """Return the article of an outline."""
        return self.written.get(outline.id) or write(self.seed, outline)


def small(seed: int = SEED) -> Stock:
    """Return the bundled world's stock."""
    world = build(seed)
    return Stock(seed, {o.id: o for o in world.outlines()}, world.dead, world.sticky_id, world.articles)


@lru_cache(maxsize=2)
def large(count: int, seed: int = SEED) -> Stock:
    """Return a stock of so many articles, the last of LAST_DAY: one in a hundred unlisted, one ID in 23 dead."""
    rng = random.Random(f"{seed}:stock:{count}")
    dead_count = round(count * DEAD_SHARE / (1 - DEAD_SHARE))
    numbers = range(FIRST_LARGE_ID, FIRST_LARGE_ID + count + dead_count)
    # The first and the last are articles, so that every hole lies inside of the known range.
    dead_numbers = sorted(rng.sample(numbers[1:-1], dead_count))
    gone = set(dead_numbers)
    living = [number for number in numbers if number not in gone]
    unlisted = set(rng.sample(living[1:-1], round(count * UNLISTED_SHARE)))
    names = rng.choices([c.name for c in CATEGORIES], weights=[c.weight for c in CATEGORIES], k=len(numbers))
    names_of = dict(zip(numbers, names, strict=True))
    outlines = {n: Outline(n, names_of[n], _published(n, numbers), n not in unlisted) for n in living}
    dead = {
        n: _dead(rng, index, Outline(n, names_of[n], _published(n, numbers), False)) for index, n in enumerate(dead_numbers)
    }
    sticky = next(o.id for o in outlines.values() if o.listed and o.category == CATEGORIES[0].name)
    return Stock(seed, outlines, dead, sticky, {})


def _published(number: int, numbers: range) -> datetime:
    """IDs follow time: so many a day, the last on LAST_DAY."""
    before = numbers[-1] - number
    step = DAY_SECONDS // IDS_A_DAY
    at = OPENS + (IDS_A_DAY - 1 - before % IDS_A_DAY) * step + number * 7919 % step
    return datetime.combine(LAST_DAY - timedelta(days=before // IDS_A_DAY), time()) + timedelta(seconds=at)


def _dead(rng: random.Random, index: int, outline: Outline) -> Dead:
    kind = rng.choice(_BROKEN if index % BROKEN_EVERY == BROKEN_EVERY - 1 else _MISSING)
    linked: Literal["listing"] | None = "listing" if index % LINKED_EVERY == 0 else None
    category: Category = next(c for c in CATEGORIES if c.name == outline.category)
    title = texts.Writer(rng, category.topics[0], outline.published.date()).title()
    return Dead(outline.id, kind, linked, outline.category, title, outline.published)
