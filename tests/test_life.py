"""The bundled portal's life: every day the same from the seed, its truth what is served, its events what has changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from functools import cache
from typing import Any

import pytest
from conftest import Wuhu, program

from wuhu_crawler.clock import now
from wuhu_crawler.demo import changes, looks, portal, server, truth, world
from wuhu_crawler.demo.articles import Article
from wuhu_crawler.demo.life import FAILING_EVERY, FAILING_FROM, RENAMES, Life
from wuhu_crawler.demo.stock import large
from wuhu_crawler.extract.digests import article_digest
from wuhu_crawler.extract.page import extract
from wuhu_crawler.items import Article as Item
from wuhu_crawler.items import to_json
from wuhu_crawler.portals import load_portal

DAYS = 31
LIFE = Life.of()
WORLDS = [LIFE.world(day) for day in range(DAYS)]
EVENTS = [LIFE.events(day) for day in range(DAYS)]
LARGE = 2000
PORTAL = load_portal("demo")
# What the article's own words are: a change in anything else is none of its editors'.
WORDS = ("title", "published_text", "outlets", "credits", "paragraphs", "source_date_text", "headings")


def rows(model: world.World) -> dict[int, dict[str, Any]]:
    return {row["article_id"]: row for row in truth.rows(model)}


@cache
def truth_of(day: int) -> dict[int, dict[str, Any]]:
    """The truth of a day by article; it is long, and wanted of no day before its test."""
    return rows(WORLDS[day])


def of(what: str, day: int) -> set[int]:
    return {event.id for event in EVENTS[day] if event.what == what and event.id is not None}


def served(model: world.World, path: str) -> str:
    body = portal.Portal(model).answer(path).body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030")


def read(body: bytes, number: int) -> Any:
    url = f"http://127.0.0.1:8553/news/Info.asp?ID={number}"
    return extract(body, url=url, captured_at=now(), portal=PORTAL).item


def asked(model: world.World, number: int) -> Any:
    """What extraction reads from the page of that ID: an Article, or what else it is."""
    return read(portal.Portal(model).answer(f"/news/Info.asp?ID={number}").body, number)


def listed_on_pages(model: world.World) -> set[int]:
    return {entry.id for category in model.categories for entry in model.entries(category) if isinstance(entry, Article)}


# --- the days --------------------------------------------------------------------------------------------------------------


def test_day_0_is_the_portal_as_built() -> None:
    built, first = portal.Portal(world.build()), portal.Portal(WORLDS[0])
    paths = [
        "/",
        "/news/rili.asp?y=2024&m=2",
        "/news/Class.asp?ClassID=1",
        *(f"/news/Info.asp?ID={n}" for n in range(11949, 12422)),
    ]
    assert [path for path in paths if built.answer(path) != first.answer(path)] == []
    assert rows(world.build()) == truth_of(0)
    assert truth.summary(world.build()) == truth.summary(WORLDS[0])
    assert EVENTS[0] == []


def test_a_day_is_the_same_however_one_comes_to_it() -> None:
    again = Life.of()
    assert rows(again.world(30)) == truth_of(30)
    assert rows(again.world(7)) == truth_of(7), "going back"
    assert [again.events(day) for day in range(DAYS)] == EVENTS
    assert rows(Life.of(seed=7).world(5)) != truth_of(5)


def test_a_day_does_not_depend_on_the_process(wuhu: Wuhu) -> None:
    ended = subprocess.run([program("wuhu"), "demo", "truth", "--day", "5"], capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in ended.stdout.splitlines()] == json.loads(json.dumps(list(truth_of(5).values())))


def test_everything_happens_within_a_few_weeks() -> None:
    happened = truth.happenings(event for day in EVENTS for event in day)
    assert set(happened["events"]) == {
        "new", "skipped", "edited", "removed", "restored", "listed", "renamed", "redesigned", "sticky", "failing",
    }  # fmt: skip
    assert set(happened["edits"]) == set(changes.KINDS)
    assert 1 <= happened["events"]["new"] / DAYS <= 3


@pytest.mark.parametrize("day", range(1, DAYS))
def test_the_events_of_a_day_are_what_has_changed(day: int) -> None:
    before, after = truth_of(day - 1), truth_of(day)
    assert set(after) - set(before) == of("new", day) | of("restored", day)
    assert set(before) - set(after) == of("removed", day)
    changed = {n for n in set(before) & set(after) if any(before[n][name] != after[n][name] for name in WORDS)}
    assert changed == of("edited", day)
    assert {n for n in set(before) & set(after) if after[n]["listed"] and not before[n]["listed"]} == of("listed", day)
    assert of("skipped", day) <= set(WORLDS[day].dead)
    assert WORLDS[day].sticky_id in listed_on_pages(WORLDS[day])


@pytest.mark.parametrize("day", [FAILING_FROM, 26, DAYS - 1])
def test_the_truth_of_a_day_is_what_is_served(day: int) -> None:
    model = WORLDS[day]
    touched = {event.id for events in EVENTS[: day + 1] for event in events if event.id in model.articles}
    assert len(touched) > 8
    redesigned = [n for n, row in truth_of(day).items() if row["template"].endswith("-new")][:20]
    for number in {*touched, *redesigned} - set(model.failing):
        row = truth_of(day)[number]
        if row["parts"] > 1:
            continue
        page = asked(model, number)
        assert isinstance(page, Item), number
        found = json.loads(json.dumps(to_json(page)))
        assert {name: found[name] for name in WORDS} == {name: row[name] for name in WORDS}
        assert found["category"] == row["category"]
        if row["counter"] == "get":
            assert found["views"] == row["views"]
    assert listed_on_pages(model) == {n for n, row in truth_of(day).items() if row["listed"]}


@pytest.mark.parametrize("what", ["removed", "skipped"])
def test_what_is_gone_answers_that_it_is(what: str) -> None:
    for number in set().union(*(of(what, day) for day in range(DAYS))) & set(WORLDS[-1].dead):
        assert asked(WORLDS[-1], number).kind == "missing"
        assert number not in listed_on_pages(WORLDS[-1])


def test_some_of_what_was_removed_comes_back() -> None:
    gone, back = (set().union(*(of(what, day) for day in range(DAYS))) for what in ("removed", "restored"))
    assert back
    assert back < gone
    number = next(iter(back))
    away = next(day for day in range(DAYS) if number in of("removed", day))
    home = next(day for day in range(DAYS) if number in of("restored", day))
    assert truth_of(home)[number]["paragraphs"] == truth_of(away - 1)[number]["paragraphs"]
    assert all(number in WORLDS[day].dead for day in range(away, home))
    if truth_of(away - 1)[number]["views"]:
        assert truth_of(home)[number]["views"] == 0, "its counter begins anew"


def test_a_database_that_fails_for_a_day_takes_nothing_away() -> None:
    day = FAILING_FROM
    model = WORLDS[day]
    assert len(model.failing) > 10
    assert set(model.failing) <= set(model.articles)
    assert {asked(model, number).kind for number in model.failing} == {"error"}
    assert WORLDS[day + 1].failing == {}
    assert all(
        asked(WORLDS[day + 1], number).kind == "article" for number in set(model.failing) & set(WORLDS[day + 1].articles)
    )
    assert [n for n in range(DAYS) if WORLDS[n].failing] == list(range(FAILING_FROM, DAYS, FAILING_EVERY))


def test_a_category_is_renamed_on_its_pages() -> None:
    (day, (old, new)), *_ = RENAMES.items()
    assert old not in served(WORLDS[day], "/")
    assert served(WORLDS[day], "/").count(new) == served(WORLDS[day - 1], "/").count(old)
    assert {n for n, row in truth_of(day).items() if row["category"] == new} >= {
        n for n, row in truth_of(day - 1).items() if row["category"] == old and n in truth_of(day)
    }


@pytest.mark.parametrize("look", looks.REDESIGNS)
def test_a_redesign_changes_the_page_and_no_article(look: str) -> None:
    name, design = looks.REDESIGNS[look]
    chosen = [a for a in WORLDS[0].articles.values() if a.look == look and a.parts == 1][::5]
    for article in chosen:
        was = asked(WORLDS[0], article.id)
        page = looks.Page(world=WORLDS[0], article=article, body=portal.bodies.parts(article)[0])
        became = read(design.render(page).replace("\n", "\r\n").encode("utf-8"), article.id)
        assert isinstance(became, Item), article.id
        assert article_digest(became) == article_digest(was), article.id
        assert name in {row["template"] for row in truth.rows(WORLDS[-1])} or look == "table778"


def test_counters_grow_with_the_days() -> None:
    for number in set(truth_of(0)) & set(truth_of(30)) - set().union(*(of("restored", day) for day in range(31))):
        if truth_of(0)[number]["views"] is not None:
            assert truth_of(30)[number]["views"] - truth_of(0)[number]["views"] == number % 5 * 30


def test_most_edits_are_of_young_articles_and_some_of_old_ones() -> None:
    ages = [
        (event.date - WORLDS[0].articles[event.id].published.date()).days if event.id in WORLDS[0].articles else 0
        for day in EVENTS
        for event in day
        if event.what == "edited" and event.id
    ]
    assert sum(age < 40 for age in ages) > len(ages) / 2
    assert max(ages) > 100


@pytest.mark.parametrize("kind", changes.KINDS)
def test_each_kind_of_edit_changes_what_it_says(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "KINDS", {kind: 1})
    rng = changes.random.Random(kind)
    name = {"date": "published_at", "credit": "credits", "title": "title"}.get(kind, "paragraphs")
    done = 0
    for article in list(WORLDS[0].articles.values())[:120]:
        changed, told = changes.change(rng, article)
        assert changed != article
        if told == kind:
            done += 1
            before, after = (next(truth.rows(world.World(1, {a.id: a}, {}))) for a in (article, changed))
            assert before[name] != after[name]
            if kind == "character":
                pairs = zip(before["paragraphs"], after["paragraphs"], strict=True)
                assert sum(abs(len(a) - len(b)) <= 1 and a != b for a, b in pairs) == 1
            if kind == "paragraphs":
                assert Counter(before["paragraphs"]) == Counter(after["paragraphs"])
    assert done > 30


# --- a large portal --------------------------------------------------------------------------------------------------------


def test_a_large_portal_is_of_the_size_asked_for() -> None:
    stock, model = large(LARGE), Life.of(LARGE).world(0)
    assert len(stock.outlines) == len(model.articles) == LARGE
    assert sum(not outline.listed for outline in stock.outlines.values()) == LARGE // 100
    ids = {*stock.outlines, *stock.dead}
    assert ids == set(range(min(ids), max(ids) + 1))
    unknown = len(stock.dead) + LARGE // 100
    assert unknown * 50_000 / LARGE <= 3000
    times = [outline.published for outline in stock.outlines.values()]
    assert times == sorted(times)
    assert times[-1].date() == world.LAST_DAY
    assert listed_on_pages(model) == {n for n, outline in stock.outlines.items() if outline.listed}
    for number in list(model.articles)[:: LARGE // 40]:
        page, row = asked(model, number), next(truth.rows(world.World(1, {number: model.articles[number]}, {})))
        assert row["parts"] > 1 or (page.title, page.paragraphs) == (row["title"], row["paragraphs"])


def test_a_day_of_fifty_thousand_articles() -> None:
    life = Life.of(50_000)
    events = [event for day in range(1, 41) for event in life.events(day)]
    counts = Counter(event.what for event in events)
    assert 700 <= counts["new"] <= 900
    assert 150 <= counts["edited"] <= 250
    assert 25 <= counts["removed"] <= 55
    assert len(life.world(40).articles) == 50_000 + counts["new"] - counts["removed"] + counts["restored"]


# --- over HTTP and by the command line -------------------------------------------------------------------------------------


def test_a_running_server_goes_to_another_day() -> None:
    born = next(event.id for event in EVENTS[1] if event.what == "new")
    with server.start() as handle:

        def page(number: int) -> bytes:
            with urllib.request.urlopen(f"{handle.url}news/Info.asp?ID={number}", timeout=10) as response:
                return response.read()

        assert "该信息不存在".encode("gb18030") in page(born or 0)
        handle.go_to(1)
        assert "该信息不存在".encode("gb18030") not in page(born or 0)
        assert rows(handle.portal.world) == truth_of(1)


def test_a_large_portal_is_served_within_seconds_and_in_little_memory() -> None:
    code = "from wuhu_crawler.demo.server import serve; "
    code += "serve(0, ready=lambda url: print(url, flush=True), articles=50_000, day=30); "
    code += "print(open('/proc/self/status').read())"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        for path in ("", "news/Class.asp?ClassID=1&page=2", "news/Info.asp?ID=50000"):
            with urllib.request.urlopen(url + path, timeout=10) as response:
                assert response.status == 200
        process.terminate()
        peak = re.search(r"VmHWM:\s+(\d+) kB", process.stdout.read())
    assert peak
    assert int(peak[1]) < 150_000


def test_truth_tells_events_and_their_counts(wuhu: Wuhu) -> None:
    told = wuhu("demo", "truth", "--day", "12", "--events").lines
    assert told == [json.loads(json.dumps(event.row())) for day in EVENTS[:13] for event in day]
    assert told[0]["date"] == "2024-05-01"
    counts = json.loads(wuhu("demo", "truth", "--day", "12", "--events", "--summary").out)
    assert counts["events"] == dict(Counter(row["what"] for row in told))
    assert counts["ids"]["edited"] == [row["id"] for row in told if row["what"] == "edited"]
    summary = json.loads(wuhu("demo", "truth", "--day", "12", "--summary").out)
    assert summary["articles"] == len(truth_of(12))


def test_rounds_of_edits_and_days_do_not_mix(wuhu: Wuhu) -> None:
    ended = wuhu("demo", "truth", "--day", "3", "--edits", "2")
    assert ended.code == 2
    assert "--edits" in ended.err
