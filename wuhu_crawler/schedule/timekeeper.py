"""The daemon's time: the true one, or one a simulation sets, which passes in the waits without anybody waiting."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from .. import clock


class Timekeeper:
    """The true time. `wake` ends a wait at once."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def now(self) -> datetime:
        """Return the time (aware, UTC)."""
        return clock.now()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until `wake` is called."""
        self._woken.wait(seconds)

    def wake(self) -> None:
        """End a wait, and those to come."""
        self._woken.set()

    def environment(self) -> dict[str, str]:
        """Return what a job's process must know to have the same time."""
        return {}


class Simulated(Timekeeper):
    """A time that begins at a moment, goes on with the true one, and jumps over every wait."""

    def __init__(self, begins: datetime) -> None:
        super().__init__()
        self._shift = begins - clock.now()

    def now(self) -> datetime:
        return clock.now() + self._shift

    def wait(self, seconds: float) -> None:
        self._shift += timedelta(seconds=seconds)

    def environment(self) -> dict[str, str]:
        return {clock.VARIABLE: self.now().isoformat()}
