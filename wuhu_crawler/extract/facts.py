"""What a line's words say by themselves: prose or furniture, an end word, a date perhaps. Asked once for each text.

The lines around the articles of a portal are the same on every page; `inline` hands out one object for each, and here is noted
on it what the rules of `region` want to know of every line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .labels import heads_comments, is_decoy, is_furniture

if TYPE_CHECKING:
    from .document import Line
    from .inline import Words
    from .labels import Labels

_SENTENCE = re.compile(r"[，。；！？：、,;!?…”]")
_DIGIT = re.compile(r"\d")
_ELLIPSIS = ("…", "...", "..")
# Shorter text is no running text, whatever marks it has.
MIN_PROSE = 12
# A longer line is prose, whatever dates it names.
_DATE_LINE_LONGEST = 240
_END_LONGEST = 200


class Facts(NamedTuple):
    """`prose`: how much the words look like running text; `cut`: they end in an ellipsis; `end`: they only ever stand behind an
    article; `dated`: a publication date may stand here (a digit, or a label whose value is elsewhere; no clock of the site),
    `labelled`: behind its label; `comments`: they may head what readers wrote."""

    labels: Labels
    prose: float
    cut: bool
    end: bool
    dated: bool
    labelled: bool
    comments: bool


def facts_of(line: Line, labels: Labels) -> Facts:
    """Return the facts of a line under a portal's labels."""
    facts = line.words.facts
    if facts is None or facts.labels is not labels:
        facts = line.words.facts = _read(line.words, labels)
    return facts


def _read(words: Words, labels: Labels) -> Facts:
    text = words.text
    dated = len(text) <= _DATE_LINE_LONGEST and bool(_DIGIT.search(text) or text.endswith((":", "："))) and not is_decoy(text)
    return Facts(
        labels,
        _prose(words),
        text.endswith(_ELLIPSIS),
        _is_end(words, labels),
        dated,
        dated and bool(labels.published_hint.search(text)),
        heads_comments(text),
    )


def _prose(words: Words) -> float:
    """How much a text looks like running text: unlinked characters, far less without a sentence mark, none for furniture."""
    chars = len(words.text) - words.link_chars
    if words.link_chars > chars or is_furniture(words.text):
        return 0.0
    if chars < MIN_PROSE or not _SENTENCE.search(words.text):
        return 0.2 * chars
    return float(chars)


def _is_end(words: Words, labels: Labels) -> bool:
    """Tell whether a text only ever stands behind an article: short, linked or a label, beginning with an end word."""
    text = words.text
    found = labels.end.match(text) if len(text) <= _END_LONGEST and labels.end_hint.match(text) else None
    if not found:
        return False
    return len(text) <= 24 or words.link_chars > 0 or text[found.end() : found.end() + 1] in (":", "：", "")
