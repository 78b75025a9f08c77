"""The database on PostgreSQL: what is not the same there. The tests that ask for `database_url` see to the rest.

`make test-postgres` runs these. They fail, and do not skip, where PostgreSQL's server programs are missing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster, running
from db_samples import HOST, PORTAL, T0, article, ask, bring, capture, open_store, read_again, reading, warc
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from test_db import with_migration

from wuhu_crawler.db import canonical, engine, models, postgresql, schema, views
from wuhu_crawler.db.store import Store
from wuhu_crawler.errors import ArchiveInUse, OutOfSpace, StorageError, UsageError
from wuhu_crawler.items import Outcome
from wuhu_crawler.paths import ArchivePaths

pytestmark = pytest.mark.postgres
CHECKED = "2026-11-23T08:00:00.000000Z"
END = (warc("c-1"), 9_999_999)


@pytest.fixture
def filled(postgres_url: str) -> str:
    """The URL of a database with one article."""
    with open_store(postgres_url) as store:
        bring(store, article(12393, 1))
        store.commit(END)
    return postgres_url


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a lock."""
    monkeypatch.setitem(postgresql.SESSION, "lock_timeout", "50ms")


def dump(url: str) -> list[str]:
    with reading(url) as connection:
        return list(canonical.lines(connection))


def test_the_cluster_is_ours_and_not_run_by_root(cluster: Cluster) -> None:
    pid = int((cluster.folder / "data/postmaster.pid").read_text().splitlines()[0])
    assert pid == cluster.server.pid
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert cluster.run("SHOW server_encoding") == [("UTF8",)]
    assert int(cluster.run("SHOW server_version_num")[0][0]) >= 150_000


def test_a_cluster_ends_with_whoever_started_it() -> None:
    program = (
        "import os, signal, sys\n"
        "from cluster import running\n"
        "with running() as server:\n"
        "    print(server.server.pid, server.folder, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    pid, folder = ended.stdout.split()
    assert ended.returncode == -9
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        pass  # it has been told, and shuts down
    subprocess.run(["rm", "-r", folder], check=True)


def test_the_migrations_run(empty_postgres_url: str) -> None:
    assert engine.revision(empty_postgres_url) is None
    engine.upgrade(empty_postgres_url)
    assert engine.revision(empty_postgres_url) == engine.head()
    engine.upgrade(empty_postgres_url)
    assert engine.check(empty_postgres_url) == []


def test_text_sorts_by_bytes_and_nothing_is_too_long(filled: str) -> None:
    """In SQLite it does, whatever the language, and an integer has 64 bits; the test database's own order is Chinese."""
    names = ["阿", "Zoo", "apple", "芜湖", "-", "Ä"]
    with open_store(filled) as store:
        for number, name in enumerate(names, 2):
            bring(store, article(number, number, title=name, category=name, decode_losses=2**40, encoding="x" * 500))
        store.add_capture(
            capture(99, f"{HOST}/{'芜' * 5000}", payload_digest="sha512:" + "a" * 128, ip="x" * 200, status=2**40)
        )
        store.commit(END)
    ordered = ask(filled, "SELECT name FROM category WHERE name <> '资讯杂谈' ORDER BY name")
    assert [name for (name,) in ordered] == sorted(names, key=str.encode)
    assert ask(filled, "SELECT max(title) FROM article_version") == [("阿",)]
    assert ask(filled, "SELECT count(*) FROM article_version WHERE decode_losses = 1099511627776") == [(6,)]
    wide = "SELECT table_name, data_type, collation_name FROM information_schema.columns WHERE table_schema = 'public'"
    found = {tuple(kind) for table, *kind in ask(filled, wide) if table in models.metadata.tables}
    plain = ("bigint", "json", "date", "double precision", "boolean")
    assert found == {("text", "C"), *((kind, None) for kind in plain)}


def test_every_table_view_and_column_says_what_it_means(postgres_url: str) -> None:
    told = dict(
        ask(
            postgres_url,
            "SELECT c.relname || coalesce('.' || a.attname, ''), d.description FROM pg_description d "
            "JOIN pg_class c ON c.oid = d.objoid LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid "
            "AND d.objsubid > 0 WHERE c.relnamespace = 'public'::regnamespace",
        )
    )
    for table in models.metadata.sorted_tables:
        assert told[table.name] == table.comment
        assert {c.name: told[f"{table.name}.{c.name}"] for c in table.columns} == {c.name: c.comment for c in table.columns}
    for name, view in views.VIEWS.items():
        assert told[name] == view.comment
        assert {column: told[f"{name}.{column}"] for column in view.columns} == dict(view.columns)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        '"""More."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "9999"\n'
        f'down_revision = "{engine.head()}"\n\n\ndef upgrade() -> None:\n'
        '    op.add_column("article", sa.Column("note", sa.String(3)))\n'
    )
    before = dump(filled)
    with monkeypatch.context() as failing:
        with_migration(tmp_path / "failing", source + '    op.execute("DROP TABLE nowhere")\n', failing)
        with pytest.raises(StorageError, match='table "nowhere" does not exist'):
            engine.upgrade(filled)
    assert (engine.check(filled), dump(filled)) == ([], before)
    ask(filled, "CREATE ROLE reader_of_views; GRANT SELECT ON articles TO reader_of_views")
    with_migration(tmp_path / "good", source, monkeypatch)
    engine.upgrade(filled)
    assert engine.revision(filled) == "9999"
    assert ask(filled, "SELECT data_type, collation_name FROM information_schema.columns WHERE column_name = 'note'") == [
        ("text", "C")
    ]
    assert ask(filled, "SELECT has_table_privilege('reader_of_views', 'articles', 'SELECT')") == [(True,)]
    ask(filled, "DROP OWNED BY reader_of_views; DROP ROLE reader_of_views")


def test_an_upgrade_does_not_drop_what_the_user_made_of_our_views(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(filled, "CREATE VIEW mine AS SELECT title FROM articles")
    with_migration(
        tmp_path, f'revision = "9999"\ndown_revision = "{engine.head()}"\n\n\ndef upgrade() -> None: ...\n', monkeypatch
    )
    with pytest.raises(StorageError, match="view mine depends on view articles"):
        engine.upgrade(filled)
    assert ask(filled, "SELECT count(*) FROM mine") == [(1,)]


def test_a_database_of_something_else_is_refused(empty_postgres_url: str) -> None:
    ask(empty_postgres_url, "CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(UsageError, match="was not made by this program"):
        engine.upgrade(empty_postgres_url)
    with pytest.raises(UsageError, match="was not made by this program"), schema.beside(empty_postgres_url):
        pass
    assert ask(empty_postgres_url, "SELECT count(*) FROM bookmarks") == [(0,)]


def test_a_database_for_other_letters_is_refused(cluster: Cluster) -> None:
    cluster.run("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(UsageError, match="has the encoding LATIN1: make one for Chinese text"):
        engine.upgrade(cluster.url("latin"))
    cluster.drop("latin")


def test_another_schema_than_public_will_do(cluster: Cluster, empty_postgres_url: str) -> None:
    ask(empty_postgres_url, 'CREATE SCHEMA "Wuhu 1"')
    name = engine.make_engine(empty_postgres_url).url.database
    ask(empty_postgres_url, f'ALTER DATABASE {name} SET search_path = "Wuhu 1"')
    engine.upgrade(empty_postgres_url)
    with open_store(empty_postgres_url) as store:
        bring(store, article(1, 1))
        store.commit(END)
    with schema.beside(empty_postgres_url):
        pass
    assert engine.check(empty_postgres_url) == []
    assert ask(empty_postgres_url, "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'article'") == [("Wuhu 1",)]


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (
            "SET session_replication_role = replica; DELETE FROM capture",
            "1 rows of article refer to rows of capture that do not exist",
        ),
        ("UPDATE article SET versions = 2", "article 12393 of demo should have 2 versions, but 1 are stored"),
        ("DROP INDEX ix_capture_captured_at", "the schema differs"),
        ("DROP VIEW source_lag", "the view source_lag is not the program's"),
        ("ALTER TABLE article_part ALTER COLUMN url TYPE varchar(9)", 'article_part.url is not text COLLATE "C"'),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_credit_name'::regclass", "ix_credit_name is not whole"),
    ],
)
def test_check_finds_planted_damage(filled: str, damage: str, finding: str) -> None:
    ask(filled, damage)
    assert any(finding in problem for problem in engine.check(filled)), engine.check(filled)


def test_readers_cannot_write_and_see_one_state(filled: str) -> None:
    with reading(filled) as connection:
        assert connection.execute(text("SELECT count(*) FROM article")).scalar_one() == 1
        ask(filled, "INSERT INTO portal VALUES ('late', 'l', 'UTC')")
        assert connection.execute(text("SELECT count(*) FROM portal")).scalar_one() == 1
        for statement in ("DELETE FROM article", "CREATE TABLE t (x int)"):
            with pytest.raises(DBAPIError, match="read-only transaction"):
                connection.exec_driver_sql(statement)
            connection.rollback()


def test_a_commit_is_on_the_disk_and_numbers_are_numbers(postgres_url: str) -> None:
    ask(postgres_url, f"ALTER DATABASE {engine.make_engine(postgres_url).url.database} SET synchronous_commit = off")
    opened = engine.make_engine(postgres_url)
    with opened.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        row = connection.exec_driver_sql("SELECT sum(n), avg(n), sum(n) / 4.0 FROM (VALUES (3::bigint), (5)) AS t (n)").one()
    opened.dispose()
    assert [(type(value), value) for value in row] == [(int, 8), (float, 4.0), (float, 2.0)]


def test_rows_stream_without_a_transaction(postgres_url: str) -> None:
    opened = engine.make_engine(postgres_url)
    with opened.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = connection.execute(text("SELECT * FROM generate_series(1, 5000)"), execution_options={"yield_per": 10})
        first = next(rows)
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar_one() == 1
        assert (first[0], sum(1 for _ in rows)) == (1, 4999)
    opened.dispose()


def test_a_second_writer_is_refused_from_whatever_folder(filled: str, impatient: None) -> None:
    with (
        open_store(filled),
        pytest.raises(ArchiveInUse, match=r"another process writes .* \(wuhu process \d+ on "),
    ):
        open_store(filled)
    with open_store(filled), pytest.raises(ArchiveInUse), schema.beside(filled):
        pass
    open_store(filled).close()


def test_a_full_disk_stores_nothing_of_the_batch(filled: str) -> None:
    """The server says so itself, by the code it has for it."""
    full = "RAISE EXCEPTION 'could not extend file \"base/1\": No space left on device' USING ERRCODE = '53100'"
    ask(filled, f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {full}; END $$")
    ask(filled, "CREATE TRIGGER fail BEFORE INSERT ON view_observation EXECUTE FUNCTION fail()")
    before = dump(filled)
    with open_store(filled) as store:
        bring(store, article(2, 2))
        with pytest.raises(OutOfSpace, match="make room and resume"):
            store.commit(END)
        with pytest.raises(OutOfSpace):
            store.commit(END)
    assert dump(filled) == before


def test_a_lock_is_not_waited_for_for_ever(filled: str, impatient: None) -> None:
    opened = engine.make_engine(filled)
    with open_store(filled) as store, opened.begin() as other:
        other.exec_driver_sql("LOCK TABLE outcome")
        store.add_outcome("c-1", Outcome(url=HOST, outcome="failed", at=T0))
        with pytest.raises(StorageError, match="kept the database locked") as caught:
            store.commit(END)
    opened.dispose()
    assert caught.value.exit_code == 13


def test_a_server_that_goes_away_ends_the_writer() -> None:
    with running() as server:
        url = server.url(server.create())
        engine.upgrade(url)
        with open_store(url) as store:
            bring(store, article(1, 1))
            server.server.terminate()
            ask_in_vain(server)
            with pytest.raises(StorageError, match="the database server is not to be had: ") as caught:
                store.commit(END)
        assert "\n" not in str(caught.value)
        with pytest.raises(StorageError, match="the database server is not to be had: "):
            engine.revision(url)


def ask_in_vain(server: Cluster) -> None:
    """Let the server go on going down: it does when the last that was at work has gone."""
    server.server.send_signal(2)
    server.server.wait(60)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("postgresql+psycopg://me:geheim@127.0.0.1:1/archive", "Connection refused"),
        ("postgresql+psycopg:///nowhere?host={folder}&user=postgres&password=geheim", '"nowhere" does not exist'),
        ("postgresql+psycopg://nobody_known:geheim@/postgres?host={folder}", 'role "nobody_known" does not exist'),
    ],
)
def test_a_database_that_is_not_to_be_had_is_one_sentence(cluster: Cluster, made: str, words: str) -> None:
    with pytest.raises(StorageError) as caught:
        engine.require_current(made.format(folder=cluster.folder))
    assert words in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", ["postgresql+psycopg://postgres:geheim@/{name}?host={folder}", "{url}&password=geheim"])
def test_no_message_tells_the_password(shape: str, postgres_url: str, cluster: Cluster, tmp_path: Path, wuhu_at: Any) -> None:
    name = engine.make_engine(postgres_url).url.database
    url = shape.format(name=name, folder=cluster.folder, url=postgres_url)
    said = []
    for arguments in (("db", "upgrade"), ("db", "check", "--json"), ("status",), ("backup", str(tmp_path / "copy"))):
        done = wuhu_at(url, *arguments)
        said.append(done.out + done.err)
    ask(postgres_url, "UPDATE alembic_version SET version_num = '0001'")
    said.append(wuhu_at(url, "status").err)
    ask(postgres_url, "DROP TABLE alembic_version CASCADE")
    said.append(wuhu_at(url, "db", "upgrade").err)
    assert [words for words in said if "geheim" in words] == []
    assert "is of an older revision (0001): run `wuhu db upgrade`" in said[4]


@pytest.fixture
def wuhu_at(wuhu: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Calls `wuhu` with a database of that URL."""

    def run(url: str, *arguments: str) -> Any:
        monkeypatch.setattr(ArchivePaths, "from_environment", classmethod(lambda cls: cls.of(tmp_path / "archive", url)))
        return wuhu(*arguments)

    return run


@pytest.fixture
def noted(filled: str) -> Iterator[str]:
    """A database with rows that no WARC file has, and with what its owner has allowed others."""
    ask(
        filled,
        "CREATE ROLE reader; GRANT SELECT ON article, articles TO reader WITH GRANT OPTION; GRANT SELECT ON credit TO PUBLIC",
    )
    ask(
        filled,
        "INSERT INTO suppression (portal, article_id, reason, suppressed_at, suppressed_by) VALUES ('demo', 1, 'r', 'x', 'm')",
    )
    ask(filled, f"UPDATE warc_file SET sha256 = 'abc', checked_at = '{CHECKED}'")  # noqa: S608
    ask(filled, "INSERT INTO crawl SELECT 'c-gone', portal, job, settings, started_at, finished_at, status FROM crawl")
    ask(filled, "INSERT INTO run (id, crawl_id, pid, argv, started_at) VALUES (7, 'c-gone', 1, '[]', 'x')")
    yield filled
    ask(filled, "DROP OWNED BY reader; DROP ROLE reader")


def fill(opened: Any) -> None:
    """Write what a rebuild would find in the WARC files: the same article, otherwise read, and its crawl."""
    with Store(opened) as store:
        store.register_portal(PORTAL)
        store.begin_crawl("c-1", "demo", "wuhu", {}, T0)
        item = article(12393, 1, title="更正")
        store.add_capture(capture(1, item.url, run_id=0))
        read_again(store, item, text="better")
        store.commit((warc("c-1"), 5000))


def test_tables_made_anew_take_the_place_of_the_old_with_what_is_not_derived(noted: str) -> None:
    with schema.beside(noted) as opened:
        fill(opened)
        assert ask(noted, "SELECT title FROM article_version") == [("弋江区第12393号新闻",)]
    assert ask(noted, "SELECT title FROM articles") == [("更正",)]
    assert engine.check(noted) == []
    assert ask(noted, "SELECT id, crawl_id FROM run") == [(1, "c-1")]
    assert ask(noted, "SELECT name, committed, sha256, checked_at FROM warc_file") == [(warc("c-1"), 5000, "abc", CHECKED)]
    assert ask(noted, "SELECT id, article_id FROM suppression") == [(1, 1)]
    ask(
        noted,
        "INSERT INTO suppression (portal, article_id, reason, suppressed_at, suppressed_by) VALUES ('demo', 2, 'r', 'x', 'm')",
    )
    assert ask(noted, "SELECT max(id) FROM suppression") == [(2,)]
    may = (
        "SELECT has_table_privilege('reader', '{}', 'SELECT WITH GRANT OPTION'), has_table_privilege('reader', '{}', 'SELECT')"
    )
    assert [ask(noted, may.format(name, name)) for name in ("articles", "article", "credit", "capture")] == [
        [(True, True)],
        [(True, True)],
        [(False, True)],
        [(False, False)],
    ]
    assert ask(noted, "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%building'") == []


def test_a_rebuild_that_fails_leaves_everything_as_it_was(noted: str) -> None:
    everything = "SELECT title FROM articles UNION ALL SELECT reason FROM suppression UNION ALL SELECT crawl_id FROM run"
    before = ask(noted, everything)
    with pytest.raises(ZeroDivisionError), schema.beside(noted) as opened:
        fill(opened)
        raise ZeroDivisionError
    ask(noted, "CREATE VIEW mine AS SELECT title FROM articles; CREATE TABLE notes (key bigint REFERENCES article)")
    with pytest.raises(StorageError, match="view mine depends on view articles"), schema.beside(noted) as opened:
        pytest.fail("it should not have begun")
    ask(noted, "DROP VIEW mine")
    with pytest.raises(StorageError, match="constraint notes_key_fkey on table notes"), schema.beside(noted) as opened:
        pytest.fail("it should not have begun")
    assert ask(noted, everything) == before
    assert ask(noted, "SELECT nspname FROM pg_namespace WHERE nspname LIKE '%building'") == []


def test_what_a_killed_rebuild_left_is_cleared_away_but_nothing_of_others(filled: str) -> None:
    ask(filled, "CREATE SCHEMA public_building; CREATE TABLE public_building.precious (x int)")
    with pytest.raises(UsageError, match="schema public_building which this program has not made"), schema.beside(filled):
        pass
    ask(filled, f"COMMENT ON SCHEMA public_building IS '{schema._MARK}'")
    with schema.beside(filled) as opened:
        fill(opened)
    assert ask(filled, "SELECT title FROM articles") == [("更正",)]


def test_the_owner_of_a_database_needs_no_more_rights(cluster: Cluster) -> None:
    cluster.run("CREATE ROLE wuhu LOGIN")
    cluster.run("CREATE DATABASE wuhu OWNER wuhu ENCODING 'UTF8' TEMPLATE template0")
    own = cluster.url("wuhu").replace("postgres@", "wuhu@")
    engine.upgrade(own)
    with schema.beside(own) as opened:
        fill(opened)
    assert engine.check(own) == []
    with pytest.raises(StorageError, match="may not do that: permission denied for schema public"):
        engine.upgrade(cluster.url("postgres").replace("postgres@", "wuhu@"))
    cluster.drop("wuhu")


def test_a_reader_in_the_way_is_waited_for_and_then_told(filled: str, impatient: None) -> None:
    with reading(filled) as connection:
        connection.exec_driver_sql("SELECT * FROM article")
        with pytest.raises(StorageError, match="kept the database locked"), schema.beside(filled):
            pass
    assert ask(filled, "SELECT count(*) FROM article") == [(1,)]


def test_a_network_name_may_be_looked_up_though_a_rebuild_is_offline() -> None:
    url = "postgresql+psycopg://me@db.example,10.0.0.1:5433/archive?host=other.example:5432"
    assert engine.hosts("postgresql+psycopg://me@db.example/archive") == {"db.example"}
    assert engine.hosts(url.replace("db.example,10.0.0.1:5433", "")) == {"other.example"}
    assert engine.hosts("sqlite:///archive.db") == set()


def test_the_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"pip install 'wuhu-crawler\[postgres\]'"):
        engine.make_engine("postgresql+psycopg://me@host/archive")
