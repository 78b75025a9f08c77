"""The keys of the collection file: how each value is read, its default, and what it means.

These tables are the whole of the file: from them come the checks, the file `wuhu init` writes, and docs/schedule.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time, timedelta
from difflib import get_close_matches
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .jobs import KINDS, Window

_DURATION = re.compile(r"(\d+)\s*(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_CONTACT = re.compile(r"mailto:[^\s@()]+@[^\s@()]+|https?://[^\s()]+")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


class Key(NamedTuple):
    """One key: how its value is read (raising ValueError), its default as TOML, and what it means."""

    read: Callable[[Any], Any]
    default: str
    meaning: str


def duration(value: Any) -> timedelta:
    """Return what 30m, 12h or 90d means."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError('must be a time like "30m", "12h" or "90d"')
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _kept(value: Any) -> timedelta | None:
    return None if value == "forever" else duration(value)


def _window(value: Any) -> Window | None:
    if value == "":
        return None
    found = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError('must be hours like "01:00-06:00" or "22:30-05:00"')
    hour = int(found[3])
    if hour == 24 and found[4] != "00":
        raise ValueError("a day ends at 24:00")
    begins, ends = time(int(found[1]), int(found[2])), time(hour % 24, int(found[4]))
    if begins == ends and hour != 24:
        raise ValueError("a window that begins when it ends is never, or always: leave it out for always")
    return Window(value, begins, ends)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text in quotes")
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) and each.strip() for each in listed):
        raise ValueError('must be a text in quotes, or several: ["one", "two"]')
    return tuple(each.strip() for each in listed)


def _some_texts(value: Any) -> tuple[str, ...]:
    if not (found := _texts(value)):
        raise ValueError("must name at least one")
    return found


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("must be a whole number of at least 1")
    return value


def _port(value: Any) -> int:
    if _count(value) > 65535:
        raise ValueError("must be a port, 1 to 65535")
    return int(value)


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 3600:
        raise ValueError("must be a number of seconds, 0 to 3600")
    return float(value)


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(_text(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('must be a time zone like "Asia/Shanghai"') from error


def _contact(value: Any) -> str:
    if _text(value) and not _CONTACT.fullmatch(_text(value)):
        raise ValueError("must be a mailto: or http(s): address")
    return _text(value)


def _mail(value: Any) -> str:
    if not _MAIL.fullmatch(_text(value)):
        raise ValueError("must be a mail address")
    return _text(value)


def _mails(value: Any) -> tuple[str, ...]:
    if strange := [each for each in _some_texts(value) if not _MAIL.fullmatch(each)]:
        raise ValueError(f"{strange[0]!r} is no mail address")
    return _some_texts(value)


def _url(value: Any) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", _text(value)):
        raise ValueError("must be an http(s) address")
    return _text(value)


def _variable(value: Any) -> str:
    if not _VARIABLE.fullmatch(_text(value)):
        raise ValueError("must be the name of an environment variable, not the secret itself")
    return _text(value)


def _one_of(*words: str) -> Callable[[Any], str]:
    def chosen(value: Any) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}{near(value, words)}")
        return str(value)

    return chosen


def near(value: Any, words: Sequence[str]) -> str:
    """Return the one of `words` that was meant, as the end of a sentence; nothing when none is near."""
    close = get_close_matches(str(value), words, 1)
    return f"; did you mean {close[0]}?" if close else ""


TOP: Mapping[str, Key] = {
    "title": Key(_text, '""', "What the collection is called in reports"),
    "portals": Key(_some_texts, '["o553"]', "Portals, by the name of a bundled profile or the path of a TOML beside this file"),
    "contact": Key(_contact, '""', "Who answers for the crawls, for the portal to read: a mailto: or http(s): address"),
    "operator": Key(_text, '""', "Who runs them, for the WARC files"),
    "timezone": Key(_zone, '"Asia/Shanghai"', "The zone of every time in this file"),
    "window": Key(_window, '""', 'Hours runs may be at work in, "01:00-06:00"; empty = any. The rest is done in the next'),
    "pause": Key(duration, '"0m"', "Least pause between the end of a run and the next one's beginning"),
    "longest": Key(duration, '"24h"', "A run of a crawl is ended after so long, and gone on with when it is due again"),
}  # fmt: skip
POLITENESS: Mapping[str, Key] = {
    "delay": Key(_seconds, "2.0", "Seconds between two requests to a portal; left out, the portal profile's own"),
}
JOB: Mapping[str, Key] = {
    "do": Key(_one_of(*KINDS), '"walk"', f"What is done: {', '.join(KINDS)}; left out, the job's name"),
    "when": Key(_text, '"daily 01:00"', "When it is due: daily 02:30, mon,thu 02:30, monthly 1 04:00, every 6 hours, ..."),
    "portals": Key(_some_texts, '["o553"]', "For which portals; left out, all of the collection"),
    "budget": Key(_count, "700", "Walks: most articles; gaps, recheck: most requests; left out, as many as the settings say"),
    "longest": Key(duration, '"24h"', "As above, for this job"),
    "window": Key(_window, '""', "As above, for this job"),
    "options": Key(_texts, "[]", 'Further words of its command line, ["--sample", "5%"] for verify, ["/mnt/copy"] for backup'),
    "enabled": Key(_switch, "true", "false: it is never due"),
}  # fmt: skip
RETENTION: Mapping[str, Key] = {
    "logs": Key(_kept, '"90d"', 'How long log files of runs are kept; "forever"'),
    "reports": Key(_kept, '"forever"', "How long reports are kept as files; in the database they stay"),
    "exports": Key(_kept, '"90d"', "How long what export and wacz jobs made is kept. WARC files are never removed"),
}
NOTIFY: Mapping[str, Key] = {
    "on": Key(_one_of("change", "always", "never"), '"change"', "When somebody is told: change of the verdict, always, never"),
}
MAIL: Mapping[str, Key] = {
    "to": Key(_mails, '["archivist@example.org"]', "Who is told"),
    "from": Key(_mail, '"wuhu@example.org"', "The sender; left out, the first of `to`"),
    "host": Key(_text, '"localhost"', "The SMTP server"),
    "port": Key(_port, "25", "Its port; left out, 25, 587 with starttls, 465 with tls"),
    "security": Key(_one_of("none", "starttls", "tls"), '"none"', "none, starttls or tls"),
    "user": Key(_text, '"wuhu"', "Account there; left out, none"),
    "password_env": Key(_variable, '"WUHU_SMTP_PASSWORD"', "The environment variable that holds its password"),
    "password_file": Key(_text, '"/etc/wuhu/smtp-password"', "Or the file that does"),
}
WEBHOOK: Mapping[str, Key] = {
    "url": Key(_url, '"https://example.org/hook"', "Where reports are posted as JSON"),
    "url_env": Key(_variable, '"WUHU_WEBHOOK"', "Or, where the address is a secret, the environment variable that holds it"),
    "url_file": Key(_text, '"/etc/wuhu/webhook"', "Or the file that does"),
}
