"""Article numbers that leap ahead, or begin anew: the portal has another database, or another meaning of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1, log1p

from .findings import Finding
from .levels import Level, above
from .shares import Share, too_many
from .watch import Check, Facts, Odd, since


def _leaps(facts: Facts, before: Facts | None) -> Mapping[str, Level]:
    found = facts["articles"]
    highest, known = found["highest"], found.get("known")
    if highest is None or known is None or highest <= known:
        return {}
    return {"leap": Level(log1p(highest - known), 0.3)}


def _leapt(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    found, usual = now["articles"], expm1(odd.evidence["expected"])
    ahead = expm1(odd.evidence["seen"])
    text = f"Article numbers leap: the highest new one is {ahead:.0f} above the highest known, where {usual:.0f} were usual"
    evidence = {"expected": round(usual), "seen": round(ahead), "highest": found["highest"], "known": found.get("known")}
    return Finding(kind="number leap", level="attention", text=text + since(first, now), evidence=evidence)


def _old(facts: Facts, before: Facts | None) -> Mapping[str, Share]:
    found = facts["articles"]
    if before is None or not found["new"]["count"] or found.get("known") is None:
        return {}
    return {"below": Share(found.get("below", 0), found["new"]["count"])}


def _restarted(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    text = (
        f"{evidence['hits']} of {evidence['of']} new articles have numbers below {now['articles'].get('known')}, the highest "
        f"known before, where {evidence['expected']:.1%} were usual{since(first, now)}: do the numbers begin anew?"
    )
    return Finding(kind="low numbers", level="attention", text=text, evidence=evidence)


LEAPS = Check(name="number leaps", share=0.02, values=_leaps, odd=above, finding=_leapt)
RESTARTS = Check(name="low numbers", share=0.02, values=_old, odd=too_many, finding=_restarted)
