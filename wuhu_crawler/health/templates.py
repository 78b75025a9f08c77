"""Pages read by a template that was never met before. Rare ones keep turning up for a while: how often is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .findings import Finding
from .tails import pooled, share_at_least
from .watch import FEWEST, Check, Facts, Odd, Past, since

KEY = "template"
# Templates of their own come singly, as far as nothing else is known.
_LIKENESS = 0.005
# A template of few pages is looked for in so many runs together.
_SPANS = (1, 2, 4)


class Templates(NamedTuple):
    """The templates of a run: fingerprint -> pages, and fingerprint -> a page and its labels."""

    pages: Mapping[str, int]
    shown: Mapping[str, tuple[str, str]]


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Templates]:
    found = facts["articles"]["templates"]
    if not found:
        return {}
    pages = {each["fingerprint"]: each["articles"] for each in found}
    return {KEY: Templates(pages, {each["fingerprint"]: (each["example"], " ".join(each["labels"])) for each in found})}


def _odd(value: Templates, past: Past[Templates], chance: float) -> Odd | None:
    for runs in _SPANS:
        usual, latest = past.span(runs)
        found = _new(value, usual, latest, chance / len(_SPANS))
        if found is not None:
            return found
    return None


def _new(value: Templates, usual: Sequence[Templates], latest: Sequence[Templates], chance: float) -> Odd | None:
    known, novel = _history(usual)
    if value.pages.keys() <= known:
        return None
    pages = Counter(value.pages)
    for each in latest:
        pages.update(each.pages)
    new = {mark: count for mark, count in pages.items() if mark not in known and mark in value.pages}
    of = pages.total()
    share, likeness = pooled(novel, _LIKENESS)
    found = share_at_least(sum(new.values()), of, share, likeness)
    if found >= chance:
        return None
    told = [
        {"fingerprint": mark, "pages": count, "labels": value.shown[mark][1], "example": value.shown[mark][0]}
        for mark, count in sorted(new.items(), key=lambda each: -each[1])
    ]
    return Odd(found, len(latest) + 1, {"expected": round(share, 4), "seen": sum(new.values()), "of": of, "templates": told})


def _history(usual: Sequence[Templates]) -> tuple[set[str], list[tuple[int, int]]]:
    """Return the templates that are known, and of each usual run but the first ones how many pages were of new ones."""
    known: set[str] = set()
    novel: list[tuple[int, int]] = []
    for number, each in enumerate(usual):
        if number >= FEWEST // 2:
            novel.append((sum(count for mark, count in each.pages.items() if mark not in known), sum(each.pages.values())))
        known |= each.pages.keys()
    return known, novel


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    examples = ", ".join(each["example"] for each in evidence["templates"][:2])
    text = (
        f"{evidence['seen']} of {evidence['of']} pages were read by a template that was not met before (labels: "
        f"{evidence['templates'][0]['labels'] or 'none'}; for instance {examples}){since(first, now)}"
    )
    told = {**evidence, "since": first["crawl"]["started_at"]}
    return Finding(kind="new template", level="attention", text=text, evidence=told)


TEMPLATES = Check(name="templates", share=0.06, values=_values, odd=_odd, finding=_finding, remembered=400)
