"""What the portal's editors change between two crawls: the same edits at every start, told by a count of rounds.

A round corrects the text of some articles (those of four lines or more) and the title of others, and lists one that was shown
nowhere. Truth follows, since it is told from the world.
"""

from __future__ import annotations

from dataclasses import replace

from .articles import Article
from .world import World, build

# In each round the articles whose number leaves the round's remainder: one in EVERY a text, one in RARELY a title.
EVERY, RARELY = 9, 23


def edited(seed: int, rounds: int) -> World:
    """Return the world of a seed after so many rounds of edits; 0 is as it was built."""
    world = build(seed)
    articles = dict(world.articles)
    for number in range(1, rounds + 1):
        articles = {key: _edited(article, number) for key, article in articles.items()}
        hidden = next((article for article in articles.values() if not article.listed), None)
        if hidden is not None:
            articles[hidden.id] = replace(hidden, listed=True)
    return replace(world, articles=articles)


def _edited(article: Article, number: int) -> Article:
    if article.cuts:  # its parts are cut by the count of its lines
        return article
    if article.id % RARELY == number % RARELY:
        return replace(article, title=f"{article.title}（第{number}次更正）")
    if article.id % EVERY == number % EVERY:
        return _with_text(article, f"编辑部于第{number}轮复核时作了订正。")
    return article


def _with_text(article: Article, words: str) -> Article:
    """Return the article with words added to its second line of plain text; the first and the last may say more than text."""
    lines = list(article.lines)
    for place in range(1, len(lines) - 2):
        line = lines[place]
        if line.kind == "text" and line.text and line.link is None and not line.centred:
            lines[place] = replace(line, text=f"{line.text}{words}")
            break
    return replace(article, lines=tuple(lines))
