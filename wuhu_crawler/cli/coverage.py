"""`wuhu coverage`: what the archive has of a portal, what it lacks, and what has gone quiet."""

from __future__ import annotations

from pathlib import Path

import click

from ..coverage import Survey, picture, survey
from ..coverage.months import UNDATED
from ..coverage.numbers import STATES, Tally
from ..coverage.picture import percent
from ..coverage.rhythm import FEWEST_SILENCES, FEWEST_WEEKS, Habit
from ..coverage.survey import Range
from ..errors import UsageError
from ..planning.gone import GoneRule
from .observed import setting
from .opened import reading
from .output import counted, print_json, print_table, remark

COLUMNS = ("known", *STATES, "unknown")
# So many runs of empty days are printed, the latest; and so many months in a row without anything are one line.
RUNS, EMPTY_MONTHS = 10, 6
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@click.command()
@click.option("--portal", metavar="NAME", help="Which portal, when the archive holds several.")
@click.option(
    "--range", "width", type=click.IntRange(1), metavar="N", help="Numbers to a row (default: what makes some 20 rows)."
)
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw it as well: numbers and months."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def coverage(portal: str | None, width: int | None, svg: Path | None, as_json: bool) -> None:
    """Tell which article numbers of a portal are captured, and which are not.

    By range of numbers and by month of publication. A number is captured; missing (the portal said it has none); error or
    blocked (its last answer settles nothing); waiting (a page shows it and it was not had whole yet); or unknown: no page has
    shown it and nobody has asked. Accounted for are the captured and the missing. Then categories gone quiet and days without
    articles, judged by the portal's own rhythm. No request is made.

    \b
      wuhu coverage                              the ranges are as wide as makes sense
      wuhu coverage --range 1000 --json
      wuhu coverage --svg coverage.svg           numbers as a strip, months as bars
    """
    with reading() as connection:
        found = survey(connection, portal, width=width, gone=GoneRule.of(setting))
    if svg is not None:
        _write(svg, picture(found))
    if as_json:
        print_json(found.as_object(), indent=2)
    else:
        _print(found)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    remark(f"drawn: {path}")


def _print(found: Survey) -> None:
    whole, total = found.space.whole, found.total
    click.secho(f"{found.portal} {found.title}", bold=True)
    click.echo(f"numbers {whole.first} to {whole.last}: {percent(total.accounted)} of {total.numbers} accounted for")
    if found.space.holes:
        click.echo(
            f"without the {counted(len(found.space.holes), 'long hole')}: {percent(found.islands.accounted)} of "
            f"{found.islands.numbers}"
        )
    if total.gone or total.unlisted:
        click.echo(f"of the captured, {total.unlisted} are in no listing, and {total.gone} are gone")
    if found.beyond:
        ended = ", ".join(f"{number} {outcome}" for outcome, number in sorted(found.beyond.items()))
        click.echo(f"asked for outside of these numbers: {ended}")
    click.echo()
    rows = [[_place(each), *_cells(each.tally)] for each in found.ranges]
    print_table(["numbers", *COLUMNS, "accounted for"], [*rows, ["all", *_cells(total)]])
    click.echo()
    print_table(["published", *COLUMNS, "accounted for"], [*_months(found.months)])
    click.echo()
    _print_rhythm(found)


def _place(each: Range) -> str:
    words = f"{each.place.first} to {each.place.last}" if len(each.place) > 1 else str(each.place.first)
    return f"{words} (hole)" if each.hole else words


def _cells(tally: Tally) -> list[object]:
    return [*(getattr(tally, name) for name in COLUMNS), percent(tally.accounted) if tally.numbers else ""]


def _months(months: dict[str, Tally]) -> list[list[object]]:
    rows: list[list[object]] = []
    empty: list[str] = []
    for month, tally in [*months.items()]:
        if not tally.numbers and month != UNDATED:
            empty.append(month)
            continue
        rows += _nothing(empty)
        empty = []
        if tally.numbers:
            rows.append([month or "not told", *_cells(tally)])
    return rows


def _nothing(months: list[str]) -> list[list[object]]:
    if len(months) <= EMPTY_MONTHS:
        return [[month, *_cells(Tally())] for month in months]
    return [[f"{months[0]} to {months[-1]}", *_cells(Tally())]]


def _print_rhythm(found: Survey) -> None:
    rhythm = found.rhythm
    if rhythm.whole is None:
        click.echo("rhythm: no captured article has a date, so nothing can be said of it")
        return
    click.echo(f"rhythm, as of {rhythm.as_of} when its listings were seen last")
    shares = ", ".join(f"{day} {share:.0%}" for day, share in zip(_WEEKDAYS, rhythm.weekdays, strict=True))
    click.echo(f"  days with articles: {shares}")
    click.echo(f"  the portal: {_habit(rhythm.whole)}")
    groups = {
        kind: [(name, each) for name, each in rhythm.categories.items() if each.quiet is kind] for kind in (True, False, None)
    }
    if groups[True]:
        of = f" as of {rhythm.whole.last}" if rhythm.whole.quiet else ""
        click.echo(f"  categories gone quiet{of}:")
        rows = [[f"    {name}", str(h.last), h.silent, h.median, h.bound] for name, h in groups[True]]
        print_table(["    category", "last article", "days silent", "usual", "99 of 100 within"], rows)
    if groups[False]:
        click.echo(f"  {counted(len(groups[False]), 'category').replace('categorys', 'categories')} in rhythm")
    if groups[None]:
        names = "、".join(name for name, _ in groups[None])
        click.echo(f"  too little history to judge (fewer than {FEWEST_SILENCES} silences): {names}")
    _print_empty(found)


def _habit(found: Habit) -> str:
    silent = f"last article {found.last}" + (f", {counted(found.silent, 'day')} before" if found.silent else "")
    if found.quiet is None:
        return f"{silent}; too little history to judge ({counted(found.silences, 'silence')})"
    verdict = "quiet" if found.quiet else "in rhythm"
    return f"{silent}: {verdict} (articles come every {counted(found.median or 0, 'day')}, 99 of 100 within {found.bound})"


def _print_empty(found: Survey) -> None:
    runs, unjudged = found.rhythm.empty, found.rhythm.unjudged
    if runs:
        days = sum(each.against for each in runs)
        click.echo(f"  {counted(days, 'day')} without articles against the rhythm, in {counted(len(runs), 'run')}; the latest:")
        for each in runs[-RUNS:]:
            words = str(each.first) if len(each) == 1 else f"{each.first} to {each.last}"
            click.echo(f"    {words}" + (f" ({each.against} of {len(each)} days)" if each.against < len(each) else ""))
    else:
        click.echo("  no day without articles is against the rhythm")
    if unjudged:
        click.echo(f"  {counted(unjudged, 'empty day')} not judged: fewer than {FEWEST_WEEKS} weeks came before")
