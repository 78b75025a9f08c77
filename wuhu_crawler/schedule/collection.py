"""The collection file `wuhu.toml`: which portals an archive keeps, by which jobs, when, and who is told. Read and checked here.

Everything has a default, so an empty file keeps the bundled profile o553 every night; the keys are in keys.py.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ..errors import UsageError
from ..portals import Portal, load_portal
from .calendar import require_scheduler, when
from .jobs import KINDS, WALKS, Collection, Job, Mail, Notify, Retention, Secret, Webhook
from .keys import JOB, MAIL, NOTIFY, POLITENESS, RETENTION, TOP, WEBHOOK, Key, near
from .lines import line_of

NAME = "wuhu.toml"
# The jobs that are there without being written.
DEFAULT_JOBS: Mapping[str, Mapping[str, Any]] = {
    "walk": {"when": "daily 01:00"},
    "recheck": {"when": "daily 01:00"},
    "gaps": {"when": "daily 01:00"},
    "verify": {"when": "monthly 1 06:00"},
}
DEFAULT_PORTALS = ("o553",)
_JOB_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SECTIONS = ("politeness", "jobs", "retention", "notify")


class Problem(NamedTuple):
    """What is wrong with the file: the line it stands in (0 = the file as a whole), and a sentence with the mend."""

    line: int
    text: str


def load(file: Path) -> Collection:
    """Return the collection a file describes. Raises UsageError with the first problem; see `read`."""
    collection, problems = read(file)
    if collection is None:
        problem = min(problems)
        more = f" (and {len(problems) - 1} more: `wuhu config check`)" if len(problems) > 1 else ""
        raise UsageError(f"{place(file, problem)}: {problem.text}{more}")
    return collection


def read(file: Path) -> tuple[Collection | None, list[Problem]]:
    """Return the collection, and what is wrong with the file in the order of its lines: one of the two is empty.

    Raises UsageError when there is no such file.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"there is no collection file {file}: `wuhu init` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the collection file {file} cannot be read: {error}") from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_not_toml(error, text)]
    require_scheduler()
    reader = _Reader(file, text)
    collection = reader.collection(tables)
    return (None if reader.problems else collection), sorted(reader.problems)


def place(file: Path, problem: Problem) -> str:
    """Return where a problem is, as editors and compilers write it."""
    return f"{file}:{problem.line}" if problem.line else str(file)


def _not_toml(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    words = str(error).partition(" (at ")[0]
    # An error "at end of document" stands in its last line.
    return Problem(
        int(found[1]) if found else max(1, len(text.splitlines())),
        f"this is no TOML: {words}{f', column {found[2]}' if found else ''}",
    )


class _Reader:
    """Reads the tables of one file and gathers what is wrong with them."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._text = text

    def collection(self, tables: Mapping[str, Any]) -> Collection | None:
        top = self._keys((), {k: v for k, v in tables.items() if k not in _SECTIONS}, TOP, _SECTIONS)
        default = () if "portals" in tables else DEFAULT_PORTALS  # one that is wrong has its problem already
        named = self._portals(top, top.get("portals", default))
        zone = top.get("timezone", ZoneInfo("Asia/Shanghai"))
        retention = self._keys(("retention",), self._table(tables, "retention"), RETENTION)
        politeness = self._keys(("politeness",), self._table(tables, "politeness"), POLITENESS)
        return Collection(
            file=self.file,
            title=top.get("title", ""),
            contact=top.get("contact", ""),
            operator=top.get("operator", ""),
            zone=zone,
            portals=named,
            pause=top.get("pause", timedelta(0)),
            delay=politeness.get("delay"),
            jobs=tuple(self._jobs(self._table(tables, "jobs"), top, named, zone)),
            retention=replace(Retention(), **retention),
            notify=self._notify(self._table(tables, "notify")),
        )

    def _wrong(self, path: tuple[str, ...], text: str) -> None:
        name = ".".join(path)
        self.problems.append(Problem(line_of(self._text, path), f"{name} {text}" if name else text))

    def _table(self, tables: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
        found = tables.get(path[-1], {})
        if isinstance(found, dict):
            return found
        self._wrong(path, f"must be a table: write [{'.'.join(path)}] and its keys below it")
        return {}

    def _keys(
        self, path: tuple[str, ...], table: Mapping[str, Any], known: Mapping[str, Key], beside: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the values of a table's keys that are right."""
        values: dict[str, Any] = {}
        for name, value in table.items():
            if name not in known:
                names = (*known, *beside)
                hint = near(name, names) or f": there are {', '.join(names)}"
                self._wrong((*path, name), f"is no key of this file{hint}")
                continue
            try:
                values[name] = known[name].read(value)
            except ValueError as error:
                self._wrong((*path, name), str(error))
        return values

    def _portals(self, top: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, str]:
        """Return name -> profile of the portals; a path is one beside the file."""
        found: dict[str, str] = {}
        for each in wanted:
            profile = str(self.file.parent / each) if "/" in each or each.endswith(".toml") else each
            try:
                portal: Portal = load_portal(profile)
            except UsageError as error:
                self._wrong(("portals",), f"cannot be read: {error}")
                continue
            if portal.name in found:
                self._wrong(("portals",), f"has {portal.name} twice")
            if portal.contact_required and not (top.get("contact") or os.environ.get("WUHU_CONTACT")):
                mend = 'add contact = "mailto:you@example.org" at the top'
                self._wrong(("contact",), f"does not say who crawls {portal.name}, which is a live site: {mend}")
            found[portal.name] = profile
        return found

    def _jobs(
        self, tables: Mapping[str, Any], top: Mapping[str, Any], portals: Mapping[str, str], zone: ZoneInfo
    ) -> Iterator[Job]:
        for name in dict.fromkeys((*DEFAULT_JOBS, *tables)):
            path = ("jobs", name)
            if not _JOB_NAME.fullmatch(name):
                self._wrong(path, "is no name of a job: small letters, digits, - and _, 32 at most")
                continue
            table = {**DEFAULT_JOBS.get(name, {}), **self._table(tables, *path)}
            values = self._keys(path, table, JOB)
            job = self._job(path, values, top, portals, zone)
            if job is not None and values.get("enabled", True):
                yield job

    def _job(
        self,
        path: tuple[str, ...],
        values: dict[str, Any],
        top: Mapping[str, Any],
        portals: Mapping[str, str],
        zone: ZoneInfo,
    ) -> Job | None:
        name = path[-1]
        do = values.get("do", name)
        if do not in KINDS:
            self._wrong(path, f"does not say what is done: add do = {' or '.join(KINDS)}")
            return None
        if "when" not in values:
            self._wrong(path, 'does not say when: add when = "daily 02:30"')
            return None
        try:
            due = when(values["when"], zone)
        except UsageError as error:
            self._wrong((*path, "when"), str(error))
            return None
        chosen = values.get("portals", tuple(portals))
        if strange := [each for each in chosen if each not in portals]:
            self._wrong((*path, "portals"), f"has {strange[0]!r}, which is none of the collection's: {', '.join(portals)}")
        if do == "backup" and not values.get("options"):
            self._wrong(path, 'does not say where to: add options = ["/mnt/copy"]')
        if "budget" in values and do not in WALKS:
            self._wrong((*path, "budget"), f"is for crawls; {do} asks no portal for anything")
        return Job(
            name=name,
            do=do,
            when=due,
            portals=chosen if do in WALKS else (),
            budget=values.get("budget"),
            longest=values.get("longest", top.get("longest", timedelta(hours=24))),
            window=values["window"] if "window" in values else top.get("window"),
            options=values.get("options", ()),
        )

    def _notify(self, table: Mapping[str, Any]) -> Notify:
        inner = ("mail", "webhook")
        values = self._keys(("notify",), {k: v for k, v in table.items() if k not in inner}, NOTIFY, inner)
        mail = self._mail(self._table(table, "notify", "mail")) if "mail" in table else None
        webhook = self._webhook(self._table(table, "notify", "webhook")) if "webhook" in table else None
        return Notify(on=values.get("on", "change"), mail=mail, webhook=webhook)

    def _mail(self, table: Mapping[str, Any]) -> Mail | None:
        path = ("notify", "mail")
        values = self._keys(path, table, MAIL)
        if "to" not in values:
            if "to" not in table:
                self._wrong(path, 'does not say to whom: add to = ["archivist@example.org"]')
            return None
        security = values.get("security", "none")
        return Mail(
            to=values["to"],
            sender=values.get("from", values["to"][0]),
            host=values.get("host", "localhost"),
            port=values.get("port", {"none": 25, "starttls": 587, "tls": 465}[security]),
            security=security,
            user=values.get("user"),
            password=self._secret(path, values, "password"),
        )

    def _webhook(self, table: Mapping[str, Any]) -> Webhook | None:
        path = ("notify", "webhook")
        values = self._keys(path, table, WEBHOOK)
        secret = self._secret(path, values, "url")
        if (secret is None) == ("url" not in values):
            self._wrong(path, "must say where to, once: url, url_env or url_file")
            return None
        return Webhook(url=values.get("url"), secret=secret)

    def _secret(self, path: tuple[str, ...], values: Mapping[str, Any], name: str) -> Secret | None:
        variable, file = values.get(f"{name}_env"), values.get(f"{name}_file")
        if variable is not None and file is not None:
            self._wrong((*path, f"{name}_file"), f"and {name}_env exclude each other: keep one")
        if variable is None and file is None:
            return None
        return Secret(variable=variable, file=None if file is None else self.file.parent / file)
