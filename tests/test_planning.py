"""The rules of re-checks, by themselves: intervals, levels, what is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from wuhu_crawler.errors import UsageError
from wuhu_crawler.planning.gone import Absence, GoneRule
from wuhu_crawler.planning.intervals import NIGHT, Rule, expected_delays, interval, level, stretch

NOW = datetime(2024, 5, 7, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "nights"), [(-3, 1), (0, 1), (1, 1), (2.9, 1), (3, 2), (10, 5), (60, 30), (360, 180), (4000, 180)]
)
def test_intervals_grow_with_the_time_of_quiet(days: float, nights: int) -> None:
    assert interval(NIGHT * days, Rule()) == NIGHT * nights


def test_settings_bound_them() -> None:
    rule = Rule(ratio=4, shortest=2, longest=30)
    assert [interval(NIGHT * days, rule) / NIGHT for days in (0, 40, 400)] == [2, 10, 30]
    for wrong in ({"ratio": 0.0}, {"shortest": 0}, {"shortest": 9, "longest": 8}):
        with pytest.raises(UsageError, match="WUHU_RECHECK_"):
            Rule(**wrong)  # type: ignore[arg-type]


def test_expected_delays() -> None:
    assert expected_delays(Rule(), ages=(1, 30)) == [(1, 1, 0.5, 1), (30, 15, 7.5, 15)]
    assert expected_delays(Rule(), stretch(demand=1400, budget=700), ages=(30,)) == [(30, 30, 15, 30)]
    assert stretch(demand=10, budget=700) == 1


def test_a_burst_is_spread_and_nothing_is_asked_before_it_must_be() -> None:
    assert level([0, 0, 0, 900], 700) == (225, 4)
    assert level([5, 0, 0, 1], 700) == (5, 1)
    assert level([5, 0, 900, 0], 100) == (100, 3)
    assert level([], 100) == (0, 1)


def test_gone_needs_answers_and_days() -> None:
    rule = GoneRule()

    def standing(*days: float) -> str:
        absence = Absence(7)
        for day in days:
            absence.add("missing", NOW + timedelta(days=day))
        return rule.standing(absence.times_missing, absence.since, absence.until)

    assert standing() == "present"
    assert standing(0) == standing(0, 8) == standing(0, 0.1, 0.2, 6.9) == "missing"
    assert standing(0, 1, 7) == "gone"
    with pytest.raises(UsageError, match="WUHU_GONE_OBSERVATIONS"):
        GoneRule(observations=0)


def test_only_clear_answers_count() -> None:
    absence = Absence(7)
    for day, answer in enumerate(("missing", "error", "missing", "other", "blocked")):
        absence.add(answer, NOW + timedelta(days=day))
    assert (absence.times_missing, absence.until) == (2, NOW + timedelta(days=2))
    assert (absence.unclear, absence.unclear_since, absence.unclear_until) == (
        "blocked",
        NOW + timedelta(days=3),
        NOW + timedelta(days=4),
    )
    absence.add("article", NOW + timedelta(days=5))  # it is there, a part of it is not
    assert absence.times_missing == 0


def test_a_missing_article_is_asked_when_its_answer_can_decide() -> None:
    rule = GoneRule()
    assert rule.ask_from(1, NOW, NOW) == NOW + timedelta(days=1)
    assert rule.ask_from(2, NOW, NOW + timedelta(days=1)) == NOW + timedelta(days=7)
    assert rule.ask_from(3, NOW, NOW + timedelta(days=6.5)) == NOW + timedelta(days=7.5)
