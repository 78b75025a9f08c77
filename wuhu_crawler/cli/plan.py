"""`wuhu plan`: what tonight's crawls will ask for, what that should bring and mean; afterwards planned against done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from sqlalchemy import Connection, text

from .. import clock
from ..errors import UsageError
from ..planning import record
from ..planning.gone import GoneRule
from ..planning.intervals import Rule
from ..planning.plan import Backlog, Part, Plan, Rules, make
from ..portals import load_portal
from .observed import setting
from .opened import reading
from .output import counted, print_json, print_table

_KNOWN = text("SELECT name FROM portal ORDER BY name")
_CRAWL = text("SELECT id, portal, job, status FROM crawl WHERE id = :id")
_LAST = text(
    """
    SELECT w.id, w.portal, w.job, w.status FROM crawl w
    WHERE EXISTS (SELECT 1 FROM plan p WHERE p.crawl_id = w.id) AND (CAST(:portal AS VARCHAR(64)) IS NULL OR w.portal = :portal)
    ORDER BY w.started_at DESC, w.id DESC LIMIT 1
    """
)


@click.command()
@click.option("--portal", metavar="NAME", help="Which portal, when the archive holds several.")
@click.option(
    "--budget", type=click.IntRange(1), metavar="N", help="No more requests than that in all (default: by the settings)."
)
@click.option("--crawl", "crawl_id", metavar="ID|last", help="Show what a crawl had planned, and what became of it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def plan(portal: str | None, budget: int | None, crawl_id: str | None, as_json: bool) -> None:
    """Tell how many requests tonight's crawls make, where they go, and what they should bring.

    From the archive's own history; no request is made. Listings are read to know what is new; what is new and what is owed is
    fetched; numbers no page has shown are tried (gaps); known articles are asked again when they are due (rechecks). A --budget
    is used in this order, gaps and re-checks sharing the rest. The plan tells what that means for the age of an edit nobody has
    seen yet. Crawls make the same plan when they begin: `--crawl last` holds it against what was done.

    \b
      wuhu plan
      wuhu plan --budget 500
      wuhu plan --crawl last --json
    """
    with reading() as connection:
        if crawl_id is not None:
            _show_crawl(connection, crawl_id, portal, as_json=as_json)
            return
        found = make(connection, _portal(connection, portal), clock.now(), _rules(connection, portal), budget)
    if as_json:
        print_json(found.as_object(), indent=2)
    else:
        _print(found)


def _portal(connection: Connection, portal: str | None) -> str:
    names = list(connection.execute(_KNOWN).scalars())
    if not names:
        raise UsageError("the archive is empty, so there is nothing to plan from: crawl first")
    if portal is None and len(names) > 1:
        raise UsageError(f"the archive holds several portals: name one of {', '.join(names)} with --portal")
    if portal is not None and portal not in names:
        raise UsageError(f"the archive holds nothing of portal {portal}: it has {', '.join(names)}")
    return portal or names[0]


def _rules(connection: Connection, portal: str | None) -> Rules:
    return Rules(
        gaps=int(setting("WUHU_GAPS_BUDGET")) if _has_article_url(_portal(connection, portal)) else None,
        rechecks=int(setting("WUHU_RECHECK_BUDGET")),
        beyond=int(setting("WUHU_GAPS_BEYOND")),
        owed=timedelta(days=setting("WUHU_OWED_DAYS")),
        intervals=Rule.of(setting),
        gone=GoneRule.of(setting),
    )


def _has_article_url(portal: str) -> bool:
    """Tell whether the profile says how a number is asked for; one that is not bundled is taken to."""
    try:
        return load_portal(portal).article_url is not None
    except UsageError:
        return True


def _print(found: Plan) -> None:
    budget = "" if found.budget is None else f", budget {found.budget}"
    click.secho(f"{found.portal}: {counted(found.requests, 'page')} to ask for tonight{budget}", bold=True)
    rows = [[part.name, _number(part.planned), _expected(part), part.by] for part in found.parts]
    print_table(["part", "pages", "should bring", "by"], rows)
    for part in found.parts:
        if part.skipped:
            click.echo(f"{part.name}, not asked: {_reasons(part.skipped)}")
    click.echo()
    _print_backlog(found.backlog)
    click.echo("\nTo do it:")
    for line in _commands(found):
        click.echo(f"  {line}")


def _expected(part: Part) -> str:
    if part.planned == 0 and not part.expected:
        return ""
    return "?" if part.expected is None else record.counted(float(part.expected), record.UNITS[part.name])


def _number(number: int | None) -> str:
    return "?" if number is None else str(number)


def _reasons(skipped: dict[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in sorted(skipped.items(), key=lambda pair: -pair[1]))


def _print_backlog(found: Backlog) -> None:
    click.echo(
        f"{counted(found.known, 'known article')}: {found.due} due tonight, {found.overdue} overdue; their intervals ask for "
        f"{found.demand:.0f} a night"
    )
    if found.stretch is None:
        click.echo("with this budget nothing is asked again: an edit nobody announces is never seen")
        return
    if found.stretch > 1:
        click.echo(f"the budget is smaller, so that every interval is {found.stretch:.1f} times as long")
    click.echo("when an edit or a removal nobody announces is seen, by how long the article was unchanged before (days):")
    rows = [
        [f"  {delay.age}", f"{delay.interval:.0f}", f"{delay.mean:.1f}", f"{delay.worst:.0f}"]
        for delay in found.delays
    ]  # fmt: skip
    print_table(["  unchanged", "asked every", "seen after, on average", "at the latest"], rows)


def _commands(found: Plan) -> list[str]:
    lines = [f"scrapy crawl wuhu -a portal={found.portal}"]
    for job, name in (("gaps", "gaps"), ("recheck", "rechecks")):
        planned = found.part(name).planned
        if planned:
            budget = "" if found.budget is None else f" -a budget={planned}"
            lines.append(f"scrapy crawl {job} -a portal={found.portal}{budget}")
    return lines


def _show_crawl(connection: Connection, crawl_id: str, portal: str | None, *, as_json: bool) -> None:
    row = connection.execute(*((_LAST, {"portal": portal}) if crawl_id == "last" else (_CRAWL, {"id": crawl_id}))).one_or_none()
    if row is None:
        what = (
            "no crawl with a plan is in the archive yet"
            if crawl_id == "last"
            else f"there is no crawl {crawl_id} in the archive"
        )
        raise UsageError(f"{what}; `wuhu status` lists the crawls")
    rows = record.rows(connection, row.id)
    if not rows or any(each["done"] is None for each in rows):
        # Still going, killed, or of a version that made no plans: what became of it is in its outcomes.
        rows = record.settled(connection, row.id, clock.now())
    if as_json:
        print_json({**row._asdict(), "parts": [record.as_object(each) for each in rows]}, indent=2)
    else:
        _print_crawl(row, rows)


def _print_crawl(crawl: Any, rows: list[record.Row]) -> None:
    click.secho(f"crawl {crawl.id} ({crawl.job} of {crawl.portal}, {crawl.status})", bold=True)
    if not rows:
        click.echo("it asked for nothing")
        return
    expected = ["?" if row["expected"] is None else f"{row['expected']:.1f}" for row in rows]
    table = [
        [row["part"], _number(row["planned"]), row["done"], e, record.counted(row["brought"], record.UNITS[row["part"]])]
        for row, e in zip(rows, expected, strict=True)
    ]
    print_table(["part", "planned", "done", "expected", "brought"], table)
    for row in rows:
        if row["skipped"]:
            click.echo(f"{row['part']}, not asked or in vain: {_reasons(row['skipped'])}")
