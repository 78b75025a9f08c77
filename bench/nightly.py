"""Simulated facts of nightly runs: a portal of the family with its weekdays, holidays, growth and accidents, and planted trouble.

What a report's facts would hold of each night, drawn from a seed; nothing is crawled. Used by health.py and by the tests.
"""

# ruff: noqa: E501 -- a night of facts is a table

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any

Facts = dict[str, Any]
CATEGORIES = {"本地新闻": 0.45, "社区动态": 0.2, "教育信息": 0.12, "文化旅游": 0.1, "产业经济": 0.08, "资讯杂谈": 0.05}
WEEKDAYS = (1.1, 1.15, 1.1, 1.1, 1.05, 0.7, 0.5)
TEMPLATES = {"aaaa": 0.6, "bbbb": 0.3, "cccc": 0.09, "dddd": 0.01}
FIELDS = {
    "title": 1.0, "published_at": 0.998, "source_date": 0.5, "category": 0.99, "reporters": 0.62, "outlets": 0.7, "views": 0.86,
    "body": 0.995,
}  # fmt: skip
LISTINGS = {
    f"http://portal.example/news/Class.asp?ClassID={number}": size for number, size in enumerate([20] * 8 + [48, 25, 15])
}
SPRING = {2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26)}


class Portal:
    """One portal's nights, the same from a seed."""

    def __init__(self, seed: int, first: datetime | None = None, mean: float = 20) -> None:
        self._rng = random.Random(f"nights:{seed}")
        self._first = first or datetime(2025, 1, 1, 14, tzinfo=UTC) + timedelta(days=self._rng.randrange(365))
        self._mean = mean * self._rng.uniform(0.8, 1.5)
        self._growth = self._rng.uniform(-0.1, 0.3)
        self._spread = self._rng.uniform(0.01, 0.05)
        self._highest, self._archive = 50_000, 2_000_000_000
        self.night = 0

    def next(self) -> Facts:
        """Return the facts of the next night."""
        rng, when = self._rng, self._first + timedelta(days=self.night)
        mean = self._mean * WEEKDAYS[when.weekday()] * (1 + self._growth * self.night / 365) * _season(when)
        counts = Counter(
            rng.choices(list(CATEGORIES), list(CATEGORIES.values()), k=_poisson(rng, _gamma(rng, mean, self._spread)))
        )
        new = counts.total()
        read = new + _poisson(rng, 1.5)
        fields = {name: sum(rng.random() < share for _ in range(read)) for name, share in FIELDS.items()}
        templates = Counter(rng.choices(list(TEMPLATES), list(TEMPLATES.values()), k=read))
        if rng.random() < 0.01:  # a page of its own kind, as portals have them
            templates[f"odd{self.night}"] += 1 if read else 0
        known, step = self._highest, new + sum(rng.random() < 0.08 for _ in range(new))
        self._highest += step
        ages = sorted(rng.triangular(0.3, 15, 6) for _ in range(round(new * 0.9)))
        errors, lost, gone = (int(rng.random() < chance) for chance in (0.05, 0.05, 0.1))
        if rng.random() < 0.01:
            errors += rng.randint(1, 2)  # a database that hiccups
        pages = 13 + len(LISTINGS) + read
        size = 5000 * pages
        self._archive += size
        self.night += 1
        started = when + timedelta(minutes=rng.uniform(0, 5))
        return {
            "schema": 1,
            "run": {"id": self.night, "started_at": _told(started), "finished_at": _told(started + timedelta(minutes=5)),
                    "exit_code": 5 if lost else 0, "reason": "finished", "seconds": 300.0},
            "crawl": {"id": f"night-{self.night}", "portal": "simulated", "job": "wuhu", "status": "finished",
                      "started_at": _told(started), "finished_at": _told(started + timedelta(minutes=5)), "arguments": {}},
            "planned": [], "requests": {"by_status": [], "by_kind": []},
            "outcomes": {"captured": pages - errors - lost - gone, "failed": errors + lost, "missing": gone},
            "troubles": [
                _trouble(*each) for each in (("failed", "portal error: ADODB", errors), ("failed", "timeout", lost),
                                             ("missing", "soft 404", gone)) if each[2]
            ],
            "listings": {"pages": len(LISTINGS), "entries": sum(LISTINGS.values()), "highest": self._highest,
                         "by_page": [{"url": url, "entries": count - (rng.random() < 0.03)} for url, count in LISTINGS.items()]},
            "articles": {
                "pages": {"article": read + 3, "listing": len(LISTINGS), "other": int(rng.random() < 0.2)},
                "read": read, "new": {"count": new, "examples": []}, "changed": {"count": read - new, "examples": []},
                "missing": {"count": 0, "examples": []}, "highest": self._highest if new else None, "known": known,
                "below": sum(rng.random() < 0.01 for _ in range(new)), "categories": dict(counts),
                "characters": round(sum(rng.lognormvariate(6.3, 0.8) for _ in range(read))), "fields": fields,
                "templates": [
                    {"fingerprint": mark, "articles": count, "rules": {}, "labels": [mark], "example": f"http://portal.example/{mark}"}
                    for mark, count in templates.items()
                ],
                "decode": {"losses": 0, "lossy": int(rng.random() < 0.02 and read > 0), "ruined": int(rng.random() < 0.01 and read > 0),
                           "encodings": {"gb18030": read}, "examples": []},
                "dates": {"timed": len(ages), "ahead": 0, "least_hours": ages[0] if ages else None,
                          "median_hours": ages[len(ages) // 2] if ages else None},
            },
            "pace": {"requests": pages, "delay": 2.0, "least_pause": 1.0, "median_pause": 2.2 * exp(rng.gauss(0, 0.06)),
                     "longest_pause": 9.0, "busiest_minute": 30, "a_minute": 27.0},
            "space": {"warc_files": [], "bytes": size, "archive_bytes": self._archive, "free": 500_000_000_000,
                      "bytes_a_day": float(size), "days_left": 100_000},
        }  # fmt: skip


def _season(when: datetime) -> float:
    """Return what holidays leave of a day's news: little at Spring Festival, less than usual around it."""
    month, day = SPRING[when.year]
    far = (when.replace(tzinfo=None) - datetime(when.year, month, day)).days
    if -1 <= far <= 6:
        return 0.15
    if -4 <= far <= 10:
        return 0.6
    return 0.3 if (when.month, when.day) in {(10, d) for d in range(1, 8)} | {(5, d) for d in range(1, 6)} | {(1, 1)} else 1.0


def _poisson(rng: random.Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1)
    return count


def _gamma(rng: random.Random, mean: float, spread: float) -> float:
    return rng.gammavariate(1 / spread, mean * spread)


def _told(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _trouble(outcome: str, reason: str, urls: int) -> dict[str, Any]:
    examples = [{"url": f"http://portal.example/{outcome}/{number}", "capture_id": None} for number in range(min(urls, 5))]
    return {"outcome": outcome, "reason": reason, "urls": urls, "examples": examples}


# --- planted trouble: each changes the facts of a night, and names the kinds of finding that would be right -------------------


def _quiet_category(facts: Facts) -> None:
    _keep(facts, {name: count for name, count in facts["articles"]["categories"].items() if name != "本地新闻"})


def _quiet_portal(facts: Facts) -> None:
    _keep(facts, {})


def _keep(facts: Facts, counts: dict[str, int]) -> None:
    found = facts["articles"]
    share = sum(counts.values()) / max(1, found["new"]["count"])
    found["new"]["count"], found["categories"] = sum(counts.values()), counts
    found["fields"] = {name: round(count * share) for name, count in found["fields"].items()}
    found["read"] = max(found["fields"]["title"], sum(counts.values()))
    for each in found["templates"]:
        each["articles"] = round(each["articles"] * share)
    if not counts:
        found.update(highest=None, templates=[], characters=0, below=0)
        found["dates"].update(timed=0, least_hours=None, median_hours=None)


def _field_lost(facts: Facts) -> None:
    facts["articles"]["fields"]["views"] = 0


def _new_template(facts: Facts) -> None:
    for each in facts["articles"]["templates"]:
        if each["fingerprint"] == "bbbb":
            each["fingerprint"] = "new"


def _mojibake(facts: Facts) -> None:
    facts["articles"]["decode"]["ruined"] = round(facts["articles"]["read"] * 0.3)


def _blocked(facts: Facts) -> None:
    _shut(facts, "blocked", "rate limit or block: 访问过于频繁")


def _maintenance(facts: Facts) -> None:
    _shut(facts, "failed", "portal error: 系统维护中")


def _shut(facts: Facts, outcome: str, reason: str) -> None:
    _quiet_portal(facts)
    facts["run"].update(exit_code=5, reason="PortalStopped")
    facts.update(outcomes={outcome: 5}, troubles=[_trouble(outcome, reason, 5)])
    facts["articles"]["pages"] = {"blocked": 5}
    facts["listings"].update(pages=0, entries=0, by_page=[])


def _slow(facts: Facts) -> None:
    facts["pace"]["median_pause"] *= 3


def _shrunken(facts: Facts) -> None:
    facts["listings"]["by_page"][2]["entries"] //= 2


def _leap(facts: Facts) -> None:
    if facts["articles"]["highest"]:
        facts["articles"]["highest"] += 20_000


def _zone(facts: Facts) -> None:
    dates = facts["articles"]["dates"]
    for name in ("least_hours", "median_hours"):
        if dates[name] is not None:
            dates[name] += 8


def _errors(facts: Facts) -> None:
    urls = round(facts["pace"]["requests"] * 0.2)
    facts["troubles"].append(_trouble("failed", "portal error: 800a000d", urls))
    facts["outcomes"]["failed"] += urls
    facts["outcomes"]["captured"] -= urls


TROUBLES: dict[str, tuple[Callable[[Facts], None], set[str]]] = {
    "quiet category": (_quiet_category, {"quiet category", "quiet portal"}),
    "quiet portal": (_quiet_portal, {"quiet portal"}),
    "field lost": (_field_lost, {"field"}),
    "new template": (_new_template, {"new template"}),
    "mojibake": (_mojibake, {"mojibake"}),
    "block pages": (_blocked, {"shut out"}),
    "maintenance page": (_maintenance, {"shut out"}),
    "slow server": (_slow, {"slow server"}),
    "shrinking listing": (_shrunken, {"shrunken listing"}),
    "number leap": (_leap, {"number leap"}),
    "time-zone shift": (_zone, {"shifted times", "dates ahead"}),
    "error pages rising": (_errors, {"errors"}),
}


def planted(facts: Facts, trouble: str) -> Facts:
    """Return the facts as the trouble would have left them."""
    changed = deepcopy(facts)
    TROUBLES[trouble][0](changed)
    return changed
