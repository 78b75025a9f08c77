"""Where an archive lies, and who may write to it: its folders and the writer's lock. Knows errors only."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from .errors import ArchiveInUse, OutOfSpace, StorageError

_TRIES, _PAUSE = 4, 0.05
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# What `wuhu backup` knows of a copy it made; beside it nothing else is written into such a folder.
BACKUP_FACTS = "backup.json"


@dataclass(frozen=True, slots=True)
class ArchivePaths:
    """Where an archive lies: `root` holds everything, `database_url` may point elsewhere."""

    root: Path
    database_url: str

    @classmethod
    def of(cls, root: str | Path, database_url: str | None = None) -> ArchivePaths:
        """Return the paths of the archive in `root`, with its database inside unless another URL is given."""
        folder = Path(root)
        return cls(folder, database_url or f"sqlite:///{folder / 'archive.db'}")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> ArchivePaths:
        """Return the paths WUHU_DATA_DIR (default `data`) and WUHU_DATABASE_URL name."""
        return cls.of(environ.get("WUHU_DATA_DIR") or "data", environ.get("WUHU_DATABASE_URL") or None)

    @property
    def warc(self) -> Path:
        """The flat folder of WARC files."""
        return self.root / "warc"

    def warc_file(self, name: str) -> Path:
        """Where the WARC file of that name lies now: `.open` is added while it is written, or was when its writer died."""
        path = self.warc / name
        opened = self.warc / f"{name}.open"
        return opened if opened.exists() and not path.exists() else path

    @property
    def cdx(self) -> Path:
        """The folder of CDXJ indexes, one a WARC file."""
        return self.root / "cdx"

    @property
    def manifest(self) -> Path:
        """The BagIt-style list of the WARC files' hashes, as `sha256sum -c` reads it in `root`."""
        return self.root / "manifest-sha256.txt"

    @property
    def is_backup(self) -> bool:
        """Whether this is a copy made by `wuhu backup`."""
        return (self.root / BACKUP_FACTS).exists()

    @property
    def quarantine(self) -> Path:
        """Where torn tails of WARC files go."""
        return self.root / "quarantine"

    @property
    def logs(self) -> Path:
        """Where the log files of scheduled runs go."""
        return self.root / "logs"

    @property
    def reports(self) -> Path:
        """Where crawl reports go."""
        return self.root / "reports"


class ArchiveLock:
    """The writer's lock on an archive: an flock the kernel drops when its holder dies, with the holder's PID as content.

    `name` and `what` are of another lock of the same kind, on another file in the folder.
    """

    def __init__(self, folder: Path, name: str = "archive.lock", what: str = "archive") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
        if not self._taken():
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise ArchiveInUse(f"the {what} {folder} is in use by process {holder}; wait for it to end or stop it")
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def _taken(self) -> bool:
        """Try to take the lock, more than once: whoever asks for its holder has it for a moment."""
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sleep(_PAUSE)
            else:
                return True
        return False

    @staticmethod
    def holder(folder: Path) -> int | None:
        """Return the PID of the process that is writing to the archive in `folder`, None when there is none. Takes no lock."""
        try:
            fd = os.open(folder / "archive.lock", os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            words = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            return int(words) if words.isdigit() else 0
        finally:
            os.close(fd)
        return None

    def release(self) -> None:
        """Give the lock back; the file stays, empty."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn a system error into OutOfSpace or StorageError with a sentence; `doing` begins it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace(
                f"no space left while {doing}: free some and try again (a crawl is resumed with -a resume=last)"
            ) from error
        raise StorageError(f"{doing} failed: {error}") from error
