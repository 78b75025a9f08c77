"""Programs forked from an interpreter that is warm: they are what they would be, started from nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import warm

TELL = """
import json, os, random, sys
told = {"argv": sys.argv, "orig": sys.orig_argv, "cwd": os.getcwd(), "path": sys.path[0], "in": sys.stdin.read()}
told |= {"settings": "wuhu_crawler.settings" in sys.modules, "pid": os.getpid(), "drawn": random.random()}
print(json.dumps({**told, "env": dict(os.environ), "open": sorted(map(int, os.listdir("/proc/self/fd")))}))
print("to stderr", file=sys.stderr)
sys.exit(3)
"""
COMMAND = [sys.executable, "-c", TELL, "one", "two"]


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork in every run of the tests, also in one that has all others start from nothing."""
    for name in ("COLD_STARTS", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_a_program_has_all_of_its_own(tmp_path: Path) -> None:
    env = {**os.environ, "WUHU_CONTACT": "mailto:a@example.org"}
    ends = [warm.text(COMMAND, cwd=tmp_path, env=env, told="正文".encode()) for _ in range(2)]
    first, second = (json.loads(ended.stdout) for ended in ends)
    assert [(ended.returncode, ended.stderr) for ended in ends] == [(3, "to stderr\n")] * 2
    assert (first["argv"], first["orig"], first["path"]) == (["-c", "one", "two"], COMMAND, "")
    assert (first["cwd"], first["in"], first["env"]) == (str(tmp_path), "正文", env)
    assert first["pid"] != second["pid"] and first["drawn"] != second["drawn"]
    assert not first["settings"], "they are read with the program's own environment"
    assert first["open"] == second["open"], "a program has what was open in another"


def test_a_script_runs_as_its_user_calls_it() -> None:
    wuhu = str(Path(sys.executable).with_name("wuhu"))
    ended = warm.text([wuhu, "show", "--nosuch"])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: wuhu show ")


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15, ""),
        ("import time, os; os.write(1, b'x' * 1_000_000)", 0, ""),
        ("import warnings; warnings.warn_explicit('old', DeprecationWarning, 'x.py', 1, 'wuhu_crawler.db')", 1, "old"),
    ],
)
def test_how_a_program_ends(code: str, exit_code: int, words: str) -> None:
    ended = warm.text([sys.executable, "-c", code])
    assert ended.returncode == exit_code
    assert words in ended.stderr


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    code = f"import os, signal; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); signal.pause()"
    with pytest.raises(TimeoutError):
        warm.run([sys.executable, "-c", code], timeout=1)
    with pytest.raises(ProcessLookupError):
        while True:
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_another_python_starts_from_nothing() -> None:
    seed = {**os.environ, "PYTHONHASHSEED": "7"}
    assert warm.is_cold(seed) and warm.is_cold({**os.environ, "COVERAGE_PROCESS_CONFIG": ""})
    assert not warm.is_cold(os.environ)
    assert not warm.is_cold({**os.environ, "WUHU_CONTACT": "mailto:a@example.org"})
    code = [sys.executable, "-c", "import sys; print(hash('芜湖'), 'scrapy' in sys.modules)"]
    one, other = warm.text(code, env=seed).stdout, warm.text(code, env=seed).stdout
    assert one == other and one.endswith("False\n")
    assert warm.text(code).stdout.endswith("True\n")
