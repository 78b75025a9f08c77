"""The bundled portal, crawled straight into PostgreSQL by the programs a user starts, and what SQLite holds of the same."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from cluster import Cluster
from conftest import HASTY, PATIENCE, ROOT, environment, program, scrapy
from db_samples import ask, reading

from wuhu_crawler import questions
from wuhu_crawler.db import canonical, queries
from wuhu_crawler.db.engine import check, make_engine
from wuhu_crawler.db.scope import Scope
from wuhu_crawler.db.views import VIEWS
from wuhu_crawler.demo import server
from wuhu_crawler.rebuild import rebuild

pytestmark = pytest.mark.postgres
FIELDS = ("title", "category", "published_at", "source_date", "outlets", "credits", "paragraphs", "headings")
QUESTIONS = questions.load()
OURS = ("article_key", "version_id", "other_key")
Told = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True, slots=True)
class Nights:
    """An archive with its database on the server, after two nights of crawls, and the same made anew in a SQLite file."""

    folder: Path
    url: str
    file: str
    portal: str
    ended: dict[str, subprocess.CompletedProcess[str]]
    fetched_twice: set[str]


@pytest.fixture(scope="module")
def nights(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """Crawl the whole bundled portal, kill the crawl once and resume it; a day later let all three crawls go through it."""
    folder, url = tmp_path_factory.mktemp("nights") / "archive", cluster.url(cluster.create())
    ended: dict[str, subprocess.CompletedProcess[str]] = {}
    with server.start(latency_ms=2) as portal:
        more = {"WUHU_DATABASE_URL": url, "WUHU_DEMO_URL": portal.url}
        with subprocess.Popen(
            [program("scrapy"), "crawl", "wuhu", "-a", "portal=demo"],
            cwd=ROOT,
            env=environment(folder, more),
            stderr=subprocess.DEVNULL,
        ) as killed:
            while len(portal.log) < 300:
                assert killed.poll() is None
            killed.send_signal(signal.SIGKILL)
        ended["wuhu"] = scrapy("crawl", "wuhu", "-a", "portal=demo", "-a", "resume=last", folder=folder, **more)
        asked = [entry.url for entry in portal.log]
        portal.edit(1)
        ended["again"] = scrapy("crawl", "wuhu", "-a", "portal=demo", folder=folder, **more)
        ended["gaps"] = scrapy("crawl", "gaps", "-a", "portal=demo", "-a", "budget=100", folder=folder, **more)
        ended["recheck"] = scrapy("crawl", "recheck", "-a", "portal=demo", "-a", "budget=50", folder=folder, **more)
        place = portal.url
    file = folder.parent / "again.db"
    rebuild(folder / "warc", file)
    yield Nights(folder, url, f"sqlite:///{file}", place, ended, {each for each in asked if asked.count(each) > 1})


@pytest.fixture
def said(nights: Nights) -> Told:
    """Runs `wuhu` on that archive, its database on the server or the same in a file."""

    def run(*arguments: str, file: bool = False) -> subprocess.CompletedProcess[str]:
        env = environment(nights.folder, {"WUHU_DATABASE_URL": nights.file if file else nights.url})
        return subprocess.run(
            [program("wuhu"), *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    return run


def dump(url: str) -> list[str]:
    with reading(url) as connection:
        return list(canonical.lines(connection))


def test_crawls_end_as_they_do_on_sqlite(nights: Nights) -> None:
    codes = {name: (each.returncode, each.stderr.splitlines()[-1]) for name, each in nights.ended.items()}
    assert {name: code for name, (code, _) in codes.items()} == {"wuhu": 0, "again": 0, "gaps": 5, "recheck": 0}, codes
    assert "Recovered " in nights.ended["wuhu"].stderr
    assert "Plan: listings " in nights.ended["again"].stderr
    assert " 69 missing, 1 errors or blocks" in nights.ended["gaps"].stderr
    assert len(nights.fetched_twice) <= 4  # what was under way when it was killed: the profile's concurrency


def test_what_was_kept_is_true(nights: Nights, demo_truth: dict[int, dict[str, Any]], demo_facts: dict[str, Any]) -> None:
    with reading(nights.url) as connection:
        found = {number: queries.article(connection, number, number=1) for number in queries.article_ids(connection, "demo")}
    kept = {number: article for number, article in found.items() if article is not None}
    listed = {number: true for number, true in demo_truth.items() if true["listed"]}
    assert len(listed) == demo_facts["articles_listed"]
    assert [(number, name) for number, true in listed.items() for name in FIELDS if kept[number][name] != true[name]] == []


def test_both_databases_hold_the_same_byte_for_byte(nights: Nights) -> None:
    lines = dump(nights.url)
    assert len(lines) > 5000
    assert lines == dump(nights.file)
    assert check(nights.url) == []


@pytest.mark.parametrize("view", VIEWS)
def test_both_answer_the_views_alike(nights: Nights, view: str) -> None:
    """But for our own numbers, which follow from the order pages were read in: a killed crawl's is not that of its files."""

    def rows(url: str) -> list[dict[str, Any]]:
        with reading(url) as connection:
            found = connection.exec_driver_sql(f"SELECT * FROM {view}").mappings()  # noqa: S608 - our own names
            told = [{name: plain(value) for name, value in row.items() if name not in OURS} for row in found]
        return sorted(told, key=repr)

    assert rows(nights.url) == rows(nights.file)


@pytest.mark.parametrize("scope", [Scope(), Scope(until=datetime(2024, 1, 1, tzinfo=UTC))], ids=["now", "before"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_both_answer_the_questions_alike(nights: Nights, name: str, scope: Scope) -> None:
    answers = []
    for url in (nights.url, nights.file):
        with reading(url) as connection:
            columns, rows = questions.answer(connection, QUESTIONS[name], {}, scope)
            answers.append([columns, *(list(map(plain, row)) for row in rows)])
    assert [pair for pair in zip(*answers, strict=True) if pair[0] != pair[1]] == []


def plain(value: Any) -> Any:
    """A date is text in SQLite; a float may differ in its last digit."""
    return round(value, 6) if isinstance(value, float) else value if isinstance(value, int | None) else str(value)


@pytest.mark.parametrize(
    "words",
    [
        "show 12393",
        "show 12393 --json",
        "show 12393 --history",
        "show 12393 --views",
        "show 12393 --provenance --json",
        "diff 12207 --json",
        "coverage --json",
        "cdx",
    ],
)
def test_commands_say_the_same_of_both(said: Told, words: str) -> None:
    here, there = said(*words.split()), said(*words.split(), file=True)
    assert (here.returncode, here.stderr) == (there.returncode, there.stderr)
    assert here.stdout == there.stdout


def test_the_archive_is_sound(said: Told) -> None:
    assert said("verify").returncode == 0
    assert said("db", "check").stdout == "ok\n"
    status = said("status", "--json")
    assert (status.returncode, '"crawls": 4' in status.stdout) == (0, True)


def test_a_rebuild_into_the_server_changes_nothing(said: Told, nights: Nights) -> None:
    before, runs = dump(nights.url), ask(nights.url, "SELECT * FROM run ORDER BY id")
    ask(nights.url, "UPDATE article_version SET title = 'x' WHERE number = 1")
    assert said("rebuild", "--compare").returncode == 4
    done = said("rebuild")
    assert (done.returncode, nights.url in done.stdout) == (0, True), done.stderr
    assert dump(nights.url) == before
    assert ask(nights.url, "SELECT * FROM run ORDER BY id") == runs
    assert check(nights.url) == []


def test_a_backup_says_what_to_do_instead(said: Told, tmp_path: Path) -> None:
    done = said("backup", str(tmp_path / "copy"))
    assert done.returncode == 2
    assert "pg_dump" in done.stderr


def test_a_wacz_is_packed_and_checked(said: Told, tmp_path: Path) -> None:
    made = said("wacz", "-o", str(tmp_path / "all.wacz"))
    assert made.returncode == 0, made.stderr
    assert said("wacz", "verify", str(tmp_path / "all.wacz")).returncode == 0


def test_the_password_is_not_kept(nights: Nights, tmp_path: Path) -> None:
    name = make_engine(nights.url).url.database
    secret = f"WUHU_DATABASE_URL=postgresql+psycopg://postgres:geheim@/{name}?host={nights.url.partition('host=')[2]}"
    arguments = ("crawl", "article", "-s", secret, "-s", "LOG_LEVEL=DEBUG", "-a", "url=http://127.0.0.1:1/news/Info.asp?ID=1")
    done = scrapy(*arguments, folder=tmp_path, **HASTY, WUHU_DEMO_URL="http://127.0.0.1:1/")
    assert "geheim" not in done.stdout + done.stderr
    kept = [argv for (argv,) in ask(nights.url, "SELECT argv FROM run")]
    assert "postgres:***@/" in kept[-1]
    assert "geheim" not in "".join(kept)


def test_a_crawl_whose_server_goes_away_is_resumed(cluster: Cluster, tmp_path: Path) -> None:
    folder, name = tmp_path / "archive", cluster.create()
    some = ("-a", "portal=demo", "-a", "category=教育信息", "-a", "requisites=no")
    with server.start(latency_ms=10) as portal:
        more = {"WUHU_DATABASE_URL": cluster.url(name), "WUHU_DEMO_URL": portal.url}
        with subprocess.Popen(
            [program("scrapy"), "crawl", "wuhu", *some],
            cwd=ROOT,
            env=environment(folder, more),
            stderr=subprocess.PIPE,
            text=True,
        ) as cut:
            while len(portal.log) < 20:
                assert cut.poll() is None
            cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'wuhu process %'")
            said = cut.communicate(timeout=PATIENCE)[1]
        assert (cut.returncode, "the database server is not to be had: " in said) == (13, True), said
        whole = scrapy("crawl", "wuhu", *some, "-a", "resume=last", folder=folder, **more)
        assert whole.returncode == 0, whole.stderr
        asked = [urljoin(portal.url, entry.url) for entry in portal.log]
    ended = {url for (url,) in ask(cluster.url(name), "SELECT url FROM outcome")}
    assert set(asked) == ended
    assert len(asked) - len(set(asked)) <= 4  # what was under way
    assert check(cluster.url(name)) == []
