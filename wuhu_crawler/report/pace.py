"""How politely a crawl went: the pauses between its requests, and how many there were a minute."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, text

_TIMES = text("SELECT captured_at, url FROM capture WHERE crawl_id = :crawl ORDER BY captured_at, id")


def facts(connection: Connection, crawl: str, settings: Any) -> dict[str, Any]:
    """Return the pace of a crawl: requests, seconds between two of them (least, median, longest), and requests in a minute.

    A pause is from one request's beginning to the next one's, so it holds the answer's time as well; that between two runs of a
    crawl counts like any other.
    """
    moments = [datetime.fromisoformat(row.captured_at) for row in connection.execute(_TIMES, {"crawl": crawl})]
    pauses = sorted((later - earlier).total_seconds() for earlier, later in pairwise(moments))
    minutes = Counter(moment.replace(second=0, microsecond=0) for moment in moments)
    told = settings if isinstance(settings, dict) else json.loads(settings or "{}")
    return {
        "requests": len(moments),
        "delay": told.get("DOWNLOAD_DELAY"),
        "least_pause": pauses[0] if pauses else None,
        "median_pause": pauses[len(pauses) // 2] if pauses else None,
        "longest_pause": pauses[-1] if pauses else None,
        "busiest_minute": max(minutes.values(), default=0),
        "a_minute": _rate(moments),
    }


def _rate(moments: list[datetime]) -> float | None:
    span = (moments[-1] - moments[0]).total_seconds() if len(moments) > 1 else 0.0
    return round(60 * (len(moments) - 1) / span, 2) if span > 0 else None
