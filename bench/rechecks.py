"""Whether a budget of re-checks suffices: a year of nights by the rules of `planning.intervals`, without any request.

50,000 articles are captured in one night, the youngest of that day, twenty a day before; every day brings twenty more and five
edits of any article. It prints looks a night, how many were left over, and how long edits were not seen.

    make bench-rechecks
    .venv/bin/python bench/rechecks.py --ratio 3
"""

from __future__ import annotations

import argparse
from statistics import median

from wuhu_crawler.planning.intervals import NIGHT, Rule, interval, level
from wuhu_crawler.planning.rechecks import Load

ARTICLES, NEW, EDITS, NIGHTS = 50_000, 20, 5, 365


def main() -> None:
    """Play the year and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratio", type=float, default=2.0)
    parser.add_argument("--budget", type=int, default=700)
    asked = parser.parse_args()
    rule = Rule(ratio=asked.ratio)
    changed = [-number / NEW for number in range(ARTICLES)]
    turns, waits = [0] * ARTICLES, [0] * ARTICLES
    falling: list[list[tuple[int, int]]] = [[] for _ in range(NIGHTS + 2 * rule.longest)]
    edited: dict[int, int] = {}
    loads, delays, excess, left, late = [], [], 0.0, 0, []

    def look(number: int, night: int) -> None:
        turns[number] += 1
        waits[number] = int(interval(NIGHT * (night - changed[number]), rule) / NIGHT)
        falling[night + waits[number]].append((number, turns[number]))

    for number in range(ARTICLES):
        look(number, 0)
    for night in range(1, NIGHTS + 1):
        coming = [[number for number, turn in falling[night + h] if turns[number] == turn] for h in range(rule.longest)]
        coming[0] = late + coming[0]
        load = Load(rule)
        for nights, numbers in enumerate(coming):
            for number in numbers:
                load.add(nights, NIGHT * waits[number])
        number, horizon = level(load.falling_due(), asked.budget)
        tonight, late = coming[0][: asked.budget], coming[0][asked.budget :]
        ahead = sorted((each for numbers in coming[1:horizon] for each in numbers), key=lambda each: -waits[each])
        tonight += ahead[: max(0, number - len(tonight))]
        loads.append(len(tonight))
        left = max(left, len(late))
        for each in tonight:
            if each in edited:
                delays.append(night - edited[each])
                excess = max(excess, delays[-1] / waits[each])
                changed[each] = night
                del edited[each]
            look(each, night)
        for number in range(NEW):
            changed.append(night)
            turns.append(0)
            waits.append(0)
            look(len(changed) - 1, night)
            if number < EDITS:
                edited.setdefault((night * 7919 + number * 104_729) % len(changed), night)
    print(f"ratio {asked.ratio:g}, budget {asked.budget}: {sum(loads) / len(loads):.0f} looks a night, at most {max(loads)}")
    print(f"left over at worst {left}; the longest delay was {excess:.2f} of its interval")
    print(f"edits seen after {median(delays):.0f} days (median of {len(delays)}), {max(delays)} at most")


if __name__ == "__main__":
    main()
