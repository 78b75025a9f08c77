"""Writes a package: WARC files as they are, or the records wanted of them, with index, pages and hashes, in one pass.

Streaming: a file of any size goes through a piece at a time, the lines of the index are sorted on disk. WARC files and index
are stored uncompressed in the zip, so that a browser reads one record of a remote file by its range (WACZ 1.1.1, 5.1).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, select

from .. import __version__, clock
from ..db import models
from ..db.engine import make_engine
from ..db.failures import translated
from ..errors import UsageError
from ..foreign import asks
from ..paths import ArchivePaths, storage_errors
from ..warc import cdx
from ..warc.reader import Record, WarcError, read_record
from . import pages
from .choice import Choice, Chosen, Part

VERSION = "1.1.1"
_PIECE = 1 << 20
# Lines of the index in one gzip block: what a browser fetches to find one URL.
BLOCK_LINES = 1024
_LARGE = 1 << 31

Told = Callable[[str], None]


@dataclass(slots=True)
class Packed:
    """What went into a package: captures chosen, pages listed, WARC files whole and in part, and its size in bytes."""

    captures: int = 0
    pages: int = 0
    whole: int = 0
    parts: int = 0
    bytes: int = 0


def pack(paths: ArchivePaths, target: Path, choice: Choice, told: Told = lambda _: None) -> Packed:
    """Write the package `target`, whole or not at all. Raises UsageError, OutOfSpace, StorageError, WarcError."""
    if target.exists():
        raise UsageError(f"{target} is there already: choose another name or move it away")
    engine = make_engine(paths.database_url, readonly=True)
    part = target.with_name(f"{target.name}.part")
    try:
        with storage_errors(f"writing {target}"), translated(), engine.connect() as connection:
            target.parent.mkdir(parents=True, exist_ok=True)
            done = _Packing(paths, connection, choice, part, told).run()
            done.bytes = part.stat().st_size
            part.rename(target)
        return done
    finally:
        part.unlink(missing_ok=True)
        engine.dispose()


@dataclass(slots=True)
class _Packing:
    """One package under way."""

    paths: ArchivePaths
    connection: Connection
    choice: Choice
    target: Path
    told: Told
    done: Packed = field(default_factory=Packed)
    resources: list[dict[str, Any]] = field(default_factory=list)
    lines: cdx.SortedLines = field(default_factory=cdx.SortedLines)
    first_page: dict[str, Any] | None = None

    def run(self) -> Packed:
        """Write everything."""
        chosen = Chosen(self.connection, self.choice)
        self.done.captures = chosen.count
        with zipfile.ZipFile(self.target, "w", allowZip64=True) as archive:
            for part in chosen.parts():
                self.told(f"packing {part.name}" + ("" if part.offsets is None else f", {len(part.offsets)} captures of it"))
                self._write_part(archive, part)
            self.told("writing pages and index")
            self._write_pages(archive, chosen)
            self._write_index(archive)
            self._write_datapackage(archive)
        return self.done

    def _write_part(self, archive: zipfile.ZipFile, part: Part) -> None:
        path = self.paths.warc_file(part.name)
        if part.offsets is None:
            self.done.whole += 1
            entry = self._entry(archive, f"archive/{part.name}", size=path.stat().st_size)
            with entry, path.open("rb") as file:
                while piece := file.read(_PIECE):
                    entry.write(piece)
            self._take_index(path, part.name)
        else:
            self.done.parts += 1
            stem, dot, suffix = part.name.partition(".warc")
            name = f"{stem}-extract{dot}{suffix}"
            with self._entry(archive, f"archive/{name}", size=path.stat().st_size) as entry:
                self._extract(path, name, part.offsets, entry)

    def _take_index(self, path: Path, name: str) -> None:
        index = self.paths.cdx / cdx.index_name(name)
        if not index.exists():
            cdx.write_index(path, name, index)
        for line in cdx.merged([index]):
            self.lines.add(line)

    def _extract(self, path: Path, name: str, offsets: list[int], entry: _Entry) -> None:
        """Copy the file's head and the records wanted, each with its request, as the bytes they are."""
        position = 0
        with path.open("rb") as file:
            for record in _wanted(path, offsets):
                file.seek(record.offset)
                entry.write(file.read(record.length))
                line = cdx.record_line(record._replace(offset=position), name)
                if line is not None:
                    self.lines.add(line)
                position += record.length

    def _write_pages(self, archive: zipfile.ZipFile, chosen: Chosen) -> None:
        with self._entry(archive, "pages/pages.jsonl", compress=True) as entry:
            for number, line in enumerate(pages.lines(self.connection, chosen, self.paths)):
                entry.write(f"{line}\n".encode())
                if number == 1:
                    self.first_page = json.loads(line)
                self.done.pages += number > 0

    def _write_index(self, archive: zipfile.ZipFile) -> None:
        name, blocks = "index.cdx.gz", [f"!meta 0 {json.dumps({'format': 'cdxj-gzip-1.0', 'filename': 'index.cdx.gz'})}\n"]
        position = 0
        with self._entry(archive, f"indexes/{name}") as entry:
            for block in _blocks(iter(self.lines)):
                data = gzip.compress("".join(block).encode(), mtime=0)
                entry.write(data)
                place = {"offset": position, "length": len(data), "digest": f"sha256:{hashlib.sha256(data).hexdigest()}"}
                key = block[0].partition("{")[0].strip()
                blocks.append(f"{key} {json.dumps({**place, 'filename': name})}\n")
                position += len(data)
        with self._entry(archive, "indexes/index.idx", compress=True) as entry:
            entry.write("".join(blocks).encode())

    def _write_datapackage(self, archive: zipfile.ZipFile) -> None:
        titles = list(self.connection.execute(select(models.portal.c.title).order_by(models.portal.c.name)).scalars())
        now = clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        facts = {
            "profile": "data-package",
            "wacz_version": VERSION,
            "software": f"wuhu_crawler/{__version__}",
            "created": now,
            "title": "、".join(title for title in titles if title) or "collection",
            "description": f"{self.choice}: {self.done.captures} captures",
            **self._main_page(),
            "resources": self.resources,
        }
        data = json.dumps(facts, ensure_ascii=False, indent=2).encode()
        archive.writestr(_info("datapackage.json", compress=True), data)
        digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
        archive.writestr(_info("datapackage-digest.json", compress=True), json.dumps(digest, indent=2).encode())

    def _main_page(self) -> dict[str, str]:
        page = self.first_page
        return {} if page is None else {"mainPageUrl": page["url"], "mainPageDate": page["ts"]}

    def _entry(self, archive: zipfile.ZipFile, path: str, *, size: int = 0, compress: bool = False) -> _Entry:
        return _Entry(archive, path, self.resources, size=size, compress=compress)


class _Entry:
    """One file of the package while it is written; its hash and size become a resource of the package."""

    def __init__(
        self, archive: zipfile.ZipFile, path: str, resources: list[dict[str, Any]], *, size: int, compress: bool
    ) -> None:
        self._path = path
        self._resources = resources
        self._hash = hashlib.sha256()
        self._size = 0
        info = _info(path, compress=compress)
        self._file: IO[bytes] = archive.open(info, "w", force_zip64=size >= _LARGE)

    def __enter__(self) -> _Entry:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()
        name = self._path.rpartition("/")[2]
        told = {"name": name, "path": self._path, "hash": f"sha256:{self._hash.hexdigest()}", "bytes": self._size}
        self._resources.append(told)

    def write(self, data: bytes) -> None:
        """Write the next bytes."""
        self._file.write(data)
        self._hash.update(data)
        self._size += len(data)


def _info(path: str, *, compress: bool) -> zipfile.ZipInfo:
    now = clock.now()
    info = zipfile.ZipInfo(path, (now.year, now.month, now.day, now.hour, now.minute, now.second))
    info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    return info


def _wanted(path: Path, offsets: list[int]) -> Iterator[Record]:
    """Yield the first record of a file, then those at the offsets with the requests behind them."""
    head = read_record(path, 0)
    if head.type == "warcinfo":
        yield head
    size = path.stat().st_size
    for offset in offsets:
        answer = read_record(path, offset)
        yield answer
        if answer.offset + answer.length < size:
            try:
                behind = read_record(path, answer.offset + answer.length)
            except WarcError:
                continue  # the end of a file that is being written
            if asks(behind, answer):
                yield behind


def _blocks(lines: Iterator[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        block.append(line)
        if len(block) == BLOCK_LINES:
            yield block
            block = []
    if block:
        yield block
