"""What is kept of a WARC file when it is closed: its hash in the database and in the manifest, and its index."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import DemoCrawl, program, rows
from test_warc import RECEIVED, exchange, fastwarc_records, make_writer

from wuhu_crawler.ingest import ArchiveWriter
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.portals import Portal
from wuhu_crawler.warc import cdx, manifest
from wuhu_crawler.warc.reader import iter_records
from wuhu_crawler.warc.records import Revisit, sha1_digest

PORTAL = Portal(name="small", title="江城在线", seeds=("http://127.0.0.1/",))


def reference(*files: Path) -> list[str]:
    """Return the sorted lines cdxj-indexer makes of WARC files."""
    command = [program("cdxj-indexer"), "--sort", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def archive(folder: Path, **changes: object) -> ArchiveWriter:
    """Open the archive in `folder`."""
    given = {"job": "wuhu", "settings": {}, "operator": None, "argv": ["test"], **changes}
    return ArchiveWriter.open(ArchivePaths.of(folder), PORTAL, **given)  # type: ignore[arg-type]


def sealed(folder: Path) -> list[tuple[str, int, str]]:
    """Return what the database says of the closed files."""
    return rows(folder, "SELECT name, size, sha256 FROM warc_file WHERE sha256 IS NOT NULL ORDER BY serial")


def on_disk(folder: Path) -> list[tuple[str, int, str]]:
    """Return what is there."""
    files = sorted((folder / "warc").glob("*.warc.gz"), key=lambda path: path.name.split("-")[-2])
    return [(file.name, file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


def test_every_closed_file_has_its_hash_twice(demo: DemoCrawl) -> None:
    assert sealed(demo.folder) == on_disk(demo.folder) != []
    told = subprocess.run(
        ["sha256sum", "-c", "manifest-sha256.txt"], cwd=demo.folder, capture_output=True, text=True, check=True
    )
    assert told.stdout == "".join(f"warc/{name}: OK\n" for name, _, _ in on_disk(demo.folder))


def test_the_index_is_what_cdxj_indexer_makes(demo: DemoCrawl) -> None:
    files = sorted((demo.folder / "warc").glob("*.warc.gz"))
    indexes = sorted((demo.folder / "cdx").iterdir())
    assert [index.name for index in indexes] == [cdx.index_name(file.name) for file in files]
    ours = list(cdx.merged(indexes))
    assert ours == reference(*files)
    assert len(ours) == rows(demo.folder, "SELECT count(*) FROM capture")[0][0]


def test_fastwarc_reads_every_record_and_finds_its_digest_right(demo: DemoCrawl, thrice: Path) -> None:
    for path in (*(demo.folder / "warc").iterdir(), *(thrice / "warc").iterdir()):
        ours = [(record.record_id, record.type, len(record.block)) for record in iter_records(path)]
        theirs = [record.headers for record in fastwarc_records(path)]
        assert [(each["WARC-Record-ID"], each["WARC-Type"], int(each["Content-Length"])) for each in theirs] == ours
        assert {kind for _, kind, _ in ours} >= {"warcinfo", "request", "metadata"}


def test_odd_answers_are_indexed_as_cdxj_indexer_reads_them(tmp_path: Path) -> None:
    writer = make_writer(tmp_path, index=tmp_path / "cdx")
    written = {name: writer.write_exchange(exchange(received)) for name, (received, _, _) in RECEIVED.items()}
    first = Revisit(written["plain"].record_id, "http://www.example.cn/", datetime.now(UTC), written["plain"].payload_digest)
    for again in (RECEIVED["plain"][0], b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"):
        writer.write_exchange(exchange(again, url="http://WWW1.Example.cn:80/附件/a b.doc?B=2&a=%b0%c5"), revisit=first)
    writer.write_metadata("http://www.example.cn/x", {"outcome": "failed"}, refers_to=None, at=datetime.now(UTC))
    writer.close()
    file, index = tmp_path / writer.warc_file, tmp_path / "cdx" / cdx.index_name(writer.warc_file)
    lines = index.read_text(encoding="utf-8").splitlines()
    assert lines == reference(file)
    assert len(lines) == len(RECEIVED) + 2
    cdx.write_index(file, file.name, tmp_path / "again.cdxj")
    assert (tmp_path / "again.cdxj").read_bytes() == index.read_bytes()


def test_more_lines_than_are_sorted_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cdx, "_RUN", 7)
    lines = cdx.SortedLines()
    wanted = [f"cn,example)/{sha1_digest(bytes([number]))} 2026" for number in range(100)]
    for text in [*wanted, *wanted[:5]]:
        lines.add(text)
    lines.write(tmp_path / "deep" / "x.cdxj")
    assert (tmp_path / "deep" / "x.cdxj").read_text().splitlines() == sorted(wanted)
    assert list(lines) == []


def test_a_file_left_by_rotation_is_sealed_with_the_next_commit(tmp_path: Path) -> None:
    writer = archive(tmp_path, warc_max_size=600)
    for name in ("plain", "gzip", "empty body"):
        writer.record(exchange(RECEIVED[name][0]))
    assert sealed(tmp_path) == [] and len(on_disk(tmp_path)) >= 2
    writer.commit()
    assert sealed(tmp_path) == on_disk(tmp_path)
    writer.close(0, "finished", {})
    assert sealed(tmp_path) == on_disk(tmp_path)
    assert len(list((tmp_path / "cdx").iterdir())) == len(on_disk(tmp_path))
    assert manifest.read(tmp_path / "manifest-sha256.txt") == {name: sha256 for name, _, sha256 in on_disk(tmp_path)}


def test_what_a_process_that_died_had_closed_is_sealed_by_the_next(tmp_path: Path) -> None:
    writer = archive(tmp_path)
    writer.record(exchange(RECEIVED["plain"][0]))
    writer.close(0, "finished", {})
    ((name, _, sha256),) = on_disk(tmp_path)
    (tmp_path / "manifest-sha256.txt").unlink()
    shutil.rmtree(tmp_path / "cdx")
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        connection.execute("UPDATE warc_file SET sha256 = NULL, size = NULL")
        connection.commit()
    archive(tmp_path).close(0, "finished", {})
    assert sealed(tmp_path) == on_disk(tmp_path)
    assert manifest.read(tmp_path / "manifest-sha256.txt")[name] == sha256
    assert list(cdx.merged([tmp_path / "cdx" / cdx.index_name(name)])) == reference(tmp_path / "warc" / name)


@pytest.mark.parametrize("text", ["no manifest\n", f"{'a' * 64}  warc/x\n{'b' * 64}  warc/x\n", f"{'a' * 63}  warc/x\n"])
def test_a_manifest_that_cannot_be_read_says_the_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.txt").write_text(text)
    with pytest.raises(manifest.ManifestError, match=r"line [12]"):
        manifest.read(tmp_path / "m.txt")
