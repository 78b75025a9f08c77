"""Why a page was read as it was: for each field the value, the rule, the words and their place, or what could have been meant.

Made from an item and the page's text alone, after extraction (`places` finds the words again). Pure, like its room.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as made
from typing import Any

from ..items import Article, Listing, OtherPage, PageItem, iso
from . import places
from .places import PageText, Place
from .reading import ABSENT, FOR_PROGRAMS

# A body's first and last paragraph are looked for by lines of at least so many characters: a shorter one stands anywhere.
_SHORTEST = 4
_URL = re.compile(r"(?:https?|file):[^\s;，；]+")
_PAGER = re.compile(r"页次|页码|[共第]\s*\d+\s*[条页篇]|[上下前后]一?页|尾页|末页|\d\s*/\s*\d+\s*页")
_PAGER_LONGEST = 200
# A picture that is loaded lazily has its URL in another attribute.
IMAGE_SOURCES = ("src", "data-src", "data-original", "original")
# Evidence is kept under the words' name, people ask for the value.
_VALUE_OF = {"published_text": "published_at", "source_date_text": "source_date"}


@dataclass(slots=True)
class FieldReport:
    """One field of a page. `value` is short and for people, None when the field is empty; then `reason` says why and `near` are
    lines that could have been meant. `places` are where the words stand; a field read from several has several."""

    field: str
    value: str | None
    rule: str | None = None
    words: str | None = None
    reason: str | None = None
    places: list[Place] = made(default_factory=list)
    near: list[Place] = made(default_factory=list)


def explain(item: PageItem, page: str, links: Sequence[tuple[str, str]] = ()) -> list[FieldReport]:
    """Return a report a field, the kind first. `page` is the decoded text, `links` are its links as (kind, URL)."""
    text = PageText.of(page)
    reports = _reports(item, text, links)
    for report in reports:
        report.places, report.near = text.proven(report.places), text.proven(report.near)
    return reports


def _reports(item: PageItem, text: PageText, links: Sequence[tuple[str, str]]) -> list[FieldReport]:
    if isinstance(item, Article):
        return _article(item, text)
    if isinstance(item, Listing):
        return _listing(item, text)
    return _other(item, text, links)


def _article(item: Article, text: PageText) -> list[FieldReport]:
    body = next((hit for words in item.paragraphs if (hit := text.find(words))), None)
    anchor = body[0] if body else 0
    numbered = f"its URL names article {item.article_id}" if item.article_id is not None else "its URL names no article"
    kind = FieldReport("kind", "article", numbered, f"title, and {len(item.paragraphs)} paragraphs behind it")
    return [kind, *(_evident(item, name, text, anchor) for name in item.evidence), *_media(item, text), _related(item, text)]


def _evident(item: Article, name: str, text: PageText, anchor: int) -> FieldReport:
    evidence = item.evidence[name]
    if not hasattr(item, name):
        # What was noted of the article as a whole: of which parts it is made.
        return FieldReport(name, evidence.text, evidence.rule)
    report = FieldReport(_VALUE_OF.get(name, name), _value(item, name))
    if evidence.rule == ABSENT:
        report.reason = evidence.text
        report.near = _near(name, text, anchor)
        return report
    report.rule, report.words = evidence.rule, evidence.text
    report.places = _article_places(item, name, text, anchor)
    if report.value is None:
        report.reason = _unread(item, name)
    return report


def _unread(item: Article, name: str) -> str:
    words = getattr(item, name, None)
    if name in _VALUE_OF and words:
        return f"the words {words!r} are not surely a date"
    if name == "views":
        return "the page holds no number itself: a script writes it"
    return "the rule found its words, but no value in them"


def _near(name: str, text: PageText, anchor: int) -> list[Place]:
    return places.largest_texts(text) if name == "paragraphs" else text.candidates(name, anchor)


def _article_places(item: Article, name: str, text: PageText, anchor: int) -> list[Place]:
    if name == "paragraphs":
        return _body_place(item, text)
    if name == "headings":
        return _found(item.headings, text, anchor)
    if name in ("credits", "reporters"):
        credits = [credit for credit in item.credits if name == "credits" or credit.role == "reporter"]
        told = _found([credit.text for credit in credits], text, anchor)
        return told or _found([credit.name for credit in credits], text, anchor)
    if name == "outlets":
        return _found(item.outlets, text, anchor)
    words = item.evidence[name].text
    if item.evidence[name].rule.startswith(FOR_PROGRAMS):
        place = text.content(words) or text.script(words)
        return [place] if place else []
    if name == "views" and (source := _URL.search(words)):
        place = text.attribute(("src",), source.group(), item.url)
        return [place] if place else []
    if name == "views" and (place := text.script(words)):
        return [place]
    if name in ("category", "breadcrumb"):
        return _found([item.evidence.get("breadcrumb", item.evidence[name]).text], text, anchor)
    own = getattr(item, name, None)
    return _found([words], text, anchor) or _found([str(own)] if own else [], text, anchor)


def _found(wanted: list[str], text: PageText, anchor: int) -> list[Place]:
    hits = [hit[1] for words in dict.fromkeys(wanted) if (hit := text.find(words, anchor))]
    return list(dict.fromkeys(hits))


def _body_place(item: Article, text: PageText) -> list[Place]:
    """The element that holds the whole body: from its first paragraph to its last. Later parts are on pages of their own."""
    long = [words for words in item.paragraphs if len(words) >= _SHORTEST] or item.paragraphs
    first = text.find(long[0]) if long else None
    last = next((hit for words in reversed(long) if (hit := text.find(words, first[0]))), None) if first else None
    place = text.spanning(first[0], last[0] + 1) if first and last else None
    return [Place(place.xpath, first[1].words)] if place and first else []


def _media(item: Article, text: PageText) -> list[FieldReport]:
    reports = []
    for name, attributes in (("images", IMAGE_SOURCES), ("attachments", ("href",)), ("links", ("href",))):
        links = getattr(item, name)
        found = [place for link in links if (place := text.attribute(attributes, link.url, item.url))]
        value = f"{len(links)}: {links[0].url}" if links else None
        report = FieldReport(name, value, "inside the body" if links else None, links[0].text if links else None, places=found)
        report.reason = None if links else "none inside the body"
        reports.append(report)
    return reports


def _related(item: Article, text: PageText) -> FieldReport:
    titles = [entry.title for entry in item.related]
    if not titles:
        return FieldReport("related", None, reason="no link to another article outside of the body")
    value, rule = f"{len(titles)}, first: {titles[0]}", "links to articles outside of the body"
    return FieldReport("related", value, rule, places=_found([titles[0], titles[-1]], text, 0))


def _value(item: Any, name: str) -> str | None:
    value = getattr(item, _VALUE_OF.get(name, name), None)
    if name == "credits":
        return ", ".join(f"{credit.role} {credit.name}" for credit in item.credits) or None
    if name == "paragraphs":
        return f"{len(value)}, {sum(map(len, value))} characters" if value else None
    if name == "published_text" and value is not None:
        return f"{iso(value)} (to the {item.published_precision})"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value in (None, "") else str(value)


def _listing(item: Listing, text: PageText) -> list[FieldReport]:
    pager, entries = item.pager, item.entries
    shown = [hit[1] for entry in entries[:1] + entries[-1:] if (hit := text.find(entry.title))]
    dated = sum(entry.date is not None for entry in entries)
    why = f"{len(entries)} links to articles" + (" and a pager" if pager else "")
    reports = [FieldReport("kind", "listing", why, None)]
    for name in ("title", "breadcrumb"):
        value = _value(item, name)
        found = _found([item.evidence["breadcrumb"].text if "breadcrumb" in item.evidence else value or ""], text, 0)
        rule = item.evidence["breadcrumb"].rule if name in item.evidence else "last crumb, else the title element"
        report = FieldReport(name, value, rule if value else None, value, places=found)
        if value is None:
            report.reason, report.near = "no line with a position word or 首页 and separators", text.candidates("breadcrumb", 0)
        reports.append(report)
    first = f"{len(entries)}, first: {entries[0].title}" if entries else None
    reports.append(FieldReport("entries", first, "links to articles" if entries else None, places=shown))
    reports[-1].reason = (
        None if entries else "no link to an article: the list is empty, or `article_urls` does not match its links"
    )
    undated = next((entry.title for entry in entries if entry.date is None), None)
    dates = FieldReport("entry dates", f"{dated} of {len(entries)}", "in the entry's row", None)
    if undated:
        hit = text.find(undated)
        dates.reason, dates.near = f"no date in the row of {undated!r}", [hit[1]] if hit else []
    reports.append(dates)
    return [*reports, _pager(item, text)]


def _pager(item: Listing, text: PageText) -> FieldReport:
    pager, lines = item.pager, [words for _, words in text.lines if _PAGER.search(words) and len(words) < _PAGER_LONGEST]
    if pager is None:
        near = _found(lines[:3], text, 0)
        return FieldReport("pager", None, reason="no pager words, figures or next link on the page", near=near)
    figures = (("page", pager.page), ("of", pager.pages), ("entries", pager.total), ("a page", pager.per_page))
    told = ", ".join(f"{name} {value}" for name, value in figures if value is not None)
    place = text.attribute(("href",), pager.next_url, item.url) if pager.next_url else None
    nothing = None if pager.next_url else "no link to a next page (the last page has none)"
    found = [place] if place else _found(lines[-1:], text, len(text.text))
    value = f"{told or 'no figures'}; next: {pager.next_url or 'none'}"
    return FieldReport("pager", value, "pager words", lines[-1] if lines else None, nothing, found)


def _other(item: OtherPage, text: PageText, links: Sequence[tuple[str, str]]) -> list[FieldReport]:
    words = item.evidence["kind"].text if "kind" in item.evidence else item.reason
    hit = text.find(words) if words else None
    script = text.script(words) if words and hit is None else None
    kind = FieldReport("kind", item.kind, item.reason, words, places=[hit[1]] if hit else [script] if script else [])
    title = FieldReport("title element", item.title, "title" if item.title else None, item.title)
    title.places = _found([item.title], text, 0) if item.title else []
    title.reason = None if item.title else "the page has none"
    body = FieldReport("longest texts", None, reason="what a body could have been", near=places.largest_texts(text))
    dates = FieldReport("date lines", None, reason="what a date could have been", near=text.candidates("published_at", 0))
    return [kind, title, body, dates, _links(links)]


def _links(links: Sequence[tuple[str, str]]) -> FieldReport:
    """The shapes of the page's links: a portal whose profile lacks its article URLs shows them here."""
    articles = sum(kind == "article" for kind, _ in links)
    shapes = Counter(_shape(url) for kind, url in links if kind == "page")
    report = FieldReport("links", f"{len(links)}, of them {articles} to articles")
    if not articles and shapes:
        report.reason = "no link matches `article_urls`; the most frequent shapes are"
        report.near = [Place("", f"{count} x {shape}") for shape, count in shapes.most_common(5)]
    return report


def _shape(url: str) -> str:
    """A URL with N for each number behind its host."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}" + re.sub(r"\d+", "N", path)
