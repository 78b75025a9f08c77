"""What was asked for and not had, more often than usual: error pages, refusals, losses, missing pages, unread pages."""

from __future__ import annotations

from collections.abc import Mapping

from .findings import Finding
from .shares import Share, too_many
from .watch import Check, Facts, Odd, since

_LOST = frozenset({"failed", "truncated", "postponed"})
# How the reason of an outcome begins when the portal answered with an error page.
ERROR_PAGE = ("portal error", "HTTP 5", "empty page")
_WORDS = {
    "errors": "were answered with an error page",
    "lost": "were lost on the way (timeouts, cut answers)",
    "blocked": "were refused by the portal",
    "missing": "were not there, though a page of the portal links to them",
}


def kind_of(outcome: str, reason: str | None) -> str | None:
    """Return which kind of failure an outcome is; None for what is no failure."""
    if outcome in ("blocked", "missing"):
        return outcome
    if outcome in _LOST:
        return "errors" if (reason or "").startswith(ERROR_PAGE) else "lost"
    return None


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Share]:
    asked = sum(count for outcome, count in facts["outcomes"].items() if outcome != "excluded")
    if not asked:
        return {}
    hits, examples = dict.fromkeys(_WORDS, 0), dict[str, tuple[str, ...]]()
    for row in facts["troubles"]:
        kind = kind_of(row["outcome"], row["reason"])
        if kind is not None:
            hits[kind] += row["urls"]
            examples[kind] = (*examples.get(kind, ()), *(each["url"] for each in row["examples"][:3]))[:5]
    return {kind: Share(count, asked, examples.get(kind, ())) for kind, count in hits.items()}


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    reasons = sorted({row["reason"] or "" for row in now["troubles"] if kind_of(row["outcome"], row["reason"]) == key})
    why = f" ({'; '.join(reasons[:2])})" if reasons else ""
    text = (
        f"{evidence['hits']} of {evidence['of']} URLs {_WORDS[key]}, where {evidence['expected']:.1%} were usual"
        f"{since(first, now)}{why}"
    )
    told = {**evidence, "reasons": reasons[:5], "since": first["crawl"]["started_at"]}
    return Finding(kind=key, level="attention", text=text, evidence=told)


def _others(facts: Facts, before: Facts | None) -> Mapping[str, Share]:
    pages = facts["articles"]["pages"]
    strange, articles = pages.get("other", 0), pages.get("article", 0)
    return {"other": Share(strange, strange + articles)} if strange + articles else {}


def _unread(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    text = (
        f"{evidence['hits']} of {evidence['of']} pages were neither article nor listing, where {evidence['expected']:.1%} were "
        f"usual{since(first, now)}: are their articles still understood?"
    )
    told = {**evidence, "since": first["crawl"]["started_at"]}
    return Finding(kind="unread pages", level="attention", text=text, evidence=told)


_ALL = frozenset({"wuhu", "gaps", "recheck"})
FAILURES = Check(name="failures", share=0.08, values=_values, odd=too_many, finding=_finding, jobs=_ALL)
OTHERS = Check(name="unread pages", share=0.03, values=_others, odd=too_many, finding=_unread)
