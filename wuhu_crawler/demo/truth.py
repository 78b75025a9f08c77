"""What is true of the bundled portal: each article's fields as a perfect reader reads them, and the counts a crawl must meet.

Told from the world and the looks' own statements, never from HTML. docs/demo.md gives the rules; URLs of the portal are paths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta, timezone
from typing import Any

from ..items import Article as Item
from ..items import Credit, Link, Role, Section, to_json
from .articles import Article, Line
from .life import Event
from .looks import Look, look_of, slot
from .looks.page import Slot
from .world import DEAD_KINDS, World

CHINA = timezone(timedelta(hours=8))
ROLES: dict[Slot, Role] = {"author": "author", "editor": "editor", "typist": "other"}
# Truth tells nothing of these: they are the crawl's, or change on every GET.
UNTOLD = ("kind", "capture_id", "captured_at", "related", "evidence")


def rows(world: World) -> Iterator[dict[str, Any]]:
    """Yield each article's true fields under the names of items.Article, and the keys listed, template, counter, parts."""
    for article in world.articles.values():
        look = look_of(article.look)
        told = {key: value for key, value in to_json(_item(article, look)).items() if key not in UNTOLD}
        yield {**told, "listed": article.listed, "template": article.look, "counter": look.counter, "parts": article.parts}


def _item(article: Article, look: Look) -> Item:
    words, precision = look.when(article.published)
    published = article.published.replace(tzinfo=CHINA)
    published = published.replace(second=0) if precision == "minute" else published
    found = list(_credits(article, look))
    lines = [line for line in article.lines if line.kind != "image"]
    linked = [line for line in lines if line.link]
    return Item(
        portal="demo",
        article_id=article.id,
        url=article.url,
        title=article.title,
        breadcrumb=list(look.crumbs(article.category)),
        category=article.category,
        published_text=words,
        published_at=published.replace(hour=0, minute=0, second=0) if precision == "day" else published,
        published_precision=precision,
        source_date_text=article.source[0] if article.source else None,
        source_date=article.source[1] if article.source else None,
        views=None if look.counter == "absent" else article.views,
        outlets=_outlets(article, look),
        credits=found,
        reporters=list(dict.fromkeys(credit.name for credit in found if credit.role == "reporter")),
        paragraphs=[line.text for line in lines],
        headings=[line.heading or "" for line in lines if line.kind == "heading" and line.level == 1],
        sections=_sections(lines),
        images=[Link(url=line.src, text=line.alt) for line in article.lines if line.kind == "image"],
        attachments=[_link(line) for line in linked if line.attachment],
        links=[_link(line) for line in linked if not line.attachment],
        encoding="utf-8" if look.utf8 != article.mislabelled else "gb18030",
    )


def _link(line: Line) -> Link:
    words, url = line.link or ("", "")
    return Link(url=url, text=words)


def _credits(article: Article, look: Look) -> Iterator[Credit]:
    yield from _slots(article, look.before)
    for credit in article.byline.credits if article.byline else ():
        # Names set with a space inside ("王　芳") are names without it.
        yield Credit(role=credit.role, name=credit.name, outlet=credit.outlet, text=credit.text)
    yield from _slots(article, look.after)


def _slots(article: Article, slots: tuple[tuple[Slot, str], ...]) -> Iterator[Credit]:
    for name, label in slots:
        words = slot(article, name)
        if words and name in ROLES:
            yield Credit(role=ROLES[name], name=words, text=label + words)


def _outlets(article: Article, look: Look) -> list[str]:
    shown = [article.outlet] if any(name == "outlet" for name, _ in look.before) and article.outlet else []
    return list(dict.fromkeys([*shown, *(article.byline.outlets if article.byline else ())]))


def _sections(lines: list[Line]) -> list[Section]:
    top: list[Section] = []
    open_sections: list[Section] = []
    for line in lines:
        if line.kind == "heading":
            section = Section(level=line.level, number=line.number, heading=line.heading)
            parent = open_sections[: line.level - 1]
            (parent[-1].sections if parent else top).append(section)
            open_sections = [*parent, section]
            continue
        if not open_sections:
            open_sections = [Section(level=1)]
            top.append(open_sections[0])
        open_sections[-1].paragraphs.append(line.text)
    return top


def summary(world: World) -> dict[str, Any]:
    """Return the counts a whole crawl must meet.

    `missing`, `portal_errors` and `blocked` are the dead IDs by what they answer, `linked_dead` those a crawl of links meets;
    `gaps` are the IDs between the first and the last that no page links to (unlisted articles and unlinked dead IDs).
    """
    by_kind = {
        name: sorted(d.id for d in world.dead.values() if DEAD_KINDS[d.kind] == name)
        for name in ("missing", "error", "blocked")
    }
    outlines = list(world.outlines())
    shown = Counter(outline.category for outline in outlines if outline.listed)
    unlisted = [outline.id for outline in outlines if not outline.listed]
    linked = sorted(d.id for d in world.dead.values() if d.linked)
    # An article is written when it is asked for, so each is asked once.
    looks: Counter[str] = Counter()
    multi_part: dict[str, int] = {}
    mislabelled: list[int] = []
    for article in world.articles.values():
        looks[article.look] += 1
        if article.parts > 1:
            multi_part[str(article.id)] = article.parts
        if article.mislabelled:
            mislabelled.append(article.id)
    return {
        "articles": len(outlines),
        "articles_listed": len(outlines) - len(unlisted),
        "articles_unlisted": len(unlisted),
        "unlisted": unlisted,
        "first_id": min(outlines).id,
        "last_id": max(outlines).id,
        "missing": by_kind["missing"],
        "portal_errors": by_kind["error"],
        "blocked": by_kind["blocked"],
        "dead_kinds": {str(d.id): d.kind for d in world.dead.values()},
        "linked_dead": linked,
        "gaps": sorted({*unlisted, *(d for d in world.dead if d not in linked)}),
        "categories": {c.name: shown[c.name] for c in world.categories},
        "listing_pages": {c.name: max(1, -(-len(world.entries(c)) // c.per_page)) for c in world.categories},
        "templates": dict(looks),
        "multi_part": multi_part,
        "mislabelled": mislabelled,
    }


def happenings(events: Iterable[Event]) -> dict[str, Any]:
    """Return how often what happened, edits by kind; and the IDs by what happened to them."""
    told = list(events)
    return {
        "events": dict(Counter(event.what for event in told)),
        "edits": dict(Counter(event.kind for event in told if event.what == "edited")),
        "ids": {
            what: [event.id for event in told if event.what == what]
            for what in ("new", "skipped", "edited", "removed", "restored", "listed")
        },
    }
