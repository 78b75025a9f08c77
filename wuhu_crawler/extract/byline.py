"""Credits: who wrote, reported, photographed and edited, read from the lines and brackets that name them.

A piece of text counts as credits only when the grammar reads all of it: lead (dateline or outlet), then role words with names.
A sentence about a reporter (记者从…获悉) never does. docs/credits.md shows the shapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..items import Credit, Role
from .dates import normalize_digits
from .labels import END, PUBLISHED, SLOTS, SOURCE, VIEWS
from .names import NOT_PERSONS, is_name, is_signature, split_glued, surname_length

# Role words before the names. A word that holds another (全媒体记者) needs no entry of its own: see _TITLES.
_ROLE_WORDS: tuple[tuple[tuple[Role, ...], str], ...] = (
    (("reporter",), "记者 記者 采写 采访 记者采写"),
    (("correspondent",), "通讯员 报道员 通訊員 報道員"),
    (("photographer",), "摄影记者 图片记者 摄影 摄 图 图片 摄像"),
    (("editor",), "责任编辑 责编 编辑 值班编辑 本文编辑 责任编审 网络编辑 文字编辑 本期编辑 见习编辑 编缉 責任編輯 編輯 主编"),
    (("intern",), "实习生 实习记者 实习编辑 见习生 實習生"),
    (
        ("author",),
        "作者 供稿作者 投稿作者 本文作者 文章作者 文 执笔 撰文 撰稿 撰稿人 文字 专栏作者 特约作者 特约撰稿 供稿 原创 投稿",
    ),
    (("other",), "校对 审核 编审 监制 统筹 编译 翻译 编选 审稿 初审 复审 终审 审读 签发 策划 制图 美编 整理 录入"),
    (("author", "photographer"), "文/图 文图 图/文 图文 文、图 图、文 文并图 文并摄 文/摄 摄影/文字 文字/摄影 撰文/摄影"),
    (("reporter", "photographer"), "记者文/图"),
)
ROLES: dict[str, tuple[Role, ...]] = {word: roles for roles, words in _ROLE_WORDS for word in words.split()}
# What may stand before 记者 and 通讯员 as part of the title.
_TITLES = (
    "全媒体|融媒体|融媒|新媒体|多媒体|见习|首席|特派|特约|资深|高级|主任|实习|本刊|驻站|前方|随行|体育|财经|时政|社会|经济|"
    "文化|教育|卫生|科技|旅游|跑口|职工|学生|校园"
    "|基层|骨干|客户端|视频|文字|图片|摄影|调查|深度|现场|特别|独家|兼职|机动|值班|见习生|业余|外聘|签约|集团|总台|总站|中心|小"
)
# Role words behind the name.
_SUFFIX_WORDS: tuple[tuple[tuple[Role, ...], str], ...] = (
    (("reporter", "photographer"), "摄影报道 摄影并报道"),
    (("author", "photographer"), "文/图 文图 图文 图/文 图并文 文并图 文并摄 文、图 文/摄 图、文"),
    (("photographer",), "摄影 摄 /摄 /图 图"),
    (("author",), "/文 文 撰文 撰稿"),
    (("other",), "整理 编译"),
    (("reporter",), "整合 报道 综合报道 采写"),
)
SUFFIXES: dict[str, tuple[Role, ...]] = {word: roles for roles, words in _SUFFIX_WORDS for word in words.split()}
OUTLET_SUFFIX = (
    r"(?:日报|晚报|早报|晨报|时报|商报|都市报|周报|导报|快报|信报|青年报|法制报|广播报|电视报|报|都市网|新闻网|晚报网|在线|"
    r"热线|网|通讯社|社|电视台|广播电台|电台|广播电视台|总台|融媒体中心|融媒|融媒体"
    r"|频道|客户端|周刊|杂志|月刊|旬刊|画报|新闻|体育|财经|科技|乐居|之声|论坛|公众号|版|通讯|发布|传媒|快讯社|观察|论坛)"
)
OUTLET_WORDS = frozenset(
    (
        "本报 本网 本站 本台 本刊 本社 每经 央视 南都 半月谈 澎湃 新京 新华 中新 瞭望 人民 总台 经观 北青 界面 观察者网 财新 "
        "三联 环球 大众 央广 参考消息 求是 我报 芜湖新闻 大江网 大江晚报 我网"
    ).split()
)
_DATE = r"(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{1,2}日"
_DATELINE = re.compile(
    rf"(?:据|综合)?(?P<outlet>[\u3400-\u9fffA-Za-z·•《》0-9]{{2,20}}?)(?P<place>[\u3400-\u9fff·]{{0,8}}?)\s*(?:{_DATE})?\s*(?"
    rf"P<place2>[\u3400-\u9fff]{{0,6}}?)\s*"
    r"(?:讯|电|消息|快讯|报道|专电|综合消息|综合报道)\s*(?:[:：]|——|-)?\s*"
)
_OUTLET_PREFIX = re.compile(
    rf"(?:[\u3400-\u9fffA-Za-z0-9·•]{{1,14}}{OUTLET_SUFFIX}|{'|'.join(sorted(OUTLET_WORDS, key=len, reverse=True))})"
)
# Any other short name of an outlet, when the rest of the line is a role and names: 我爱芜湖记者 田龙
_PLAIN_OUTLET = re.compile(r"[^\W\d的是为和与问答让被请由名位个向对见有看给从在及或等这那该每各某访谈听听说讲]{3,8}")
_SOURCE_SLOT = re.compile(
    r"(?:图片来源|信息来源|消息来源|文章来源|新闻来源|稿件来源|来源|稿源|出处|转自|摘自|据)[:：\s]\s*(?P<outlet>《?[^\s:：，"
    r"。、|｜()（）【】\[\]]{2,20}》?)"
)


def _spread(word: str) -> str:
    """A role word's characters may be spread with spaces: 编　辑："""
    return r"[ \u3000]*".join(map(re.escape, word))


_LONG_ROLES = "|".join(_spread(word) for word in sorted(ROLES, key=len, reverse=True) if len(word) > 1)
_ROLE = re.compile(
    rf"(?P<posted>驻[\u3400-\u9fff]{{1,6}}?)?(?P<title>(?:(?:{_TITLES}))*)"
    rf"(?P<role>{_LONG_ROLES}|(?:文|图|摄)(?=\s*[/／:：|｜]))(?!并?报道)"
)
_SLOT = re.compile(
    rf"(?P<title>(?:(?:{_TITLES}))*)(?P<role>{_LONG_ROLES}|文|图)\s*[:：/／]\s*"
    r"(?P<names>(?:[\u3400-\u9fff][ \u3000][\u3400-\u9fff](?![\u3400-\u9fff:：])|[^\s:：\[\]【】()（）|｜<>]{1,12})"
    r"(?:[\s、，,][\u3400-\u9fff]{2,4}(?![:：\u3400-\u9fff]))*)"
)
_SLOT_MARK = re.compile(r"[:：/／]")
_ROLE_BEGINS = re.compile(f"[{''.join(sorted({word[0] for word in ROLES}))}]")
# Without any of these a text is no credit: asked first, since most paragraphs hold none. Every alternative begins with a plain
# character, so that a search passes over a text at a glance.
_HINT = re.compile(
    "记者|記者|通讯员|通訊員|报道|報道|编辑|編輯|编缉|责编|主编|编选|编审|编译|美编|摄|图|/|／|作者|执笔|撰|实习|實習|见习|供稿|投稿|校对|审核|审稿"
    "|初审|复审|终审|审读|监制|统筹|策划|翻译|签发|制图|整理|录入|采写|采访|整合|文:|文：|文字|原创|来源|稿源|出处|转自|摘自"
)
_SHORT_LABEL = re.compile(r".{2,5}[:：]")
# An empty slot is followed by the next label, which is no name: 责任编辑：　阅读：1644
_LABEL = re.compile(f"(?:{'|'.join((*VIEWS, *PUBLISHED, *SOURCE, *END, *SLOTS))})")
_SEPARATORS = re.compile(r"[\s\u3000、，,;；/／|｜&＆○⊙●◎]+|和(?=[\u3400-\u9fff]{2,3}\Z)")
_BRACKETED = re.compile(r"[（(【\[〔]\s*([^（()）【】\[\]〔〕]{2,90})\s*[）)】\]〕]")
_LAST_BRACKET = re.compile(_BRACKETED.pattern + r"[\s。”]*\Z")
_CLOSERS = tuple("）)】]〕”。")
_CAPTION_ENDS = ("摄", "摄影", "摄影报道", "图", "文")
_CODE = re.compile(r"[\s_(（]*[A-Z]{1,4}\d{2,6}[)）]?\Z")
_SPREAD_NAME = re.compile(r"(?<![\u3400-\u9fff])([\u3400-\u9fff])[ \u3000]+([\u3400-\u9fff])(?![\u3400-\u9fff])")
_SPACES = re.compile(r"[ \u3000]+")
_TRIM = " \t\u3000:：、，,;；。.|｜/／-—_○⊙●◎▲■◆*·"
_REPORTED = re.compile(r"\A(?P<lead>[^（(，。]{2,30}?)(?P<role>记者)(?P<names>[^（(，。：:]{2,24}?)(?:摄影)?报道[:：]")
_TITLED = frozenset({"记者", "記者", "通讯员", "编辑", "摄影"})
_BUTTONS = re.compile(r"[【\[](?:纠错|关闭|打印|收藏|返回|评论)[^】\]]{0,6}[】\]]")
LINE_LIMIT = 90


@dataclass(frozen=True, slots=True)
class Byline:
    """What one piece of text credits: outlets and credits in order; `whole` when the text is nothing else."""

    outlets: tuple[str, ...]
    credits: tuple[Credit, ...]
    whole: bool


_NONE = Byline((), (), False)


def read_line(line: str) -> Byline:
    """Return the credits of one line or paragraph of a body: a line that is all credits, a dateline at its start, brackets at
    its start or end, or a picture credit closing a caption."""
    text = (_BUTTONS.sub("", line) if "【" in line or "[" in line else line).strip(" \u3000")
    ends = text if len(text) <= 2 * LINE_LIMIT else text[:LINE_LIMIT] + "\n" + text[-LINE_LIMIT:]
    if not (_HINT.search(ends) or _SHORT_LABEL.match(text)):
        return _NONE
    whole = _whole_line(text)
    if whole is not None:
        return whole
    for reader in (_dateline, _reported, _closing):
        found = reader(text)
        if found is not None:
            return found
    return _NONE


def read_closing(text: str) -> Byline:
    """Return the credits of a bracket or caption that ends a paragraph inside the body."""
    return _closing(text.strip(" \u3000")) or _NONE


def read_slots(text: str) -> Byline:
    """Return the credits of a meta line, where labelled slots stand among dates and counters: 责任编辑：X 浏览：102."""
    credits: list[Credit] = []
    if len(text) > 2 * LINE_LIMIT or not (_SLOT_MARK.search(text) and _ROLE_BEGINS.search(text)):
        return _NONE
    for found in _SLOT.finditer(text):
        chunk = _CODE.sub("", _before_label(found["names"])).strip(_TRIM)
        names = _names(chunk, strict=False) if chunk and not _LABEL.match(chunk) else None
        words = _slot_words(found)
        for role in _roles(found) if names else ():
            credits += [Credit(role=role, name=name, text=words) for name in names or ()]
    return Byline((), tuple(credits), False)


def _slot_words(found: re.Match[str]) -> str:
    """A slot's own words: title, label and names, without what is glued to either side (弋江融媒作者:钱立新发布日期…)."""
    start = found.start() if found["role"] in _TITLED else found.start("role")
    end = found.start("names") + len(_before_label(found["names"]))
    return found.string[start:end].strip(_TRIM)


def _before_label(text: str) -> str:
    """What stands before the next slot's label, where slots are glued: 作者:钱立新发布日期:…"""
    label = _LABEL.search(text, 2)
    return text[: label.start()] if label else text


def _whole_line(text: str) -> Byline | None:
    if not text or len(text) > LINE_LIMIT:
        return None
    pieces = _BRACKETED.findall(text) if _BRACKETED.sub("", text).strip(_TRIM) == "" else []
    pieces = pieces or [text.strip("（()）【】[]〔〕 \u3000▲■◆●△")]
    read = [_read_piece(piece) for piece in pieces]
    if all(read):
        joined = _joined([r for r in read if r], whole=True)
        if joined.credits:
            return joined
        if joined.outlets:
            return Byline(joined.outlets, (), False)
    lead = _split_lead(text)
    if lead is not None:
        return lead
    return None


def _split_lead(text: str) -> Byline | None:
    """A line that is a dateline and its bracket, nothing behind: 浙江在线杭州4月25日讯（记者 施宇翔）."""
    found = _dateline(text)
    return Byline(found.outlets, found.credits, True) if found and found.whole else None


def _dateline(text: str) -> Byline | None:
    """Return the credits of a dateline: 芜湖日报讯（记者 王某 通讯员 李某）… or a bracket right at the paragraph's start."""
    bracket = _BRACKETED.search(text[: LINE_LIMIT + 30])
    if bracket is None:
        return None
    outlets = _lead_outlets(text[: bracket.start()])
    if outlets is None:
        return None
    inside = _read_piece(bracket.group(1))
    if inside is None or not inside.credits:
        return None
    rest = text[bracket.end() :].strip(_TRIM)
    return Byline(_unique(outlets + inside.outlets), inside.credits, not rest)


def _reported(text: str) -> Byline | None:
    """Return the credits of 本报北京９月４日讯记者杨涌报道：…"""
    found = _REPORTED.match(text) if "记者" in text[:LINE_LIMIT] else None
    if not found:
        return None
    outlets = _lead_outlets(found["lead"])
    names = _names(found["names"], strict=True)
    if not outlets or not names:
        return None
    words = text[: found.end()].rstrip(":：")
    return Byline(
        outlets, tuple(Credit(role="reporter", name=n, outlet=outlets[-1], text=words) for n in names), found.end() == len(text)
    )


def _closing(text: str) -> Byline | None:
    """Return the credits of the last bracket of a paragraph, or of the picture credit that ends a caption."""
    bracket = _LAST_BRACKET.search(text, max(0, len(text) - LINE_LIMIT - 10)) if text.endswith(_CLOSERS) else None
    if bracket:
        inside = _read_piece(bracket.group(1))
        if inside and inside.credits:
            return Byline(inside.outlets, inside.credits, False)
    return _caption(text) if text.rstrip("。）) ").endswith(_CAPTION_ENDS) else None


def _caption(text: str) -> Byline | None:
    """Return the picture credit that closes a caption: of what follows its last sentence as much as the grammar reads."""
    sentence = re.split(r"[。！？；!?;]", text.rstrip("。）) "))[-1][-LINE_LIMIT:]
    starts = [0, *(found.end() for found in re.finditer(r"[\s\u3000，,：:）)]+", sentence))]
    for start in starts:
        inside = _read_piece(sentence[start:].strip(_TRIM + "（("))
        if inside and any(credit.role == "photographer" for credit in inside.credits):
            return Byline(inside.outlets, inside.credits, False)
    return None


def _lead_outlets(lead: str) -> tuple[str, ...] | None:
    """Return the outlets of a dateline's lead; None when the words before the bracket are no dateline."""
    lead = lead.strip(_TRIM)
    if not lead:
        return ()
    folded = normalize_digits(lead)
    found = _DATELINE.fullmatch(folded)
    if not found:
        return None
    start = folded.removeprefix("据").removeprefix("综合")
    outlet = _outlet_of(re.split(r"(?:\d{4}年)?\d{1,2}月|\d{1,2}日", start)[0].strip())
    return (outlet,) if outlet else None


def _outlet_of(words: str) -> str | None:
    """Return the outlet a dateline's words begin with: the longest stretch ending like an outlet."""
    words = re.sub(r"(?:讯|电|消息|快讯|报道|专电)\s*[:：]?\Z", "", words).strip(_TRIM)
    best = None
    for found in re.finditer(OUTLET_SUFFIX, words):
        if found.end() >= 2:
            best = words[: found.end()]
    for word in OUTLET_WORDS:
        if best is None and words.startswith(word):
            best = word
    if best is None and 2 <= len(words) <= 12 and re.fullmatch(r"[\u3400-\u9fffA-Za-z·]+", words):
        best = words if words.endswith(("网", "报")) else None
    return best.strip("《》") if best else None


def _read_piece(piece: str) -> Byline | None:
    """Return the credits of a text that must be nothing but credits; None when the grammar cannot read all of it."""
    text = piece.strip(_TRIM)
    if not text or len(text) > LINE_LIMIT:
        return None
    outlets: list[str] = []
    text, slots = _take_sources(text)
    outlets += slots
    if not text:
        return Byline(_unique(tuple(outlets)), (), True)
    marks = list(_ROLE.finditer(text))
    if not marks:
        return _suffix_credits(text, None, outlets)
    lead = text[: marks[0].start()]
    if marks[-1].end() == len(text) and (suffixed := _suffix_credits(text, None, outlets)):
        return suffixed
    outlet = _piece_outlet(lead)
    if outlet is None:
        return _suffix_credits(text, None, outlets)
    outlets += [outlet] if outlet else []
    credits: list[Credit] = []
    for i, mark in enumerate(marks):
        end = marks[i + 1].start() if i + 1 < len(marks) else len(text)
        read = _group(text, mark, end, outlet or None, last=i + 1 == len(marks))
        if read is None:
            return None
        found, next_outlet = read
        credits += found
        outlet = next_outlet or ""
        outlets += [next_outlet] if next_outlet else []
    return Byline(_unique(tuple(outlets)), tuple(credits), True)


def _take_sources(text: str) -> tuple[str, list[str]]:
    outlets = []
    while found := _SOURCE_SLOT.search(text):
        words = found["outlet"]
        role = _ROLE.search(words)
        if role:
            words = words[: role.start()]
        if words:
            outlets.append(words.strip("《》"))
        text = (text[: found.start()] + " " + text[found.start("outlet") + len(words) :]).strip(_TRIM)
    return text, outlets


def _piece_outlet(lead: str) -> str | None:
    """Return the outlet before the first role word, '' when nothing stands there, None when it is something else."""
    words = lead.strip(_TRIM + "《》（(【[")
    if not words or words in ("采写", "整理", "统筹", "本文", "供稿", "摄影", "图为"):
        return ""
    found = _OUTLET_PREFIX.fullmatch(words)
    if found:
        return words
    outlets = _lead_outlets(words)
    if outlets:
        return outlets[0]
    if _PLAIN_OUTLET.fullmatch(words):
        return words
    parts = words.split()
    if len(parts) > 1 and _OUTLET_PREFIX.fullmatch(parts[-1]):
        return parts[-1] if all(len(part) <= 12 for part in parts) else None
    return None


def _group(text: str, mark: re.Match[str], end: int, outlet: str | None, last: bool) -> tuple[list[Credit], str | None] | None:
    """Return the credits one role word introduces and the outlet standing before the next; None when the words are no names."""
    roles = _roles(mark)
    chunk = text[mark.end() : end]
    explicit = bool(re.match(r"\s*[:：/／|｜]", chunk))
    chunk = chunk.strip(_TRIM)
    next_outlet = None
    if not last:
        chunk, next_outlet = _split_outlet(chunk, explicit)
    elif explicit or roles[0] == "author":
        chunk, affiliation = _leading_outlet(chunk)
        outlet = affiliation or outlet
    if last:
        chunk, roles = _trailing_suffix(chunk, roles)
    chunk = _CODE.sub("", chunk).strip(_TRIM)
    words = text[mark.start() : end].strip(_TRIM).removesuffix(next_outlet or "").rstrip(_TRIM)
    said = (
        (outlet + words) if outlet and text[: mark.start()].rstrip(_TRIM).endswith(outlet) and roles[0] != "editor" else words
    )
    if not chunk:
        return [], next_outlet
    names = _names(chunk, strict=not explicit)
    if names is None:
        return None
    holder = outlet if roles[0] not in ("editor", "other") else None
    return [Credit(role=role, name=name, outlet=holder, text=said) for role in roles for name in names], next_outlet


def _roles(mark: re.Match[str]) -> tuple[Role, ...]:
    word, title = _SPACES.sub("", mark["role"]), mark["title"]
    if word in ("记者", "記者") and title.endswith(("摄影", "图片")):
        return ("photographer",)
    if word in ("记者", "記者", "编辑") and "实习" in title:
        return ("intern",)
    return ROLES.get(word) or ROLES[mark["role"]]


def _trailing_suffix(chunk: str, roles: tuple[Role, ...]) -> tuple[str, tuple[Role, ...]]:
    """A suffix behind the last names may change the role: 新华社记者王新庆摄 is a photographer, 摄影报道 is both."""
    for word in sorted(SUFFIXES, key=len, reverse=True):
        if chunk.endswith(word) and len(chunk) > len(word):
            if word in ("文", "图") and not chunk[: -len(word)].endswith((" ", "\u3000")):
                continue  # a given name may end so (莫延文)
            given = SUFFIXES[word]
            rest = chunk[: -len(word)].strip(_TRIM)
            if word in ("报道", "综合报道", "整理", "整合", "编译", "采写"):
                return rest, roles
            if len(given) == 2 and roles[0] in ("reporter", "intern", "correspondent"):
                return rest, (roles[0], "photographer")
            return rest, given
    return chunk, roles


def _split_outlet(chunk: str, explicit: bool) -> tuple[str, str | None]:
    """Split `孔方扬子晚报` into names and the outlet that belongs to the next role word."""
    parts = chunk.rsplit(None, 1)
    tail = parts[-1].strip(_TRIM) if parts else ""
    for cut in re.split(r"[、，,;；\s]+", chunk)[-1:]:
        tail = cut
    if tail and (tail in OUTLET_WORDS or re.fullmatch(rf".{{1,14}}{OUTLET_SUFFIX}", tail)):
        if tail in OUTLET_WORDS or not surname_length(tail):
            return chunk[: len(chunk) - len(tail)].strip(_TRIM), tail
        for size in (0, 2, 3, 4, 6, 5):
            head, rest = tail[:size], tail[size:]
            if rest and (rest in OUTLET_WORDS or _OUTLET_PREFIX.fullmatch(rest)) and (not head or split_glued(head)):
                if size == 0 and chunk == tail:
                    continue
                return (chunk[: len(chunk) - len(tail)] + head).strip(_TRIM), rest
    return chunk, None


def _leading_outlet(chunk: str) -> tuple[str, str | None]:
    """`文/汽车之家 曹雷`: what stands before the name and is none itself is where its bearer works."""
    parts = chunk.split()
    if len(parts) == 2 and not is_name(parts[0]) and is_name(parts[1]) and len(parts[0]) > 2:
        return parts[1], parts[0] if not re.search(r"(?:部|处|科|室)\Z", parts[0]) else None
    return chunk, None


def _suffix_credits(text: str, outlet: str | None, outlets: list[str]) -> Byline | None:
    """Return the credits of `吴景腾摄`, `麦媛/文`: names, then the role word."""
    for word in sorted(SUFFIXES, key=len, reverse=True):
        if word in ("图", "文", "报道", "整理", "编译", "整合", "综合报道", "采写", "撰稿") or not text.endswith(word):
            continue
        names = _names(text[: -len(word)].strip(_TRIM), strict=True)
        if names:
            credits = tuple(Credit(role=role, name=name, outlet=outlet, text=text) for role in SUFFIXES[word] for name in names)
            return Byline(_unique(tuple(outlets)), credits, True)
    return None


def _names(chunk: str, strict: bool) -> list[str] | None:
    """Return the names of a chunk; None when it holds anything else. Behind a colon (not strict) pen names are believed."""
    if not chunk or len(chunk) > 60:
        return None
    chunk = _SPREAD_NAME.sub(_closed_up, chunk)
    latin = re.fullmatch(r"[A-Za-z][A-Za-z.\-']*(?: [A-Za-z][A-Za-z.\-']*){0,3}", chunk)
    tokens = [chunk] if latin else [token for token in _SEPARATORS.split(chunk) if token]
    names: list[str] = []
    for token in tokens:
        token = _CODE.sub("", token).strip(_TRIM)
        if not token or token.lower() in NOT_PERSONS:
            continue
        split = (token,) if is_name(token) else split_glued(token) if len(token) >= 4 else None
        if split is None and not strict and is_signature(token):
            split = (token,)
        if split is None:
            return None
        names += split
    return names


def _closed_up(found: re.Match[str]) -> str:
    """Two-character names are typeset with a space in between: 田 龙 is one name."""
    return found[1] + found[2] if surname_length(found[1]) else found.group()


def _joined(parts: list[Byline], whole: bool) -> Byline:
    outlets = _unique(tuple(outlet for part in parts for outlet in part.outlets))
    return Byline(outlets, tuple(credit for part in parts for credit in part.credits), whole)


def _unique(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
