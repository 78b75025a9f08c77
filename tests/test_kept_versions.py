"""What makes a version, by real crawls of the bundled portal: a small run of `make bench-versions`."""

from __future__ import annotations

import json
import random
import sys

import pytest
from conftest import ROOT, Wuhu

from wuhu_crawler.demo import server

sys.path.insert(0, str(ROOT / "bench"))
import versions

Edited = tuple[versions.Archive, list[versions.Planted], versions.Night, versions.Night]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Sixty articles, after a night in which only counters, sidebars and clocks moved, and one with eight edits."""
    with server.start() as portal:
        archive = versions.begin(tmp_path_factory.mktemp("versions"), portal, "-a", "limit=60")
        archive.show_one_more()
        quiet = archive.recheck()
        planted, night = versions.edit(archive, 8, random.Random(553))
    return archive, planted, quiet, night


def test_counters_sidebars_and_clocks_make_no_version(edited: Edited) -> None:
    _, _, quiet, _ = edited
    assert quiet.refetches >= 60
    assert quiet.grown == {}


def test_every_edit_makes_one(edited: Edited) -> None:
    _, planted, _, night = edited
    assert {each.kind for each in planted} == set(versions.KINDS)
    assert night.grown == {each.before.id: 1 for each in planted}


def test_the_difference_of_an_edit_is_told(edited: Edited, wuhu: Wuhu) -> None:
    archive, planted, _, _ = edited
    for each in planted:
        found = json.loads(wuhu("diff", str(each.before.id), "--json", folder=archive.folder).out)
        fields = {field["name"] for field in found["fields"]}
        kinds = {paragraph["kind"] for paragraph in found["paragraphs"]} - {"equal"}
        told = {
            "one character": kinds == {"changed"} and not fields,
            "moved date": fields == {"published_text"} and not kinds,
            "changed credit": "credits" in fields,
            "swapped paragraph": "moved" in kinds and not fields,
        }
        assert told[each.kind], (each.kind, each.before.id, fields, kinds)


def test_views_of_several_crawls_are_a_series(edited: Edited, wuhu: Wuhu) -> None:
    archive, planted, _, _ = edited
    series = [json.loads(wuhu("show", str(each.before.id), "--views", "--json", folder=archive.folder).out) for each in planted]
    shown = [[each["views"] for each in one["views"]] for one in series if one["views"]]
    assert shown and all(len(views) == 3 for views in shown)
    assert all(views == list(range(views[0], views[0] + 3)) for views in shown)
    assert {each["flag"] for one in series for each in one["views"]} == {None}
