"""`wuhu coverage`: on the bundled portal's truth, on small databases, and its pure parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from archive_rows import Rows, archive
from conftest import DemoCrawl, Wuhu

from wuhu_crawler.coverage import picture, survey
from wuhu_crawler.coverage.months import split
from wuhu_crawler.coverage.rhythm import EmptyDays, empty_days, habit
from wuhu_crawler.coverage.space import Stretch, divide
from wuhu_crawler.errors import UsageError
from wuhu_crawler.planning.gone import GoneRule

STATES = ("captured", "missing", "error", "blocked", "waiting", "unknown")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    with archive(tmp_path) as connection:
        yield Rows(connection)


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {name: found[name] for name in STATES if found[name]}


def months(found: dict[str, Any]) -> dict[str | None, dict[str, int]]:
    return {each["month"]: counts(each) for each in found["months"]}


def test_the_bundled_portal_is_counted_as_it_is(
    demo: DemoCrawl, demo_facts: dict[str, Any], wuhu: Wuhu, tmp_path: Path
) -> None:
    drawn = tmp_path / "drawn.svg"
    result = wuhu("coverage", "--json", "--range", "100", "--svg", str(drawn), folder=demo.folder)
    assert result.code == 0
    found = json.loads(result.out)
    assert found["captured"] == len(demo.articles)
    assert found["unknown"] == len(demo_facts["gaps"])
    assert found["numbers"] == found["last"] - found["first"] + 1 == sum(found[name] for name in STATES)
    assert all(each["last"] // 100 == each["first"] // 100 for each in found["ranges"])
    for parts in (found["ranges"], found["months"]):
        assert {name: sum(each[name] for each in parts) for name in STATES} == {name: found[name] for name in STATES}
    ElementTree.fromstring(drawn.read_text(encoding="utf-8"))  # noqa: S314 - our own picture


def test_every_number_is_in_one_state(rows: Rows) -> None:
    rows.article(10)
    rows.sighting(10)
    rows.sighting(20)
    rows.outcome(11, "missing")
    rows.outcome(11, "failed", days=1, url="&again")
    rows.outcome(12, "failed")
    rows.outcome(13, "failed")
    rows.outcome(13, "blocked", days=1, url="&again")
    rows.outcome(14, "excluded")
    rows.outcome(15, "captured")
    rows.outcome(21, "missing")
    found = survey(rows.connection).as_object()
    assert (found["first"], found["last"], found["known"]) == (10, 20, 7)
    assert counts(found) == {"captured": 1, "missing": 1, "error": 1, "blocked": 1, "waiting": 3, "unknown": 4}
    assert found["accounted"] == pytest.approx(2 / 11, abs=1e-6)
    assert found["beyond"] == {"missing": 1}


def test_portals_are_kept_apart(rows: Rows) -> None:
    other = Rows(rows.connection, "q")
    for each, first in ((rows, 10), (other, 12)):
        each.article(first)
        each.sighting(first + 3)
        each.outcome(first + 1, "missing")
    found = survey(rows.connection, "p").as_object()
    assert (found["first"], found["last"]) == (10, 13)
    assert counts(found) == {"captured": 1, "missing": 1, "waiting": 1, "unknown": 1}
    with pytest.raises(UsageError, match="name one of p, q"):
        survey(rows.connection)
    with pytest.raises(UsageError, match="nothing of portal r"):
        survey(rows.connection, "r")


def test_gone_takes_three_times_over_a_week_since_it_was_last_there(rows: Rows) -> None:
    missing_on = {1: (1, 3, 8), 2: (1, 2, 3), 3: (1, 9), 4: (-9, -5, 1)}
    for number, days in missing_on.items():
        rows.article(number)
        for day in days:
            rows.outcome(number, "missing", days=day, url=f"&{day}")
    found = survey(rows.connection)
    assert (found.total.captured, found.total.gone) == (4, 1)
    assert survey(rows.connection, gone=GoneRule(2, 2)).total.gone == 3


def test_months_of_numbers_nobody_saw_are_those_of_their_neighbours(rows: Rows) -> None:
    for number in range(100, 110):
        rows.article(number, "2024-01-31" if number < 105 else "2024-02-01")
    rows.article(120, "2024-05-02")
    rows.outcome(111, "missing")
    rows.sighting(112, "2024-3-9", date(2024, 3, 9))
    # A list that prints no year was dated by the day of its capture, which says nothing: its number lies beside 112.
    rows.sighting(113, "04-30", date(2024, 4, 30))
    found = survey(rows.connection).as_object()
    told = months(found)
    assert list(told) == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05", None]
    assert told["2024-01"]["captured"] == told["2024-02"]["captured"] == 5
    assert told["2024-03"]["waiting"] == 2
    assert sum(each.get("unknown", 0) for each in told.values()) == found["unknown"] == 7
    assert told[None] == {}


def test_months_without_anything_are_shown(rows: Rows) -> None:
    rows.article(1, "2023-12-31")
    rows.article(2, "2024-03-01")
    assert months(survey(rows.connection).as_object())["2024-01"] == {}


def test_an_odd_date_moves_nobody_else(rows: Rows) -> None:
    for number in range(0, 40, 2):
        rows.article(number, "2010-01-01" if number == 20 else "2024-02-01")
    told = months(survey(rows.connection, width=1000).as_object())
    assert told["2010-01"] == {"captured": 1}
    assert told["2024-02"] == {"captured": 19, "unknown": 19}


def test_a_hole_longer_than_all_that_is_known_is_told_apart(rows: Rows) -> None:
    rows.article(1, "2024-01-01")
    rows.article(900_000_000, "2024-02-01")
    found = survey(rows.connection)
    shown = found.as_object()
    assert [(each["first"], each["last"], each["hole"]) for each in shown["ranges"]] == [
        (1, 1, False), (2, 899_999_999, True), (900_000_000, 900_000_000, False)
    ]  # fmt: skip
    assert (shown["unknown"], shown["without_holes"]["accounted"]) == (899_999_998, 1)
    assert months(shown)[None] == {"unknown": 899_999_998}
    assert len(picture(found)) < 20_000


def test_the_space_is_cut_into_rows_of_a_round_width() -> None:
    whole = divide(11_950, 12_420, 409, [])
    assert (whole.width, whole.cell, whole.holes) == (50, 2, [])
    assert [*Stretch(11_950, 12_070).cut(50)] == [Stretch(11_950, 11_999), Stretch(12_000, 12_049), Stretch(12_050, 12_070)]
    split_up = divide(1, 52_000, 3_000, [Stretch(1_001, 50_000), Stretch(50_100, 50_200)])
    assert split_up.islands == (Stretch(1, 1_000), Stretch(50_001, 52_000)) and split_up.width == 200
    with pytest.raises(UsageError, match="1000 is the least"):
        divide(1, 10_000_000, 10, [], 1)


def test_a_number_is_split_without_loss() -> None:
    assert split(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert split(899_999_998, {"a": 1, "b": 2})["b"] == 599_999_999


def days(first: date, number: int, wanted: Callable[[date], bool]) -> list[date]:
    return [day for step in range(number) if wanted(day := first + timedelta(days=step))]


MONDAY = date(2023, 1, 2)


def test_a_day_is_judged_by_its_weekday() -> None:
    lacking = {MONDAY + timedelta(days=142)}
    published = days(MONDAY, 210, lambda day: day.weekday() < 5 and day not in lacking)
    found, unjudged = empty_days(published, published[-1])
    assert found == [EmptyDays(min(lacking), max(lacking), 1)]
    assert unjudged == 16  # the weekends of the first eight weeks


def test_a_long_silence_is_against_the_rhythm_of_any_portal() -> None:
    published = [MONDAY + timedelta(days=3 * step) for step in range(40)]
    found, _ = empty_days(published, published[-1] + timedelta(days=5))
    assert found == [EmptyDays(published[-1] + timedelta(days=1), published[-1] + timedelta(days=5), 5)]
    assert empty_days(published, published[-1] + timedelta(days=2))[0] == []
    assert empty_days([], MONDAY) == ([], 0)


def test_a_category_is_quiet_by_its_own_silences() -> None:
    daily, weekly = ([MONDAY + timedelta(days=step * n) for n in range(30)] for step in (1, 7))
    assert habit(daily, daily[-1] + timedelta(days=2)).quiet is False
    assert habit(daily, daily[-1] + timedelta(days=5)).quiet is True
    assert habit(weekly, weekly[-1] + timedelta(days=10)).quiet is False
    assert habit(weekly, weekly[-1] + timedelta(days=14)).quiet is True
    assert habit(daily[:10], daily[-1] + timedelta(days=300)).quiet is None


def test_a_quiet_category_is_named(rows: Rows) -> None:
    for number in range(60):
        day = date(2024, 5, 1) - timedelta(days=59 - number)
        rows.article(2 * number, day.isoformat())
        rows.connection.exec_driver_sql("UPDATE crawl SET started_at = '2024-05-01T18:00:00.000000Z'")
        rows.article(2 * number + 1, (day - timedelta(days=30)).isoformat(), category="文化旅游")
    rhythm = survey(rows.connection).as_object()["rhythm"]
    assert rhythm["portal"]["quiet"] is False
    assert [(each["category"], each["silent_days"]) for each in rhythm["quiet"]] == [("文化旅游", 30)]


def test_the_picture_is_valid_and_names_what_it_shows(rows: Rows, tmp_path: Path) -> None:
    rows.connection.exec_driver_sql("UPDATE portal SET title = '江<城>&\x07在线'")
    rows.article(1, "2021-01-01")
    rows.article(700, "2024-02-01")
    for number in range(2, 600, 3):
        rows.outcome(number, "missing")
    root = ElementTree.fromstring(picture(survey(rows.connection)))  # noqa: S314 - our own picture
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    assert root.attrib["role"] == "img" and root.attrib["aria-labelledby"] == "title desc"
    title, text = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and title.text == "Coverage of 江<城>&在线 (p)"
    assert text is not None and "2 captured, 200 missing, 498 unknown" in (text.text or "")
    assert "prefers-color-scheme: dark" in (root.find(f"{SVG}style").text or "")  # type: ignore[union-attr]
    boxes = [{name: float(box.attrib[name]) for name in ("x", "y", "width", "height") if name in box.attrib}
             for box in root.iter(f"{SVG}rect")]  # fmt: skip
    assert len(boxes) > 20
    for box in boxes[1:]:
        assert box["width"] > 0 and box["height"] > 0
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width and 0 <= box["y"] <= box["y"] + box["height"] <= height
    assert not [each for each in root.iter() if "href" in " ".join(each.attrib)]


def test_the_command_speaks_plainly(rows: Rows, wuhu: Wuhu, tmp_path: Path) -> None:
    assert "there is no archive database" in wuhu("coverage").err
    rows.connection.commit()
    nothing = wuhu("coverage", folder=tmp_path)
    assert (nothing.code, nothing.out) == (2, "") and "no article number of portal p is known" in nothing.err
    rows.article(7)
    rows.connection.commit()
    result = wuhu("coverage", folder=tmp_path)
    assert result.code == 0 and "100 % of 1 accounted for" in result.out
    assert "too little history to judge" in result.out
    refused = wuhu("coverage", "--svg", str(tmp_path / "nowhere" / "a.svg"), folder=tmp_path)
    assert refused.code == 2 and "cannot be written" in refused.err
