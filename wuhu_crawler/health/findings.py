"""What is odd about a run: a kind, how bad, a sentence, and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# How bad a finding is; the verdict of a run is that of its worst.
LEVELS = ("note", "attention", "broken")
# Exit codes of `wuhu health` (docs/operations.md).
EXIT_CODES = {"well": 0, "early": 0, "attention": 20, "broken": 21}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is odd: its kind in a word, its level, a sentence with the numbers, and what they are from."""

    kind: str
    level: str
    text: str
    evidence: dict[str, Any] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


def verdict(findings: Sequence[Finding], *, judged: bool) -> str:
    """Return the verdict of a run: broken, attention, well, or early where there was too little history to judge by."""
    levels = {finding.level for finding in findings}
    for level in ("broken", "attention"):
        if level in levels:
            return level
    return "well" if judged else "early"
