"""`wuhu cdx` and `wuhu wacz`: indexes and packages for tools of others."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from ..db.engine import require_current
from ..errors import CheckFailed, StorageError, UsageError
from ..paths import ArchivePaths, storage_errors
from ..warc import manifest
from ..warc.cdx import index_name, merged, write_index
from ..warc.reader import WarcError
from .output import counted, print_json, remark

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(dir_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.command()
@click.option("--again", is_flag=True, help="Make every index anew, not only those that are missing.")
@click.option("--print", "printed", is_flag=True, help="Print all of them as one sorted index.")
def cdx(again: bool, printed: bool) -> None:
    """Make the CDXJ indexes that are missing: cdx/NAME.cdxj for each closed WARC file.

    A crawl makes them when it closes a file, so this is for files that were put back or indexes that were lost.
    """
    paths = ArchivePaths.from_environment()
    if not paths.warc.is_dir():
        raise UsageError(f"there is no folder {paths.warc} of WARC files: crawl first, or name the archive with --data DIR")
    made = 0
    with storage_errors(f"indexing {paths.warc}"):
        files = list(manifest.closed_files(paths.warc))
        for path in files:
            target = paths.cdx / index_name(path.name)
            if again or not target.exists():
                _index(path, target)
                made += 1
        if printed:
            for line in merged([paths.cdx / index_name(path.name) for path in files]):
                click.echo(line)
    remark(f"{made} {'index' if made == 1 else 'indexes'} made, {len(files) - made} were there")


def _index(path: Path, target: Path) -> None:
    try:
        write_index(path, path.name, target)
    except WarcError as error:
        raise StorageError(f"{path.name} cannot be indexed: at {error.offset}: {error.reason}; see `wuhu verify`") from error


@click.group(invoke_without_command=True)
@click.option("--crawl", metavar="ID", help="Pack this crawl.")
@click.option("--from", "first", type=_DAY, metavar="DAY", help="Pack what was captured on this day or later.")
@click.option("--to", "last", type=_DAY, metavar="DAY", help="Pack what was captured on this day or before.")
@click.option("-o", "--output", "target", type=_FILE, metavar="FILE", help="The package to write, e.g. wuhu.wacz.")
@_JSON
@click.pass_context
def wacz(
    context: click.Context,
    crawl: str | None,
    first: datetime | None,
    last: datetime | None,
    target: Path | None,
    as_json: bool,
) -> None:
    """Pack the collection, a crawl or some days into one WACZ file, which a browser can replay (replayweb.page).

    Days are the portal's own. WARC files go in as they are, or in part where only some of their records were chosen; with
    them the records that hold the payload of revisits. Titles and texts of the pages are the database's.

    \b
      wuhu wacz -o all.wacz
      wuhu wacz --crawl 20261123071500-wuhu-1 -o crawl.wacz
      wuhu wacz --from 2026-11-01 --to 2026-11-30 -o november.wacz
      wuhu wacz verify november.wacz
    """
    if context.invoked_subcommand is not None:
        return
    if target is None:
        raise UsageError("say where to write the package, e.g. `wuhu wacz -o all.wacz`")
    if crawl and (first or last):
        raise UsageError("--crawl and days exclude each other: give one of them")
    from ..wacz.choice import Choice
    from ..wacz.pack import pack

    paths = ArchivePaths.from_environment()
    require_current(paths.database_url)
    try:
        done = pack(paths, target, Choice(crawl, _day(first), _day(last)), remark)
    except WarcError as error:
        raise StorageError(f"{error.path.name} is damaged at {error.offset}: {error.reason}; see `wuhu verify`") from error
    facts = {"file": str(target), "captures": done.captures, "pages": done.pages, "whole": done.whole, "parts": done.parts}
    if as_json:
        print_json({**facts, "bytes": done.bytes}, indent=2)
    else:
        what = f"{counted(done.captures, 'capture')}, {counted(done.pages, 'page')}"
        files = f"{counted(done.whole, 'WARC file')} whole, {done.parts} in part"
        click.echo(f"{target}: {what}; {files}; {done.bytes / 1e6:.1f} MB")


@wacz.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@_JSON
def verify(file: Path, as_json: bool) -> None:
    """Read a package again: hashes, index, every record it points at, pages; exits 4 when something is wrong."""
    from ..wacz.check import problems

    found = list(problems(file))
    if as_json:
        print_json({"file": str(file), "problems": found}, indent=2)
    for problem in found if not as_json else ():
        click.echo(problem)
    if found:
        raise CheckFailed(f"{counted(len(found), 'thing')} found wrong in {file}")
    if not as_json:
        click.echo("ok")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
