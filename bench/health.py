"""How well `health` judges: false alarms in quiet simulated years, and twelve kinds of planted trouble found within two runs.

The rules were fixed on seeds 0 to 4; the figures that count are those of the others. --json for programs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from statistics import mean
from typing import Any

from nightly import TROUBLES, Portal, planted

from wuhu_crawler.health.findings import Finding
from wuhu_crawler.health.judge import Judge

# A history of so many nights comes before a quiet year, and before a trouble at the least.
BEFORE, RUNS = 60, 2


def alarms(findings: list[Finding]) -> set[tuple[str, str]]:
    """Return what an alarm was raised for: kind, and of what."""
    named = ("field", "category", "url")
    return {
        (found.kind, next((str(found.evidence[name]) for name in named if found.evidence.get(name)), ""))
        for found in findings
        if found.level != "note"
    }


def quiet_year(seed: int, nights: int) -> list[tuple[int, str, str]]:
    """Return the false alarms of a year in which nothing is wrong: (night, kind, text); one that lasts counts once."""
    portal, judge, standing, raised = Portal(seed), Judge("wuhu"), set[tuple[str, str]](), []
    for night in range(BEFORE + nights):
        findings, _ = judge.take(portal.next())
        now = alarms(findings)
        if night >= BEFORE:
            raised += [(night, kind, of) for kind, of in sorted(now - standing)]
        standing = now
    return raised


def found_after(seed: int, trouble: str, most: int = 14) -> int | None:
    """Return after how many runs a trouble is found that begins on a night of the seed's choice; None: not within `most`."""
    rng = random.Random(f"trouble:{seed}:{trouble}")
    portal, judge = Portal(seed), Judge("wuhu")
    for _ in range(BEFORE + rng.randrange(300)):
        judge.take(portal.next())
    for run in range(1, most + 1):
        facts = portal.next()
        findings, _ = judge.take(planted(facts, trouble))
        if {found.kind for found in findings if found.level != "note"} & TROUBLES[trouble][1]:
            return run
    return None


def main() -> int:
    """Simulate and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs=2, default=(5, 25), metavar=("FIRST", "END"), help="default 5 25: 5 to 24")
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(*options.seeds)
    quiet = {seed: quiet_year(seed, options.nights) for seed in seeds}
    told: dict[str, Any] = {"seeds": list(options.seeds), "nights": options.nights, "false_alarms": quiet, "found": {}}
    for trouble in TROUBLES:
        told["found"][trouble] = [found_after(seed, trouble) for seed in seeds]
    if options.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _print(told, len(seeds))
    return 0


def _print(told: dict[str, Any], seeds: int) -> None:
    counts = [len(raised) for raised in told["false_alarms"].values()]
    print(f"{seeds} quiet years of {told['nights']} nights: {mean(counts):.2f} false alarms a year, {max(counts)} in the worst")
    for kind, count in Counter((kind, of) for raised in told["false_alarms"].values() for _, kind, of in raised).most_common():
        print(f"  {count} × {' '.join(kind)}")
    print(f"\n{'planted trouble':<20} found within {RUNS} runs   after runs (-: not within 14)")
    for trouble, runs in told["found"].items():
        within = sum(run is not None and run <= RUNS for run in runs)
        print(f"{trouble:<20} {within} of {len(runs):<14} {' '.join(str(run or '-') for run in runs)}")


if __name__ == "__main__":
    sys.exit(main())
