"""What a nightly crawl asks for: the rules by themselves, then real crawls of a small portal, night after night."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import warm
from conftest import HASTY, PATIENCE, ROOT, Page, Site, Story, answer, crawl, environment, html, program, result, rows, serving

from wuhu_crawler.items import Listing, ListingEntry, Pager
from wuhu_crawler.planning.listings import (
    Answer,
    Past,
    Sighting,
    has_words,
    is_changed,
    is_due,
    is_known,
    is_sticky,
    like_entry,
    past_of,
    pause,
    plain_title,
    same_entry,
)
from wuhu_crawler.spiders.listings import Walk

T0 = datetime(2024, 5, 6, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
HERE, THERE = "http://a/list.asp?classid=1", "http://a/"


def entry(
    number: int = 1, title: str = "大桥通车", words: str | None = "2024-5-6", day: date | None = date(2024, 5, 6)
) -> ListingEntry:
    return ListingEntry(article_id=number, url=f"/{number}", title=title, date_text=words, date=day, position=1)


def seen(
    at: datetime = T0,
    title: str = "大桥通车",
    words: str | None = "2024-5-6",
    day: date | None = date(2024, 5, 6),
    *,
    listing: str = HERE,
    page: str = HERE,
    crawl_id: str = "c-1",
) -> Sighting:
    return Sighting(listing, page, crawl_id, title, words, day, at)


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("[置顶]大桥通车", "大桥通车"),
        ("大桥通车 [新]", "大桥通车"),
        ("固顶：大桥 通车", "大桥 通车"),
        ("新桥通车（图）", "新桥通车（图）"),
    ],
)
def test_marks_that_come_and_go_are_no_other_title(title: str, plain: str) -> None:
    assert plain_title(title) == plain


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        (("2024-5-6", date(2024, 5, 6)), ("2024年5月6日", date(2024, 5, 6)), True),  # the template changed
        (("2024-5-6", date(2024, 5, 6)), ("2024-5-7", date(2024, 5, 7)), False),
        # New Year: the words stay, and the year guessed from them moves on.
        (("12-30", date(2023, 12, 30)), ("12-30", date(2024, 12, 30)), True),
        (("12-30", date(2023, 12, 30)), ("12-31", date(2023, 12, 31)), False),
        # The same words on another day.
        (("昨天", date(2024, 5, 5)), ("昨天", date(2024, 5, 6)), False),
        (("3小时前", date(2024, 5, 5)), ("昨天", date(2024, 5, 5)), True),
        ((None, None), (None, None), True),
        ((None, None), ("2024-5-6", date(2024, 5, 6)), False),
    ],
)
def test_when_a_date_is_the_same(
    before: tuple[str | None, date | None], now: tuple[str | None, date | None], same: bool
) -> None:
    assert same_entry(entry(1, "大桥通车", *now), seen(T0, "大桥通车", *before)) is same


def test_listings_cut_titles_at_widths_of_their_own() -> None:
    cut = seen(T0, "长江大桥通…", "05-06", date(2024, 5, 6), listing=THERE)
    assert like_entry(entry(1, "长江大桥通车仪式…"), cut)
    assert not like_entry(entry(1, "长江二桥通车仪式…"), cut)
    # A day of a calendar, or words that lead to any article, are no other title.
    assert like_entry(entry(1, "6", None, None), cut) and like_entry(entry(1, "[详细]", None, None), cut)
    assert not same_entry(entry(1, "长江大桥通车仪式…"), cut)
    # More than a year later the year guessed on the front page is another.
    assert like_entry(entry(1, "长江大桥通车"), cut._replace(date=date(2025, 5, 6)))
    assert not like_entry(entry(1, "长江大桥通车", "2024-5-7", date(2024, 5, 7)), cut)


def test_a_calendar_has_no_titles() -> None:
    assert has_words("大桥通车") and not has_words("6") and not has_words("[12]")


def test_only_what_a_whole_walk_covered_is_known() -> None:
    assert not is_known(entry(), [seen()], None)
    assert is_known(entry(), [seen()], T0)
    assert not is_known(entry(), [seen(T0 + DAY)], T0)  # by a walk that came to no end
    # Such a walk does not take away what was known before it, nor vouch for what it saw changed.
    assert is_known(entry(), [seen(), seen(T0 + DAY, "别的题目")], T0)
    assert not is_known(entry(1, "别的题目"), [seen(), seen(T0 + DAY, "别的题目")], T0)


def test_what_is_sticky() -> None:
    assert is_sticky(entry(1, "[置顶]大桥通车"), [])
    assert not is_sticky(entry(), [seen(), seen(T0 + DAY, page=f"{HERE}&page=2", crawl_id="c-2")])  # it moved on with time
    assert is_sticky(entry(), [seen(), seen(T0, page=f"{HERE}&page=2")])  # it stands on two pages


def past(*answers: str, each: timedelta = DAY) -> Past:
    found = past_of(Answer(kind, T0 + each * place, f"c-{place}") for place, kind in enumerate(answers))
    assert found is not None
    return found


def test_what_the_answers_amount_to() -> None:
    assert past_of([]) is None
    assert (past("article", "error", "error").had, past("article", "error", "error").failures) == (True, 2)
    assert (past("error", "error", "article").failures, past("error", "missing").had) == (0, False)
    twice = past_of([Answer("error", T0, "c-1"), Answer("blocked", T0, "c-1")])
    assert twice is not None and twice.failures == 1  # two URLs of one number, one night


def test_an_error_is_asked_for_with_growing_pauses_and_never_forgotten() -> None:
    assert [pause(n, MONTH).days for n in (1, 2, 3, 4, 5, 6, 7, 8, 99)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert is_due(past("error"), T0, MONTH)
    assert not is_due(past("error", "error"), T0 + DAY + timedelta(hours=2), MONTH)
    assert is_due(past("error", "error"), T0 + DAY + timedelta(hours=23), MONTH)  # no night begins at the same second
    assert not is_due(past("article"), T0 + 99 * DAY, MONTH)


def test_an_article_is_asked_for_when_its_listing_shows_it_otherwise() -> None:
    had = past("article")
    assert not is_changed(entry(), HERE, [seen(T0 - DAY)], had)
    assert is_changed(entry(1, "别的题目"), HERE, [seen(T0 - DAY)], had)
    # A killed crawl saw the change and did not come to the article.
    assert is_changed(entry(1, "别的题目"), HERE, [seen(T0 - DAY), seen(T0 + DAY, "别的题目", crawl_id="c-9")], had)
    # The front page led to it, and the listing was read behind it in the same night.
    later = seen(T0 + timedelta(minutes=9), "别的题目", crawl_id="c-0")
    assert not is_changed(entry(1, "别的题目"), HERE, [seen(T0 - DAY), later], had)
    # What another listing cut is no change; what none has shown before neither.
    assert not is_changed(entry(1, "长江大桥通车"), HERE, [seen(T0 - DAY, "长江大…", listing=THERE)], had)
    assert not is_changed(entry(), HERE, [], had)


def test_a_missing_number_is_asked_for_when_a_listing_shows_it_anew() -> None:
    gone = past("missing")
    assert is_changed(entry(), HERE, [], gone)
    assert is_changed(entry(), HERE, [seen(T0 + DAY, crawl_id="c-9")], gone)
    assert not is_changed(entry(), HERE, [seen(T0 - DAY)], gone)
    assert is_changed(entry(1, "别的题目"), HERE, [seen(T0 - DAY)], gone)


# --- one walk ---


def page(*numbers: int, pages: int | None = None) -> Listing:
    return Listing(url=HERE, entries=[entry(number) for number in numbers], pager=Pager(pages=pages) if pages else None)


def read(walk: Walk, number: int, listing: Listing, *, known: set[int] | None = None, sticky: set[int] | None = None) -> bool:
    walk.note(number, T0 + timedelta(minutes=number))
    return walk.goes_on(listing, new=1, patience=5, since=None, known=known or set(), sticky=sticky or set())


def test_a_walk_ends_at_a_page_of_nothing_but_known_entries() -> None:
    walk = Walk()
    assert read(walk, 1, page(9, 8, 7), known={7})
    assert not read(walk, 2, page(7, 6, 5), known={7, 6, 5})  # 7 again: the portal has moved on a place meanwhile
    told = walk.walked(HERE)
    assert told is not None
    assert (told.ending, told.pages, told.began_at, told.ended_at) == (
        "known", 2, T0 + timedelta(minutes=1), T0 + timedelta(minutes=2)
    )  # fmt: skip


def test_sticky_entries_do_not_end_a_walk() -> None:
    walk = Walk()
    assert read(walk, 1, page(1, 2, 3), known={1, 2, 3}, sticky={1, 2, 3})  # nothing else on the page
    assert read(walk, 2, page(1, 2, 3, 9, 8), known={1, 2, 3})
    assert read(walk, 3, page(1, 2, 3, 8), known={1, 2, 3})  # nothing that was not on a page before: no proof
    assert not read(walk, 4, page(1, 2, 3, 7), known={1, 2, 3, 7})
    assert walk.walked(HERE) is not None


def test_a_walk_with_a_hole_covers_nothing() -> None:
    walk = Walk()
    assert read(walk, 1, page(9, 8, pages=3))
    walk.skip(2, usual=False)
    assert not read(walk, 3, page(5, 4), known={5, 4})
    assert walk.walked(HERE) is None
    # A page that never can be had is the portal's.
    walk = Walk()
    assert read(walk, 1, page(9, 8, pages=3))
    walk.skip(2, usual=True)
    assert read(walk, 3, page(5, 4))
    walk.end()
    assert walk.walked(HERE) is not None


def test_a_page_that_lost_its_pager_is_not_the_last() -> None:
    walk = Walk()
    assert read(walk, 1, page(9, 8, pages=3))
    assert read(walk, 2, page(7, 6))
    walk.end()
    assert walk.walked(HERE) is None


def test_a_number_past_the_end_shows_page_one_and_ends_the_walk() -> None:
    walk = Walk()
    assert read(walk, 1, page(9, 8))
    assert read(walk, 2, page(7, 6))
    assert not read(walk, 3, page(9, 8))
    told = walk.walked(HERE)
    assert told is not None and told.ending == "last page"
    # In the middle, where the portal says there is more, it is none.
    walk = Walk()
    assert read(walk, 1, page(9, 8, pages=5))
    assert not read(walk, 2, page(9, 8, pages=5))
    assert walk.walked(HERE) is None
    # Another page again: the portal has published a page of news since.
    walk = Walk()
    assert read(walk, 1, page(9, 8))
    assert read(walk, 2, page(7, 6))
    assert not read(walk, 3, page(7, 6))
    assert walk.walked(HERE) is None


# --- a small portal, night after night ---

LIST, ARTICLE = "/html/list.asp?classid=1", "/html/show.asp?newsid={}"
PATTERN = r"['/html/show\.asp\?newsid=(?P<id>\d+)']"
PER_PAGE = 4


class Portal:
    """A listing of titles by number, the highest first, a sticky one on top of every page."""

    def __init__(self, site: Site, newest: int) -> None:
        self.site = site
        self.titles = {number: f"第{number}条新闻说大桥昨日通车" for number in range(1, newest + 1)}
        self.sticky = 2
        self.draw()

    def add(self, count: int) -> list[int]:
        """Publish articles and return their numbers."""
        new = list(range(max(self.titles) + 1, max(self.titles) + 1 + count))
        self.titles.update({number: f"第{number}条新闻说大桥昨日通车" for number in new})
        self.draw()
        return new

    def draw(self) -> None:
        """Write all pages."""
        pages: dict[str, Page] = {
            "/": html(f'<a href="{LIST}">江城新闻</a> <a href="/about.asp">关于我们</a>'),
            "/about.asp": html("<h3>关于我们</h3><p>江城在线是江城市民自己的网站。</p>"),
        }
        numbers = sorted(self.titles, reverse=True)
        last = -(-len(numbers) // PER_PAGE)
        for place in range(last):
            shown = [self.sticky, *numbers[place * PER_PAGE : (place + 1) * PER_PAGE]]
            rows = "".join(
                f'<li><a href="{ARTICLE.format(n)}">{"[置顶]" if at == 0 else ""}{self.titles[n]}</a> (05-06)</li>'
                for at, n in enumerate(shown)
            )
            more = f'<a href="{LIST}&amp;page={place + 2}">下一页</a>' if place + 1 < last else ""
            words = f'您现在的位置：<a href="/">首页</a> &gt;&gt; 江城新闻<ul>{rows}</ul>第{place + 1}/{last}页 {more}'
            pages[LIST if place == 0 else f"{LIST}&page={place + 1}"] = html(words)
        for number, title in self.titles.items():
            pages[ARTICLE.format(number)] = Story(number, title).page()
        self.site.pages.clear()
        self.site.pages.update(pages)


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal of 14 articles on four pages."""
    with serving({}) as site:
        yield Portal(site, 14)


class Nights:
    """Crawls of one portal into one archive."""

    def __init__(self, portal: Portal, place: Path) -> None:
        self.site, self.folder = portal.site, place / "data"
        self.profile = portal.site.profile(place, article_urls=PATTERN, concurrency="1")
        self.sentence = ""

    def night(self, *arguments: str, code: int = 0, **more: str) -> list[str]:
        """Crawl once and return what was asked for."""
        self.site.log.clear()
        ended = crawl(self.folder, self.profile, *arguments, "-s", "RETRY_TIMES=0", **HASTY, **more)
        assert ended.returncode == code, ended.stderr
        self.sentence = result(ended.stderr)
        return [path for path in dict.fromkeys(self.site.log) if path not in ("/robots.txt", "/")]

    def numbers(self) -> set[int]:
        """Return the numbers of the articles there are."""
        return {number for (number,) in rows(self.folder, "SELECT article_id FROM article")}


def articles(asked: list[str]) -> list[int]:
    return [int(path.rpartition("=")[2]) for path in asked if "show.asp" in path]


def listings(asked: list[str]) -> list[str]:
    return [path for path in asked if "list.asp" in path]


def pages(*numbers: int) -> list[str]:
    return [LIST if number == 1 else f"{LIST}&page={number}" for number in numbers]


def failing(status: int) -> Page:
    return lambda handler: answer(handler, status, html("ADODB.Recordset 错误 '800a0bcd'"))


def test_a_night_asks_for_what_is_new_and_little_else(portal: Portal, tmp_path: Path) -> None:
    nights = Nights(portal, tmp_path)
    assert len(nights.night()) == 14 + 4 + 1
    # New ones come before the listing goes on; it is left at the first page without any. Nobody asks what is no listing.
    new = portal.add(3)
    assert nights.night() == [LIST, *(ARTICLE.format(n) for n in reversed(new)), *pages(2)]
    assert "1 listings left as known" in nights.sentence and "6 known articles not asked for" in nights.sentence
    # A title that changed is asked for, and of nothing else; a page without articles now and then.
    portal.titles[15] += "（更正）"
    portal.draw()
    assert set(nights.night(WUHU_NAVIGATION_DAYS="0")) == {LIST, ARTICLE.format(15), *pages(2), "/about.asp"}
    assert "1 changed" in nights.sentence


def test_a_hole_is_walked_again_and_what_was_not_had_is_owed(portal: Portal, tmp_path: Path) -> None:
    nights = Nights(portal, tmp_path)
    portal.site.pages[ARTICLE.format(3)] = failing(500)
    nights.night()
    # A page fails in the middle of the news; the pages behind it are read all the same. What failed is asked for by its number.
    new = portal.add(10)
    portal.site.pages[ARTICLE.format(3)] = failing(500)
    whole = portal.site.pages[pages(2)[0]]
    portal.site.pages[pages(2)[0]] = failing(500)
    asked = nights.night()
    assert (set(listings(asked)), set(articles(asked))) == (set(pages(1, 2, 3, 4)), {3, *new[:2], *new[6:]})
    # The next night comes to where the last whole walk was. What failed twice has a day.
    portal.site.pages[pages(2)[0]] = whole
    asked = nights.night()
    assert (listings(asked), sorted(articles(asked))) == (pages(1, 2, 3, 4), new[2:6])
    portal.draw()
    asked = nights.night(WUHU_CLOCK=(datetime.now(UTC) + DAY).isoformat())
    assert (listings(asked), articles(asked)) == (pages(1), [3])
    assert nights.numbers() == set(portal.titles)


def test_what_a_limited_crawl_saw_is_not_taken_for_known(portal: Portal, tmp_path: Path) -> None:
    nights = Nights(portal, tmp_path)
    assert len(articles(nights.night("-a", "limit=2"))) == 2
    asked = nights.night()
    assert (listings(asked), len(articles(asked))) == (pages(1, 2, 3, 4), 12)
    assert nights.numbers() == set(range(1, 15))
    # A rebuild in the same place keeps the walks. Without the old database the listings are walked once more, for nothing.
    rebuild, walks = [program("wuhu"), "rebuild"], "SELECT * FROM listing_walk ORDER BY listing"
    known = rows(nights.folder, walks)
    subprocess.run(rebuild, env=environment(nights.folder), check=True, capture_output=True)
    assert rows(nights.folder, walks) == known != []
    (nights.folder / "archive.db").unlink()
    assert warm.run(rebuild, env=environment(nights.folder)).returncode == 0
    assert nights.night() == pages(1, 2, 3, 4)


def test_a_killed_crawl_leaves_no_hole(portal: Portal, tmp_path: Path) -> None:
    nights = Nights(portal, tmp_path)
    nights.night()
    new = portal.add(9)
    reached, killed = threading.Event(), threading.Event()

    def never(handler: BaseHTTPRequestHandler) -> None:
        reached.set()
        killed.wait(PATIENCE)

    whole = portal.site.pages[ARTICLE.format(new[3])]
    portal.site.pages[ARTICLE.format(new[3])] = never
    command = [program("scrapy"), "crawl", "wuhu", "-a", f"portal={nights.profile}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(nights.folder, HASTY), stderr=subprocess.DEVNULL)
    assert reached.wait(PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    killed.set()
    portal.site.pages[ARTICLE.format(new[3])] = whole
    # It was not resumed: the next one asks for what is lacking, behind the pages the killed one had read, too.
    newer = portal.add(1)
    asked = nights.night()
    assert listings(asked) == pages(1, 2, 3, 4)
    assert set(articles(asked)) == {*new[:4], *newer} and nights.numbers() == set(portal.titles)
