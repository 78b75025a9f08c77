"""A generated archive: realistic Chinese articles by the hundred thousand, the same for the same seed, for benchmarks.

Words follow Zipf's law, as in any language, over characters that do so too; places, offices and numbers of the bundled
portal's vocabulary are among them, and every article comes back to a few words of its own. Sections, credits, links, views
and dates are what such a portal has. Articles are captured the night after they appeared, by a crawl a month, over many
years; some are captured again later: with more views, now and then with another text, and a few are gone.

    articles(1000)                       items.Article, each as it was first captured
    sights(1000)                         everything captured, in its order: articles, listings, pages that say there is none
    build(folder, 1000)                  an archive folder (a database; there are no WARC files behind it)
    cached(folder, 100_000)              the same, made once and kept in `folder`: do not write into it

    python bench/library.py DIR --articles 100000
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from bisect import bisect
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from heapq import heappop, heappush
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import wuhu_crawler.db
from wuhu_crawler.db.replacement import beside
from wuhu_crawler.db.search import reindex
from wuhu_crawler.db.store import Store
from wuhu_crawler.demo import texts, words
from wuhu_crawler.items import (
    Article,
    Capture,
    Credit,
    Evidence,
    Link,
    Listing,
    ListingEntry,
    OtherPage,
    Outcome,
    PageItem,
    Section,
)
from wuhu_crawler.portals import Portal

HOST = "http://www.library.example"
PORTAL = Portal(name="library", title="江城文库", seeds=(f"{HOST}/",))
CATEGORIES = ("资讯杂谈", "社会新闻", "教育动态", "文化旅游", "生态环保", "三农纵横", "通知公告", "江城人物")
CHARACTERS = 1200
CHINA = timezone(timedelta(hours=8))
FIRST, LAST = datetime(2012, 3, 1, 8, 5, 9, tzinfo=CHINA), datetime(2026, 3, 1, tzinfo=CHINA)
# Of how many articles one is captured again, one of how many of those has another text then, one of how many is gone.
AGAIN, CHANGED, GONE = 8, 5, 40
BATCH = 500
PER_LISTING = 20
_NUMERALS = "一二三四五六"
# The commonest characters of newspapers, roughly in their order; the others of the first level of GB 2312 follow in any.
_COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等"
    "部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数"
    "正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长"
    "求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压"
    "志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节"
    "话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感"
    "劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听"
)


class Sight(NamedTuple):
    """Something captured, as the store is told of it."""

    crawl_id: str
    capture: Capture
    item: PageItem
    outcome: Outcome
    article_id: int | None
    article_digest: str | None


class _Words(NamedTuple):
    """The vocabulary, the commonest word first, with its weights summed up."""

    words: Sequence[str]
    weights: Sequence[float]
    reporters: Sequence[str]
    fame: Sequence[float]


class Writer:
    """Writes the text of one article."""

    def __init__(self, rng: random.Random, characters: int = CHARACTERS) -> None:
        """Write about so many characters; the words the article comes back to are drawn first."""
        self.rng = rng
        vocabulary = _vocabulary()
        self._own = [vocabulary.words[rng.randrange(400, len(vocabulary.words))] for _ in range(14)]
        self._own += [rng.choice(words.STREETS), rng.choice(words.ORGS), rng.choice(words.ACTIVITIES)]
        count = characters // 2 + 40
        drawn = rng.choices(vocabulary.words, cum_weights=vocabulary.weights, k=count * 6 // 7)
        drawn += rng.choices(self._own, k=count // 7)
        rng.shuffle(drawn)
        self._drawn = iter(drawn)
        self._rest = _draws(rng, vocabulary)

    def title(self) -> str:
        """Return a headline."""
        chosen = self.rng.sample(self._own, 4)
        return f"{self.rng.choice(words.DISTRICTS)}{chosen[0]}：{''.join(chosen[1:])}{self.rng.choice(words.RESULTS)}"

    def heading(self) -> str:
        """Return a heading without its number."""
        return "".join(self.rng.sample(self._own, 3)) + self.rng.choice(words.FOUR)

    def paragraph(self, characters: int) -> str:
        """Return sentences of at least so many characters."""
        parts: list[str] = []
        size = 0
        while size < characters:
            clause = "".join(next(self._drawn, None) or next(self._rest) for _ in range(self.rng.randrange(3, 9)))
            parts += (clause, "，" if self.rng.random() < 0.7 else "。")
            size += len(clause) + 1
        return "".join(parts)[:-1] + "。"


def _draws(rng: random.Random, vocabulary: _Words) -> Iterator[str]:
    while True:
        yield from rng.choices(vocabulary.words, cum_weights=vocabulary.weights, k=50)


@cache
def _vocabulary() -> _Words:
    rng = random.Random("library")
    level = bytes(byte for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for byte in (high, low)).decode(
        "gb2312", "ignore"
    )
    rare = [character for character in level if character not in _COMMON]
    rng.shuffle(rare)
    characters = [*dict.fromkeys(_COMMON), *rare]
    weights = list(accumulate(1 / (rank + 8) for rank in range(len(characters))))
    lengths = rng.choices((1, 2, 3, 4), cum_weights=(6, 72, 88, 100), k=40_000)
    made = dict.fromkeys("".join(rng.choices(characters, cum_weights=weights, k=length)) for length in lengths)
    known = [*characters[:60], *made]
    for place, word in enumerate(_known_words(rng)):
        known.insert(60 + 3 * place + rng.randrange(3), word)
    known = list(dict.fromkeys(known))
    reporters = list(dict.fromkeys(texts.person(rng) for _ in range(400)))
    return _Words(
        known,
        list(accumulate(1 / (rank + 2.7) for rank in range(len(known)))),
        reporters,
        list(accumulate(1 / (rank + 5) for rank in range(len(reporters)))),
    )


def _known_words(rng: random.Random) -> list[str]:
    """Words of the bundled portal, numbers and Latin words, in any order; 芜湖 is in about half of all articles."""
    known = [*words.DISTRICTS, *words.STREETS, *words.COMMUNITIES, *words.ORGS, *words.ACTIVITIES, *words.FOUR, *words.VERBS]
    known += [*words.THINGS, *words.SITES, "GDP", "5G", "AI", "APP", "WIFI", "PM2.5", "ＡＰＰ", "２０２３年"]
    known += [f"{year}年" for year in range(2010, 2027)]
    known += [f"{rng.randrange(10, 999) / 10}%" for _ in range(60)] + [f"{rng.randrange(2, 9800)}万元" for _ in range(60)]
    rng.shuffle(known)
    return [*known[:12], "芜湖", "芜湖市", *known[12:]]


def article(number: int, seed: int = 0, characters: int = CHARACTERS) -> Article:
    """Return an article as it was first captured, its capture not yet named; numbers count from 1."""
    rng = random.Random(f"{seed} {number}")
    writer = Writer(rng, characters)
    sections, paragraphs, headings = _body(writer, characters)
    credits, outlets = _credits(rng)
    category = CATEGORIES[min(bisect(_SHARES, rng.random()), len(CATEGORIES) - 1)]
    article_id = number + number // 9
    return Article(
        portal=PORTAL.name,
        article_id=article_id,
        url=f"{HOST}/news/Info.asp?ID={article_id}",
        title=writer.title(),
        breadcrumb=["返回首页", PORTAL.title, category, "正文"],
        category=category,
        views=rng.randrange(3, 400),
        outlets=outlets,
        credits=credits,
        reporters=[credit.name for credit in credits if credit.role == "reporter"],
        paragraphs=paragraphs,
        headings=headings,
        sections=sections,
        images=[Link(url=f"{HOST}/UploadFile/{number}-{n}.jpg", text="") for n in range(rng.choice((0, 0, 1, 1, 2)))],
        attachments=[Link(url=f"{HOST}/UploadFile/{number}.doc", text="附件")] if number % 37 == 0 else [],
        links=[Link(url=f"{HOST}/zt/{number % 17}/", text="专题")] if number % 11 == 0 else [],
        encoding="gb18030",
        evidence=_evidence(article_id),
    )


_SHARES = (0.3, 0.5, 0.65, 0.76, 0.85, 0.92, 0.97)


def _body(writer: Writer, characters: int) -> tuple[list[Section], list[str], list[str]]:
    """Return sections, body lines and headings: a lead, then sections of about equal length, one of them with two below."""
    parts = writer.rng.randrange(2, 5)
    size = characters // (2 * parts + 1)
    lead = writer.paragraph(size)
    sections, lines, headings = [Section(level=1, paragraphs=[lead])], [lead], []
    for number in range(parts):
        heading, numeral = writer.heading(), f"{_NUMERALS[number]}、"
        section = Section(level=1, number=numeral, heading=heading)
        if number == 1 and writer.rng.random() < 0.3:
            section.sections = [
                Section(level=2, number=f"（{_NUMERALS[n]}）", heading=writer.heading(), paragraphs=[writer.paragraph(size)])
                for n in range(2)
            ]
        else:
            section.paragraphs = [writer.paragraph(size) for _ in range(2)]
        sections.append(section)
        headings.append(heading)
        lines += [f"{numeral}{heading}", *section.paragraphs]
        for below in section.sections:
            lines += [f"{below.number}{below.heading}", *below.paragraphs]
    return sections, lines, headings


def _credits(rng: random.Random) -> tuple[list[Credit], list[str]]:
    vocabulary = _vocabulary()
    outlet = words.OUTLETS[min(int(rng.expovariate(0.6)), len(words.OUTLETS) - 1)]
    names = dict.fromkeys(rng.choices(vocabulary.reporters, cum_weights=vocabulary.fame, k=rng.choice((1, 1, 2))))
    text = f"{outlet}记者{' '.join(names)}"
    credits = [Credit(role="reporter", name=name, outlet=outlet, text=text) for name in names]
    if rng.random() < 0.4:
        name = texts.person(rng)
        credits.append(Credit(role="correspondent", name=name, text=f"通讯员{name}"))
    if rng.random() < 0.5:
        name = rng.choice(vocabulary.reporters[:40])
        credits.append(Credit(role="editor", name=name, text=f"责编 {name}"))
    return credits, [outlet]


def _evidence(article_id: int) -> dict[str, Evidence]:
    known = {
        "title": "heading",
        "published_at": "label 发布日期",
        "views": "label 浏览",
        "category": "breadcrumb",
        "body": "region",
    }
    return {name: Evidence(rule=rule, text=f"{rule} {article_id}") for name, rule in known.items()}


def articles(count: int, seed: int = 0, characters: int = CHARACTERS) -> Iterator[Article]:
    """Yield so many articles, dated over the years, each as it was first captured; captures are numbered from 1."""
    step = (LAST - FIRST) / max(count, 1)
    for number in range(1, count + 1):
        at = FIRST + number * step
        published = at.replace(hour=7 + number % 13, minute=number * 7 % 60, second=number * 13 % 60, microsecond=0)
        item = article(number, seed, characters)
        item.published_at, item.published_precision = published, "second"
        item.published_text = f"{published.year}/{published.month}/{published.day} {published.hour}:{published:%M:%S}"
        source: date = published.date() - timedelta(days=number * 5 % 7)
        item.source_date, item.source_date_text = source, f"来源时间为:{source}"
        item.capture_id, item.captured_at = number, _night(published)
        yield item


def _night(published: datetime) -> datetime:
    """Return the night after a publication, in UTC: from 22:00 in China on."""
    evening = published.replace(hour=22, minute=0, second=0)
    return (evening + timedelta(microseconds=published.hour * 3_600_000_000 // 24)).astimezone(UTC)


def digest(item: Article) -> str:
    """Return something that differs when the text does, quicker than the real one."""
    told = "\n".join((item.title or "", *item.paragraphs))
    return "sha256:" + hashlib.sha256(told.encode()).hexdigest()


def sights(count: int, seed: int = 0, characters: int = CHARACTERS) -> Iterator[Sight]:
    """Yield everything captured in its order; a crawl takes a month, and numbers of captures count from 1."""
    for number, (at, item) in enumerate(_shown(count, seed, characters), 1):
        item.capture_id, item.captured_at = number, at
        crawl_id = f"{at:%Y%m}-wuhu-1"
        article_id = item.article_id if not isinstance(item, Listing) else None
        kind = "missing" if isinstance(item, OtherPage) else "captured"
        outcome = Outcome(url=item.url, outcome=kind, capture_id=number, at=at)
        told = digest(item) if isinstance(item, Article) else None
        yield Sight(crawl_id, capture(number, item.url, crawl_id, at), item, outcome, article_id, told)


def _shown(count: int, seed: int, characters: int) -> Iterator[tuple[datetime, PageItem]]:
    """Yield when each page was captured and what it showed; what is looked at again comes between the new articles."""
    rng = random.Random(f"again {seed}")
    later: list[tuple[datetime, int, PageItem]] = []
    newest: deque[Article] = deque(maxlen=PER_LISTING)
    last = FIRST.astimezone(UTC)
    for turn, item in enumerate(articles(count, seed, characters), 1):
        at = max(item.captured_at or last, last + timedelta(seconds=1))
        while later and later[0][0] < at:
            when, _, page = heappop(later)
            last = max(when, last + timedelta(seconds=1))
            yield last, page
        newest.appendleft(item)
        if turn % PER_LISTING == 0:
            last = max(at, last + timedelta(seconds=1))
            yield last, _listing(newest)
        last = max(at, last + timedelta(seconds=1))
        yield last, item
        for when, page in _again(rng, last, item, characters):
            heappush(later, (when, len(later) + turn * 100, page))


def _again(rng: random.Random, first: datetime, item: Article, characters: int) -> Iterator[tuple[datetime, PageItem]]:
    if rng.randrange(AGAIN):
        return
    if not rng.randrange(GONE):
        for days in (20, 25, 31):
            missing = OtherPage(
                kind="missing", portal=item.portal, url=item.url, article_id=item.article_id, reason="该信息不存在"
            )
            yield first + timedelta(days=days), missing
        return
    views = item.views or 0
    for days in (7, 30):
        views += rng.randrange(2, 900)
        item = replace(item, views=views, capture_id=None, captured_at=None)
        if days == 30 and not rng.randrange(CHANGED):
            item = edited(rng, item)
        yield first + timedelta(days=days), item


def edited(rng: random.Random, item: Article) -> Article:
    """Return the article with a paragraph changed in a few words, and another title in half of the cases."""
    paragraphs, place = list(item.paragraphs), rng.randrange(len(item.paragraphs))
    old = paragraphs[place]
    paragraphs[place] = new = f"{old[: len(old) // 2]}（更正）{old[len(old) // 2 + 2 :]}"
    sections = [_mended(section, old, new) for section in item.sections]
    title = f"{item.title}（更新）" if rng.random() < 0.5 else item.title
    return replace(item, paragraphs=paragraphs, sections=sections, title=title)


def _mended(section: Section, old: str, new: str) -> Section:
    paragraphs = [new if paragraph == old else paragraph for paragraph in section.paragraphs]
    return replace(section, paragraphs=paragraphs, sections=[_mended(below, old, new) for below in section.sections])


def _listing(newest: Sequence[Article]) -> Listing:
    entries = [
        ListingEntry(
            article_id=item.article_id or 0,
            url=item.url,
            title=(item.title or "")[:20],
            date_text=f"{item.published_at:%Y-%m-%d}",
            date=item.published_at.date() if item.published_at else None,
            position=position,
        )
        for position, item in enumerate(newest, 1)
    ]
    return Listing(portal=PORTAL.name, url=f"{HOST}/news/list.asp?page=1", entries=entries)


def warc_file(crawl_id: str) -> str:
    """Return the name of the WARC file a crawl would have written."""
    return f"{PORTAL.name}-{crawl_id}-000001-bench.warc.gz"


def capture(number: int, url: str, crawl_id: str, at: datetime, run_id: int = 0) -> Capture:
    """Return a capture as a crawl makes it, of a record that is nowhere."""
    told = hashlib.sha1(f"{number} {url}".encode(), usedforsecurity=False).hexdigest()[:32].upper()
    return Capture(
        id=number,
        crawl_id=crawl_id,
        run_id=run_id,
        url=url,
        status=200,
        captured_at=at,
        record_id=f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>",
        record_type="response",
        warc_file=warc_file(crawl_id),
        offset=number * 5000,
        length=4800,
        payload_digest=f"sha1:{told}",
        block_digest=f"sha1:{told[::-1]}",
        payload_length=20_000,
        content_type="text/html; charset=gb2312",
        ip="127.0.0.1",
        via=f"{HOST}/news/list.asp?page=1",
    )


def fill(store: Store, seen: Iterator[Sight], batch: int = BATCH) -> int:
    """Bring the store everything seen, in commits of so many captures; return how many there were."""
    store.register_portal(PORTAL)
    crawl_id, last, count = "", FIRST.astimezone(UTC), 0
    for one in seen:
        if one.crawl_id != crawl_id:
            _end(store, crawl_id, last, count)
            crawl_id = one.crawl_id
            store.begin_crawl(crawl_id, PORTAL.name, "wuhu", {"portal": PORTAL.name}, one.capture.captured_at)
        bring(store, one)
        last, count = one.capture.captured_at, count + 1
        if count % batch == 0:
            store.commit((warc_file(crawl_id), (count + 1) * 5000))
    _end(store, crawl_id, last, count)
    return count


def bring(store: Store, one: Sight) -> None:
    """Buffer one thing seen."""
    store.add_capture(one.capture)
    store.add_outcome(one.crawl_id, one.outcome, one.article_id)
    store.add_page(one.item, article_digest=one.article_digest, page_digest=one.article_digest)


def _end(store: Store, crawl_id: str, at: datetime, count: int) -> None:
    if crawl_id:
        file, size = warc_file(crawl_id), (count + 1) * 5000
        store.commit((file, size))
        store.seal(file, size, hashlib.sha256(file.encode()).hexdigest())
        store.end_crawl(crawl_id, at, "finished")


def build(folder: Path, count: int, *, seed: int = 0, characters: int = CHARACTERS, index: bool = True) -> Path:
    """Make an archive of so many articles in `folder` and return it."""
    with beside(folder / "archive.db") as engine:
        with Store(engine, index=False) as store:
            fill(store, sights(count, seed, characters), batch=2000)
        if index:
            with engine.begin() as connection:
                reindex(connection)
    return folder


def cached(cache: Path, count: int, *, seed: int = 0, characters: int = CHARACTERS) -> Path:
    """Return an archive of so many articles that is kept in `cache`, making it when it is not there or of an older program."""
    folder = cache / f"library-{count}-{characters}-{seed}-{_program()}"
    return folder if (folder / "archive.db").exists() else build(folder, count, seed=seed, characters=characters)


def _program() -> str:
    """Return what tells one state of the program from another: an archive of an older one may lack a column."""
    sources = [Path(__file__), *sorted(Path(wuhu_crawler.db.__file__).parent.rglob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def main() -> int:
    """Make an archive and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the archive's folder; with --cache a folder of several")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--characters", type=int, default=CHARACTERS, help="of a body, about (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", action="store_true", help="make it only if the folder has none of this size and program")
    asked = parser.parse_args()
    if asked.cache:
        print(cached(asked.folder, asked.articles, seed=asked.seed, characters=asked.characters))
    else:
        print(build(asked.folder, asked.articles, seed=asked.seed, characters=asked.characters))
    return 0


if __name__ == "__main__":
    sys.exit(main())
