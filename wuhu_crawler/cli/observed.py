"""`wuhu show --history` and `--views`: what was seen of an article at which time, rather than what it says."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Connection, text

from .. import settings
from ..db import queries
from ..errors import UsageError
from ..planning import gone
from .output import counted, print_json, print_table, remark

_SERIES = text(
    """
    SELECT observed_at, views, change, days, per_day, flag, capture_id FROM view_series
    WHERE portal = :portal AND article_id = :article_id ORDER BY observed_at, capture_id
    """
)
_ASKED = text("SELECT DISTINCT portal FROM article_observation WHERE article_id = :article_id ORDER BY portal")


def setting(name: str) -> float:
    """Return the number of a setting: of the environment, else its default. Raises UsageError for what is no number."""
    value = os.environ.get(name) or getattr(settings, name)
    try:
        return float(value)
    except ValueError as error:
        raise UsageError(f"{name}={value} must be a number") from error


def standing(connection: Connection, portal: str, article_id: int) -> str:
    """Return how an article stands, in words: present, missing since or gone since when, and by how many observations."""
    found = gone.state(connection, portal, article_id, gone.GoneRule.of(setting))
    if found is None:
        return "present (never asked for by its number)"
    seen = f"{counted(found['observations'], 'observation')}, the last {found['observed_at']}: {found['answer']}"
    if found["standing"] == "present":
        return f"present ({seen})"
    times = f"{counted(found['times_missing'], 'time')} until {found['missing_until']}"
    return f"{found['standing']} since {found['missing_since']}, {times} ({seen})"


def asked_of(connection: Connection, article_id: int, portal: str | None) -> str:
    """Return the portal that was asked for an article, had it one or not. Raises UsageError when none or several were."""
    captured = queries.portal_of(connection, article_id, portal)
    if captured is not None:
        return captured
    asked = [name for name in connection.execute(_ASKED, {"article_id": article_id}).scalars() if portal in (None, name)]
    if len(asked) > 1:
        raise UsageError(f"article {article_id} was asked of several portals: name one of {', '.join(asked)}")
    if not asked:
        raise UsageError(f"nobody asked for article {article_id} yet; `wuhu status` tells what the archive holds")
    return str(asked[0])


def print_history(connection: Connection, article_id: int, portal: str, *, as_json: bool) -> None:
    """Print every observation of an article, and what follows from them."""
    rows = gone.history(connection, portal, article_id)
    state = gone.state(connection, portal, article_id, gone.GoneRule.of(setting))
    if as_json:
        print_json({"portal": portal, "article_id": article_id, "state": state, "observations": rows}, indent=2)
        return
    columns = ("observed_at", "answer", "reason", "capture_id", "crawl_id", "url")
    print_table(
        ["observed (UTC)", "answer", "reason", "capture", "crawl", "url"], [[row[name] for name in columns] for row in rows]
    )
    remark(standing(connection, portal, article_id))


def print_views(connection: Connection, article_id: int, portal: str, *, as_json: bool) -> None:
    """Print the views of an article as a series, with what changed between two observations."""
    found = connection.execute(_SERIES, {"portal": portal, "article_id": article_id}).mappings()
    rows: list[dict[str, Any]] = [dict(row) for row in found]
    if as_json:
        print_json({"portal": portal, "article_id": article_id, "views": rows}, indent=2)
        return
    shown = [
        [
            r["observed_at"][:19],
            r["views"],
            _signed(r["change"]),
            _short(r["days"]),
            _short(r["per_day"]),
            r["flag"],
            r["capture_id"],
        ]
        for r in rows
    ]
    print_table(["observed (UTC)", "views", "change", "days", "a day", "flag", "capture"], shown)
    remark(counted(len(rows), "observation"))


def _signed(value: int | None) -> str | None:
    return None if value is None else f"{value:+d}"


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
