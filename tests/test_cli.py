"""The command `wuhu` as its user meets it: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import warm
from conftest import PATIENCE, ROOT, DemoCrawl, Story, Wuhu, answer, environment, html, listing, program, rows, serving

from wuhu_crawler import __version__, cli
from wuhu_crawler.db.engine import head
from wuhu_crawler.demo import portal as portal_scripts
from wuhu_crawler.demo import server, world
from wuhu_crawler.paths import ArchiveLock

URL = "http://www.o553.cn/news/Info.asp?ID=7"
STORY = Story(7, "长江大桥昨日通车")


@pytest.fixture(scope="module", autouse=True)
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """`wuhu demo` as a real process, under way while the other tests run."""
    place = tmp_path_factory.mktemp("wuhu-demo")
    command = [program("wuhu"), "demo", "--folder", "kept"]
    with subprocess.Popen(
        command, cwd=place, env=environment(place / "unused"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield place, process
        process.kill()


def page(folder: Path, name: str, body: bytes) -> str:
    """Save a page and return its path."""
    path = folder / name
    path.write_bytes(body)
    return str(path)


# --- extract ---


def test_extract_a_saved_page(wuhu: Wuhu, tmp_path: Path) -> None:
    ended = wuhu("extract", page(tmp_path, "7.html", STORY.page()), "--url", URL)
    (article,) = ended.lines
    assert (ended.code, ended.err) == (0, "")
    assert (article["kind"], article["portal"], article["article_id"], article["url"]) == ("article", "o553", 7, URL)
    assert (article["title"], article["published_at"]) == (STORY.title, "2024-05-06T08:09:10+08:00")
    assert article["capture_id"] is None
    assert STORY.title in ended.out  # Chinese as it is, no \uXXXX


def test_extract_keeps_the_order_and_says_what_is_no_article(wuhu: Wuhu, tmp_path: Path) -> None:
    inputs = {
        "z.html": STORY.page(),
        "gone.html": html("<p>该信息不存在！</p>"),
        "a.html": Story(8, "市民公园免费开放").page(),
        "error.html": html("<p>Microsoft VBScript 运行时错误 错误 '800a000d'</p>"),
        "empty.html": b"",
    }
    ended = wuhu("extract", *(page(tmp_path, name, body) for name, body in inputs.items()), "--url", URL)
    assert ended.code == 3
    assert [line["kind"] for line in ended.lines] == ["article", "missing", "article", "error", "error"]
    assert [line["title"] for line in ended.lines][::2][:2] == [STORY.title, "市民公园免费开放"]
    assert {line["url"] for line in ended.lines} == {URL}
    assert "gone.html: missing: " in ended.err
    assert "3 of 5" in ended.err


def test_extract_a_listing(wuhu: Wuhu, tmp_path: Path) -> None:
    links = {f"/news/Info.asp?ID={n}": f"第{n}篇文章的标题" for n in range(1, 6)}
    ended = wuhu("extract", page(tmp_path, "list.html", listing(links)), "--url", "http://www.o553.cn/news/Class.asp?ID=1")
    (found,) = ended.lines
    assert (ended.code, found["kind"]) == (0, "listing")
    assert [(entry["article_id"], entry["title"], entry["date"]) for entry in found["entries"]] == [
        (n, f"第{n}篇文章的标题", "2024-05-06") for n in range(1, 6)
    ]


def test_extract_of_no_known_portal(wuhu: Wuhu, tmp_path: Path) -> None:
    ended = wuhu("extract", page(tmp_path, "7.html", STORY.page()), "--url", "http://www.example.cn/show.asp?id=7")
    (article,) = ended.lines
    assert (ended.code, article["portal"], article["article_id"], article["title"]) == (0, None, 7, STORY.title)


def test_extract_without_a_url(wuhu: Wuhu, tmp_path: Path) -> None:
    long = Story(7, STORY.title, STORY.lines * 8)
    ended = wuhu("extract", page(tmp_path, "7.html", long.page()))
    assert (ended.code, ended.lines[0]["title"], ended.lines[0]["article_id"]) == (0, STORY.title, None)


def test_extract_reads_relative_dates_against_the_capture_time(wuhu: Wuhu, tmp_path: Path) -> None:
    path = page(tmp_path, "7.html", Story(7, STORY.title, published="昨天 08:00").page())
    (article,) = wuhu("extract", path, "--url", URL, "--captured-at", "2024-05-01T18:00:00Z").lines
    assert (article["published_text"], article["published_at"]) == ("昨天 08:00", "2024-05-01T08:00:00+08:00")


def test_extract_a_url_of_a_running_portal(wuhu: Wuhu, demo_server: server.Handle) -> None:
    ended = wuhu("extract", f"{demo_server.url}news/Info.asp?ID=12393", "--portal", "demo")
    (article,) = ended.lines
    assert (ended.code, article["article_id"]) == (0, 12393)
    assert "田龙" in article["reporters"]


def test_extract_a_url_of_an_article_of_several_captures(
    wuhu: Wuhu, demo_server: server.Handle, demo_truth: dict[int, dict[str, Any]]
) -> None:
    several = [row for row in demo_truth.values() if row["parts"] > 1]
    counted = next(row for row in demo_truth.values() if row["counter"] == "script")
    ended = wuhu("extract", *(f"{demo_server.url.rstrip('/')}{row['url']}" for row in (*several, counted)))
    assert ended.code == 0
    found = {line["article_id"]: line for line in ended.lines}
    for row in several:
        for name in ("paragraphs", "sections", "credits", "headings"):
            assert found[row["article_id"]][name] == row[name]
    assert found[counted["article_id"]]["views"] >= counted["views"]
    assert "fetching part 2: http" in ended.err


def test_extract_says_what_is_missing_of_an_article(wuhu: Wuhu, tmp_path: Path) -> None:
    page = Story(7, "长江大桥昨日通车").page().replace(b"</table>", b"</table><a href='Info.asp?ID=7&ArticlePage=2'>[2]</a>")
    with serving({"/news/Info.asp?ID=7": page}) as site:
        ended = wuhu("extract", f"{site.url}/news/Info.asp?ID=7", "--portal", str(site.profile(tmp_path)))
    assert ended.code == 0
    assert ended.lines[0]["evidence"]["parts"] == {
        "rule": "incomplete",
        "text": f"part 2 ({site.url}/news/Info.asp?ID=7&ArticlePage=2): HTTP 404",
    }


def test_extract_meets_parts_and_counters_that_fail(wuhu: Wuhu, demo_truth: dict[int, dict[str, Any]]) -> None:
    several = next(number for number, row in demo_truth.items() if row["parts"] == 3)
    counted = next(number for number, row in demo_truth.items() if row["counter"] == "script")
    reasons = {"part-missing": "HTTP 404", "part-error": "HTTP 500", "part-cut": "broke off", "part-repeats": "repeats part 1"}
    failing = {"counter-error": "HTTP 500", "counter-empty": "no single number"}
    with server.start(faults=True) as portal:
        urls = [f"{portal.url}faults/{name}/news/Info.asp?ID={several}" for name in reasons]
        urls += [f"{portal.url}faults/{name}/news/Info.asp?ID={counted}" for name in failing]
        ended = wuhu("extract", *urls, "--portal", "demo")
    assert ended.code == 0
    *in_parts, first, second = ended.lines
    for line, (name, reason) in zip(in_parts, reasons.items(), strict=True):
        assert line["evidence"]["parts"]["rule"] == ("joined" if name == "part-repeats" else "incomplete"), name
        assert reason in line["evidence"]["parts"]["text"]
    for line, reason in zip((first, second), failing.values(), strict=True):
        assert line["views"] is None
        assert reason in line["evidence"]["views"]["text"]


def test_extract_reads_files_one_by_one(wuhu: Wuhu, tmp_path: Path) -> None:
    """Parts of one article given as files stay one object an input."""
    model, portal = world.build(), portal_scripts.Portal(world.build())
    article = next(a for a in model.articles.values() if a.parts == 2)
    for number, target in ((1, article.url), (2, f"{article.url}&ArticlePage=2")):
        (tmp_path / f"{number}.html").write_bytes(portal.answer(target).body)
    ended = wuhu("extract", *(str(tmp_path / f"{n}.html") for n in (1, 2)), "--url", f"http://www.o553.cn{article.url}")
    assert [line["article_id"] for line in ended.lines] == [article.id, article.id]
    assert all("parts" not in line["evidence"] for line in ended.lines)


def test_extract_a_url_that_is_missing(wuhu: Wuhu, demo_server: server.Handle) -> None:
    ended = wuhu("extract", f"{demo_server.url}nothing.asp", "--portal", "demo")
    assert (ended.code, ended.lines[0]["kind"], ended.lines[0]["reason"]) == (3, "missing", "HTTP 404")


def test_extract_a_url_that_does_not_answer(wuhu: Wuhu) -> None:
    with serving({}) as site:
        url = site.url
    ended = wuhu("extract", url)
    assert (ended.code, ended.out) == (5, "")
    assert url in ended.err


def test_extract_follows_no_redirect_to_a_file(wuhu: Wuhu, tmp_path: Path) -> None:
    secret = page(tmp_path, "secret.html", STORY.page())
    with serving({"/": lambda handler: answer(handler, 302, b"", Location=f"file://{secret}")}) as site:
        ended = wuhu("extract", f"{site.url}/")
    assert ended.code in (3, 5)
    assert STORY.title not in ended.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("no-such-file.html",), "no-such-file.html"),
        ((".",), "."),
        (("ftp://example.org/x",), "ftp://example.org/x"),
        (("pyproject.toml", "--captured-at", "gestern"), "captured-at"),
        (("pyproject.toml", "--portal", "nowhere"), "nowhere"),
        ((), "FILE_OR_URL"),
    ],
)
def test_extract_called_wrongly(wuhu: Wuhu, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], word: str) -> None:
    monkeypatch.chdir(ROOT)
    ended = wuhu("extract", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert word in ended.err


def test_extract_standard_input_as_a_real_process() -> None:
    ended = subprocess.run(
        [program("wuhu"), "extract", "-", "--url", URL], input=STORY.page(), capture_output=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert json.loads(ended.stdout)["title"] == STORY.title


# --- show, search, status ---


def test_show(wuhu: Wuhu, demo: DemoCrawl, demo_truth: dict[int, dict[str, Any]]) -> None:
    ended = wuhu("show", "12393", folder=demo.folder)
    true = demo_truth[12393]
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == true["title"]
    for words in (*true["paragraphs"], *true["reporters"], true["category"], demo.articles[12393]["url"]):
        assert words in ended.out


def test_show_json_is_the_article(wuhu: Wuhu, demo: DemoCrawl) -> None:
    ended = wuhu("show", "12393", "--json", folder=demo.folder)
    assert json.loads(ended.out) == {**demo.articles[12393], "related": []}
    assert wuhu("show", "12393", "--json", "--portal", "demo", folder=demo.folder).out == ended.out


@pytest.mark.parametrize("arguments", [("99999999",), ("12393", "--portal", "o553"), ("-5",), ("abc",), (str(1 << 70),)])
def test_show_what_is_not_there(wuhu: Wuhu, demo: DemoCrawl, arguments: tuple[str, ...]) -> None:
    ended = wuhu("show", *arguments, folder=demo.folder)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err


@pytest.mark.parametrize("term", ["芜湖", "田龙", "繁昌区", "通", "2024", "党建"])
def test_search_finds_what_the_texts_say(wuhu: Wuhu, demo: DemoCrawl, demo_truth: dict[int, dict[str, Any]], term: str) -> None:
    # Words of a byline that stands alone are in no paragraph, and found all the same.
    texts = {
        number: "\n".join((row["title"], *row["paragraphs"], *(credit["text"] for credit in row["credits"])))
        for number, row in demo.articles.items()
    }
    ended = wuhu("search", term, "--json", "--limit", "1000", folder=demo.folder)
    found = json.loads(ended.out)
    hits = {result["article_id"] for result in found["results"]}
    # A number is a word: 2024 is not found inside of 12024.
    wanted = {number for number, text in texts.items() if term in text} if not term.isdigit() else hits
    assert (ended.code, hits, found["count"]) == (0, wanted, len(hits))
    assert all(term in texts[number] for number in hits)
    assert wuhu("search", term, "--count", folder=demo.folder).out == f"{len(hits)}\n"


def test_search_as_text(wuhu: Wuhu, demo: DemoCrawl) -> None:
    ended = wuhu("search", "田龙", folder=demo.folder)
    assert ended.code == 0
    assert "12393" in ended.out
    assert "[田龙]" in ended.out
    assert ended.err == "1 article, shown 1 to 1\n"


def test_search_pages_through_the_results(wuhu: Wuhu, demo: DemoCrawl) -> None:
    def ids(*options: str) -> list[int]:
        found = json.loads(wuhu("search", "芜湖", "--json", *options, folder=demo.folder).out)
        return [result["article_id"] for result in found["results"]]

    everything = ids("--limit", "1000")
    assert ids("--limit", "7") + ids("--limit", "1000", "--offset", "7") == everything
    assert ids("--offset", "100000") == []


@pytest.mark.parametrize(
    "term", ['"', "*", "AND", "NEAR(", "芜湖 OR", "a:b", "-x", "；。！", "'; DROP TABLE article; --", "\0", "🎉"]
)
def test_search_takes_any_words(wuhu: Wuhu, demo: DemoCrawl, term: str) -> None:
    ended = wuhu("search", "--json", "--", term, folder=demo.folder)
    assert ended.code in (0, 2), ended.err
    assert "Traceback" not in ended.err
    assert ended.code == 2 or json.loads(ended.out)["count"] >= 0


def test_search_nothing_found(wuhu: Wuhu, demo: DemoCrawl) -> None:
    ended = wuhu("search", "不存在的词语", folder=demo.folder)
    assert (ended.code, ended.out) == (0, "")
    assert "0 articles" in ended.err


def test_status(wuhu: Wuhu, demo: DemoCrawl) -> None:
    told = json.loads(wuhu("status", "--json", folder=demo.folder).out)
    files = list((demo.folder / "warc").iterdir())
    assert (told["articles"], told["versions"], told["crawls"]) == (len(demo.articles), len(demo.articles), 1)
    assert told["captures"] == len(demo.log)
    assert (told["warc_files"], told["warc_bytes"]) == (len(files), sum(file.stat().st_size for file in files))
    assert sum(told["outcomes"].values()) == len(demo.log)
    assert (told["last_run"]["exit_code"], told["last_crawl"]["status"]) == (0, "finished")
    text = wuhu("status", folder=demo.folder).out
    for words in (str(demo.folder), f"{len(demo.articles)} articles", told["last_crawl"]["id"], "finished", "exit code 0"):
        assert words in text.replace("\n", "")


def test_reading_leaves_the_archive_alone(wuhu: Wuhu, demo: DemoCrawl, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(demo.folder, tmp_path / "archive"))
    before = (folder / "archive.db").read_bytes()
    lock = ArchiveLock(folder)  # a crawl is under way
    for arguments in (("show", "12393"), ("search", "芜湖"), ("status",)):
        assert wuhu(*arguments, folder=folder).code == 0
    lock.release()
    assert (folder / "archive.db").read_bytes() == before


@pytest.mark.parametrize("arguments", [("show", "7"), ("search", "芜湖"), ("status",), ("status", "--json"), ("db", "check")])
def test_without_an_archive(wuhu: Wuhu, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = wuhu(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert str(tmp_path / "no-archive") in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "no-archive").exists(), "reading must not make an archive"


def test_the_data_option_names_the_archive(wuhu: Wuhu, demo: DemoCrawl) -> None:
    assert wuhu("--data", str(demo.folder), "show", "12393").code == 0


# --- db ---


def test_db_upgrade_makes_an_empty_archive(wuhu: Wuhu, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    ended = wuhu("db", "upgrade", folder=folder)
    assert (ended.code, ended.out) == (0, "")
    assert head() in ended.err
    assert wuhu("db", "upgrade", folder=folder).code == 0
    assert wuhu("db", "check", folder=folder).out == "ok\n"
    assert json.loads(wuhu("status", "--json", folder=folder).out)["articles"] == 0
    assert wuhu("status", folder=folder).code == 0
    assert wuhu("search", "芜湖", folder=folder).code == 0


def test_db_upgrade_beside_a_crawl(wuhu: Wuhu, tmp_path: Path) -> None:
    lock = ArchiveLock(tmp_path / "busy")
    ended = wuhu("db", "upgrade", folder=tmp_path / "busy")
    lock.release()
    assert ended.code == 12
    assert str(os.getpid()) in ended.err


def test_db_check_of_a_sound_database(wuhu: Wuhu, demo: DemoCrawl) -> None:
    assert wuhu("db", "check", folder=demo.folder) == (0, "ok\n", "")
    assert json.loads(wuhu("db", "check", "--json", folder=demo.folder).out)["problems"] == []


def test_db_reindex_mends_the_search(wuhu: Wuhu, demo: DemoCrawl, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    shutil.copy(demo.folder / "archive.db", folder)
    with sqlite3.connect(folder / "archive.db") as copy:
        copy.execute("INSERT INTO article_search (article_search) VALUES ('delete-all')")
    assert wuhu("search", "--count", "芜湖", folder=folder).out == "0\n"
    assert wuhu("db", "check", folder=folder).code == 4
    assert wuhu("db", "reindex", folder=folder) == (0, "", f"{len(demo.articles)} articles indexed\n")
    assert wuhu("db", "check", folder=folder) == (0, "ok\n", "")
    assert wuhu("search", "--count", "芜湖", folder=folder).out == wuhu("search", "--count", "芜湖", folder=demo.folder).out


@pytest.fixture
def damaged(demo: DemoCrawl, tmp_path: Path) -> Path:
    """A copy of the archive with a page of its database overwritten."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    ((page_size,),) = rows(demo.folder, "PRAGMA page_size")
    ((root,),) = rows(demo.folder, "SELECT rootpage FROM sqlite_master WHERE name = 'article_version'")
    raw = bytearray((demo.folder / "archive.db").read_bytes())
    raw[(root - 1) * page_size : root * page_size] = b"\xff" * page_size
    (folder / "archive.db").write_bytes(raw)
    return folder


def test_db_check_finds_damage(wuhu: Wuhu, damaged: Path) -> None:
    ended = wuhu("db", "check", folder=damaged)
    assert ended.code == 4
    assert ended.out
    assert "Traceback" not in ended.err
    ended = wuhu("db", "check", "--json", folder=damaged)
    assert (ended.code, bool(json.loads(ended.out)["problems"])) == (4, True)


@pytest.mark.parametrize("arguments", [("show", "12393"), ("search", "芜湖"), ("status",)])
def test_reading_a_damaged_database_is_a_sentence(wuhu: Wuhu, damaged: Path, arguments: tuple[str, ...]) -> None:
    ended = wuhu(*arguments, folder=damaged)
    assert ended.code in (0, 13)
    assert ended.code == 0 or "db check" in ended.err


@pytest.mark.parametrize("arguments", [("show", "12393"), ("status",), ("db", "check"), ("db", "upgrade")])
def test_a_file_that_is_no_database(wuhu: Wuhu, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "archive.db").write_text("This is no database, whatever its name says.\n" * 100)
    ended = wuhu(*arguments, folder=folder)
    assert ended.code in (2, 4, 13)
    assert "archive.db" in ended.err + ended.out or "database" in ended.err
    assert (folder / "archive.db").read_text().startswith("This is no database")


# --- demo ---


def test_demo_truth_needs_no_server(wuhu: Wuhu, demo_truth: dict[int, dict[str, Any]], demo_facts: dict[str, Any]) -> None:
    ended = wuhu("demo", "truth")
    assert (ended.code, ended.err) == (0, "")
    assert {row["article_id"]: row for row in ended.lines} == demo_truth
    assert json.loads(wuhu("demo", "truth", "--summary").out) == json.loads(json.dumps(demo_facts))


def test_demo_serve_on_a_port_in_use(wuhu: Wuhu, demo_server: server.Handle) -> None:
    port = demo_server.url.rstrip("/").rpartition(":")[2]
    ended = wuhu("demo", "serve", "--port", port)
    assert (ended.code, ended.out) == (2, "")
    assert port in ended.err


def test_demo_keeps_what_is_not_its_own(wuhu: Wuhu, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    ended = wuhu("demo", "--folder", str(tmp_path / "mine"))
    assert ended.code == 2
    assert "thesis.txt" in ended.err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("no folder")
    ended = wuhu("demo", "--folder", str(tmp_path / "file"))
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert (tmp_path / "file").read_text() == "no folder"


# --- every command ---


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


@pytest.mark.parametrize("words", [(), *commands(cli.cli)], ids=" ".join)
def test_help_teaches(wuhu: Wuhu, words: tuple[str, ...]) -> None:
    ended = wuhu(*words, "--help")
    assert (ended.code, ended.err) == (0, "")
    told, _, options = ended.out.partition("Options:")
    sentence = told.partition("\n\n")[2].strip()
    assert len(sentence) > 30
    assert sentence.rstrip().endswith((".", ")", "title")) or "wuhu " in sentence
    for line in options.splitlines():
        if line.startswith("  -"):
            assert line.strip() != line.strip().split("  ")[0] or len(line) > 30, f"{line} has no explanation"


@pytest.mark.parametrize(
    "words", [("nosuch",), ("show",), ("status", "--nosuch"), ("search",), ("db", "nosuch"), ("demo", "serve", "--port", "x")]
)
def test_wrong_usage(wuhu: Wuhu, words: tuple[str, ...]) -> None:
    ended = wuhu(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_version(wuhu: Wuhu) -> None:
    assert wuhu("--version").out.strip().endswith(__version__)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"set -o pipefail; {program('wuhu')} demo truth | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["kind" if "kind" in ended.stdout else "title"]


# --- the whole demonstration ---


def test_wuhu_demo_equals_the_truth(demo_run: tuple[Path, subprocess.Popen[str]], demo_facts: dict[str, Any]) -> None:
    place, process = demo_run
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert not (place / "unused").exists(), "the demonstration keeps to its own archive"
    linked = set(demo_facts["linked_dead"])
    table = {line.rsplit(maxsplit=2)[0].strip(): line.split()[-2:] for line in out.splitlines() if line.rstrip()[-1:].isdigit()}
    for what, count in {
        "articles": demo_facts["articles_listed"],
        "article versions": demo_facts["articles_listed"],
        "gaps (IDs no page links to)": len(demo_facts["gaps"]),
        "soft-404s met": len(linked & set(demo_facts["missing"])),
        "portal error pages met": len(linked & set(demo_facts["portal_errors"])),
    }.items():
        assert table[what] == [str(count), str(count)]
    assert "Traceback" not in err
    tried = [line.strip().removeprefix(".venv/bin/") for line in out.partition("Try next:")[2].splitlines() if line.strip()]
    assert len(tried) == 3
    for command in tried:
        words = command.split()
        assert words[0] == "wuhu"
        ended = warm.text([program("wuhu"), *words[1:]], cwd=place)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout
    for path in (line.split()[-1] for line in out.splitlines() if line.startswith(("WARC ", "database ", "feed "))):
        assert (place / path).is_file()
