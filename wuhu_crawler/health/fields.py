"""Fields that are shown by fewer pages than they used to be, and texts that have become shorter."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log

from .findings import Finding
from .levels import Level, below
from .shares import Share, too_few
from .watch import Check, Facts, Odd, since

# Without these what is kept is no article any more.
_NEEDED = frozenset({"title", "published_at", "body"})
# A mean of texts has the noise of the texts: so much for one of them, by their logarithm.
_TEXT_NOISE = 1.0


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Share]:
    found = facts["articles"]
    examples = tuple(each["url"] for kind in ("new", "changed") for each in found[kind]["examples"][-3:])
    if not found["read"]:
        return {}
    return {name: Share(hits, found["read"], examples) for name, hits in found["fields"].items()}


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    text = (
        f"Fewer pages show the field {key}: {evidence['hits']} of {evidence['of']}, where {evidence['expected']:.0%} of them "
        f"were usual{since(first, now)}"
    )
    level = "broken" if key in _NEEDED and evidence["seen"] < 0.5 else "attention"
    return Finding(
        kind="field", level=level, text=text, evidence={**evidence, "field": key, "since": first["crawl"]["started_at"]}
    )


def _lengths(facts: Facts, before: Facts | None) -> Mapping[str, Level]:
    found = facts["articles"]
    if not found["read"] or not found["characters"]:
        return {}
    return {"characters": Level(log(found["characters"] / found["read"]), _TEXT_NOISE / found["read"] ** 0.5)}


def _shorter(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    seen, usual = (exp(odd.evidence[name]) for name in ("seen", "expected"))
    text = f"Articles are shorter: {seen:.0f} characters on average, where {usual:.0f} were usual{since(first, now)}"
    evidence = {"expected": round(usual), "seen": round(seen), "since": first["crawl"]["started_at"]}
    return Finding(kind="shorter texts", level="attention", text=text, evidence=evidence)


FIELDS = Check(name="fields", share=0.08, values=_values, odd=too_few, finding=_finding)
LENGTH = Check(name="length of texts", share=0.02, values=_lengths, odd=below, finding=_shorter)
