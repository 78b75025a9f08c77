"""From a row to its bytes: what `wuhu cat` prints is what the server sent, and what dd and gunzip find at its offset."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import warm
from conftest import STORY, DemoCrawl, Story, Wuhu, environment, program, rows


def cat(folder: Path, *arguments: str) -> bytes:
    """Return what `wuhu cat` writes, which is no text."""
    ended = warm.run([program("wuhu"), "cat", *arguments], env=environment(folder))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_version_is_shown_with_its_record(wuhu: Wuhu, thrice: Path) -> None:
    told = wuhu("show", "7", "--provenance", folder=thrice)
    assert (told.code, told.err) == (0, "")
    known = rows(thrice, "SELECT record_id, warc_file, warc_offset, warc_length, block_digest, crawl_id FROM capture "
                        "WHERE article_id = 7 ORDER BY id")  # fmt: skip
    assert len(known) == 3
    for record_id, file, offset, length, digest, crawl_id in known:
        for fact in (record_id, file, f"{offset}, {length}", digest, f"of crawl {crawl_id}"):
            assert fact in told.out
    assert "version 1: 长江大桥昨日通车" in told.out
    assert "version 2: 长江大桥昨日通车" in told.out


def test_by_hand_gives_the_record(wuhu: Wuhu, thrice: Path) -> None:
    versions = json.loads(wuhu("show", "7", "--provenance", "--json", folder=thrice).out)
    assert [version["number"] for version in versions] == [1, 2, 3]
    for version in versions:
        by_hand = subprocess.run(["sh", "-c", version["by_hand"]], capture_output=True, check=True).stdout
        kind = version["record_type"].encode()
        assert by_hand.startswith(b"WARC/1.1\r\nWARC-Type: %s\r\nWARC-Record-ID: " % kind + version["record_id"].encode())
        assert cat(thrice, str(version["capture_id"]), "--record") == by_hand
        recorded = cat(thrice, str(version["capture_id"]))
        assert version["record_type"] == "revisit" or by_hand.partition(b"\r\n\r\n")[2] == recorded + b"\r\n\r\n"
    assert versions[0]["by_hand"] != versions[1]["by_hand"]


def test_a_revisit_is_followed_to_its_payload(thrice: Path) -> None:
    first, second, _ = rows(thrice, "SELECT id, record_type FROM capture WHERE article_id = 8 ORDER BY id")
    assert (first[1], second[1]) == ("response", "revisit")
    message = cat(thrice, str(second[0]))
    assert message == cat(thrice, str(first[0]))
    assert message.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\n\r\n64\r\n\x1f\x8b" in message
    body = cat(thrice, str(second[0]), "--body")
    assert body == Story(8, "市民纷纷前往参观").page() == cat(thrice, str(first[0]), "--body")
    record = cat(thrice, str(second[0]), "--record")
    assert b"WARC-Type: revisit" in record and b"\x1f\x8b" not in record


def test_a_version_read_from_a_revisit_names_the_record_that_has_its_body(wuhu: Wuhu, thrice: Path) -> None:
    first, second, third = json.loads(wuhu("show", "7", "--provenance", "--json", folder=thrice).out)
    assert [each["record_type"] for each in (first, second, third)] == ["response", "response", "revisit"]
    assert [each["payload"]["record_id"] for each in (first, second, third)] == [
        first["record_id"],
        second["record_id"],
        first["record_id"],
    ]
    assert f"payload in:     {first['record_id']} (capture" in wuhu("show", "7", "--provenance", folder=thrice).out
    assert cat(thrice, str(third["capture_id"]), "--body") == STORY.page()


def test_the_whole_demo_can_be_read_back(demo: DemoCrawl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLD_STARTS", "1")
    (number,) = rows(demo.folder, "SELECT max(id) FROM capture WHERE page_kind = 'article'")[0]
    (length,) = rows(demo.folder, "SELECT payload_length FROM capture WHERE id = ?", number)[0]
    head, _, body = cat(demo.folder, str(number)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and len(body) == length


def test_wrong_questions_are_answered_in_a_sentence(wuhu: Wuhu, thrice: Path) -> None:
    none = wuhu("cat", "9999", folder=thrice)
    assert (none.code, none.out) == (2, "")
    assert none.err == "wuhu: there is no capture 9999; `wuhu show ID --provenance` names those of an article\n"
    both = wuhu("cat", "1", "--body", "--record", folder=thrice)
    assert (both.code, both.out) == (2, "")
    missing = wuhu("show", "99", "--provenance", folder=thrice)
    assert missing.code == 2 and "article 99 is not in the archive" in missing.err
