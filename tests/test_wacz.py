"""Packages of a collection: whole, of a crawl, of some days; right for pages in GBK; and what is wrong with one is found."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import DemoCrawl, Wuhu, rows
from test_fixity import archive, reference
from test_verify import warc
from test_warc import RECEIVED, exchange
from warcio.archiveiterator import ArchiveIterator

from wuhu_crawler.warc import cdx


@pytest.fixture
def copy(thrice: Path, tmp_path: Path) -> Path:
    """A copy of the archive of three crawls."""
    folder = tmp_path / "copy"
    shutil.copytree(thrice, folder)
    return folder


def content(file: Path) -> dict[str, bytes]:
    """Return what is in a package, by path."""
    with zipfile.ZipFile(file) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def listed(file: Path) -> list[dict[str, Any]]:
    """Return the pages of a package, without the header."""
    return [json.loads(line) for line in content(file)["pages/pages.jsonl"].decode().splitlines()[1:]]


def index(file: Path) -> list[str]:
    """Return the index of a package."""
    return gzip.decompress(content(file)["indexes/index.cdx.gz"]).decode().splitlines()


def crawls(folder: Path) -> list[str]:
    """Return the crawls of an archive in order."""
    return [crawl for (crawl,) in rows(folder, "SELECT id FROM crawl ORDER BY started_at")]


def test_the_whole_collection(wuhu: Wuhu, demo: DemoCrawl, demo_truth: dict[int, dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "all.wacz"
    told = json.loads(wuhu("wacz", "-o", str(file), "--json", folder=demo.folder).out)
    assert told["captures"] == rows(demo.folder, "SELECT count(*) FROM capture")[0][0]
    packed = content(file)
    files = sorted((demo.folder / "warc").glob("*.warc.gz"))
    for path in files:
        assert packed[f"archive/{path.name}"] == path.read_bytes()
    assert index(file) == reference(*files)
    package = json.loads(packed["datapackage.json"])
    hashes = {name: f"sha256:{hashlib.sha256(data).hexdigest()}" for name, data in packed.items()}
    assert {each["path"]: each["hash"] for each in package["resources"]} == {
        name: digest for name, digest in hashes.items() if not name.startswith("datapackage")
    }
    assert (package["profile"], package["wacz_version"]) == ("data-package", "1.1.1")
    digest = json.loads(packed["datapackage-digest.json"])
    assert digest["hash"] == f"sha256:{hashlib.sha256(packed['datapackage.json']).hexdigest()}"
    with zipfile.ZipFile(file) as opened:
        kinds = {info.filename: info.compress_type for info in opened.infolist()}
    assert {kind for name, kind in kinds.items() if name.startswith(("archive/", "indexes/index.cdx"))} == {zipfile.ZIP_STORED}
    assert wuhu("wacz", "verify", str(file)).out == "ok\n"
    pages = [(page["url"].lower().rpartition("info.asp?id=")[2], page) for page in listed(file)]
    shown = {int(number): page for number, page in pages if number.isdecimal()}
    assert len(shown) > 100
    for number, page in shown.items():
        assert page["title"] == demo_truth[number]["title"]
        assert page["text"].split("\n") == demo.articles[number]["paragraphs"]


def test_pages_have_the_text_their_capture_showed(wuhu: Wuhu, thrice: Path, tmp_path: Path) -> None:
    assert wuhu("wacz", "-o", str(tmp_path / "all.wacz"), folder=thrice).code == 0
    texts = [page["text"] for page in listed(tmp_path / "all.wacz") if page["url"].endswith("newsid=7")]
    first, second, third = texts
    assert "大桥全长十公里" in first and first == third and "改过的正文" in second
    same = [page for page in listed(tmp_path / "all.wacz") if page["url"].endswith("newsid=8")]
    assert {page["title"] for page in same} == {"市民纷纷前往参观"} and len({page["text"] for page in same}) == 1
    home = next(page for page in listed(tmp_path / "all.wacz") if page["url"].endswith("/"))
    assert home["title"] == "江城在线"
    assert datetime.fromisoformat(home["ts"]) is not None


def test_a_crawl_takes_the_payloads_of_its_revisits_along(wuhu: Wuhu, thrice: Path, tmp_path: Path) -> None:
    second, file = crawls(thrice)[1], tmp_path / "crawl.wacz"
    told = wuhu("wacz", "--crawl", second, "-o", str(file), folder=thrice)
    assert told.out.startswith(f"{file}: 4 captures, 3 pages; 1 WARC file whole, 1 in part; ")
    assert wuhu("wacz", "verify", str(file)).out == "ok\n"
    one, two = warc(thrice, 1), warc(thrice, 2)
    extract = one.name.replace(".warc.gz", "-extract.warc.gz")
    packed = content(file)
    assert {name for name in packed if name.startswith("archive/")} == {f"archive/{extract}", f"archive/{two.name}"}
    (tmp_path / extract).write_bytes(packed[f"archive/{extract}"])
    assert index(file) == reference(tmp_path / extract, two)
    with (tmp_path / extract).open("rb") as opened:
        kinds = [record.rec_type for record in ArchiveIterator(opened, check_digests="raise")]
    assert kinds == ["warcinfo", *["response", "request"] * 3]
    shown = rows(thrice, "SELECT id FROM capture WHERE crawl_id = ? AND page_kind IS NOT NULL", second)
    assert [page["id"] for page in listed(file)] == [f"capture-{number}" for (number,) in shown]


def test_days_are_those_of_the_portal(wuhu: Wuhu, tmp_path: Path) -> None:
    """What is captured at 01:02:03 UTC on 23 November is of the 23rd in Shanghai, at 17:00 of the 24th."""
    folder = tmp_path / "archive"
    writer = archive(folder)
    for number, hour in enumerate((1, 15, 17), 1):
        sent = exchange(RECEIVED["plain"][0].replace(b"200", b"200"), url=f"http://www.example.cn/{number}")
        sent.received = sent.received + b"%d" % number
        sent.started_at = datetime.fromisoformat(f"2026-11-23T{hour:02}:02:03+00:00")
        writer.record(sent)
    writer.close(10, "shutdown", {})

    def packed(*days: str) -> list[str]:
        file = tmp_path / f"{'-'.join(days)}.wacz"
        assert wuhu("wacz", *days, "-o", str(file), folder=folder).code == 0
        assert wuhu("wacz", "verify", str(file)).out == "ok\n"
        return [json.loads(line.split(" ", 2)[2])["url"].rpartition("/")[2] for line in index(file)]

    assert packed("--from", "2026-11-23", "--to", "2026-11-23") == ["1", "2"]
    assert packed("--from", "2026-11-24") == ["3"]
    assert packed("--to", "2026-11-24") == ["1", "2", "3"]
    none = wuhu("wacz", "--to", "2020-01-01", "-o", str(tmp_path / "none.wacz"), folder=folder)
    assert none.code == 2 and "no captures of the beginning to 2020-01-01" in none.err
    assert not list(tmp_path.glob("none*"))


def test_what_is_being_written_goes_in_as_far_as_it_is_committed(wuhu: Wuhu, tmp_path: Path) -> None:
    writer = archive(tmp_path / "archive")
    writer.record(exchange(RECEIVED["plain"][0]))
    writer.commit()
    writer.record(exchange(RECEIVED["gzip"][0]))
    told = wuhu("wacz", "-o", str(tmp_path / "now.wacz"), folder=tmp_path / "archive")
    assert told.out.startswith(f"{tmp_path / 'now.wacz'}: 1 capture, 0 pages; 0 WARC files whole, 1 in part; ")
    assert wuhu("wacz", "verify", str(tmp_path / "now.wacz")).out == "ok\n"
    writer.commit()
    writer.close(10, "shutdown", {})


def test_an_index_of_many_lines_is_in_blocks(monkeypatch: pytest.MonkeyPatch, wuhu: Wuhu, thrice: Path, tmp_path: Path) -> None:
    monkeypatch.setattr("wuhu_crawler.wacz.pack.BLOCK_LINES", 5)
    assert wuhu("wacz", "-o", str(tmp_path / "all.wacz"), folder=thrice).code == 0
    packed = content(tmp_path / "all.wacz")
    lines = index(tmp_path / "all.wacz")
    meta, *blocks = packed["indexes/index.idx"].decode().splitlines()
    assert meta == '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'
    for number, block in enumerate(blocks):
        place = json.loads(block[block.index("{") :])
        data = packed["indexes/index.cdx.gz"][place["offset"] : place["offset"] + place["length"]]
        assert gzip.decompress(data).decode().splitlines() == lines[5 * number : 5 * number + 5]
        assert place["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert lines[5 * number].startswith(block.partition(" {")[0])
    assert len(blocks) == -(-len(lines) // 5)


def repack(file: Path, change: Callable[[dict[str, bytes]], Any], *, compress: bool = False) -> None:
    """Write a package anew with other content, its hashes as they were."""
    packed = content(file)
    change(packed)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as again:
        for name, data in packed.items():
            again.writestr(name, data)


def cut(packed: dict[str, bytes]) -> None:
    name = next(name for name in packed if name.startswith("archive/"))
    packed[name] = packed[name][:900] + packed[name][950:]


def forge(packed: dict[str, bytes]) -> None:
    """Point the index at other records, and make every hash right again."""
    lines = gzip.decompress(packed["indexes/index.cdx.gz"]).decode().replace("newsid=7", "newsid=5")
    packed["indexes/index.cdx.gz"] = gzip.compress(lines.encode())
    package = json.loads(packed["datapackage.json"])
    for each in package["resources"]:
        data = packed[each["path"]]
        each["hash"], each["bytes"] = f"sha256:{hashlib.sha256(data).hexdigest()}", len(data)
    packed["datapackage.json"] = json.dumps(package).encode()
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(packed['datapackage.json']).hexdigest()}"}
    packed["datapackage-digest.json"] = json.dumps(digest).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut, ["is not the file datapackage.json has the hash of", "is no record of"]),
        (forge, ["is no record of", "is not in the index"]),
        (lambda packed: packed.pop("indexes/index.cdx.gz"), ["index.cdx.gz is not in the package", "the index cannot be read"]),
        (lambda packed: packed.update({"archive/more.warc.gz": b""}), ["more.warc.gz is not in datapackage.json"]),
        (lambda packed: packed.update({"datapackage.json": b"{}"}), ["datapackage.json or its digest cannot be read"]),
        (lambda packed: packed.pop("datapackage-digest.json"), ["it has no datapackage-digest.json"]),
        (lambda packed: packed.update({"pages/pages.jsonl": b"no\n"}), ["is no JSON", "has 3 bytes"]),
    ],
    ids=["cut", "forged", "no index", "more", "empty package", "no digest", "pages"],
)
def test_what_is_wrong_with_a_package_is_found(
    wuhu: Wuhu, thrice: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], Any], words: list[str]
) -> None:
    file = tmp_path / "all.wacz"
    assert wuhu("wacz", "-o", str(file), folder=thrice).code == 0
    repack(file, change)
    told = wuhu("wacz", "verify", str(file))
    assert told.code == 4
    assert [each for each in words if each not in told.out] == [], told.out


def test_a_compressed_package_and_one_that_is_none(wuhu: Wuhu, thrice: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.wacz"
    assert wuhu("wacz", "-o", str(file), folder=thrice).code == 0
    repack(file, lambda packed: None, compress=True)
    assert "is compressed in the zip" in wuhu("wacz", "verify", str(file)).out
    file.write_bytes(b"no zip")
    told = wuhu("wacz", "verify", str(file))
    assert (told.code, told.out) == (2, "") and "is no WACZ file" in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say where to write"),
        (["--crawl", "none", "-o", "x.wacz"], "there is no crawl none"),
        (["--crawl", "c", "--from", "2026-01-01", "-o", "x.wacz"], "exclude each other"),
        (["--from", "yesterday", "-o", "x.wacz"], "yesterday"),
    ],
)
def test_wrong_questions(wuhu: Wuhu, thrice: Path, arguments: list[str], words: str) -> None:
    told = wuhu("wacz", *arguments, folder=thrice)
    assert (told.code, told.out) == (2, "") and words in told.err


def test_a_package_is_not_overwritten(wuhu: Wuhu, thrice: Path, tmp_path: Path) -> None:
    (tmp_path / "all.wacz").write_text("mine")
    told = wuhu("wacz", "-o", str(tmp_path / "all.wacz"), folder=thrice)
    assert told.code == 2 and "is there already" in told.err
    assert (tmp_path / "all.wacz").read_text() == "mine"


def test_indexes_are_made_again(wuhu: Wuhu, copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in (copy / "cdx").iterdir()}
    one, two, three = sorted((copy / "cdx").iterdir())
    one.unlink()
    two.write_text("wrong\n")
    told = wuhu("cdx", folder=copy)
    assert told.err == "1 index made, 2 were there\n"
    assert one.read_bytes() == before[one.name] and two.read_text() == "wrong\n"
    assert wuhu("cdx", "--again", folder=copy).err == "3 indexes made, 0 were there\n"
    assert {path.name: path.read_bytes() for path in (copy / "cdx").iterdir()} == before
    printed = wuhu("cdx", "--print", folder=copy).out.splitlines()
    assert printed == reference(*sorted((copy / "warc").iterdir())) == list(cdx.merged([one, two, three]))
