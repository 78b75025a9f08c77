"""`wuhu report`: what a run did, as a page and as JSON."""

from __future__ import annotations

from typing import Any

import click

from ..db.engine import require_current
from ..errors import UsageError
from ..paths import ArchivePaths
from .output import print_json, remark


@click.command()
@click.argument("run", default="last", metavar="[RUN]")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def report(run: str, as_json: bool) -> None:
    """Make the report of a crawl's run again, by the run's own number, and say where it is; the latest without one.

    Every crawl makes one at its end: a page that needs nothing else (reports/run-NNNNNN.html), the same as JSON, and a row of
    the table report. It tells what was planned and done, what is new, changed and missing, what was not had and why, how
    politely it went, how well the pages were read, which WARC files were written and how long the disk lasts, and what is odd
    about it all against the runs before.
    """
    from ..report.make import make

    paths = ArchivePaths.from_environment()
    require_current(paths.database_url)
    if run != "last" and not run.removeprefix("c").isdigit():
        raise UsageError(f"{run!r} is no number of a run: `wuhu status` shows the last one's")
    made = make(paths, None if run == "last" else int(run.removeprefix("c")))
    if made is None:
        raise UsageError("nothing was crawled into this archive yet")
    if as_json:
        print_json(made, indent=2)
    else:
        _print(made)


def _print(made: dict[str, Any]) -> None:
    from ..report.page import TITLES

    facts = made["facts"]
    crawl, found = facts["crawl"], facts["articles"]
    click.echo(f"{TITLES[made['verdict']]}: {crawl['job']} of {crawl['portal']}, run {facts['run']['id']}")
    for finding in made["findings"]:
        click.echo(f"{finding['level']}: {finding['text']}")
    counts = ", ".join(f"{found[kind]['count']} {kind}" for kind in ("new", "changed", "missing"))
    click.echo(f"{facts['pace']['requests']} requests; articles: {counts}")
    for path in made["files"]:
        remark(path)
