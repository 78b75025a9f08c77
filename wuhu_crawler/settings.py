"""Scrapy's settings of the project, each with Scrapy 2.19's default and why ours differs. Imports nothing of Scrapy.

A `WUHU_*` setting is ours: the environment variable of the same name overrides it, `-s NAME=VALUE` overrides both. What depends
on the portal (delay, concurrency, user agent) is set from its profile when a spider is made (spiders/portal_spider.py).
"""

from __future__ import annotations

import os

from . import __version__


def _env(name: str, default: str) -> str:
    return os.environ.get(name) or default


BOT_NAME = "wuhu_crawler"
SPIDER_MODULES = ["wuhu_crawler.spiders"]
# default "": the project's own `crawl` answers with a sentence and a typed exit code.
COMMANDS_MODULE = "wuhu_crawler.commands"

# --- Ours -------------------------------------------------------------------------------------------------------------------
# Who answers for the crawl: a mailto: or http(s): address, put into the User-Agent. A live portal is not crawled without.
WUHU_CONTACT = _env("WUHU_CONTACT", "")
# Who runs the crawl, as it shall stand in every WARC file's warcinfo record; may be empty.
WUHU_OPERATOR = _env("WUHU_OPERATOR", "")
# The archive folder, and its database when that lies elsewhere ("" = archive.db in the folder).
WUHU_DATA_DIR = _env("WUHU_DATA_DIR", "data")
WUHU_DATABASE_URL = _env("WUHU_DATABASE_URL", "")
# A simulated time (ISO 8601 with offset) from which the clock goes on, for portals on this machine only; "" = the true time.
# Read from the environment alone (clock.py), and noted in the WARC files.
WUHU_CLOCK = _env("WUHU_CLOCK", "")
# Where `-a portal=demo` finds the bundled portal.
WUHU_DEMO_URL = _env("WUHU_DEMO_URL", "http://127.0.0.1:8553/")
# Group commit: whichever comes first. What is not committed counts as not captured.
WUHU_COMMIT_PAGES = _env("WUHU_COMMIT_PAGES", "100")
WUHU_COMMIT_SECONDS = _env("WUHU_COMMIT_SECONDS", "1.0")
# A WARC file is closed and the next one begun at this many bytes.
WUHU_WARC_MAX_SIZE = _env("WUHU_WARC_MAX_SIZE", str(1 << 30))
# Whether `wuhu search` finds what is crawled; 0 is for benchmarks.
WUHU_SEARCH_INDEX = _env("WUHU_SEARCH_INDEX", "1")
# A folder of the user's own saved questions, beside `questions` in the archive folder; and how long a question may take.
WUHU_QUESTIONS_DIR = _env("WUHU_QUESTIONS_DIR", "")
WUHU_ASK_SECONDS = _env("WUHU_ASK_SECONDS", "60")
# Whether a crawl makes its report when it has ended; `wuhu report` makes one later.
WUHU_REPORT = _env("WUHU_REPORT", "1")
# Seconds before the second try; doubles with each further one, with jitter, up to the maximum.
WUHU_BACKOFF_SECONDS = _env("WUHU_BACKOFF_SECONDS", "1.0")
WUHU_BACKOFF_MAX = _env("WUHU_BACKOFF_MAX", "60.0")
# A longer Retry-After is not waited for: the URL is postponed, and so is all else on that host.
WUHU_RETRY_AFTER_MAX = _env("WUHU_RETRY_AFTER_MAX", "300.0")
# After so many failures in a row a host rests this many seconds; if it then still fails, its URLs are postponed.
WUHU_BREAKER_FAILURES = _env("WUHU_BREAKER_FAILURES", "5")
WUHU_BREAKER_SECONDS = _env("WUHU_BREAKER_SECONDS", "60.0")
# How far navigation links are followed from a seed, and how many pages of one URL pattern may show nothing new (calendars).
WUHU_NAVIGATION_DEPTH = _env("WUHU_NAVIGATION_DEPTH", "3")
WUHU_PATTERN_BUDGET = _env("WUHU_PATTERN_BUDGET", "20")
# A page that was found to show no articles is asked for again after so many days.
WUHU_NAVIGATION_DAYS = _env("WUHU_NAVIGATION_DAYS", "7")
# The longest pause, in days, before an article that was never answered for is asked for again.
WUHU_OWED_DAYS = _env("WUHU_OWED_DAYS", "30")
# Page requisites: which kinds, how large one may be (bytes), and which files count as attachments worth keeping; films and
# programs are not.
WUHU_REQUISITE_KINDS = _env("WUHU_REQUISITE_KINDS", "image,style,script,attachment")
WUHU_REQUISITE_MAX_SIZE = _env("WUHU_REQUISITE_MAX_SIZE", str(16 << 20))
WUHU_REQUISITE_ATTACHMENTS = _env(
    "WUHU_REQUISITE_ATTACHMENTS", "doc,docx,xls,xlsx,ppt,pptx,pdf,zip,rar,7z,txt,wps,et,rtf,csv,ceb"
)
# Gaps: how many article numbers a crawl asks for, and how many in a row beyond the highest may be none before it stops there.
WUHU_GAPS_BUDGET = _env("WUHU_GAPS_BUDGET", "500")
WUHU_GAPS_BEYOND = _env("WUHU_GAPS_BEYOND", "20")
# A listing is left after so many pages in a row without an entry not yet seen on a listing of this crawl.
WUHU_STALE_PAGES = _env("WUHU_STALE_PAGES", "5")
# Re-checks: how many known articles a night; an article is left alone for the time it has been quiet divided by the ratio, in
# whole days from the least to the most.
WUHU_RECHECK_BUDGET = _env("WUHU_RECHECK_BUDGET", "700")
WUHU_RECHECK_RATIO = _env("WUHU_RECHECK_RATIO", "2")
WUHU_RECHECK_MIN_DAYS = _env("WUHU_RECHECK_MIN_DAYS", "1")
WUHU_RECHECK_MAX_DAYS = _env("WUHU_RECHECK_MAX_DAYS", "180")
# A server may say a page has not been modified so many times in a row; then the whole page is asked for. 0 = never trust it.
WUHU_RECHECK_TRUST = _env("WUHU_RECHECK_TRUST", "3")
# An article is gone after so many answers in a row that it is not there, the last so many days after the first.
WUHU_GONE_OBSERVATIONS = _env("WUHU_GONE_OBSERVATIONS", "3")
WUHU_GONE_DAYS = _env("WUHU_GONE_DAYS", "7")

# --- Politeness -------------------------------------------------------------------------------------------------------------
# The contact is added when the spider is made. default Scrapy/VERSION (+https://scrapy.org)
USER_AGENT = f"wuhu_crawler/{__version__}"
# default Accept-Language: en
DEFAULT_REQUEST_HEADERS = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9"}
# default False. Obeyed as RFC 9309 says, by our own middleware.
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "wuhu_crawler"
# default 16 and 8: one connection; a profile may say otherwise. Both, so that no request waits inside a paused host's slot.
CONCURRENT_REQUESTS = 1
CONCURRENT_REQUESTS_PER_DOMAIN = 1
# default 0; the profile's `delay` replaces it.
DOWNLOAD_DELAY = 2.0
# default 180: it is a total limit, and a minute is a long time for a page of an article portal.
DOWNLOAD_TIMEOUT = 60
# default 1 GiB: a 1,428-byte brotli bomb took 1.9 GB of memory. Holds for the decompressed size, too.
DOWNLOAD_MAXSIZE = 32 << 20
# default 32 MiB, which would warn of nothing here.
DOWNLOAD_WARNSIZE = 16 << 20
# default 2 (three tries). politeness.py spaces them; archive.py keeps a cut response only at the last.
RETRY_TIMES = 2
# default 20: an honest portal needs two.
REDIRECT_MAX_TIMES = 5

# --- What the network may make us do ------------------------------------------------------------------------------------------
# defaults: Scrapy's own handlers. Ours keep the wire bytes; a link to file:, data:, ftp: or s3: has no handler at all.
DOWNLOAD_HANDLERS = {
    "http": "wuhu_crawler.handlers.WireHandler",
    "https": "wuhu_crawler.handlers.WireHandler",
    "file": None,
    "data": None,
    "ftp": None,
    "s3": None,
}
# default True: a Set-Cookie makes tldextract fetch a suffix list from the internet.
COOKIES_ENABLED = False
# default True: a proxy from the environment would void the check of the address we connect to.
HTTPPROXY_ENABLED = False
# default True: a page would send us anywhere.
METAREFRESH_ENABLED = False
# default True, both: local ports that run code.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

# defaults: sixteen of Scrapy's own, switched off one by one elsewhere. Here the lists are whole: what does not stand in them is
# neither run nor imported (the remote control alone brings a web server), and a new Scrapy adds nothing by itself.
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "wuhu_crawler.politeness.scope.ScopeMiddleware": 50,
    "wuhu_crawler.politeness.robots.RobotsMiddleware": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "wuhu_crawler.politeness.redirects.RedirectMiddleware": 540,
    "wuhu_crawler.politeness.backoff.BackoffMiddleware": 550,
    "wuhu_crawler.politeness.decompression.DecompressionMiddleware": 590,
    "wuhu_crawler.archive.ArchiveMiddleware": 900,
}

# --- The way of a page ------------------------------------------------------------------------------------------------------
ITEM_PIPELINES = {
    "wuhu_crawler.pipelines.validate.ValidatePipeline": 100,
    "wuhu_crawler.pipelines.dates.DatesPipeline": 200,
    "wuhu_crawler.pipelines.persist.PersistPipeline": 300,
}
# Each of the defaults would drop a request or a response in silence, or costs time for a header nobody reads.
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
# default False: error pages are archived and classified like any other.
HTTPERROR_ALLOW_ALL = True
# One URL = one request, whatever the case ASP ignores.
REQUEST_FINGERPRINTER_CLASS = "wuhu_crawler.spiders.frontier.UrlFingerprinter"
# default DownloaderAwarePriorityQueue: bookkeeping per host, for crawls of many hosts.
SCHEDULER_PRIORITY_QUEUE = "scrapy.pqueues.ScrapyPriorityQueue"
# default LifoMemoryQueue: entries of a listing are asked for in the listing's order.
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"
# default 100, which doubles the CPU per page; with 1 the item is stored before its links are followed.
CONCURRENT_ITEMS = 1
# default None = asyncio's own event loop: uvloop takes a tenth less CPU. (Twisted's HTTP client misses resets on it; our
# handler does not, as tests/test_handlers.py shows.)
ASYNCIO_EVENT_LOOP = "uvloop.Loop"
# default True: reads the source of every callback.
WARN_ON_GENERATOR_RETURN_VALUE = False

# --- What is told -------------------------------------------------------------------------------------------------------------
EXTENSIONS_BASE: dict[str, int] = {}
EXTENSIONS = {
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.feedexport.FeedExporter": 0,
    "wuhu_crawler.extensions.ArchiveKeeper": 0,
    "wuhu_crawler.extensions.Progress": 10,
}
# default DEBUG: two lines a page.
LOG_LEVEL = "INFO"
LOG_FORMAT = "%(asctime)s %(levelname)s: %(message)s"
LOG_FORMATTER = "wuhu_crawler.extensions.QuietFormatter"
# default: a dozen library versions; `pip freeze` and the warcinfo record tell them.
LOG_VERSIONS: list[str] = []
# default 60 seconds between two progress lines when there is no terminal.
LOGSTATS_INTERVAL = 60.0
# default True: Scrapy's dictionary of counters; the summary line and the run's row in the database replace it.
STATS_DUMP = False
# default None, which writes \uXXXX for every Chinese character.
FEED_EXPORT_ENCODING = "utf-8"
# default CsvItemExporter, which writes nested fields in Python's notation.
FEED_EXPORTERS = {"csv": "wuhu_crawler.extensions.feeds.CsvArticles"}
