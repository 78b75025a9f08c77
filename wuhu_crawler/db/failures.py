"""What a failing driver or system call means to the user: out of space, locked, or any other storage error."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from ..errors import OutOfSpace, StorageError, WuhuError

BUSY_SECONDS = 10

# SQLite's and PostgreSQL's ways of saying that the disk is full; the shared-memory file of WAL has its own.
FULL = {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMMAP", "53100"}
# PostgreSQL is shut down or starts, has too many connections, or does not know who we are or what we ask for.
AWAY = {"57P01", "57P02", "57P03", "53300", "28000", "28P01", "3D000"}
# What stands on a table that is to be changed: a view of the user's own.
DEPENDED_ON = "2BP01"
FORBIDDEN = "42501"
BUSY = {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_TIMEOUT", "SQLITE_LOCKED", "55P03"}


@contextmanager
def translated() -> Iterator[None]:
    """Turn a database error into OutOfSpace or StorageError with a sentence."""
    try:
        yield
    except BrokenPipeError:  # the reader of our output has gone, which is no affair of the database
        raise
    except (DBAPIError, OSError) as error:
        raise translate(error) from error


def translate(error: DBAPIError | OSError) -> WuhuError:
    """Return the error of ours that a driver's or the system's error means."""
    code = _code(error)
    if isinstance(error, DBAPIError) and (code == "unknown" or code in AWAY or code[:2] == "08"):
        return _unreachable(error)
    if code in FULL or (code == "SQLITE_IOERR_WRITE" and _limited()):
        return OutOfSpace("no room left for the database: make room and resume; nothing of this batch was stored in it")
    if code in BUSY:
        return StorageError(f"another process kept the database locked for {BUSY_SECONDS} seconds: close it and resume")
    cause = _words(error.orig if isinstance(error, DBAPIError) else error)
    if code == FORBIDDEN:
        return StorageError(
            f"this account of the database server may not do that: {cause}; use the owner's, or have it granted"
        )
    if code == DEPENDED_ON:
        return StorageError(
            f"something of yours stands on a table or view of the archive ({cause}): drop it first, make it again after"
        )
    return StorageError(f"the database could not be read or written: {cause} ({code}); run `wuhu db check`")


def _unreachable(error: DBAPIError) -> WuhuError:
    """What a server that was not reached means, or that has gone away; SQLite has none, and always says what is the matter."""
    cause = _words(error.orig)
    if type(error.orig).__module__.startswith("psycopg") and isinstance(error, OperationalError):
        return StorageError(f"the database server is not to be had: {cause}; see to it, or to WUHU_DATABASE_URL, and resume")
    return StorageError(f"the database could not be read or written: {cause}; run `wuhu db check`")


def _words(cause: object) -> str:
    """Return what a driver says in one line: of PostgreSQL's the message and its detail, without the place and the hint."""
    told = getattr(cause, "diag", None)
    lines = [told.message_primary, told.message_detail] if told is not None and told.message_primary else [str(cause)]
    return ": ".join(" ".join(line.split()).rstrip(".?") for line in lines if line)


def _limited() -> bool:
    """Tell whether files of this process may only grow so far: a write beyond that is what SQLite calls an I/O error."""
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY


def _code(error: DBAPIError | OSError) -> str:
    if isinstance(error, OSError):
        return "SQLITE_FULL" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "OS error"
    return str(getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or "unknown")
