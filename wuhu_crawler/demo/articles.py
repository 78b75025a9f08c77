"""The article as the portal's editors have it: fields and body lines, before any markup.

compose() writes one from its ID alone; looks.py and bodies.py show it, truth.py tells it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Literal

from ..items import Credit
from . import credits, texts, words

SEED_ID = 12393
BULLET = "\ue5e5"
Cut = Literal["sentence", "tag", "border"]
Kind = Literal["text", "heading", "row", "image"]
HAN = "一二三四五六七八九"
# Heading styles: the marks of the first and of the nested level; None stands for a heading without a number.
STYLES: tuple[tuple[str | None, str | None], ...] = (
    ("{h}、", "（{h}）"),
    ("{h}、", "{n}．"),
    ("（{h}）", "{n}．"),
    ("{n}．", None),
    (None, None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a body. A heading's `text` is as printed, `heading` without its `number`; `link` is (words, URL) inside the
    text, `attachment` tells that it leads to a file; an image line has `src` and `alt` and no text."""

    kind: Kind = "text"
    text: str = ""
    level: int = 0
    number: str | None = None
    heading: str | None = None
    cells: tuple[str, ...] = ()
    link: tuple[str, str] | None = None
    attachment: bool = False
    src: str = ""
    alt: str = ""
    centred: bool = False


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Article:
    """One article. `look` and `shape` name its page template and body markup. `source` is (words as printed, date); it stands
    on the body's first line, or is glued to the first sentence. `editor`, `outlet` and `author` fill meta slots, where the
    look has them; empty means an empty slot. `cuts` says how the body is cut into parts."""

    id: int
    category: str
    title: str
    published: datetime
    look: str
    shape: str
    lines: tuple[Line, ...]
    source: tuple[str, date] | None = None
    glued: bool = False
    byline: credits.Byline | None = None
    editor: str = ""
    outlet: str = ""
    author: str = ""
    views: int = 0
    listed: bool = True
    cuts: tuple[Cut, ...] = ()
    lone_pager: bool = False
    leftover: bool = False
    mislabelled: bool = False

    @property
    def url(self) -> str:
        """The article's path and query, as truth and database print it."""
        return f"/news/Info.asp?ID={self.id}"

    @property
    def parts(self) -> int:
        """The number of pages the article is served on."""
        return len(self.cuts) + 1

    @property
    def closing(self) -> str:
        """The last line that is wholly credits, or an empty string."""
        return self.byline.text if self.byline and self.byline.place == "closing" else ""

    @property
    def abstract(self) -> str:
        """The start of the stripped body as the sidebar prints it: a source date may lead it."""
        source = f"来源时间为:{self.source[0]}" if self.source else ""
        return (source + "".join(line.text for line in self.lines))[:78] + "……"


def compose(rng: random.Random, number: int, category: str, topic: str, published: datetime, look: str, shape: str) -> Article:
    """Return the article `number`: everything else is drawn from `rng`."""
    day = published.date()
    writer = texts.Writer(rng, topic, day)
    byline = credits.byline(rng, day, inside=shape == "bare")
    article = Article(
        id=number,
        category=category,
        title=writer.title(),
        published=published,
        look=look,
        shape=shape,
        lines=_bylined(_styled(rng, _body(rng, writer, shape, day)), byline),
        byline=byline,
        editor=texts.person(rng) if rng.random() < 0.7 else "",
        outlet=rng.choice(words.OUTLETS) if rng.random() < 0.6 else "",
        author=texts.person(rng) if rng.random() < 0.25 else "",
        views=rng.randint(12, 2400),
        leftover=rng.random() < 0.05,
    )
    return _sourced(rng, article)


def _body(rng: random.Random, writer: texts.Writer, shape: str, day: date) -> list[Line]:
    if shape == "bare":
        return [Line(text="".join(writer.paragraph() for _ in range(3)))]
    lines = [Line(text=writer.paragraph()) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.42:
        lines += _sectioned(rng, writer, shape)
    else:
        lines += [Line(text=writer.paragraph()) for _ in range(rng.randint(1, 8))]
    return _extras(rng, writer, lines, day)


def _sectioned(rng: random.Random, writer: texts.Writer, shape: str) -> list[Line]:
    # Only where bold type shows it can a reader tell a heading without a number.
    styles = STYLES if shape in ("p", "font", "editor") else STYLES[:-1]
    outer, inner = rng.choices(styles, weights=(50, 12, 14, 16, 8)[: len(styles)])[0]
    lines: list[Line] = []
    for index in range(rng.randint(2, 4)):
        lines.append(_heading(writer, outer, index, 1))
        lines += [Line(text=writer.paragraph()) for _ in range(rng.randint(1, 3))]
        if inner and rng.random() < 0.35:
            for nested in range(2):
                lines += [_heading(writer, inner, nested, 2), Line(text=writer.paragraph())]
    return [*lines, Line(text=writer.paragraph())]


def _heading(writer: texts.Writer, mark: str | None, index: int, level: int) -> Line:
    heading = writer.heading()
    if mark is None:
        return Line(kind="heading", level=level, heading=heading, text=heading)
    number = HAN[index] if "{h}" in mark else str(index + 1)
    return Line(
        kind="heading", level=level, number=number, heading=heading, text=mark.format(h=HAN[index], n=index + 1) + heading
    )


def _extras(rng: random.Random, writer: texts.Writer, lines: list[Line], day: date) -> list[Line]:
    """Strew pictures, a table, a link, an attachment and a bulleted list into a body, each into its share of the articles."""
    if rng.random() < 0.2:
        at = rng.randint(1, len(lines))
        picture = Line(
            kind="image", src=f"/upload/image/{day:%Y%m}/{rng.randint(10000, 99999)}.jpg", alt=rng.choice(("", "", "活动现场"))
        )
        lines[at:at] = [picture, Line(text=writer.caption(), centred=True)][: rng.randint(1, 2)]
    if rng.random() < 0.1:
        lines += [Line(text="具体情况如下："), *(Line(kind="row", text=" ".join(row), cells=row) for row in writer.table())]
        lines.append(Line(text=writer.sentence()))
    if rng.random() < 0.04:
        lines += [Line(text=f"{BULLET}{writer.fill('{verb}{thing}，做到{four}；')}") for _ in range(3)]
        lines.append(Line(text=writer.sentence()))
    if rng.random() < 0.1:
        lines.append(_linked(rng, writer))
    if rng.random() < 0.06:
        name, url = rng.choice(ATTACHMENTS)
        lines.append(Line(text=f"附件：{name}", link=(name, url), attachment=True))
    return lines


ATTACHMENTS = (
    ("2024年芜湖市技能培训项目申报表.doc", "/upload/file/sbb2024.doc"),
    ("芜湖市志愿服务活动手册.pdf", "/upload/file/shouce.pdf"),
)
LINKS = (
    ("芜湖市人民政府网站", "http://www.wuhu.gov.cn/"),
    ("活动专题页面", "/news/Class.asp?ClassID=1"),
    ("报名入口", "http://rsj.wuhu.gov.cn/baoming/index.html?from=o553&id=7"),
)


def _linked(rng: random.Random, writer: texts.Writer) -> Line:
    name, url = rng.choice(LINKS)
    return Line(text=writer.fill("有意参加“{activity}”活动的市民，可登录") + f"{name}查看详情。", link=(name, url))


def _styled(rng: random.Random, lines: list[Line]) -> list[Line]:
    """Some articles are typed with ASCII punctuation, a few with full-width digits."""
    draw = rng.random()
    if draw < 0.35:
        return [_retyped(line, texts.ascii_punctuation) for line in lines]
    if draw < 0.37:
        return [_retyped(line, texts.wide_digits) for line in lines if line.kind != "row"]
    return lines


def _retyped(line: Line, typed: Callable[[str], str]) -> Line:
    if line.kind in ("row", "image") or line.link:
        return line
    if line.kind == "heading":
        heading = typed(line.heading or "")
        return replace(line, heading=heading, text=line.text.removesuffix(line.heading or "") + heading)
    return replace(line, text=typed(line.text))


def _bylined(lines: list[Line], byline: credits.Byline | None) -> tuple[Line, ...]:
    """Put a dateline before the first paragraph or a bracket behind the last one; a closing line is printed on its own."""
    if byline and byline.place == "dateline":
        lines = [replace(lines[0], text=byline.text + lines[0].text), *lines[1:]]
    if byline and byline.place == "bracket":
        at = max(index for index, line in enumerate(lines) if line.kind == "text" and not line.attachment and not line.centred)
        lines = [
            *lines[:at],
            replace(lines[at], text=lines[at].text + byline.text),
            *(ln for ln in lines[at + 1 :] if ln.attachment),
        ]
    return tuple(lines)


def _sourced(rng: random.Random, article: Article) -> Article:
    draw = rng.random()
    if draw > 0.6:
        return article
    day = article.published.date() - timedelta(days=rng.randint(0, 30))
    printed = f"{day:%Y-%m-%d}" if rng.random() < 0.9 else f"{day.year}/{day.month}/{day.day}"
    # Glued to a digit, the date could not be told from the number any more.
    apart = not article.lines[0].text[0].isdecimal()
    if article.shape == "bare":
        return replace(article, source=(printed, day), glued=True) if apart else article
    return replace(article, source=(printed, day), glued=apart and draw < 0.13)


def seed_article(look: str) -> Article:
    """Return article 12393, whose text is the one the live portal showed."""
    raw = resources.files(__package__).joinpath("seed_12393.txt").read_text(encoding="utf-8").splitlines()
    credit = Credit(role="reporter", name="田龙", outlet="芜湖日报", text="芜湖日报记者田龙")
    return Article(
        id=SEED_ID,
        category="资讯杂谈",
        title=raw[1],
        published=datetime(2024, 2, 3, 20, 24, 31),
        look=look,
        shape="p",
        lines=tuple(_seed_line(text) for text in raw[4:-1]),
        source=("2024-01-23", date(2024, 1, 23)),
        byline=credits.Byline("closing", raw[-1], (credit,), ("芜湖日报",)),
        views=102,
    )


def _seed_line(text: str) -> Line:
    if text[1] == "、" and text[0] in HAN:
        return Line(kind="heading", level=1, number=text[0], heading=text[2:], text=text)
    return Line(text=text)
