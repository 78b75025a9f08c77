"""The portal's text generator: titles, sentences and names from words.py, the same for the same random source.

A Writer writes one article: its places, noun and people stay the same through the text, as a real one's do.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import date, timedelta

from . import words

_SLOT = re.compile(r"\{(\w+)\}")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
# Half the portal's editors type ASCII punctuation between Chinese words.
_ASCII = str.maketrans("，；：", ",;:")


def person(rng: random.Random, rare: float = 0.12) -> str:
    """Return a person's name; `rare` is the share of rare and of compound surnames."""
    draw = rng.random()
    surnames = words.COMPOUND_SURNAMES if draw < rare / 2 else words.RARE_SURNAMES if draw < rare else words.SURNAMES
    return rng.choice(surnames) + rng.choice(words.GIVEN)


def wide_digits(text: str) -> str:
    """Return the text with full-width digits, as some input methods leave them."""
    return text.translate(_WIDE)


def ascii_punctuation(text: str) -> str:
    """Return the text with ASCII commas, colons and semicolons."""
    return text.translate(_ASCII)


class Writer:
    """Writes the sentences of one article on `topic`, dated `day`."""

    def __init__(self, rng: random.Random, topic: str, day: date) -> None:
        self.rng = rng
        self.day = day
        self.nouns, self._patterns = words.TOPICS[topic]
        self._fixed = {
            "district": rng.choice(words.DISTRICTS),
            "street": rng.choice(words.STREETS),
            "community": rng.choice(words.COMMUNITIES),
            "org": rng.choice(words.ORGS),
            "noun": rng.choice(self.nouns),
            "year": str(day.year),
        }
        self._unused: list[str] = []
        self._drawn: dict[str, Callable[[], str]] = {
            "person": lambda: person(rng),
            "n": lambda: str(rng.randint(11, 98)),
            "m": lambda: str(rng.randint(2, 9)),
            "big": lambda: str(rng.randint(101, 9800)),
            "pct": lambda: f"{rng.randint(50, 989) / 10}%",
            "date": self._recent_day,
            "activity": lambda: rng.choice(words.ACTIVITIES),
            "result": lambda: rng.choice(words.RESULTS),
            "four": lambda: rng.choice(words.FOUR),
            "verb": lambda: rng.choice(words.VERBS),
            "thing": lambda: rng.choice(words.THINGS),
            "site": lambda: rng.choice(words.SITES),
        }

    def _recent_day(self) -> str:
        day = self.day - timedelta(days=self.rng.randint(0, 5))
        return f"{day.month}月{day.day}日"

    def fill(self, pattern: str) -> str:
        """Return the pattern with every slot filled."""
        return _SLOT.sub(lambda match: self._slot(match[1]), pattern)

    def _slot(self, name: str) -> str:
        return self._fixed[name] if name in self._fixed else self._drawn[name]()

    def title(self) -> str:
        """Return a headline."""
        return self.fill(self.rng.choice(words.TITLES))

    def heading(self) -> str:
        """Return a section heading without its number."""
        return self.fill(self.rng.choice(words.HEADINGS))

    def caption(self) -> str:
        """Return the line under a picture."""
        return self.fill(self.rng.choice(words.CAPTIONS))

    def sentence(self) -> str:
        """Return a sentence; none is used twice before all patterns were."""
        if not self._unused:
            self._unused = [*self._patterns, *words.GENERAL]
            self.rng.shuffle(self._unused)
        return self.fill(self._unused.pop())

    def paragraph(self) -> str:
        """Return one to three sentences, sometimes led by a topic sentence that is no heading."""
        if self.rng.random() < 0.15:
            return self.fill(self.rng.choice(words.RUN_IN))
        return "".join(self.sentence() for _ in range(self.rng.choice((1, 1, 2, 2, 3))))

    def table(self) -> list[tuple[str, ...]]:
        """Return the rows of a small table, the head row first; no cell is empty."""
        head = self.rng.choice(words.TABLE_HEADS)
        return [head, *(self._row(head, number) for number in range(1, self.rng.randint(4, 7)))]

    def _row(self, head: tuple[str, ...], number: int) -> tuple[str, ...]:
        cells = {
            "序号": str(number),
            "名次": str(number),
            "项目名称": self.fill("{community}{noun}项目"),
            "所在区域": self.rng.choice(words.DISTRICTS),
            "金额（万元）": str(self.rng.randint(12, 990)),
            "单位": self.rng.choice(words.STREETS),
            "得分": f"{self.rng.randint(800, 999) / 10}",
            "时间": self._recent_day(),
            "地点": self.rng.choice(words.SITES),
            "活动内容": self.rng.choice(words.ACTIVITIES),
        }
        return tuple(cells[name] for name in head)
