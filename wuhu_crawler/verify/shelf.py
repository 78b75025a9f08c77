"""The shelf: which WARC files there are, which the manifest and the database say there are, and whether they agree.

Cheap, so it is looked at in every check, a sample too. While a crawl is writing, a file may be closed between two looks; what
is found is therefore looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from ..db import models
from ..paths import ArchivePaths
from ..warc import manifest
from ..warc.cdx import index_name
from .findings import Finding

_known = models.warc_file.c


class Held(NamedTuple):
    """A WARC file as the database knows it; `software` is set for a file of others. `committed` counts bytes."""

    name: str
    crawl_id: str
    committed: int
    size: int | None
    sha256: str | None
    software: str | None
    checked_at: datetime | None


def held(connection: Connection) -> list[Held]:
    """Return every WARC file the database knows, in order of serial."""
    columns = (getattr(_known, name) for name in Held._fields)
    return [Held(*row) for row in connection.execute(select(*columns).order_by(_known.serial, _known.name))]


def closed_names(paths: ArchivePaths) -> set[str]:
    """Return the names of the files in warc/ that are not being written."""
    return {path.name for path in manifest.closed_files(paths.warc)}


def findings(paths: ArchivePaths, files: list[Held]) -> Iterator[Finding]:
    """Yield where files, manifest and database disagree. Raises OSError."""
    listed: dict[str, str] = {}
    try:
        listed = manifest.read(paths.manifest)
    except manifest.ManifestError as error:
        yield Finding("manifest", str(error).partition(": ")[2], paths.manifest.name)
    else:
        yield from _manifest_findings(listed, files)
    names = {file.name for file in files}
    for file in files:
        yield from _file_findings(paths, file)
    for name in sorted(listed.keys() - names):
        where = "" if (paths.warc / name).exists() else ", nor is there such a file"
        kind = "unknown-file" if not where else "missing-file"
        yield Finding(kind, f"in the manifest, but not in the database{where}", name)
    for name in sorted(closed_names(paths) - names - listed.keys()):
        yield Finding("unknown-file", "neither the manifest nor the database knows this file", name)


def _manifest_findings(listed: dict[str, str], files: list[Held]) -> Iterator[Finding]:
    for file in files:
        if file.sha256 is None:
            continue
        if file.name not in listed:
            yield Finding(
                "manifest", f"{file.name} is not in the manifest; the database has {file.sha256}", "manifest-sha256.txt"
            )
        elif listed[file.name] != file.sha256:
            text = f"{file.name} is {listed[file.name]} in the manifest, {file.sha256} in the database"
            yield Finding("manifest", text, "manifest-sha256.txt")


def _file_findings(paths: ArchivePaths, file: Held) -> Iterator[Finding]:
    path = paths.warc_file(file.name)
    if not path.exists():
        yield Finding("missing-file", "the database knows this file, but it is not there", file.name)
        return
    yield from _size_findings(path, file)
    if not _is_open(path):
        if file.sha256 is None:
            yield Finding("hash", "this file was closed but its hash never kept; the next crawl does so", file.name)
        if not (paths.cdx / index_name(file.name)).exists():
            yield Finding("index", "it has no index; `wuhu cdx` makes it", f"cdx/{index_name(file.name)}")


def _size_findings(path: Path, file: Held) -> Iterator[Finding]:
    size = path.stat().st_size
    if _is_open(path):
        if size < file.committed:
            yield Finding("size", f"{size} bytes are there, {file.committed} were committed", file.name, size)
    elif file.size is not None and size != file.size:
        yield Finding("size", f"{size} bytes are there, {file.size} when it was closed", file.name, min(size, file.size))


def _is_open(path: Path) -> bool:
    return path.name.endswith(".open")
