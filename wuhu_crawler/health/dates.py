"""Dates of another clock or zone: articles dated after they were captured, and hours from publication to capture that shift."""

from __future__ import annotations

from collections.abc import Mapping

from .arrivals import NIGHT, days_since
from .findings import Finding
from .levels import Level, apart
from .shares import Share, too_many
from .watch import Check, Facts, Odd, since

# Half an hour is what a crawl that begins a little later makes; of fewer times the middle says nothing.
_NOISE, _TIMES = 0.5, 3


def _ahead(facts: Facts, before: Facts | None) -> Mapping[str, Share]:
    dates = facts["articles"]["dates"]
    if not dates["timed"]:
        return {}
    return {"ahead": Share(dates["ahead"], dates["timed"], tuple(dates.get("examples", ())))}


def _future(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    text = (
        f"{evidence['hits']} of {evidence['of']} new articles are dated an hour or more after they were captured, where "
        f"{evidence['expected']:.1%} were usual{since(first, now)}: the portal's clock or zone has changed"
    )
    return Finding(kind="dates ahead", level="attention", text=text, evidence=evidence)


def _lags(facts: Facts, before: Facts | None) -> Mapping[str, Level]:
    dates, days = facts["articles"]["dates"], days_since(facts, before)
    # After a night without a crawl there is older news.
    if days is None or not NIGHT[0] <= days <= NIGHT[1] or dates["timed"] < _TIMES:
        return {}
    return {name: Level(dates[f"{name}_hours"], _NOISE) for name in ("least", "median")}


def _shifted(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    which = "the latest" if key == "least" else "half of the"
    text = (
        f"The times of new articles have shifted: {which} are {evidence['seen']:.1f} hours old when they are captured, where "
        f"{evidence['expected']:.1f} were usual{since(first, now)}: has the portal another clock or time zone?"
    )
    return Finding(kind="shifted times", level="attention", text=text, evidence=evidence)


AHEAD = Check(name="dates ahead", share=0.02, values=_ahead, odd=too_many, finding=_future)
LAGS = Check(name="shifted times", share=0.05, values=_lags, odd=apart, finding=_shifted)
