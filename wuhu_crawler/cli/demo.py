"""`wuhu demo`: the bundled portal. Without a subcommand: serve it, crawl it into an archive of its own, compare with truth."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from ..db import queries
from ..db.engine import make_engine
from ..demo import server, truth, world
from ..demo.edits import edited
from ..demo.life import Life
from ..errors import CheckFailed, UsageError, WuhuError
from ..extract.urls import article_id
from ..paths import ArchivePaths
from ..portals import load_portal
from .output import print_json, print_table, remark

_FOLDER = "data/demo"
_OWN = {
    "archive.db",
    "archive.db-wal",
    "archive.db-shm",
    "archive.lock",
    "warc",
    "cdx",
    "manifest-sha256.txt",
    "quarantine",
    "reports",
    "articles.jsonl",
}


_EDITS = click.option(
    "--edits",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="After so many rounds of edits (texts, titles, a new article).",
)


_DAY = click.option(
    "--day",
    type=click.IntRange(0, 3660),
    default=0,
    metavar="N",
    help="The portal on a day of its life: new articles, edits, removals, returns, new names and looks. Day 0 is 2024-04-30.",
)
_ARTICLES = click.option(
    "--articles",
    type=click.IntRange(500, 1_000_000),
    metavar="A",
    help="A large portal of so many articles in place of the bundled one (rates follow: 20 new a day at 50000).",
)


@click.group(invoke_without_command=True)
@click.option("--folder", metavar="DIR", default=_FOLDER, show_default=True, help="The archive to make anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.pass_context
def demo(context: click.Context, folder: str, as_json: bool) -> None:
    """Crawl the bundled portal into data/demo and compare what was kept with the portal's truth.

    The portal is a look-alike of a classic-ASP city portal, served on 127.0.0.1 only. Exits 4 when a count differs.
    """
    if context.invoked_subcommand is None:
        _run(Path(folder), as_json)


@demo.command()
@click.option("--port", type=click.IntRange(0, 65535), default=server.PORT, show_default=True, help="0 picks a free one.")
@click.option(
    "--latency", "latency", type=click.IntRange(0, 60000), default=0, metavar="MS", help="Wait so long before each answer."
)
@click.option("--faults", is_flag=True, help="Serve broken responses under /faults/ too.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Append a line a request to this file.")
@_EDITS
@_DAY
@_ARTICLES
def serve(port: int, latency: int, faults: bool, log: Path | None, edits: int, day: int, articles: int | None) -> None:
    """Serve the bundled portal until Ctrl-C or SIGTERM."""
    _refuse_both(edits, day, articles)
    server.serve(
        port,
        latency_ms=latency,
        faults=faults,
        log=log,
        edits=edits,
        day=day,
        articles=articles,
        ready=lambda url: remark(f"serving {url} (stop with Ctrl-C)"),
    )


@demo.command("truth")
@click.option(
    "--summary", is_flag=True, help="Print the counts a crawl must meet instead; of --events, how often what happened."
)
@click.option("--events", is_flag=True, help="Print what happened until that day instead, one event a line.")
@_EDITS
@_DAY
@_ARTICLES
def show_truth(summary: bool, events: bool, edits: int, day: int, articles: int | None) -> None:
    """Print every article's true fields as JSON lines; needs no server. `listed` is false for those no listing shows.

    --day N tells the truth of that day, --events how the portal has come there from day 0: which day, what, which ID.
    """
    _refuse_both(edits, day, articles)
    lives = Life.of(articles)
    if events:
        happened = [event for number in range(day + 1) for event in lives.events(number)]
        if summary:
            print_json(truth.happenings(happened), indent=2)
        for event in [] if summary else happened:
            print_json(event.row())
        return
    model = edited(world.SEED, edits) if edits else lives.world(day)
    if summary:
        print_json(truth.summary(model), indent=2)
        return
    for row in truth.rows(model):
        print_json(row)


def _refuse_both(edits: int, day: int, articles: int | None) -> None:
    if edits and (day or articles):
        raise UsageError("--edits changes the portal as built: give it without --day and --articles")


def _run(folder: Path, as_json: bool) -> None:
    _clear(folder)
    handle = server.start(port=0)
    try:
        remark(f"serving the bundled portal on {handle.url}")
        environment = {
            **os.environ,
            "WUHU_DEMO_URL": handle.url,
            "WUHU_DATA_DIR": str(folder),
            "WUHU_DATABASE_URL": "",
            "SCRAPY_SETTINGS_MODULE": "wuhu_crawler.settings",
        }
        feed = f"{folder / 'articles.jsonl'}:jsonlines"
        command = [sys.executable, "-m", "scrapy", "crawl", "wuhu", "-a", "portal=demo", "-O", feed]
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - our own command
    finally:
        handle.stop()
    if code:
        raise _crawl_failed(code)
    rows = _compare(folder)
    if as_json:
        print_json([dict(zip(("what", "kept", "truth"), row, strict=True)) for row in rows], indent=2)
    else:
        _print_result(folder, rows)
    wrong = [row[0] for row in rows if row[1] != row[2]]
    if wrong:
        raise CheckFailed(f"the archive differs from the portal's truth in: {', '.join(wrong)}")


def _crawl_failed(code: int) -> WuhuError:
    error = WuhuError(f"the crawl ended with exit code {code}")
    error.exit_code = code
    return error


def _clear(folder: Path) -> None:
    """Remove an earlier demo archive; refuse a folder that holds anything else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give another --folder")
    strange = sorted(path.name for path in folder.iterdir() if path.name not in _OWN)
    if strange:
        raise UsageError(f"{folder} holds other things ({', '.join(strange[:3])}); give another --folder or move them")
    remark(f"{folder} is made anew")
    shutil.rmtree(folder)


def _compare(folder: Path) -> list[tuple[str, Any, Any]]:
    """Return (what, kept, truth) for everything a whole crawl of links must have found."""
    facts = truth.summary(world.build())
    engine = make_engine(ArchivePaths.of(folder).database_url, readonly=True)
    with engine.connect() as connection:
        kept = set(queries.article_ids(connection, "demo"))
        missing = _numbers(queries.ended(connection, "demo", "missing"))
        broken = _numbers(queries.ended(connection, "demo", "failed"))
        counts = queries.counts(connection)
    engine.dispose()
    linked = set(facts["linked_dead"])
    known = kept | missing | broken
    everything = set(range(facts["first_id"], facts["last_id"] + 1))
    return [
        ("articles", len(kept), facts["articles_listed"]),
        ("article versions", counts["article_version"], facts["articles_listed"]),
        ("gaps (IDs no page links to)", len(everything - known), len(facts["gaps"])),
        ("soft-404s met", len(missing), len(linked & set(facts["missing"]))),
        ("portal error pages met", len(broken), len(linked & set(facts["portal_errors"]))),
    ]


def _numbers(urls: list[str]) -> set[int]:
    """The article IDs among URLs of the bundled portal."""
    portal = load_portal("demo")
    return {number for url in urls if (number := article_id(url, portal)) is not None}


def _print_result(folder: Path, rows: list[tuple[str, Any, Any]]) -> None:
    click.echo()
    print_table(["", "kept", "truth"], [list(row) for row in rows])
    warc = sorted((folder / "warc").glob("*.warc.gz"))
    click.echo(f"\nWARC      {', '.join(map(str, warc))}")
    click.echo(f"database  {folder / 'archive.db'}")
    click.echo(f"feed      {folder / 'articles.jsonl'}\n")
    click.echo("Try next:")
    for command in (f"wuhu --data {folder} search 芜湖", f"wuhu --data {folder} show 12393", f"wuhu --data {folder} status"):
        click.echo(f"  .venv/bin/{command}")
