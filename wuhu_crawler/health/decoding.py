"""Text that comes out ruined: characters that could not be decoded, and the marks of a wrong encoding."""

from __future__ import annotations

from collections.abc import Mapping

from .findings import Finding
from .shares import Share, too_many
from .watch import Check, Facts, Odd, since


def _values(facts: Facts, before: Facts | None) -> Mapping[str, Share]:
    found = facts["articles"]
    if not found["read"]:
        return {}
    decode = found["decode"]
    examples = tuple(each["url"] for each in decode["examples"][-3:])
    lossy = decode.get("lossy", min(decode["losses"], found["read"]))
    return {"ruined": Share(int(decode["ruined"]), found["read"], examples), "lossy": Share(lossy, found["read"], examples)}


_WORDS = {"ruined": "look wrongly decoded", "lossy": "hold characters that could not be decoded"}


def _finding(key: str, odd: Odd, first: Facts, now: Facts) -> Finding:
    evidence = odd.evidence
    encodings = now["articles"]["decode"]["encodings"]
    text = (
        f"{evidence['hits']} of {evidence['of']} pages {_WORDS[key]}, where {evidence['expected']:.1%} were usual"
        f"{since(first, now)}; read as {', '.join(encodings)}"
    )
    level = "broken" if evidence["seen"] >= 0.5 else "attention"
    told = {**evidence, "encodings": encodings, "since": first["crawl"]["started_at"]}
    return Finding(kind="mojibake", level=level, text=text, evidence=told)


DECODING = Check(
    name="decoding",
    share=0.04,
    values=_values,
    odd=too_many,
    finding=_finding,
    jobs=frozenset({"wuhu", "gaps", "recheck"}),
)
