"""One run of a job: its process, its log file, and what its end means."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .jobs import WALKS
from .ledger import Ended

# What the exit codes of docs/operations.md mean to the schedule: status, whether it goes on, and a sentence.
_CODES: Mapping[int, Ended] = {
    0: Ended("done", None, 0, "done; nothing pending, nothing lost"),
    4: Ended("failed", None, 4, "a check found something: read the log"),
    5: Ended("stopped", None, 5, "the portal stopped us, or kept pages back; what is owed is asked for by the next walk"),
    10: Ended("interrupted", "now", 10, "interrupted"),
    11: Ended("storage", "due", 11, "no room on the disk: make some; it is gone on with when it is due again"),
    12: Ended("interrupted", None, 12, "another process has the archive open: it is tried again"),
    13: Ended("storage", "due", 13, "the archive could not be read or written: read the log"),
}


class Child:
    """A process at work; it has a session of its own, so that a signal to the daemon is not one to the job."""

    def __init__(self, argv: list[str], environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a command line of our own
                argv,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    def wait(self, seconds: float | None) -> int | None:
        """Return its exit code; None when it is still at work after so long."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask it to stop, in the way every command of ours and Scrapy's understands; it leaves what can be resumed."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)


def meaning(code: int, *, resumable: bool, bound: str | None = None, asked: bool = False) -> Ended:
    """Return what an exit code means. `bound` is what ended the run, `window` or `longest`; `asked`, that we asked it to stop.

    A job that cannot be gone on with is begun anew when it is due again.
    """
    if asked and code == -signal.SIGINT:
        code = 10  # it had not yet come so far as to hear us
    if code < 0:
        name = signal.Signals(-code).name if -code in {each.value for each in signal.Signals} else f"signal {-code}"
        return Ended("killed", "now" if resumable else None, code, f"killed ({name})")
    ended = _CODES.get(code) or Ended("failed", None, code, f"failed with exit code {code}: read the log")
    if bound is not None and code == 10:
        told = "its window closed" if bound == "window" else "it took longer than it may"
        ended = ended._replace(reason=told, goes_on="now" if bound == "window" else "due")
    return ended if resumable else ended._replace(goes_on=None)


def is_at_work(pid: int | None, argv: Sequence[str]) -> bool:
    """Tell whether the process of that number is the one that was started with that command line.

    The number alone will not do: the system gives it to another process, after a restart of the machine above all.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return False
    return [word.decode("utf-8", "surrogateescape") for word in words] == list(argv)


def is_resumable(do: str) -> bool:
    """Tell whether a job that did not come to its end can be gone on with; any other is begun anew when it is due again."""
    return do in WALKS or do == "verify"
