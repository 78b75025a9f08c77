"""The manifest beside the WARC files: `manifest-sha256.txt`, lines `HASH  warc/NAME` as in BagIt (RFC 8493, 2.1.3).

`sha256sum -c manifest-sha256.txt` in the archive's folder checks it without a program of ours.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

NAME = "manifest-sha256.txt"
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *]warc/([^/\n]+)")


class ManifestError(ValueError):
    """The manifest cannot be read: the message says which line."""


def read(path: Path) -> dict[str, str]:
    """Return file name -> SHA-256 in lower-case hex; nothing when there is no manifest. Raises ManifestError, OSError."""
    entries: dict[str, str] = {}
    if not path.exists():
        return entries
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        found = _LINE.fullmatch(text)
        if found is None:
            raise ManifestError(f"{path}: line {number} is no `HASH  warc/NAME` but {text[:80]!r}")
        if entries.setdefault(found[2], found[1].lower()) != found[1].lower():
            raise ManifestError(f"{path}: line {number} gives warc/{found[2]} a second hash")
    return entries


def add(path: Path, entries: Mapping[str, str]) -> None:
    """Add file name -> SHA-256, replacing the manifest whole or not at all. Raises ManifestError, OSError."""
    write(path, {**read(path), **entries})


def write(path: Path, entries: Mapping[str, str]) -> None:
    """Write a manifest of these entries, by name, whole or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.writelines(f"{digest}  warc/{name}\n" for name, digest in sorted(entries.items()))
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def closed_files(folder: Path) -> Iterable[Path]:
    """Return the WARC files in a folder that are not written any more, by name; of others' also those without compression."""
    return sorted([*folder.glob("*.warc.gz"), *folder.glob("*.warc")])
