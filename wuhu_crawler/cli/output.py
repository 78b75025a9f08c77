"""How commands print: JSON for machines, tables and text for people. Data on stdout, remarks on stderr."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.cells import cell_len, set_cell_size


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value as one JSON document, Chinese as it is."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=indent))


def remark(text: str) -> None:
    """Tell the user something that is not data."""
    click.echo(text, err=True)


def print_table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print rows under their headings, columns aligned by display width, nothing cut or wrapped; None is an empty cell."""
    texts = [columns, *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(cell_len(row[i]) for row in texts) for i in range(len(columns))]
    for number, row in enumerate(texts):
        line = "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.secho(line, bold=number == 0)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
