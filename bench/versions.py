"""What makes a version and what does not: the bundled portal re-fetched night after night by real crawls.

Every page counts its readers, turns its sidebar and shows a clock and a visitor number, and every night an article more is
linked: 10,000 re-fetches of that must make no version. Then edits are planted, of one character, a moved date, a changed
credit, a swapped paragraph: each must make exactly one. The archive is a new one in a temporary folder.

    python bench/versions.py --refetches 10000 --edits 500
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from wuhu_crawler.demo import server, truth, world
from wuhu_crawler.demo.articles import Article
from wuhu_crawler.demo.portal import Answer, Portal
from wuhu_crawler.demo.world import World

ROOT = Path(__file__).parent.parent
FIRST = datetime(2024, 5, 7, 2, tzinfo=UTC)
SURNAMES, NAMES = "赵钱孙李周吴郑王冯陈", "明芳军丽强敏静磊洋艳"
# What makes an article another text; the digest of an article has these.
TOLD = ("title", "published_text", "source_date_text", "outlets", "credits", "paragraphs")


class Moving(Portal):
    """The bundled portal with clocks of the server's own: in the place of those a script writes, and at every page's foot."""

    def answer(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer with another time at every request."""
        answer = super().answer(target, headers)
        now = FIRST + timedelta(seconds=7919 * self.turn("clock"))
        shown = f"{now.year}-{now.month}-{now.day} {now:%H:%M:%S}".encode()
        body = answer.body.replace(b"<script>document.write(today());</script>", shown)
        body = body.replace(b"<script>document.write(today())</script>", shown)
        foot = b"<div>Processed in 0.%06d second(s), %s</div></body>" % (self.turn("foot") * 31 % 10**6, shown)
        return replace(answer, body=body.replace(b"</body>", foot))


class Planted(NamedTuple):
    """An edit: of what kind, the article before it and after it."""

    kind: str
    before: Article
    after: Article


class Night(NamedTuple):
    """What a night's re-check brought: captures of articles, and by how many versions each article grew."""

    refetches: int
    grown: dict[int, int]


def one_character(article: Article, draw: random.Random) -> Article | None:
    """Return the article with one character of one line of plain text changed, or left out."""
    places = [n for n, line in enumerate(article.lines) if line.kind == "text" and not line.link and len(line.text) > 20]
    if not places:
        return None
    place = draw.choice(places)
    text = article.lines[place].text
    at = draw.choice([n for n, char in enumerate(text) if "\u4e00" <= char <= "\u9fff"] or [0])
    changed = text[:at] + draw.choice(["", "某", "甚"]) + text[at + 1 :]
    return _with_line(article, place, changed)


def moved_date(article: Article, draw: random.Random) -> Article | None:
    """Return the article published some days later, or earlier."""
    return replace(article, published=article.published + timedelta(days=draw.choice((-2, -1, 1, 2))))


def changed_credit(article: Article, draw: random.Random) -> Article | None:
    """Return the article with another name in its closing credits, or another editor in its slot."""
    name = draw.choice(SURNAMES) + draw.choice(NAMES) + draw.choice(NAMES)
    byline = article.byline
    if byline is not None and byline.place == "closing" and byline.credits and byline.text.count(byline.credits[0].name) == 1:
        was = byline.credits[0].name
        credits = tuple(
            replace(each, name=each.name.replace(was, name), text=each.text.replace(was, name)) for each in byline.credits
        )
        return replace(article, byline=replace(byline, text=byline.text.replace(was, name), credits=credits))
    return replace(article, editor=name) if article.editor else None


def swapped_paragraph(article: Article, draw: random.Random) -> Article | None:
    """Return the article with two neighbouring lines of plain text in the other order."""
    lines = article.lines
    plain = [n for n in range(1, len(lines) - 2) if all(_is_plain(lines[each]) for each in (n, n + 1))]
    places = [n for n in plain if lines[n].text != lines[n + 1].text]
    if not places or article.cuts:
        return None
    place = draw.choice(places)
    return replace(article, lines=(*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]))


def _is_plain(line: object) -> bool:
    return bool(line.kind == "text" and line.text and not line.link and not line.centred)  # type: ignore[attr-defined]


def _with_line(article: Article, place: int, text: str) -> Article:
    lines = list(article.lines)
    lines[place] = replace(lines[place], text=text)
    return replace(article, lines=tuple(lines))


KINDS: dict[str, Callable[[Article, random.Random], Article | None]] = {
    "one character": one_character,
    "moved date": moved_date,
    "changed credit": changed_credit,
    "swapped paragraph": swapped_paragraph,
}


def plant(articles: list[Article], count: int, draw: random.Random) -> Iterator[Planted]:
    """Yield edits of as many different articles, the kinds in turn; each changes what the portal's truth says of it."""
    kinds, waiting = list(KINDS), draw.sample(articles, len(articles))
    for number in range(count):
        kind = kinds[number % len(kinds)]
        for article in waiting:
            after = KINDS[kind](article, draw)
            if after is not None and _told(article) != _told(after):
                waiting.remove(article)
                yield Planted(kind, article, after)
                break


def _told(article: Article) -> list[object]:
    row = next(truth.rows(World(0, {article.id: article}, {})))
    return [row[name] for name in TOLD]


class Archive:
    """The archive of one portal, crawled night by night."""

    def __init__(self, folder: Path, portal: server.Handle) -> None:
        self.folder = folder
        self.portal = portal
        self.night = 0

    def crawl(self, spider: str, *arguments: str) -> None:
        """Crawl in the next night. Raises RuntimeError with what was said when that fails."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WUHU_")}
        more = {
            "WUHU_DATA_DIR": str(self.folder),
            "WUHU_DEMO_URL": self.portal.url,
            "WUHU_CLOCK": (FIRST + timedelta(days=self.night)).isoformat(),
            "WUHU_RECHECK_MAX_DAYS": "1",
        }
        self.night += 1
        command = [sys.executable, "-m", "scrapy", "crawl", spider, "-a", "portal=demo", "-a", "requisites=no", *arguments]
        ended = subprocess.run(command, cwd=ROOT, env={**kept, **more}, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(ended.stderr)

    def versions(self) -> dict[int, int]:
        """Return the number of versions of each article."""
        return dict(self._rows("SELECT article_id, versions FROM article"))

    def captures(self) -> int:
        """Return the number of captures that show an article."""
        return int(self._rows("SELECT count(*) FROM outcome WHERE article_id IS NOT NULL AND capture_id IS NOT NULL")[0][0])

    def _rows(self, query: str) -> list[tuple[int, int]]:
        with closing(sqlite3.connect(self.folder / "archive.db")) as connection:
            return connection.execute(query).fetchall()

    def recheck(self) -> Night:
        """Ask for every known article again."""
        before, captures = self.versions(), self.captures()
        self.crawl("recheck", "-a", "budget=100000")
        grown = {number: count - before[number] for number, count in self.versions().items() if count != before[number]}
        return Night(self.captures() - captures, grown)

    def show_one_more(self) -> None:
        """Let a listing, and so neighbours and sidebars, show an article more."""
        shown = self.portal.portal.world
        hidden = next((article for article in shown.articles.values() if not article.listed), None)
        if hidden is not None:
            self.put({hidden.id: replace(hidden, listed=True)})

    def put(self, articles: Mapping[int, Article]) -> None:
        """Let the portal have these articles as they are here."""
        shown = self.portal.portal.world
        self.portal.portal.world = replace(shown, articles={**shown.articles, **articles})

    def known(self) -> list[Article]:
        """Return the articles the archive has."""
        shown = self.portal.portal.world.articles
        return [shown[number] for number in sorted(self.versions())]


def begin(folder: Path, portal: server.Handle, *arguments: str) -> Archive:
    """Return the archive of a first night."""
    portal.server.portal = Moving(world.build(world.SEED))
    archive = Archive(folder, portal)
    archive.crawl("wuhu", *arguments)
    return archive


def edit(archive: Archive, count: int, draw: random.Random) -> tuple[list[Planted], Night]:
    """Plant edits, ask for every article again, and return both."""
    planted = list(plant(archive.known(), count, draw))
    archive.put({each.after.id: each.after for each in planted})
    return planted, archive.recheck()


def main() -> None:
    """Run the benchmark; ends with 1 when a version is false or missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refetches", type=int, default=10_000)
    parser.add_argument("--edits", type=int, default=500)
    asked = parser.parse_args()
    draw = random.Random(world.SEED)
    with tempfile.TemporaryDirectory() as folder, server.start() as portal:
        archive = begin(Path(folder), portal)
        refetches, false = 0, Counter[int]()
        while refetches < asked.refetches:
            archive.show_one_more()
            night = archive.recheck()
            refetches, false = refetches + night.refetches, false + Counter(night.grown)
            print(f"night {archive.night}: {refetches} re-fetches, {false.total()} versions", file=sys.stderr, flush=True)
        wanted, missed, extra = Counter[str](), [], Counter[int]()
        while wanted.total() < asked.edits:
            planted, night = edit(archive, min(asked.edits - wanted.total(), 300), draw)
            wanted.update(each.kind for each in planted)
            missed += [(each.kind, each.before.id) for each in planted if night.grown.get(each.before.id) != 1]
            extra += Counter({number: n for number, n in night.grown.items() if number not in {p.before.id for p in planted}})
            print(f"night {archive.night}: {wanted.total()} edits, {len(missed)} missed", file=sys.stderr, flush=True)
            if not planted:
                raise SystemExit("no article is left to edit")
        looks = Counter(article.look for article in archive.known())
    print(f"{len(looks)} templates, {looks.total()} articles, {archive.night} nights")
    print(f"{refetches} re-fetches with moving counters, sidebars, neighbours and clocks: {false.total()} versions")
    for kind, count in wanted.items():
        print(f"{count} edits ({kind}): {count - sum(each == kind for each, _ in missed)} versions")
    print(f"{wanted.total()} edits in all: {wanted.total() - len(missed)} versions; {extra.total()} of articles nobody edited")
    for kind, number in missed:
        print(f"  missed: {kind} of article {number}")
    if false or missed or extra:
        print(f"  false: {dict(false + extra)}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
