"""From a page to a finding: a portal that closes or refuses us, crawled by a real crawl and told by `wuhu health`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import HASTY, Page, Story, crawl, html, listing, rows, serving

from wuhu_crawler.cli.health import health
from wuhu_crawler.errors import HealthBroken, UsageError
from wuhu_crawler.health.standing import late

MAINTENANCE = html("<h2>系统维护中，请稍后再访问。</h2>")
REFUSAL = html("<p>您的访问过于频繁，请输入验证码后继续访问</p>")


@pytest.mark.parametrize(("page", "words"), [(MAINTENANCE, "系统维护中"), (REFUSAL, "访问过于频繁")])
def test_a_closed_portal_stops_the_crawl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: bytes, words: str) -> None:
    links = {f"/news/Info.asp?ID={number}": f"第{number}篇" for number in range(1, 4)}
    pages: dict[str, Page] = {"/": listing(links)}
    pages.update({url: Story(number, f"第{number}篇").page() for number, url in enumerate(links, 1)})
    with serving(pages) as site:
        profile = site.profile(tmp_path)
        assert crawl(tmp_path, profile, **HASTY).returncode == 0
        site.pages.update(dict.fromkeys(pages, page))
        ended = crawl(tmp_path, profile, **HASTY)
    assert ended.returncode == 5, ended.stderr
    assert rows(tmp_path, "SELECT count(*) FROM article_version") == [(3,)]
    assert rows(tmp_path, "SELECT verdict FROM report ORDER BY run_id") == [("early",), ("broken",)]
    monkeypatch.setenv("WUHU_DATA_DIR", str(tmp_path))
    shown = CliRunner().invoke(health, ["--json"])
    assert isinstance(shown.exception, HealthBroken)
    (job,) = json.loads(shown.stdout)["jobs"]
    assert (job["verdict"], job["history"]) == ("broken", {"runs": 1, "needed": 14})
    assert words in job["findings"][0]["text"]
    told = CliRunner().invoke(health).stdout
    assert "too little history (1 of 14 runs)" in told and words in told
    with pytest.raises(UsageError, match="no report of a run of portal other"):
        CliRunner().invoke(health, ["--portal", "other"], catch_exceptions=False)


def test_a_crawl_is_overdue_by_its_own_interval() -> None:
    last = datetime(2026, 5, 1, tzinfo=UTC)
    weekly = [last - timedelta(days=7 * week) for week in range(6)]
    assert late(weekly, last + timedelta(days=10), "wuhu of a") is None
    found = late(weekly, last + timedelta(days=20), "wuhu of a")
    assert found is not None and "20 days ago, where every 7 days" in found.text
    assert late(weekly[:4], last + timedelta(days=90), "wuhu of a") is None
