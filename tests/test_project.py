"""The project about itself: what is documented, pinned, explained and kept out of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import ROOT

from wuhu_crawler import __version__, errors, settings
from wuhu_crawler.cli import cli
from wuhu_crawler.db.models import metadata
from wuhu_crawler.db.views import VIEWS
from wuhu_crawler.portals import BUNDLED
from wuhu_crawler.spiders.article import ArticleSpider
from wuhu_crawler.spiders.gaps import GapsSpider
from wuhu_crawler.spiders.portal_spider import PortalSpider
from wuhu_crawler.spiders.probe import ProbeSpider
from wuhu_crawler.spiders.recheck import RecheckSpider
from wuhu_crawler.spiders.wuhu import WuhuSpider

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MODULES = sorted((ROOT / "wuhu_crawler").rglob("*.py"))
# Paths of a machine and addresses of registries; written apart, so that this file does not hold them.
NOT_OURS = tuple(
    "".join(parts)
    for parts in (
        ("/", "work/"),
        ("/", "root/"),
        ("/", "home/"),
        ("bash", "_jobs"),
        ("index", "-url"),
        ("pypi", ".org"),
        ("files.", "pythonhosted"),
    )
)
OWED = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "LICENSE", "data/README.md", "Makefile", ".ci/run")
TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".ini", ".html", ".json", ".jsonl", ""}


def documents() -> str:
    """Return everything a user can read: the README and docs/."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))


def tracked() -> list[Path]:
    """Return the files of the repository: those git knows, and those it would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every command in words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield " ".join(("wuhu", *words, name))
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


@pytest.mark.parametrize("name", [name for name in vars(settings) if name.startswith("WUHU_")])
def test_every_setting_is_documented(name: str) -> None:
    assert name in documents()


@pytest.mark.parametrize(
    "words",
    [*commands(cli), *(f"scrapy crawl {name}" for name in ("wuhu", "article", "probe", "gaps", "recheck"))],
)
def test_every_command_is_documented(words: str) -> None:
    assert words in documents()


SPIDERS = (WuhuSpider, ArticleSpider, ProbeSpider, GapsSpider, RecheckSpider)


@pytest.mark.parametrize("spider", SPIDERS, ids=lambda spider: spider.name)
def test_every_spider_argument_is_documented(spider: type[PortalSpider]) -> None:
    text = documents()
    assert [argument.name for argument in spider.known_arguments if f"{argument.name}=" not in text] == []


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_table_is_documented(table: str) -> None:
    assert f"`{table}`" in documents() or f"## {table}" in documents()


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_documented(view: str) -> None:
    assert f"### `{view}`" in documents()


def test_every_exit_code_is_documented() -> None:
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.WuhuError)}
    text = documents()
    assert [code for code in sorted(codes) if not re.search(rf"\|[^|]*\b{code}\b[^|]*\|", text)] == []


def test_every_portal_key_of_the_profiles_is_explained() -> None:
    keys = {key for path in BUNDLED.glob("*.toml") for key in tomllib.loads(path.read_text(encoding="utf-8"))}
    assert [key for key in sorted(keys) if f"`{key}`" not in documents()] == []


def test_documents_name_no_file_that_is_not_there() -> None:
    named = re.findall(r"`((?:tests|docs|wuhu_crawler|bench)/[\w./-]+\.(?:py|md|toml|txt))`", documents())
    assert [name for name in sorted(set(named)) if not (ROOT / name).exists()] == []


def test_code_names_no_document_that_is_not_there() -> None:
    named = {name for path in MODULES for name in re.findall(r"docs/[\w-]+\.md", path.read_text(encoding="utf-8"))}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert dead == []


def normal(requirement: str) -> str:
    """Return the name a requirement is about, as pip compares names."""
    name = re.match(r"[\w.-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_constraints_pin_every_dependency() -> None:
    wanted = {normal(each) for each in PROJECT["dependencies"]}
    wanted |= {normal(each) for extra in PROJECT["optional-dependencies"].values() for each in extra}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normal(line): line for line in lines if line.strip() and not line.startswith("#")}
    assert sorted(wanted - pinned.keys()) == []
    assert [line for line in pinned.values() if not re.fullmatch(r"[\w.-]+==[\w.!+]+( *;.*)?", line)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not source.strip() or ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_public_function_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    assert [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)] == []


def test_the_changelog_has_this_version() -> None:
    assert re.search(rf"^## .*{re.escape(__version__)}", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", OWED)
def test_what_a_repository_has(name: str) -> None:
    path = ROOT / name
    assert path.is_file()
    assert len(path.read_text(encoding="utf-8")) > 100
    assert name != ".ci/run" or path.stat().st_mode & 0o111


def test_the_chinese_readme_is_chinese() -> None:
    text = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 300
    assert "make demo" in text


def test_nothing_of_this_machine_is_kept() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {words}"
        for path in tracked()
        if path.suffix in TEXT and "fixtures" not in path.parts
        for words in NOT_OURS
        if words in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_no_archive_is_kept() -> None:
    kept = [str(path.relative_to(ROOT)) for path in tracked()]
    assert [name for name in kept if name.startswith("data/") and name != "data/README.md"] == []
    assert [name for name in kept if name.endswith((".db", ".pyc", ".open"))] == []
    assert [name for name in kept if name.endswith(".warc.gz") and not name.startswith("tests/fixtures/")] == []
