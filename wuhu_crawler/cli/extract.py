"""`wuhu extract`: what extraction makes of a saved page or a live URL, without touching any archive."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

from .. import __version__, clock
from ..errors import CheckFailed, NotAnArticle, PortalStopped, UsageError
from ..extract import explanation
from ..extract.decode import decode
from ..extract.document import parse
from ..extract.hyperlinks import read_links
from ..extract.page import extract as extract_page
from ..items import PageItem, to_json
from ..pages import normalize_dates
from ..portals import BUNDLED, FAMILY_ARTICLE_URLS, Portal, load_portal
from . import against, explain
from .output import counted, print_json, remark
from .pieces import whole

_LIMIT = 32 << 20
_TIMEOUT = 60
_LIVE = ("http://", "https://")


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="FILE_OR_URL...")
@click.option("--url", metavar="URL", help="Where the files were saved from; several files may share one.")
@click.option(
    "--captured-at",
    metavar="TIME",
    help="When the page was saved (ISO 8601; UTC without a zone): gives relative words and 04-30 their year. Default: a file's "
    "modification time, now for a URL.",
)
@click.option(
    "--portal", "portal_name", metavar="NAME|FILE", help="The portal's profile (default: the bundled one whose hosts match)."
)
@click.option(
    "--explain", "explained", is_flag=True, help="Say of each field the rule, the words and their place, or why it is empty."
)
@click.option(
    "--against",
    "truth",
    metavar="TRUTH",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare with a file of true fields (a JSON object, a list, or an object a line); exits 4 on a difference.",
)
@click.option("--json", "as_json", is_flag=True, help="Print --explain and --against as JSON, one object a page.")
def extract(
    inputs: tuple[str, ...],
    url: str | None,
    captured_at: str | None,
    portal_name: str | None,
    explained: bool,
    truth: Path | None,
    as_json: bool,
) -> None:
    """Print what each page holds, one JSON object a line, in the order given.

    An article prints the article JSON, a listing page its entries, anything else what it is and why. `-` reads standard input.
    Of an article at a URL the later parts and the counter are fetched, too; a file is read by itself. Exits 3 when an input was
    neither an article nor a listing.

    \b
      wuhu extract page.html --url 'http://www.o553.cn/news/Info.asp?ID=12393'
      wuhu extract saved/*.html | jq .title
      wuhu extract page.html --explain
      wuhu extract 'http://127.0.0.1:8553/news/Info.asp?ID=12393' --against truth.jsonl
    """
    if explained and truth:
        raise UsageError("--explain and --against are two questions: ask one of them")
    when = _moment(captured_at) if captured_at else None
    report = _Against(truth, alone=len(inputs) == 1, as_json=as_json) if truth else None
    others = 0
    for name in inputs:
        body, headers, status, address, default = _read(name, url)
        portal = _portal(portal_name, address)
        page = extract_page(
            body, url=address, headers=headers, status=status, captured_at=when or default, portal=portal or _family(address)
        )
        item = whole(page, address, portal or _family(address), _fetch) if name.startswith(_LIVE) else page.item
        normalize_dates(item, portal or _family(address), when or default)
        if portal is None:
            item.portal = None
        if report:
            report.page(name, item)
            continue
        if explained:
            _explain(name, item, body, headers, as_json=as_json, portal=portal or _family(address))
        else:
            print_json(to_json(item))
        if item.kind not in ("article", "listing"):
            others += 1
            remark(f"{name}: {item.kind}: {getattr(item, 'reason', '')}")
    sys.stdout.flush()
    if report:
        report.end(len(inputs))
    if others:
        raise NotAnArticle(f"{others} of {len(inputs)} inputs were neither article nor listing")


def _explain(name: str, item: PageItem, body: bytes, headers: dict[str, str], *, as_json: bool, portal: Portal) -> None:
    """Print why a page was read as it was."""
    text = decode(body, next((value for key, value in headers.items() if key.lower() == "content-type"), "")).text
    links = [(link.kind, link.url) for link in read_links(parse(text), item.url, portal)]
    reports = explanation.explain(item, text, links)
    if as_json:
        print_json(explain.as_json(name, item, reports))
    else:
        explain.show(name, item, reports)


class _Against:
    """The comparison of pages with a truth file, page by page."""

    def __init__(self, path: Path, *, alone: bool, as_json: bool) -> None:
        self._truth = against.Truth(path)
        self._alone, self._as_json = alone, as_json
        self._differing = 0
        if self._truth.unknown:
            remark(f"not compared, since pages have no such fields: {', '.join(self._truth.unknown)}")

    def page(self, name: str, item: PageItem) -> None:
        """Compare one page and print how it went."""
        differences, compared = against.compare(item, self._truth.row(name, item, alone=self._alone))
        self._differing += bool(differences)
        if self._as_json:
            print_json(against.as_json(name, item, differences, compared))
        else:
            against.show(name, item, differences, compared)

    def end(self, pages: int) -> None:
        """Raise CheckFailed when a page differed."""
        if self._truth.left:
            remark(f"{counted(self._truth.left, 'row')} of the truth was about no page given")
        if self._differing:
            raise CheckFailed(f"{self._differing} of {counted(pages, 'page')} differ from the truth")


def _read(name: str, url: str | None) -> tuple[bytes, dict[str, str], int, str, datetime]:
    """Return body, headers, status, URL and capture time of an input. Raises UsageError or PortalStopped."""
    if name.startswith(_LIVE):
        return _fetch(name)
    if name == "-":
        return sys.stdin.buffer.read(_LIMIT), {}, 200, url or "stdin:", clock.now()
    path = Path(name)
    try:
        body = path.read_bytes()
        saved = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}; give a saved page or an http(s) URL") from error
    return body, {}, 200, url or path.resolve().as_uri(), saved


def _fetch(url: str) -> tuple[bytes, dict[str, str], int, str, datetime]:
    headers = {"User-Agent": f"wuhu_crawler/{__version__} (wuhu extract)", "Accept-Encoding": "identity"}
    request = Request(url, headers=headers)  # noqa: S310 - http(s) only, checked by the caller
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            body = response.read(_LIMIT)
            if response.length and len(body) < _LIMIT:
                raise PortalStopped(f"{url} broke off after {len(body)} bytes, {response.length} before its end; try again")
            return body, dict(response.headers), response.status, response.url, clock.now()
    except HTTPError as error:
        return error.read(_LIMIT), dict(error.headers), error.code, url, clock.now()
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise PortalStopped(f"{url} could not be fetched: {getattr(error, 'reason', error)}") from error


def _portal(name: str | None, url: str) -> Portal | None:
    """Return the profile asked for, else the bundled one that has the URL's host, else None."""
    from urllib.parse import urlsplit

    if name:
        return load_portal(name)
    host = (urlsplit(url).hostname or "").lower()
    profiles = (load_portal(path.stem) for path in sorted(BUNDLED.glob("*.toml")))
    return next((profile for profile in profiles if host in profile.hosts), None)


def _family(url: str) -> Portal:
    """A page of no known portal is read by the family's habits."""
    return Portal(name="unknown", title="", seeds=(url,), article_urls=FAMILY_ARTICLE_URLS)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--captured-at {text!r} is no ISO 8601 time such as 2024-05-01T08:00:00+08:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
