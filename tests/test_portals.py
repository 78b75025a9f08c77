"""Portal profiles: what they default to, and every complaint about one that is not well formed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wuhu_crawler.errors import UsageError
from wuhu_crawler.portals import BUNDLED, FAMILY_ARTICLE_URLS, load_portal, make_portal

GOOD: dict[str, Any] = {
    "name": "sister",
    "seeds": ["http://www.Sister.example:8080/", "http://sister.example/news/", "http://www.sister.example/x"],
}
COMPLAINTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"seed": ["http://a/"]}, "unknown key 'seed'"),
    "no seeds": ({"seeds": []}, "`seeds` must be a list"),
    "seeds as one string": ({"seeds": "http://a/"}, "`seeds` must be a list"),
    "a seed that is no http URL": ({"seeds": ["ftp://a/"]}, "`seeds` must be a list"),
    "a seed without host": ({"seeds": ["http:///x"]}, "`seeds` must be a list"),
    "a seed that is a number": ({"seeds": [1]}, "`seeds` must be a list"),
    "a seed that cannot be split": ({"seeds": ["http://[::1/"]}, "`seeds` must be a list"),
    "hosts as a string": ({"hosts": "a.example"}, "`hosts` must be a list of strings"),
    "an empty host": ({"hosts": [""]}, "`hosts` must be a list of strings"),
    "exclude of numbers": ({"exclude": [3]}, "`exclude` must be a list of strings"),
    "patterns as a string": ({"article_urls": "x"}, "`article_urls` must be a list of strings"),
    "a broken pattern": ({"article_urls": ["(?P<id>"]}, "is not a regular expression"),
    "a pattern without id": ({"article_urls": [r"/info\.asp\?id=(\d+)"]}, "needs a group"),
    "a broken exclusion": ({"exclude": ["["]}, "is not a regular expression"),
    "a pattern with a host": ({"article_urls": [r"http://a/info\.asp\?id=(?P<id>\d+)"]}, "leave scheme and host out"),
    "pages without a page": (
        {"page_urls": [r"/list_\d+\.html"]},
        "`page_urls`: '/list_\\\\d+\\\\.html' needs a group (?P<page>",
    ),
    "a broken counter": ({"counter_urls": ["*"]}, "`counter_urls`: '*' is not a regular expression"),
    "an article URL without id": (
        {"article_url": "http://a/info.asp?id="},
        "`article_url` must be an http(s) URL that holds {id}",
    ),
    "an article URL that is a path": ({"article_url": "/info.asp?id={id}"}, "`article_url` must be an http(s) URL"),
    "an article URL the patterns do not know": ({"article_url": "http://a/view/{id}.html"}, "no URL that `article_urls` knows"),
    "an article URL that is a number": ({"article_url": 3}, "`article_url`"),
    "delay in words": ({"delay": "2"}, "`delay` has the wrong type"),
    "delay as a truth": ({"delay": True}, "`delay` has the wrong type"),
    "delay below zero": ({"delay": -1}, "`delay` must be >= 0"),
    "delay not a number": ({"delay": float("nan")}, "`delay`"),
    "concurrency of none": ({"concurrency": 0}, "`concurrency` >= 1"),
    "concurrency of a half": ({"concurrency": 0.5}, "`concurrency` has the wrong type"),
    "allow_private in words": ({"allow_private": "yes"}, "`allow_private` has the wrong type"),
    "contact_required as a number": ({"contact_required": 1}, "`contact_required` has the wrong type"),
    "title as a number": ({"title": 5}, "`title` has the wrong type"),
    "labels as a list": ({"labels": ["发布日期"]}, "`labels` must be a table"),
    "labels of a field as a string": ({"labels": {"published": "发布日期"}}, "`labels.published` must be a list of strings"),
    "labels of an unknown field": ({"labels": {"publshed": ["发布日期"]}}, "publshed"),
    "an unknown time zone": ({"timezone": "Asia/Wuhu"}, "unknown time zone"),
    "a time zone that is a path": ({"timezone": "../etc/passwd"}, "unknown time zone"),
    "a time zone that is a number": ({"timezone": 8}, "`timezone`"),
    "a name that is a number": ({"name": 5}, "`name`"),
}


@pytest.mark.parametrize("about", COMPLAINTS)
def test_complaint(about: str) -> None:
    wrong, words = COMPLAINTS[about]
    with pytest.raises(UsageError) as caught:
        make_portal({**GOOD, **wrong}, "profile.toml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("profile.toml: ")


def test_defaults() -> None:
    portal = make_portal(GOOD, "test")
    assert portal.title == "sister"
    assert portal.hosts == ("www.sister.example", "sister.example")
    assert portal.article_urls == FAMILY_ARTICLE_URLS
    assert portal.zone == ZoneInfo("Asia/Shanghai")
    assert portal.contact_required
    assert not portal.allow_private
    assert hash(portal) == hash(make_portal(GOOD, "test"))


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.toml")), ids=lambda path: path.stem)
def test_bundled_profiles(path: Path) -> None:
    portal = load_portal(path.stem)
    assert portal.name == path.stem
    assert portal.article_url is not None
    assert load_portal(str(path)) == portal


def test_only_the_bundled_look_alike_is_private() -> None:
    assert load_portal("demo").allow_private
    live = load_portal("o553")
    assert not live.allow_private
    assert live.contact_required
    assert live.delay >= 1


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('seeds = ["http://mine.example/"]\n[labels]\npublished = ["刊登日"]\n', encoding="utf-8")
    portal = load_portal(str(path))
    assert (portal.name, portal.labels) == ("mine", {"published": ("刊登日",)})


def test_unknown_portal_names_the_known() -> None:
    with pytest.raises(UsageError, match="o553"):
        load_portal("nowhere")


@pytest.mark.parametrize("content", [b"seeds = [", b"\xff\xfe"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not valid TOML"):
        load_portal(str(path))
