"""Health: tails of distributions, what is told of planted trouble, and silence where nothing is wrong or little is known."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest
from conftest import ROOT

from wuhu_crawler.health import tails
from wuhu_crawler.health.findings import Finding, verdict
from wuhu_crawler.health.judge import CHECKS, Judge, judge

sys.path.insert(0, str(ROOT / "bench"))
import nightly

NIGHTS = 60


@pytest.fixture(scope="module")
def history() -> list[dict[str, Any]]:
    portal = nightly.Portal(1)
    return [portal.next() for _ in range(NIGHTS + 2)]


def test_the_shares_of_the_budget_add_up() -> None:
    assert sum(check.share for check in CHECKS) == pytest.approx(1)


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.5])
def test_tail_of_a_count(spread: float) -> None:
    rng = random.Random(3)
    drawn = [nightly._poisson(rng, nightly._gamma(rng, 8, spread) if spread else 8) for _ in range(20_000)]
    for seen in (0, 3, 8):
        assert tails.count_at_most(seen, 8, spread) == pytest.approx(sum(n <= seen for n in drawn) / len(drawn), abs=0.012)


def test_tail_of_a_share() -> None:
    rng = random.Random(4)
    drawn = []
    for _ in range(20_000):
        share = rng.betavariate(0.3 * 9, 0.7 * 9)
        drawn.append(sum(rng.random() < share for _ in range(12)))
    for hits in (0, 3, 7, 12):
        told = tails.share_at_most(hits, 12, 0.3, 0.1)
        assert told == pytest.approx(sum(n <= hits for n in drawn) / len(drawn), abs=0.012)
    assert tails.share_at_least(12, 12, 0.3, 0.1) == pytest.approx(tails.share_at_most(0, 12, 0.7, 0.1))


def test_tail_of_a_level() -> None:
    assert tails.beyond(0) == pytest.approx(0.5)
    assert tails.beyond(1.860) == pytest.approx(0.05, abs=1e-4)  # Student's t with 8 degrees of freedom
    assert tails.beyond(4.501) == pytest.approx(0.001, abs=1e-5)


def test_too_little_history_is_said_and_nothing_judged(history: list[dict[str, Any]]) -> None:
    findings, judged = judge(nightly.planted(history[13], "field lost"), history[:13])
    assert (findings, judged) == ([], False)
    assert verdict(findings, judged=judged) == "early"


def test_a_block_needs_no_history(history: list[dict[str, Any]]) -> None:
    findings, judged = judge(nightly.planted(history[1], "block pages"), history[:1])
    assert [(found.kind, found.level) for found in findings] == [("shut out", "broken")]
    assert (verdict(findings, judged=judged), judged) == ("broken", False)
    assert "访问过于频繁" in findings[0].text


def test_quiet_nights_are_quiet(history: list[dict[str, Any]]) -> None:
    judging = Judge("wuhu")
    told = [judging.take(facts) for facts in history]
    assert [found for findings, _ in told for found in findings] == []
    assert [judged for _, judged in told] == [False] * 14 + [True] * (len(history) - 14)


@pytest.mark.parametrize("trouble", nightly.TROUBLES)
def test_trouble_is_found_within_two_runs(history: list[dict[str, Any]], trouble: str) -> None:
    judging = Judge("wuhu")
    for facts in history[:NIGHTS]:
        judging.take(facts)
    told: list[Finding] = []
    for facts in history[NIGHTS:]:
        told += judging.take(nightly.planted(facts, trouble))[0]
    found = [each for each in told if each.kind in nightly.TROUBLES[trouble][1]]
    assert found, [each.text for each in told]
    assert found[0].level in ("attention", "broken")
    assert found[0].text and "seen" in found[0].evidence and "expected" in found[0].evidence


def test_what_lasts_keeps_its_beginning_and_becomes_usual() -> None:
    portal, judging = nightly.Portal(1), Judge("wuhu")
    for _ in range(NIGHTS):
        judging.take(portal.next())
    told = [judging.take(nightly.planted(portal.next(), "field lost"))[0] for _ in range(20)]
    fields = [[found for found in findings if found.kind == "field"] for findings in told]
    assert [len(each) for each in fields] == [1] * 14 + [0] * 6
    assert len({found.evidence["since"] for each in fields for found in each}) == 1
    assert "since" not in fields[0][0].text and "since" in fields[1][0].text


def test_judging_at_once_is_judging_one_by_one(history: list[dict[str, Any]]) -> None:
    judging = Judge("wuhu")
    for facts in history[:NIGHTS]:
        judging.take(facts)
    last = nightly.planted(history[NIGHTS], "slow server")
    assert judge(last, history[:NIGHTS]) == judging.take(last)


def test_interrupted_and_narrowed_runs_are_no_history(history: list[dict[str, Any]]) -> None:
    narrowed = nightly.planted(history[20], "field lost")
    narrowed["crawl"]["arguments"] = {"limit": "5"}
    findings, judged = judge(narrowed, history[:20])
    assert ([found.kind for found in findings], judged) == (["narrowed"], False)
    killed = nightly.planted(history[20], "quiet portal")
    killed["run"]["exit_code"] = None
    assert verdict(*[judge(killed, history[:20])[0]], judged=False) == "early"
