"""The watcher of a simulated year: after every night it holds what the archive has learned against what is true of the portal.

It asks the portal's world what is there and what has happened, the server's log what was requested, the archive what it has.
A miss is a miss: nothing here knows an excuse but the portal's own (an error page in the article's place on that very night, or
a removal before anybody could have come by).
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import Connection

from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.demo import truth
from wuhu_crawler.demo.articles import Article
from wuhu_crawler.demo.life import Event
from wuhu_crawler.demo.looks import look_of
from wuhu_crawler.demo.server import LogEntry
from wuhu_crawler.demo.world import World
from wuhu_crawler.planning.gone import GoneRule, absences
from wuhu_crawler.planning.intervals import Rule
from wuhu_crawler.planning.rechecks import known, survey

LISTINGS = ("/news/class.asp", "/news/more.asp", "/news/list.asp")
SEEDS = ("/", "/news/", "/index.asp")
# What any crawl begins with: robots.txt, and the two seeds of the profile, which alone could show a new listing.
FRONT = 3
# The archive counts an interval from the second of a capture, a night is when its crawl begins.
SAME_NIGHT = timedelta(hours=12)
Words = tuple[Any, ...]


def kind_of(url: str) -> str:
    """Return what a request asked for: seed, listing, article, part, counter, robots, or other."""
    path, _, query = url.partition("?")
    path = path.lower()
    if path == "/news/info.asp":
        later = any(name.lower() == "articlepage" and value != "1" for name, value in parse_qsl(query))
        return "part" if later else "article"
    named = {**dict.fromkeys(LISTINGS, "listing"), **dict.fromkeys(SEEDS, "seed")}
    return {**named, "/news/hits.asp": "counter", "/robots.txt": "robots"}.get(path, "other")


def number_of(url: str) -> int | None:
    """Return the article ID a request names."""
    return next((int(v) for n, v in parse_qsl(url.partition("?")[2]) if n.lower() == "id" and v.isdecimal()), None)


def cost(article: Article) -> int:
    """Return the requests it takes to have an article whole: its parts, and the script that writes its counter."""
    return article.parts + (look_of(article.look).counter == "script")


def words_of(article: Article) -> Words:
    """Return what an article says, as the archive must have it: what makes a version when it changes."""
    row = next(truth.rows(World(0, {article.id: article}, {})))
    credits = sorted((c["role"], c["name"], c["outlet"] or "") for c in row["credits"])
    return (row["title"], row["published_text"], row["source_date_text"], row["outlets"], credits, row["paragraphs"])


@dataclass
class Pending:
    """Something that has happened and that the archive has yet to see: since which day, and by when at the latest."""

    day: int
    deadline: int


@dataclass
class Night:
    """What one night cost: requests by spider and kind, and the least possible of the walk; what the spiders took."""

    day: int
    requests: dict[str, dict[str, int]] = field(default_factory=dict)
    least: int = 0
    # Listing pages of nothing but known entries behind the last new one: what shows where the news ends.
    proofs: int = 0
    # Articles the walk asked for, by what they were.
    asked: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    @property
    def needed(self) -> int:
        """The least the walk needs by its rule: a listing is left at a whole page of known entries."""
        return self.least + self.proofs

    @property
    def total(self) -> int:
        """All requests of the night."""
        return sum(sum(kinds.values()) for kinds in self.requests.values())

    @property
    def walk(self) -> int:
        """The requests of the walk: listings, new articles, and whatever else it asked for."""
        return sum(self.requests["wuhu"].values())


@dataclass
class Found:
    """Everything the year has shown, good and bad; IDs stand with the day they belong to."""

    new: int = 0
    new_same_night: int = 0
    # ID -> nights on which it was there to be had and was not taken.
    new_late: dict[int, int] = field(default_factory=dict)
    new_unreadable: int = 0
    hidden: int = 0
    hidden_found: dict[int, int] = field(default_factory=dict)
    hidden_late: dict[int, int] = field(default_factory=dict)
    edits: int = 0
    edit_delays: list[int] = field(default_factory=list)
    edits_late: list[tuple[int, int]] = field(default_factory=list)
    edits_removed: int = 0
    # By how much the budget made every interval longer, night by night.
    stretches: list[float] = field(default_factory=list)
    removals: int = 0
    removal_delays: list[int] = field(default_factory=list)
    removals_late: list[tuple[int, int]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    gone_delays: list[int] = field(default_factory=list)
    back: int = 0
    false_versions: list[tuple[int, int]] = field(default_factory=list)
    wrong_versions: list[tuple[int, int]] = field(default_factory=list)
    blind: list[tuple[int, int]] = field(default_factory=list)
    false_gone: list[tuple[int, int]] = field(default_factory=list)


class Watch:
    """Follows one archive of one portal through its nights."""

    def __init__(self, archive: Path, world: World, nights: Sequence[datetime], *, budget: int) -> None:
        self.found = Found()
        self._database = archive / "archive.db"
        self._nights = nights
        self._budget = budget
        self._world = world
        self._version = 0
        self._said: dict[int, Words] = {}
        self._wanted: dict[int, int] = {}
        self._hidden = {outline.id: 0 for outline in world.outlines() if not outline.listed}
        self.hidden_at_start = frozenset(self._hidden)
        self._edits: dict[int, list[Pending]] = defaultdict(list)
        self._removals: dict[int, Pending] = {}
        self._gone: dict[int, int] = {}
        self._away: dict[int, int] = {}
        self.found.hidden = len(self._hidden)

    @property
    def pending(self) -> tuple[int, int, int]:
        """How many hidden articles, edits and removals are neither seen nor overdue yet."""
        return len(self._hidden), sum(map(len, self._edits.values())), len(self._removals)

    def begin(self, day: int, world: World, events: Iterable[Event]) -> tuple[int, int]:
        """Take in what has happened on a day, before its night; return the least requests that can find what is new, and the
        listing pages beside them that show where the news ends."""
        self._world = world
        told = list(events)
        deadlines = self._deadlines(day, {e.id for e in told if e.id is not None and e.what in ("edited", "removed")})
        for event in told:
            self._happened(event, deadlines)
        return self._least()

    def _happened(self, event: Event, deadlines: dict[int, int]) -> None:
        number, day = event.id or 0, event.day
        if event.what == "new" and event.listed:
            self._wanted[number] = day
            self.found.new += 1
        elif event.what == "new":
            self._hidden[number] = day
            self.found.hidden += 1
        elif event.what == "edited" and number in self._said:
            self._edits[number].append(Pending(day, deadlines[number]))
            self.found.edits += 1
        elif event.what == "removed":
            self._removed(number, day, deadlines.get(number, day))
        elif event.what == "restored":
            self._away.pop(number, None)
            if self._removals.pop(number, None):
                self.found.removals -= 1

    def _removed(self, number: int, day: int, deadline: int) -> None:
        self._away[number] = day
        # Nobody can see an edit of a page that is not there.
        self.found.edits_removed += len(self._edits.pop(number, []))
        if number in self._said:
            self._removals[number] = Pending(day, deadline)
            self.found.removals += 1
        elif self._wanted.pop(number, None) is not None:
            # What was missed before stays a miss.
            self.found.new -= number not in self.found.new_late

    def _deadlines(self, day: int, numbers: set[int]) -> dict[int, int]:
        """Return the night by which each article must be asked again, as its interval says that is documented."""
        found: dict[int, int] = {}
        with self._reading() as connection:
            stretch = survey(connection, "demo", self._budget, self._nights[day], Rule(), GoneRule()).stretch
            self.found.stretches.append(stretch)
            for each in known(connection, "demo", Rule(), GoneRule()):
                if each.article_id in numbers:
                    latest = each.seen_at + each.interval * stretch + SAME_NIGHT
                    found[each.article_id] = max(day, (latest - self._nights[0]) // timedelta(days=1))
        return found

    def _least(self) -> tuple[int, int]:
        """robots.txt, the seeds, one look at every listing's first page, at each further page a new article stands on, and the
        new articles whole."""
        wanted = {n for n in self._wanted if n in self._world.articles}
        pages = proofs = 0
        for category in self._world.categories:
            rows = self._world.entries(category)[: category.per_page * 3]
            places = {at // category.per_page for at, entry in enumerate(rows) if entry.id in wanted}
            pages += len(places | {0})
            proofs += bool(places) and len(rows) > (max(places) + 1) * category.per_page
        return FRONT + pages + sum(cost(self._world.articles[n]) for n in wanted if n not in self._world.failing), proofs

    def end(self, day: int, walk: Sequence[LogEntry], crawls: int) -> tuple[int, dict[str, int]]:
        """Hold the archive after a night against the truth; return what the walk rightly spent on known articles, and how
        many articles it asked for: new ones, changed ones, ones known and unchanged, ones that cannot be had.

        `walk` is what the walk requested, `crawls` how many crawls the night had.
        """
        asked = {number_of(entry.url) or 0 for entry in walk if kind_of(entry.url) == "article"}
        there = {n for n in asked if n in self._world.articles and n not in self._world.failing}
        edited = {n for n in there if n in self._edits}
        right = sum(cost(self._world.articles[n]) for n in edited)
        known = len((there & set(self._said)) - edited)
        told = {"new": len(there) - len(edited) - known, "changed": len(edited), "known": known, "none": len(asked - there)}
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            answers = self._answers(connection, crawls)
            self._take_versions(connection, day, answers)
        self._check_new(day)
        self._check_hidden(day)
        self._check_edits(day)
        self._check_removals(day, answers)
        self._check_gone(day)
        return right, told

    def _answers(self, connection: sqlite3.Connection, crawls: int) -> dict[int, set[str]]:
        query = """SELECT article_id, answer FROM article_observation
                   WHERE crawl_id IN (SELECT id FROM crawl ORDER BY started_at DESC LIMIT ?)"""
        found: dict[int, set[str]] = defaultdict(set)
        for number, answer in connection.execute(query, (crawls,)):
            found[number].add(answer)
        return found

    def _take_versions(self, connection: sqlite3.Connection, day: int, answers: dict[int, set[str]]) -> None:
        changed: set[int] = set()
        for version, number, words in versions(connection, self._version):
            self._version = max(self._version, version)
            true = words_of(self._world.articles[number]) if number in self._world.articles else None
            if words != true:
                self.found.wrong_versions.append((day, number))
            elif self._said.get(number) == true:
                self.found.false_versions.append((day, number))
            self._said[number] = words
            changed.add(number)
        for number in [n for n in changed if n in self._edits]:
            self.found.edit_delays += [day - pending.day for pending in self._edits.pop(number)]
        # Fetched, and what has changed in it not noticed.
        for number in self._edits:
            if "article" in answers.get(number, ()):
                self.found.blind.append((day, number))

    def _check_new(self, day: int) -> None:
        for number, born in list(self._wanted.items()):
            if number in self._said:
                del self._wanted[number]
                self.found.new_same_night += born == day
            elif number not in self._world.failing:
                self.found.new_late[number] = self.found.new_late.get(number, 0) + 1
            elif born == day:
                self.found.new_unreadable += 1

    def _check_hidden(self, day: int) -> None:
        for number, since in list(self._hidden.items()):
            if number in self._said:
                self.found.hidden_found[number] = day - since
                del self._hidden[number]
            elif day - since == 30:
                self.found.hidden_late[number] = day

    def _check_edits(self, day: int) -> None:
        for number, pending in self._edits.items():
            self._overdue(day, number, pending, self.found.edits_late)

    def _overdue(self, day: int, number: int, pending: Iterable[Pending], late: list[tuple[int, int]]) -> None:
        """Note what is not seen on its last night; an error page of the portal puts that off by a night."""
        for each in pending:
            if each.deadline == day and number in self._world.failing:
                each.deadline += 1
            elif each.deadline == day:
                late.append((day, number))

    def _check_removals(self, day: int, answers: dict[int, set[str]]) -> None:
        for number, pending in list(self._removals.items()):
            if "missing" in answers.get(number, ()):
                self.found.removal_delays.append(day - pending.day)
                del self._removals[number]
            else:
                self._overdue(day, number, [pending], self.found.removals_late)

    def _check_gone(self, day: int) -> None:
        gone = set(self._gone_now())
        for number in gone - set(self._gone):
            self._gone[number] = day
            self.found.gone.append(number)
            if number in self._world.articles:
                self.found.false_gone.append((day, number))
            else:
                self.found.gone_delays.append(day - self._away[number])
        for number in set(self._gone) - gone:
            del self._gone[number]
            self.found.back += 1

    def _gone_now(self) -> Iterator[int]:
        rule = GoneRule()
        with self._reading() as connection:
            for absence in absences(connection, "demo"):
                if rule.standing(absence.times_missing, absence.since, absence.until) == "gone":
                    yield absence.article_id

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        engine = make_engine(f"sqlite:///{self._database}", readonly=True)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def stale(self) -> dict[str, list[int]]:
        """Return what the archive is wrong about at the end; hidden articles and edits not seen yet are told elsewhere."""
        shown = {o.id for o in self._world.outlines() if o.listed} - set(self._world.failing) - set(self._hidden)
        there = [n for n in self._said if n in self._world.articles and n not in self._edits]
        return {
            "lacking": sorted(shown - set(self._said)),
            "differing": sorted(n for n in there if self._said[n] != words_of(self._world.articles[n])),
            "gone though there": sorted(n for n in self._gone if n in self._world.articles),
        }


def versions(connection: sqlite3.Connection, after: int) -> Iterator[tuple[int, int, Words]]:
    """Yield the versions made after one: its number among ours, the article, and what it says."""
    named = "SELECT version_id, role, name, outlet FROM credit WHERE version_id > ?"
    credits: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for version, role, name, outlet in connection.execute(named, (after,)):
        credits[version].append((role, name, outlet or ""))
    query = """SELECT v.id, a.article_id, v.title, v.published_text, v.source_date_text, v.outlets, v.body
               FROM article_version v JOIN article a ON a.key = v.article_key WHERE v.id > ? ORDER BY v.id"""
    for version, number, title, published, source, outlets, body in connection.execute(query, (after,)):
        lines = body.split("\n") if body else []
        yield version, number, (title, published, source, json.loads(outlets), sorted(credits[version]), lines)


def counted(entries: Iterable[LogEntry]) -> dict[str, int]:
    """Return the requests of a log by what they asked for."""
    return dict(Counter(kind_of(entry.url) for entry in entries))
