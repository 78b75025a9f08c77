"""Commands that read an archive: `show`, `search`, `status`. They open the database read-only and never take the lock."""

from __future__ import annotations

from typing import Any

import click

from ..db import queries
from ..db import search as index
from ..errors import UsageError
from ..paths import ArchiveLock, ArchivePaths
from ..planning.gone import GoneRule, standings
from ..recovery import behind
from . import observed
from .opened import reading
from .output import counted, print_json, print_table, remark
from .provenance import print_provenance

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.command()
@click.argument("article_id", type=click.IntRange(1, (1 << 63) - 1))
@click.option("--portal", metavar="NAME", help="Which portal's article, when the archive holds several.")
@click.option("--provenance", is_flag=True, help="Show where the bytes of each version lie, instead of the text.")
@click.option("--history", is_flag=True, help="Show every observation: when it was asked for, and what the portal answered.")
@click.option("--views", is_flag=True, help="Show the view counter as a series, with its rate and where it went back.")
@_JSON
def show(article_id: int, portal: str | None, provenance: bool, history: bool, views: bool, as_json: bool) -> None:
    """Show an article by the portal's own number: its latest version, as text or as the article JSON.

    With --provenance: of every version the WARC record it was read from, with file, offset, length, digests and crawl, and the
    command that reads that record with nothing but dd and gunzip. `wuhu cat CAPTURE` prints the recorded bytes.

    `standing` says whether the portal still has it: it is missing from the first answer that it is not there, and gone after
    three such answers over seven days (WUHU_GONE_OBSERVATIONS, WUHU_GONE_DAYS). Its last version stays.
    """
    if provenance + history + views > 1:
        raise UsageError("--provenance, --history and --views exclude each other: choose one")
    with reading() as connection:
        if history or views:
            asked = observed.asked_of(connection, article_id, portal)
            (observed.print_history if history else observed.print_views)(connection, article_id, asked, as_json=as_json)
            return
        article = queries.article(connection, article_id, portal)
        versions = queries.provenance(connection, article_id, portal) if provenance else []
        standing = None if article is None else observed.standing(connection, article["portal"], article_id)
    if article is None:
        raise UsageError(f"article {article_id} is not in the archive; `wuhu search` and `wuhu status` tell what is")
    if provenance:
        print_provenance(versions, as_json=as_json)
    elif as_json:
        print_json(article, indent=2)
    else:
        _print_article(article, standing)


def _print_article(article: dict[str, Any], standing: str | None) -> None:
    click.secho(article["title"] or "(no title)", bold=True)
    facts = {
        "published": article["published_at"] or article["published_text"],
        "source date": article["source_date"],
        "category": article["category"],
        "views": article["views"],
        "outlets": "、".join(article["outlets"]),
        "credits": "; ".join(f"{credit['role']} {credit['name']}" for credit in article["credits"]),
        "url": article["url"],
        "captured": f"{article['captured_at']} (capture {article['capture_id']})",
        "standing": standing,
    }
    for name, value in facts.items():
        if value not in (None, ""):
            click.echo(f"{name + ':':<13}{value}")
    click.echo()
    for paragraph in article["paragraphs"]:
        click.echo(f"{paragraph}\n")
    for kind in ("images", "attachments"):
        for link in article[kind]:
            click.echo(f"[{kind[:-1]}] {link['text']} {link['url']}".replace("  ", " "))


@click.command()
@click.argument("term", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many results.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Skip so many results.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many articles match.")
@_JSON
def search(term: tuple[str, ...], limit: int, offset: int, only_count: bool, as_json: bool) -> None:
    """Search title and body of the latest versions. Any Chinese word of one or more characters is found.

    Several words must all occur. Hits stand between [ and ].
    """
    words = " ".join(term)
    with reading() as connection:
        total = index.count(connection, words)
        rows = [] if only_count else index.search(connection, words, limit, offset)
    if only_count:
        print_json({"count": total}) if as_json else click.echo(total)
    elif as_json:
        print_json({"query": words, "count": total, "offset": offset, "results": rows}, indent=2)
    else:
        for row in rows:
            click.echo(f"{row['article_id']}  {(row['published_at'] or '')[:10]}  {row['category'] or ''}")
            click.secho(f"  {row['title']}", bold=True)
            click.echo(f"  {row['snippet']}\n")
        remark(counted(total, "article") + (f", shown {offset + 1} to {offset + len(rows)}" if rows else ""))


@click.command()
@_JSON
def status(as_json: bool) -> None:
    """Tell what the archive holds: crawls, articles, versions, captures, WARC size, the last run."""
    paths = ArchivePaths.from_environment()
    with reading() as connection:
        state = queries.status(connection)
        crawls = queries.crawls(connection, limit=10)
        positions = queries.warc_positions(connection)
        rule = GoneRule.of(observed.setting)
        for portal in state["portals"]:
            portal.update(standings(connection, portal["name"], rule))
    files = sorted(paths.warc.glob("*.warc.gz*")) if paths.warc.is_dir() else []
    state["warc_files"] = len(files)
    state["warc_bytes"] = sum(file.stat().st_size for file in files)
    state["folder"] = str(paths.root)
    state["writer"] = ArchiveLock.holder(paths.root)
    state["behind"] = {} if state["writer"] is not None else behind(paths, positions)
    state["crawls_listed"] = crawls
    if as_json:
        print_json(state, indent=2)
    else:
        _print_status(state, crawls)


def _print_status(state: dict[str, Any], crawls: list[dict[str, Any]]) -> None:
    click.echo(f"archive   {state['folder']}")
    for portal in state["portals"]:
        click.echo(f"portal    {portal['name']} {portal['title']}: {counted(portal['articles'], 'article')}{_lost(portal)}")
    click.echo(
        f"database  {counted(state['articles'], 'article')} in {counted(state['versions'], 'version')}, "
        f"{counted(state['captures'], 'capture')}, {counted(state['crawls'], 'crawl')}"
    )
    click.echo(f"warc      {counted(state['warc_files'], 'file')}, {state['warc_bytes'] / 1e6:.1f} MB")
    click.echo("outcomes  " + ", ".join(f"{count} {kind}" for kind, count in state["outcomes"].items()) + "\n")
    writer = state["writer"]
    rows = [
        [c["id"], c["portal"], c["job"], _standing(c, writer), c["captures"], c["started_at"][:19], _resume(c, writer)]
        for c in crawls
    ]
    print_table(["crawl", "portal", "job", "status", "captures", "started (UTC)", "to go on"], rows)
    run = state["last_run"]
    if run:
        going = "still going" if writer is not None else "broken off: killed, or stopped by a full disk or a storage error"
        ended = going if run["exit_code"] is None else f"{run['reason']}, exit code {run['exit_code']}"
        click.echo(f"\nlast run  {run['id']} of {run['crawl_id']}: {ended}")
    if writer is not None:
        click.echo(f"writing   process {writer}")
    elif state["behind"]:
        size = sum(state["behind"].values())
        click.echo(f"not yet   {size} bytes of {counted(len(state['behind']), 'WARC file')}: the next crawl takes them in")


def _lost(portal: dict[str, Any]) -> str:
    """The articles the portal does not have any more, in words; nothing where it has all."""
    return "".join(f", {portal[word]} {word}" for word in ("missing", "gone") if portal[word])


def _standing(crawl: dict[str, Any], writer: int | None) -> str:
    return "broken off" if crawl["status"] == "running" and writer is None else str(crawl["status"])


def _resume(crawl: dict[str, Any], writer: int | None) -> str:
    if crawl["status"] == "finished" or (crawl["status"] == "running" and writer is not None):
        return ""
    return f"scrapy crawl {crawl['job']} -a portal={crawl['portal']} -a resume={crawl['id']}"
