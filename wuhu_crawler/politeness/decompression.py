"""Content decoding that demands the whole stream: what is cut, fails its check sum or explodes is no page.

The bytes as transferred are in the archive already, so a response that cannot be decoded is flagged `bad-encoding` and left as
it is; backoff asks for it again, and at last ends its URL as truncated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..warc.codings import CutBodyError, TooLargeError, codings, decode
from .faults import Refused

if TYPE_CHECKING:
    from typing import Self

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# What every web server of the family's age can do, and every WARC reader undo.
ACCEPTED = b"gzip, deflate"


class DecompressionMiddleware:
    """Asks for encodings we can check, and undoes them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware with DOWNLOAD_MAXSIZE as the limit of a decoded body."""
        return cls(crawler.settings.getint("DOWNLOAD_MAXSIZE"))

    def process_request(self, request: Request) -> None:
        """Say what we accept."""
        request.headers.setdefault("Accept-Encoding", ACCEPTED)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response with its body decoded; raises Refused (excluded: too-large)."""
        header = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        if not header or not response.body:
            return response
        try:
            body = decode(response.body, codings(header), self._limit)
        except TooLargeError as error:
            raise Refused("excluded", "too-large") from error
        except CutBodyError:
            response.flags.append("bad-encoding")
            return response
        return response.replace(body=body)
