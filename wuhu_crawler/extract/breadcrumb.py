"""The trail above an article (您现在的位置：我爱芜湖 > 资讯杂谈 > 正文) and the category it names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..items import Article
from .document import Document, Line
from .labels import ARROW, BODY_CRUMB, HOME, SEPARATOR, Labels
from .reading import ABSENT, Reading, note

_CRUMBS = re.compile(rf"\s*(?:{SEPARATOR})\s*")
# Without a position word only arrows make a trail: 首页 | 新闻 | 生活 is navigation.
_ARROWS = re.compile(rf"\s*(?:{ARROW})\s*")
_HOME = re.compile(rf"^(?:{'|'.join(HOME)})")
_TRAIL_LONGEST = 200
# Asked first: no trail without a character of 位置 or 首页, or a colon behind a portal's own word.
_TRAIL_HINT = re.compile("[位首主:：]")


def read_breadcrumb(article: Article, reading: Reading) -> None:
    """Fill breadcrumb and category."""
    limit = max(reading.region.start, reading.region.date.index if reading.region.date else 0)
    for line in reading.document.lines[: limit + 1]:
        crumbs, rule = crumbs_of(line, reading.labels, reading.document)
        if crumbs:
            article.breadcrumb = crumbs
            article.category = category_of(crumbs)
            note(article, "breadcrumb", rule, line.text)
            break
    else:
        note(article, "breadcrumb", ABSENT, "no line with a position word or 首页 and separators above the article")
    if article.category:
        note(article, "category", "crumb before 正文", " > ".join(article.breadcrumb))
    else:
        note(article, "category", ABSENT, "no breadcrumb that names one")


def crumbs_of(line: Line, labels: Labels, document: Document) -> tuple[list[str], str]:
    """Return the crumbs of a line that is a breadcrumb and the rule that says so; ([], "") for any other."""
    text = line.text
    if len(text) > _TRAIL_LONGEST or not _TRAIL_HINT.search(text):
        return [], ""
    if len(text) <= 16 and (alone := labels.position.match(text)) and alone.end() == len(text):
        text += "".join(f" {near.text}" for near in _neighbours(line, document))
    elif not line.link_chars and not labels.position.match(text):
        return [], ""
    label = labels.position.search(text)
    if label and len(_CRUMBS.split(text[label.end() :])) > 1:
        return _split_crumbs(text[label.end() :]), "position label"
    if _HOME.match(text) and len(_ARROWS.split(text)) > 1:
        return [crumb for part in _ARROWS.split(text) if (crumb := _crumb(part))], "home crumb"
    return [], ""


def _neighbours(line: Line, document: Document) -> list[Line]:
    """The lines behind a label that share its row or list: crumbs in items or cells of their own."""
    holder = line.node.parent
    near = document.lines[line.index + 1 : line.index + 9]
    return [other for other in near if holder is not None and other.node.parent is holder]


def _split_crumbs(text: str) -> list[str]:
    return [crumb for part in _CRUMBS.split(text) if (crumb := _crumb(part))]


def _crumb(text: str) -> str:
    return text.strip(" \u3000:：[]【】")


def category_of(crumbs: Sequence[str]) -> str | None:
    """Return the crumb before 正文, else the last crumb that is neither 首页 nor as long as a title."""
    for i, crumb in enumerate(crumbs):
        if crumb in BODY_CRUMB and i:
            return crumbs[i - 1]
    rest = [crumb for crumb in crumbs if not _HOME.match(crumb) and len(crumb) <= 16]
    return rest[-1] if rest else None


def settle_category(article: Article) -> None:
    """Some trails end in the title itself; the category is then the crumb before it."""
    crumbs = article.breadcrumb
    if len(crumbs) > 1 and article.title and crumbs[-1].rstrip("….") in article.title and crumbs[-1] == article.category:
        article.category = category_of(crumbs[:-1])
        note(article, "category", "crumb before the title", " > ".join(crumbs))
