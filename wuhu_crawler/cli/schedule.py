"""`wuhu schedule`: what the collection file says is due, and the daemon that does it."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import clock
from ..db import engine
from ..errors import CheckFailed, Interrupted, UsageError
from ..paths import ArchivePaths
from .collection import FILE, collection_file
from .output import counted, print_json, print_table, remark

if TYPE_CHECKING:
    from ..schedule.due import Turn
    from ..schedule.jobs import Collection


@click.group()
def schedule() -> None:
    """Crawl on a schedule: `list` what is due when, `run` it. The collection file says what; `wuhu init` writes one."""


@schedule.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@FILE
def list_(given: Path | None, as_json: bool) -> None:
    """Tell each job's next run, in words and as a time of the collection's zone. Nothing is started."""
    from ..schedule.collection import load
    from ..schedule.due import turns
    from ..schedule.ledger import Ledger

    paths = ArchivePaths.from_environment()
    collection = load(collection_file(given))
    standings, free_at = {}, None
    if engine.revision(paths.database_url) == engine.head():
        with Ledger(paths.database_url) as ledger:
            standings, free_at = ledger.standings(), ledger.free_at()
    now = clock.now()
    coming = turns(collection, standings, now, free_at)
    if as_json:
        print_json([_object(turn) for turn in coming], indent=2)
        return
    rows = [[turn.job.name, turn.portal, turn.job.when.words, _local(turn, collection), _words(turn, now)] for turn in coming]
    print_table(["job", "portal", "due", f"next ({collection.zone})", ""], rows)


@schedule.command()
@click.option("--due", "only_due", is_flag=True, help="Start what is due by now and end; for cron.")
@FILE
def run(given: Path | None, only_due: bool) -> None:
    """Run the jobs as they are due, in the foreground, until stopped; with --due, once.

    One run at a time: each is a process of its own, with its log in the archive's logs/. A run that was killed or that its
    window ended is gone on with, not begun anew; what was missed while the daemon was not there is caught up once. SIGTERM and
    Ctrl-C stop the run under way so that it can be gone on with, and then the daemon (exit code 10, which is well). The
    collection file is read again when it changes.
    """
    from ..schedule.daemon import Daemon
    from ..schedule.timekeeper import Timekeeper

    paths = ArchivePaths.from_environment()
    with Daemon(paths, collection_file(given), Timekeeper(), _told) as daemon:
        stopped: list[int] = []

        def stop(number: int, frame: Any) -> None:
            stopped.append(number)
            daemon.stop()

        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, stop)
        if only_due:
            remark(f"{counted(daemon.run_due(), 'run')} made")
        else:
            first = next(iter(daemon.coming()), None)
            _told("nothing is due" if first is None else f"ready; next is {first.job.name}, due {first.due_at:%F %H:%M} UTC")
            daemon.run()
        if stopped:
            raise Interrupted(f"stopped by {signal.Signals(stopped[0]).name}; `wuhu schedule run` goes on")


@schedule.command()
@click.option("--systemd", "how", flag_value="systemd", help="Write a unit that runs the daemon, and starts it again.")
@click.option(
    "--cron", "how", flag_value="cron", help="Write a line into the crontab that starts what is due every five minutes."
)
@click.option("--uninstall", is_flag=True, help="Take away what was written.")
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the unit there, not where systemd looks."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@FILE
def install(how: str | None, uninstall: bool, into: Path | None, yes: bool, given: Path | None) -> None:
    """Have the schedule run after every restart of the machine: by systemd, or by cron.

    What is written is printed first. As root the unit is the system's, else it is yours. Nothing is started: the commands for
    that are printed.

    \b
      wuhu --data /srv/archive schedule install --systemd
      wuhu --data /srv/archive schedule install --cron --uninstall
    """
    from ..schedule import install as installing
    from ..schedule.collection import load

    if how is None:
        raise UsageError("say how: --systemd or --cron")
    folder, file = ArchivePaths.from_environment().root, collection_file(given)
    target = (into or installing.unit_folder()) / installing.unit_name(folder)
    if uninstall:
        _confirm(f"remove {target if how == 'systemd' else 'its lines from the crontab'}", yes)
        if how == "cron":
            installing.remove_cron(folder)
        else:
            _print_commands(installing.remove_unit(target))
        return
    load(file)
    if how == "cron":
        lines = installing.cron_lines(folder, file)
        click.echo("\n".join(lines))
        _confirm("write this into the crontab", yes)
        installing.install_cron(lines, folder)
    else:
        text = installing.unit(folder, file)
        click.echo(text)
        _confirm(f"write this to {target}", yes)
        _print_commands(installing.write_unit(text, target))


@schedule.command()
@FILE
def notify(given: Path | None) -> None:
    """Send a message to everybody the collection file names, to see whether it arrives. Exits 4 when one way fails."""
    from ..schedule.collection import load
    from ..schedule.notify import News, tell

    collection = load(collection_file(given))
    if collection.notify.mail is None and collection.notify.webhook is None:
        raise UsageError("the collection file names nobody: add [notify.mail] or [notify.webhook]")
    name = collection.title or ", ".join(collection.portals)
    news = News(
        collection=name,
        job="test",
        portal="",
        run=0,
        verdict="well",
        before=None,
        reason="this is a test of the notifications; nothing was run",
        ended_at=clock.now(),
    )
    failed = list(tell(news, collection.notify))
    for line in failed:
        click.echo(line)
    if failed:
        raise CheckFailed(f"{counted(len(failed), 'way')} of telling failed")
    remark("sent")


def _confirm(what: str, yes: bool) -> None:
    if not yes and not click.confirm(f"{what}?", err=True):
        raise UsageError("nothing was written (--yes does not ask)")


def _print_commands(commands: list[str]) -> None:
    remark("next:\n" + "\n".join(f"  {each}" for each in commands))


def _told(line: str) -> None:
    remark(f"{clock.now():%F %T} {line}")


def _object(turn: Turn) -> dict[str, Any]:
    return {
        "job": turn.job.name,
        "do": turn.job.do,
        "portal": turn.portal or None,
        "when": turn.job.when.text,
        "words": turn.job.when.words,
        "due_at": turn.due_at.isoformat(),
        "begins_at": turn.begins_at.isoformat(),
        "resumes": turn.resumes,
    }


def _local(turn: Turn, collection: Collection) -> str:
    return f"{turn.begins_at.astimezone(collection.zone):%a %F %H:%M}"


def _words(turn: Turn, now: datetime) -> str:
    if turn.resumes:
        return "goes on with the run before"
    if turn.begins_at <= now:
        return "due now"
    minutes = int((turn.begins_at - now).total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"in {counted(days, 'day')} {hours} h"
    return f"in {hours} h {minutes % 60} min" if hours else f"in {minutes} min"
