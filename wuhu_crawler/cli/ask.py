"""`wuhu ask`: the saved questions, listed, explained, printed as SQL, and asked."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import click
from sqlalchemy.engine import make_url

from ..db.scope import Scope
from ..errors import UsageError
from ..paths import ArchivePaths
from ..questions import OURS, Parameter, Question, Value, answer, folders_of, load, runnable, values
from .observed import setting
from .opened import reading
from .output import counted, print_json, print_table, remark
from .scoped import scoped

# As many rows of a table as fit a screen; all go to a program.
_SHOWN = 50
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d{6}Z")
_OTHERS = "Yours"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[NAME] [--PARAMETER VALUE]...")
@click.option("-p", "given", multiple=True, metavar="NAME=VALUE", help="A parameter, the other way to give one.")
@click.option("--about", is_flag=True, help="Explain the question, its parameters and its columns.")
@click.option("--sql", "as_sql", is_flag=True, help="Print the query, ready to be run in a shell of the database.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@click.option(
    "--limit",
    type=click.IntRange(0),
    help=f"How many rows are printed, 0 = all.  [default: {_SHOWN} of a table, all of JSON and CSV]",
)
@click.option("--folder", "folders", multiple=True, type=click.Path(path_type=Path), help="A folder of questions of your own.")
@scoped
def ask(
    words: tuple[str, ...],
    given: tuple[str, ...],
    folders: tuple[Path, ...],
    limit: int | None,
    scope: Scope,
    *,
    about: bool,
    as_sql: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Ask the archive a saved question; without a NAME, list them.

    \b
    wuhu ask                                           what can be asked
    wuhu ask most-read --about                         what it means, and its parameters
    wuhu ask most-read --category 教育信息 --top 10
    wuhu ask edited -p since=2024-03-01 --csv > edited.csv
    wuhu ask articles-per-month --as-of 2024-03-01     as the archive stood then
    wuhu ask reporters --sql                           the query itself

    Questions of your own are SQL files in the folder `questions` of the archive, in WUHU_QUESTIONS_DIR, or in --folder DIR; see
    docs/questions.md. One may take as long as WUHU_ASK_SECONDS says (60).
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other: choose one")
    paths = ArchivePaths.from_environment()
    name, told = _understood(words, given)
    found, problems = _found([*folders_of(paths.root), *folders])
    if name is None:
        _list(found, problems, told, as_json=as_json)
        return
    question = _chosen(name, found, problems)
    asked = values(question, told)
    if about:
        _explain(question, as_json=as_json)
    elif as_sql:
        dialect = make_url(paths.database_url).get_backend_name()
        click.echo(runnable(question, dialect, asked, scope))
    else:
        _ask(question, asked, scope, limit, "json" if as_json else "csv" if as_csv else "table")


def _understood(words: Sequence[str], given: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """Return the question's name, None without one, and its parameters in the user's words."""
    names: list[str] = []
    told: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            told[_parameter(name, told)] = value if equals else _value(name, rest)
        elif word.startswith("-"):
            raise UsageError(f"there is no option {word}: a parameter is given as --NAME VALUE, or -p NAME=VALUE")
        else:
            names.append(word)
    for word in given:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"-p {word}: give a parameter as -p NAME=VALUE")
        told[_parameter(name, told)] = value
    if len(names) > 1:
        raise UsageError(f"{names[1]!r} is too much: one question at a time, and its parameters as --NAME VALUE")
    return (names[0] if names else None), told


def _parameter(name: str, told: dict[str, str]) -> str:
    name = name.replace("-", "_")
    if name in told:
        raise UsageError(f"the parameter {name} is given twice")
    return name


def _value(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise UsageError(f"--{name} needs a value")
    return value


def _found(folders: list[Path]) -> tuple[dict[str, Question], list[str]]:
    problems: list[str] = []
    return load(folders, problems.append), problems


def _chosen(name: str, found: dict[str, Question], problems: list[str]) -> Question:
    """Return the question of that name. What is wrong with its file, or which one it takes the place of, is told."""
    about = [problem for problem in problems if f"{name}.sql" in problem]
    if name not in found:
        if about:
            raise UsageError(about[0])
        close = get_close_matches(name, found, 1)
        instead = f": did you mean {close[0]}?" if close else "; `wuhu ask` lists those there are"
        raise UsageError(f"there is no question {name!r}{instead}")
    for problem in about:
        remark(problem)
    return found[name]


def _list(found: dict[str, Question], problems: list[str], told: dict[str, str], *, as_json: bool) -> None:
    if told:
        raise UsageError(f"--{next(iter(told))}: name the question it is for")
    if as_json:
        print_json([_facts(question) for question in found.values()], indent=2)
    else:
        _print_list(found)
    for problem in problems:
        remark(problem)


def _print_list(found: dict[str, Question]) -> None:
    ordered = sorted(found.values(), key=lambda question: (question.group == _OTHERS, question.group, question.name))
    width = max(len(question.name) for question in ordered)
    for group, questions in groupby(ordered, key=lambda question: question.group):
        click.secho(group, bold=True)
        for question in questions:
            parameters = ", ".join(parameter.name for parameter in question.parameters)
            click.echo(f"  {question.name:<{width}}  {question.title}" + (f" ({parameters})" if parameters else ""))
        click.echo()
    remark("`wuhu ask NAME --about` explains one, `wuhu ask NAME` asks it")


def _facts(question: Question) -> dict[str, Any]:
    kinds = ("name", "kind", "choices", "default", "meaning")
    return {
        "name": question.name,
        "group": question.group,
        "title": question.title,
        "description": question.description,
        "parameters": [{kind: getattr(parameter, kind) for kind in kinds} for parameter in question.parameters],
        "columns": dict(question.columns),
        "file": question.file.name if question.file.parent == OURS else str(question.file),
    }


def _explain(question: Question, *, as_json: bool) -> None:
    if as_json:
        print_json(_facts(question), indent=2)
        return
    click.secho(question.title, bold=True)
    if question.description:
        click.echo(f"\n{question.description}")
    if question.parameters:
        click.echo()
        rows = [[f"--{each.name}", _kind(each), each.default, each.meaning] for each in question.parameters]
        print_table(["parameter", "kind", "default", "meaning"], rows)
    if question.columns:
        click.echo()
        print_table(["column", "meaning"], [list(each) for each in question.columns.items()])
    if question.file.parent != OURS:
        click.echo(f"\nfrom {question.file}")


def _kind(parameter: Parameter) -> str:
    return " | ".join(parameter.choices) or parameter.kind


def _ask(question: Question, asked: dict[str, Value], scope: Scope, limit: int | None, form: str) -> None:
    most = (limit or None) if limit is not None else (_SHOWN if form == "table" else None)
    with reading() as connection:
        columns, rows = answer(connection, question, asked, scope, setting("WUHU_ASK_SECONDS"))
        shown = islice(rows, most)
        if form == "csv":
            _print_csv(columns, shown)
        elif form == "json":
            told = {"question": question.name, "parameters": asked, "until": scope.until_text}
            print_json({**told, "columns": columns, "rows": [dict(zip(columns, row, strict=True)) for row in shown]}, indent=2)
        else:
            _print_rows(columns, [list(row) for row in shown], more=next(rows, None) is not None)


def _print_csv(columns: list[str], rows: Iterator[Any]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _print_rows(columns: list[str], rows: list[list[Any]], *, more: bool) -> None:
    print_table(columns, [[_cell(cell) for cell in row] for row in rows])
    remark(f"the first {counted(len(rows), 'row')}; --limit 0 prints all" if more else counted(len(rows), "row"))


def _cell(value: Any) -> Any:
    """Return a value as it stands in a table: one line, a time of ours without fractions of a second."""
    if not isinstance(value, str):
        return value
    moment = _MOMENT.fullmatch(value)
    return f"{moment[1]}T{moment[2]}Z" if moment else " ".join(value.split("\n"))
