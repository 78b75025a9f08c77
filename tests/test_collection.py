"""The collection file: its defaults, what it says, and how it is told what is wrong with it."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from wuhu_crawler.cli.collection import config, init
from wuhu_crawler.errors import UsageError
from wuhu_crawler.schedule.collection import load, read
from wuhu_crawler.schedule.jobs import Window
from wuhu_crawler.schedule.keys import JOB, MAIL, NOTIFY, POLITENESS, RETENTION, TOP, WEBHOOK
from wuhu_crawler.schedule.lines import line_of
from wuhu_crawler.schedule.reference import BEGIN, END, markdown
from wuhu_crawler.schedule.template import template

SHANGHAI = ZoneInfo("Asia/Shanghai")


def written(folder: Path, text: str) -> Path:
    file = folder / "wuhu.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, text: str) -> list[tuple[int, str]]:
    return [tuple(problem) for problem in read(written(folder, text))[1]]


def test_an_address_is_all_a_collection_must_say(tmp_path: Path) -> None:
    found = load(written(tmp_path, 'contact = "mailto:me@example.org"\n'))
    assert [(job.name, job.do, job.when.text, job.portals) for job in found.jobs] == [
        ("walk", "walk", "daily 01:00", ("o553",)),
        ("recheck", "recheck", "daily 01:00", ("o553",)),
        ("gaps", "gaps", "daily 01:00", ("o553",)),
        ("verify", "verify", "monthly 1 06:00", ()),
    ]
    assert (found.zone, found.pause, found.retention.logs) == (SHANGHAI, timedelta(0), timedelta(days=90))


def test_what_a_collection_says(tmp_path: Path) -> None:
    found = load(
        written(
            tmp_path,
            """
            title = "芜湖"
            portals = ["demo"]
            timezone = "Europe/Berlin"
            window = "22:00-05:00"
            pause = "10m"
            [politeness]
            delay = 5
            [jobs.walk]
            when = "mon 03:00"
            budget = 100
            window = ""
            [jobs.gaps]
            enabled = false
            [jobs.copy]
            do = "backup"
            when = "daily 07:00"
            options = ["/mnt/copy"]
            [retention]
            logs = "forever"
            [notify]
            on = "always"
            [notify.mail]
            to = "me@example.org"
            security = "starttls"
            user = "me"
            password_file = "secret"
            [notify.webhook]
            url_env = "HOOK"
            """,
        )
    )
    jobs = {job.name: job for job in found.jobs}
    assert list(jobs) == ["walk", "recheck", "verify", "copy"]
    assert (jobs["walk"].budget, jobs["walk"].window, jobs["walk"].when.zone.key) == (100, None, "Europe/Berlin")
    assert jobs["recheck"].window is not None
    assert (jobs["copy"].do, jobs["copy"].options, jobs["copy"].portals) == ("backup", ("/mnt/copy",), ())
    assert (found.pause, found.delay, found.retention.logs) == (timedelta(minutes=10), 5.0, None)
    mail, webhook = found.notify.mail, found.notify.webhook
    assert mail is not None and mail.password is not None and webhook is not None and webhook.secret is not None
    assert (mail.port, mail.sender, mail.password.file) == (587, "me@example.org", tmp_path / "secret")
    assert (webhook.url, webhook.secret.variable) == (None, "HOOK")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("portals = [", 1, "this is no TOML"),
        ("", 0, 'contact does not say who crawls o553, which is a live site: add contact = "mailto:you@example.org"'),
        ('portals = ["demo"]\n\ncontat = "x"', 3, "contat is no key of this file; did you mean contact?"),
        ('portals = ["demo"]\nwindow = "1-6"', 2, 'window must be hours like "01:00-06:00"'),
        ('portals = ["demo"]\ntimezone = "Wuhu"', 2, "timezone must be a time zone"),
        ('portals = ["nowhere"]', 1, "portals cannot be read: portal 'nowhere' is unknown"),
        ('portals = ["demo", "demo"]', 1, "portals has demo twice"),
        ('portals = ["demo"]\njobs = 5', 2, "jobs must be a table"),
        ('portals = ["demo"]\n[jobs.walk]\nwhen = "dayly 01:00"', 3, "jobs.walk.when 'dayly 01:00' is no time of the calendar"),
        ('portals = ["demo"]\n[jobs.walk]\nbudget = 0', 3, "jobs.walk.budget must be a whole number of at least 1"),
        ('portals = ["demo"]\n[jobs.walk]\nbudget = true', 3, "jobs.walk.budget must be a whole number"),
        ('portals = ["demo"]\n[jobs.verify]\nbudget = 5', 3, "jobs.verify.budget is for crawls"),
        ('portals = ["demo"]\n[jobs.mine]\nwhen = "daily 01:00"', 2, "jobs.mine does not say what is done"),
        ('portals = ["demo"]\n[jobs.mine]\ndo = "walk"', 2, "jobs.mine does not say when"),
        ('portals = ["demo"]\n[jobs.mine]\ndo = "wlak"\nwhen = "daily 01:00"', 3, "did you mean walk?"),
        ('portals = ["demo"]\n[jobs.backup]\nwhen = "daily 01:00"', 2, "jobs.backup does not say where to"),
        ('portals = ["demo"]\n[jobs.walk]\nportals = ["o553"]', 3, "which is none of the collection's"),
        ('portals = ["demo"]\n[jobs."a b"]\ndo = "walk"', 2, "jobs.a b is no name of a job"),
        ('portals = ["demo"]\n[notify]\non = "sometimes"', 3, "notify.on must be one of change, always, never"),
        ('portals = ["demo"]\n[notify.mail]\nhost = "x"', 2, "notify.mail does not say to whom"),
        ('portals = ["demo"]\n[notify.mail]\nto = "a@b.c"\npassword_env = "hun ter"', 4, "not the secret itself"),
        ('portals = ["demo"]\n[notify.webhook]', 2, "notify.webhook must say where to, once"),
        ('portals = ["demo"]\n[retention]\nlogs = 90', 3, 'retention.logs must be a time like "30m"'),
    ],
)
def test_a_problem_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, words: str
) -> None:
    monkeypatch.delenv("WUHU_CONTACT", raising=False)
    assert [number for number, told in problems(tmp_path, text) if words in told] == [line]
    with pytest.raises(UsageError, match=r"wuhu\.toml"):
        load(tmp_path / "wuhu.toml")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = 'portals = ["demo"]\nwindow = 1\n[jobs.walk]\nwhen = "never"\n[retention]\nlogs = 1\n'
    assert [line for line, _ in problems(tmp_path, text)] == [2, 4, 6]


def test_what_init_writes_is_right_and_says_everything(tmp_path: Path) -> None:
    text = template({"portals": ["demo"], "title": '芜湖 "老"'})
    found, wrong = read(written(tmp_path, text))
    assert found is not None and wrong == []
    assert found.title == '芜湖 "老"'
    for keys in (TOP, JOB, POLITENESS, RETENTION, NOTIFY, MAIL, WEBHOOK):
        for name, key in keys.items():
            assert f"{name} = " in text
            key.read(tomllib.loads(f"x = {key.default}")["x"])  # each default is one


def test_every_default_and_example_can_be_taken_as_it_is(tmp_path: Path) -> None:
    lines = [line for line in template({"portals": ["demo"]}).splitlines() if not line.startswith("#   ")]
    text = "\n".join(line[2:] if re.match(r"# (\w+ = |\[)", line) else line for line in lines)
    text = text.replace('portals = ["o553"]\n', "").replace('url_env = "WUHU_WEBHOOK"\n', "").replace("url_file", "# url_file")
    text = text.replace("password_file", "# password_file")
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("said", "local", "closes"),
    [
        ("01:00-06:00", "2026-11-25T01:00", "2026-11-25T06:00"),
        ("01:00-06:00", "2026-11-25T05:59", "2026-11-25T06:00"),
        ("01:00-06:00", "2026-11-25T06:00", None),
        ("22:00-05:00", "2026-11-25T23:00", "2026-11-26T05:00"),
        ("22:00-05:00", "2026-11-25T04:00", "2026-11-25T05:00"),
        ("22:00-05:00", "2026-11-25T12:00", None),
        ("22:00-24:00", "2026-11-25T23:00", "2026-11-26T00:00"),
    ],
)
def test_a_window(said: str, local: str, closes: str | None) -> None:
    window = JOB["window"].read(said)
    assert isinstance(window, Window)
    found = window.open_at(datetime.fromisoformat(local).replace(tzinfo=SHANGHAI))
    assert (found and found.isoformat(timespec="minutes").removesuffix("+08:00")) == closes


def test_when_a_window_opens_next() -> None:
    window = JOB["window"].read("01:00-06:00")
    noon = datetime(2026, 11, 25, 4, tzinfo=UTC).astimezone(SHANGHAI)
    assert window.next_opening(noon).isoformat() == "2026-11-26T01:00:00+08:00"
    assert window.next_opening(noon.replace(hour=0)).isoformat() == "2026-11-25T01:00:00+08:00"


def test_lines_of_keys() -> None:
    text = 'a = 1\ntext = """\nb = 2\n"""\n[x]\n# b = 3\nb = 4\n[x.y]\nc.d = 5\n["p q"]\nr = 1'
    asked = {("a",): 1, ("x",): 5, ("x", "b"): 7, ("x", "y", "c", "d"): 9, ("x", "none"): 5, ("p q", "r"): 11, ("none",): 0}
    assert {path: line_of(text, path) for path in asked} == asked


def test_the_commands(tmp_path: Path) -> None:
    run, file = CliRunner(), tmp_path / "sub" / "wuhu.toml"
    made = run.invoke(init, ["--portal", "demo", "--file", str(file)])
    assert (made.exit_code, file.exists()) == (0, True)
    again = run.invoke(init, ["--portal", "demo", "--file", str(file)])
    assert isinstance(again.exception, UsageError) and "--force" in str(again.exception)
    right = run.invoke(config, ["check", "--file", str(file)])
    assert right.exit_code == 0 and right.stdout.startswith("ok: 1 portal (demo); walk every day at 01:00")
    file.write_text('portals = ["demo"]\nwindow = 5\n', encoding="utf-8")
    wrong = run.invoke(config, ["check", "--json", "--file", str(file)])
    assert wrong.exit_code != 0
    assert json.loads(wrong.stdout)["problems"] == [
        {"line": 2, "problem": 'window must be hours like "01:00-06:00" or "22:30-05:00"'}
    ]


def test_the_reference_is_up_to_date() -> None:
    page = (Path(__file__).parent.parent / "docs" / "schedule.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n\n{markdown()}\n\n{END}" in page
