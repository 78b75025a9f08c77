"""`wuhu rebuild`: the database made again from the WARC files, or what it would be compared with what it is."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..db import engine as databases
from ..db.compare import Differences, compare
from ..errors import CheckFailed, UsageError
from ..paths import ArchiveLock, ArchivePaths, storage_errors
from ..portals import load_portal
from ..rebuild import Progress
from ..rebuild import rebuild as make
from ..recovery import mend
from .output import counted, print_json, print_table, remark

# Seconds between two lines of progress where there is no terminal.
PAUSE = 10.0


@click.command()
@click.option("--from", "source", metavar="DIR", help="Take the WARC files in this folder (default: the archive's own).")
@click.option("--to", "target", metavar="DB", help="Make this database: a file or URL (default: the archive's own).")
@click.option("--compare", "only_compare", is_flag=True, help="Write nothing; tell what would change, exit 4 if anything.")
@click.option("--no-index", is_flag=True, help="Leave the search index empty (`wuhu db reindex` fills it).")
@click.option("--portal", "portals", multiple=True, metavar="NAME|FILE", help="Use this profile, not the recorded one.")
@click.option("--skip-damaged", is_flag=True, help="Leave out records that are damaged instead of stopping.")
@click.option("--workers", type=click.IntRange(1, 256), help="Reading processes (default: one a core).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def rebuild(
    source: str | None,
    target: str | None,
    *,
    only_compare: bool,
    no_index: bool,
    portals: tuple[str, ...],
    skip_damaged: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Make the database again from the WARC files alone, without the network.

    The new database is built beside the old one and takes its place when it is whole; what is not derived from WARC files is
    kept. Nothing may be writing to the archive meanwhile.

    \b
      wuhu rebuild                 make the archive's own database anew
      wuhu rebuild --compare       after a change of extraction rules: which fields of which articles would change?
      wuhu rebuild --from /mnt/copy/warc --to copy.db
    """
    paths = ArchivePaths.from_environment()
    folder = Path(source) if source else paths.warc
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} of WARC files")
    profiles = {profile.name: profile for profile in map(load_portal, portals)}
    given: dict[str, Any] = {"profiles": profiles, "workers": workers, "skip_damaged": skip_damaged}
    if only_compare:
        _compare(folder, target or paths.database_url, given, as_json=as_json)
        return
    url = _url(target or paths.database_url)
    with _held(paths, own=not source and not target):
        with _telling() as tell:
            done = make(folder, url, index=not no_index, tell=tell, **given)
        _print_done(done, _named(url), as_json=as_json)


def _print_done(done: Progress, name: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_facts(done), "database": name}, indent=2)
        return
    for name in done.foreign:
        remark(f"{name} is not of this program and was left out")
    for damage in done.damage:
        remark(f"{damage.warc_file}: no whole record from {damage.offset} to {damage.until or 'its end'}: {damage.reason}")
    index = f", search index in {done.index_seconds:.1f} s" if done.index_seconds else ""
    click.echo(
        f"{name}: {counted(done.captures, 'capture')} and {counted(done.pages, 'page')} "
        f"in {done.seconds:.1f} s ({done.pages / max(done.seconds, 0.001):.0f} pages a second){index}"
    )


def _facts(done: Progress) -> dict[str, Any]:
    facts = asdict(done)
    del facts["doing"]
    return facts


def _compare(folder: Path, database: str, given: dict[str, Any], *, as_json: bool) -> None:
    url = _url(database)
    databases.require_current(url)
    with tempfile.TemporaryDirectory(prefix="wuhu-compare-") as place:
        file = Path(place) / "rebuilt.db"
        with _telling() as tell:
            make(folder, file, index=False, tell=tell, **given)
        found = _differences(url, f"sqlite:///{file}")
    if as_json:
        print_json(asdict(found), indent=2)
    else:
        _print_differences(found)
    if found:
        raise CheckFailed("the database would change; `wuhu rebuild` makes it so")


def _differences(before: str, after: str) -> Differences:
    old, new = databases.make_engine(before, readonly=True), databases.make_engine(after, readonly=True)
    try:
        with old.connect() as one, new.connect() as two:
            return compare(one, two)
    finally:
        old.dispose()
        new.dispose()


def _print_differences(found: Differences) -> None:
    if not found:
        click.echo("nothing would change")
        return
    click.echo(f"{counted(found.articles, 'article')} would change\n")
    if found.fields:
        print_table(
            ["field", "articles"], sorted(([name, count] for name, count in found.fields.items()), key=lambda row: -row[1])
        )
    for table, counts in found.rows.items():
        click.echo(f"{table}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    for example in found.examples:
        click.echo(f"\n{example.field} of article {example.article}  {example.url or ''}")
        click.echo(f"  is        {example.old or '(nothing)'}")
        click.echo(f"  would be  {example.new or '(nothing)'}")


def _url(target: str) -> str:
    return target if "://" in target else f"sqlite:///{target}"


def _named(url: str) -> str:
    """Return how a database is called to the user: its file, or its URL without the password."""
    return databases.shown(url).removeprefix("sqlite:///")


@contextmanager
def _held(paths: ArchivePaths, *, own: bool) -> Iterator[None]:
    """Hold the writer's lock, with torn tails mended, while the archive's own database is made; else touch nothing of it."""
    if not own:
        yield
        return
    with storage_errors(f"opening the archive {paths.root}"):
        lock = ArchiveLock(paths.root)
    try:
        with storage_errors(f"mending the WARC files in {paths.warc}"):
            mend(paths)
        yield
    finally:
        lock.release()


@contextmanager
def _telling() -> Iterator[Callable[[Progress], None]]:
    """Give a function that shows the progress on stderr: one live line on a terminal, now and then a line elsewhere."""
    live, shown = sys.stderr.isatty(), [0.0]

    def tell(progress: Progress) -> None:
        if not live and progress.doing == "reading" and progress.seconds - shown[0] < PAUSE:
            return
        shown[0] = progress.seconds
        share = 100 * progress.bytes / max(progress.total, 1)
        rate = progress.pages / max(progress.seconds, 0.001)
        line = (
            f"{progress.doing} {share:3.0f} %, {progress.captures} captures, {progress.pages} pages, {rate:.0f} pages a second"
        )
        click.echo(f"\r\x1b[K{line}" if live else line, err=True, nl=not live)

    yield tell
    if live:
        click.echo("\r\x1b[K", err=True, nl=False)
