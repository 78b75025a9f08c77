"""What can go wrong with a request, and how its URL then ends: one table from exceptions to outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)

from .. import clock
from ..handlers import ProtocolError, UnreachableError
from ..items import Outcome, OutcomeKind

if TYPE_CHECKING:
    from scrapy import Request

# The host as a whole does not answer: the URL is not to blame and none of its tries is used up.
CONNECTION_FAULTS = (CannotResolveHostError, DownloadConnectionRefusedError, UnreachableError)
# This one request failed; another try may succeed.
REQUEST_FAULTS = (DownloadTimeoutError, DownloadFailedError, ResponseDataLossError)

# The first matching line decides.
_FATES: tuple[tuple[type[Exception], OutcomeKind, str], ...] = (
    (DownloadTimeoutError, "failed", "timeout"),
    (CannotResolveHostError, "failed", "dns"),
    (DownloadConnectionRefusedError, "failed", "refused"),
    (UnreachableError, "failed", "unreachable"),
    (DownloadCancelledError, "excluded", "too-large"),
    (ResponseDataLossError, "truncated", "disconnect"),
    (DownloadFailedError, "failed", "reset"),
    (UnsupportedURLSchemeError, "excluded", "scheme"),
    (NotSupported, "excluded", "scheme"),
)


class Refused(IgnoreRequest):
    """Raised by a middleware for a URL that is not (or no longer) asked for; it names the outcome the URL ends in."""

    def __init__(self, outcome: OutcomeKind, reason: str, *, until: datetime | None = None) -> None:
        super().__init__(f"{outcome}: {reason}")
        self.outcome = outcome
        self.reason = reason
        self.until = until


def fate(error: BaseException | None) -> tuple[OutcomeKind, str]:
    """Return the outcome and its reason for a URL whose request ended with this exception."""
    if isinstance(error, Refused):
        return error.outcome, error.reason
    if isinstance(error, DownloadFailedError) and isinstance(error.__cause__, ProtocolError):
        return "failed", "protocol"
    for kind, outcome, reason in _FATES:
        if isinstance(error, kind):
            return outcome, reason
    return "failed", f"error ({type(error).__name__})"


def outcome_of(request: Request, error: BaseException | None) -> Outcome:
    """Return how the request's URL ended; with a capture when some of the response was received and kept."""
    outcome, reason = fate(error)
    capture = request.meta.get("capture")
    if capture is not None and capture.truncated and outcome == "failed":
        outcome = "truncated"
    return Outcome(
        url=request.url,
        outcome=outcome,
        reason=reason,
        capture_id=None if capture is None else capture.id,
        at=clock.now(),
        until=getattr(error, "until", None),
        via=request.meta.get("via"),
    )
