"""Gaps: which numbers are asked for and in which order; then real crawls, whose answers the portal's truth is compared with."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import (
    HASTY,
    PATIENCE,
    ROOT,
    DemoCrawl,
    Page,
    Story,
    answer,
    environment,
    html,
    listing,
    program,
    rows,
    scrapy,
    serving,
)
from conftest import crawl as crawl_listings
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.utils.project import get_project_settings

from wuhu_crawler.db import canonical
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.demo import server
from wuhu_crawler.errors import UsageError
from wuhu_crawler.planning.gaps import BEYOND, Choice, Ground, Limits, Search, choose, forecast
from wuhu_crawler.planning.holes import Holes
from wuhu_crawler.planning.numbers import Answer, Told
from wuhu_crawler.rebuild import rebuild
from wuhu_crawler.spiders.gaps import GapsSpider

NIGHT = datetime(2024, 5, 1, 18, tzinfo=UTC)
LONG_AGO = NIGHT - timedelta(days=400)
DAY = timedelta(days=1)


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def article(number: int, at: datetime = LONG_AGO, *, listed: bool = True) -> Told:
    return Told(number, [(text(at), "article")], text(at) if listed else None)


def asked(number: int, *answers: tuple[datetime, Answer]) -> Told:
    return Told(number, [(text(at), kind) for at, kind in answers])


def search(known: Iterable[Told], budget: int, *, beyond: int = 0, now: datetime = NIGHT, high: int | None = None) -> Search:
    """Return the search a database would give that knows this."""
    told = sorted(known, key=lambda each: -each.number)
    shown = [each.number for each in told if each.article_since or each.sighted]
    limits = Limits(budget, beyond, high=high)
    ground = Ground(min(shown), high or max(shown), limits, now)
    for each in told:
        ground.take(each)
    ground.close()
    return Search(ground, limits)


def choices(found: Search, tell: Callable[[int], bool | None] | None = None) -> list[Choice]:
    """Return all it chooses; `tell` answers each at once."""
    made = []
    while (choice := found.next()) is not None:
        made.append(choice)
        if tell:
            found.tell(choice.number, article=tell(choice.number))
    return made


def numbers(found: Search, reason: str | None = None) -> list[int]:
    return [choice.number for choice in choices(found) if reason in (None, choice.reason)]


# --- runs of unknown numbers ---


@given(st.sets(st.integers(0, 60)), st.integers(0, 60), st.integers(-1, 60), st.integers(-5, 65), st.integers(-5, 65))
def test_holes_are_what_is_not_known(known: set[int], low: int, length: int, start: int, end: int) -> None:
    holes = Holes(low, low + length)
    for number in sorted(known, reverse=True):
        holes.know(number)
    holes.close()
    unknown = set(range(low, low + length + 1)) - known
    assert {number for number in range(-5, 130) if number in holes} == unknown
    assert holes.total == len(unknown)
    assert holes.count(start, end) == len(unknown & set(range(start, end + 1)))


# --- the order ---

told_numbers = st.dictionaries(
    st.integers(0, 2500), st.sampled_from(["listed", "unlisted", "missing", "unsure", "owed"]), max_size=30
)


@settings(deadline=None, max_examples=40)
@given(told_numbers, st.integers(0, 3), st.integers(0, 99))
def test_every_unknown_number_has_its_turn_once_and_before_all_others(kinds: dict[int, str], beyond: int, seed: int) -> None:
    random = Random(seed)
    kinds[2501] = "listed"
    make: dict[str, Callable[[int], Told]] = {
        "listed": article,
        "unlisted": lambda number: article(number, listed=False),
        "owed": lambda number: Told(number, sighted=text(LONG_AGO)),
    }
    told = [
        make[kind](number) if kind in make else asked(number, (NIGHT - 390 * DAY, kind))  # type: ignore[arg-type]
        for number, kind in kinds.items()
    ]
    found = choices(
        search(told, 20_000, beyond=beyond), lambda number: random.choice((True, False, None)) if number <= 2501 else False
    )
    low = min(number for number, kind in kinds.items() if kind in ("listed", "unlisted", "owed"))
    unknown = set(range(low, 2502)) - kinds.keys()
    asked_before = {number for number, kind in kinds.items() if kind in ("missing", "unsure") and number > low}
    assert {choice.number for choice in found[: len(unknown)]} == unknown
    assert sorted(choice.number for choice in found[len(unknown) :]) == sorted([*asked_before, *range(2502, 2502 + beyond)])


def test_the_budget_is_kept() -> None:
    assert len(numbers(search([article(1), article(1000)], 37))) == 37


def test_a_jump_of_a_million_costs_little_and_starves_nothing() -> None:
    dense = [article(number) for number in range(1, 3001) if number % 3]
    found = choices(search([*dense, article(10**9)], 2000, beyond=5), lambda number: number < 3001)
    new = [choice.number for choice in found if choice.reason == "new"]
    assert set(new) >= set(range(3, 3000, 3))
    far = sorted(number for number in new if number > 10_000)
    assert far[0] < 10**8 and far[-1] > 9 * 10**8
    assert [choice.number for choice in found if choice.reason == "beyond"] == [10**9 + place for place in range(1, 6)]


def test_dead_ranges_cost_little_where_others_bring_articles() -> None:
    # Every second number of ten regions is known; the others are articles in one of the regions alone.
    told = [article(number) for number in range(1024, 11 * 1024, 2)]
    found = choices(search(told, 512 + 200), lambda number: 5 * 1024 <= number < 6 * 1024)
    assert sum(5 * 1024 <= choice.number < 6 * 1024 for choice in found) == 512


def test_what_is_near_an_article_found_far_out_is_asked_for_next() -> None:
    island = range(500_000, 503_000)
    found = choices(search([article(1), article(1_000_000)], 8000), lambda number: number in island)
    assert {choice.number for choice in found} >= set(island)


def test_thirty_times_the_budget_of_unknown_numbers_is_asked_for_within_thirty_nights() -> None:
    random = Random(7)
    unknown = set(random.sample(range(2, 4999), 300))
    unlisted = set(random.sample(sorted(unknown), 15))
    known = {number: article(number) for number in range(1, 5001) if number not in unknown}
    errors = set(random.sample(sorted(unknown - unlisted), 30))
    for night in range(30):
        now = NIGHT + night * DAY
        for choice in choices(search(known.values(), 10, beyond=20, now=now)):
            number = choice.number
            kind: Answer = "article" if number in unlisted else "unsure" if number in errors else "missing"
            known[number] = Told(number, [(text(now), kind)])
    assert unknown <= known.keys()


# --- again, and beyond ---


@pytest.mark.parametrize(
    ("number", "answers", "days"),
    [
        (50, [(0, "unsure")], 1),
        (50, [(0, "unsure"), (1, "unsure"), (3, "unsure")], 3 + 4),
        (50, [(0, "missing"), (9, "unsure")], 9 + 1),
        (50, [(0, "missing")], 30),
        (50, [(0, "missing"), (30, "missing")], 30 + 60),
        (50, [(0, "other")], 30),
        (9050, [(0, "missing")], 2),
        (9050, [(0, "missing"), (2, "missing"), (6, "missing")], 6 + 8),
        (9050, [(0, "other")], 30),
    ],
)
def test_what_was_asked_is_asked_again_with_growing_pauses(number: int, answers: list[tuple[int, Answer]], days: int) -> None:
    told = [article(1), article(9100), asked(number, *((NIGHT + day * DAY, kind) for day, kind in answers))]
    early, due = NIGHT + (days - 0.5) * DAY, NIGHT + (days - 0.2) * DAY
    assert numbers(search(told, 10_000, now=early), "again") == []
    assert numbers(search(told, 10_000, now=due), "again") == [number]


def test_errors_are_asked_again_before_what_was_missing_and_the_longest_due_first() -> None:
    told = [article(number) for number in (1, 6)]
    told += [
        asked(2, (NIGHT - 90 * DAY, "missing")),
        asked(3, (NIGHT - 9 * DAY, "unsure")),
        asked(4, (NIGHT - 10 * DAY, "unsure")),
    ]
    told += [asked(5, (NIGHT - 95 * DAY, "missing"))]
    assert numbers(search(told, 10, beyond=2)) == [4, 3, 7, 8, 5, 2]


def test_a_number_asked_before_a_higher_one_was_known_was_not_given_out_yet() -> None:
    told = [
        article(1),
        asked(2, (NIGHT - 9 * DAY, "missing")),
        asked(3, (NIGHT - 5 * DAY, "missing")),
        article(4, NIGHT - 7 * DAY),
    ]
    assert numbers(search(told, 10), "new") == [2]
    late = [article(1), asked(2, (NIGHT - DAY / 24, "missing")), article(3, NIGHT)]
    assert numbers(search(late, 10)) == []


def test_the_way_beyond_goes_on_while_it_finds_articles() -> None:
    found = choices(search([article(1), article(2)], 100, beyond=3), lambda number: number in (4, 7))
    assert [choice.number for choice in found] == [3, 4, 5, 6, 7, 8, 9, 10]


def test_the_way_beyond_is_gone_once_a_night_and_anew_the_next() -> None:
    told = [article(1), article(2), *(asked(number, (NIGHT, "missing")) for number in (3, 4, 5))]
    assert numbers(search(told, 100, beyond=3, now=NIGHT + DAY / 24)) == []
    assert numbers(search(told, 100, beyond=3, now=NIGHT + DAY)) == [3, 4, 5]


# --- real crawls ---


def gaps(folder: Path, portal: str | Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return scrapy("crawl", "gaps", "-a", f"portal={portal}", *arguments, folder=folder, **{**HASTY, **more})


def killed(folder: Path, portal: server.Handle, requests: int, *arguments: str) -> None:
    """Begin a crawl of gaps and kill it once the portal has answered so many requests."""
    answered, more = len(portal.log), {"WUHU_DEMO_URL": portal.url, **HASTY}
    command = [program("scrapy"), "crawl", "gaps", "-a", "portal=demo", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment(folder, more), stderr=subprocess.DEVNULL) as run:
        while len(portal.log) < answered + requests:
            assert run.poll() is None
        run.send_signal(signal.SIGKILL)
        run.wait(PATIENCE)


def test_all_unlisted_articles_are_found_and_each_gap_is_answered(
    demo: DemoCrawl, demo_facts: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(demo.folder, folder)
    with make_engine(f"sqlite:///{folder / 'archive.db'}", readonly=True).connect() as connection:
        planned = {choice.number for choice in choose(connection, "demo", 500, datetime.now(UTC)) if choice.reason == "new"}
        told = forecast(connection, "demo", 40, datetime.now(UTC))
    assert planned == set(demo_facts["gaps"])
    assert (told.chosen, told.skipped) == ({"new": 40}, {"budget": 22, "not due": 10})
    assert told.expected is not None and 0 < told.expected < 40
    with server.start(latency_ms=5) as portal:
        killed(folder, portal, 12, "-a", "budget=40")
        resumed = gaps(folder, "demo", "-a", "budget=40", "-a", "resume=last", WUHU_DEMO_URL=portal.url)
        first = [int(found[1]) for entry in portal.log if (found := re.search(r"Info\.asp\?ID=(\d+)$", entry.url))]
        rest = gaps(folder, "demo", WUHU_DEMO_URL=portal.url)
        last = [entry.url for entry in portal.log if re.search(r"Info\.asp\?ID=\d+$", entry.url)][len(first) :]
    assert resumed.returncode in (0, 5) and rest.returncode in (0, 5)
    assert len(set(first)) == 40
    # The portal's answers that were under way when the crawl was killed, and the tries of the one number it refuses.
    assert len(first) <= 40 + 4 + 2
    assert len({*last}) == 22 + BEYOND
    answers = dict(rows(folder, "SELECT article_id, answer FROM article_state"))
    wanted = {"missing": "missing", "portal_errors": "error", "blocked": "blocked", "unlisted": "article"}
    for name, kind in wanted.items():
        assert {answers[number] for number in demo_facts[name]} == {kind}, name
    assert set(demo_facts["gaps"]) <= answers.keys()
    assert re.search(r"Gaps: 42 asked, \d+ found, \d+ missing, .*; hit rate \d+\.\d %", rest.stderr)


def redirect(target: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: answer(handler, 302, b"", Location=target)


def test_redirects_errors_and_a_second_night(tmp_path: Path) -> None:
    url, folder = "/html/show.asp?newsid={}", tmp_path / "archive"
    pages: dict[str, Page] = {url.format(n): Story(n, f"第{n}座大桥昨日通车").page() for n in (1, 2, 7, 9)}
    pages["/"] = listing({url.format(n): f"第{n}座大桥昨日通车" for n in (1, 2, 7)})
    pages[url.format(3)] = redirect("/")
    pages[url.format(4)] = redirect("/html/Show.asp?NewsID=4&x=1")
    pages["/html/Show.asp?NewsID=4&x=1"] = Story(4, "第4座大桥昨日通车").page()
    pages[url.format(5)] = html("<p>数据库连接出错，请检查连接字串。</p>")
    pages[url.format(6)] = redirect(url.format(6))
    with serving(pages) as site:
        profile = site.profile(
            tmp_path,
            article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']",
            article_url=f'"{site.url}{url.replace("{}", "{id}")}"',
        )
        more = {"WUHU_GAPS_BEYOND": "2"}
        assert crawl_listings(folder, profile).returncode == 0
        site.log.clear()
        ended = gaps(folder, profile, **more)
        asked_first = [target for target in site.log if target != "/robots.txt"]
        site.log.clear()
        # Error and redirect loop are asked again the next night, and so is what lies beyond the highest number known by then.
        tomorrow = (datetime.now(UTC) + DAY).isoformat()
        again = gaps(folder, profile, WUHU_CLOCK=tomorrow, **more)
        asked_again = [target for target in site.log if target != "/robots.txt"]
    # A circle of redirects is a page we did not get, and tomorrow's, too.
    assert (ended.returncode, again.returncode) == (5, 5), ended.stderr
    assert sorted(asked_first) == sorted(["/html/Show.asp?NewsID=4&x=1", *(url.format(n) for n in (3, 4, 5, 6, 8, 9, 10, 11))])
    assert sorted(asked_again) == sorted(url.format(n) for n in (5, 6, 8, 10, 11))
    answers = dict(rows(folder, "SELECT article_id, answer FROM article_state WHERE article_id > 2"))
    there, not_there = dict.fromkeys((4, 7, 9), "article"), dict.fromkeys((8, 10, 11), "missing")
    assert answers == {3: "other", 5: "error", 6: "error", **there, **not_there}
    assert rows(folder, "SELECT article_id FROM article ORDER BY 1") == [(1,), (2,), (4,), (7,), (9,)]
    assert rebuilt_as_it_was(folder, tmp_path / "again.db")


def rebuilt_as_it_was(folder: Path, target: Path) -> bool:
    """Tell whether the WARC files alone give the same database."""
    rebuild(folder / "warc", target, workers=1)
    dumps = []
    for database in (folder / "archive.db", target):
        engine = make_engine(f"sqlite:///{database}", readonly=True)
        with engine.connect() as connection:
            dumps.append(list(canonical.lines(connection)))
        engine.dispose()
    return dumps[0] == dumps[1]


# --- arguments ---


@pytest.mark.parametrize(
    ("given_arguments", "words"),
    [
        ({"from": "9", "to": "3"}, "no number between"),
        ({"to": "9" * 20}, "all the database can hold"),
        ({"budget": "0"}, "whole number of at least 1"),
    ],
)
def test_a_wrong_argument_is_named(given_arguments: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        GapsSpider.read({"portal": "demo", **given_arguments}, get_project_settings())


def test_a_profile_that_does_not_say_how_to_ask_is_refused(tmp_path: Path) -> None:
    profile = tmp_path / "mute.toml"
    profile.write_text('seeds = ["http://127.0.0.1:1/"]\ncontact_required = false\nallow_private = true\n', encoding="utf-8")
    with pytest.raises(UsageError, match="article_url = "):
        GapsSpider.read({"portal": str(profile)}, get_project_settings())


def test_without_a_known_article_a_range_must_be_given(tmp_path: Path) -> None:
    with serving({"/robots.txt": b""}) as site:
        template = f'"{site.url}/show.asp?id={{id}}"'
        profile = site.profile(tmp_path, article_url=template)
        assert gaps(tmp_path, profile).returncode == 2
        ranged = gaps(tmp_path, profile, "-a", "from=3", "-a", "to=5")
        assert ranged.returncode == 0
        assert sorted(site.log) == ["/robots.txt", *(f"/show.asp?id={number}" for number in (3, 4, 5))]
