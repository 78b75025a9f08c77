"""`wuhu runs` and `wuhu logs`: what was run on the archive, how it ended, and what it wrote into its log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from ..errors import UsageError
from ..paths import ArchiveLock, ArchivePaths, storage_errors
from .opened import reading
from .output import counted, print_json, print_table, remark

_STATUS = ("running", "done", "stopped", "interrupted", "killed", "failed", "storage")


@click.command()
@click.option("--job", metavar="NAME", help="Only runs of this job of the schedule, or of this spider.")
@click.option("--portal", metavar="NAME", help="Only runs for this portal.")
@click.option("--status", type=click.Choice(_STATUS), help="Only runs that ended so.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Only runs started on this day (UTC) or later.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many, the latest first.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def runs(job: str | None, portal: str | None, status: str | None, since: datetime | None, limit: int, as_json: bool) -> None:
    """List the runs: every process that worked on the archive, scheduled or started by hand, and why it ended.

    A number with a c is a crawl started by hand. `wuhu logs NUMBER` prints the log of a scheduled run.

    \b
      wuhu runs --status failed
      wuhu runs --job walk --since 2026-11-01 --json
    """
    found = [run for run in _all() if _chosen(run, job, portal, status, since)]
    if as_json:
        print_json(found[:limit], indent=2)
        return
    rows = [_cells(run) for run in found[:limit]]
    print_table(["run", "job", "portal", "started (UTC)", "lasted", "status", "code", "why"], rows)
    remark(counted(len(found), "run") + (f", the latest {limit} shown" if len(found) > limit else ""))


@click.command()
@click.argument("number")
@click.option("--tail", type=click.IntRange(1), metavar="N", help="Only the last N lines.")
def logs(number: str, tail: int | None) -> None:
    """Print the log of a scheduled run, by its number in `wuhu runs`; `last` is the latest."""
    found = [run for run in _all() if run["log"] and (number == "last" or run["number"] == number)]
    if not found:
        by_hand = " (a crawl started by hand writes to its terminal)" if number.startswith("c") else ""
        raise UsageError(f"there is no log of a run {number}{by_hand}: `wuhu runs` lists the runs")
    path = ArchivePaths.from_environment().root / found[0]["log"]
    if not path.exists():
        raise UsageError(f"the log {path} is not kept any more: the collection file says how long logs are (retention.logs)")
    with storage_errors(f"reading {path}"), path.open(encoding="utf-8", errors="replace") as lines:
        kept = list(lines)[-tail:] if tail else lines
        for line in kept:
            click.echo(line, nl=False)


def _all() -> list[dict[str, Any]]:
    from ..schedule.runs import runs as listed

    with reading() as connection:
        return listed(connection, writer=ArchiveLock.holder(ArchivePaths.from_environment().root))


def _chosen(run: dict[str, Any], job: str | None, portal: str | None, status: str | None, since: datetime | None) -> bool:
    return (
        job in (None, run["job"], run["do"])
        and portal in (None, run["portal"])
        and status in (None, run["status"])
        and (since is None or run["started_at"] >= since.strftime("%Y-%m-%d"))
    )


def _cells(run: dict[str, Any]) -> list[Any]:
    named = run["job"] or f"{run['do']} (by hand)"
    how = (run["status"], run["exit_code"], run["reason"])
    return [run["number"], named, run["portal"], run["started_at"][:19], _lasted(run), *how]


def _lasted(run: dict[str, Any]) -> str | None:
    if run["finished_at"] is None:
        return None
    span = datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["started_at"])
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min {seconds:02} s"
