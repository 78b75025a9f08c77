"""A copy made beside a crawl, and an archive made from it again, which is sound and goes on crawling."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import DemoCrawl, Story, Wuhu, answer, crawl, listing, rows, serving
from test_fixity import archive, on_disk
from test_verify import flip, sql, warc, write
from test_warc import RECEIVED, exchange


@pytest.fixture
def copy(thrice: Path, tmp_path: Path) -> Path:
    """A copy of the archive of three crawls, to be worked on."""
    folder = tmp_path / "copy"
    shutil.copytree(thrice, folder)
    return folder


def hashes(folder: Path) -> list[tuple[str, int, str]]:
    """Return every closed WARC file of an archive."""
    return on_disk(folder)


def test_a_backup_and_what_is_restored_from_it_are_the_archive(wuhu: Wuhu, copy: Path, tmp_path: Path) -> None:
    told = wuhu("backup", str(tmp_path / "backup"), folder=copy)
    assert (told.code, told.out) == (0, "")
    assert told.err.endswith("backup is up to date: 3 WARC files copied (0.0 MB)\n")
    assert hashes(tmp_path / "backup") == hashes(copy)
    assert wuhu("verify", folder=tmp_path / "backup").out == "ok\n"
    subprocess.run(["sha256sum", "--quiet", "-c", "manifest-sha256.txt"], cwd=tmp_path / "backup", check=True)
    told = wuhu("restore", str(tmp_path / "backup"), "--to", str(tmp_path / "new"))
    assert told.code == 0, told.err
    assert wuhu("verify", folder=tmp_path / "new").out == "ok\n"
    assert hashes(tmp_path / "new") == hashes(copy)
    everything = "SELECT * FROM capture ORDER BY id"
    assert rows(tmp_path / "new", everything) == rows(copy, everything)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "new/warc").iterdir()] == [0o444] * 3


def test_a_second_backup_copies_what_is_new(wuhu: Wuhu, copy: Path, tmp_path: Path) -> None:
    wuhu("backup", str(tmp_path / "backup"), folder=copy)
    times = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "backup/warc").iterdir()}
    writer = archive(copy)
    writer.record(exchange(RECEIVED["plain"][0]))
    writer.close(10, "shutdown", {})
    told = json.loads(wuhu("backup", str(tmp_path / "backup"), "--json", folder=copy).out)
    assert (told["files"], told["kept"], told["problems"]) == (1, 3, [])
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "backup/warc").iterdir()}
    assert len(after) == 4 and times.items() <= after.items()
    assert wuhu("verify", folder=tmp_path / "backup").out == "ok\n"


def test_a_backup_beside_a_crawl_is_sound_and_its_crawl_goes_on(wuhu: Wuhu, tmp_path: Path) -> None:
    """The copy has what is committed; restored, it is resumed and asks only for the rest."""
    links = {f"/html/show.asp?newsid={number}": f"第{number}条新闻的标题" for number in range(1, 9)}
    pages = {path: Story(number, words).page() for number, (path, words) in enumerate(links.items(), 1)}
    with serving({"/": listing(links), **pages}) as site:
        portal = site.profile(tmp_path, article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']", concurrency="1")
        body = site.pages["/html/show.asp?newsid=5"]

        def backed_up(handler: BaseHTTPRequestHandler) -> None:
            wuhu("backup", str(tmp_path / "backup"), folder=tmp_path / "archive")
            answer(handler, 200, body)

        site.pages["/html/show.asp?newsid=5"] = backed_up
        assert crawl(tmp_path / "archive", portal, WUHU_COMMIT_PAGES="1").returncode == 0
        assert list((tmp_path / "backup/warc").glob("*.open"))
        assert wuhu("verify", folder=tmp_path / "backup").out == "ok\n"
        assert wuhu("restore", str(tmp_path / "backup"), "--to", str(tmp_path / "new")).code == 0
        assert wuhu("verify", folder=tmp_path / "new").out == "ok\n"
        had = {url for (url,) in rows(tmp_path / "new", "SELECT url FROM capture")}
        assert 2 < len(had) < 9
        site.pages["/html/show.asp?newsid=5"] = body
        site.log.clear()
        assert crawl(tmp_path / "new", portal, "-a", "resume=last").returncode == 0
        asked = {f"{site.url}{path}" for path in site.log}
        assert had & asked <= {f"{site.url}/robots.txt"}
    assert wuhu("verify", folder=tmp_path / "new").out == "ok\n"
    assert rows(tmp_path / "new", "SELECT count(*) FROM article") == [(8,)]
    told = json.loads(wuhu("backup", str(tmp_path / "backup"), "--json", folder=tmp_path / "archive").out)
    assert told["problems"] == [] and not list((tmp_path / "backup/warc").glob("*.open"))
    assert wuhu("verify", folder=tmp_path / "backup").out == "ok\n"


def test_a_damaged_file_does_not_reach_the_backup(wuhu: Wuhu, copy: Path, tmp_path: Path) -> None:
    wuhu("backup", str(tmp_path / "backup"), folder=copy)
    good = hashes(tmp_path / "backup")
    flip(copy)
    assert wuhu("backup", str(tmp_path / "backup"), folder=copy).code == 0  # it has that file, and keeps it
    assert hashes(tmp_path / "backup") == good
    told = wuhu("backup", str(tmp_path / "other"), folder=copy)
    assert told.code == 4 and "is damaged, so it was not copied" in told.out
    assert hashes(tmp_path / "other") == good[1:]
    warc(copy, 2).unlink()
    told = wuhu("backup", str(tmp_path / "third"), folder=copy)
    assert told.code == 4 and "is missing, so it cannot be copied" in told.out


def test_another_file_of_the_same_name_is_not_replaced(wuhu: Wuhu, copy: Path, tmp_path: Path) -> None:
    wuhu("backup", str(tmp_path / "backup"), folder=copy)
    sql(copy, "UPDATE warc_file SET sha256 = 'abc' WHERE serial = 1")
    told = wuhu("backup", str(tmp_path / "backup"), folder=copy)
    assert told.code == 4 and "is another file in the backup, whose copy is kept" in told.out


def test_a_damaged_backup_is_noticed_when_it_is_restored(wuhu: Wuhu, copy: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    wuhu("backup", str(backup), folder=copy)
    flip(backup)
    with closing((backup / "archive.db").open("r+b")) as file:
        file.seek(100)
        file.write(b"X")
    warc(backup, 2).unlink()
    told = wuhu("restore", str(backup), "--to", str(tmp_path / "new"))
    assert told.code == 4
    first, second, third = told.out.splitlines()
    assert first.startswith("archive.db is not the one that was backed up")
    assert "is damaged: its SHA-256 is not that of the manifest" in second
    assert "is not in the backup" in third
    assert [path.name for path in (tmp_path / "new/warc").iterdir()] == [warc(copy, 3).name]
    assert not (tmp_path / "new/archive.db").exists()


def test_wrong_places_are_refused(wuhu: Wuhu, copy: Path, tmp_path: Path, demo: DemoCrawl) -> None:
    for folder in (copy, copy / "inside", copy.parent):
        told = wuhu("backup", str(folder), folder=copy)
        assert told.code == 2 and "has to lie apart from it" in told.err
    assert "there is no database" in wuhu("backup", str(tmp_path / "backup"), folder=tmp_path / "nothing").err
    assert "is no backup of an archive" in wuhu("restore", str(demo.folder), "--to", str(tmp_path / "new")).err
    wuhu("backup", str(tmp_path / "backup"), folder=copy)
    told = wuhu("restore", str(tmp_path / "backup"), folder=copy)
    assert told.code == 2 and "is not empty" in told.err
    write(tmp_path / "backup/backup.json", b'{"format": "x"}')
    assert (
        "cannot be read as the facts of a backup" in wuhu("restore", str(tmp_path / "backup"), "--to", str(tmp_path / "n")).err
    )
