"""Where on the page the article stands: the line that carries its date, and the lines of its body.

The date line is found by its label; the body is the block of prose behind it, up to the first line that only ever follows an
article (上一篇, 相关新闻, 【关闭窗口】 …). No class name and no tag is asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

from .dates import LEADING_RELATIVE, MOMENT, find_moment, normalize_digits
from .document import ASIDE, CONTAINERS, Block, Document, Line
from .facts import MIN_PROSE, Facts, facts_of
from .hyperlinks import ATTACHMENTS, extension
from .labels import Labels, is_buttons, is_comment_mark, is_decoy, is_furniture

_CLAUSE = re.compile(r"[，。；！？“”,;!?]")
_SENTENCE_GOES_ON = re.compile(r"\s*[，。；！？]")
_UPDATED = ("更新", "更 新", "修改", "最后")
_PARTIAL = re.compile(r"\s*\d{1,2}[-/月]\d{1,2}日?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?(?![\d年])")
_BARE_LONGEST = 120
_MOST_BARE = 40
_NUMBERS = re.compile(r"[\d\s:/.\-年月日()（）\[\]【】]*")
_OPENING = " [(\u3000"
# The body is the smallest container that holds this share of the prose behind the date line.
_SHARE = 0.88
# With less prose above it a date is not taken for one printed at the foot.
_FOOT_PROSE = 60
# A line between a date and the prose costs so many characters of it: the nearest date is the article's.
_GAP_COST = 20
# A bare date counts as the article's when so few other characters stand in its line.
_BARE_REST = 24
# Behind the buttons that close an article stands less than this share of its prose (a comment form, a notice).
_AFTER_TOOLS = 0.35
_CLOSING_LONGEST = 40
_SLOT_LONGEST = 60
# So many lines behind the editor's are asked for more credits.
_CREDITS_REACH = 3
_CREDIT = re.compile("记者|通讯员|作者|摄影|撰稿|供稿|编辑|责编|校对|审核")
# What a list of headlines below a text is made of.
_FEWEST_HEADLINES = 2
_MANY_HEADLINES = 6
_MOSTLY_LINKS = 0.6
_LONGEST_CAPTION = 16
_LONGEST_DAY = 14
_SHORTEST_HEADLINE = 4
_CLOSING_DAY = re.compile(r"\d{1,2}[-/.月]\d{1,2}日?\s*[\])）】]?\Z")
_SENTENCE_ENDS = ("。", "！", "？", "；", "…", "”", "）")
# So many lines that only stand beside comments make comments of what is around them.
_FEWEST_MARKS = 2
# So many lines a mark are comments and nothing else.
_LINES_A_MARK = 4


# A label says when it was published; one that says updated comes second; then a date alone, then slots without any date.
RULES = ("label", "update label", "bare", "slots")


@dataclass(frozen=True, slots=True)
class DateLine:
    """The line with the publication date: its index, its words ('' when its slot is empty), and the rule that found it, one of
    RULES, best first."""

    index: int
    words: str
    rule: str

    @property
    def rank(self) -> int:
        """How much the rule is worth: the larger the better."""
        return -RULES.index(self.rule)


@dataclass(frozen=True, slots=True)
class Region:
    """The body's lines [start, end) and the container they lie in; `date` is None when the page shows no date of its own."""

    start: int
    end: int
    container: Block
    date: DateLine | None
    prose: float


def find_region(document: Document, labels: Labels, zone: ZoneInfo, is_article_link: Callable[[Line], bool]) -> Region | None:
    """Return where the article stands, or None when the page has no prose that could be one."""
    lines = document.lines
    if not lines:
        return None
    facts = [facts_of(line, labels) for line in lines]
    weights = _weights(lines, facts, is_article_link)
    comments = _comments(lines, facts, weights)
    for i in comments:
        weights[i] = 0.0
    ends = [i for i, said in enumerate(facts) if said.end or (i in comments and i - 1 not in comments)]
    sums = [0.0, *accumulate(weights)]
    best = None
    for date in _candidates(lines, facts, labels, zone, lambda line: line.index in comments or is_article_link(line)):
        region = _behind(document, date, labels, sums, ends)
        if region and (best is None or _rank(region, weights) > _rank(best, weights)):
            best = region
    if best is None or (best.date and best.date.rule in ("bare", "slots") and best.prose < 0.5 * _whole(ends, sums)[2]):
        start, end, prose = _whole(ends, sums)
        if prose > 0:
            container = _container(document, start, end, sums)
            region = _clip(document, container, start, end, None, labels, sums)
            if best is None or region.prose > 2 * best.prose:
                return region
    return best


def _rank(region: Region, weights: list[float]) -> tuple[int, float]:
    """A labelled date before a bare one; then the one with most prose behind it and least else in between."""
    date = region.date
    if date is None:
        return -len(RULES), region.prose
    first = next((i for i in range(region.start, region.end) if weights[i] >= MIN_PROSE), region.end)
    return date.rank, region.prose - _GAP_COST * abs(first - date.index)


def _weights(lines: list[Line], facts: list[Facts], is_article_link: Callable[[Line], bool]) -> list[float]:
    """How much prose each line is: none beside the page's substance, none in the cut abstract below an article's link."""
    weights = [said.prose for said in facts]
    for line, said in zip(lines, facts, strict=True):
        if line.node.look & ASIDE or (said.cut and line.index and is_article_link(lines[line.index - 1])):
            weights[line.index] = 0.0
    return weights


def _comments(lines: list[Line], facts: list[Facts], weights: list[float]) -> frozenset[int]:
    """Return the lines of what readers wrote: behind a line that heads comments the rest of its block, if some lines there
    stand beside comments only (回复, 3小时前), and there is prose above it or nothing else in the block."""
    heads = [i for i, said in enumerate(facts) if said.comments]
    if not heads:
        return frozenset()
    found: set[int] = set()
    prose, marks = [0.0, *accumulate(weights)], [0, *accumulate(is_comment_mark(line.text) for line in lines)]
    for i in heads:
        if i not in found:
            block = next((block for block in lines[i].node.ancestors() if block.end > i + 1), lines[i].node)
            marked = marks[block.end] - marks[i + 1]
            alone = block.first == i and marked * _LINES_A_MARK >= block.end - i
            if marked >= _FEWEST_MARKS and (prose[i] > _FOOT_PROSE or alone):
                found.update(range(i, block.end))
    return frozenset(found)


def _candidates(
    lines: list[Line], facts: list[Facts], labels: Labels, zone: ZoneInfo, is_article_link: Callable[[Line], bool]
) -> list[DateLine]:
    labelled = []
    rest = []
    for line, said in zip(lines, facts, strict=True):
        if not said.dated or is_article_link(line):
            continue
        found = labelled_date(line, lines, labels, zone) if said.labelled else None
        if found:
            labelled.append(found)
        elif len(line.text) < _BARE_LONGEST:
            rest.append(line)
    return labelled or _unlabelled(rest, labels, zone)


def _unlabelled(lines: list[Line], labels: Labels, zone: ZoneInfo) -> list[DateLine]:
    """Return the lines that are just a date, else those with the empty slot of one."""
    bare = [found for line in lines if (found := _bare_date(line, labels, zone))][:_MOST_BARE]
    slots = (line for line in lines if labels.published.search(line.text) and _filled(labels, line.text))
    return bare or [DateLine(line.index, "", "slots") for line in slots]


def labelled_date(line: Line, lines: list[Line], labels: Labels, zone: ZoneInfo) -> DateLine | None:
    """Return the date a label introduces: in the same line or, when the label ends it, at the start of the next."""
    second = None
    for label in labels.published.finditer(line.text):
        # A label in the middle of a sentence dates something else.
        if _CLAUSE.search(line.text, 0, label.start()):
            break
        rest = line.text[label.end() :]
        if not rest and line.index + 1 < len(lines):
            rest = lines[line.index + 1].text
        found = _leading(rest, zone)
        if found and _SENTENCE_GOES_ON.match(rest.partition(found)[2]):
            break
        if found and label.group().lstrip().startswith(_UPDATED):
            second = second or DateLine(line.index, found, "update label")
        elif found:
            return DateLine(line.index, found, "label")
    return second


def _leading(text: str, zone: ZoneInfo) -> str | None:
    """Return the words of the date, absolute or relative, that a text begins with."""
    relative = LEADING_RELATIVE.match(text)
    if relative:
        return relative.group().strip()
    found = find_moment(text[:60], zone)
    if found and normalize_digits(text).lstrip(_OPENING).startswith(normalize_digits(found[1])[:4]):
        return found[1]
    # Month and day alone are kept as words; no year is guessed for a publication date.
    partial = _PARTIAL.match(text)
    return partial.group().strip() if partial else None


def _bare_date(line: Line, labels: Labels, zone: ZoneInfo) -> DateLine | None:
    """Return the date of a line that is little else, or that begins with it and goes on with slots."""
    found = find_moment(line.text, zone)
    if not found:
        return None
    rest = MOMENT.sub("", normalize_digits(line.text)).strip()
    leads = line.text.lstrip(_OPENING).startswith(found[1][:4]) and not _CLAUSE.search(line.text)
    if len(rest) <= _BARE_REST or (leads and (labels.source.search(line.text) or labels.views.search(line.text))):
        return DateLine(line.index, found[1], "bare")
    return None


def _behind(document: Document, date: DateLine, labels: Labels, sums: list[float], ends: list[int]) -> Region | None:
    """Return the body behind a date line; when nothing follows there, the prose before it (dates at the foot)."""
    lines = document.lines
    start, end = date.index + 1, _end_of(lines, date.index + 1, labels, sums, ends)
    if sums[end] - sums[start] < 0.05 * sums[-1] and sums[start] > _FOOT_PROSE:
        head = max((i + 1 for i in range(date.index) if labels.end.match(lines[i].text)), default=0)
        if sums[date.index] - sums[head] > max(sums[end] - sums[start], _FOOT_PROSE):
            # Above such a body stand trail and title: it begins with its first prose and ends before the slots.
            start = next((i for i in range(head, date.index) if _begins_body(lines[i], labels, sums)), head)
            end = next((i for i in range(start, date.index) if _filled(labels, lines[i].text)), date.index)
    container = _container(document, start, end, sums)
    return _clip(document, container, start, end, date, labels, sums)


def _begins_body(line: Line, labels: Labels, sums: list[float]) -> bool:
    weight = sums[line.index + 1] - sums[line.index]
    return weight >= MIN_PROSE and not line.heading and not labels.position.match(line.text)


def _whole(ends: list[int], sums: list[float]) -> tuple[int, int, float]:
    """Return the stretch between end marks with most prose: the best guess without a date line."""
    marks = [-1, *ends, len(sums) - 1]
    stretches = [(a + 1, b, sums[b] - sums[a + 1]) for a, b in pairwise(marks)]
    return max(stretches, key=lambda stretch: stretch[2])


def _end_of(lines: list[Line], start: int, labels: Labels, sums: list[float], ends: list[int]) -> int:
    """Return the line that ends the article: the first end word, or buttons or the editor's line with hardly any prose between
    them and it."""
    last = len(lines)
    behind = [*ends[bisect_left(ends, start) :], last, last]
    end = next((end for end, after in pairwise(behind) if not _goes_on(lines, start, end, after, sums)), last)
    for line in lines[start:end]:
        if _closes(lines, line, labels) and sums[end] - sums[line.index] < _AFTER_TOOLS * (sums[line.index] - sums[start]):
            return line.index
    return end


def _goes_on(lines: list[Line], start: int, end: int, after: int, sums: list[float]) -> bool:
    """Tell whether a text goes on behind an end word: one block of it before and behind, and much prose behind (相关新闻：as a
    heading of the editor's own)."""
    if not start < end < len(lines) - 1:
        return False
    one_block = lines[end - 1].node is lines[end].node is lines[end + 1].node and not lines[end].link_chars
    return one_block and sums[after] - sums[end] > _AFTER_TOOLS * (sums[end] - sums[start])


def _closes(lines: list[Line], line: Line, labels: Labels) -> bool:
    """Tell whether a line is buttons, or names who edited the article and no other credits follow."""
    if len(line.text) > _CLOSING_LONGEST:
        return False
    if labels.tools.match(line.text):
        return True
    following = lines[line.index + 1 : line.index + 1 + _CREDITS_REACH]
    return bool(labels.editor.match(line.text)) and not any(_CREDIT.search(other.text) for other in following)


def _container(document: Document, start: int, end: int, sums: list[float]) -> Block:
    """Return the smallest container holding most of the prose of the lines [start, end), widened while only text is gained."""
    total = sums[end] - sums[start]
    best, size = document.root, 1 << 30
    # The innermost of equals: it begins last.
    for block in reversed(document.blocks):
        first, last = block.first, block.end
        if last - first >= size or last <= start or first >= end or block.tag not in CONTAINERS:
            continue
        if sums[min(last, end)] - sums[max(first, start)] >= _SHARE * total:
            best, size = block, last - first
    return _widened(document, best, start, end)


def _widened(document: Document, block: Block, start: int, end: int) -> Block:
    """Climb while the parent adds only unlinked lines of the same cell: a paragraph in its own block belongs to the body, with
    its neighbours, buttons above them and files below."""
    lines = document.lines
    while block.tag not in ("td", "th", "body") and (parent := block.parent) is not None:
        above = [line for line in lines[max(parent.first, start) : min(block.first, end)] if not is_buttons(line.text)]
        below = lines[max(block.end, start) : min(parent.end, end)]
        if any(_is_foreign(document, line) for line in (*above, *below)):
            break
        if parent.tag in ("tr", "tbody", "table") and (above or below):
            break
        block = parent
    return block


def _is_foreign(document: Document, line: Line) -> bool:
    """Tell whether a line is none of a body's: of navigation, furniture, or mostly links, and not to a file."""
    if line.aside or is_furniture(line.text):
        return True
    return line.link_chars * 2 > len(line.text) and not _are_attached(document, line.index, line.index + 1)


def _clip(
    document: Document, container: Block, start: int, end: int, date: DateLine | None, labels: Labels, sums: list[float]
) -> Region:
    start, end = max(start, container.first), min(end, container.end)
    start = _behind_slots(document.lines, start, end, labels)
    while end > start and _is_trailing(document.lines[end - 1], labels):
        end -= 1
    return Region(start, end, container, date, sums[end] - sums[start] if end > start else 0.0)


def text_end(document: Document, region: Region, labels: Labels) -> int:
    """Return where the text of a region ends: before the headlines below it."""
    first = _before_headlines(document.lines, region.start, region.end)
    links = _before_links(document.lines, region.start, region.end, labels)
    return first if links >= first or _are_attached(document, links, region.end) else links


def _before_headlines(lines: list[Line], start: int, end: int) -> int:
    """Return where the list begins that some editors paste below a text: two closing lines at least that are links and nothing
    else, and the captions between them."""
    first, headlines = end, 0
    for line in reversed(lines[start:end]):
        if _is_headline(line):
            first, headlines = line.index, headlines + 1
        elif not headlines or not _is_caption(line):
            break
        elif line.heading or line.text.endswith((":", "：")):
            first = line.index
    return first if headlines >= _FEWEST_HEADLINES and first > start else end


def _before_links(lines: list[Line], start: int, end: int, labels: Labels) -> int:
    """Return where a page goes over from prose to links, whatever words may stand between: behind that line links outweigh
    the prose that is left."""
    cut, best, total, headlines = start, 0.0, 0.0, 0
    for line in lines[start:end]:
        if line.link_chars > line.plain_chars:
            total -= line.link_chars
            headlines += 1
        else:
            total += facts_of(line, labels).prose
            if total >= best:
                cut, best, headlines = line.index + 1, total, 0
    if headlines < _MANY_HEADLINES or cut == start:
        return end
    linked, plain = (
        sum(chars) for chars in zip(*((line.link_chars, line.plain_chars) for line in lines[cut:end]), strict=True)
    )
    return cut if linked >= _MOSTLY_LINKS * (linked + plain) else end


def _are_attached(document: Document, start: int, end: int) -> bool:
    """Tell whether among the links of the lines [start, end) are files: they belong to the text above them."""
    hrefs = (href for line, _, href, _ in document.links if start <= line < end)
    return any(href and extension(href) in ATTACHMENTS for href in hrefs)


def _is_headline(line: Line) -> bool:
    """Tell whether a line is a link and nothing else but a bullet or its date."""
    plain = line.plain_chars
    return plain <= 1 or (
        plain <= _LONGEST_DAY and line.link_chars >= _SHORTEST_HEADLINE and bool(_CLOSING_DAY.search(line.text))
    )


def _is_caption(line: Line) -> bool:
    return not line.link_chars and len(line.text) <= _LONGEST_CAPTION and not line.text.endswith(_SENTENCE_ENDS)


def _is_trailing(line: Line, labels: Labels) -> bool:
    text = line.text
    slots = len(text) < _SLOT_LONGEST and (_filled(labels, text) or labels.views.match(text) or labels.closing.match(text))
    return bool(line.aside or slots or is_furniture(text) or is_bare_slot(line, labels))


def _behind_slots(lines: list[Line], start: int, end: int, labels: Labels) -> int:
    """Return the first line that is no slot; a label alone on its line takes the short line behind it along."""
    while start < end:
        if is_bare_slot(lines[start], labels):
            value = lines[start + 1] if start + 1 < end else None
            taken = (
                value is not None
                and len(value.text) <= 30
                and not is_bare_slot(value, labels)
                and _side_by_side(lines[start], value)
            )
            start += 2 if taken else 1
        elif is_meta(lines[start], labels):
            start += 1
        else:
            break
    return start


def _side_by_side(label: Line, value: Line) -> bool:
    """Tell whether two lines stand in neighbouring cells, list items or definition parts."""
    return label.node is not value.node and label.node.parent is value.node.parent


def is_bare_slot(line: Line, labels: Labels) -> bool:
    """Tell whether a line is a slot's label and nothing else (`编　辑：`)."""
    found = labels.slot.match(line.text) if len(line.text) <= 14 else None
    if found is None or (found["value"] or "").strip():
        return False
    return found["bare"] is None or line.node.tag in ("dt", "th")


def _filled(labels: Labels, text: str) -> bool:
    found = labels.slot.match(text)
    return found is not None and found["bare"] is None


def is_meta(line: Line, labels: Labels) -> bool:
    """Tell whether a line above the body is slots and buttons: labels with short values, font sizes, bare dates or numbers."""
    text = line.text
    if len(text) > 100 or labels.source_date.match(text):
        return False
    if is_buttons(text) or is_decoy(text):
        return True
    if _NUMBERS.fullmatch(normalize_digits(text)):
        return True
    if len(text) >= _SLOT_LONGEST:
        return False
    slots = labels.published.match(text) or labels.views.match(text) or _filled(labels, text)
    return bool(slots) or _is_dated_slots(text, labels)


def _is_dated_slots(text: str, labels: Labels) -> bool:
    """Tell whether a text is a date and the slots behind it (2024-01-02 来源：市报)."""
    date = MOMENT.match(normalize_digits(text)) if text[0].isdigit() else None
    return date is not None and bool(labels.slot.match(text[date.end() :])) and not _CLAUSE.search(text)
