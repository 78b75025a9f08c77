"""How `wuhu extract --explain` prints: for people in 100 columns, for machines as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from rich.cells import cell_len, set_cell_size

from ..extract.explanation import FieldReport
from ..extract.places import Place
from ..items import PageItem

_WIDTH = 100
_LABEL = 10


def as_json(name: str, item: PageItem, reports: list[FieldReport]) -> dict[str, Any]:
    """Return what --explain --json prints of one page."""
    fields = [{**asdict(r), "places": _places(r.places), "near": _places(r.near)} for r in reports]
    return {"input": name, "url": item.url, "kind": item.kind, "encoding": item.encoding, "fields": fields}


def _places(places: list[Place]) -> list[dict[str, str | None]]:
    return [{"xpath": place.xpath or None, "words": place.words} for place in places]


def show(name: str, item: PageItem, reports: list[FieldReport]) -> None:
    """Print the reports of one page."""
    click.secho(name, bold=True)
    if item.url != name:
        _line("url", item.url)
    lost = f", {item.decode_losses} characters could not be read" if item.decode_losses else ""
    _line("read as", f"{item.encoding or 'no text'}{lost}")
    for report in reports:
        click.echo()
        _field(report)


def _field(report: FieldReport) -> None:
    click.secho(f"{report.field:<{_LABEL + 2}}", bold=True, nl=False)
    room = _WIDTH - max(_LABEL + 2, len(report.field))
    click.echo(
        " " * (len(report.field) >= _LABEL + 2) + short(report.value, room - 1) if report.value is not None else "(empty)"
    )
    if report.rule:
        _line("rule", report.rule)
    if report.words and report.words != report.value:
        _line("words", report.words)
    if report.reason:
        _line("why", report.reason)
    for place in report.places[:3]:
        _place("place", place, words=len(report.places) > 1)
    if len(report.places) > 3:
        _line("", f"and {len(report.places) - 3} more places")
    for place in report.near:
        _place("near", place, words=True)


def _place(label: str, place: Place, *, words: bool) -> None:
    if words and place.words:
        _line(label, place.words)
        label = ""
    if place.xpath:
        # A path is copied into a browser or xmllint: never cut.
        click.echo(f"  {label:<{_LABEL}}{place.xpath}")


def _line(label: str, words: str) -> None:
    click.echo(f"  {label:<{_LABEL}}{short(words, _WIDTH - _LABEL - 2)}")


def short(words: str, room: int) -> str:
    """Return words on one line, cut at so many columns of a terminal, where a Chinese character takes two."""
    words = " ".join(words.split())
    return words if cell_len(words) <= room else set_cell_size(words, room - 1).rstrip() + "…"
