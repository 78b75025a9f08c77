"""Making, upgrading, opening and checking the database; the models against the migrations and the data dictionary."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from db_samples import article, bring, open_store, warc
from sqlalchemy import CheckConstraint, create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from wuhu_crawler import items
from wuhu_crawler.db import dictionary, engine, failures, models
from wuhu_crawler.db.migrating import schema_differences
from wuhu_crawler.db.types import PortalTime, UtcTime
from wuhu_crawler.errors import StorageError, UsageError

DOCS = Path(__file__).parents[1] / "docs"
TABLES = models.metadata.sorted_tables
HEAD = engine.head()
NEXT_REVISION = f'''"""A column more."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{HEAD}"


def upgrade() -> None:
    op.add_column("article", sa.Column("note", sa.Text()))
'''
FAILING_REVISION = NEXT_REVISION + '    op.execute("DROP TABLE nowhere")\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def filled(url: str) -> str:
    """Return the URL of a database with one article."""
    with open_store(url) as store:
        bring(store, article(12393, 1))
        store.commit((warc("c-1"), 5000))
    return url


def with_migration(folder: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program have one migration more, as a later version of it would."""
    migrations = folder / "migrations 100%"
    shutil.copytree(engine.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / "9999_more.py").write_text(source)
    monkeypatch.setattr(engine, "MIGRATIONS", migrations)


def columns(file: Path, table: str) -> list[str]:
    connection = sqlite3.connect(file)
    try:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    finally:
        connection.close()


def test_upgrade_makes_a_database_where_there_is_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/archive.db"
    assert engine.revision(url) is None
    engine.upgrade(url)
    assert engine.revision(url) == engine.head()
    assert engine.check(url) == []
    engine.upgrade(url)
    assert [path.name for path in (tmp_path / "new/folder").iterdir() if "backup" in path.name] == []


def test_the_migrations_make_what_the_models_say(url: str) -> None:
    engine.upgrade(url)
    migrated = engine.make_engine(url)
    with migrated.connect() as connection:
        assert schema_differences(connection) == []
    fresh = create_engine("sqlite://")
    models.metadata.create_all(fresh)
    for table in TABLES:
        for made in (inspect(migrated), inspect(fresh)):
            assert made.has_table(table.name)
        assert checks(migrated, table.name) == checks(fresh, table.name)
        assert options(migrated, table.name) == options(fresh, table.name)
    migrated.dispose()
    fresh.dispose()


def checks(made: Any, table: str) -> list[tuple[str, str]]:
    """Return name and text of a table's checks: autogenerate does not compare them."""
    return sorted(
        (check["name"], re.sub(r"\s+", " ", check["sqltext"])) for check in inspect(made).get_check_constraints(table)
    )


def options(made: Any, table: str) -> bool:
    """Return whether the table is WITHOUT ROWID."""
    with made.connect() as connection:
        sql = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).scalar_one()
    return "WITHOUT ROWID" in sql


def test_a_database_of_an_older_revision_is_upgraded_with_a_backup(
    filled: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_migration(tmp_path, NEXT_REVISION, monkeypatch)
    engine.upgrade(filled)
    assert engine.revision(filled) == "9999"
    assert "note" in columns(file, "article")
    (backup,) = tmp_path.glob(f"archive.db.backup-{HEAD}-*Z")
    assert "note" not in columns(backup, "article")
    saved = sqlite3.connect(backup)
    assert saved.execute("SELECT article_id FROM article").fetchall() == [(12393,)]
    saved.close()


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    filled: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_migration(tmp_path, FAILING_REVISION, monkeypatch)
    with pytest.raises(StorageError, match="nowhere"):
        engine.upgrade(filled)
    assert engine.revision(filled) == HEAD
    assert "note" not in columns(file, "article")
    assert len(list(tmp_path.glob("*.backup-*"))) == 1


def test_no_backup_no_upgrade(filled: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_migration(tmp_path, NEXT_REVISION, monkeypatch)
    monkeypatch.setattr(engine, "BACKUP_NAME", "no/such/folder/{name}")
    with pytest.raises(StorageError, match="the database was not upgraded"):
        engine.upgrade(filled)
    assert "note" not in columns(file, "article")


def test_a_database_of_a_newer_revision_is_refused(filled: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as later:
        with_migration(tmp_path, NEXT_REVISION, later)
        engine.upgrade(filled)
    with pytest.raises(UsageError, match=f"has revision 9999, but this version of the program knows only {HEAD}"):
        engine.upgrade(filled)
    assert "revision 9999" in engine.check(filled)[0]


def test_a_database_of_something_else_is_refused(url: str, file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(UsageError, match="was not made by this program"):
        engine.upgrade(url)


def test_a_file_that_is_no_database_is_a_storage_error(url: str, file: Path) -> None:
    file.write_bytes(b"this is not SQLite " * 100)
    with pytest.raises(StorageError, match="not a database"):
        engine.upgrade(url)
    assert "not a database" in engine.check(url)[0]


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError):
        engine.upgrade(f"sqlite:///{tmp_path}/taken/archive.db")


@pytest.mark.parametrize("wrong", ["", "data/archive.db", "sqlite:/oops"])
def test_a_wrong_url_names_the_setting(wrong: str) -> None:
    with pytest.raises(UsageError, match="WUHU_DATABASE_URL"):
        engine.make_engine(wrong)


def test_a_readonly_engine_reads_and_cannot_write(filled: str, file: Path) -> None:
    reading = engine.make_engine(filled, readonly=True)
    before = file.read_bytes()
    with reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT article_id FROM article").scalar_one() == 12393
        for statement in ("DELETE FROM article", "CREATE TABLE t (x)", "PRAGMA user_version = 3"):
            with pytest.raises(OperationalError):
                connection.exec_driver_sql(statement)
    reading.dispose()
    assert file.read_bytes() == before


def test_a_readonly_engine_does_not_make_a_file(url: str, file: Path) -> None:
    with pytest.raises(UsageError, match="there is no database at"):
        engine.make_engine(url, readonly=True)
    assert not file.exists()


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/芜湖 100% #1/archive.db"
    engine.upgrade(url)
    assert engine.check(url) == []


def test_a_writer_is_durable_and_strict(filled: str) -> None:
    writing = engine.make_engine(filled)
    with writing.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    writing.dispose()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM capture", "row 1 of article refers to a row of capture that does not exist"),
        ("UPDATE article SET versions = 2", "article 12393 of demo should have 2 versions, but 1 are stored"),
        ("DROP INDEX ix_capture_captured_at", "the schema differs"),
        ("INSERT INTO article_search (article_search) VALUES ('delete-all')", "1 articles are missing from the search index"),
        ("INSERT INTO article_search (rowid, title) VALUES (99, 'x')", "the search index holds 1 articles that do not exist"),
    ],
)
def test_check_finds_planted_damage(filled: str, file: Path, damage: str, finding: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(damage)
    connection.close()
    assert any(finding in problem for problem in engine.check(filled)), engine.check(filled)


def test_check_finds_a_damaged_page(filled: str, file: Path) -> None:
    content = bytearray(file.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 8] = b"\xff" * 8
    file.write_bytes(content)
    assert engine.check(filled) != []


def test_times_without_zone_are_refused() -> None:
    dialect = create_engine("sqlite://").dialect
    for kind in (UtcTime(), PortalTime()):
        with pytest.raises(ValueError, match="no time zone"):
            kind.process_bind_param(items.datetime(2024, 2, 3), dialect)


def test_every_table_and_column_says_what_it_means() -> None:
    silent = [table.name for table in TABLES if not table.comment]
    silent += [str(column) for table in TABLES for column in table.columns if not column.comment]
    assert silent == []


def test_the_data_dictionary_is_up_to_date() -> None:
    page = (DOCS / "database.md").read_text(encoding="utf-8")
    assert page.partition(dictionary.MARKER)[2].strip() == dictionary.markdown().strip()


def test_refresh_keeps_what_is_written_by_hand(tmp_path: Path) -> None:
    page = tmp_path / "database.md"
    page.write_text(f"# By hand\n\n{dictionary.MARKER}\n\nold\n", encoding="utf-8")
    dictionary.refresh(str(page))
    assert page.read_text(encoding="utf-8") == f"# By hand\n\n{dictionary.MARKER}\n\n{dictionary.markdown()}"


@pytest.mark.parametrize(
    ("words", "vocabulary"),
    [(models.OUTCOMES, items.OutcomeKind), (models.ROLES, items.Role), (models.PAGE_KINDS[2:], items.OtherKind)],
)
def test_the_words_of_the_database_are_those_of_the_items(words: tuple[str, ...], vocabulary: Any) -> None:
    assert words == get_args(vocabulary)


def test_the_same_models_can_be_created_on_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in TABLES:
        assert "WITHOUT ROWID" not in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


def test_every_enumeration_has_a_check() -> None:
    checked = {
        f"{table.name}.{c.name.split('_', 2)[-1]}"
        for table in TABLES
        for c in table.constraints
        if isinstance(c, CheckConstraint)
    }
    assert len(checked) == 15


@pytest.mark.parametrize(("number", "kind"), [(28, "OutOfSpace"), (122, "OutOfSpace"), (5, "StorageError")])
def test_system_errors_are_told_apart(number: int, kind: str) -> None:
    assert type(failures.translate(OSError(number, "words of the system"))).__name__ == kind


def test_a_limit_on_the_size_of_files_is_out_of_space(tmp_path: Path) -> None:
    program = """
import resource, sys
from sqlalchemy import text
from wuhu_crawler.db.engine import make_engine, upgrade
from wuhu_crawler.db.failures import translated
from wuhu_crawler.errors import WuhuError
upgrade(sys.argv[1])
engine = make_engine(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with translated(), engine.begin() as connection:
        for number in range(100):
            row = {"name": f"p{number}", "title": "x" * 9000}
            connection.execute(text("INSERT INTO portal (name, title, timezone) VALUES (:name, :title, 'UTC')"), row)
except WuhuError as error:
    print(error.exit_code, error)
"""
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'archive.db'}"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith("11 no room left for the database")
