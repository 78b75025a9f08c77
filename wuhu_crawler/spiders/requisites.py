"""Which requisites of pages a crawl asks for: those on the portal's own hosts, of the kinds the settings name, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..extract.hyperlinks import extension
from ..extract.urls import identity
from ..items import Requisite
from ..politeness.scope import Scope
from .frontier import is_excluded, leads_on

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from ..portals import Portal

KINDS = ("image", "style", "script", "attachment")
# What a server makes anew at every request; a script of these is no part of a page, but a counter.
_DYNAMIC = frozenset("asp aspx ashx php jsp cgi do".split())


class Requisites:
    """Sifts what pages name; remembers what was asked for."""

    def __init__(self, portal: Portal, settings: BaseSettings) -> None:
        """Raises UsageError for a kind that is none."""
        self._portal = portal
        self._scope = Scope(portal)
        self._kinds = frozenset(_words(settings["WUHU_REQUISITE_KINDS"]))
        self._attachments = frozenset(_words(settings["WUHU_REQUISITE_ATTACHMENTS"]))
        self.max_size = settings.getint("WUHU_REQUISITE_MAX_SIZE")
        self._known: set[str] = set()
        # As pages spell them: asked first, since every page names what the frame of all pages does.
        self._spelled: set[Requisite] = set()
        unknown = self._kinds - set(KINDS)
        if unknown:
            raise UsageError(f"WUHU_REQUISITE_KINDS={','.join(sorted(unknown))}: the kinds are {', '.join(KINDS)}")

    def sift(self, found: Iterable[Requisite]) -> Iterator[tuple[Requisite, str | None]]:
        """Yield each requisite of the portal not met before, with why it is not asked for (`profile`, `type`), None if it is.

        What is no candidate (of other hosts, a captcha, a kind the settings leave out) is left out without a word.
        """
        for requisite in found:
            if requisite in self._spelled:
                continue
            self._spelled.add(requisite)
            key = identity(requisite.url)
            if key in self._known or requisite.kind not in self._kinds or not self._scope.holds(requisite.url):
                continue
            suffix = extension(requisite.url)
            if suffix in _DYNAMIC and (requisite.kind != "image" or not leads_on(requisite.url, "", self._portal)):
                continue
            self._known.add(key)
            if is_excluded(requisite.url, self._portal):
                yield requisite, "profile"
            elif requisite.kind == "attachment" and suffix not in self._attachments:
                yield requisite, "type"
            else:
                yield requisite, None


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]
