"""What a SQL view is to the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A view: what a row is, its columns with their meanings, and its query, in which macros may stand (views.py)."""

    comment: str
    columns: Mapping[str, str]
    query: str
