"""The pieces of an article at a live URL: its later parts and its counter's answer, fetched one by one at the portal's pace."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from ..errors import PortalStopped
from ..extract.assemble import Assemblies, Assembly
from ..extract.page import Page, extract
from ..items import PageItem
from ..portals import Portal
from .output import remark

# Body, headers, status, final URL and capture time of a URL; raises PortalStopped.
Fetch = Callable[[str], tuple[bytes, dict[str, str], int, str, datetime]]


def whole(page: Page, url: str, portal: Portal, fetch: Fetch) -> PageItem:
    """Return the page's item; of an article of several captures the article put together, evidence telling what is missing."""
    assembly = Assemblies(portal).begin(page, url=url)
    if assembly is None:
        return page.item
    while waiting := assembly.waiting:
        if waiting[0].kind == "part":
            remark(f"fetching part {waiting[0].number}: {waiting[0].url}")
        time.sleep(portal.delay)
        _feed(assembly, waiting[0].url, url, portal, fetch)
    return assembly.assembled().article


def _feed(assembly: Assembly, piece: str, url: str, portal: Portal, fetch: Fetch) -> None:
    if not _same_host(piece, url):
        assembly.fail(piece, "excluded (offsite)")
        return
    try:
        body, headers, status, address, captured_at = fetch(piece)
    except PortalStopped as error:
        assembly.fail(piece, f"failed ({error})")
        return
    if _same_host(address, url):
        found = extract(body, url=address, headers=headers, status=status, captured_at=captured_at, portal=portal)
        assembly.take(piece, found)
    else:
        assembly.fail(piece, "excluded (offsite)")


def _same_host(url: str, other: str) -> bool:
    return urlsplit(url).netloc.lower() == urlsplit(other).netloc.lower()
