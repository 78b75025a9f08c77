"""Body markup: one function a shape, in the shares counted in portal.md, turning an article's lines into the HTML of its era.

A shape knows lines only, no page. Nothing here marks a body or a heading for a machine: what a reader cannot see is not there.
"""

# ruff: noqa: E501 -- HTML lines are kept as the eras wrote them: a line break between words would be a space on the page

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from html import escape
from itertools import groupby

from .articles import Article, Cut, Line

INDENT = "　　"
NBSP = "&nbsp;" * 4
WORD_HEAD = '<?xml:namespace prefix = o ns = "urn:schemas-microsoft-com:office:office" />'
STYLE = "<style>.Custom_UnionStyle P{line-height:1.75em}</style>"
LEFTOVER = """<div align="right">【<a href="javascript:window.print()">打印此文</a>】　字号：<a href="javascript:doZoom(16)">大</a>
<a href="javascript:doZoom(14)">中</a> <a href="javascript:doZoom(12)">小</a></div>
"""
NUMBERS = re.compile(r"([0-9A-Za-z.%-]+)")


@lru_cache(maxsize=1024)
def parts(article: Article) -> tuple[str, ...]:
    """Return the body's HTML, one string a part; a part may end in the middle of a sentence or of a tag."""
    html = (LEFTOVER if article.leftover else "") + SHAPES[article.shape](article, _lines(article))
    pieces = []
    for left, cut in zip(range(article.parts, 1, -1), article.cuts, strict=True):
        at = _cut(html, len(html) // left, cut)
        pieces.append(html[:at])
        html = html[at:]
    return (*pieces, html)


def _cut(html: str, start: int, cut: Cut) -> int:
    """Return where a script that counts characters would cut behind `start`."""
    if cut == "sentence":
        found = re.compile(r"[\u4e00-\u9fff]{4}(?=[\u4e00-\u9fff]{4})").search(html, start)
        return found.end() if found else start
    at = html.index("<p", start)
    return at if cut == "border" else at + len("<p al")


def _lines(article: Article) -> list[Line]:
    lines = list(article.lines)
    if article.source:
        words = f"来源时间为:{article.source[0]}"
        lines[:1] = [replace(lines[0], text=words + lines[0].text)] if article.glued else [Line(text=words), lines[0]]
    if article.closing:
        lines.append(Line(text=article.closing))
    return lines


def _inner(line: Line, words: Callable[[str], str] = escape) -> str:
    """Return the line's text as HTML, with its link; `words` writes plain text."""
    if not line.link:
        return words(line.text)
    name, url = line.link
    before, _, after = line.text.partition(name)
    href = "../" + url.lstrip("/") if line.attachment else url
    return f'{words(before)}<a href="{escape(href)}" target="_blank">{words(name)}</a>{words(after)}'


def _image(line: Line) -> str:
    alt = f' alt="{line.alt}"' if line.alt else ""
    return f'<img border="0" src="..{line.src}" width="500"{alt}>'


def _table(
    rows: Sequence[Line], cell: str = "{}", attributes: str = 'border="1" cellspacing="0" cellpadding="3" width="90%"'
) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell.format(escape(c))}</td>" for c in row.cells) + "</tr>\n" for row in rows)
    return f"<table {attributes}>\n{body}</table>\n"


def _flow(lines: Sequence[Line], write: Callable[[Line], str], table: Callable[[Sequence[Line]], str] = _table) -> str:
    """Return the lines written one by one, with the rows of a table together."""
    groups = ((is_row, list(group)) for is_row, group in groupby(lines, key=lambda line: line.kind == "row"))
    return "".join(table(group) if is_row else "".join(map(write, group)) for is_row, group in groups)


def _p(article: Article, lines: Sequence[Line], indent: str = INDENT) -> str:
    kinds = ("", ' align="left"', ' style="line-height: 150%"')
    tag = "p align=left" if "tag" in article.cuts else "p" + kinds[article.id % 3]

    def write(line: Line) -> str:
        if line.kind == "image":
            return f'<p align="center">{_image(line)}</p>\n'
        if line.centred:
            return f'<p align="center"><font color="#666666">{_inner(line)}</font></p>\n'
        if line.kind == "heading" and (line.number is None or article.id % 2):
            return f"<{tag}>{indent}<strong>{_inner(line)}</strong></p>\n"
        return f"<{tag}>{indent}{_inner(line)}</p>\n"

    return _flow(lines, write)


def _p_nbsp(article: Article, lines: Sequence[Line]) -> str:
    blank = "<p>&nbsp;</p>\n" if article.id % 4 == 0 else ""
    return _p(article, lines, NBSP) + blank


def _p_open(article: Article, lines: Sequence[Line]) -> str:
    def write(line: Line) -> str:
        if line.kind == "image":
            return f"<CENTER>{_image(line)}</CENTER>\n"
        return f"<P align=center>{_inner(line)}\n" if line.centred else f"<P>{INDENT}{_inner(line)}\n"

    return _flow(lines, write) + "</P></P>"


def _br(article: Article, lines: Sequence[Line], indent: str = INDENT, end: str = "<br>\n") -> str:
    end = end * (1 + article.id % 2)

    def write(line: Line) -> str:
        if line.kind == "image":
            return f"<div align=center>{_image(line)}</div>\n"
        if line.centred:
            return f"<center>{_inner(line)}</center>\n"
        return f"{indent}{_inner(line)}{end}"

    return _flow(lines, write)


def _br_nbsp(article: Article, lines: Sequence[Line]) -> str:
    return _br(article, lines, "&nbsp;&nbsp;&nbsp; ", "<BR>")


def _font(article: Article, lines: Sequence[Line]) -> str:
    close = ("</FONT></P>\n", "</FONT>\n", "\n")[article.id % 3]

    def write(line: Line) -> str:
        if line.kind == "image":
            return f"<P align=center>{_image(line)}</P>\n"
        if line.kind == "heading":
            return f"<P><FONT face=黑体 size=3><B>{INDENT}{_inner(line)}</B>{close}"
        return f"<P{' align=center' if line.centred else ''}><FONT face=宋体 size=3>{'' if line.centred else INDENT}{_inner(line)}{close}"

    return _flow(lines, write, lambda rows: _table(rows, "<FONT size=2>{}</FONT>"))


def _font_br(article: Article, lines: Sequence[Line]) -> str:
    return '<font size="3" color="#333333">' + _br(article, lines)


def _spans(text: str) -> str:
    pieces = NUMBERS.split(text)
    return "".join(
        f'<span lang="EN-US" style="FONT-SIZE: 12pt">{escape(piece)}</span>'
        if index % 2
        else f"<span style=\"FONT-SIZE: 12pt; FONT-FAMILY: 宋体; mso-ascii-font-family: 'Times New Roman'\">{escape(piece)}</span>"
        for index, piece in enumerate(pieces)
        if piece
    )


def _word(article: Article, lines: Sequence[Line]) -> str:
    end = '<span lang="EN-US"><o:p></o:p></span>'
    empty = '<p class="MsoNormal"><span lang="EN-US"><!--[if !supportEmptyParas]-->&nbsp;<!--[endif]--><o:p></o:p></span></p>\n'

    def write(line: Line) -> str:
        if line.kind == "image":
            return f'<p class="MsoNormal" align="center">{_image(line)}</p>\n'
        bold = ("<b>", "</b>") if line.kind == "heading" else ("", "")
        style = "TEXT-INDENT: 24pt; mso-char-indent-count: 2.0"
        return f'<p class="MsoNormal" style="{style}">{bold[0]}{_inner(line, _spans)}{bold[1]}{end}</p>\n'

    return (
        WORD_HEAD
        + _flow(lines, write, lambda rows: _table(rows, '<p class="MsoNormal">{}</p>', 'class="MsoTableGrid" border="1"'))
        + empty
    )


def _wechat(article: Article, lines: Sequence[Line]) -> str:
    hollow = '<section style="box-sizing: border-box;"><section><br></section></section>'

    def write(line: Line) -> str:
        if line.kind == "image":
            return f'<section style="text-align: center;"><section>{_image(line)}</section></section>\n'
        text = _inner(line)
        if text.startswith("（") and text.endswith("）") and " " in text:
            # Credits come split over strong and span.
            head, _, tail = text.partition(" ")
            text = f"<strong>{head}</strong><span> {tail}</span>"
        strong = ("<strong>", "</strong>") if line.kind == "heading" else ("", "")
        paragraph = f'<p style="white-space: normal;">{strong[0]}<span style="font-size: 15px;">{text}</span>{strong[1]}</p>'
        return (
            f'<section style="margin: 10px 0%;"><section style="letter-spacing: 1px;">{paragraph}</section></section>{hollow}\n'
        )

    return f'<section style="font-size: 16px;">{hollow}{hollow}{_flow(lines, write)}{hollow}{hollow}{hollow}</section>'


def _in_table(article: Article, lines: Sequence[Line]) -> str:
    cell = '<table width="100%" border="0" cellpadding="0"><tbody><tr><td style="line-height: 24px">'
    return f"{cell}{_p(article, lines)}</td></tr></tbody></table>"


def _bare(article: Article, lines: Sequence[Line]) -> str:
    return "".join(map(_inner, lines))


def _div(article: Article, lines: Sequence[Line]) -> str:
    def write(line: Line) -> str:
        if line.kind == "image":
            return f'<div style="text-align:center">{_image(line)}</div>\n'
        return f"<div>{INDENT}{_inner(line)}</div>\n" + ("<div><br></div>\n" if line.kind == "heading" else "")

    return _flow(lines, write)


def _p_br(article: Article, lines: Sequence[Line]) -> str:
    """Paragraphs by line breaks inside of blocks of three lines."""

    def block(group: Sequence[Line]) -> str:
        return (
            "<p>"
            + "<br />\n".join(_image(line) if line.kind == "image" else INDENT + _inner(line) for line in group)
            + "</p>\n"
        )

    def run(group: Sequence[Line]) -> str:
        return "".join(block(group[index : index + 3]) for index in range(0, len(group), 3))

    groups = ((is_row, list(group)) for is_row, group in groupby(lines, key=lambda line: line.kind == "row"))
    return "".join(_table(group) if is_row else run(group) for is_row, group in groups)


def _editor(article: Article, lines: Sequence[Line]) -> str:
    def write(line: Line) -> str:
        if line.kind == "image":
            return f'<p style="text-align:center;">\n\t{_image(line)}\n</p>\n'
        if line.kind == "heading":
            style = "text-align:center;" if line.number is None else "text-indent:2em;"
            return f'<p style="{style}">\n\t<strong><span style="font-size:18px;">{_inner(line)}</span></strong>\n</p>\n'
        style = "text-align:center;" if line.centred else "text-indent:2em;"
        return f'<p style="{style}">\n\t<span style="font-size:16px;">{_inner(line)}</span>\n</p>\n'

    advert = '<script type="text/javascript">/*640*60*/ var cpro_id = "u1234567";</script>\n' if article.id % 5 == 0 else ""
    return (STYLE if article.id % 3 == 0 else "") + _flow(lines, write) + advert


SHAPES: dict[str, Callable[[Article, Sequence[Line]], str]] = {
    "p": _p,
    "p-open": _p_open,
    "p-nbsp": _p_nbsp,
    "br": _br,
    "br-nbsp": _br_nbsp,
    "font": _font,
    "font-br": _font_br,
    "word": _word,
    "wechat": _wechat,
    "table": _in_table,
    "bare": _bare,
    "div": _div,
    "p-br": _p_br,
    "editor": _editor,
}
