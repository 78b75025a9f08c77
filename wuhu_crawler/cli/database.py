"""`wuhu db`: the database's own upkeep."""

from __future__ import annotations

import click

from ..db import canonical, engine, search
from ..db.failures import translated
from ..errors import CheckFailed, UsageError
from ..paths import ArchiveLock, ArchivePaths
from .output import counted, print_json, remark


@click.group()
def db() -> None:
    """Upgrade, check or reindex the database. It is derived from the WARC files and can be made again from them."""


@db.command()
def upgrade() -> None:
    """Bring the database to this program's revision (a crawl does it by itself). An older one is backed up first."""
    paths = ArchivePaths.from_environment()
    before = engine.revision(paths.database_url)
    lock = ArchiveLock(paths.root)
    try:
        engine.upgrade(paths.database_url)
    finally:
        lock.release()
    after = engine.revision(paths.database_url)
    was = "" if before == after else f" (was {before or 'not there'})"
    remark(f"{engine.shown(paths.database_url)} is at revision {after}{was}")


@db.command()
def reindex() -> None:
    """Make the full-text index anew from the latest versions; needed when `wuhu db check` says so."""
    paths = ArchivePaths.from_environment()
    engine.require_current(paths.database_url)
    lock = ArchiveLock(paths.root)
    try:
        opened = engine.make_engine(paths.database_url)
        with translated(), opened.begin() as connection:
            number = search.reindex(connection)
        opened.dispose()
    finally:
        lock.release()
    remark(f"{counted(number, 'article')} indexed")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def check(as_json: bool) -> None:
    """Check integrity, foreign keys, schema and search index; exits 4 when something is wrong."""
    paths = ArchivePaths.from_environment()
    if engine.revision(paths.database_url) is None:
        raise UsageError(f"there is no database at {engine.shown(paths.database_url)}")
    problems = engine.check(paths.database_url)
    if as_json:
        print_json({"database": engine.shown(paths.database_url), "problems": problems}, indent=2)
    for problem in problems if not as_json else ():
        click.echo(problem)
    if problems:
        raise CheckFailed(f"{len(problems)} problems found")
    if not as_json:
        click.echo("ok")


@db.command()
@click.option("--canonical", "is_canonical", is_flag=True, required=True, help="The one form there is; see docs/database.md.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table (may be given several times).")
def dump(*, is_canonical: bool, tables: tuple[str, ...]) -> None:
    """Print what the archive knows, one JSON object a row: the same for every database made from the same WARC files.

    Compare a live database with a rebuilt one by `cmp` or `diff` of their dumps.
    """
    known = {found.name for found in canonical.tables()}
    if strange := sorted(set(tables) - known):
        raise UsageError(f"--table {strange[0]}: the dump has {', '.join(sorted(known))}")
    paths = ArchivePaths.from_environment()
    engine.require_current(paths.database_url)
    opened = engine.make_engine(paths.database_url, readonly=True)
    try:
        with translated(), opened.connect() as connection:
            for line in canonical.lines(connection, tables):
                click.echo(line)
    finally:
        opened.dispose()
