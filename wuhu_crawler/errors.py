"""Every error a user can meet, each with the exit code it ends the process with.

The codes are stable and are those of docs/operations.md; `wuhu` and `scrapy crawl` use the same ones. Any other exception is
a bug and exits 1. A message is one sentence that names what is wrong and how to mend it.
"""


class WuhuError(Exception):
    """Raised with a sentence for the user; subclasses fix the exit code."""

    exit_code = 1


class UsageError(WuhuError):
    """The command line, a spider argument or the configuration is wrong; raised before the first request."""

    exit_code = 2


class NotAnArticle(WuhuError):
    """`wuhu extract` read a page that is not an article."""

    exit_code = 3


class CheckFailed(WuhuError):
    """A check command ran to its end and found something wrong."""

    exit_code = 4


class PortalStopped(WuhuError):
    """The portal is unreachable, blocks us, or its robots.txt forbids everything."""

    exit_code = 5


class Interrupted(WuhuError):
    """The crawl was stopped by a signal before its end; it can be resumed."""

    exit_code = 10


class OutOfSpace(WuhuError):
    """No room left on the device while writing the WARC or the database; nothing half is stored."""

    exit_code = 11


class ArchiveInUse(WuhuError):
    """Another process holds the archive's writer lock; the message names its PID."""

    exit_code = 12


class StorageError(WuhuError):
    """Writing or reading the archive failed; the process stops at once without further writes."""

    exit_code = 13


class HealthAttention(WuhuError):
    """`wuhu health` found something that needs attention."""

    exit_code = 20


class HealthBroken(WuhuError):
    """`wuhu health` found something broken."""

    exit_code = 21
