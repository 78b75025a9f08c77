"""The extraction benchmark: accuracy and speed of ours, trafilatura, readability-lxml, newspaper4k and GNE in one run.

Accuracy: every field of the bundled portal's articles; title, date and body of the real pages of a folder, its credit lines and
its heading trees. Speed: CPU of the process a page, the sides in turns on each page. docs/benchmarks.md explains the figures.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean, median
from time import process_time_ns
from typing import Any, NamedTuple

import readers
import samples
import scores
from readers import OURS, Read, Reader, Sample

from wuhu_crawler.extract.byline import read_line
from wuhu_crawler.extract.sections import find_headings
from wuhu_crawler.items import to_json

MISSED = 4
CLOSE = 0.95
EXACT, SILVER, FOREIGN = "classic ASP", "hand-read", "peers' samples"
DEMO = "bundled portal"
_SHORT = 110
# A page read in a millisecond is read so often in a turn: behind the other sides the processor's caches hold nothing of ours.
_IN_A_ROW = 5


class Miss(NamedTuple):
    """A row that failed: which side in which set, the page or line, the field, what was read and what is true."""

    side: str
    where: str
    name: str
    field: str
    got: Any
    wanted: Any


class Bench:
    """One run: results by section, and the rows that failed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.sides: dict[str, Reader] = {OURS: readers.ours}
        self.absent: dict[str, str] = {}
        if not options.no_peers:
            peers, self.absent = readers.peers()
            self.sides |= peers
        self.result: dict[str, Any] = {"absent": self.absent}
        self.misses: list[Miss] = []

    def run(self) -> None:
        """Fill the results."""
        folder: Path | None = self.options.data
        self.result["fields"] = self._fields()
        self.result["pages"] = self._pages(folder)
        if folder:
            self.result["bylines"] = self._bylines(folder)
            self.result["sections"] = self._sections(folder)
        if not self.options.no_speed:
            self.result["speed"] = self._speed(folder)
        self.result["targets"] = targets(self.result)

    def _fields(self) -> list[dict[str, Any]]:
        """Compare every field of every article of the bundled portal, ours only; one row a template."""
        told: dict[str, dict[str, Any]] = {}
        for page in samples.demo_pages():
            row = told.setdefault(page.template, {"template": page.template, "articles": 0, "exact": 0, "wrong": Counter()})
            found = to_json(readers.read_whole(page.sample, page.fetch))
            wrong = [name for name, value in page.wanted.items() if found.get(name) != value]
            row["articles"] += 1
            row["exact"] += not wrong
            row["wrong"].update(wrong)
            about = f"{page.sample.name} {page.template}"
            about += f", {page.parts} parts" if page.parts > 1 else ""
            about += f", counter {page.counter}" if "views" in wrong else ""
            self.misses += [Miss(OURS, DEMO, about, name, found.get(name), page.wanted[name]) for name in wrong]
        return sorted(told.values(), key=lambda row: row["template"])

    def _pages(self, folder: Path | None) -> list[dict[str, Any]]:
        """Compare title, day and body of whole pages, all sides; one row a set and side."""
        sets: dict[str, list[samples.RealPage]] = {DEMO: [], EXACT: [], SILVER: [], FOREIGN: []}
        for page in samples.demo_pages():
            if page.parts == 1:
                told = page.wanted
                body = "\n".join(told["paragraphs"])
                sets[DEMO].append(samples.RealPage(page.sample, "exact", told["title"], told["published_at"], body or None))
        for real in samples.real_pages(folder) if folder else []:
            sets[{"exact": EXACT, "silver": SILVER}.get(real.truth, FOREIGN)].append(real)
        return [self._side(name, pages, side) for name, pages in sets.items() if pages for side in self.sides]

    def _side(self, where: str, pages: Sequence[samples.RealPage], side: str) -> dict[str, Any]:
        print(f"{where}: {side}", file=sys.stderr)
        scored: dict[str, list[float]] = defaultdict(list)
        for page in pages:
            found = self.sides[side](page.sample)
            for field, score, got, wanted in _judged(page, found):
                if field == "date" and side in readers.DATELESS:
                    continue
                scored[field].append(score)
                if score < (CLOSE if field == "body" else 1):
                    self.misses.append(Miss(side, where, page.sample.name, field, f"{got} {_because(found)}", wanted))
        bodies = scored["body"]
        return {
            "set": where,
            "side": side,
            "pages": len(pages),
            "title": _share(scored["title"]),
            "titles": len(scored["title"]),
            "date": _share(scored["date"]),
            "dates": len(scored["date"]),
            "body_f1": mean(bodies) if bodies else None,
            "body_close": _share([score >= CLOSE for score in bodies]),
            "bodies": len(bodies),
        }

    def _bylines(self, folder: Path) -> list[dict[str, Any]]:
        """Compare the names of credit lines role by role: alone as a line, and inside the paragraph they stand in."""
        every = samples.rows(folder / "bylines.jsonl")
        return [self._credit_lines(every, alone=alone) for alone in (True, False)]

    def _credit_lines(self, every: list[dict[str, Any]], *, alone: bool) -> dict[str, Any]:
        where = "credit lines" if alone else "credit lines in their paragraphs"
        hits: dict[bool, list[dict[str, bool]]] = {True: [], False: []}
        false = negatives = 0
        for row in every:
            before, _, after = row["context"].partition("▌")
            text = row["line"] if alone else f"{before.strip()}{row['line']}{after.strip()}"
            credits = read_line(text).credits
            if row["kind"] != "byline":
                negatives += 1
                false += bool(credits)
                if credits:
                    self.misses.append(Miss(OURS, where, row["id"], "false credit", to_json(credits), text))
                continue
            found = scores.names_by_role(list(credits))
            wanted = {role: sorted(set(row[role])) for role in scores.ROLES}
            right = {role: found[role] == wanted[role] for role in wanted}
            hits[row["ambiguous"] is None].append(right)
            about = f"{row['id']} {text}" + (f" (ambiguous: {row['ambiguous']})" if row["ambiguous"] else "")
            self.misses += [Miss(OURS, where, about, role, found[role], wanted[role]) for role in wanted if not right[role]]
        return {
            "read": where,
            "unambiguous": _by_role(hits[True]),
            "all": _by_role(hits[True] + hits[False]),
            "negatives": negatives,
            "false_credits": false,
        }

    def _sections(self, folder: Path) -> dict[str, Any]:
        """Return what the folder's score.py says of our headings."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in samples.rows(folder / "sections.jsonl"):
            headings = find_headings(row["lines"])
            found[row["id"]] = [{"level": h.level, "text": row["lines"][h.index]} for h in headings]
            differences = scores.heading_differences(folder, row, found[row["id"]])
            self.misses += [Miss(OURS, "headings", row["id"], "heading", got, wanted) for got, wanted in differences]
        return {"texts": len(found), **scores.headings_by_score(folder, found)}

    def _speed(self, folder: Path | None) -> list[dict[str, Any]]:
        """Time all sides; one row a set of pages and side."""
        rounds = self.options.rounds
        gc.freeze()  # what is loaded by now (a dictionary of Chinese words, for one) is not looked at before each page
        seed = [samples.seed_page()]
        large = samples.large_pages(20)
        real = [page.sample for page in samples.real_pages(folder)] if folder else []
        return [
            *self._timed("seed page, 6.9 KB", seed, 5 * rounds, cold=False, in_a_row=_IN_A_ROW),
            *self._timed("seed page, nothing remembered", seed, 5 * rounds, cold=True, in_a_row=_IN_A_ROW),
            *self._timed("20 pages of 20 KB", large, rounds, cold=False),
            *(self._timed(f"{len(real)} real pages", real, max(1, rounds // 2), cold=True) if real else []),
        ]

    def _timed(self, name: str, pages: Sequence[Sample], rounds: int, *, cold: bool, in_a_row: int = 1) -> list[dict[str, Any]]:
        """Read every page in so many rounds, the sides in turns, each `in_a_row` times in its turn. `cold`: our caches of words
        are emptied before each reading."""
        print(f"timing: {name}", file=sys.stderr)
        taken: dict[str, list[list[float]]] = {side: [[] for _ in pages] for side in self.sides}
        for turn in range(-1 if len(pages) <= 20 else 0, rounds):  # what a process does once is not timed
            for number, page in enumerate(pages):
                for side, reader in self.sides.items():
                    before = readers.forget if cold and side == OURS else None
                    milliseconds = cpu_ms(reader, page, in_a_row, before)
                    if turn >= 0:
                        taken[side][number] += milliseconds
        return [
            {
                "pages": name,
                "side": side,
                "median_ms": median(each := [median(of_page) for of_page in times]),
                "mean_ms": mean(each),
                "best_ms": median(min(of_page) for of_page in times),
                "rounds": rounds,
            }
            for side, times in taken.items()
        ]


def cpu_ms(reader: Reader, page: Sample, times: int, before: Callable[[], None] | None) -> list[float]:
    """Return the CPU milliseconds of this process for each of so many readings of a page; `before` each something may be done,
    untimed. The garbage collector runs between turns, not in them."""
    gc.collect()
    gc.disable()
    taken = []
    for _ in range(times):
        if before is not None:
            before()
        begun = process_time_ns()
        reader(page)
        taken.append((process_time_ns() - begun) / 1e6)
    gc.enable()
    return taken


def _judged(page: samples.RealPage, found: Read) -> Iterable[tuple[str, float, str, str]]:
    """Yield (field, score 0 to 1, got, wanted) for what the truth tells of a page."""
    if page.title is not None:
        yield "title", float(scores.packed(found.title) == scores.packed(page.title)), found.title, page.title
    if page.date is not None:
        yield "date", float(scores.day(found.date) == scores.day(page.date)), found.date, page.date
    if page.body is not None:
        score = scores.f1(found.body, page.body)
        extra, lacking = _apart(found.body, page.body), _apart(page.body, found.body)
        yield "body", score, f"F1 {score:.3f}; too much: {extra}", f"{len(page.body)} characters; lacking: {lacking}"


def _apart(text: str, other: str) -> str:
    """The lines of a text that the other does not have, the first three and how many more."""
    known = scores.packed(other)
    lines = [line.strip() for line in text.splitlines() if scores.packed(line) and scores.packed(line) not in known]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return " | ".join(line if len(line) <= 50 else f"{line[:50]}…" for line in lines[:3]) + more or "nothing"


def _because(found: Read) -> str:
    return f"[{found.note}]" if found.note else ""


def _share(hits: Sequence[float]) -> float | None:
    return mean(map(float, hits)) if hits else None


def _by_role(hits: list[dict[str, bool]]) -> dict[str, Any]:
    told: dict[str, Any] = {role: _share([row[role] for row in hits]) for role in scores.ROLES}
    return {"rows": len(hits), **told, "every_role": _share([all(row.values()) for row in hits])}


class Target(NamedTuple):
    """What is aimed at, what was measured, and whether that is good enough."""

    what: str
    target: str
    measured: str
    met: bool


def targets(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the targets that could be measured in this run, met or not."""
    return [target._asdict() for target in (*_accuracy(result), *_tables(result), *_pace(result))]


def _accuracy(result: dict[str, Any]) -> Iterable[Target]:
    exact = sum(row["exact"] for row in result["fields"])
    articles = sum(row["articles"] for row in result["fields"])
    yield Target("every field, bundled portal", "100 %", f"{exact} of {articles} articles", exact == articles)
    at = {(row["set"], row["side"]): row for row in result["pages"]}
    if mine := at.get((EXACT, OURS)):
        yield Target("titles, classic ASP", "100 %", _percent(mine["title"]), mine["title"] == 1)
        yield Target("dates, classic ASP", "100 %", _percent(mine["date"]), mine["date"] == 1)
        yield Target("body F1, classic ASP", ">= 0.99", f"{mine['body_f1']:.4f}", mine["body_f1"] >= 0.99)
        yield Target("bodies >= 0.95, classic ASP", ">= 97 %", _percent(mine["body_close"]), mine["body_close"] >= 0.97)
    for what, sets in (("hand-read", (SILVER,)), ("all other sites", (SILVER, FOREIGN))):
        theirs = {side: _over(at, sets, side) for where, side in at if where == SILVER}
        if len(theirs) > 1:
            mine = theirs.pop(OURS)
            best = max(theirs, key=lambda side: theirs[side])
            yield Target(f"body F1, {what}", f"> {theirs[best]:.4f} ({best})", f"{mine:.4f}", mine > theirs[best])


def _over(at: dict[tuple[str, str], dict[str, Any]], sets: Sequence[str], side: str) -> float:
    """The mean body F1 of a side over all bodies of some sets."""
    told = [at[where, side] for where in sets if (where, side) in at]
    return sum(row["body_f1"] * row["bodies"] for row in told) / sum(row["bodies"] for row in told)


def _tables(result: dict[str, Any]) -> Iterable[Target]:
    if lines := result.get("bylines"):
        mine = lines[0]["unambiguous"]
        yield Target("reporters, unambiguous rows", ">= 97 %", _percent(mine["reporters"]), mine["reporters"] >= 0.97)
        yield Target("all roles, unambiguous rows", ">= 93 %", _percent(mine["every_role"]), mine["every_role"] >= 0.93)
        yield Target("false credits on negatives", "0", str(lines[0]["false_credits"]), lines[0]["false_credits"] == 0)
    if trees := result.get("sections"):
        yield Target("headings, F1", ">= 0.95", f"{trees['f1']:.3f}", trees["f1"] >= 0.95)
        yield Target("headings, level right", ">= 0.95", f"{trees['level']:.3f}", trees["level"] >= 0.95)


def _pace(result: dict[str, Any]) -> Iterable[Target]:
    speed = result.get("speed") or []
    for name in dict.fromkeys(row["pages"] for row in speed):
        times = {row["side"]: row["median_ms"] for row in speed if row["pages"] == name}
        mine = times.pop(OURS)
        if "seed" in name:
            yield Target(f"CPU ms, {name}", "<= 1.0", f"{mine:.2f}", mine <= 1.0)
        if times:
            best = min(times, key=lambda side: times[side])
            yield Target(f"faster than every peer, {name}", f"< {times[best]:.2f} ({best})", f"{mine:.2f}", mine < times[best])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def show(result: dict[str, Any]) -> None:
    """Print all tables."""
    _title("Bundled portal: every field exact, by template")
    for row in result["fields"]:
        wrong = ", ".join(f"{field} {count}" for field, count in row["wrong"].items())
        print(f"{row['template']:<12}{row['exact']:>5} of {row['articles']:<5}{'wrong: ' + wrong if wrong else ''}")
    _title("Pages: title and day exact, body F1 of character 4-grams")
    _line(("set", "side", "title", "date", "body F1", ">= 0.95"), (16, 18, 17, 17, 9, 17))
    for row in result["pages"]:
        close = f"{_percent(row['body_close'])} of {row['bodies']}"
        title = f"{_percent(row['title'])} of {row['titles']}"
        date = f"{_percent(row['date'])} of {row['dates']}" if row["dates"] else "reads none"
        _line((row["set"], row["side"], title, date, f"{row['body_f1']:.4f}", close), (16, 18, 17, 17, 9, 17))
    for name, why in result["absent"].items():
        print(f"{name}: not measured, it could not be imported: {why}")
    for row in result.get("bylines", ()):
        _title(f"{row['read'].capitalize()}: exact set of names")
        for kind in ("unambiguous", "all"):
            told = ", ".join(f"{role} {_percent(row[kind][role])}" for role in (*scores.ROLES, "every_role"))
            print(f"{kind} ({row[kind]['rows']} rows): {told}".replace("every_role", "every role"))
        print(f"false credits on {row['negatives']} negatives: {row['false_credits']}")
    if trees := result.get("sections"):
        _title(f"Headings of {trees['texts']} texts, by score.py")
        print(", ".join(f"{name} {trees[name]:.3f}" for name in ("precision", "recall", "f1", "level")))
    if speed := result.get("speed"):
        _title("CPU ms a page")
        _line(("pages", "side", "median", "mean", "best turn"), (32, 18, 9, 9, 9))
        for row in speed:
            times = (f"{row[name]:.2f}" for name in ("median_ms", "mean_ms", "best_ms"))
            _line((row["pages"], row["side"], *times), (32, 18, 9, 9, 9))
    _title("Targets")
    for row in result["targets"]:
        print(f"{row['what']:<54}{row['target']:<32}{row['measured']:<22}{'met' if row['met'] else 'MISSED'}")


def _title(words: str) -> None:
    print(f"\n{words}")


def _line(cells: Sequence[str], widths: Sequence[int]) -> None:
    print("".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def show_rows(misses: Iterable[Miss], sides: Sequence[str]) -> None:
    """Print the rows that failed: what a rule has to learn."""
    for miss in misses:
        if miss.side in sides:
            print(f"\n{miss.where}: {miss.name}" + (f" ({miss.side})" if miss.side != OURS else ""))
            print(f"  {miss.field}\n    got    {_told(miss.got)}\n    wanted {_told(miss.wanted)}")


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2 * _SHORT else f"{text[:_SHORT]} … {text[-_SHORT:]}"


def main() -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = samples.ROOT.parent / "shared/data"
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of real pages (default: ../shared/data when there)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each side reads the 20 KB pages, a tenth of the seed page (default 3)"
    )
    parser.add_argument("--no-peers", action="store_true", help="ours alone: for work on the rules")
    parser.add_argument("--no-speed", action="store_true", help="accuracy only")
    parser.add_argument("--rows", nargs="?", const=OURS, metavar="SIDE", help="print the rows that failed (default: ours)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the tables")
    parser.add_argument("--check", action="store_true", help=f"exit {MISSED} when a target is missed")
    options = parser.parse_args()
    options.data = options.data or (default if default.is_dir() else None)
    if options.data and not (options.data / "zh_pages/pages.jsonl").is_file():
        parser.error(f"--data {options.data}: there is no zh_pages/pages.jsonl in it")
    bench = Bench(options)
    bench.run()
    if options.json:
        told = {**bench.result, "rows": [miss._asdict() for miss in bench.misses if miss.side == options.rows]}
        print(json.dumps(told, indent=2, ensure_ascii=False, default=dict))
    else:
        show_rows(bench.misses, (options.rows,) if options.rows else ())
        show(bench.result)
    return MISSED if options.check and not all(row["met"] for row in bench.result["targets"]) else 0


if __name__ == "__main__":
    sys.exit(main())
