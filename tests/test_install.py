"""Units and crontab lines: what is written, where, and how it is taken away; and what is removed with age."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from wuhu_crawler.cli.schedule import schedule
from wuhu_crawler.errors import UsageError
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.schedule.collection import load
from wuhu_crawler.schedule.install import cron_lines, unit
from wuhu_crawler.schedule.jobs import Retention
from wuhu_crawler.schedule.retention import expired, remove

# What the program of the system does, on a file of the test.
CRONTAB = """#!/bin/sh
if [ "$1" = -l ]; then
    if [ -f "$TABLE" ]; then cat "$TABLE"; else echo "no crontab for me" >&2; exit 1; fi
else
    cat > "$TABLE"
fi
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    archive = tmp_path / "an archive"
    archive.mkdir()
    (archive / "wuhu.toml").write_text('portals = ["demo"]\n', encoding="utf-8")
    monkeypatch.setenv("WUHU_DATA_DIR", str(archive))
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TABLE", str(tmp_path / "table"))
    return archive


def invoke(*words: str) -> str:
    done = CliRunner().invoke(schedule, ["install", *words], catch_exceptions=False)
    return done.stdout


def test_a_unit_is_printed_and_written(folder: Path, tmp_path: Path) -> None:
    into = tmp_path / "units"
    printed = invoke("--systemd", "--into", str(into), "--yes")
    (written,) = into.iterdir()
    assert written.read_text(encoding="utf-8") == printed.removesuffix("\n")
    assert f'-m wuhu_crawler --data "{folder}" schedule run\n' in printed
    assert "SuccessExitStatus=10" in printed
    invoke("--systemd", "--into", str(into), "--yes", "--uninstall")
    assert list(into.iterdir()) == []
    with pytest.raises(UsageError, match="there is no unit"):
        invoke("--systemd", "--into", str(into), "--yes", "--uninstall")


def test_nothing_is_written_without_a_yes(folder: Path, tmp_path: Path) -> None:
    asked = CliRunner().invoke(schedule, ["install", "--systemd", "--into", str(tmp_path / "units")], input="n\n")
    assert isinstance(asked.exception, UsageError)
    assert not (tmp_path / "units").exists()


def test_a_crontab_keeps_its_other_lines(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text("MAILTO=me\n0 1 * * * true\n", encoding="utf-8")
    invoke("--cron", "--yes")
    invoke("--cron", "--yes")
    lines = table.read_text(encoding="utf-8").splitlines()
    assert lines == ["MAILTO=me", "0 1 * * * true", *cron_lines(folder, folder / "wuhu.toml")]
    assert (
        lines[3].startswith("*/5 * * * * nice ")
        and f"--data '{folder}' schedule run --due >> '{folder}/logs/cron.log'" in lines[3]
    )
    invoke("--cron", "--yes", "--uninstall")
    assert table.read_text(encoding="utf-8") == "MAILTO=me\n0 1 * * * true\n"
    with pytest.raises(UsageError, match="has no lines of the archive"):
        invoke("--cron", "--yes", "--uninstall")


def test_the_first_crontab(folder: Path, tmp_path: Path) -> None:
    invoke("--cron", "--yes")
    assert (tmp_path / "table").read_text(encoding="utf-8").count("\n") == 3


def test_what_must_be_said(folder: Path) -> None:
    with pytest.raises(UsageError, match="--systemd or --cron"):
        invoke("--yes")
    (folder / "wuhu.toml").write_text("portals = 5\n", encoding="utf-8")
    with pytest.raises(UsageError, match="portals must be"):
        invoke("--cron", "--yes")


def test_names_a_unit_or_a_crontab_would_read_otherwise(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be named in a systemd unit"):
        unit(tmp_path / "50%", tmp_path / "wuhu.toml")
    assert r"/50\%" in cron_lines(tmp_path / "50%", tmp_path / "wuhu.toml")[1]


def test_only_what_is_old_and_no_archive_is_removed(tmp_path: Path) -> None:
    paths, now = ArchivePaths.of(tmp_path), datetime(2026, 11, 25, tzinfo=UTC)
    file = tmp_path / "wuhu.toml"
    file.write_text('portals = ["demo"]\n[jobs.pack]\ndo = "wacz"\nwhen = "daily 01:00"\n', encoding="utf-8")
    collection = load(file)
    names = ["logs/1.log", "reports/1.html", "exports/mine.csv", "wacz/pack-20260101-010203.wacz", "wacz/mine.wacz"]
    for name in (*names, "warc/a.warc.gz", "cdx/a.cdxj", "archive.db"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        moment = (now - timedelta(days=100)).timestamp()
        os.utime(path, (moment, moment))
    assert {path.name for path in expired(paths, collection, now - timedelta(days=50))} == set()
    assert {path.name for path in expired(paths, collection, now)} == {"1.log", "pack-20260101-010203.wacz"}
    kept = replace(collection, retention=Retention(logs=None, reports=timedelta(days=30), exports=timedelta(days=1)))
    assert remove(paths, kept, now) == 2
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        "wuhu.toml",
        "logs/1.log",
        "exports/mine.csv",
        "wacz/mine.wacz",
        "warc/a.warc.gz",
        "cdx/a.cdxj",
        "archive.db",
    }
