"""`wuhu probe`: the first contact with a portal. A few pages into the archive, what they show, and a verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..db.engine import revision
from ..errors import CheckFailed, Interrupted, UsageError, WuhuError
from ..paths import ArchivePaths
from ..portals import Portal, load_portal
from ..probe import Report, Sample, examine, latest
from ..warc.reader import WarcError
from .opened import reading
from .output import counted, print_json, print_table

# What the crawl's exit code means when it brought pages all the same: the portal kept some back.
_PORTAL_STOPPED = 5


@click.command()
@click.argument("portal")
@click.option("--pages", type=click.IntRange(3, 500), default=20, show_default=True, help="How many pages to ask for.")
@click.option(
    "--again", is_flag=True, help="Ask for nothing: look again at the latest probe's pages, by the profile as it is now."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def probe(portal: str, pages: int, again: bool, as_json: bool) -> None:
    """Take samples of a portal and say whether the whole may be crawled.

    PORTAL is a profile: o553, demo, or the path of a TOML. The pages (home, listings, articles of several categories and ages,
    an ID that cannot exist) go into the archive as in any crawl, at the portal's pace; a live portal needs WUHU_CONTACT.
    Exits 0 for go, 4 for look first, and like `scrapy crawl` when the crawl failed.

    \b
      wuhu probe demo                            beside `wuhu demo serve`
      wuhu probe jiangcheng.toml --pages 40
      wuhu probe jiangcheng.toml --again         after a change to the profile
    """
    profile = load_portal(portal)
    code = 0 if again else _crawl(portal, pages)
    report = _report(profile)
    saved = _save(report)
    if as_json:
        print_json(as_object(report, saved, portal), indent=2)
    else:
        show(report, saved, portal, kept_back=bool(code))
    sys.stdout.flush()
    if code:
        raise _failed(code)
    if not report.go:
        raise CheckFailed(
            f"{counted(sum(oddity.grave for oddity in report.oddities), 'thing')} to look at before the whole is crawled"
        )


def _crawl(portal: str, pages: int) -> int:
    """Run the probe's crawl; return 0, or 5 when the portal kept pages back. Raises WuhuError for any other end."""
    command = [sys.executable, "-m", "scrapy", "crawl", "probe", "-a", f"portal={portal}", "-a", f"pages={pages}"]
    environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "wuhu_crawler.settings"}
    with subprocess.Popen(command, env=environment, stdout=sys.stderr) as crawl, _patient(crawl):  # noqa: S603 - our own command
        code = crawl.wait()
    if code not in (0, _PORTAL_STOPPED):
        raise _failed(code)
    return code


@contextmanager
def _patient(crawl: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let a signal end the crawl, which closes its archive in order, and not us before it. Ctrl-C reaches both by itself."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: crawl.terminate()),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failed(code: int) -> WuhuError:
    # A negative one is the signal that ended it.
    error = WuhuError(f"the crawl ended with exit code {code}; what it said stands above")
    error.exit_code = code if code > 0 else Interrupted.exit_code
    return error


def _report(portal: Portal) -> Report:
    paths = ArchivePaths.from_environment()
    if revision(paths.database_url) is None:
        raise UsageError(f"there is no archive in {paths.root}: probe without --again first")
    with reading() as connection:
        crawl_id = latest(connection, portal.name)
        if crawl_id is None:
            raise UsageError(f"{paths.root} holds no probe of portal {portal.name}: probe without --again first")
        try:
            return examine(connection, paths.warc, crawl_id, portal)
        except (OSError, WarcError) as error:
            raise CheckFailed(f"the probe's pages cannot be read back: {error}") from error


def _save(report: Report) -> dict[int, Path]:
    """Write the pages to look at beside the archive, so that --explain needs no second request; return their paths."""
    folder = ArchivePaths.from_environment().reports / report.crawl_id
    saved = {}
    for number in report.to_look_at:
        path = folder / f"capture-{number}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report.samples[number].body)
        saved[number] = path
    return saved


def _explain(sample: Sample, path: Path, portal: str) -> str:
    when = sample.captured_at.isoformat(timespec="seconds")
    return f"wuhu extract {path} --url '{sample.url}' --captured-at {when} --portal {portal} --explain"


def as_object(report: Report, saved: dict[int, Path], portal: str) -> dict[str, Any]:
    """Return what --json prints."""
    look = [
        {
            "capture_id": number,
            "url": report.samples[number].url,
            "kind": report.samples[number].item.kind,
            "saved": str(path),
            "command": _explain(report.samples[number], path, portal),
        }
        for number, path in saved.items()
    ]
    return {
        "crawl_id": report.crawl_id,
        "portal": report.portal,
        "verdict": "go" if report.go else "look first",
        "kinds": report.kinds,
        "outcomes": [{"outcome": outcome, "reason": reason, "count": count} for outcome, reason, count in report.ended],
        "templates": [
            {"name": template.name, "captures": template.pages, "filled": template.filled} for template in report.templates
        ],
        "odd": [{"what": oddity.what, "grave": oddity.grave, "captures": oddity.pages} for oddity in report.oddities],
        "look_at": look,
        "pages": [
            {"capture_id": n, "url": page.url, "kind": page.item.kind, "title": page.item.title}
            for n, page in report.samples.items()
        ],
    }


def show(report: Report, saved: dict[int, Path], portal: str, *, kept_back: bool) -> None:
    """Print the report for people; `kept_back`: the portal did not give all that was asked for."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.kinds.items())
    click.secho(f"Probe {report.crawl_id} of portal {report.portal}: {kinds or 'no pages'}", bold=True)
    _coverage(report)
    click.echo()
    click.secho("What was found odd" if report.oddities else "Nothing odd was found", bold=True)
    for oddity in report.oddities:
        mark = "!" if oddity.grave else "-"
        pages = f"  [{', '.join(map(str, oddity.pages[:6]))}{', …' if len(oddity.pages) > 6 else ''}]" if oddity.pages else ""
        click.echo(f"  {mark} {oddity.what}{pages}")
    if report.oddities:
        click.echo("  (! would be stored wrongly or missed, - good to know; in brackets the captures)")
    click.echo()
    _verdict(report, saved, portal, kept_back=kept_back)


def _verdict(report: Report, saved: dict[int, Path], portal: str, *, kept_back: bool) -> None:
    if kept_back:
        click.secho("Verdict: the portal kept pages back, so probe it again later", bold=True)
    elif report.go:
        click.secho("Verdict: go", bold=True)
        click.echo(f"  scrapy crawl wuhu -a portal={portal} -a limit=20")
        if saved:
            click.echo("Worth a look all the same:")
    else:
        click.secho("Verdict: look at these pages first", bold=True)
    for number, path in saved.items():
        click.echo(f"  {_explain(report.samples[number], path, portal)}")
    if saved and not report.go:
        click.echo(f"Then mend the profile (docs/portals.md) and look again: wuhu probe {portal} --again")


def _coverage(report: Report) -> None:
    for kind in ("article", "listing"):
        told = [template for template in report.templates if template.name.startswith(kind)]
        if not told:
            continue
        click.echo()
        names = list(told[0].filled)
        head = [f"{kind} pages", "like capture", "pages", *names]
        rows = [[t.name, t.pages[0], len(t.pages), *(_share(t.filled[name], len(t.pages)) for name in names)] for t in told]
        if len(told) > 1:
            every = sum(len(t.pages) for t in told)
            rows.append(["all", "", every, *(_share(sum(t.filled[name] for t in told), every) for name in names)])
        print_table(*_turned(head, rows))


def _turned(head: list[str], rows: list[list[Any]]) -> tuple[list[str], list[list[Any]]]:
    """A table with a line a field fits any terminal, however many fields there are."""
    columns = [head[0], *(str(row[0]) for row in rows)]
    return columns, [[name, *(row[i] for row in rows)] for i, name in enumerate(head[1:], 1)]


def _share(filled: int, of: int) -> str:
    return "all" if filled == of else "none" if not filled else f"{filled} of {of}"
