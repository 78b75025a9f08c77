"""The bylines the portal's articles carry: how a credit is printed, where, and which names it truly holds.

A Form is a pattern. `{a}` and `{b}` are names, `{o}` an outlet, `{d}` a day; its groups say which words are whose. In a group
the outlet counts as printed with the name when it stands directly before the role word; the outlet of a dateline
(`芜湖日报讯（记者 …）`) does not, it is an outlet of the article.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ..items import Credit, Role
from . import texts, words

Place = Literal["closing", "bracket", "dateline"]


@dataclass(frozen=True, slots=True)
class Group:
    """One role's words: a pattern of the whole pattern, the roles it gives, the names (`a`, `b`, `c`) it holds."""

    text: str
    roles: tuple[Role, ...]
    names: str
    outlet: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One way to print a byline."""

    place: Place
    pattern: str
    groups: tuple[Group, ...]


def _form(place: Place, pattern: str, *groups: tuple[str, Role | tuple[Role, ...], str]) -> Form:
    made = tuple(
        Group(text, (roles,) if isinstance(roles, str) else roles, names, "{o}" in text) for text, roles, names in groups
    )
    return Form(place, pattern, made)


CLOSING = (
    _form("closing", "{o}记者{a}", ("{o}记者{a}", "reporter", "a")),
    _form("closing", "{o}记者{a}", ("{o}记者{a}", "reporter", "a")),
    _form("closing", "{o}记者 {a}", ("{o}记者 {a}", "reporter", "a")),
    _form("closing", "{o}记者{a}、{b}", ("{o}记者{a}、{b}", "reporter", "ab")),
    _form("closing", "{o}记者 {a} {b}", ("{o}记者 {a} {b}", "reporter", "ab")),
    _form("closing", "（{o}记者 {a} 通讯员 {b}）", ("{o}记者 {a}", "reporter", "a"), ("通讯员 {b}", "correspondent", "b")),
    _form("closing", "{o}首席记者{a} 通讯员{b}", ("{o}首席记者{a}", "reporter", "a"), ("通讯员{b}", "correspondent", "b")),
    _form("closing", "本网记者 {a}", ("本网记者 {a}", "reporter", "a")),
    _form("closing", "记者{a} 实习生{b}", ("记者{a}", "reporter", "a"), ("实习生{b}", "intern", "b")),
    _form("closing", "（全媒体记者 {a}）", ("全媒体记者 {a}", "reporter", "a")),
    _form("closing", "{o}记者{a} 摄影报道", ("{o}记者{a} 摄影报道", ("reporter", "photographer"), "a")),
    _form("closing", "文/{a} 摄影/{b}", ("文/{a}", "author", "a"), ("摄影/{b}", "photographer", "b")),
    _form("closing", "文/图 {a}", ("文/图 {a}", ("author", "photographer"), "a")),
    _form("closing", "摄影：{a}", ("摄影：{a}", "photographer", "a")),
    _form("closing", "作者：{a}", ("作者：{a}", "author", "a")),
    _form("closing", "通讯员 {a} {b}", ("通讯员 {a} {b}", "correspondent", "ab")),
)
BRACKET = (
    _form("bracket", "（记者 {a} 通讯员 {b}）", ("记者 {a}", "reporter", "a"), ("通讯员 {b}", "correspondent", "b")),
    _form("bracket", "(记者{a}通讯员{b})", ("记者{a}", "reporter", "a"), ("通讯员{b}", "correspondent", "b")),
    _form("bracket", "（{o}记者 {a}）", ("{o}记者 {a}", "reporter", "a")),
    _form("bracket", "（通讯员 {a}）", ("通讯员 {a}", "correspondent", "a")),
    _form("bracket", "（见习记者 {a} 实习生 {b}）", ("见习记者 {a}", "reporter", "a"), ("实习生 {b}", "intern", "b")),
    _form("bracket", "（责任编辑：{a}）", ("责任编辑：{a}", "editor", "a")),
)
DATELINE = (
    _form("dateline", "{o}讯（记者 {a} 通讯员 {b}）", ("记者 {a}", "reporter", "a"), ("通讯员 {b}", "correspondent", "b")),
    _form("dateline", "{o}讯 （见习记者 {a}）", ("见习记者 {a}", "reporter", "a")),
    _form("dateline", "本报讯（记者 {a} {b}）", ("记者 {a} {b}", "reporter", "ab")),
    _form(
        "dateline",
        "{o}{d}讯（记者{a}、{b} 通讯员{c}）",
        ("记者{a}、{b}", "reporter", "ab"),
        ("通讯员{c}", "correspondent", "c"),
    ),
    _form("dateline", "本网讯(通讯员 {a})", ("通讯员 {a}", "correspondent", "a")),
)
# Words that stand for the paper itself; as outlets they are kept as printed.
SELVES = ("本报", "本网")


@dataclass(frozen=True, slots=True)
class Byline:
    """A byline as one article prints it, with the credits and outlets it holds."""

    place: Place
    text: str
    credits: tuple[Credit, ...]
    outlets: tuple[str, ...]


def byline(rng: random.Random, day: date, inside: bool) -> Byline | None:
    """Return a byline for an article of `day`, or None: some have none. `inside` asks for one within a paragraph."""
    forms = rng.choices((CLOSING, BRACKET, DATELINE, ()), weights=(0 if inside else 45, 18, 22, 15))[0]
    return _make(rng, rng.choice(forms), day) if forms else None


def _make(rng: random.Random, form: Form, day: date) -> Byline:
    names = {key: texts.person(rng, rare=0.3) for key in "abc"}
    values = {"o": rng.choice(words.OUTLETS), "d": f"{day.month}月{day.day}日", **_typeset(rng, form, names)}
    outlets = [values["o"]] if "{o}" in form.pattern else [word for word in SELVES if form.pattern.startswith(word)]
    found = [
        Credit(role=role, name=names[key], outlet=_outlet(group, values), text=group.text.format_map(values))
        for group in form.groups
        for key in group.names
        for role in group.roles
    ]
    return Byline(form.place, form.pattern.format_map(values), tuple(found), tuple(outlets))


def _typeset(rng: random.Random, form: Form, names: dict[str, str]) -> dict[str, str]:
    """Two-character names are sometimes set with a full-width space inside, where role and name are set apart too."""
    apart = "者 {a}" in form.pattern or "员 {a}" in form.pattern
    if not apart or rng.random() > 0.2:
        return names
    return {key: f"{name[0]}　{name[1]}" if len(name) == 2 else name for key, name in names.items()}


def _outlet(group: Group, values: dict[str, str]) -> str | None:
    if group.outlet:
        return values["o"]
    return next((word for word in SELVES if group.text.startswith(word)), None)
