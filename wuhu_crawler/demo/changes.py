"""What an editor changes in an article afterwards: one character, the date, a credit, the order of paragraphs, the title.

Every change is one a reader sees on the page, so a crawl that comes by must find a new version. life.py says when they happen.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from . import texts
from .articles import SEED_ID, Article, Line
from .credits import Byline
from .looks import look_of, slot

# Kind of change -> how many in a hundred are of it.
KINDS = {"character": 40, "date": 10, "credit": 15, "paragraphs": 15, "title": 20}
CHARACTERS = "的了和与及将已正更又也都很再并由把被让从到在"
TITLES = ("更正：{}", "{}（组图）", "{}（更新）", "{}（附详情）")
# A character is changed in the middle of a run of words; not where the words say who wrote it or when, nor in a mark.
RUN = re.compile(r"[\u4e00-\u9fff]{7,}")
SPEAKING = re.compile("记者|通讯员|作者|编辑|摄影|来源|报道|实习|日报|本网|本报|责任|供稿|获悉|[图文讯]")


def can_change(article: Article) -> bool:
    """Tell whether editors touch the article: not one in parts (its text says where it is cut), not the known page."""
    return not article.cuts and article.id != SEED_ID


def change(rng: random.Random, article: Article) -> tuple[Article, str]:
    """Return the article as an editor leaves it, and the kind of change: the title where the body has no room for another."""
    kind = rng.choices(list(KINDS), weights=list(KINDS.values()))[0]
    changed = _CHANGES[kind](rng, article)
    return (changed, kind) if changed else (_title(rng, article), "title")


def _character(rng: random.Random, article: Article) -> Article | None:
    places = list(_runs(article))
    if not places:
        return None
    index, at = rng.choice(places)
    text = article.lines[index].text
    new = rng.choice([c for c in CHARACTERS if c != text[at]])
    # Either in the place of the one that stood there, or before it.
    return _with_line(article, index, text[:at] + new + text[at + rng.randint(0, 1) :])


def _runs(article: Article) -> Iterator[tuple[int, int]]:
    """Yield (line, place in it); the first line is left alone where there are others, since a dateline may begin it."""
    for index in range(min(1, len(article.lines) - 1), len(article.lines)):
        line = article.lines[index]
        if line.kind == "text" and line.link is None and not line.centred:
            for run in RUN.finditer(line.text):
                if not SPEAKING.search(run[0]):
                    yield index, run.start() + 3


def _with_line(article: Article, index: int, text: str) -> Article:
    lines = list(article.lines)
    lines[index] = replace(lines[index], text=text)
    return replace(article, lines=tuple(lines))


def _date(rng: random.Random, article: Article) -> Article:
    return replace(article, published=article.published - timedelta(days=rng.randint(1, 3)))


def _credit(rng: random.Random, article: Article) -> Article | None:
    if article.byline and article.byline.credits:
        return _renamed(article, article.byline, _another(rng, article.byline.credits[0].name))
    look = look_of(article.look)
    shown = [name for name, _ in (*look.before, *look.after) if name in ("editor", "typist") and slot(article, name)]
    return replace(article, editor=_another(rng, article.editor)) if shown else None


def _another(rng: random.Random, name: str) -> str:
    """Return a name that shares no character with the name: neither holds the other."""
    return next(new for new in iter(lambda: texts.person(rng), "") if not set(new) & set(name))


def _renamed(article: Article, byline: Byline, new: str) -> Article | None:
    """Return the article with another name in the place of the byline's first; None where it is printed more than once."""
    old = byline.credits[0].name
    printed = old if old in byline.text else f"{old[0]}　{old[1:]}"
    if byline.text.count(printed) != 1:
        return None
    text = byline.text.replace(printed, new)
    found = tuple(
        replace(credit, name=new if credit.name == old else credit.name, text=credit.text.replace(printed, new))
        for credit in byline.credits
    )
    lines = tuple(_reworded(line, byline.text, text) for line in article.lines)
    return replace(article, byline=replace(byline, text=text, credits=found), lines=lines)


def _reworded(line: Line, old: str, new: str) -> Line:
    return replace(line, text=line.text.replace(old, new)) if old in line.text else line


def _paragraphs(rng: random.Random, article: Article) -> Article | None:
    """Exchange two paragraphs; the first and the last may say more than text."""
    plain = [
        index
        for index in range(1, len(article.lines) - 1)
        if (line := article.lines[index]).kind == "text" and line.link is None and not line.centred
    ]
    pairs = [(a, b) for a, b in pairwise(plain) if article.lines[a].text != article.lines[b].text]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return _with_line(_with_line(article, a, article.lines[b].text), b, article.lines[a].text)


def _title(rng: random.Random, article: Article) -> Article:
    return replace(article, title=rng.choice(TITLES).format(article.title))


_CHANGES: dict[str, Callable[[random.Random, Article], Article | None]] = {
    "character": _character,
    "date": _date,
    "credit": _credit,
    "paragraphs": _paragraphs,
    "title": _title,
}
