"""What needs no history: how a run ended, a portal that shuts us out, and a disk that will soon be full."""

from __future__ import annotations

from collections.abc import Iterator

from .failures import kind_of
from .findings import Finding
from .watch import Facts

# How a run ended that did not come to its end by itself.
_ENDS = {
    1: ("bug", "broken", "a bug of ours ended the run, or met some of its pages: the log has it"),
    11: ("disk full", "broken", "the disk was full: make room, then resume the crawl"),
    13: ("storage", "broken", "the archive could not be written: see `wuhu verify` and the system's log"),
    10: ("interrupted", "note", "the run was interrupted and can be resumed"),
}
# A disk is watched for as long as it takes to get another one.
_MONTH = 30
# Arguments by which a crawl takes a part of what there is, or more than a walk does.
NARROWED = frozenset({"limit", "since", "until", "category", "url", "pages", "full", "from", "to"})


def regular(facts: Facts) -> bool:
    """Tell whether a run is like the others of its job: whole, of everything, and not shut out."""
    run = facts["run"]
    return run["exit_code"] in (0, 5) and not shut_out(facts) and not narrowed(facts)


def narrowed(facts: Facts) -> list[str]:
    """Return the arguments that make a crawl another than every night's."""
    return sorted(NARROWED & dict(facts["crawl"].get("arguments") or {}).keys())


def shut_out(facts: Facts) -> bool:
    """Tell whether the portal was not to be had: the crawl stopped itself, or met no page of the portal at all."""
    run, pages = facts["run"], facts["articles"]["pages"]
    if run["exit_code"] != 5:
        return False
    return run["reason"] == "PortalStopped" or not (pages.get("article", 0) + pages.get("listing", 0) + pages.get("missing", 0))


def findings(facts: Facts) -> Iterator[Finding]:
    """Yield what is odd about a run whatever was before."""
    yield from _ending(facts)
    yield from _disk(facts)


def _ending(facts: Facts) -> Iterator[Finding]:
    run = facts["run"]
    if shut_out(facts):
        yield _refused(facts)
    elif run["exit_code"] in _ENDS:
        kind, level, words = _ENDS[run["exit_code"]]
        evidence = {"exit_code": run["exit_code"], "reason": run["reason"]}
        yield Finding(kind=kind, level=level, text=words[0].upper() + words[1:], evidence=evidence)
    elif run["exit_code"] is None:
        text = "The run has not come to its end, or it was killed"
        yield Finding(kind="unfinished", level="note", text=text, evidence={"started_at": run["started_at"]})
    if told := narrowed(facts):
        text = f"Not held against other runs: this one was asked for something else ({', '.join(told)})"
        yield Finding(kind="narrowed", level="note", text=text, evidence={"arguments": told})


def _refused(facts: Facts) -> Finding:
    rows = [row for row in facts["troubles"] if kind_of(row["outcome"], row["reason"]) not in (None, "missing")]
    reasons = [f"{row['urls']} × {row['reason'] or row['outcome']}" for row in rows[:3]]
    examples = [each["url"] for row in rows for each in row["examples"]][:5]
    text = f"The portal was not to be had, and the crawl stopped: {'; '.join(reasons) or 'nothing was fetched'}"
    evidence = {"expected": "pages of the portal", "seen": reasons, "examples": examples, "since": facts["crawl"]["started_at"]}
    return Finding(kind="shut out", level="broken", text=text, evidence=evidence)


def _disk(facts: Facts) -> Iterator[Finding]:
    space = facts["space"]
    if space["free"] is not None and space["free"] < 2 * space["bytes"]:
        text = f"The disk is nearly full: {space['free']:,} bytes are free, and this run wrote {space['bytes']:,}"
        yield Finding(kind="disk", level="broken", text=text, evidence={"seen": space["free"], "expected": 2 * space["bytes"]})
    elif space["days_left"] is not None and space["days_left"] < _MONTH:
        text = f"The disk is full in {space['days_left']} days if the archive grows as it did"
        evidence = {"seen": space["days_left"], "expected": f"{_MONTH} days", "bytes_a_day": space["bytes_a_day"]}
        yield Finding(kind="disk", level="attention", text=text, evidence=evidence)
