"""`wuhu diff`: what an edit changed, readable on a terminal, in a file, and by programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from ..db import queries
from ..errors import UsageError
from ..versions import Difference, ParagraphChange, Piece, compare
from .opened import reading
from .output import counted, print_json, remark

_KEPT = ("capture_id", "captured_at")
_MARKS = {"equal": ("", ""), "delete": ("[-", "-]"), "insert": ("{+", "+}")}
_STYLES: dict[str, dict[str, Any]] = {
    "equal": {},
    "delete": {"fg": "red", "strikethrough": True},
    "insert": {"fg": "green", "underline": True},
}


@click.command()
@click.argument("article_id", type=click.IntRange(1, (1 << 63) - 1))
@click.argument("first", metavar="[A", type=click.IntRange(1), required=False)
@click.argument("second", metavar="B]", type=click.IntRange(1), required=False)
@click.option("--portal", metavar="NAME", help="Which portal's article, when the archive holds several.")
@click.option("--color/--no-color", default=None, help="By colour, or by [-...-]{+...+} (default: colour on a terminal).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def diff(article_id: int, first: int | None, second: int | None, portal: str | None, color: bool | None, as_json: bool) -> None:
    """Show what differs between two versions of an article: by default the last two, with A that version and the latest.

    Fields first, then the text: of a changed paragraph the characters that went and came, a moved one with where it stood,
    unchanged ones counted. Versions are numbered from 1 (`wuhu show ID --provenance` lists them). The exit code is 0 whether
    anything differs or not, 2 for an article or a version that is not there.
    """
    with reading() as connection:
        latest = queries.article_versions(connection, article_id, portal)
        if not latest:
            raise UsageError(f"article {article_id} is not in the archive; `wuhu search` and `wuhu status` tell what is")
        if latest == 1 and (first or 1) == (second or 1) == 1:
            _tell_single(article_id, as_json=as_json)
            return
        numbers = (first or latest - 1, second or latest)
        for number in numbers:
            if number > latest:
                raise UsageError(f"article {article_id} has {counted(latest, 'version')}; there is no version {number}")
        before, after = (queries.article(connection, article_id, portal, number) for number in numbers)
    if before is None or after is None:
        raise UsageError(f"article {article_id} has {counted(latest, 'version')}")
    found = compare(before, after)
    if as_json:
        sides = [
            {"version": number, **{name: each[name] for name in _KEPT}}
            for number, each in zip(numbers, (before, after), strict=True)
        ]
        facts = {"portal": after["portal"], "article_id": article_id, "before": sides[0], "after": sides[1]}
        print_json({**facts, **asdict(found)}, indent=2)
        return
    coloured = color if color is not None else sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(f"article {article_id}: version {numbers[0]} ({before['captured_at']}) -> {numbers[1]} ({after['captured_at']})")
    for line in lines(found, coloured=coloured):
        click.echo(line, color=coloured)


def _tell_single(article_id: int, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"article_id": article_id, "before": None, "after": {"version": 1}, "fields": [], "paragraphs": []}, indent=2
        )
    remark(f"article {article_id} has one version only: nothing to compare it with")


def lines(found: Difference, *, coloured: bool) -> Iterator[str]:
    """Yield the difference as lines of text."""
    for change in found.fields:
        yield f"{change.name}: {_text(change.pieces, coloured=coloured)}".replace("\n", "\n  ")
    unchanged = 0
    for each in found.paragraphs:
        if each.kind == "equal":
            unchanged += 1
            continue
        if unchanged:
            yield _unchanged(unchanged)
        unchanged = 0
        yield f"{_place(each)} {_text(each.pieces, coloured=coloured)}"
    if unchanged:
        yield _unchanged(unchanged)


def _unchanged(number: int) -> str:
    return f"  ... {counted(number, 'paragraph')} unchanged"


def _place(each: ParagraphChange) -> str:
    if each.kind == "moved":
        return f"  {each.after} (moved, was {each.before})"
    return f"  {each.after or each.before} ({each.kind})"


def _text(pieces: list[Piece], *, coloured: bool) -> str:
    if coloured:
        return "".join(click.style(piece.text, **_STYLES[piece.op]) for piece in pieces)
    return "".join(piece.text.join(_MARKS[piece.op]) for piece in pieces)
