"""The time of day, in one place. `WUHU_CLOCK` sets it: simulations crawl a portal of this machine through a year of nights.

An archive must not lie about when it saw a page. So a set clock goes on running from the time it is set to, stands in every
WARC file it dated (`setting-wuhu_clock`), and is refused for a portal that is not on this machine (ingest.py).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import cache

from .errors import UsageError

VARIABLE = "WUHU_CLOCK"


def now() -> datetime:
    """Return the time now, aware, in UTC. Raises UsageError when WUHU_CLOCK is set to what is no time."""
    set_off = shift()
    return datetime.now(UTC) + set_off


@cache
def shift() -> timedelta:
    """Return how far the clock is set from the true time; it is set when the process first asks for it."""
    text = os.environ.get(VARIABLE)
    if not text:
        return timedelta(0)
    try:
        set_to = datetime.fromisoformat(text)
    except ValueError:
        set_to = None
    if set_to is None or set_to.tzinfo is None:
        raise UsageError(f"{VARIABLE}={text} must be a time with its offset, like 2024-05-01T02:00:00+08:00")
    return set_to - datetime.now(UTC)
