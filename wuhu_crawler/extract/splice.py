"""Puts the characters of an article's parts together again, exactly where the portal cut them. Pure.

All parts stand in one template, so what the pages have in common around their bodies is the template's, and what they have not
is the body's: the gaps between the template's last word, the first and the last word of the body, and the template's next word
are compared character by character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .fragment import Fragment, Line, is_pager

_DIGITS = re.compile(r"\d+")
_INLINE = re.compile(r"(?:\s*<(?:a|font|b|strong|span|em|i|u)\b[^<>]*>\s*)+\Z", re.I)
_PARAGRAPH = re.compile(r"\s*<p\b[^<>]*>(?:\s*<(?:p|a|font|b|strong|span|em|i|u)\b[^<>]*>)*\s*\Z", re.I)
_SENTENCE_END = re.compile(r"[。！？!?…；;：:”’」』】》）)]\Z")
_INDENT = re.compile("(?:\\s|&nbsp;|&#160;)*(?:\u3000|\xa0|&nbsp;|&#160;)")
# How far above the body the template's words are looked for: an editor's own buttons may stand in between.
_REACH = 6
# Keeps what stands before a missing part from running into what stands behind it.
_RENT = "\n<p></p>\n"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a part: the lines `[first:last]` of its page, and the template's gap before it, '' where none was found."""

    part: Fragment
    first: int
    last: int
    lead: str

    @property
    def words(self) -> tuple[str, ...]:
        """The lines' texts."""
        return tuple(line.text for line in self.part.lines[self.first : self.last])

    @property
    def gap_behind(self) -> str:
        """The characters between the last word and the page's next one, without the tags within that word's line."""
        lines = self.part.lines
        following = lines[self.last].start if self.last < len(lines) else len(self.part.html)
        return _INLINE.sub("", self.part.html[lines[self.last - 1].end if self.last else 0 : following])


def body_of(part: Fragment, first: Fragment) -> Body:
    """Return where the body of a part lies, by what its page has in common with the first part's; of the first one, too."""
    anchors = _anchors(part, first)
    if anchors is None:
        return Body(part, part.first, part.last, "")
    theirs, ours = anchors
    lead = first.html[first.lines[theirs].end : first.lines[theirs + 1].start]
    return Body(part, ours + 1, _last(part, first, ours + 1), lead)


def splice(parts: Sequence[Fragment | None]) -> str:
    """Return the page of the whole article: the first part's, with the bodies of the others behind its own.

    `parts` are in page order, the first one is there; None stands for a part that is missing.
    """
    first = parts[0]
    if first is None:
        raise ValueError("the first part is not there")
    bodies = [None if part is None else body_of(part, first) for part in parts]
    tail = _common_end([body.gap_behind for body in bodies if body is not None])
    pieces: list[str] = []
    before: Body | None = None
    for body in bodies:
        if body is None:
            pieces.append(_RENT)
        elif body is bodies[0]:
            pieces.append(first.html[: _end(body, tail)])
        else:
            start, end = _start(body, before), _end(body, tail)
            # An indent begins a paragraph, and the line break before it may have been taken for the template's.
            pieces.append("<br>" if _INDENT.match(body.part.html, start) else "")
            pieces.append(body.part.html[start : max(start, end)])
        before = body
    return "".join([*pieces, first.html[len(pieces[0]) :]])


def _anchors(part: Fragment, first: Fragment) -> tuple[int, int] | None:
    """Return the template's last line above the body, on the first part's page and on this one; numbers in it may differ."""
    shapes = [_shape(line) for line in part.lines[:-1]]
    for theirs in range(min(first.first, len(first.lines)) - 1, max(-1, first.first - 1 - _REACH), -1):
        wanted = _shape(first.lines[theirs])
        found = [i for i, shape in enumerate(shapes) if shape == wanted]
        if found:
            return theirs, max((i for i in found if i < part.first), default=found[0])
    return None


def _last(part: Fragment, first: Fragment, start: int) -> int:
    """Return the line behind the body: the pager's, else the one that stands behind the first part's body, too."""
    following = first.lines[first.last] if first.last < len(first.lines) else None
    if following is None:
        return max(start, part.last)
    wanted, lines = _shape(following), range(start, len(part.lines))
    same = next((i for i in lines if _shape(part.lines[i]) == wanted), None)
    if same is None and is_pager(following.text):
        same = next((i for i in lines if is_pager(part.lines[i].text)), None)
    return max(start, part.last) if same is None else same


def _shape(line: Line) -> str:
    return _DIGITS.sub("0", line.text)


def _common(texts: Sequence[str]) -> str:
    """Return the characters all texts begin with."""
    shortest, longest = min(texts), max(texts)
    return shortest[: next((i for i, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b), len(shortest))]


def _common_end(gaps: Sequence[str]) -> str:
    """Return what all gaps end with, from the beginning of a tag or white space on."""
    common = _common([gap[::-1] for gap in gaps])[::-1]
    found = re.search(r"[<\s]", common)
    return common[found.start() :] if found else ""


def _end(body: Body, tail: str) -> int:
    lines = body.part.lines
    return (lines[body.last - 1].end if body.last else 0) + len(body.gap_behind) - len(tail)


def _start(body: Body, before: Body | None) -> int:
    """Return where the characters of a later part's body begin: behind the gap its page shares with the first part's."""
    lines = body.part.lines
    if not body.lead:
        return lines[body.first].start if body.first < len(lines) else len(body.part.html)
    above = lines[body.first - 1].end
    common = _common([body.part.html[above : lines[body.first].start], body.lead])
    if common.rfind("<") > common.rfind(">"):
        common = common[: common.rfind("<")]
    paragraph = _PARAGRAPH.search(common)
    if paragraph and _begins_anew(body, before):
        common = common[: paragraph.start()]
    return above + len(common)


def _begins_anew(body: Body, before: Body | None) -> bool:
    """Both pages begin their bodies with a paragraph tag, and it may be the template's: tell whether the text begins anew."""
    if before is None or not before.words:
        return True
    return bool(_SENTENCE_END.search(before.words[-1]) or _INDENT.match(body.part.html, body.part.lines[body.first].start))
