"""The tables, as SQLAlchemy Core: nothing here is SQLite's own, every table and column says what it means.

Natural keys where there are any: a portal is its name, a crawl its ID, a part of a version its place in it.
`article.article_id` is the portal's own number, `article.key` ours. The migrations repeat this shape by hand; a test compares
the two. Small rows that are asked for by their key lie in the key's own tree (WITHOUT ROWID on SQLite); large ones do not,
since such a tree takes no more than a kilobyte of a row into a page.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from .types import PortalTime, UtcTime

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

FIXITY_STATUS = ("running", "interrupted", "sound", "damaged")
CRAWL_STATUS = ("running", "finished", "interrupted", "failed")
RECORD_TYPES = ("response", "revisit", "resource")
PAGE_KINDS = ("article", "listing", "missing", "error", "blocked", "other")
OUTCOMES = ("captured", "revisit", "missing", "truncated", "failed", "postponed", "blocked", "excluded")
PRECISIONS = ("second", "minute", "day")
ROLES = ("reporter", "correspondent", "photographer", "editor", "intern", "author", "other")
LINK_KINDS = ("image", "attachment", "link")
PIECE_KINDS = ("part", "counter")
REQUISITE_KINDS = ("image", "style", "script", "attachment")
WALK_ENDS = ("last page", "known")
JOB_STATUS = ("running", "done", "stopped", "interrupted", "killed", "failed", "storage")
VERDICTS = ("well", "attention", "broken", "early")
PLAN_PARTS = ("listings", "new", "owed", "gaps", "rechecks")

metadata = MetaData(naming_convention=NAMES)


def one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """Return the check that a column holds one of `words` (or NULL, where it may be NULL)."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _key(name: str, comment: str) -> Column[Any]:
    # The single writer numbers the rows itself, so that one commit needs no round trip for keys.
    return Column(name, Integer, primary_key=True, autoincrement=False, comment=comment)


def _json() -> JSON:
    return JSON(none_as_null=True)


portal = Table(
    "portal",
    metadata,
    Column("name", String(64), primary_key=True, comment="Short name of the portal profile, e.g. `o553`"),
    Column("title", Text, nullable=False, comment="What the portal calls itself"),
    Column("timezone", String(64), nullable=False, comment="IANA zone the portal prints its times in"),
    comment="A city portal that was crawled",
)

category = Table(
    "category",
    metadata,
    _key("id", "Our number of the category"),
    Column("portal", ForeignKey("portal.name"), nullable=False, comment="The portal it belongs to"),
    Column("name", Text, nullable=False, comment="The crumb before 正文, as the portal writes it"),
    UniqueConstraint("portal", "name"),
    comment="A category of a portal, as met in breadcrumbs",
)

crawl = Table(
    "crawl",
    metadata,
    Column("id", String(64), primary_key=True, comment="Crawl ID, also part of the WARC file names; given again to resume"),
    Column("portal", ForeignKey("portal.name"), nullable=False, comment="The portal crawled"),
    Column("job", String(64), nullable=False, comment="Name of the spider or command that made it"),
    Column("settings", _json(), nullable=False, comment="Arguments and settings that shaped the crawl (JSON object)"),
    Column("started_at", UtcTime, nullable=False, comment="When its first run began (UTC)"),
    Column("finished_at", UtcTime, comment="When it ended for good (UTC); NULL while running or resumable"),
    Column("status", String(16), nullable=False, comment="running, finished, interrupted (can be resumed) or failed"),
    one_of("status", CRAWL_STATUS),
    Index(None, "started_at"),
    comment="One crawl: what was to be fetched and how it ended; spans the runs that resumed it",
)

run = Table(
    "run",
    metadata,
    _key("id", "Our number of the run, in order of start"),
    Column("crawl_id", ForeignKey("crawl.id"), nullable=False, index=True, comment="The crawl it worked on"),
    Column("pid", Integer, nullable=False, comment="Process ID"),
    Column("argv", _json(), nullable=False, comment="Command line (JSON list)"),
    Column("started_at", UtcTime, nullable=False, comment="When the process opened the archive (UTC)"),
    Column("finished_at", UtcTime, comment="When it closed the archive (UTC); NULL while running or after a kill"),
    Column("exit_code", Integer, comment="Exit code, see docs/operations.md; NULL while running or after a kill"),
    Column("reason", Text, comment="Why it ended, in the words of the process"),
    Column("stats", _json(), comment="Counters at its end (JSON object of integers)"),
    comment="One process of one crawl",
    info={"operational": True},
)

warc_file = Table(
    "warc_file",
    metadata,
    Column("name", String(255), primary_key=True, comment="File name inside warc/, without `.open`"),
    Column("serial", Integer, nullable=False, comment="Serial number in its name; a new file gets the next one"),
    Column("crawl_id", ForeignKey("crawl.id"), nullable=False, index=True, comment="The crawl it was written by"),
    Column(
        "committed",
        BigInteger,
        nullable=False,
        comment="Bytes the database knows of: the end of the last whole record committed",
    ),
    Column("size", BigInteger, comment="Bytes of the closed file; NULL while it is written"),
    Column("sha256", String(64), comment="SHA-256 (hex) of the closed file, as in the manifest; NULL while it is written"),
    Column("software", Text, comment="Imported: the program that wrote it, by its warcinfo or `unknown`; NULL = written by us"),
    Column("checked_at", UtcTime, comment="When `wuhu verify` last read all of it and found nothing wrong (UTC)"),
    comment="A WARC file and how far the database has followed it; recovery reads on from there",
    info={"operational": True},
)

fixity_run = Table(
    "fixity_run",
    metadata,
    Column("id", Integer, primary_key=True, comment="Number of the run, in order of start"),
    Column("started_at", UtcTime, nullable=False, comment="When it began (UTC)"),
    Column("finished_at", UtcTime, comment="When it ended (UTC); NULL = under way, or interrupted and to be resumed"),
    Column("share", Float, nullable=False, comment="Share of the archive's bytes it was to read; 1 = all"),
    Column("status", String(16), nullable=False, comment="running, interrupted (can be resumed), sound or damaged"),
    Column("files_done", _json(), nullable=False, comment="Names of the WARC files read so far (JSON list)"),
    Column("files", Integer, nullable=False, comment="WARC files read"),
    Column("records", BigInteger, nullable=False, comment="Records read"),
    Column("bytes", BigInteger, nullable=False, comment="Bytes of WARC files read"),
    Column("findings", Integer, nullable=False, comment="How many things were found wrong"),
    one_of("status", FIXITY_STATUS),
    comment="One `wuhu verify`",
    info={"operational": True},
)

fixity_finding = Table(
    "fixity_finding",
    metadata,
    Column("run_id", ForeignKey("fixity_run.id"), primary_key=True, comment="The run"),
    Column("position", Integer, primary_key=True, comment="Order in the run, from 1"),
    Column("kind", String(32), nullable=False, comment="What is wrong, in a word; see docs/warc.md"),
    Column("file", Text, comment="WARC file, index or table it was found in"),
    Column("offset", BigInteger, comment="Where in the file; NULL = the file as a whole"),
    Column("text", Text, nullable=False, comment="What is wrong, in a sentence"),
    comment="One thing a `wuhu verify` found wrong",
    info={"operational": True},
)

capture = Table(
    "capture",
    metadata,
    _key("id", "Number of the capture in archive order, from 1"),
    Column("crawl_id", ForeignKey("crawl.id"), nullable=False, comment="The crawl it belongs to"),
    Column("run_id", ForeignKey("run.id"), comment="The run that fetched it; NULL when remade from WARC files"),
    Column("url", Text, nullable=False, comment="URL as requested"),
    Column("method", String(16), nullable=False, comment="HTTP method"),
    Column("status", Integer, comment="HTTP status; NULL when the response did not parse as HTTP"),
    Column("captured_at", UtcTime, nullable=False, index=True, comment="WARC-Date: when the request was sent (UTC)"),
    Column("record_id", String(64), nullable=False, unique=True, comment="WARC-Record-ID of the response or revisit record"),
    Column("record_type", String(16), nullable=False, comment="response, or revisit (payload stored with an earlier capture)"),
    Column("refers_to", String(64), comment="Revisit: WARC-Record-ID of the response that holds the payload"),
    Column("warc_file", ForeignKey("warc_file.name"), nullable=False, comment="File the record lies in"),
    Column("warc_offset", BigInteger, nullable=False, comment="First byte of the record in the compressed file"),
    Column("warc_length", BigInteger, nullable=False, comment="Bytes of the record in the compressed file"),
    Column("payload_digest", String(64), index=True, comment="`sha1:` + base32 of the body as transferred; equal = same bytes"),
    Column("block_digest", String(64), nullable=False, comment="`sha1:` + base32 of the record's block"),
    Column("payload_length", BigInteger, nullable=False, comment="Bytes of the body as transferred"),
    Column("content_type", Text, comment="Content-Type header as served"),
    Column("ip", String(64), comment="Address of the server"),
    Column("truncated", String(32), comment="WARC-Truncated reason; NULL = whole"),
    Column("flags", _json(), nullable=False, comment="Oddities of the response (JSON list of words)"),
    Column("via", Text, comment="URL of the page it was found on"),
    Column(
        "page_kind",
        String(16),
        comment="What extraction found the page to be; NULL = not extracted (redirect, robots.txt, ...)",
    ),
    Column("page_digest", String(64), comment="Digest of the visible text without furniture; NULL = not extracted"),
    Column("article_id", BigInteger, comment="Portal's article number the page shows or was asked for; NULL = none"),
    one_of("record_type", RECORD_TYPES),
    one_of("page_kind", PAGE_KINDS),
    UniqueConstraint("warc_file", "warc_offset"),
    Index(None, "crawl_id", "url"),
    Index(None, "article_id"),
    comment="One fetch of one URL at one time, and where its bytes are",
)

outcome = Table(
    "outcome",
    metadata,
    Column("crawl_id", ForeignKey("crawl.id"), primary_key=True, comment="The crawl"),
    Column("url", Text, primary_key=True, comment="The URL"),
    Column("outcome", String(16), nullable=False, comment="How it ended; see the table of outcomes above"),
    Column("reason", Text, comment="Refines the outcome: timeout, robots, offsite, portal error, ..."),
    Column(
        "capture_id", ForeignKey("capture.id"), index=True, comment="The capture that ended it; NULL = nothing was received"
    ),
    Column("at", UtcTime, nullable=False, comment="When it was settled (UTC)"),
    Column("until", UtcTime, comment="Postponed: not to be asked before (UTC)"),
    Column("via", Text, comment="URL of the page it was found on"),
    Column(
        "article_id",
        BigInteger,
        index=True,
        comment="Portal's article number the URL asks for; NULL = none, or a later part",
    ),
    one_of("outcome", OUTCOMES),
    comment="How each URL ended in each crawl: exactly one row; a retry or a resume replaces it",
    sqlite_with_rowid=False,
)

article = Table(
    "article",
    metadata,
    _key("key", "Our number of the article"),
    Column("portal", ForeignKey("portal.name"), nullable=False, comment="The portal it stands on"),
    Column("article_id", BigInteger, nullable=False, comment="The portal's own number"),
    Column("url", Text, nullable=False, comment="URL of its latest version"),
    Column("category_id", ForeignKey("category.id"), index=True, comment="Category of its latest version; NULL = none shown"),
    Column("versions", Integer, nullable=False, comment="Number of versions, so the number of the latest one"),
    Column("first_captured_at", UtcTime, nullable=False, comment="When it was first captured (UTC)"),
    Column("last_captured_at", UtcTime, nullable=False, comment="When it was last captured (UTC)"),
    Column("last_capture_id", ForeignKey("capture.id"), nullable=False, comment="The latest capture that shows it"),
    UniqueConstraint("portal", "article_id"),
    comment="An article captured at least once; its text is in article_version",
)

article_version = Table(
    "article_version",
    metadata,
    _key("id", "Our number of the version"),
    Column("article_key", ForeignKey("article.key"), nullable=False, comment="The article"),
    Column("number", Integer, nullable=False, comment="1 for the first text seen, counting up"),
    Column(
        "capture_id",
        ForeignKey("capture.id"),
        nullable=False,
        index=True,
        comment="The first capture that shows it; article_part names those of its further parts",
    ),
    Column("url", Text, nullable=False, comment="URL of that capture's article"),
    Column("title", Text, comment="Title as served"),
    Column("breadcrumb", _json(), nullable=False, comment="Crumbs in order (JSON list)"),
    Column("category_id", ForeignKey("category.id"), comment="Category: the crumb before 正文; NULL = none shown"),
    Column("published_text", Text, comment="Publication date in the page's own words"),
    Column("published_at", PortalTime, index=True, comment="Publication time in the portal's zone, with offset"),
    Column("published_precision", String(8), comment="second, minute, or day (no time printed: published_at says 00:00:00)"),
    Column("source_date_text", Text, comment="来源时间为, in the page's own words"),
    Column("source_date", Date, comment="Date of the source"),
    Column("outlets", _json(), nullable=False, comment="Outlets named in the credits (JSON list)"),
    Column("reporters", _json(), nullable=False, comment="Names of the reporter credits (JSON list)"),
    Column("body", Text, nullable=False, comment="Paragraphs in reading order, one a line, headings included"),
    Column("byline", Text, comment="Words the credits were read from, one a line; they are indexed for search with the body"),
    Column("headings", _json(), nullable=False, comment="Level-1 headings in order, without their numbers (JSON list)"),
    Column(
        "article_digest",
        String(64),
        nullable=False,
        comment="Digest of title, dates, credits and body; a change makes a version",
    ),
    Column("page_digest", String(64), comment="Digest of the visible text without furniture, of that capture"),
    Column("encoding", String(32), comment="Encoding the page was read in"),
    Column("decode_losses", Integer, nullable=False, comment="Characters that could not be decoded"),
    Column("evidence", _json(), nullable=False, comment="Field -> rule and words it was found in (JSON object)"),
    one_of("published_precision", PRECISIONS),
    UniqueConstraint("article_key", "number"),
    comment="One distinct text of an article; made only when the article digest changes",
)

section = Table(
    "section",
    metadata,
    Column("version_id", ForeignKey("article_version.id"), primary_key=True, comment="The version"),
    Column("position", Integer, primary_key=True, comment="Reading order in the version, from 1"),
    Column("parent", Integer, comment="Position of the section that holds it; NULL at the top"),
    Column("level", Integer, nullable=False, comment="Depth of the heading, from 1"),
    Column("number", Text, comment="Number of the heading as printed; NULL = none"),
    Column("heading", Text, comment="Heading without its number; NULL = text before the first heading"),
    Column("paragraphs", _json(), nullable=False, comment="Paragraphs up to the next heading (JSON list)"),
    ForeignKeyConstraint(["version_id", "parent"], ["section.version_id", "section.position"], name="fk_section_parent"),
    comment="A node of a version's tree of headings",
)

credit = Table(
    "credit",
    metadata,
    Column("version_id", ForeignKey("article_version.id"), primary_key=True, comment="The version"),
    Column("position", Integer, primary_key=True, comment="Order in the version, from 1"),
    Column(
        "role", String(16), nullable=False, comment="reporter, correspondent, photographer, editor, intern, author or other"
    ),
    Column("name", Text, nullable=False, index=True, comment="Name of the person"),
    Column("outlet", Text, comment="Outlet the person is named with"),
    Column("text", Text, nullable=False, comment="Words on the page the credit was read from"),
    one_of("role", ROLES),
    comment="One name in one role",
    sqlite_with_rowid=False,
)

link = Table(
    "link",
    metadata,
    Column("version_id", ForeignKey("article_version.id"), primary_key=True, comment="The version"),
    Column("kind", String(16), primary_key=True, comment="image, attachment or link"),
    Column("position", Integer, primary_key=True, comment="Order among those of its kind, from 1"),
    Column("url", Text, nullable=False, comment="Absolute URL"),
    Column("text", Text, nullable=False, comment="Words shown for it, alt text for an image; may be empty"),
    one_of("kind", LINK_KINDS),
    comment="An image, attachment or hyperlink in a version's body",
    sqlite_with_rowid=False,
)

article_part = Table(
    "article_part",
    metadata,
    Column("capture_id", ForeignKey("capture.id"), primary_key=True, comment="The capture of the article's first page"),
    Column("kind", String(16), primary_key=True, comment="part, or counter (the script that writes the number of views)"),
    Column("number", Integer, primary_key=True, comment="Number of the part, from 2; 1 for the counter"),
    Column("url", Text, nullable=False, comment="Its URL, as the article gives it"),
    Column("part_capture_id", ForeignKey("capture.id"), index=True, comment="The capture of it; NULL = nothing was received"),
    Column("reason", Text, comment="Why it is not in the article, e.g. HTTP 500, repeats part 1; NULL = it is"),
    one_of("kind", PIECE_KINDS),
    comment="A further capture an article was put together from; its versions and views name the capture of its first page",
    sqlite_with_rowid=False,
)

requisite = Table(
    "requisite",
    metadata,
    Column(
        "url", Text, primary_key=True, comment="Its URL, as pages give it; link.url of an article's pictures and attachments"
    ),
    Column("crawl_id", ForeignKey("crawl.id"), primary_key=True, comment="The crawl that came to it"),
    Column("kind", String(16), nullable=False, comment="image, style, script or attachment"),
    Column("capture_id", ForeignKey("capture.id"), index=True, comment="The capture of it; NULL = nothing was received"),
    one_of("kind", REQUISITE_KINDS),
    comment="A file pages need to be shown, or offer: once a crawl; how it ended is in outcome, under the capture",
    sqlite_with_rowid=False,
)

view_observation = Table(
    "view_observation",
    metadata,
    Column("article_key", ForeignKey("article.key"), primary_key=True, comment="The article"),
    Column(
        "capture_id",
        ForeignKey("capture.id"),
        primary_key=True,
        index=True,
        comment="The capture of the article; article_part names that of the counter, where a script writes the number",
    ),
    Column("observed_at", UtcTime, nullable=False, comment="When (UTC)"),
    Column("views", BigInteger, nullable=False, comment="Views as the page prints them"),
    comment="The view counter of an article at one time; never makes a version",
    sqlite_with_rowid=False,
)

listing_sighting = Table(
    "listing_sighting",
    metadata,
    Column("capture_id", ForeignKey("capture.id"), primary_key=True, comment="The capture of the listing page"),
    Column("position", Integer, primary_key=True, comment="Place on the page in reading order, from 1"),
    Column("article_id", BigInteger, nullable=False, index=True, comment="The portal's article number"),
    Column("url", Text, nullable=False, comment="URL the entry links to"),
    Column("title", Text, nullable=False, comment="Title as printed in the list, often cut"),
    Column("date_text", Text, comment="Date in the list's own words"),
    Column("date", Date, comment="That date"),
    Column("category_id", ForeignKey("category.id"), comment="Category of the listing; NULL = none shown"),
    comment="An entry of a listing page, seen at one time",
    sqlite_with_rowid=False,
)

listing_walk = Table(
    "listing_walk",
    metadata,
    Column("portal", ForeignKey("portal.name"), primary_key=True, comment="The portal"),
    Column("listing", Text, primary_key=True, comment="The listing: the URL of its pages without the page number"),
    Column("crawl_id", ForeignKey("crawl.id"), nullable=False, comment="The crawl that walked it last to an end"),
    Column("began_at", UtcTime, nullable=False, comment="When that walk read its first page (UTC)"),
    Column("ended_at", UtcTime, nullable=False, comment="When it came to the end (UTC): what was sighted until then is known"),
    Column("pages", Integer, nullable=False, comment="Pages it read"),
    Column("ending", String(16), nullable=False, comment="last page, or known: a page of nothing but known entries"),
    one_of("ending", WALK_ENDS),
    comment="How far each listing is known without a hole; what a later, unfinished walk saw is not counted",
    info={"operational": True},
    sqlite_with_rowid=False,
)

plan = Table(
    "plan",
    metadata,
    Column("crawl_id", ForeignKey("crawl.id"), primary_key=True, comment="The crawl"),
    Column("part", String(16), primary_key=True, comment="What the requests are for: listings, new, owed, gaps or rechecks"),
    Column("made_at", UtcTime, nullable=False, comment="When it was made (UTC)"),
    Column("planned", Integer, comment="Requests planned; NULL = nobody could tell"),
    Column("expected", Float, comment="What they were expected to bring, in the unit of `brought`; NULL = no experience yet"),
    Column("done", Integer, comment="Requests made; NULL = the crawl has not ended"),
    Column(
        "brought",
        Integer,
        comment="Articles; listings: numbers not seen before; rechecks: changes and removals; NULL = the crawl has not ended",
    ),
    Column(
        "skipped",
        _json(),
        nullable=False,
        comment="Reason -> how many requests were not made for it, or made in vain (JSON object)",
    ),
    one_of("part", PLAN_PARTS),
    comment="What a crawl was to ask for, and what became of it",
    info={"operational": True},
    sqlite_with_rowid=False,
)

job_standing = Table(
    "job_standing",
    metadata,
    Column("job", String(32), primary_key=True, comment="Name of the job in the collection file"),
    Column("portal", String(64), primary_key=True, comment="The portal it is run for; empty for a job of the whole archive"),
    Column("settled_at", UtcTime, nullable=False, comment="Times it was due up to this one are done with (UTC)"),
    comment="How far each job of the schedule is done with",
    info={"operational": True},
    sqlite_with_rowid=False,
)

job_run = Table(
    "job_run",
    metadata,
    Column("id", Integer, primary_key=True, comment="Number of the run, in order of start"),
    Column("job", String(32), nullable=False, comment="Name of the job in the collection file"),
    Column("do", String(16), nullable=False, comment="What it does: walk, full, gaps, recheck, verify, backup, export or wacz"),
    Column("portal", String(64), nullable=False, comment="The portal it is run for; empty for a job of the whole archive"),
    Column("due_at", UtcTime, nullable=False, comment="When it was due (UTC)"),
    Column("resumed", Boolean, nullable=False, comment="Whether it went on with a run that had not come to its end"),
    Column("started_at", UtcTime, nullable=False, comment="When its process was started (UTC)"),
    Column("finished_at", UtcTime, comment="When it ended (UTC); NULL while it is at work"),
    Column(
        "status",
        String(16),
        nullable=False,
        comment="running, done, stopped (by the portal), interrupted, killed, failed or storage (out of space, storage error)",
    ),
    Column("goes_on", String(8), comment="now: it is gone on with as soon as it may; due: when it is due again; NULL = not"),
    Column("exit_code", Integer, comment="Exit code, see docs/operations.md; negative = the signal that killed it"),
    Column("reason", Text, comment="Why it ended so, in a sentence"),
    Column("pid", Integer, comment="Process ID"),
    Column("argv", _json(), nullable=False, comment="Command line (JSON list)"),
    Column("log", Text, comment="Its log file, from the archive's folder"),
    one_of("status", JOB_STATUS),
    Index(None, "job", "portal"),
    comment="One run of a job of the schedule; what a crawl did is in run and crawl",
    info={"operational": True},
)

job_news = Table(
    "job_news",
    metadata,
    Column("job", String(32), primary_key=True, comment="Name of the job in the collection file"),
    Column("portal", String(64), primary_key=True, comment="The portal it is run for; empty for a job of the whole archive"),
    Column("verdict", String(16), nullable=False, comment="The verdict somebody was told last"),
    Column("told_at", UtcTime, nullable=False, comment="When (UTC)"),
    comment="What was told last of each job, by mail or webhook: a change is against this",
    info={"operational": True},
    sqlite_with_rowid=False,
)

report = Table(
    "report",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True, autoincrement=False, comment="The run of a crawl it is about"),
    Column("portal", ForeignKey("portal.name"), nullable=False, comment="The portal crawled"),
    Column("job", String(64), nullable=False, comment="Name of the spider"),
    Column("made_at", UtcTime, nullable=False, comment="When it was made (UTC)"),
    Column("verdict", String(16), nullable=False, comment="well, attention, broken, or early: too little history to judge"),
    Column("facts", _json(), nullable=False, comment="What the run did (JSON object, see docs/reports.md)"),
    Column("findings", _json(), nullable=False, comment="What is odd about it against its history (JSON list)"),
    one_of("verdict", VERDICTS),
    Index(None, "portal", "job"),
    comment="The report of a run: its facts, which are the history the next runs are judged by, and its verdict",
    info={"operational": True},
)

suppression = Table(
    "suppression",
    metadata,
    Column("id", Integer, primary_key=True, comment="Number of the suppression, in order"),
    Column("portal", ForeignKey("portal.name"), nullable=False, comment="The portal"),
    Column("article_id", BigInteger, nullable=False, comment="The portal's article number"),
    Column("reason", Text, nullable=False, comment="Why it is hidden"),
    Column("asked_by", Text, comment="Who asked for it; NULL = not noted"),
    Column("suppressed_at", UtcTime, nullable=False, comment="When it was hidden (UTC)"),
    Column("suppressed_by", Text, nullable=False, comment="Account of the archivist who hid it"),
    Column("lifted_at", UtcTime, comment="When it was shown again (UTC); NULL = it is hidden"),
    Column("lifted_by", Text, comment="Account of the archivist who lifted it"),
    Column("lift_reason", Text, comment="Why it was lifted"),
    Index(None, "portal", "article_id"),
    comment="An article hidden from search, questions, exports and the reading room; its WARC records and rows stay",
    info={"operational": True},
)

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("value", BigInteger, primary_key=True, comment="A hash of some characters of the text"),
    Column("article_key", ForeignKey("article.key"), primary_key=True, comment="The article"),
    comment="The least hashes of the shingles of each article's latest version: where near-duplicates are looked for",
    info={"index": True},
    sqlite_with_rowid=False,
)

near_duplicate = Table(
    "near_duplicate",
    metadata,
    Column("article_key", ForeignKey("article.key"), primary_key=True, comment="The article that was captured first"),
    Column("other_key", ForeignKey("article.key"), primary_key=True, index=True, comment="The other article"),
    Column("similarity", Float, nullable=False, comment="Shingles of both texts, as a share of those of either; 1 = the same"),
    comment="Two articles whose latest versions tell the same story",
    sqlite_with_rowid=False,
)

# Not derived from the WARC files: kept by a rebuild into the same archive, outside the canonical dump.
OPERATIONAL = (*(table.name for table in metadata.sorted_tables if table.info.get("operational")), "alembic_version")
# Made from other tables, like an index: neither kept by a rebuild nor dumped.
INDEXES = tuple(table.name for table in metadata.sorted_tables if table.info.get("index"))
