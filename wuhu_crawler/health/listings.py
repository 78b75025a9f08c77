"""Listings that show fewer entries than they used to: a page cut short shows less news, and hides the rest."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

from .findings import Finding
from .levels import Level, below
from .watch import Check, Facts, Odd, since


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Level]:
    # One entry more or less is what a list of so many can always have.
    return {row["url"]: Level(log(row["entries"] + 1), 1 / (row["entries"] + 1)) for row in facts["listings"]["by_page"]}


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    seen, usual = (exp(odd.evidence[name]) - 1 for name in ("seen", "expected"))
    text = f"The listing {key} shows {seen:.0f} entries, where {usual:.0f} were usual{since(first, now)}"
    evidence = {"expected": round(usual), "seen": round(seen), "url": key, "since": first["crawl"]["started_at"]}
    return Finding(kind="shrunken listing", level="attention", text=text, evidence=evidence)


LISTINGS = Check(name="listings", share=0.05, values=_values, odd=below, finding=_finding)
