"""The ledger of a run: what counts as lost, and when a portal has shut us out."""

from __future__ import annotations

from wuhu_crawler.extensions.ledger import SHUT_OUT, Ledger
from wuhu_crawler.items import OtherPage, Outcome


def page(number: int, kind: str) -> OtherPage:
    return OtherPage(kind=kind, url=f"http://p/{number}", reason="rate limit")  # type: ignore[arg-type]


def told(*items: OtherPage | Outcome) -> Ledger:
    ledger = Ledger()
    for item in items:
        ledger.add(item)
    return ledger


def test_a_url_that_was_refused_at_every_try_is_lost_once() -> None:
    ledger = told(page(1, "blocked"), page(2, "other"), page(1, "blocked"), page(3, "other"), page(1, "blocked"))
    assert dict(ledger.lost) == {"blocked (rate limit)": 1}


def test_a_url_that_was_had_in_the_end_is_not_lost() -> None:
    assert not told(page(1, "blocked"), page(1, "other")).lost
    assert told(page(1, "blocked"), page(1, "other")).trouble() is None


def test_a_refused_url_that_then_failed_is_lost_once() -> None:
    ledger = told(page(1, "blocked"), Outcome(url="http://p/1", outcome="failed", reason="timeout"))
    assert dict(ledger.lost) == {"failed (timeout)": 1}


def test_refusals_in_a_row_of_different_urls_shut_us_out() -> None:
    assert told(*(page(number, "blocked") for number in range(SHUT_OUT))).shut_out
    assert not told(*(page(1, "blocked") for _ in range(SHUT_OUT))).shut_out
    pages = [page(number, "blocked") for number in range(SHUT_OUT)]
    assert not told(*pages[1:], page(99, "other"), pages[0]).shut_out
