"""`wuhu import`: WARC files made by others."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from ..importing import take_in
from ..paths import ArchivePaths
from ..portals import load_portal
from .output import counted, print_json, remark


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE...")
@click.option("--portal", "name", metavar="NAME|FILE", default="o553", show_default=True, help="Whose pages are in the files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def import_(files: tuple[Path, ...], name: str, as_json: bool) -> None:
    """Take WARC files of others into the archive: wget, browsertrix, pywb, warcio, Heritrix; .warc.gz and .warc.

    Each file is copied unchanged into warc/, with its hash, and is a crawl of the job `import`. Every answer in it becomes a
    capture; HTML of the portal's hosts is read as a page. A page captured before the time an article is known from makes no
    version of it. The same file is taken in once. A file that is one gzip stream is compressed anew, record by record.

    \b
      wuhu import old/*.warc.gz --portal o553
    """
    paths, portal = ArchivePaths.from_environment(), load_portal(name)
    done, refused = [], []
    for file in files:
        try:
            taken = take_in(paths, portal, file, remark)
        except UsageError as error:
            if len(files) == 1:
                raise
            remark(f"{file}: {error}")
            refused.append(file)
            continue
        done.append(taken._asdict())
        if not as_json:
            click.echo(
                f"{taken.file}: {counted(taken.captures, 'capture')}, {counted(taken.pages, 'page')} of {portal.name}; "
                f"crawl {taken.crawl_id}, written by {taken.software}"
            )
        for note in taken.notes:
            remark(f"{taken.file}: {note}")
    if as_json:
        print_json(done, indent=2)
    if refused:
        raise UsageError(f"{counted(len(refused), 'file')} of {len(files)} could not be taken in")
