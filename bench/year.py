"""A simulated year: an archive of a living portal kept by one crawl a night, everything held against the truth of the days.

The bundled portal serves so many articles and goes on by a day a night. Each night has the three real crawls, processes of
their own with the clock set to the night: `wuhu`, `gaps`, `recheck`. The server's log says what was requested, the portal's
truth what was there to be found (watch.py). docs/benchmarks.md says how each figure is counted. --json for programs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any, NamedTuple

from crawl import MISSED, SCRAPY, measured
from watch import Found, Night, Watch, counted

from wuhu_crawler.demo import server
from wuhu_crawler.demo.world import LAST_DAY
from wuhu_crawler.planning.intervals import Rule, expected_delays

ROOT = Path(__file__).resolve().parent.parent
CHINA = timezone(timedelta(hours=8))
# The crawls of a night, and how many minutes after ten in the evening each begins.
SPIDERS = {"wuhu": 0, "gaps": 30, "recheck": 60}
# The size the targets speak of; budgets follow the size of the portal.
FULL_SIZE, GAPS, RECHECK = 50_000, 100, 700
WALK_TARGET, SHARE_TARGET, HIDDEN_NIGHTS, MEMORY_TARGET = 1.3, 0.02, 30, 250
ASKED = {"new": "new", "changed": "changed", "known": "known and unchanged", "none": "not to be had"}
MISSES = (
    "new_late", "hidden_late", "edits_late", "removals_late", "blind", "false_versions", "wrong_versions", "false_gone",
)  # fmt: skip


class Row(NamedTuple):
    """A line of the table: what, its target, what was found, and whether the target is met (None: there is none)."""

    what: str
    target: str
    found: str
    met: bool | None


class Year:
    """Runs the nights."""

    def __init__(self, folder: Path, portal: server.Handle, options: argparse.Namespace) -> None:
        self._folder = folder / "archive"
        self._logs = folder / "logs"
        self._logs.mkdir()
        self._portal = portal
        self._options = options
        first = datetime.combine(LAST_DAY, time(22, 0), CHINA)
        self._times = [first + timedelta(days=day) for day in range(options.nights + 1)]
        self.nights: list[Night] = []
        self.watch = Watch(self._folder, portal.portal.world, self._times, budget=options.recheck)

    def run(self) -> None:
        """Crawl the whole portal once, then a night at a time, until the last or until time is over."""
        started = perf_counter()
        for day in range(self._options.nights + 1):
            began = perf_counter()
            if self._options.minutes and began - started > self._options.minutes * 60:
                break
            if day:
                self._portal.go_to(day)
            night = Night(day)
            # On the first night everything is new.
            life = self._portal.server.life
            if day:
                night.least, night.proofs = self.watch.begin(day, self._portal.portal.world, life.events(day))
            logs = {name: self._crawl(name, night) for name in (SPIDERS if day else ("wuhu",))}
            right, night.asked = self.watch.end(day, logs["wuhu"] if day else [], len(logs))
            night.least += right
            self.nights.append(night)
            self._tell(night, perf_counter() - began)

    def _crawl(self, spider: str, night: Night) -> list[server.LogEntry]:
        """Run one crawl to its end and return what it requested."""
        budget = {"gaps": self._options.gaps, "recheck": self._options.recheck}.get(spider)
        given = ["-a", "portal=demo", "-a", "requisites=no", *(["-a", f"budget={budget}"] if budget else [])]
        begins = self._times[night.day] + timedelta(minutes=SPIDERS[spider])
        first, told = len(self._portal.log), self._logs / f"{night.day:03}-{spider}.log"
        environment = {"WUHU_DATA_DIR": str(self._folder), "WUHU_DEMO_URL": self._portal.url, "WUHU_CLOCK": begins.isoformat()}
        command = [*SCRAPY, "crawl", spider, *given]
        _, night.seconds[spider], night.memory[spider] = measured(command, ROOT, environment, told)
        requested = self._portal.log[first:]
        night.requests[spider] = counted(requested)
        return requested

    def _tell(self, night: Night, seconds: float) -> None:
        hidden, edits, removals = self.watch.pending
        asked = ", ".join(f"{spider} {sum(kinds.values())}" for spider, kinds in night.requests.items())
        print(
            f"night {night.day}: {asked} requests ({night.needed} the least of the walk); open: {hidden} hidden, {edits} "
            f"edits, {removals} removals; {seconds:.0f} s",
            file=sys.stderr,
        )


def table(year: Year, options: argparse.Namespace) -> list[Row]:
    """Return the table of the targets."""
    found, nights = year.watch.found, year.nights[1:]
    return [
        *_news(found, nights),
        *_requests(year.nights[0].total, nights, options),
        *_hidden(found, year.watch, len(nights)),
        *_edits(found, year.watch),
        *_truth(found, year.watch.stale()),
        _memory(year.nights),
    ]


def _news(found: Found, nights: Sequence[Night]) -> Iterator[Row]:
    to_be_had = found.new - found.new_unreadable
    words = f"{found.new_same_night} of {to_be_had}"
    if found.new_unreadable:
        words += f"; {found.new_unreadable} more were error pages that night"
    yield Row("new articles found the same night", "100 %", words, found.new_same_night == to_be_had and not found.new_late)
    ratios = [night.walk / night.needed for night in nights]
    ratio = sum(night.walk for night in nights) / sum(night.needed for night in nights)
    words = f"{ratio:.2f} (a night: median {median(ratios):.2f}, worst {max(ratios):.2f})"
    yield Row("requests for listings + new, against the least", f"<= {WALK_TARGET}", words, ratio <= WALK_TARGET)
    words = f"{sum(night.walk for night in nights) / sum(night.least for night in nights):.2f}"
    yield Row("  the same, without the page of each listing that shows where the news ends", "", words, None)
    kinds: Counter[str] = sum((Counter(night.requests["wuhu"]) for night in nights), Counter())
    spent = ", ".join(f"{count / len(nights):.1f} {kind}" for kind, count in kinds.most_common())
    yield Row("  of what they are, a night", "", f"{spent}; least {mean(night.needed for night in nights):.1f}", None)
    articles = ", ".join(f"{mean(night.asked[name] for night in nights):.1f} {words}" for name, words in ASKED.items())
    yield Row("  of its articles", "", articles, None)


def _requests(whole: int, nights: Sequence[Night], options: argparse.Namespace) -> Iterator[Row]:
    share, worst = (of(night.total for night in nights) / whole for of in (mean, max))
    what = f"requests in all (gaps {options.gaps}, recheck {options.recheck})"
    words = f"{share:.2%} ({share * whole:.0f} of {whole}; worst {worst:.2%})"
    yield Row(what, f"<= {SHARE_TARGET:.0%}", words, share <= SHARE_TARGET)
    spent = ", ".join(f"{spider} {mean(sum(night.requests[spider].values()) for night in nights):.0f}" for spider in SPIDERS)
    yield Row("  by spider, a night", "", spent, None)


def _hidden(found: Found, watch: Watch, nights: int) -> Iterator[Row]:
    """Those there at the start and those that came since; a year shorter than 30 nights cannot meet the target."""
    days = sorted(found.hidden_found.values())
    first = {number: found.hidden_found[number] for number in watch.hidden_at_start if number in found.hidden_found}
    late = len(found.hidden_late)
    words = f"{len(days)} of {found.hidden} ({len(first)} of the {len(watch.hidden_at_start)} from the start)"
    if days:
        words += f", after {median(days):.0f} nights at the median, {days[-1]} at most"
    words += f"; {late} not in time, {watch.pending[0]} open"
    met = late == 0 and nights >= HIDDEN_NIGHTS
    yield Row(f"unlisted articles found within {HIDDEN_NIGHTS} nights", "100 %", words, met)


def _edits(found: Found, watch: Watch) -> Iterator[Row]:
    late, blind, open_ = len(found.edits_late), len(found.blind), watch.pending[1]
    delays = sorted(found.edit_delays)
    words = f"{len(delays)} of {found.edits} seen, {open_} open; {late} late, {blind} fetched and not noticed"
    if found.edits_removed:
        words += f"; {found.edits_removed} removed before they were seen"
    yield Row("edits seen within the documented window", "100 %", words, not late and not blind)
    if delays:
        words = f"median {median(delays):.0f} nights, mean {mean(delays):.1f}, worst {delays[-1]}; the budget stretches "
        words += f"intervals {mean(found.stretches):.2f} times, {max(found.stretches):.2f} at most"
        yield Row("  delay of an edit", "", words, None)
    late = len(found.removals_late)
    words = f"{len(found.removal_delays)} of {found.removals} seen, {watch.pending[2]} open; {late} late"
    if found.removal_delays:
        words += f"; median {median(found.removal_delays):.0f} nights, worst {max(found.removal_delays)}"
    yield Row("removals seen within the documented window", "100 %", words, not late)
    ages = ", ".join(
        f"{delay.age} d: {delay.mean:.3g}/{delay.worst:.3g}" for delay in expected_delays(Rule(), mean(found.stretches))
    )
    yield Row("  expected age of an unseen edit (quiet time: mean/worst nights)", "", ages, None)


def _truth(found: Found, stale: dict[str, list[int]]) -> Iterator[Row]:
    wrong = len(found.wrong_versions)
    yield Row("false versions", "0", f"{len(found.false_versions)}", not found.false_versions)
    yield Row("versions that say what the portal did not", "0", f"{wrong}", not wrong)
    words = f"{len(found.false_gone)} of {len(found.gone)} called gone"
    if found.gone_delays:
        words += f"; the others after {median(found.gone_delays):.0f} nights at the median, {max(found.gone_delays)} at most"
    yield Row("false gone", "0", f"{words}; {found.back} came back", not found.false_gone)
    lacking, differing = len(stale["lacking"]), len(stale["differing"])
    words = f"{lacking} listed articles lacking, {differing} otherwise; {len(stale['gone though there'])} gone that are back"
    yield Row("the archive at the end, against the portal", "0", words, not lacking and not differing)


def _memory(nights: Sequence[Night]) -> Row:
    peaks = {spider: max(night.memory.get(spider, 0) for night in nights) for spider in SPIDERS}
    words = ", ".join(f"{spider} {peak:.0f} MB" for spider, peak in peaks.items())
    return Row("peak memory of a crawl", f"< {MEMORY_TARGET} MB", words, max(peaks.values()) < MEMORY_TARGET)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options; budgets not given follow the size of the portal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=5000, help="articles of the portal at the start (default 5000)")
    parser.add_argument("--nights", type=int, default=35, help="nights after the first, full crawl (default 35)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no further night after so many minutes")
    parser.add_argument("--gaps", type=int, metavar="N", help=f"budget of gaps (default {GAPS} at {FULL_SIZE})")
    parser.add_argument("--recheck", type=int, metavar="N", help=f"budget of recheck (default {RECHECK} at {FULL_SIZE})")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the archive and the crawls' logs in this new folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table: rows, nights, all that was found")
    parser.add_argument("--check", action="store_true", help=f"exit {MISSED} when a target is missed")
    options = parser.parse_args(arguments)
    share = options.articles / FULL_SIZE
    options.gaps = options.gaps or max(1, round(GAPS * share))
    options.recheck = options.recheck or max(1, round(RECHECK * share))
    return options


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    else:
        keep.mkdir(parents=True)
        yield keep.resolve()


def main() -> int:
    """Run the year and print what came of it."""
    options = parse()
    with _folder(options.keep) as folder, server.start(articles=options.articles) as portal:
        year = Year(folder, portal, options)
        year.run()
        rows = table(year, options)
    if options.json:
        print(json.dumps(_told(year, rows, options), ensure_ascii=False, indent=1, default=str))
    else:
        _print(year, rows, options)
    return MISSED if options.check and any(row.met is False for row in rows) else 0


def _told(year: Year, rows: Sequence[Row], options: argparse.Namespace) -> dict[str, Any]:
    found = year.watch.found
    return {
        "articles": options.articles,
        "nights": len(year.nights) - 1,
        "budgets": {"gaps": options.gaps, "recheck": options.recheck},
        "rows": [row._asdict() for row in rows],
        "found": asdict(found),
        "by_night": [asdict(night) for night in year.nights],
    }


def _print(year: Year, rows: Sequence[Row], options: argparse.Namespace) -> None:
    nights, whole = len(year.nights) - 1, year.nights[0].total
    print(f"{options.articles:,} articles, {nights} nights after a full crawl of {whole:,} requests\n")
    wide = max(len(row.what) for row in rows)
    for row in rows:
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        print(f"{row.what:<{wide}}  {row.target:>8}  {verdict:<6}  {row.found}")
    found = year.watch.found
    for name in MISSES:
        if misses := list(getattr(found, name))[:12]:
            print(f"{name} (night, article): {misses}")


if __name__ == "__main__":
    sys.exit(main())
