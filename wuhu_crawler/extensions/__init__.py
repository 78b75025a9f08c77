"""Extensions: what accompanies a crawl.

    keeper    the open archive: opened before the first request, committed on a timer, closed with the exit code
    ledger    what the run's items say about its success
    resume    which crawl `-a resume=` means
    progress  how it goes, on a terminal or in the log

An exception in a signal handler is only logged by Scrapy, so nothing that must not fail lives in one: storage errors are kept
by the writer itself (every later call raises them again) and end the crawl through `ArchiveKeeper.stop`.
"""

from .keeper import ArchiveKeeper, keeper_of
from .progress import Progress, QuietFormatter

__all__ = ["ArchiveKeeper", "Progress", "QuietFormatter", "keeper_of"]
