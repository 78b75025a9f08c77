"""WARC files of others taken in: indexed, extracted, marked as foreign, and the archive sound and rebuildable with them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from conftest import Story, Wuhu, crawl, listing, rows, serving
from test_fixity import reference
from test_verify import warc
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from wuhu_crawler.warc import cdx

HOST = "www.example.cn"
OLD, NEW = "2025-03-01T00:00:00Z", "2030-01-01T00:00:00Z"
ARTICLE = f"http://{HOST}/html/show.asp?newsid=7"


@pytest.fixture
def portal(tmp_path: Path) -> str:
    """The profile of the portal whose pages others have recorded."""
    path = tmp_path / "small.toml"
    path.write_text(
        f'title = "江城在线"\nseeds = ["http://{HOST}/"]\ncontact_required = false\n'
        "article_urls = ['/html/show\\.asp\\?newsid=(?P<id>\\d+)']\n",
        encoding="utf-8",
    )
    return str(path)


class Recording:
    """A WARC file as warcio writes it."""

    def __init__(self, path: Path, *, compressed: bool = True, version: str = "1.1") -> None:
        self.path = path
        self._file = path.open("wb")
        self._writer = WARCWriter(self._file, gzip=compressed, warc_version=version)
        told = {"software": "recorder 1.0", "format": f"WARC File Format {version}"}
        self._write(self._writer.create_warcinfo_record(path.name, told))

    def answer(self, url: str, body: bytes, *, at: str = OLD, status: str = "200 OK", **headers: str) -> None:
        """Write a request and its response."""
        fields = [("Content-Type", "text/html"), *((name.replace("_", "-"), value) for name, value in headers.items())]
        fields = list(dict(fields).items())
        response = self._record(url, "response", body, StatusAndHeaders(status, fields, protocol="HTTP/1.1"), at)
        asked = StatusAndHeaders(f"GET {url} HTTP/1.1", [("Host", HOST)], is_http_request=True)
        request = self._record(url, "request", b"", asked, at)
        request.rec_headers.add_header("WARC-Concurrent-To", response.rec_headers.get_header("WARC-Record-ID"))
        self._write(response)
        self._write(request)

    def revisit(self, url: str, of: str, digest: str, *, at: str) -> None:
        """Write a revisit that names its original by URL and time only, as recorders do."""
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        when = {"WARC-Date": at}
        self._write(self._writer.create_revisit_record(url, digest, of, OLD, http_headers=headers, warc_headers_dict=when))

    def close(self) -> Path:
        """Return the finished file."""
        self._file.close()
        return self.path

    def _record(self, url: str, kind: str, body: bytes, headers: StatusAndHeaders, at: str) -> ArcWarcRecord:
        when = {"WARC-Date": at}
        return self._writer.create_warc_record(url, kind, BytesIO(body), http_headers=headers, warc_headers_dict=when)

    def _write(self, record: ArcWarcRecord) -> None:
        self._writer.write_record(record)
        record.raw_stream.close()  # a temporary file by now


def recorded(path: Path, **how: object) -> Path:
    """Return a recording of a small portal and a few things that are not of it."""
    file = Recording(path, **how)  # type: ignore[arg-type]
    page = Story(7, "长江大桥昨日通车").page()
    file.answer(f"http://{HOST}/", listing({"/html/show.asp?newsid=7": "长江大桥昨日通车"}))
    file.answer(ARTICLE, page)
    squeezed = gzip.compress(Story(8, "市民纷纷前往参观").page())
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(squeezed), squeezed)
    file.answer(ARTICLE.replace("7", "8"), framed, Transfer_Encoding="chunked", Content_Encoding="gzip")
    file.answer(f"http://{HOST}/old.asp", b"", status="302 Found", Location="/")
    file.answer(f"http://{HOST}/UploadFile/1.jpg", b"\xff\xd8\xff", Content_Type="image/jpeg")
    file.answer("http://elsewhere.example/", b"<html><body>elsewhere</body></html>")
    file.answer(f"http://{HOST}/busy", b"busy", status="503 Service Unavailable")
    file.revisit(f"{ARTICLE}&again=1", ARTICLE, "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", at=OLD)
    return file.close()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_recording_is_indexed_extracted_and_marked(wuhu: Wuhu, tmp_path: Path, portal: str, version: str) -> None:
    file, archive = recorded(tmp_path / "old.warc.gz", version=version), tmp_path / "archive"
    told = wuhu("import", str(file), "--portal", portal, folder=archive)
    assert told.code == 0, told.err
    assert told.out.startswith("old.warc.gz: 8 captures, 3 pages of small; crawl ")
    assert told.out.endswith("written by recorder 1.0\n")
    assert (archive / "warc/old.warc.gz").read_bytes() == file.read_bytes()
    assert rows(archive, "SELECT software FROM warc_file ORDER BY serial") == [(None,), ("recorder 1.0",)]
    crawls = rows(archive, "SELECT DISTINCT job, crawl.status FROM capture JOIN crawl ON crawl.id = crawl_id")
    assert crawls == [("import", "finished")]
    titles = rows(archive, "SELECT article_id, title FROM article JOIN article_version ON article_key = key ORDER BY 1")
    assert titles == [(7, "长江大桥昨日通车"), (8, "市民纷纷前往参观")]
    ended = dict(rows(archive, "SELECT url, outcome || coalesce(' ' || reason, '') FROM outcome"))
    assert ended == {
        f"http://{HOST}/": "captured",
        ARTICLE: "captured",
        ARTICLE.replace("7", "8"): "captured",
        f"http://{HOST}/old.asp": f"captured redirect to http://{HOST}/",
        f"http://{HOST}/UploadFile/1.jpg": "captured",
        "http://elsewhere.example/": "captured",
        f"http://{HOST}/busy": "failed HTTP 503",
        f"{ARTICLE}&again=1": "revisit",
    }
    article = json.loads(wuhu("show", "7", "--json", folder=archive).out)
    assert (article["title"], article["published_at"]) == ("长江大桥昨日通车", "2024-05-06T08:09:10+08:00")
    assert wuhu("search", "市民纷纷", "--count", folder=archive).out == "2\n"


def test_the_archive_is_sound_with_it_and_made_again_alike(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    archive = tmp_path / "archive"
    assert wuhu("import", str(recorded(tmp_path / "old.warc.gz")), "--portal", portal, folder=archive).code == 0
    plain = recorded(tmp_path / "plain.warc", compressed=False)
    assert wuhu("import", str(plain), "--portal", portal, folder=archive).code == 0
    checked = wuhu("verify", folder=archive)
    assert (checked.code, checked.out) == (0, "ok\n"), checked.out
    files = sorted((archive / "warc").iterdir())
    assert list(cdx.merged(sorted((archive / "cdx").iterdir()))) == reference(*files)
    subprocess.run(["sha256sum", "--quiet", "-c", "manifest-sha256.txt"], cwd=archive, check=True)
    before = wuhu("db", "dump", "--canonical", folder=archive).out
    rebuilt = wuhu("rebuild", folder=archive)
    assert rebuilt.code == 0 and "left out" not in rebuilt.err, rebuilt.err
    assert wuhu("db", "dump", "--canonical", folder=archive).out == before
    assert len(before.splitlines()) > 40
    checked = wuhu("verify", folder=archive)
    assert (checked.code, checked.out) == (0, "ok\n"), checked.out


def test_the_same_file_is_taken_in_once(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    file, archive = recorded(tmp_path / "old.warc.gz"), tmp_path / "archive"
    assert wuhu("import", str(file), "--portal", portal, folder=archive).code == 0
    again = shutil.copy(file, tmp_path / "another-name.warc.gz")
    told = wuhu("import", str(again), "--portal", portal, folder=archive)
    assert told.code == 2 and "this file was taken in before, as crawl" in told.err
    own = wuhu("import", str(warc(archive, 1)), "--portal", portal, folder=archive)
    assert own.code == 2 and "the archive's own file" in own.err
    assert rows(archive, "SELECT count(*) FROM warc_file") == [(2,)]


def test_a_file_of_another_archive_of_ours_is_for_a_rebuild(wuhu: Wuhu, thrice: Path, tmp_path: Path, portal: str) -> None:
    told = wuhu("import", str(warc(thrice, 1)), "--portal", portal, folder=tmp_path / "archive")
    assert told.code == 2 and "was written by this program: put it into" in told.err
    assert not (tmp_path / "archive/warc").exists()


def test_another_file_of_the_same_name_gets_its_own(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    archive = tmp_path / "archive"
    (tmp_path / "other").mkdir()
    one, two = recorded(tmp_path / "old.warc.gz"), recorded(tmp_path / "other/old.warc.gz")
    told = json.loads(wuhu("import", str(one), str(two), "--portal", portal, "--json", folder=archive).out)
    assert [each["file"] for each in told] == ["old.warc.gz", f"{told[1]['crawl_id']}-old.warc.gz"]
    assert [each["captures"] for each in told] == [8, 8]
    assert wuhu("verify", folder=archive).out == "ok\n"


def test_one_gzip_stream_is_compressed_record_by_record(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    plain = recorded(tmp_path / "plain.warc", compressed=False)
    whole = tmp_path / "whole.warc.gz"
    whole.write_bytes(gzip.compress(plain.read_bytes()))
    told = wuhu("import", str(whole), "--portal", portal, folder=tmp_path / "archive")
    assert told.code == 0 and "its records were one gzip stream" in told.err
    assert gzip.decompress((tmp_path / "archive/warc/whole.warc.gz").read_bytes()) == plain.read_bytes()
    assert wuhu("verify", folder=tmp_path / "archive").out == "ok\n"
    again = wuhu("import", str(whole), "--portal", portal, folder=tmp_path / "archive")
    assert again.code == 2 and "taken in before" in again.err


def test_an_old_page_makes_no_version_of_what_is_known_from_later(wuhu: Wuhu, tmp_path: Path) -> None:
    now = Story(7, "长江大桥昨日通车", ["　　今天的正文，写得够长，好让人看出这是一篇文章而不是别的。"])
    with serving({"/": listing({"/html/show.asp?newsid=7": now.title}), "/html/show.asp?newsid=7": now.page()}) as site:
        portal = site.profile(tmp_path, article_urls=r"['/html/show\.asp\?newsid=(?P<id>\d+)']")
        archive = tmp_path / "archive"
        assert crawl(archive, portal).returncode == 0
        for name, at in (("before", OLD), ("after", NEW)):
            file = Recording(tmp_path / f"{name}.warc.gz")
            page = Story(7, now.title, [f"　　{name}，别的正文，也写得够长。"]).page()
            file.answer(f"{site.url}/html/show.asp?newsid=7", page, at=at)
            assert wuhu("import", str(file.close()), "--portal", str(portal), folder=archive).code == 0
            versions = rows(archive, "SELECT number, body FROM article_version ORDER BY number")
            assert len(versions) == (1 if name == "before" else 2)
    assert "after" in versions[-1][1]
    kinds = rows(archive, "SELECT page_kind FROM capture WHERE captured_at < '2026'")
    assert kinds == [("article",)]
    assert wuhu("verify", folder=archive).out == "ok\n"
    dump = wuhu("db", "dump", "--canonical", folder=archive).out
    assert wuhu("rebuild", folder=archive).code == 0
    assert wuhu("db", "dump", "--canonical", folder=archive).out == dump


def test_an_import_that_was_killed_is_finished_by_the_next_one(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    file, archive = recorded(tmp_path / "old.warc.gz"), tmp_path / "archive"
    environment = {**os.environ, "WUHU_DATA_DIR": str(archive)}
    command = [sys.executable, "-c", KILLED, "import", str(file), "--portal", portal]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ended.returncode == 9, ended.stderr
    assert rows(archive, "SELECT count(*) FROM capture")[0][0] < 8
    told = wuhu("import", str(file), "--portal", portal, folder=archive)
    assert told.code == 0, told.err
    assert rows(archive, "SELECT count(*), count(DISTINCT crawl_id) FROM capture") == [(8, 1)]
    assert rows(archive, "SELECT count(*) FROM outcome") == [(8,)]
    assert wuhu("verify", folder=archive).out == "ok\n"


# `wuhu`, but it dies when five captures were taken in.
KILLED = """
import os
from wuhu_crawler import ingest, replay
from wuhu_crawler.cli import main

ingest.TAKEN_AT_ONCE, play = 3, replay.Replay.play


def play_and_die(self, name, event, reading=None):
    if self.captures == 5:
        os._exit(9)
    play(self, name, event, reading)


replay.Replay.play = play_and_die
main()
"""


def damaged(path: Path, how: str) -> Path:
    """Return a file that cannot be taken in."""
    whole = recorded(path).read_bytes()
    head = b"<html>no WARC</html>"
    path.write_bytes({"nothing": b"", "html": head, "torn": whole[:-30], "flipped": whole[:900] + b"\0" + whole[901:]}[how])
    return path


@pytest.mark.parametrize("how", ["nothing", "html", "torn", "flipped"])
def test_what_is_no_whole_warc_file_is_refused(wuhu: Wuhu, tmp_path: Path, portal: str, how: str) -> None:
    told = wuhu("import", str(damaged(tmp_path / "x.warc.gz", how)), "--portal", portal, folder=tmp_path / "archive")
    assert told.code == 2 and told.err.splitlines()[-1].startswith("wuhu: ")
    assert not (tmp_path / "archive").exists()


def test_of_several_files_the_good_ones_are_taken_in(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    good, bad = recorded(tmp_path / "good.warc.gz"), damaged(tmp_path / "bad.warc.gz", "torn")
    told = wuhu("import", str(bad), str(good), "--portal", portal, folder=tmp_path / "archive")
    assert told.code == 2 and "1 file of 2 could not be taken in" in told.err
    assert told.out.startswith("good.warc.gz: 8 captures")
    assert "bad.warc.gz cannot be taken in" in told.err


def test_provenance_of_what_others_recorded(wuhu: Wuhu, tmp_path: Path, portal: str) -> None:
    archive = tmp_path / "archive"
    for file in (recorded(tmp_path / "one.warc", compressed=False), recorded(tmp_path / "two.warc.gz")):
        assert wuhu("import", str(file), "--portal", portal, folder=archive).code == 0
    (version,) = json.loads(wuhu("show", "7", "--provenance", "--json", folder=archive).out)
    assert "gunzip" not in version["by_hand"]
    record = subprocess.run(["sh", "-c", version["by_hand"]], capture_output=True, check=True).stdout
    assert record.startswith(b"WARC/1.1\r\n") and Story(7, "长江大桥昨日通车").page() in record
    assert datetime.fromisoformat(version["captured_at"]) == datetime(2025, 3, 1, tzinfo=UTC)
