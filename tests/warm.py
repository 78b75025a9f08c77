"""Programs started from an interpreter that has already loaded what they load; also that interpreter itself, as a script.

Three quarters of what a short crawl costs is Python loading Scrapy, Twisted, SQLAlchemy and us. One process loads them once,
and each program is a fork of it: a process of its own, with its own arguments, environment, folder, signals and exit code,
which runs the very script a user calls. What reads the environment or makes a reactor when loaded must not be loaded before.
With COLD_STARTS=1 every program starts from nothing, as a user's does; those that tests start by `subprocess` always do.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
# Of ours all that a crawl loads, of others what is loaded by name while a crawl or a command begins.
LOADED = """
wuhu_crawler.archive wuhu_crawler.commands.crawl wuhu_crawler.db.migrating wuhu_crawler.extensions wuhu_crawler.handlers
wuhu_crawler.pipelines wuhu_crawler.politeness wuhu_crawler.rebuild wuhu_crawler.spiders wuhu_crawler.verify
alembic.command alembic.config alembic.ddl.sqlite certifi encodings.gb18030 encodings.idna rich.console rich.table
scrapy.cmdline scrapy.commands.bench scrapy.commands.fetch scrapy.commands.parse scrapy.commands.shell
scrapy.core.downloader scrapy.core.engine scrapy.core.scheduler scrapy.core.scraper
scrapy.downloadermiddlewares.defaultheaders scrapy.downloadermiddlewares.downloadtimeout
scrapy.downloadermiddlewares.useragent scrapy.dupefilters scrapy.extensions.closespider scrapy.extensions.feedexport
scrapy.logformatter scrapy.pqueues scrapy.squeues scrapy.statscollectors sqlalchemy.dialects.sqlite surt twisted.web.client
uvloop
""".split()
NEVER = ("wuhu_crawler.settings", "twisted.internet.reactor")


# --- the tests' side --------------------------------------------------------------------------------------------------------


def run(
    command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, timeout: float = 60, told: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a script of this environment, or `python -c CODE`, to its end, with `told` on its standard input.

    Raises TimeoutError, and kills the program, when it takes longer than `timeout` seconds.
    """
    env = os.environ if env is None else env
    if is_cold(env):
        return subprocess.run(command, cwd=cwd, env=env, input=told, capture_output=True, timeout=timeout, check=False)
    with tempfile.TemporaryFile() as stdin, ThreadPoolExecutor(2) as reading:
        stdin.write(told)
        stdin.seek(0)
        pipes = [os.pipe(), os.pipe()]
        written = [reading.submit(_read, end) for end, _ in pipes]
        code = _end_of(command, cwd, env, [os.dup(stdin.fileno()), *(end for _, end in pipes)], timeout)
        return subprocess.CompletedProcess(command, code, *(each.result() for each in written))


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as pipe:
        return pipe.read()


def text(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program as `run` does, and return what it wrote as text."""
    ended = run(command, **options)
    return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def is_cold(env: Mapping[str, str]) -> bool:
    """Tell whether a program must start from nothing: so it was asked for, it is to have another Python, or is measured."""
    asked_for, measured = os.environ.get("COLD_STARTS"), "COVERAGE_PROCESS_CONFIG" in env
    return bool(asked_for or measured) or _python(env) != _python(os.environ)


def _python(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith("PYTHON") and name != "PYTHONPATH"}


def _end_of(command: Sequence[str], cwd: Path, env: Mapping[str, str], streams: list[int], timeout: float) -> int:
    """Return the exit code of a program, below zero the number of the signal that ended it; closes the streams."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    order = json.dumps({"command": list(command), "cwd": str(cwd), "env": dict(env)}).encode()
    with ours:
        with theirs, _STARTING:
            socket.send_fds(_interpreter(), [order], [theirs.fileno(), *streams])
        for stream in streams:
            os.close(stream)
        pid = _number(ours)  # the first waits until everything is loaded
        ours.settimeout(timeout)
        try:
            return _number(ours)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise


def _number(channel: socket.socket) -> int:
    told = channel.recv(16)
    assert told, "the interpreter that starts the programs has gone"
    return int(told)


_STARTING = threading.Lock()


@cache
def _interpreter() -> socket.socket:
    """Start the interpreter and return the way to it; it ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {name: value for name, value in os.environ.items() if not name.startswith("WUHU_")}  # each program has its own
    command = [sys.executable, __file__, str(theirs.fileno())]
    with theirs:
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=env, cwd=ROOT)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# --- the interpreter --------------------------------------------------------------------------------------------------------


class Order(NamedTuple):
    """What a fork is to become."""

    command: list[str]
    cwd: str
    env: dict[str, str]
    streams: list[int]


def main(channel: socket.socket) -> None:
    """Load everything, then fork for every order; a fork goes on as the program ordered."""
    for name in LOADED:
        room = import_module(name)
        if name.startswith("wuhu_crawler.") and hasattr(room, "__path__"):
            for file in Path(room.__path__[0]).glob("[a-z]*.py"):
                import_module(f"{name}.{file.stem}")
    assert not [name for name in NEVER if name in sys.modules]
    gc.collect()
    gc.freeze()
    order = _serve(channel)
    if order is not None:
        _become(order)


def _serve(channel: socket.socket) -> Order | None:
    """Return an order in the fork that shall carry it out, None when there will be no more."""
    running: dict[int, tuple[int, socket.socket]] = {}
    selector = selectors.PollSelector()
    selector.register(channel, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fd in running:
                selector.unregister(key.fd)
                _bury(key.fd, *running.pop(key.fd))
                continue
            message, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 4)
            if not message:
                return None
            reply, streams = socket.socket(fileno=descriptors[0]), descriptors[1:]
            pid = os.fork()
            if pid == 0:
                for other in (channel, reply, *(other for _, other in running.values())):
                    other.close()
                for watch in running:
                    os.close(watch)
                return Order(**json.loads(message), streams=streams)
            for stream in streams:
                os.close(stream)
            reply.send(str(pid).encode())
            watch = os.pidfd_open(pid)
            running[watch] = pid, reply
            selector.register(watch, selectors.EVENT_READ)


def _bury(watch: int, pid: int, reply: socket.socket) -> None:
    """Tell how a program has ended."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(watch)
    with reply, contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        reply.send(str(code).encode())


def _become(order: Order) -> None:
    """Be the program from here on."""
    for descriptor, stream in enumerate(order.streams):
        os.dup2(stream, descriptor)
        os.close(stream)
    os.chdir(order.cwd)
    os.environ.clear()
    os.environ.update(order.env)
    time.tzset()
    warnings.filterwarnings("error", category=DeprecationWarning, module=r"wuhu_crawler(\.|$)")
    sys.path[1:1] = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder not in ("", *sys.path)]
    command = order.command
    sys.orig_argv = [*command] if command[0] == sys.executable else [sys.executable, *command]
    if command[:2] == [sys.executable, "-c"]:
        sys.path[0], sys.argv = "", command[1:2] + command[3:]
        exec(compile(command[2], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - what `python -c` does
    else:
        sys.path[0], sys.argv = str(Path(command[0]).parent), command
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
