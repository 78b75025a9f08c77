"""`wuhu backup` and `wuhu restore`: a second copy of the archive, and the way back."""

from __future__ import annotations

from pathlib import Path

import click

from ..backup import Copied, back_up
from ..backup import restore as restore_from
from ..errors import CheckFailed
from ..paths import ArchivePaths
from .output import counted, print_json, remark

_FOLDER = click.Path(file_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@_JSON
def backup(folder: Path, as_json: bool) -> None:
    """Bring the copy of the archive in DIR up to date; also while a crawl is writing.

    Copies the database as it stands, then the WARC files it names that DIR does not have yet, and of a file that is being
    written what is committed. Each file is held against its SHA-256 as it is read and again as it lies in DIR; one that fails
    is not copied and ends the command with exit code 4. Nothing is removed from DIR. `wuhu --data DIR verify` checks the copy.
    """
    done = back_up(ArchivePaths.from_environment(), folder, remark)
    _tell(done, f"{folder} is up to date", as_json)


@click.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option("--to", "target", type=_FOLDER, metavar="NEW", help="The folder to make the archive in (default: the archive's).")
@_JSON
def restore(folder: Path, target: Path | None, as_json: bool) -> None:
    """Make an archive from the copy in DIR, in a folder that is new or empty; exits 4 when the copy is damaged.

    Every file is held against the copy's hashes. A crawl that was under way goes on with `-a resume=last`.
    """
    target = target or ArchivePaths.from_environment().root
    done = restore_from(folder, target, remark)
    _tell(done, f"{target} is restored; `wuhu --data {target} verify` checks it", as_json)


def _tell(done: Copied, all_well: str, as_json: bool) -> None:
    if as_json:
        print_json({"files": done.files, "bytes": done.bytes, "kept": done.kept, "problems": done.problems}, indent=2)
    for problem in done.problems if not as_json else ():
        click.echo(problem)
    if done.problems:
        raise CheckFailed(f"{counted(len(done.problems), 'thing')} could not be copied")
    kept = f", {done.kept} were there already" if done.kept else ""
    remark(f"{all_well}: {counted(done.files, 'WARC file')} copied ({done.bytes / 1e6:.1f} MB){kept}")
