"""`wuhu verify`: fixity, from the command line."""

from __future__ import annotations

from time import monotonic
from typing import Any

import click

from ..db.engine import require_current
from ..errors import CheckFailed, Interrupted, StorageError
from ..paths import ArchivePaths
from .output import counted, print_json, remark

_EVERY = 2.0


class _Share(click.ParamType[float]):
    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return a percentage as a share: `5%` is 0.05."""
        if isinstance(value, float):
            return value
        number = value.removesuffix("%").strip()
        try:
            share = float(number) / 100
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            self.fail(f"{value!r} is no percentage above 0% and up to 100%, such as 5%", param, ctx)
        return share


@click.command()
@click.option("--sample", "share", type=_Share(), default=1.0, metavar="PERCENT", help="Read only so much, e.g. 5%; see above.")
@click.option("--resume", is_flag=True, help="Go on with the last check that did not come to its end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def verify(share: float, resume: bool, as_json: bool) -> None:
    """Read the whole archive again and compare everything with everything; exits 4 when something is wrong.

    Every file with its SHA-256, every gzip member, every block and payload digest, every row with its record and every record
    with its row, manifest, index and database with the files. What is wrong is printed with file and offset, one line each;
    docs/warc.md tells what each kind means and what to do. It reads only, and may run beside a crawl: a file that is being
    written is read as far as the database has followed it.

    \b
      wuhu verify                  # all of it; Ctrl-C, and later: wuhu verify --resume
      wuhu verify --sample 5%      # each night: the files read longest ago, and 5 % of all other captures
    """
    from ..verify.run import Verification

    paths = ArchivePaths.from_environment()
    require_current(paths.database_url)
    started = monotonic()
    verification = Verification(paths, share=share, told=_Shown(started))
    try:
        report = verification.run(resume=resume)
    except KeyboardInterrupt:
        raise Interrupted("the check was stopped; go on with `wuhu verify --resume`") from None
    except OSError as error:
        raise StorageError(f"the archive cannot be read: {error}") from error
    if resume and not report.resumed:
        remark("there was no check to resume; this was a new one")
    if report.unlogged:
        remark(f"this check is not recorded: {report.unlogged}")
    found = [finding._asdict() for finding in report.findings]
    if as_json:
        facts = {"run": report.run, "share": report.share, "files": len(report.files_done), "records": report.records}
        print_json({**facts, "bytes": report.bytes, "seconds": round(monotonic() - started, 1), "findings": found}, indent=2)
    for finding in report.findings if not as_json else ():
        click.echo(str(finding))
    what = f"{counted(len(report.files_done), 'file')}, {counted(report.records, 'record')}, {report.bytes / 1e6:.1f} MB"
    if found:
        raise CheckFailed(f"{counted(len(found), 'thing')} found wrong in {what}")
    if not as_json:
        click.echo("ok")
    remark(f"{what} read in {monotonic() - started:.1f} s; nothing wrong")


class _Shown:
    """Progress on stderr, every two seconds."""

    def __init__(self, started: float) -> None:
        self._last = started

    def __call__(self, progress: Any) -> None:
        if monotonic() - self._last >= _EVERY:
            self._last = monotonic()
            share = 100 * progress.bytes_done / progress.bytes if progress.bytes else 100
            remark(f"{share:3.0f} %  {progress.files_done} of {counted(progress.files, 'file')}, {progress.findings} found")
