"""A server that has become slow: the middle of the pauses between two requests, against crawls of the same delay."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

from .findings import Finding
from .levels import Level, above
from .watch import Check, Facts, Odd, since

# A tenth more or less is the weather of a network. A pause below a hundredth of a second is no pause.
_NOISE, _LEAST = 0.1, 0.01
# The middle of fewer pauses says nothing.
_PAUSES = 5


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Level]:
    pace = facts["pace"]
    if pace["median_pause"] is None or pace["requests"] <= _PAUSES:
        return {}
    return {"pace": Level(log(max(_LEAST, pace["median_pause"])), _NOISE, pace["delay"])}


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    seen, usual = (exp(odd.evidence[name]) for name in ("seen", "expected"))
    text = f"The server is slow: {seen:.2f} s from a request to the next, where {usual:.2f} s were usual{since(first, now)}"
    evidence = {"expected": round(usual, 3), "seen": round(seen, 3), "since": first["crawl"]["started_at"]}
    return Finding(kind="slow server", level="attention", text=text, evidence=evidence)


PACE = Check(name="pace", share=0.03, values=_values, odd=above, finding=_finding, jobs=frozenset({"wuhu", "gaps", "recheck"}))
