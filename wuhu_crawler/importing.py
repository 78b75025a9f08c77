"""Taking in WARC files made by others: looked through, copied unchanged into warc/, and given to the archive's writer.

A file is known by its SHA-256, so the same one is taken in once. What cannot be kept as it is (one gzip stream over all its
records, in which none can be found by its offset) is compressed anew, record by record, and that is said.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from isal import igzip
from sqlalchemy import Connection, select
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from .captures import ANSWERS
from .db import models
from .db.engine import make_engine, require_current, revision
from .db.failures import translated
from .errors import UsageError
from .ingest import ArchiveWriter
from .paths import ArchivePaths, storage_errors
from .portals import Portal
from .warc import manifest
from .warc.reader import WarcError, iter_records, read_bytes

JOB = "import"
# A file of ours says itself what its crawl made of it, and a rebuild reads that; as one of others it would be read twice.
OURS = "wuhu_crawler/"
_PIECE = 1 << 20
_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_NEEDED = ("warc-record-id", "warc-date", "warc-target-uri")

Told = Callable[[str], None]


class Found(NamedTuple):
    """What a file holds, as warcio reads it: the program that wrote it, its records by type, digests that are wrong."""

    software: str
    records: Counter[str]
    wrong_digests: int
    whole_gzip: bool


class Imported(NamedTuple):
    """What taking in a file brought: its name in warc/, its crawl, counts, and what there is to say of it."""

    file: str
    crawl_id: str
    sha256: str
    software: str
    captures: int
    pages: int
    notes: list[str]


def take_in(paths: ArchivePaths, portal: Portal, source: Path, told: Told = lambda _: None) -> Imported:
    """Take one file into the archive. Raises UsageError (not a WARC file, known), ArchiveInUse, OutOfSpace, StorageError."""
    with storage_errors(f"reading {source}"):
        if not source.is_file():
            raise UsageError(f"there is no file {source}")
        original = manifest.sha256_of(source)
        crawl_id = _unfinished(paths, original)
        told(f"looking through {source}")
        found = look_through(source)
        if found.software.startswith(OURS):
            raise UsageError(f"{source} was written by this program: put it into {paths.warc} and run `wuhu rebuild`")
    settings = {"file": source.name, "sha256": original, "software": found.software}
    writer = ArchiveWriter.open(
        paths, portal, job=JOB, crawl_id=crawl_id, settings=settings, operator=None, argv=sys.orig_argv[1:]
    )
    try:
        with storage_errors(f"taking in {source}"):
            told(f"copying {source}")
            name = _put(paths, writer.crawl_id, source, original, whole_gzip=found.whole_gzip)
            sha256 = manifest.sha256_of(paths.warc / name)
            told(f"reading {source} into the database")
            fields = [("sha256", sha256), ("original-sha256", original), ("original-name", source.name)]
            counts = writer.adopt(name, [*fields, ("software", found.software)])
    except BaseException:
        writer.close(10, "interrupted", {})
        raise
    writer.close(0, "finished", dict(counts))
    return Imported(name, writer.crawl_id, sha256, found.software, counts["captures"], counts["pages"], _notes(found, name))


def look_through(path: Path) -> Found:
    """Return what a file holds. Raises UsageError for one that is no WARC file, or not whole; OSError."""
    try:
        found = _by_warcio(path)
        if not found.whole_gzip:
            _by_us(path)
    except ArchiveLoadFailed as error:
        raise UsageError(f"{path} is no WARC file: {str(error).strip().splitlines()[0]}") from error
    except WarcError as error:
        raise UsageError(f"{path} cannot be taken in: at {error.offset}: {error.reason}") from error
    if not found.records.keys() & ANSWERS:
        raise UsageError(f"{path} holds no answer of a server, so there is nothing to take in")
    return found


def _by_warcio(path: Path) -> Found:
    software, records, wrong = "unknown", Counter[str](), 0
    whole_gzip = _is_whole_gzip(path)
    with gzip.open(path, "rb") if whole_gzip else path.open("rb") as file:
        for record in ArchiveIterator(file, check_digests=True):
            if record.format == "arc":
                raise UsageError(f"{path} is an ARC file: make a WARC file of it first (`warcio recompress` does)")
            body = b""
            while piece := record.raw_stream.read(_PIECE):
                body = piece if record.rec_type == "warcinfo" else b""
            wrong += record.digest_checker is not None and record.digest_checker.passed is False
            if record.rec_type == "warcinfo" and software == "unknown":
                software = _software(body)
            records[record.rec_type] += 1
    return Found(software, records, wrong, whole_gzip)


def _by_us(path: Path) -> None:
    """Raise WarcError where our own reader, which has to find every record again, cannot read on."""
    for record in iter_records(path):
        if record.type in ANSWERS and (missing := [name for name in _NEEDED if name not in record.headers]):
            raise WarcError(path, record.offset, f"an answer without {', '.join(missing)}")


def _is_whole_gzip(path: Path) -> bool:
    """Tell whether one gzip stream goes over several records."""
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return False
    try:
        first = read_bytes(path, 0)
    except WarcError:
        return False
    head, _, rest = first.partition(b"\r\n\r\n")
    size = re.search(rb"\r\ncontent-length:[ \t]*(\d+)", head, re.IGNORECASE)
    return size is not None and rest[int(size[1]) :].strip(b"\r\n").startswith(b"WARC/")


def _software(block: bytes) -> str:
    found = re.search(rb"^software:[ \t]*(.+?)[ \t]*\r?$", block, re.MULTILINE)
    return found[1].decode("utf-8", "replace")[:200] if found else "unknown"


def _unfinished(paths: ArchivePaths, sha256: str) -> str | None:
    """Return the crawl of an import of this very file that was broken off, None when it was never begun.

    Raises UsageError when it was finished.
    """
    if revision(paths.database_url) is None:
        return None
    require_current(paths.database_url)
    with _reading(paths) as connection:
        crawl = models.crawl.c
        rows = connection.execute(select(crawl.id, crawl.status, crawl.settings).where(crawl.job == JOB)).all()
        known = models.warc_file.c
        owned = connection.execute(select(known.name).where(known.sha256 == sha256, known.software.is_(None))).scalar()
    if owned is not None:
        raise UsageError(f"this is the archive's own file {owned}")
    same = [row for row in rows if row.settings.get("sha256") == sha256]
    done = next((row.id for row in same if row.status == "finished"), None)
    if done is not None:
        raise UsageError(f"this file was taken in before, as crawl {done}; the same bytes are taken in once")
    return same[-1].id if same else None


def _put(paths: ArchivePaths, crawl_id: str, source: Path, sha256: str, *, whole_gzip: bool) -> str:
    """Copy the file into warc/, read-only, with its hash in the manifest first, and return its name there."""
    name = _free_name(paths, crawl_id, source.name, None if whole_gzip else sha256)
    target = paths.warc / name
    if target.exists():
        return name
    part = target.with_name(f"{name}.part")
    with part.open("wb") as file:
        for piece in _recompressed(source) if whole_gzip else _pieces(source):
            file.write(piece)
    kept = manifest.sha256_of(part)
    if not whole_gzip and kept != sha256:
        raise OSError(f"what was copied to {part} is not what was read")
    manifest.add(paths.manifest, {name: kept})
    part.chmod(0o444)
    part.rename(target)
    return name


def _free_name(paths: ArchivePaths, crawl_id: str, name: str, sha256: str | None) -> str:
    """Return the file's own name, or one with the crawl before it if another file has that."""
    safe = _NAME.sub("_", name)
    if not safe.endswith((".warc", ".warc.gz")):
        safe += ".warc"
    listed = manifest.read(paths.manifest)
    taken = (paths.warc / safe).exists() or (paths.warc / f"{safe}.open").exists() or safe in listed
    return f"{crawl_id}-{safe}" if taken and (sha256 is None or listed.get(safe) != sha256) else safe


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _recompressed(source: Path) -> Iterator[bytes]:
    """Yield each record of one gzip stream as a member of its own; the records' bytes stay as they are."""
    with tempfile.NamedTemporaryFile() as plain:
        with gzip.open(source, "rb") as file:
            shutil.copyfileobj(file, plain)
        plain.flush()
        path = Path(plain.name)
        for record in iter_records(path):
            yield igzip.compress(read_bytes(path, record.offset), 2, mtime=0)


def _notes(found: Found, name: str) -> list[str]:
    notes = []
    if found.whole_gzip:
        notes.append(f"its records were one gzip stream; {name} has each by itself, with the same bytes")
    if found.wrong_digests:
        notes.append(f"{found.wrong_digests} of its records do not have the digest they say; they are kept as they are")
    return notes


@contextmanager
def _reading(paths: ArchivePaths) -> Iterator[Connection]:
    engine = make_engine(paths.database_url, readonly=True)
    try:
        with translated(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
