"""What differs between two versions of an article: its fields, and its text by paragraphs and characters. Pure.

Paragraphs are matched first, the equal ones by their order, then those that stand elsewhere unchanged (moved), then the most
similar of what is left; inside of a pair the difference is told by characters, since Chinese has no words to cut at. Changes
with no more than two characters between them are told as one, as a reader would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

Op = Literal["equal", "insert", "delete"]
Kind = Literal["equal", "changed", "inserted", "deleted", "moved"]
# Fields as the published JSON names them, in the order they are told.
FIELDS = (
    "title",
    "url",
    "category",
    "breadcrumb",
    "published_text",
    "source_date_text",
    "outlets",
    "credits",
    "images",
    "attachments",
    "links",
)
# Paragraphs less alike than this are told as one deleted and one inserted.
ALIKE = 0.4
# The most pairs of paragraphs that are weighed against each other; a text rewritten beyond it is told as deleted and inserted.
_MOST_PAIRS = 2500
_SHORT = 2


class Piece(NamedTuple):
    """Some characters that stayed, came or went."""

    op: Op
    text: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs, as text: lists have an entry a line."""

    name: str
    before: str | None
    after: str | None
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class ParagraphChange:
    """A paragraph: `before` and `after` are its places in the two texts, from 1, None where it is not. A moved one may have
    been changed, too; it was not if `pieces` is but an equal one."""

    kind: Kind
    before: int | None
    after: int | None
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs; `paragraphs` are all of the later text and the deleted ones where they stood."""

    fields: list[FieldChange] = field(default_factory=list)
    paragraphs: list[ParagraphChange] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not self.fields and all(each.kind == "equal" for each in self.paragraphs)


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Return what differs between two versions, as the published JSON has them."""
    return Difference(list(_fields(before, after)), paragraphs(before["paragraphs"], after["paragraphs"]))


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in FIELDS:
        was, now = _words(before[name]), _words(after[name])
        if was != now:
            yield FieldChange(name, was, now, characters(was or "", now or ""))


def _words(value: Any) -> str | None:
    """Return a field as text, an entry of a list a line; None where there is nothing."""
    if isinstance(value, list):
        return "\n".join(_entry(each) for each in value) or None
    return None if value is None else str(value)


def _entry(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return " ".join(str(part) for name, part in value.items() if part and (name != "text" or "url" in value))


def paragraphs(before: Sequence[str], after: Sequence[str]) -> list[ParagraphChange]:
    """Return the paragraphs of the later text in their order, and the deleted ones where they stood."""
    pairs, moved = _pairs(before, after)
    partner = {was: now for now, was in pairs.items()}
    found: list[ParagraphChange] = []
    told = 0
    for now, text in enumerate(after):
        was = pairs.get(now)
        if was is None:
            found.append(ParagraphChange("inserted", None, now + 1, [Piece("insert", text)]))
            continue
        if now not in moved:
            found += _deleted(before, range(told, was), partner)
            told = max(told, was + 1)
        pieces = characters(before[was], text)
        kind: Kind = "moved" if now in moved else "equal" if before[was] == text else "changed"
        found.append(ParagraphChange(kind, was + 1, now + 1, pieces))
    return [*found, *_deleted(before, range(told, len(before)), partner)]


def _deleted(before: Sequence[str], places: range, partner: Mapping[int, int]) -> Iterator[ParagraphChange]:
    for was in places:
        if was not in partner:
            yield ParagraphChange("deleted", was + 1, None, [Piece("delete", before[was])])


def _pairs(before: Sequence[str], after: Sequence[str]) -> tuple[dict[int, int], set[int]]:
    """Return which paragraph each later one was, and which of them stand elsewhere now."""
    pairs: dict[int, int] = {}
    for was, now, length in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        pairs.update((now + each, was + each) for each in range(length))
    pairs.update(_equal_elsewhere(before, after, pairs))
    pairs.update(_alike(before, after, pairs))
    return pairs, _out_of_order(pairs)


def _equal_elsewhere(before: Sequence[str], after: Sequence[str], pairs: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    free: dict[str, list[int]] = {}
    taken = set(pairs.values())
    for was, text in enumerate(before):
        if was not in taken:
            free.setdefault(text, []).append(was)
    for now, text in enumerate(after):
        if now not in pairs and free.get(text):
            yield now, free[text].pop(0)


def _alike(before: Sequence[str], after: Sequence[str], pairs: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of the paragraphs that are left, the most alike first; of equally alike ones those nearest in place."""
    taken = set(pairs.values())
    gone = [was for was in range(len(before)) if was not in taken]
    come = [now for now in range(len(after)) if now not in pairs]
    if len(gone) * len(come) > _MOST_PAIRS:
        return
    ratios = [(_likeness(before[was], after[now]), -abs(was - now), now, was) for now in come for was in gone]
    paired_before: set[int] = set()
    paired_after: set[int] = set()
    for ratio, _, now, was in sorted(ratios, reverse=True):
        if ratio >= ALIKE and now not in paired_after and was not in paired_before:
            paired_after.add(now)
            paired_before.add(was)
            yield now, was


def _likeness(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE else 0.0


def _out_of_order(pairs: Mapping[int, int]) -> set[int]:
    """Return the later paragraphs that moved: all but the longest row whose order stayed (of equally long ones the first)."""
    order = sorted(pairs)
    lengths: list[int] = []  # of the longest row that ends at each place
    befores: list[int | None] = []  # the place before in that row
    for place, now in enumerate(order):
        rows = [(lengths[each], -each) for each in range(place) if pairs[order[each]] < pairs[now]]
        length, before = max(rows, default=(0, None))
        lengths.append(length + 1)
        befores.append(None if before is None else -before)
    last = max(range(len(order)), key=lengths.__getitem__, default=None)
    kept: set[int] = set()
    while last is not None:
        kept.add(order[last])
        last = befores[last]
    return set(order) - kept


def characters(before: str, after: str) -> list[Piece]:
    """Return how one text became the other, character by character."""
    pieces: list[Piece] = []
    gone = come = ""
    for op, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal" and (b - a > _SHORT or b == len(before) or not (gone or come)):
            pieces += [*_change(gone, come), Piece("equal", before[a:b])]
            gone = come = ""
        else:
            gone, come = gone + before[a:b], come + after[c:d]
    return [*pieces, *_change(gone, come)]


def _change(gone: str, come: str) -> list[Piece]:
    changes: tuple[Piece, ...] = (Piece("delete", gone), Piece("insert", come))
    return [piece for piece in changes if piece.text]
