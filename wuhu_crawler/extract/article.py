"""The fields of an article page, each with the evidence it was found in. Label-anchored: no class name is asked for."""

from __future__ import annotations

import re

from ..items import Article, Credit, Related
from . import byline, sections
from .body import Paragraph, read_paragraphs
from .breadcrumb import read_breadcrumb, settle_category
from .dates import MOMENT, find_moment
from .document import Line
from .labels import Labels
from .listing import read_entry
from .media import read_media
from .metadata import published
from .reading import ABSENT, FOR_PROGRAMS, Reading, meta_lines, note
from .region import is_bare_slot
from .title import read_title
from .views import read_views

_SOURCE_DATE_WORDS = re.compile(
    r"\s*(?P<words>[0-9０-９]{4}\s?[-/.年]\s?[0-9０-９]{1,2}\s?[-/.月]\s?[0-9０-９]{1,2}\s?日?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?)"
)
_NEIGHBOUR = re.compile(r"[上下]一[篇条则]|[上下]篇|[上下]一?条?新闻：")


def read_article(reading: Reading) -> Article:
    """Return the article; its date fields are words only (`ingest.normalize_dates` makes dates of them)."""
    article = Article(url=reading.url, portal=reading.portal.name, article_id=reading.number, captured_at=reading.captured_at)
    read_breadcrumb(article, reading)
    read_title(article, reading)
    settle_category(article)
    _published(article, reading)
    read_views(article, reading)
    paragraphs = read_paragraphs(reading.document, reading.region, reading.labels, article.title)
    paragraphs = _source_date(article, reading, paragraphs)
    paragraphs = _credits(article, reading, paragraphs)
    _body(article, paragraphs)
    read_media(article, reading)
    return article


def _published(article: Article, reading: Reading) -> None:
    date = reading.region.date
    if date is None or not date.words:
        told = (told for told in published(reading.document) if find_moment(told.words, reading.portal.zone))
        if for_programs := next(told, None):
            article.published_text = for_programs.words
            note(article, "published_text", f"{FOR_PROGRAMS} {for_programs.name}", for_programs.words)
            return
        empty = "the slot of the publication date is empty" if date else "no publication label with a date, no line just a date"
        note(article, "published_text", ABSENT, empty)
        return
    article.published_text = date.words
    rule = "bare date above the body" if date.rule == "bare" else f"{date.rule} and date"
    note(article, "published_text", rule, reading.document.lines[date.index].text)


def _source_date(article: Article, reading: Reading, paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Read and take away the source date that leads the body, on its own line or glued to the first sentence."""
    for i, paragraph in enumerate(paragraphs[:4]):
        label = reading.labels.source_date.match(paragraph.text)
        if not label:
            continue
        words = _SOURCE_DATE_WORDS.match(paragraph.text, label.end())
        if not words:
            note(article, "source_date_text", ABSENT, f"label without a date: {paragraph.text[:60]}")
            return paragraphs
        article.source_date_text = words["words"].strip()
        note(article, "source_date_text", "label leading the body", paragraph.text[: words.end()])
        rest = paragraph.text[words.end() :].strip(" \u3000\xa0")
        kept = [Paragraph(rest, paragraph.emphasized, paragraph.line)] if rest else []
        return [*paragraphs[:i], *kept, *paragraphs[i + 1 :]]
    note(article, "source_date_text", ABSENT, "no 来源时间 at the beginning of the body")
    return paragraphs


def _credits(article: Article, reading: Reading, paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Collect credits from the meta slots, datelines, brackets and closing lines; whole credit lines leave the body."""
    outlets: list[str] = []
    credits: list[Credit] = []
    words: list[str] = []

    def take(found: byline.Byline, text: str) -> None:
        if found.credits or found.outlets:
            words.append(text)
        outlets.extend(found.outlets)
        credits.extend(found.credits)

    def take_slots(lines: list[Line]) -> None:
        for line in lines:
            if line.index == reading.title_line or line.link_chars * 2 > len(line.text) + 20:
                continue
            text = _slot_text(line, reading)
            slot = _source_slot(text, reading.labels)
            if slot:
                outlets.append(slot)
                words.append(text)
            take(byline.read_slots(text), text)

    above, below = meta_lines(reading)
    take_slots(sorted(above, key=lambda line: line.index))
    kept = []
    for i, paragraph in enumerate(paragraphs):
        near_edge = i < 3 or i >= len(paragraphs) - 6
        found = (
            byline.read_line(paragraph.text) if near_edge or len(paragraph.text) <= 60 else byline.read_closing(paragraph.text)
        )
        take(found, paragraph.text)
        if not (found.whole and found.credits):
            kept.append(paragraph)
    take_slots(below)
    article.outlets = list(dict.fromkeys(outlets))
    article.credits = _distinct(credits)
    article.reporters = list(dict.fromkeys(credit.name for credit in article.credits if credit.role == "reporter"))
    for field, empty in (
        ("outlets", not article.outlets),
        ("credits", not article.credits),
        ("reporters", not article.reporters),
    ):
        note(
            article,
            field,
            ABSENT if empty else "credit grammar",
            "no line or bracket that is a credit" if empty else " / ".join(words),
        )
    return kept


def _slot_text(line: Line, reading: Reading) -> str:
    """A slot's words; when the label stands alone its value is the line behind it."""
    lines = reading.document.lines
    if not is_bare_slot(line, reading.labels) or line.index + 1 >= len(lines):
        return line.text
    value = lines[line.index + 1]
    if len(value.text) > 30 or is_bare_slot(value, reading.labels):
        return line.text
    return line.text + ("" if line.text.endswith((":", "：")) else "：") + value.text


def _source_slot(text: str, labels: Labels) -> str | None:
    if len(text) > 160 or not labels.source_hint.search(text):
        return None
    found = labels.source.search(text)
    if not found or labels.source_date.match(text):
        return None
    words = found["source"].strip("《》,，")
    words = re.split(r"(?:作者|责任编辑|责编|编辑|浏览|点击|阅读|发布|时间|日期|更新|记者|录入)", words)[0]
    if labels.views.match(words) or labels.published.match(words) or labels.slot.match(f"{found['source']}："):
        return None  # an empty slot, followed by the next label
    return (
        words
        if len(words) >= 2 and not MOMENT.match(words) and words not in ("本站原创", "互联网", "网络", "未知", "不详")
        else None
    )


def _distinct(credits: list[Credit]) -> list[Credit]:
    seen: dict[tuple[str, str], Credit] = {}
    for credit in credits:
        seen.setdefault((credit.role, credit.name), credit)
    return list(seen.values())


def _body(article: Article, paragraphs: list[Paragraph]) -> None:
    article.paragraphs = [paragraph.text for paragraph in paragraphs]
    headings = sections.find_headings(article.paragraphs, [paragraph.emphasized for paragraph in paragraphs])
    article.headings = [heading.text for heading in headings if heading.level == 1]
    article.sections = sections.build_sections(article.paragraphs, headings)
    if article.paragraphs:
        note(
            article,
            "paragraphs",
            "prose behind the date line",
            f"{len(paragraphs)} paragraphs, first: {article.paragraphs[0][:60]}",
        )
    else:
        note(article, "paragraphs", ABSENT, "no text in the body")
    styles = list(dict.fromkeys(heading.style for heading in headings))
    note(
        article, "headings", "numbering or short line" if headings else ABSENT, ", ".join(styles) or "the body has no headings"
    )


def read_related(reading: Reading) -> list[Related]:
    """Return the links to other articles outside of the body, each number once."""
    found: list[Related] = []
    region, lines, zone = reading.region, reading.document.lines, reading.portal.zone
    seen: set[int] = set()
    for link in reading.links:
        if link.article_id is None or link.article_id == reading.number or not link.text or link.article_id in seen:
            continue
        if region.start <= link.line < region.end or link.line >= len(lines) or _NEIGHBOUR.search(lines[link.line].text):
            continue
        seen.add(link.article_id)
        _, day, abstract = read_entry(reading.document, link, reading.captured_at, zone, reading.labels)
        abstract = _without_source_date(abstract, reading.labels) if abstract else None
        found.append(Related(article_id=link.article_id, title=link.text.strip("·• \u3000"), date=day, abstract=abstract))
    return found


def _without_source_date(abstract: str, labels: Labels) -> str | None:
    label = labels.source_date.match(abstract)
    words = _SOURCE_DATE_WORDS.match(abstract, label.end()) if label else None
    return abstract[words.end() :].strip() or None if words else abstract
