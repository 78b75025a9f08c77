"""URL identity: which URLs are the same resource to a classic-ASP server, and which are articles.

Host, path and parameter names are case-insensitive there; values are not. Session IDs and fragments name no resource.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

from ..portals import Portal

SESSION_PARAMETERS = frozenset({"aspsessionid", "sessionid", "session_id", "phpsessid", "jsessionid", "sid", "s_id"})
_SESSION_PREFIX = "aspsessionid"
_JSESSION = re.compile(r";jsessionid=[^/?#]*", re.I)
_MOST_DIGITS = 19
# What editors leave in an empty link field.
_EMPTY = re.compile(r"\s*https?:/*\s*\Z", re.I)
_SPACES = re.compile(r"[\t\r\n]+")
_OF_THE_PAGE = frozenset(("", "?", "#"))
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def absolute(base: str, href: str) -> str | None:
    """Return `href` resolved against `base` without its fragment, or None when it is not an http(s) URL (nor, beside a saved
    page, a file URL)."""
    return _absolute(base if needs_query(href) else folder_of(base), href)


def needs_query(href: str) -> bool:
    """Tell whether a link is relative to the page itself (`?page=2`), not just to its folder."""
    return href.lstrip()[:1] in _OF_THE_PAGE


def folder_of(url: str) -> str:
    """Return the folder of a page's URL: the base all other relative links of its neighbours share."""
    folder = url.partition("?")[0].rpartition("/")[0] + "/"
    return folder if folder.count("/") > 2 else url


@lru_cache(maxsize=8192)
def _absolute(base: str, href: str) -> str | None:
    if _EMPTY.match(href):
        return None
    try:
        url = urljoin(base, _SPACES.sub("", href.strip()).replace("\\", "/"))
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    saved = parts.scheme == "file" and base.startswith("file:")
    if not saved and (parts.scheme not in ("http", "https") or not parts.hostname):
        return None
    path = _resolve_dots(parts.path) or "/"
    return urlunsplit((parts.scheme, parts.netloc, path.replace(" ", "%20"), parts.query.replace(" ", "%20"), ""))


def identity(url: str) -> str:
    """Return the key under which a URL is the same resource: lower-case host, path and parameter names, parameters sorted,
    default port, fragment and session IDs dropped. A URL that cannot be split is its own identity."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return url
    host = parts.netloc.lower().rpartition("@")[2].removesuffix(_DEFAULT_PORTS.get(parts.scheme.lower(), ":80"))
    path = _JSESSION.sub("", parts.path).lower() or "/"
    query = "&".join(sorted(_parameters(parts.query)))
    return f"{parts.scheme.lower()}://{host}{path}" + (f"?{query}" if query else "")


def _parameters(query: str) -> list[str]:
    kept = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        name = name.lower()
        if not name or name in SESSION_PARAMETERS or name.startswith(_SESSION_PREFIX):
            continue
        kept.append(name + equals + value)
    return kept


@lru_cache(maxsize=64)
def _patterns(sources: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(source, re.I) for source in sources)


def article_id(url: str, portal: Portal) -> int | None:
    """Return the portal's number of the article a URL names (the largest SQLite can hold is the limit), or None."""
    return numbered(url, portal.article_urls)


@lru_cache(maxsize=8192)
def numbered(url: str, sources: tuple[str, ...]) -> int | None:
    """Return the number the first of a profile's article patterns finds in a URL, or None."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    for pattern in _patterns(sources):
        found = pattern.search(target)
        digits = found.group("id").lstrip("0") if found else ""
        if found and len(digits) <= _MOST_DIGITS and (number := int(digits or "0")) < 1 << 63:
            return number
    return None


def resource(url: str, portal: Portal) -> str:
    """Return what a URL names on the portal: an article by its number when the profile says how those URLs are made, else its
    identity. A later part of an article is a resource of its own."""
    number = article_id(url, portal) if portal.article_url else None
    return identity(url) if number is None or is_part(url) else f"article {number}"


def asked_number(url: str, portal: Portal) -> int | None:
    """Return the number of the article a URL asks for; None for a later part, whose answer is no answer for the article."""
    number = article_id(url, portal)
    return None if number is None or is_part(url) else number


def is_part(url: str) -> bool:
    """Tell whether an article URL names a later part of a multi-page article (`&ArticlePage=2`)."""
    return part_number(url) > 1


def part_number(url: str) -> int:
    """Return which part of a multi-page article an article URL names; 1 where it names none."""
    found = _PART.search(url)
    return int(found.group(1)) if found else 1


def part_url(url: str, number: int) -> str:
    """Return the URL of another part, made from that of a later part: for part 1 without the parameter that numbers them."""
    found = _PART.search(url)
    if found is None:
        return url
    if number > 1:
        return f"{url[: found.start(1)]}{number}{url[found.end(1) :]}"
    rest = url[found.end() :].lstrip("&")
    head = url[: found.start()]
    return f"{head}{url[found.start()]}{rest}" if rest else head


_PART = re.compile(r"[?&](?:article)?page(?:no|num)?=(\d{1,4})(?:&|\Z)", re.I)


def _resolve_dots(path: str) -> str:
    """urljoin leaves `/../` above the root in place; a browser drops it."""
    while path.startswith(("/../", "/./")):
        path = path[3:] if path.startswith("/../") else path[2:]
    return path
