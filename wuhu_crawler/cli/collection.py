"""`wuhu init` and `wuhu config`: the collection file, made and checked."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..errors import CheckFailed, UsageError
from ..paths import ArchivePaths, storage_errors
from .output import counted, print_json, remark

FILE = click.option(
    "--file",
    "given",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The collection file (default: wuhu.toml in the archive).",
)


def collection_file(given: Path | None) -> Path:
    """Return the collection file: the one given, else that of the archive."""
    from ..schedule.collection import NAME

    return given or ArchivePaths.from_environment().root / NAME


@click.command()
@click.option("--portal", "portals", multiple=True, metavar="NAME|TOML", help="A portal to keep (may be given several times).")
@click.option("--contact", metavar="ADDRESS", help="Who answers for the crawls: mailto:you@example.org.")
@click.option("--title", metavar="TEXT", help="What the collection is called in reports.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@FILE
def init(portals: tuple[str, ...], contact: str | None, title: str | None, force: bool, given: Path | None) -> None:
    """Write the collection file wuhu.toml into the archive: every key explained, defaults as comments.

    \b
      wuhu init --contact mailto:you@example.org
      wuhu --data /srv/archive init --portal o553 --portal /etc/wuhu/other.toml --contact mailto:you@example.org
    """
    from ..schedule.collection import place, read
    from ..schedule.template import template

    file = collection_file(given)
    if file.exists() and not force:
        raise UsageError(f"{file} is there already: edit it, or write over it with --force")
    contact = contact or os.environ.get("WUHU_CONTACT")
    known = {"title": title, "portals": list(portals) or ["o553"], "contact": contact}
    with storage_errors(f"writing {file}"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(template({name: value for name, value in known.items() if value}), encoding="utf-8")
    remark(f"{file} written; next: edit it, `wuhu config check`, `wuhu schedule list`, `wuhu schedule run`")
    for problem in read(file)[1]:
        remark(f"{place(file, problem)}: {problem.text}")


@click.group()
def config() -> None:
    """Check the collection file."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@FILE
def check(given: Path | None, as_json: bool) -> None:
    """Check the collection file; each problem is printed with its line and what to write instead. Exits 4 for any."""
    from ..schedule.collection import place, read

    file = collection_file(given)
    found, problems = read(file)
    if as_json:
        told = [{"line": problem.line or None, "problem": problem.text} for problem in problems]
        print_json({"file": str(file), "problems": told}, indent=2)
    else:
        for problem in problems:
            click.echo(f"{place(file, problem)}: {problem.text}")
    if problems:
        raise CheckFailed(f"{counted(len(problems), 'problem')} found in {file}")
    if not as_json and found is not None:
        jobs = ", ".join(f"{job.name} {job.when.words}" for job in found.jobs)
        click.echo(f"ok: {counted(len(found.portals), 'portal')} ({', '.join(found.portals)}); {jobs}")
