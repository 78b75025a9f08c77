"""What makes the schedule run after a restart: a systemd unit, or a line in the crontab. Texts, and where they are written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import which

from ..errors import UsageError
from ..paths import storage_errors

_UNIT = """\
[Unit]
Description=Crawls into the archive {folder}, on schedule
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
WorkingDirectory={folder}
ExecStart={command}
# Addresses and passwords that shall not stand in files others read: WUHU_DATABASE_URL, WUHU_SMTP_PASSWORD, ...
EnvironmentFile=-{environment}
# 10 is how it ends when it is stopped; whatever else ends it is not meant to.
SuccessExitStatus=10
Restart=on-failure
RestartSec=60
# The daemon stops its run so that it can be gone on with; what is under way needs a minute.
KillMode=mixed
TimeoutStopSec=180
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
MemoryHigh=1G
MemoryMax=2G
TasksMax=64
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full

[Install]
WantedBy={target}
"""
# Cron starts a pass so often; a pass that is still at work keeps the next one out.
_MINUTES = 5


def unit_name(folder: Path) -> str:
    """Return the name of the unit of the archive in a folder."""
    return "wuhu-" + (re.sub(r"[^A-Za-z0-9]+", "-", str(folder.resolve())).strip("-") or "archive") + ".service"


def unit_folder() -> Path:
    """Return where systemd looks for units of this user: root's are the system's."""
    if os.geteuid() == 0:
        return Path("/etc/systemd/system")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def unit(folder: Path, file: Path) -> str:
    """Return the unit that runs the daemon of the archive in a folder. Raises UsageError for a folder systemd cannot name."""
    for path in (folder, file):
        if re.search(r"[\n\r%\"\\$]", str(path.resolve())):
            raise UsageError(f"{path} cannot be named in a systemd unit: choose a folder without %, $, quotes and line breaks")
    root = os.geteuid() == 0
    return _UNIT.format(
        folder=folder.resolve(),
        command=" ".join(_quoted(word) for word in _command(folder, file)),
        environment="/etc/wuhu/environment" if root else "%h/.config/wuhu/environment",
        target="multi-user.target" if root else "default.target",
    )


def write_unit(text: str, target: Path) -> list[str]:
    """Write the unit and return the commands that start it."""
    with storage_errors(f"writing {target}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    user = "" if os.geteuid() == 0 else "--user "
    more = [] if os.geteuid() == 0 else ["loginctl enable-linger   # so that it runs while you are not logged in"]
    return [f"systemctl {user}daemon-reload", f"systemctl {user}enable --now {target.name}", *more]


def remove_unit(target: Path) -> list[str]:
    """Remove the unit and return the commands that end what it started. Raises UsageError when there is none."""
    if not target.exists():
        raise UsageError(f"there is no unit {target}")
    with storage_errors(f"removing {target}"):
        target.unlink()
    user = "" if os.geteuid() == 0 else "--user "
    return [f"systemctl {user}disable --now {target.name}", f"systemctl {user}daemon-reload"]


def cron_lines(folder: Path, file: Path) -> list[str]:
    """Return the lines of the crontab, with the marks they are found again by."""
    log = shlex.quote(str(folder.resolve() / "logs" / "cron.log"))
    command = f"{shlex.join(_command(folder, file))} --due >> {log} 2>&1"
    begin, end = _marks(folder)
    # A % is a line break to cron.
    return [begin, f"*/{_MINUTES} * * * * nice {command}".replace("%", r"\%"), end]


def install_cron(lines: list[str], folder: Path) -> None:
    """Put the lines into the user's crontab, in the place of those that are there. Raises UsageError without a crontab."""
    _write_crontab([*_without(_crontab(), folder), *lines])
    with storage_errors("making the folder of logs"):
        (folder / "logs").mkdir(parents=True, exist_ok=True)


def remove_cron(folder: Path) -> None:
    """Take the lines out of the user's crontab. Raises UsageError when they are not there."""
    before = _crontab()
    after = _without(before, folder)
    if after == before:
        raise UsageError(f"the crontab has no lines of the archive {folder}")
    _write_crontab(after)


def _command(folder: Path, file: Path) -> list[str]:
    options = ["--data", str(folder.resolve()), "schedule", "run"]
    named = [] if file.resolve() == (folder / "wuhu.toml").resolve() else ["--file", str(file.resolve())]
    return [sys.executable, "-m", "wuhu_crawler", *options, *named]


def _quoted(word: str) -> str:
    return f'"{word}"' if re.search(r"[\s';]", word) else word


def _marks(folder: Path) -> tuple[str, str]:
    return f"# wuhu schedule of {folder.resolve()}: begin", f"# wuhu schedule of {folder.resolve()}: end"


def _without(lines: list[str], folder: Path) -> list[str]:
    begin, end = _marks(folder)
    if begin not in lines or end not in lines[lines.index(begin) :]:
        return lines
    first = lines.index(begin)
    return lines[:first] + lines[lines.index(end, first) + 1 :]


def _crontab() -> list[str]:
    """Return the lines of the user's crontab; none when there is none."""
    found = subprocess.run([_program(), "-l"], capture_output=True, text=True, check=False)  # noqa: S603 - the system's own
    if found.returncode and "no crontab" not in found.stderr:
        raise UsageError(f"the crontab cannot be read: {found.stderr.strip()}")
    return found.stdout.splitlines() if not found.returncode else []


def _write_crontab(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run([_program(), "-"], input=text, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    if done.returncode:
        raise UsageError(f"the crontab was not written: {done.stderr.strip()}")


def _program() -> str:
    found = which("crontab")
    if found is None:
        raise UsageError("there is no crontab program: install cron, or use --systemd")
    return found
