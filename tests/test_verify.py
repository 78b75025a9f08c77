"""`wuhu verify` on archives that were damaged on purpose: each damage is found, and named with its place."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import DemoCrawl, Wuhu, environment, program, rows
from test_fixity import archive
from test_warc import RECEIVED, exchange

from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.verify.findings import KINDS, SHOWN
from wuhu_crawler.verify.run import Verification
from wuhu_crawler.warc.reader import iter_records, read_bytes

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def copy(thrice: Path, tmp_path: Path) -> Path:
    """A copy of the archive of three crawls, to be damaged."""
    folder = tmp_path / "copy"
    shutil.copytree(thrice, folder)
    return folder


def sql(folder: Path, *statements: str) -> None:
    """Change the database behind everybody's back."""
    with closing(sqlite3.connect(folder / "archive.db")) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
        connection.commit()


def warc(folder: Path, number: int) -> Path:
    """Return the WARC file of that serial."""
    (path,) = (folder / "warc").glob(f"*-{number:06d}-*")
    return path


def write(path: Path, data: bytes) -> None:
    """Replace a file that is read-only."""
    path.unlink()
    path.write_bytes(data)


def members(path: Path) -> list[bytes]:
    """Return the gzip members of a WARC file."""
    data = path.read_bytes()
    return [data[record.offset : record.offset + record.length] for record in iter_records(path)]


def place(folder: Path, capture: int) -> tuple[int, int]:
    """Return where a capture's record lies: offset and length."""
    return rows(folder, "SELECT warc_offset, warc_length FROM capture WHERE id = ?", capture)[0]  # type: ignore[return-value]


def flip(folder: Path) -> None:
    path, (offset, length) = warc(folder, 1), place(folder, 3)
    data = bytearray(path.read_bytes())
    data[offset + length // 2] ^= 1
    write(path, bytes(data))


def cut_out(folder: Path) -> None:
    """Take capture 3's record out whole, so that every tool finds a sound file."""
    path, (offset, length) = warc(folder, 1), place(folder, 3)
    data = path.read_bytes()
    write(path, data[:offset] + data[offset + length :])


def swap(folder: Path) -> None:
    one, two = warc(folder, 1), warc(folder, 2)
    one.rename(folder / "other")
    two.rename(one)
    (folder / "other").rename(two)


def rewrite(folder: Path, old: bytes, new: bytes) -> None:
    """Change words in capture 3's record and compress it again as if it had always been so."""
    path, (offset, length) = warc(folder, 1), place(folder, 3)
    record = read_bytes(path, offset)
    assert old in record and len(old) == len(new)
    data = path.read_bytes()
    write(path, data[:offset] + gzip.compress(record.replace(old, new), mtime=0) + data[offset + length :])


def twice(folder: Path) -> None:
    """Put capture 3's record in a second time, behind the end."""
    path, (offset, length) = warc(folder, 1), place(folder, 3)
    data = path.read_bytes()
    write(path, data + data[offset : offset + length])


def truncate(folder: Path) -> None:
    path, (offset, length) = warc(folder, 1), place(folder, 4)
    write(path, path.read_bytes()[: offset + length // 2])


def replace_line(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def hash_of(folder: Path) -> str:
    return str(rows(folder, "SELECT sha256 FROM warc_file WHERE serial = 1")[0][0])


Damage = Callable[[Path], Any]
OFF = "PRAGMA foreign_keys = OFF"
CAPTURE = "UPDATE capture SET {} WHERE id = 3"
# what was done -> how, and the findings that must be among those told: kind and words
DAMAGES: dict[str, tuple[Damage, list[tuple[str, str]]]] = {
    "a flipped byte": (flip, [("hash", "its SHA-256 is"), ("record", "capture 3 (")]),
    "a record cut out whole": (cut_out, [("missing-record", "capture 3 ("), ("shifted", "bytes are missing before capture 4")]),
    "a deleted capture": (
        lambda folder: sql(folder, "DELETE FROM capture WHERE id = 4"),
        [("unknown-record", "newsid=8 has no row in the database"), ("database", "refers to a row of capture")],
    ),
    "a missing file": (lambda folder: warc(folder, 2).unlink(), [("missing-file", "it is not there")]),
    "two files swapped": (swap, [("hash", "it is the file"), ("hash", "under another name")]),
    "a truncated file": (truncate, [("size", "bytes are there"), ("record", "torn"), ("hash", "its SHA-256")]),
    "a page changed and its record compressed anew": (
        lambda folder: rewrite(folder, "江城新闻".encode("gb18030"), "江城旧闻".encode("gb18030")),
        [("digest", "the block of response"), ("digest", "the payload of response"), ("hash", "")],
    ),
    "a record's URL changed in its header": (
        lambda folder: rewrite(folder, b"show.asp?newsid=7\r\nWARC-Date", b"show.asp?newsid=9\r\nWARC-Date"),
        [("row", "capture 3: url is"), ("hash", "")],
    ),
    "a record twice": (twice, [("unknown-record", "newsid=7 stands here a second time"), ("size", "when it was closed")]),
    "a file put there": (
        lambda folder: shutil.copy(warc(folder, 1), folder / "warc" / "more.warc.gz"),
        [("unknown-file", "neither the manifest nor the database")],
    ),
    "an edited manifest": (
        lambda folder: replace_line(folder / "manifest-sha256.txt", hash_of(folder), "0" * 64),
        [("manifest", "in the manifest"), ("hash", "in the manifest 000")],
    ),
    "a line out of the manifest": (
        lambda folder: replace_line(folder / "manifest-sha256.txt", f"{hash_of(folder)}  warc/{warc(folder, 1).name}\n", ""),
        [("manifest", "is not in the manifest")],
    ),
    "a manifest that is none": (
        lambda folder: (folder / "manifest-sha256.txt").write_text("nonsense\n"),
        [("manifest", "line 1")],
    ),
    "a hash changed in the database": (
        lambda folder: sql(folder, "UPDATE warc_file SET sha256 = 'abc' WHERE serial = 1"),
        [("manifest", "abc in the database"), ("hash", "in the database abc")],
    ),
    "a row's URL": (lambda folder: sql(folder, CAPTURE.format("url = 'http://x/'")), [("row", "capture 3: url is http://x/")]),
    "a row's status": (lambda folder: sql(folder, CAPTURE.format("status = 404")), [("row", "capture 3: status is 404")]),
    "a row's time": (
        lambda folder: sql(folder, CAPTURE.format("captured_at = '2020-01-01T00:00:00.000000Z'")),
        [("row", "capture 3: captured_at is 2020-01-01")],
    ),
    "a row's record": (
        lambda folder: sql(folder, CAPTURE.format("record_id = '<urn:uuid:0>'")),
        [("row", "capture 3: record_id is <urn:uuid:0>")],
    ),
    "a row's offset": (
        lambda folder: sql(folder, CAPTURE.format("warc_offset = 5")),
        [("row", "capture 3: warc_offset is 5 in the database, but here"), ("missing-record", "capture 3")],
    ),
    "a row's length": (lambda folder: sql(folder, CAPTURE.format("warc_length = 5")), [("row", "capture 3: warc_length is 5")]),
    "a row's digest": (
        lambda folder: sql(folder, CAPTURE.format("payload_digest = 'sha1:X'")),
        [("row", "capture 3: payload_digest is sha1:X"), ("row", "capture 11 repeats")],
    ),
    "a revisit's length": (
        lambda folder: sql(folder, "UPDATE capture SET payload_length = 1 WHERE id = 11"),
        [("row", "capture 11 repeats the payload of capture 3")],
    ),
    "what a revisit refers to": (
        lambda folder: sql(folder, "UPDATE capture SET refers_to = '<urn:uuid:0>' WHERE id = 11"),
        [("row", "capture 11: refers_to is"), ("row", "which no capture holds")],
    ),
    "a deleted outcome of a page": (
        lambda folder: sql(folder, "DELETE FROM outcome WHERE capture_id = 3"),
        [("outcome", "newsid=7 ended is noted here"), ("outcome", "newsid=7 (capture 3) has no outcome")],
    ),
    "a deleted outcome without a page": (
        lambda folder: sql(folder, "DELETE FROM outcome WHERE url LIKE '%/private/'"),
        [("outcome", "/private/ ended is noted here")],
    ),
    "an altered outcome": (
        lambda folder: sql(folder, "UPDATE outcome SET reason = 'offsite' WHERE url LIKE '%/private/'"),
        [("outcome", "/private/: reason is offsite in the database, robots in the record")],
    ),
    "an invented outcome": (
        lambda folder: sql(
            folder,
            "INSERT INTO outcome (crawl_id, url, outcome, at) SELECT id, 'http://x/', 'failed', started_at FROM crawl LIMIT 1",
        ),
        [("outcome", "http://x/ ended as failed")],
    ),
    "an altered text": (
        lambda folder: sql(folder, "UPDATE article_version SET body = body || '。' WHERE id = 1"),
        [("article", "version 1 of article 7")],
    ),
    "a deleted version": (
        lambda folder: sql(folder, "DELETE FROM article_version WHERE id = 1"),
        [("database", "should have 3 versions")],
    ),
    "an altered article": (
        lambda folder: sql(folder, "UPDATE article SET url = 'http://x/' WHERE article_id = 7"),
        [("row", "article 7 of small")],
    ),
    "an altered index": (
        lambda folder: replace_line(next(iter(sorted((folder / "cdx").iterdir()))), '"200"', '"201"'),
        [("index", "is not what the records make")],
    ),
    "a deleted index": (
        lambda folder: next(iter(sorted((folder / "cdx").iterdir()))).unlink(),
        [("index", "it has no index")],
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_planted_damage_is_found_and_named(wuhu: Wuhu, copy: Path, name: str) -> None:
    damage, wanted = DAMAGES[name]
    damage(copy)
    told = wuhu("verify", folder=copy)
    assert told.code == 4, told.out
    lines = told.out.splitlines()
    for kind, words in wanted:
        assert [line for line in lines if words in line and line.endswith(f"[{kind}]")], (kind, words, told.out)
    assert len(lines) <= 10, told.out  # one damage is not told as many
    assert told.err.startswith(f"wuhu: {len(lines)} thing")


def test_a_sound_archive_is_found_sound(wuhu: Wuhu, copy: Path) -> None:
    told = wuhu("verify", folder=copy)
    assert (told.code, told.out) == (0, "ok\n"), told.out
    assert "3 files, 45 records" in told.err
    assert rows(copy, "SELECT count(*) FROM warc_file WHERE checked_at IS NOT NULL") == [(3,)]


def test_a_flipped_byte_anywhere_is_found(copy: Path) -> None:
    path, chance = warc(copy, 2), Random(9)
    data = path.read_bytes()
    for position in (0, len(data) - 1, *chance.sample(range(len(data)), 14)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << chance.randrange(8)
        write(path, bytes(damaged))
        report = Verification(ArchivePaths.of(copy)).run()
        assert {finding.file for finding in report.findings} >= {path.name}, position


def test_the_demo_is_found_sound_and_takes_little(wuhu: Wuhu, demo: DemoCrawl, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path / "copy")
    told = json.loads(wuhu("verify", "--json", folder=tmp_path / "copy").out)
    captures = rows(demo.folder, "SELECT count(*) FROM capture")[0][0]
    assert (told["findings"], told["share"]) == ([], 1.0)
    assert told["records"] > 2 * captures


def test_every_check_is_recorded(wuhu: Wuhu, copy: Path) -> None:
    wuhu("verify", folder=copy)
    flip(copy)
    told = json.loads(wuhu("verify", "--json", folder=copy).out)
    runs = rows(copy, "SELECT id, status, files, records, findings, finished_at IS NOT NULL FROM fixity_run ORDER BY id")
    assert [run[1:3] for run in runs] == [("sound", 3), ("damaged", 3)]
    assert told["run"] == runs[1][0] and runs[1][4] == len(told["findings"]) and runs[1][5]
    kept = rows(copy, 'SELECT kind, file, "offset", text FROM fixity_finding WHERE run_id = ? ORDER BY position', told["run"])
    assert kept == [tuple(finding[name] for name in ("kind", "file", "offset", "text")) for finding in told["findings"]]
    sound = rows(copy, "SELECT serial FROM warc_file, fixity_run WHERE id = 2 AND checked_at > started_at ORDER BY 1")
    assert sound == [(2,), (3,)]


def test_an_interrupted_check_goes_on_where_it_was(wuhu: Wuhu, copy: Path) -> None:
    flip(copy)
    seen = []

    def stop(progress: Any) -> None:
        if progress.files_done == 2:
            seen.append(progress.findings)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Verification(ArchivePaths.of(copy), told=stop).run()
    assert seen[0] > 0
    assert rows(copy, "SELECT status, finished_at FROM fixity_run") == [("interrupted", None)]
    told = json.loads(wuhu("verify", "--resume", "--json", folder=copy).out)
    assert (told["run"], told["files"], told["records"]) == (1, 3, 44)
    assert [finding["kind"] for finding in told["findings"]].count("record") == 1
    assert rows(copy, "SELECT status, files FROM fixity_run") == [("damaged", 3)]
    again = wuhu("verify", "--resume", folder=copy)
    assert "there was no check to resume; this was a new one" in again.err


def test_a_check_stopped_by_ctrl_c_says_how_to_go_on(demo: DemoCrawl, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path / "copy")
    hook = "import sys; from wuhu_crawler.verify import shelf; import os, signal\n" \
           "shelf.findings = lambda *_: os.kill(os.getpid(), signal.SIGINT) or iter(())\n" \
           "sys.argv = ['wuhu', 'verify']\nfrom wuhu_crawler.cli import main\nmain()"  # fmt: skip
    ended = subprocess.run(
        [str(Path(program("wuhu")).with_name("python")), "-c", hook],
        env=environment(tmp_path / "copy"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (10, "")
    assert ended.stderr.endswith("wuhu: the check was stopped; go on with `wuhu verify --resume`\n")
    assert rows(tmp_path / "copy", "SELECT status FROM fixity_run") == [("interrupted",)]


def test_samples_come_round_to_every_file(wuhu: Wuhu, copy: Path) -> None:
    for _ in range(3):
        told = json.loads(wuhu("verify", "--sample", "10%", "--json", folder=copy).out)
        assert (told["files"], told["findings"]) == (1, [])
    assert rows(copy, "SELECT count(*) FROM warc_file WHERE checked_at IS NOT NULL") == [(3,)]
    sql(copy, "UPDATE capture SET status = 500")
    half = json.loads(wuhu("verify", "--sample", "50%", "--json", folder=copy).out)
    sampled = {finding["file"] for finding in half["findings"] if finding["kind"] == "row"}
    assert len(sampled) > half["files"]  # in files that were not read whole, too


@pytest.mark.parametrize("share", ["0%", "200%", "some"])
def test_a_sample_that_is_none(wuhu: Wuhu, copy: Path, share: str) -> None:
    told = wuhu("verify", "--sample", share, folder=copy)
    assert (told.code, told.out) == (2, "") and "no percentage" in told.err


def test_beside_a_writer_the_open_file_is_read_as_far_as_it_is_committed(wuhu: Wuhu, tmp_path: Path) -> None:
    writer = archive(tmp_path)
    writer.record(exchange(RECEIVED["plain"][0]))
    writer.commit()
    writer.record(exchange(RECEIVED["gzip"][0]))
    told = wuhu("verify", folder=tmp_path)
    assert (told.code, told.out) == (0, "ok\n"), told.out
    assert "1 file, 3 records" in told.err
    (path,) = (tmp_path / "warc").glob("*.open")
    with path.open("r+b") as file:
        file.seek(rows(tmp_path, "SELECT warc_offset FROM capture")[0][0] + 100)
        file.write(b"X")
    told = wuhu("verify", folder=tmp_path)
    assert told.code == 4 and "capture 1 (http://www.example.cn/" in told.out
    writer.commit()
    writer.close(0, "finished", {})


def test_an_answer_of_any_kind_agrees_with_its_row(wuhu: Wuhu, tmp_path: Path) -> None:
    writer = archive(tmp_path)
    for number, (received, _, _) in enumerate(RECEIVED.values()):
        writer.record(exchange(received, url=f"http://www.example.cn/{number}"), flags=exchange(received).flags)
    writer.record(exchange(RECEIVED["plain"][0], url="http://www.example.cn/again"))
    writer.close(10, "shutdown", {})
    told = wuhu("verify", folder=tmp_path)
    assert (told.code, told.out) == (0, "ok\n"), told.out


def test_a_database_that_cannot_be_read_leaves_the_files_to_be_checked(wuhu: Wuhu, copy: Path) -> None:
    flip(copy)
    data = bytearray((copy / "archive.db").read_bytes())
    page = rows(copy, "SELECT rootpage FROM sqlite_master WHERE name = 'warc_file'")[0][0]
    data[(page - 1) * 4096 : (page - 1) * 4096 + 100] = b"\xff" * 100
    (copy / "archive.db").write_bytes(bytes(data))
    told = wuhu("verify", folder=copy)
    assert told.code == 4 and "[database]" in told.out and "[hash]" in told.out and "[record]" in told.out


def test_many_findings_of_a_kind_are_counted(wuhu: Wuhu, demo: DemoCrawl, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path / "copy")
    sql(tmp_path / "copy", "UPDATE capture SET status = 500")
    told = wuhu("verify", folder=tmp_path / "copy")
    captures = rows(demo.folder, "SELECT count(*) FROM capture")[0][0]
    assert f"and {captures - SHOWN} more like these [row]" in told.out
    assert len(told.out.splitlines()) < 2 * SHOWN


def test_every_kind_is_explained() -> None:
    page = (DOCS / "warc.md").read_text(encoding="utf-8")
    assert [kind for kind, meaning in KINDS.items() if f"| `{kind}` | {meaning} |" not in page] == []
