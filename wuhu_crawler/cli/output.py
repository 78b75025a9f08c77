"""How commands print: JSON for machines, tables and text for people. Data on stdout, remarks on stderr."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value as one JSON document, Chinese as it is."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=indent))


def remark(text: str) -> None:
    """Tell the user something that is not data."""
    click.echo(text, err=True)


def print_table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print rows under their headings; None is an empty cell."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(soft_wrap=False).print(table)
