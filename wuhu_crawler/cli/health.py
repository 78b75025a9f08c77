"""`wuhu health`: whether anything is odd, with the evidence, and an exit code for those who only want to be told."""

from __future__ import annotations

import json
from typing import Any

import click

from .. import clock
from ..errors import HealthAttention, HealthBroken, UsageError
from .opened import reading
from .output import print_json

_TITLES = {"well": "well", "attention": "needs attention", "broken": "broken", "early": "too early to judge"}


@click.command()
@click.option("--portal", metavar="NAME", help="Only this portal.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def health(portal: str | None, as_json: bool) -> None:
    """Say whether anything is odd: the latest run of every job, held against the runs before it, and the archive as a whole.

    Every finding comes with what was expected, what was seen and since when. A job is judged once 14 whole runs came before.
    Exit code 0: well, or too early to judge; 20: something needs attention; 21: something is broken.

    \b
      wuhu health || echo "look at the archive"
      wuhu health --portal o553 --json
    """
    told = _told(portal)
    if as_json:
        print_json(told, indent=2)
    else:
        _print(told)
    worst = {part["verdict"] for part in (*told["jobs"], told["archive"])}
    if "broken" in worst:
        raise HealthBroken("something is broken, see above")
    if "attention" in worst:
        raise HealthAttention("something needs attention, see above")


def _told(portal: str | None) -> dict[str, Any]:
    from ..health.findings import verdict
    from ..health.judge import of_enough
    from ..health.standing import damage, fixity, latest, overdue
    from ..report.make import before

    now, jobs = clock.now(), []
    with reading() as connection:
        for report in latest(connection, portal):
            facts, findings = _loaded(report["facts"]), _loaded(report["findings"])
            runs, needed = of_enough(before(connection, facts))
            late = overdue(connection, report["portal"], report["job"], now)
            verdicts = {report["verdict"], verdict([late], judged=True) if late else report["verdict"]}
            said = next(each for each in ("broken", "attention", "well", "early") if each in verdicts)
            jobs.append(
                {
                    **{name: report[name] for name in ("portal", "job", "run_id")},
                    "verdict": said,
                    "started_at": facts["run"]["started_at"],
                    "history": {"runs": runs, "needed": needed},
                    "findings": [*findings, *([late.as_object()] if late else [])],
                    "disk_days_left": facts["space"]["days_left"],
                }
            )
        checked = fixity(connection, now)
    if not jobs:
        of = f" of portal {portal}" if portal else ""
        raise UsageError(f"there is no report of a run{of} yet: a crawl makes one at its end")
    found = list(damage(checked))
    archive = {
        "verdict": verdict(found, judged=True),
        "fixity": checked,
        "findings": [finding.as_object() for finding in found],
    }
    return {"made_at": now.isoformat(timespec="seconds"), "jobs": jobs, "archive": archive}


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _print(told: dict[str, Any]) -> None:
    for job in told["jobs"]:
        history = job["history"]
        few = (
            ""
            if history["runs"] >= history["needed"]
            else f": too little history ({history['runs']} of {history['needed']} runs)"
        )
        click.secho(f"{job['job']} of {job['portal']}, run {job['run_id']}: {_TITLES[job['verdict']]}{few}", bold=True)
        _print_findings(job["findings"])
    archive, days = told["archive"], [job["disk_days_left"] for job in told["jobs"] if job["disk_days_left"] is not None]
    click.secho(f"the archive: {_TITLES[archive['verdict']]}", bold=True)
    _print_findings(archive["findings"])
    if archive["fixity"]:
        click.echo(f"  files last checked {archive['fixity']['days']:g} days ago: {archive['fixity']['status']}")
    if days:
        click.echo(f"  the disk lasts for {min(days)} days if the archive grows as it did")


def _print_findings(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        click.echo(f"  {finding['level']}: {finding['text']}")
        for url in finding["evidence"].get("examples", [])[:3]:
            click.echo(f"    for instance {url}")
