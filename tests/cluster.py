"""A PostgreSQL cluster of the tests' own: made in a temporary folder, reached by a socket in it, gone with the tests.

It is started from Debian's package (`make test-postgres` installs it), and never is one that runs on the machine.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

LACKING = (
    "PostgreSQL's server programs were not found: install them with `apt-get install postgresql-15`, "
    "or put the folder that holds initdb and postgres into PATH"
)
# Of Debian's package, the version these tests are about first.
PLACES = ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
PLAIN = {"LC_ALL": "C.UTF-8"}
# What a test loses in a crash of the machine is no loss.
HASTY = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "log_min_messages": "warning",
    "max_connections": "40",
}


def programs() -> Path:
    """Return the folder of initdb and postgres."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    for place in PLACES:
        for folder in sorted(Path("/").glob(place.removeprefix("/")), reverse=True):
            if (folder / "initdb").exists() and (folder / "postgres").exists():
                return folder
    raise FileNotFoundError(LACKING)


def owner() -> pwd.struct_passwd | None:
    """Return who is to run the server, which refuses root; None when we are not root, so that we may."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise FileNotFoundError("initdb refuses root, and there is neither an account `postgres` nor `nobody` to run it as")


def as_owner(user: pwd.struct_passwd | None, *command: str) -> list[str]:
    """Return a command as its owner runs it; it ends when this process does, however that ends."""
    who = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"] if user else []
    return ["setpriv", *who, "--pdeathsig", "INT", "--", *command]


@dataclass(slots=True)
class Cluster:
    """A running server. `log` has the last words it said."""

    folder: Path
    server: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        """Return the URL of one of its databases, as WUHU_DATABASE_URL has it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Carry out a statement outside of any transaction, and return its rows."""
        with psycopg.connect(f"host={self.folder} user=postgres dbname={database}", autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def create(self, template: str = "template0") -> str:
        """Make a database and return its name: a copy of a template, or an empty one that sorts as a Chinese dictionary does.

        So no test passes only because the server happens to sort by bytes.
        """
        name = f"archive_{next(self._numbers)}"
        order = "LOCALE_PROVIDER icu ICU_LOCALE 'zh'" if template == "template0" else ""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} {order}")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected."""
        self.run(f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def running(**settings: str) -> Iterator[Cluster]:
    """Give a new cluster that runs for the length of the block; `settings` as in postgresql.conf."""
    tools, user = programs(), owner()
    # Not under pytest's folder: its owner could not enter there, and a socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="wuhu-pg-", dir="/tmp") as place:
        folder = Path(place)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        _finish(as_owner(user, str(tools / "initdb"), "--pgdata", str(data), *options))
        given = [f"--{name}={value}" for name, value in {**HASTY, "unix_socket_directories": place, **settings}.items()]
        command = as_owner(user, str(tools / "postgres"), "-D", str(data), *given)
        server = subprocess.Popen(command, cwd="/", stderr=subprocess.PIPE, text=True, env=PLAIN)
        listening = threading.Thread(target=_listen, args=(server, cluster := Cluster(folder, server)), daemon=True)
        listening.start()
        try:
            if not cluster.ready.wait(60) or server.poll() is not None:
                raise RuntimeError("PostgreSQL did not start:\n" + "".join(cluster.log))
            yield cluster
        finally:
            # At once, since nothing is kept; a server that a test has stopped is gone already.
            server.send_signal(signal.SIGQUIT)
            server.wait(60)
            listening.join(60)


def _listen(server: subprocess.Popen[str], cluster: Cluster) -> None:
    """Keep what the server says, to its end."""
    assert server.stderr is not None
    with server.stderr as words:
        for line in words:
            cluster.log.append(line)
            if "ready to accept connections" in line:
                cluster.ready.set()
    cluster.ready.set()


def _finish(command: list[str]) -> None:
    ended = subprocess.run(command, cwd="/", capture_output=True, text=True, env=PLAIN, check=False)
    if ended.returncode:
        raise RuntimeError(f"{command[-8]} failed: {ended.stdout}{ended.stderr}")
