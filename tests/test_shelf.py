"""The files of saved questions: reading them, what is wrong with one, parameters, the time limit, and `wuhu ask`."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import town
from conftest import ROOT, Wuhu
from db_samples import empty_database, reading

from wuhu_crawler import questions
from wuhu_crawler.db.scope import Scope
from wuhu_crawler.errors import UsageError
from wuhu_crawler.questions import Question

GOOD = """-- title: Titles
-- description: Every title,
--   shortest first.
--
-- parameter: least integer = 2; So many characters
-- parameter: word text = NULL; Only these
-- column: title; The title

-- A remark with a : and a '.
SELECT title FROM articles -- :not a parameter
WHERE LENGTH(title) >= :least AND (:word IS NULL OR title = :word) AND '12:30 :x' <> title
ORDER BY LENGTH(title), title;
"""
Ask = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a question's file and return its folder."""

    def written(text: str, name: str = "titles.sql") -> Path:
        folder = tmp_path / "questions"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    return written


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an archive with the town in it: do not write into it."""
    folder = tmp_path_factory.mktemp("town")
    (folder / "archive.db").write_bytes(empty_database())
    town.build(f"sqlite:///{folder / 'archive.db'}")
    return folder


def titles(folder: Path) -> Question:
    return questions.load([folder])["titles"]


def test_a_file_is_read(write: Callable[..., Path]) -> None:
    question = titles(write(GOOD))
    assert (question.title, question.description, question.group) == ("Titles", "Every title, shortest first.", "Yours")
    assert [(each.name, each.kind, each.default) for each in question.parameters] == [
        ("least", "integer", 2),
        ("word", "text", None),
    ]
    assert dict(question.columns) == {"title": "The title"}
    assert question.line == 10 and question.sql.startswith("SELECT title") and question.sql.endswith("title")


def test_its_words_are_its_own(write: Callable[..., Path], database_url: str) -> None:
    """Colons in texts and remarks are no parameters, on either database."""
    town.build(database_url)
    question = titles(write(GOOD))
    with reading(database_url) as connection:
        assert next(iter(questions.answer(connection, question, {})[1])) == ("通知",)
        assert list(questions.answer(connection, question, {"word": "学校开学"})[1]) == [("学校开学",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1", "line 1: the header needs a line `-- title: ...`"),
        ("-- title:\nSELECT 1", "line 1: the header needs a line"),
        ("-- title: a\n-- titel: b\nSELECT 1", "line 2: '-- titel: b' is no line of a header"),
        ("-- title: a\n-- title: b\nSELECT 1", "line 2: `title` stands there a second time"),
        ("-- title: a\n-- parameter: x\nSELECT :x", "line 2: write a parameter as"),
        ("-- title: a\n-- parameter: x day = NULL; b\nSELECT :x", "line 2: 'day' is no kind of parameter"),
        ("-- title: a\n-- parameter: x date = 2024-02-30; b\nSELECT :x", "line 2: the default '2024-02-30' is no date"),
        ("-- title: a\n-- parameter: x text(a|b) = c; b\nSELECT :x", "line 2: the default 'c' is no text of these"),
        ("-- title: a\n-- parameter: x text = a; b\n-- parameter: x text = a; b\nSELECT :x", "line 3: the parameter x stands"),
        ("-- title: a\n-- parameter: x text = a; b\nSELECT 1", "the query does not use the parameter x"),
        ("-- title: a\nSELECT 1,\n :x", "line 3: no line `-- parameter:` tells of :x"),
        ("-- title: a\n-- column: x\nSELECT 1", "line 2: write a column as"),
        ("-- title: a\n\nDELETE FROM article", "line 3: a question only reads"),
        ("-- title: a\n", "line 2: a question only reads"),
        ("-- title: a\nSELECT 1;\nSELECT 2", "line 2: a question is one query"),
        ("-- title: a\nWITH a AS (SELECT 1),\ncrawls(b) AS (SELECT 1) SELECT 1", "line 3: crawls is a view: give the"),
        ("-- title: a\nSELECT\n{dais:a,b}", "line 3: there is no macro 'dais'"),
    ],
)
def test_what_is_wrong_with_a_file(write: Callable[..., Path], text: str, message: str) -> None:
    folder = write(text)
    with pytest.raises(UsageError) as raised:
        questions.load([folder])
    assert str(raised.value).startswith(str(folder / "titles.sql")) and message in str(raised.value)


def test_a_file_that_is_no_text_or_has_no_name(write: Callable[..., Path]) -> None:
    folder = write(GOOD, "My Titles.sql")
    with pytest.raises(UsageError, match="call the file by small letters"):
        questions.load([folder])
    (folder / "My Titles.sql").rename(folder / "titles.sql")
    (folder / "titles.sql").write_bytes("标题".encode("gb18030"))
    with pytest.raises(UsageError, match=r"titles\.sql: cannot be read as UTF-8 text"):
        questions.load([folder])
    with pytest.raises(UsageError, match="there is no folder of questions at"):
        questions.load([folder / "none"])


def test_a_question_takes_the_place_of_ours_only_with_a_word(write: Callable[..., Path]) -> None:
    folder = write(GOOD, "removed.sql")
    write("SELECT 1", "broken.sql")
    told: list[str] = []
    found = questions.load([folder], told.append)
    assert found["removed"].title == "Titles" and "broken" not in found
    assert [re.sub(r"^.*?questions/", "", words).split(" ")[0] for words in told] == ["broken.sql,", "removed.sql"]
    assert f"takes the place of {questions.OURS / 'removed.sql'}" in told[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"leest": 1}, "titles has no parameter 'leest': did you mean least?"),
        ({"xyz": 1}, "titles has no parameter 'xyz': there are least, word"),
        ({"least": "many"}, "least='many' is not right: give a whole number like 20"),
        ({"least": str(2**63)}, "give a whole number"),
        ({"word": "\0"}, "give a text"),
    ],
)
def test_a_parameter_that_is_not_right(write: Callable[..., Path], given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        questions.values(titles(write(GOOD)), given)


@pytest.mark.parametrize(
    ("kind", "word", "value"),
    [("number", "1.5", 1.5), ("date", "2024-02-29", "2024-02-29"), ("text", " 芜湖 ", "芜湖"), ("integer", "-3", -3)],
)
def test_values_by_kind(write: Callable[..., Path], kind: str, word: str, value: object) -> None:
    question = titles(write(f"-- title: a\n-- parameter: x {kind} = NULL; b\nSELECT :x AS x"))
    assert questions.values(question, {"x": word}) == {"x": value}
    assert questions.values(question, {"x": ""}) == questions.values(question, {}) == {"x": None}


@pytest.mark.parametrize(("kind", "word"), [("number", "nan"), ("number", "x"), ("date", "20240301"), ("date", "2024-02-30")])
def test_what_is_no_value(write: Callable[..., Path], kind: str, word: str) -> None:
    question = titles(write(f"-- title: a\n-- parameter: x {kind} = NULL; b\nSELECT :x AS x"))
    with pytest.raises(UsageError, match="is not right"):
        questions.values(question, {"x": word})


@pytest.mark.parametrize(
    ("sql", "place", "message"),
    [
        ("SELECT title\nFROM articels", "line 3", "does not take the query"),
        ("SELECT titel\nFROM articles", "line 2", "does not take the query"),
        ("SELECT title,\nFROM articles", "line 3", "does not take the query"),
        (
            "WITH x AS (SELECT 1 AS a)\nINSERT INTO dictionary SELECT * FROM dictionary",
            "lines? [23](?: to 3)?",
            "only reads|INSERT",
        ),
    ],
)
def test_a_query_the_database_does_not_take(
    write: Callable[..., Path], database_url: str, sql: str, place: str, message: str
) -> None:
    question = titles(write(f"-- title: a\n{sql}"))
    with reading(database_url) as connection, pytest.raises(UsageError) as raised:
        questions.answer(connection, question, {})
    assert re.search(rf"^{re.escape(str(question.file))}, {place}: .*({message})", str(raised.value))


def test_a_question_takes_no_longer_than_it_may(write: Callable[..., Path], database_url: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT COUNT(*) AS c FROM n"
    question = titles(write(f"-- title: a\n{endless}"))
    with reading(database_url) as connection:
        with pytest.raises(UsageError, match=r"titles took longer than 0\.2 seconds: narrow it down"):
            list(questions.answer(connection, question, {}, seconds=0.2)[1])
        connection.rollback()
        # The limit is gone with the question, also where its rows are left unread.
        columns, rows = questions.answer(connection, questions.load()["crawls"], {}, seconds=30)
        assert columns[0] == "crawl_id"
        del rows
        limits = connection.connection.driver_connection if database_url.startswith("sqlite") else None
        if limits is None:
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"


@pytest.mark.parametrize("name", questions.load())
def test_the_printed_query_answers_the_same(archive: Path, name: str) -> None:
    """What `--sql` prints needs nothing of this program, in any scope."""
    question = questions.load()[name]
    url = f"sqlite:///{archive / 'archive.db'}"
    for scope in (Scope(), Scope(town.on(2), True)):
        with reading(url) as connection, closing(sqlite3.connect(archive / "archive.db")) as shell:
            printed = questions.runnable(question, "sqlite", questions.values(question, {}), scope)
            assert shell.execute(printed).fetchall() == list(questions.answer(connection, question, {}, scope)[1])


def test_negative_and_quoted_values_are_written_out(write: Callable[..., Path]) -> None:
    text = "-- title: a\n-- parameter: x integer = NULL; b\n-- parameter: y text = NULL; c\nSELECT 1-:x AS x, :y AS y"
    question = titles(write(text))
    printed = questions.runnable(question, "sqlite", questions.values(question, {"x": -5, "y": "it's :z"}))
    with closing(sqlite3.connect(":memory:")) as shell:
        assert shell.execute(printed).fetchall() == [(6, "it's :z")]


def test_every_question_is_documented() -> None:
    page = (ROOT / "docs/questions.md").read_text(encoding="utf-8")
    for question in questions.load().values():
        assert question.description and question.columns and question.group != "Yours"
        row = f"| `{question.name}` | {question.title} | "
        parameters = ", ".join(f"`{parameter.name}`" for parameter in question.parameters)
        assert f"{row}{parameters} |" in page


def test_the_example_of_the_page_is_a_question(write: Callable[..., Path], database_url: str) -> None:
    page = (ROOT / "docs/questions.md").read_text(encoding="utf-8")
    town.build(database_url)
    question = titles(write(page.partition("```sql\n")[2].partition("```")[0]))
    with reading(database_url) as connection:
        columns, rows = questions.answer(connection, question, {"word": "通车"})
        # From 10:00 in China to the last look at 08:00.
        assert columns == list(question.columns)
        assert list(rows) == [(2, "大桥今通车", 27.9), (1, "大桥今日通车", 32.9)]


def test_ask_lists_and_explains(wuhu: Wuhu, archive: Path) -> None:
    listed = wuhu("ask", folder=archive)
    assert listed.code == 0 and "  most-read             Most-read articles (category, since, until, " in listed.out
    facts = json.loads(wuhu("ask", "--json", folder=archive).out)
    assert [question["name"] for question in facts] == list(questions.load())
    about = wuhu("ask", "removed", "--about", folder=archive).out
    assert "--standing  missing | gone" in about and "times_missing" in about
    assert json.loads(wuhu("ask", "removed", "--about", "--json", folder=archive).out)["title"] == "Removed articles"


def test_ask_prints_tables_json_and_csv(wuhu: Wuhu, archive: Path) -> None:
    table = wuhu("ask", "newest-articles", "--limit", "2", folder=archive)
    assert table.out.splitlines()[1].split() == ["demo", "3", "2024-04-05T10:00:00+08:00", "学校开学", "教育", "李敏"]
    assert table.err == "the first 2 rows; --limit 0 prints all\n"
    told = json.loads(wuhu("ask", "newest-articles", "--category=时政", "-p", "top=1", "--json", folder=archive).out)
    assert (told["parameters"]["category"], told["parameters"]["top"]) == ("时政", 1)
    assert [row["article_id"] for row in told["rows"]] == [2]
    lines = list(csv.reader(io.StringIO(wuhu("ask", "articles-per-month", "--csv", folder=archive).out)))
    assert lines[:2] == [["month", "category", "articles", "with_views", "views"], ["2024-04", "时政", "2", "2", "240"]]
    past = wuhu("ask", "most-read", "--as-of", "2024-05-01", "--csv", folder=archive)
    assert next(iter(csv.DictReader(io.StringIO(past.out))))["views"] == "100"
    assert wuhu("ask", "views-by-day", "--limit", "0", folder=archive).err == "5 rows\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("most-raed",), "there is no question 'most-raed': did you mean most-read?"),
        (("xyz",), "there is no question 'xyz'; `wuhu ask` lists those there are"),
        (("most-read", "--topp", "1"), "most-read has no parameter 'topp': did you mean top?"),
        (("most-read", "--sort", "x"), "sort='x' is not right: give views or per_day or recent"),
        (("most-read", "--top"), "--top needs a value"),
        (("most-read", "--top", "1", "-p", "top=2"), "the parameter top is given twice"),
        (("most-read", "-p", "top"), "give a parameter as -p NAME=VALUE"),
        (("most-read", "removed"), "one question at a time"),
        (("-x",), "there is no option -x"),
        (("--top", "1"), "--top: name the question it is for"),
        (("most-read", "--json", "--csv"), "exclude each other"),
        (("most-read", "--folder", "nowhere"), "there is no folder of questions at nowhere"),
    ],
)
def test_ask_says_what_is_wrong(wuhu: Wuhu, archive: Path, arguments: tuple[str, ...], message: str) -> None:
    ended = wuhu("ask", *arguments, folder=archive)
    assert ended.code == 2 and message in ended.err and ended.out == ""


def test_ask_finds_the_users_questions(wuhu: Wuhu, archive: Path, write: Callable[..., Path]) -> None:
    folder = write(GOOD)
    write("SELECT 1", "broken.sql")
    listed = wuhu("ask", "--folder", str(folder), folder=archive)
    assert listed.out.rstrip().endswith("Titles (least, word)") and "broken.sql, line 1: the header needs" in listed.err
    asked = wuhu("ask", "titles", "--folder", str(folder), "--csv", folder=archive)
    assert asked.out.splitlines()[:2] == ["title", "通知"] and asked.err == ""
    broken = wuhu("ask", "broken", "--folder", str(folder), folder=archive)
    assert broken.code == 2 and "broken.sql, line 1" in broken.err


def test_the_folders_of_an_archive(tmp_path: Path) -> None:
    assert questions.folders_of(tmp_path, {}) == []
    (tmp_path / "questions").mkdir()
    assert questions.folders_of(tmp_path, {"WUHU_QUESTIONS_DIR": "mine"}) == [tmp_path / "questions", Path("mine")]
