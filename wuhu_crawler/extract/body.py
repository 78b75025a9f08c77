"""The paragraphs of a body: its lines without furniture, the rows of inner tables as one paragraph each."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from .document import CELLS, Document, Line
from .labels import Labels, is_buttons
from .region import Region, is_meta, text_end

# Atomic: a run of numbers must not be split in every possible way.
_PARTS = re.compile(r"(?>\s*+(?:\[\d{1,3}\]|【\d{1,3}】|上一页|下一页|第\d+页|共\d+页|本文共分?\s*\d+\s*页|\d{1,3})\s*+)++")
_PARTS_LONGEST = 200
_PARTS_BEGIN = frozenset(" [【上下第共本0123456789０１２３４５６７８９\u3000")
_BUTTONS = re.compile(
    r"[【\[](?:打印|关闭|收藏|返回|推荐|评论|字[体号]|大|中|小|\s|此文|本页|窗口|文章|顶部)++[】\])）]|"
    r"字[体号]\s*[:：]\s*[【\[]?\s*大\s*中\s*小\s*[】\]]?"
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's text, whether it stands wholly bold or centred, and the line it begins in."""

    text: str
    emphasized: bool
    line: int


def read_paragraphs(document: Document, region: Region, labels: Labels, title: str | None) -> list[Paragraph]:
    """Return the paragraphs of the region in reading order."""
    lines = [line for line in document.lines[region.start : region.end] if line.text]
    paragraphs: list[Paragraph] = []
    for row in _rows(lines):
        text = row[0].text if len(row) == 1 else " ".join(line.text for line in row)
        if "【" in text or "[" in text or "字" in text:
            text = _BUTTONS.sub("", text).strip(" \u3000")
        if text and not _is_leftover(row, text, title if not paragraphs else None, labels):
            short = len(text) <= 45
            paragraphs.append(Paragraph(text, short and all(line.bold or line.centered for line in row), row[0].index))
    end = text_end(document, region, labels)
    return [paragraph for paragraph in paragraphs if paragraph.line < end]


def _is_leftover(row: list[Line], text: str, title: str | None, labels: Labels) -> bool:
    """Tell whether a line is furniture: buttons, a part pager (`[1] [2]`), the title or the date line once more."""
    if is_buttons(text):
        return True
    if len(text) <= _PARTS_LONGEST and text[0] in _PARTS_BEGIN and _PARTS.fullmatch(text):
        return "[" in text or "页" in text or row[0].link_chars > 0
    return title is not None and (text == title or (len(row) == 1 and is_meta(row[0], labels)))


def _rows(lines: list[Line]) -> list[list[Line]]:
    """Group the single-line cells of one inner table row; every other line stands alone."""
    if len({line.node.parent for line in lines}) == 1 and not any(line.node.tag in CELLS for line in lines):
        return [[line] for line in lines]
    cells = [line.cell for line in lines]
    per_cell = Counter(cells)
    if len(per_cell) <= 1:
        return [[line] for line in lines]
    rows: list[list[Line]] = []
    for i, (line, cell) in enumerate(zip(lines, cells, strict=True)):
        before = cells[i - 1] if i else None
        if (
            cell is not None
            and before is not None
            and cell is not before
            and cell.parent is before.parent
            and per_cell[cell] == per_cell[before] == 1
        ):
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows
