"""Reads a package as a replay tool would, and says what is wrong with it: hashes, index, records, pages."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..warc import cdx
from ..warc.records import sha1_digest
from .pages import HEADER

_PIECE = 1 << 20
_STORED = ("archive/", "indexes/index.cdx.gz")
_NEEDED = ("datapackage.json", "datapackage-digest.json", "pages/pages.jsonl")
_LOCAL = struct.Struct("<4s5H3I2H")


def problems(path: Path) -> Iterator[str]:
    """Yield what is wrong with the package at `path`, a sentence each. Raises UsageError for a file that is no zip, OSError."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UsageError(f"{path} is no WACZ file: {error}") from error
    with archive:
        names = set(archive.namelist())
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            yield f"it has no {', '.join(missing)}"
            return
        yield from _package_problems(archive)
        yield from (f"{info.filename} is compressed in the zip, so no record in it can be read by its offset"
                    for info in archive.infolist() if info.filename.startswith(_STORED) and info.compress_type)  # fmt: skip
        yield from _Index(path, archive).problems()


def _package_problems(archive: zipfile.ZipFile) -> Iterator[str]:
    raw = archive.read("datapackage.json")
    try:
        package, digest = json.loads(raw), json.loads(archive.read("datapackage-digest.json"))
        resources = {each["path"]: each for each in package["resources"]}
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        yield f"datapackage.json or its digest cannot be read: {error!r}"
        return
    if digest.get("hash") != f"sha256:{hashlib.sha256(raw).hexdigest()}":
        yield "datapackage.json is not what datapackage-digest.json says"
    if not str(package.get("wacz_version", "")).startswith("1."):
        yield f"wacz_version is {package.get('wacz_version')}, this program knows 1.x"
    names = {name for name in archive.namelist() if not name.startswith("datapackage") and not name.endswith("/")}
    yield from (f"{name} is not in datapackage.json" for name in sorted(names - resources.keys()))
    for name, told in sorted(resources.items()):
        yield from _resource_problems(archive, name, told) if name in names else [f"{name} is not in the package"]


def _resource_problems(archive: zipfile.ZipFile, name: str, told: dict[str, Any]) -> Iterator[str]:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        yield f"{name} is damaged: {error}"
        return
    if told.get("hash") != f"sha256:{digest.hexdigest()}":
        yield f"{name} is not the file datapackage.json has the hash of"
    if told.get("bytes") != size:
        yield f"{name} has {size} bytes, {told.get('bytes')} by datapackage.json"


class _Index:
    """The index and what it points at."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._places = {
            info.filename.removeprefix("archive/"): (_data_offset(path, info), info.file_size)
            for info in archive.infolist()
            if info.filename.startswith("archive/") and not info.compress_type
        }
        self._path = path
        self._seen: set[int] = set()

    def problems(self) -> Iterator[str]:
        """Yield what is wrong, in the index first and then in the pages."""
        before = ""
        revisits: list[tuple[str, str]] = []
        try:
            for text in self._lines():
                if text < before:
                    yield f"the index is not sorted at {text[:80]!r}"
                before = text
                yield from self._line_problems(text, revisits)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            yield f"the index cannot be read: {error}"
        lost = [url for url, when in revisits if not self._has(url, when)]
        yield from (f"the revisit of {url} has no original in the package" for url in lost)
        yield from self._page_problems()

    def _lines(self) -> Iterator[str]:
        names = self._archive.namelist()
        zipped = [name for name in names if name.startswith("indexes/") and name.endswith(".cdx.gz")]
        plain = [name for name in names if name.startswith("indexes/") and name.endswith((".cdxj", ".cdx"))]
        if not zipped and not plain:
            raise ValueError("there is none in indexes/")
        for name in (*zipped, *plain):
            with self._archive.open(name) as file:
                lines: Iterable[bytes] = gzip.GzipFile(fileobj=file) if name in zipped else file
                for line in lines:
                    yield line.decode("utf-8").rstrip("\n")

    def _line_problems(self, text: str, revisits: list[tuple[str, str]]) -> Iterator[str]:
        _, when, entry = text.split(" ", 2)
        told = json.loads(entry)
        url = told["url"]
        self._seen.add(hash((url, when)))
        place = self._places.get(told["filename"])
        if place is None:
            yield f"the index names {told['filename']}, which is not in archive/ as it is"
            return
        record = self._record(place, int(told["offset"]), int(told["length"]))
        head, _, block = record.partition(b"\r\n\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (
            line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n")[1:])}  # fmt: skip
        where = f"{told['filename']} at {told['offset']}"
        if headers.get("warc-target-uri", "").strip("<>") != url or cdx.timestamp(headers.get("warc-date", "")) != when:
            yield f"{where} is no record of {url} of {when}"
            return
        block = block[: int(headers.get("content-length", "0"))]
        digest = headers.get("warc-block-digest")
        if digest is not None and digest.startswith("sha1:") and digest != sha1_digest(block):
            yield f"{where}: the record of {url} is damaged"
        if headers.get("warc-type") == "revisit" and "warc-refers-to-date" in headers:
            original = headers.get("warc-refers-to-target-uri", url)
            revisits.append((original, cdx.timestamp(headers["warc-refers-to-date"])))

    def _record(self, place: tuple[int, int], offset: int, length: int) -> bytes:
        start, size = place
        if offset + length > size:
            return b""
        with self._path.open("rb") as file:
            file.seek(start + offset)
            raw = file.read(length)
        try:
            return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        except (OSError, EOFError, zlib.error):
            return b""

    def _page_problems(self) -> Iterator[str]:
        with self._archive.open("pages/pages.jsonl") as file:
            for number, line in enumerate(file, 1):
                try:
                    page = json.loads(line)
                except ValueError:
                    yield f"line {number} of pages.jsonl is no JSON"
                    continue
                if number == 1:
                    if page.get("format") != HEADER["format"]:
                        yield f"pages.jsonl does not begin with the format {HEADER['format']}"
                elif not self._has(page.get("url", ""), cdx.timestamp(page.get("ts", ""))):
                    yield f"the page {page.get('url')} of {page.get('ts')} is not in the index"

    def _has(self, url: str, when: str) -> bool:
        return hash((url, when)) in self._seen


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Return where a stored file's own bytes begin in the package."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        fields = _LOCAL.unpack(file.read(_LOCAL.size))
    return int(info.header_offset + _LOCAL.size + fields[-2] + fields[-1])
