"""A crawl's plan in the archive: the rows it begins with, what became of it, and planned against done in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from ..db import models
from ..db.models import PLAN_PARTS
from ..items import to_json
from .done import done
from .plan import Part

Row = dict[str, Any]
Skips = Mapping[str, Mapping[str, int]]
# What the parts bring.
UNITS = {"listings": "new number", "new": "article", "owed": "article", "gaps": "article", "rechecks": "change"}


def rows_of(parts: Iterable[Part], now: datetime) -> list[Row]:
    """Return the rows a crawl begins with, without its ID."""
    return [
        {
            "part": part.name,
            "made_at": now,
            "planned": part.planned,
            "expected": part.expected,
            "done": None,
            "brought": None,
            "skipped": part.skipped,
        }
        for part in parts
    ]


def settled(connection: Connection, crawl_id: str, now: datetime, skips: Skips | None = None) -> list[Row]:
    """Return the rows of a crawl with what became of each part by now, without its ID; also of what was done without a plan.

    `skips` are those the crawl alone knows of: part -> reason -> how many.
    """
    before = {row["part"]: row for row in rows(connection, crawl_id)}
    found = done(connection, crawl_id)
    settled: list[Row] = []
    for name in PLAN_PARTS:
        if name not in before and name not in found:
            continue
        row, part = before.get(name, {"made_at": now, "planned": None, "expected": None, "skipped": {}}), found.get(name)
        counts = {"done": part.done, "brought": part.brought} if part else {"done": 0, "brought": 0}
        skipped = {**row["skipped"], **(part.skipped if part else {}), **(skips or {}).get(name, {})}
        settled.append({**row, "part": name, **counts, "skipped": skipped})
    return settled


def rows(connection: Connection, crawl_id: str) -> list[Row]:
    """Return the rows of a crawl's plan in the order of the parts, without its ID; none where it has none."""
    wanted = select(models.plan).where(models.plan.c.crawl_id == crawl_id)
    found = {row["part"]: dict(row) for row in connection.execute(wanted).mappings()}
    for row in found.values():
        row.pop("crawl_id")
    return [found[name] for name in PLAN_PARTS if name in found]


def as_object(row: Row) -> Row:
    """Return a row, ready for JSON."""
    return {name: to_json(value) for name, value in row.items()}


def sentence(found: Iterable[Row]) -> str:
    """Return planned against done, what it brought and what was skipped, in one line."""
    made: list[str] = []
    brought, skipped = Counter[str](), Counter[str]()
    for row in found:
        planned = "(not planned)" if row["planned"] is None else f"of {row['planned']}"
        made.append(f"{row['part']} {row['done']} {planned}")
        brought[UNITS[row["part"]]] += row["brought"]
        skipped.update(row["skipped"])
    had = ", ".join(counted(number, unit) for unit, number in brought.items())
    why = ", ".join(f"{number} {reason}" for reason, number in skipped.most_common())
    return "; ".join([", ".join(made) or "nothing", *([f"brought {had}"] if had else []), *([f"skipped {why}"] if why else [])])


def counted(number: float, unit: str) -> str:
    """Return a number of what a part brings, with its noun."""
    shown = f"{number}" if isinstance(number, int) else f"{number:.1f}"
    return f"{shown} {unit}" if number == 1 else f"{shown} {unit}s"
