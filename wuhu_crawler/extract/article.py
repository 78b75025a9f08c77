"""The fields of an article page, each with the evidence it was found in. Label-anchored: no class name is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..items import Article, Credit, Evidence, Link, Related
from ..portals import Portal
from . import byline, sections
from .body import Paragraph, read_paragraphs
from .dates import MOMENT, normalize_digits
from .document import Document, Element, Line
from .hyperlinks import Hyperlink, counter_url
from .labels import ARROW, BODY_CRUMB, FURNITURE, HOME, SEPARATOR, Labels, is_decoy
from .listing import read_entry
from .region import Region, is_bare_slot, is_end, is_meta, within
from .urls import absolute

_CRUMBS = re.compile(rf"\s*(?:{SEPARATOR})\s*")
# Without a position word only arrows make a trail: 首页 | 新闻 | 生活 is navigation.
_ARROWS = re.compile(rf"\s*(?:{ARROW})\s*")
_HOME = re.compile(rf"^(?:{'|'.join(HOME)})")
_TRAIL_LONGEST = 200
# Asked first: no trail without a character of 位置 or 首页, or a colon behind a portal's own word.
_TRAIL_HINT = re.compile("[位首主:：]")
_TITLE_REACH = 14
_TITLE_LONGEST = 120
_TITLE_SUFFIX = re.compile(r"\s*(?:[-_|—–－·]+|--+|::|>>?|»)\s*")
_SOURCE_DATE_WORDS = re.compile(
    r"\s*(?P<words>[0-9０-９]{4}\s?[-/.年]\s?[0-9０-９]{1,2}\s?[-/.月]\s?[0-9０-９]{1,2}\s?日?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?)"
)
_SPACER = re.compile(
    r"(?:spacer|blank|dot|arrow|icon|line|bullet|space|point|jt|logo|button|btn|print|close|gotop|back|fav)\w*\.(?:gif|png|jpg)\Z",
    re.I,
)
_NEIGHBOUR = re.compile(r"[上下]一[篇条则]|[上下]篇|[上下]一?条?新闻：")
_TINY = 24
_WRITTEN = re.compile(r"document\.write(?:ln)?\(\s*[\"']?(\d{1,9})[\"']?\s*\);?")
_SUBTITLE = ("——", "--", "─", "―")
_META_ROLES = frozenset({"editor", "author", "reporter", "photographer", "correspondent", "intern", "other"})
_ABSENT = "absent"


@dataclass(slots=True)
class Reading:
    """An article page being read: what every rule needs at hand."""

    document: Document
    links: list[Hyperlink]
    labels: Labels
    region: Region
    url: str
    portal: Portal
    captured_at: datetime
    number: int | None
    title_line: int | None = None


def read_article(reading: Reading) -> Article:
    """Return the article; its date fields are words only (`ingest.normalize_dates` makes dates of them)."""
    article = Article(url=reading.url, portal=reading.portal.name, article_id=reading.number, captured_at=reading.captured_at)
    _breadcrumb(article, reading)
    _title(article, reading)
    _category_above(article)
    _published(article, reading)
    _views(article, reading)
    paragraphs = read_paragraphs(reading.document, reading.region, reading.labels, article.title)
    paragraphs = _source_date(article, reading, paragraphs)
    paragraphs = _credits(article, reading, paragraphs)
    _body(article, paragraphs)
    _media(article, reading)
    _related(article, reading)
    return article


def _note(article: Article, field: str, rule: str, text: str) -> None:
    article.evidence[field] = Evidence(rule=rule, text=text[:300])


# --- breadcrumb and category


def _breadcrumb(article: Article, reading: Reading) -> None:
    limit = max(reading.region.start, reading.region.date.index if reading.region.date else 0)
    for line in reading.document.lines[: limit + 1]:
        crumbs, rule = crumbs_of(line, reading.labels, reading.document)
        if crumbs:
            article.breadcrumb = crumbs
            article.category = category_of(crumbs)
            _note(article, "breadcrumb", rule, line.text)
            break
    else:
        _note(article, "breadcrumb", _ABSENT, "no line with a position word or 首页 and separators above the article")
    if article.category:
        _note(article, "category", "crumb before 正文", " > ".join(article.breadcrumb))
    else:
        _note(article, "category", _ABSENT, "no breadcrumb that names one")


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
    holder = line.node.getparent()
    near = document.lines[line.index + 1 : line.index + 9]
    return [other for other in near if holder is not None and other.node.getparent() is holder]


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


def _category_above(article: Article) -> None:
    """Some trails end in the title itself; the category is then the crumb before it."""
    crumbs = article.breadcrumb
    if len(crumbs) > 1 and article.title and crumbs[-1].rstrip("….") in article.title and crumbs[-1] == article.category:
        article.category = category_of(crumbs[:-1])
        _note(article, "category", "crumb before the title", " > ".join(crumbs))


# --- title


def _title(article: Article, reading: Reading) -> None:
    best, score = None, 0.0
    hidden = {value for _, _, value in reading.document.inputs if len(value) >= 4}
    for line in _title_lines(reading):
        points = _title_score(line, reading, hidden, article.breadcrumb)
        if points > score:
            best, score = line, points
    if best is not None:
        reading.title_line = best.index
        article.title = best.text
        _note(article, "title", "line above the date", best.text)
        return
    first = _leading_title(reading)
    if first is not None:
        reading.title_line = first.index
        reading.region = replace(reading.region, start=first.index + 1)
        article.title = first.text
        _note(article, "title", "line that opens the body", first.text)
        return
    title = _document_title(reading, article.breadcrumb)
    if title:
        article.title = title
        _note(article, "title", "title element", reading.document.title or "")
    else:
        _note(article, "title", _ABSENT, "no line between breadcrumb and body that stands alone")


def _leading_title(reading: Reading) -> Line | None:
    """Return the title that stands below the date: the first short line of the region, set apart as a heading."""
    lines, region = reading.document.lines, reading.region
    for line in lines[region.start : min(region.end, region.start + 4)]:
        apart = line.heading or (line.centered and line.bold) or line.text in (reading.document.title or "")
        if apart and 2 <= len(line.text) <= _TITLE_LONGEST and not line.text.endswith(("。", "；")):
            return line
    return None


def _title_lines(reading: Reading) -> list[Line]:
    """The lines a title can stand in: above the date and between it and the body, or above the body without a date."""
    lines, region = reading.document.lines, reading.region
    anchor = region.date.index if region.date else region.start
    stop = region.start if region.start > anchor else min(anchor + 1, len(lines))
    return lines[max(0, min(anchor, region.start) - _TITLE_REACH) : stop]


def _title_score(line: Line, reading: Reading, hidden: set[str], breadcrumb: list[str]) -> float:
    text = line.text
    if not 2 <= len(text) <= _TITLE_LONGEST or line.link_chars * 2 > len(text):
        return 0.0
    if is_decoy(text) or FURNITURE.fullmatch(text) or is_meta(line, reading.labels) or text in breadcrumb[:-1]:
        return 0.0
    if (
        text.startswith(_SUBTITLE)
        or text.endswith(("：", ":"))
        or is_bare_slot(line, reading.labels)
        or is_end(line, reading.labels)
    ):
        return 0.0
    if reading.labels.position.match(text) or crumbs_of(line, reading.labels, reading.document)[0]:
        return 0.0
    date = reading.region.date
    if date is not None and line.index == date.index:
        return 0.0
    anchor = date.index if date else reading.region.start
    points = 2.0 - 0.25 * abs(anchor - line.index)
    points += 3.0 * line.heading + 1.5 * line.bold + 1.5 * line.centered
    title = reading.document.title or ""
    if len(text) >= 4 and (text in title or (len(title) >= 6 and title in text)):
        points += 4.0
    if text in hidden:
        points += 4.0
    if len(text) < 5 or reading.labels.source.match(text):
        points -= 2.0
    return max(points, 0.05)


def _document_title(reading: Reading, breadcrumb: list[str]) -> str | None:
    """The `<title>` without the site's name; None when it is nothing but that name."""
    title = reading.document.title
    if not title:
        return None
    parts = [part.strip() for part in _TITLE_SUFFIX.split(title) if part.strip()]
    site = {reading.portal.title, *breadcrumb[:-1]}
    parts = [
        part for part in parts if part not in site and not re.search(r"(?:网|网站|首页|门户|无标题文档|Untitled|在线)\Z", part)
    ]
    return parts[0] if parts and len(parts[0]) >= 4 else None


# --- dates and views


def _published(article: Article, reading: Reading) -> None:
    date = reading.region.date
    if date is None or not date.words:
        empty = "the slot of the publication date is empty" if date else "no publication label with a date, no line just a date"
        _note(article, "published_text", _ABSENT, empty)
        return
    article.published_text = date.words
    rule = "bare date above the body" if date.rule == "bare" else f"{date.rule} and date"
    _note(article, "published_text", rule, reading.document.lines[date.index].text)


def _views(article: Article, reading: Reading) -> None:
    for line in (line for lines in _meta_lines(reading) for line in lines):
        found = _labelled_views(line, reading)
        if found is not None:
            article.views, words = found
            _note(article, "views", "label and number", words)
            return
    written = _written_views(reading)
    if written:
        article.views = written[0]
        _note(article, "views", "inline script", written[1])
        return
    counter = counter_url(reading.document, reading.url, reading.number)
    if counter:
        _note(article, "views", "script counter", counter[0])
        return
    bare = _bare_views(reading)
    if bare is not None:
        article.views = int(bare.text)
        _note(article, "views", "bare number beside the bare date", bare.text)
        return
    _note(article, "views", _ABSENT, "no view label with a number near title and date, no counter script")


def _meta_lines(reading: Reading) -> tuple[list[Line], list[Line]]:
    """Lines that can hold the article's slots: those above the body, nearest to the date first, and those below it."""
    lines, region = reading.document.lines, reading.region
    anchor = region.date.index if region.date else region.start
    near = lines[max(0, min(anchor, region.start) - 8) : max(region.start, anchor + 1)]
    above = sorted(near, key=lambda line: abs(line.index - anchor))
    return above, lines[region.end : region.end + 12]


def _labelled_views(line: Line, reading: Reading) -> tuple[int, str] | None:
    if is_decoy(line.text) or len(line.text) > 160:
        return None
    for found in reading.labels.views.finditer(normalize_digits(line.text)):
        if found["views"]:
            return _number(found["views"]), found.group()
        if found.end() == len(line.text) and line.index + 1 < len(reading.document.lines):
            value = re.fullmatch(
                r"(\d{1,3}(?:,\d{3})+|\d{1,9})\s*(?:次|人|人次|℃)?",
                normalize_digits(reading.document.lines[line.index + 1].text),
            )
            if value:
                return int(value[1].replace(",", "")), f"{line.text} {value[0]}"
    return None


def _number(words: str) -> int:
    """Return the number printed as 1036, 1,036 or 1.2万."""
    if words.endswith("万"):
        return round(float(words[:-1]) * 10_000)
    return int(words.replace(",", ""))


def _written_views(reading: Reading) -> tuple[int, str] | None:
    """Return the number an inline script writes beside the article's slots: 阅读：<script>document.write('88')</script>."""
    near = {line.index for lines in _meta_lines(reading) for line in lines if reading.labels.views.search(line.text)}
    for index, src, text in reading.document.scripts:
        found = _WRITTEN.fullmatch(text.strip()) if not src and index in near else None
        if found:
            return int(found[1]), found.group()
    return None


def _bare_views(reading: Reading) -> Line | None:
    date = reading.region.date
    if date is None or date.rule != "bare":
        return None
    for index in (date.index - 1, date.index + 1):
        if 0 <= index < len(reading.document.lines):
            line = reading.document.lines[index]
            same_row = line.cell is not None and line.cell.getparent() is reading.document.lines[date.index].node.getparent()
            if same_row and line.text.isascii() and line.text.isdigit() and len(line.text) <= 9:
                return line
    return None


def _source_date(article: Article, reading: Reading, paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Read and take away the source date that leads the body, on its own line or glued to the first sentence."""
    for i, paragraph in enumerate(paragraphs[:4]):
        label = reading.labels.source_date.match(paragraph.text)
        if not label:
            continue
        words = _SOURCE_DATE_WORDS.match(paragraph.text, label.end())
        if not words:
            _note(article, "source_date_text", _ABSENT, f"label without a date: {paragraph.text[:60]}")
            return paragraphs
        article.source_date_text = words["words"].strip()
        _note(article, "source_date_text", "label leading the body", paragraph.text[: words.end()])
        rest = paragraph.text[words.end() :].strip(" \u3000\xa0")
        kept = [Paragraph(rest, paragraph.emphasized, paragraph.line)] if rest else []
        return [*paragraphs[:i], *kept, *paragraphs[i + 1 :]]
    _note(article, "source_date_text", _ABSENT, "no 来源时间 at the beginning of the body")
    return paragraphs


# --- credits and outlets


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

    above, below = _meta_lines(reading)
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
        _note(
            article,
            field,
            _ABSENT if empty else "credit grammar",
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


# --- body, media, sidebar


def _body(article: Article, paragraphs: list[Paragraph]) -> None:
    article.paragraphs = [paragraph.text for paragraph in paragraphs]
    headings = sections.find_headings(article.paragraphs, [paragraph.emphasized for paragraph in paragraphs])
    article.headings = [heading.text for heading in headings if heading.level == 1]
    article.sections = sections.build_sections(article.paragraphs, headings)
    if article.paragraphs:
        _note(
            article,
            "paragraphs",
            "prose behind the date line",
            f"{len(paragraphs)} paragraphs, first: {article.paragraphs[0][:60]}",
        )
    else:
        _note(article, "paragraphs", _ABSENT, "no text in the body")
    styles = list(dict.fromkeys(heading.style for heading in headings))
    _note(
        article, "headings", "numbering or short line" if headings else _ABSENT, ", ".join(styles) or "the body has no headings"
    )


def _media(article: Article, reading: Reading) -> None:
    region = reading.region
    for line, image in reading.document.images:
        if region.start <= line <= region.end and within(image, region.container) and not _is_spacer(image):
            target = absolute(reading.url, _source(image))
            if target and not any(link.url == target for link in article.images):
                article.images.append(Link(url=target, text=image.get("alt", "").strip()))
    for link in reading.links:
        inside = region.start <= link.line < region.end and within(link.element, region.container)
        if not inside and not (link.kind == "attachment" and region.start <= link.line <= region.end + 2):
            continue
        if link.kind == "attachment":
            article.attachments.append(Link(url=link.url, text=link.text))
        elif inside and link.text and not FURNITURE.fullmatch(link.text) and not link.is_part:
            article.links.append(Link(url=link.url, text=link.text))


def _source(image: Element) -> str:
    """The picture's URL; one that is loaded lazily stands in another attribute."""
    return str(image.get("data-src") or image.get("data-original") or image.get("original") or image.get("src", ""))


def _is_spacer(image: Element) -> bool:
    sizes = [int(size) for size in (image.get("width", ""), image.get("height", "")) if size.isdigit()]
    if any(size <= _TINY for size in sizes) or _SPACER.search(_source(image)):
        return True
    return bool(FURNITURE.fullmatch(image.get("alt", "").strip() or "-"))


def _related(article: Article, reading: Reading) -> None:
    region, lines, zone = reading.region, reading.document.lines, reading.portal.zone
    seen: set[int] = set()
    for link in reading.links:
        if link.article_id is None or link.article_id == reading.number or not link.text or link.article_id in seen:
            continue
        if region.start <= link.line < region.end or link.line >= len(lines) or _NEIGHBOUR.search(lines[link.line].text):
            continue
        seen.add(link.article_id)
        _, day, abstract = read_entry(reading.document, link, reading.captured_at, zone, reading.labels)
        abstract = _without_source_date(abstract, reading.labels)
        article.related.append(
            Related(article_id=link.article_id, title=link.text.strip("·• \u3000"), date=day, abstract=abstract)
        )


def _without_source_date(abstract: str | None, labels: Labels) -> str | None:
    label = labels.source_date.match(abstract or "")
    words = _SOURCE_DATE_WORDS.match(abstract or "", label.end()) if label else None
    return (abstract or "")[words.end() :].strip() or None if words else abstract
