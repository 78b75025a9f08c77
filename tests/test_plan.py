"""`wuhu plan`: what past crawls tell, how a budget is shared, and planned against done of real crawls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from archive_rows import T0, Rows, archive
from conftest import Story, Wuhu, crawl, listing, rows, scrapy, serving

from wuhu_crawler.planning import history
from wuhu_crawler.planning.done import Done, done
from wuhu_crawler.planning.plan import Part, Rules, make
from wuhu_crawler.planning.record import sentence

# Long after: all that is known is due.
TONIGHT = T0 + timedelta(days=200)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Rows]:
    """An archive after its first crawl, which brought the articles 10 to 19."""
    with archive(tmp_path) as connection:
        found = Rows(connection)
        for number in range(10, 20):
            found.article(number)
            found.sighting(number)
        yield found


def show(kept: Rows, *numbers: int) -> None:
    """A listing of tonight's crawl shows these."""
    kept.listing = kept.page(f"{kept.crawl}")
    for number in numbers:
        kept.sighting(number)


def test_each_number_belongs_to_one_part(kept: Rows) -> None:
    kept.sighting(20)
    kept.sighting(21)
    kept.outcome(22, "missing", "HTTP 404")  # asked for before it was given out
    kept.night(1)
    show(kept, 19, 20, 21, 22, 23, 24, 25)
    kept.article(20)  # shown before, and not had
    kept.outcome(21, "failed", "timeout")
    kept.article(22)
    kept.outcome(23, "missing", "HTTP 404")
    kept.outcome(24, "excluded", "robots")
    kept.outcome(25, "postponed", "retry-after (300 seconds)")
    kept.again(18, changed=True)
    kept.again(17)
    kept.outcome(16, "missing", "HTTP 404")
    assert done(kept.connection, kept.crawl) == {
        "listings": Done(1, 4),
        "new": Done(2, 1, {"robots": 1, "postponed retry-after": 1, "known": 1}),
        "owed": Done(2, 1, {"failed timeout": 1}),
        "rechecks": Done(3, 2),
    }


def test_a_spider_of_one_part_fills_that_part(kept: Rows) -> None:
    kept.night(1, "gaps")
    kept.article(5)
    kept.outcome(6, "missing", "HTTP 404")
    assert done(kept.connection, kept.crawl) == {"gaps": Done(2, 1)}
    kept.night(2, "recheck")
    kept.again(10)
    kept.again(11, changed=True)
    kept.outcome(12, "blocked", "HTTP 403")
    assert done(kept.connection, kept.crawl) == {"rechecks": Done(3, 1, {"blocked HTTP 403": 1})}
    assert done(kept.connection, "no such crawl") == {}


def test_a_removal_is_a_change_once(kept: Rows) -> None:
    for night in (1, 2):
        kept.night(night, "recheck")
        kept.outcome(12, "missing", "HTTP 404")
        assert done(kept.connection, kept.crawl)["rechecks"].brought == (night == 1)


def test_requisites_parts_and_robots_are_no_listings(kept: Rows) -> None:
    kept.night(1)
    kept.page("robots.txt", kind=None)  # type: ignore[arg-type]
    kept.page("part two", kind="article")
    kept.page("list")
    kept.page("broken", kind="error")
    assert done(kept.connection, kept.crawl)["listings"].done == 2


def test_the_first_walk_tells_nothing_of_a_night(kept: Rows) -> None:
    only = history.walks(kept.connection, "p")
    assert (only.pages, only.new_a_day) == (1, 0.0)
    for night in (1, 2, 4):
        kept.night(night)
        show(kept, *range(100 * night, 100 * night + 3))
        kept.page("second page")
        for number in range(3):
            kept.article(100 * night + number)
    # One that was to bring a part only, and those of other spiders, tell nothing.
    kept.night(5, **{"argument-limit": "2"})
    kept.article(900)
    kept.night(6, "gaps")
    kept.article(901)
    found = history.walks(kept.connection, "p")
    assert (found.pages, found.new_a_day) == (2, pytest.approx(9 / 4))
    assert found.since == T0 + timedelta(days=4)
    assert found.new(T0 + timedelta(days=8)) == pytest.approx(9)
    assert found.new(T0 + timedelta(days=4, hours=1)) == pytest.approx(9 / 4)


def test_what_is_expected_follows_from_what_was_had(kept: Rows) -> None:
    kept.night(1, "recheck")
    for number in range(10, 20):
        kept.again(number, changed=number < 12)
    plan = make(kept.connection, "p", TONIGHT, Rules())
    again = plan.part("rechecks")
    assert again.planned and again.expected == pytest.approx(again.planned * 2 / 10)
    assert plan.part("gaps").expected is None
    assert plan.requests == sum(part.planned or 0 for part in plan.parts)


@pytest.mark.parametrize("budget", [1, 3, 7, 30, 100_000])
def test_a_budget_is_never_exceeded_and_goes_to_the_listings_first(kept: Rows, budget: int) -> None:
    for number in range(30, 34):
        kept.sighting(number)
    kept.article(100)
    kept.sighting(100)
    plan = make(kept.connection, "p", TONIGHT, Rules(gaps=5, rechecks=5), budget)
    planned = {part.name: part.planned for part in plan.parts}
    assert plan.requests <= budget
    assert planned["listings"] == min(1, budget)
    assert planned["owed"] == min(4, budget - 1)
    if budget >= 30:
        # All that there is to ask for fits in, so nothing of the budget is left unused that somebody has use for.
        assert planned["rechecks"] == plan.backlog.due == 11
        assert planned["gaps"] == min(budget - 5 - 11, 10 + 66 + 20)


def test_without_a_way_to_ask_for_numbers_all_goes_to_rechecks(kept: Rows) -> None:
    plan = make(kept.connection, "p", TONIGHT, Rules(gaps=None), 8)
    assert plan.part("gaps").planned == 0
    assert plan.part("rechecks").planned == 7
    nothing = make(kept.connection, "p", TONIGHT, Rules(), 1)
    assert nothing.backlog.stretch is None and nothing.backlog.delays == []


def test_a_part_is_cut_with_what_it_expects() -> None:
    assert Part("new", 10, 5.0, "").cut(4) == Part("new", 4, 2.0, "", {"budget": 6})
    assert Part("new", None).cut(4) == Part("new", None)


def test_planned_against_done_is_one_line() -> None:
    row = {"part": "new", "planned": 3, "done": 2, "brought": 1, "skipped": {"known": 7}}
    other = {"part": "listings", "planned": None, "done": 5, "brought": 2, "skipped": {}}
    assert sentence([other, row]) == "listings 5 (not planned), new 2 of 3; brought 2 new numbers, 1 article; skipped 7 known"
    assert sentence([]) == "nothing"


def test_crawls_follow_their_plan_and_say_so(tmp_path: Path, wuhu: Wuhu) -> None:
    data = tmp_path / "data"
    stories = {number: Story(number, f"长江大桥第{number}次通车") for number in (7, 8, 10)}
    urls = {number: f"/html/show.asp?newsid={number}" for number in stories}
    shown = {urls[7]: stories[7].title, urls[8]: stories[8].title}
    with serving({"/": listing(shown), urls[7]: stories[7].page(), urls[8]: stories[8].page()}) as site:
        profile = site.profile(
            tmp_path,
            article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']",
            article_url=f'"{site.url}/html/show.asp?newsid={{id}}"',
        )
        first = crawl(data, profile)
        assert "Plan: listings 1 (not planned), new 2 (not planned)" in first.stderr, first.stderr
        site.pages["/"] = listing({**shown, urls[10]: stories[10].title})
        site.pages[urls[10]] = stories[10].page()
        second = crawl(data, profile)
        assert "listings 1 of 1, new 1 of 0" in second.stderr, second.stderr
        shown_last = json.loads(wuhu("plan", "--crawl", "last", "--json", folder=data).out)
        assert {part["part"]: (part["planned"], part["done"], part["brought"]) for part in shown_last["parts"]}["new"] == (
            0,
            1,
            1,
        )
        gaps = scrapy("crawl", "gaps", "-a", f"portal={profile}", "-a", "budget=1", folder=data)
        assert "gaps 1 of 1; brought 0 articles" in gaps.stderr, gaps.stderr
    stored = rows(data, "SELECT part, planned, done, brought FROM plan WHERE crawl_id LIKE '%gaps%'")
    assert stored == [("gaps", 1, 1, 0)]
    before = rows(data, "SELECT count(*) FROM capture")
    tonight = wuhu("plan", "--budget", "3", folder=data)
    assert tonight.code == 0 and "budget 3" in tonight.out and "scrapy crawl wuhu -a portal=small" in tonight.out
    assert rows(data, "SELECT count(*) FROM capture") == before
    assert "there is no crawl nope" in wuhu("plan", "--crawl", "nope", folder=data).err


def test_an_archive_without_anything_is_a_sentence(tmp_path: Path, wuhu: Wuhu) -> None:
    result = wuhu("plan", folder=tmp_path / "none")
    assert (result.code, result.out) == (2, "") and "there is no archive database" in result.err
    with archive(tmp_path):
        pass
    result = wuhu("plan", folder=tmp_path)
    assert (result.code, result.out) == (2, "") and "the archive is empty" in result.err
