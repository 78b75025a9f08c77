"""The peers of bench/nights.py: a spider as one writes it with plain Scrapy, and the same with scrapy-deltafetch switched on.

It starts at the home page, follows listings and 下一页, and yields an item for each page that is an article: one with a title
and a body, so that an error page is none. Everything else is Scrapy's own: retries, duplicates, what a status means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scrapy import Spider

ARTICLE = re.compile(r"/news/Info\.asp\?ID=(\d+)$", re.I)
LISTING = re.compile(r"/news/List\.asp\?", re.I)


class PeerSpider(Spider):
    """Walks every listing to its end and asks for every article it shows."""

    name = "peer"

    def __init__(self, base: str, **given: Any) -> None:
        super().__init__(**given)
        self.start_urls = [f"{base}/"]

    def parse(self, response: Any) -> Iterator[Any]:
        """Follow a home page or a listing."""
        for link in response.css("a::attr(href)").getall():
            url = response.urljoin(link)
            if ARTICLE.search(url):
                yield response.follow(url, self.parse_article)
            elif LISTING.search(url):
                yield response.follow(url, self.parse)

    def parse_article(self, response: Any) -> Iterator[Any]:
        """Yield the article, if the page is one."""
        title = "".join(response.css("strong font::text").getall()).strip()
        body = "\n".join(response.css("#fontzoom p::text").getall())
        if title and body:
            yield {"number": int(ARTICLE.search(response.url)[1]), "title": title, "body": body}
