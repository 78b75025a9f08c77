"""From WARC records back to what the crawl told its database: the events of a file, in order, and their effect on a store.

What the crawl decided is in its records (docs/warc.md, "What a rebuild reads"); what an answer is and what its page says is
read anew. Recovery plays the end of a killed run into the database that missed it, a rebuild every file into an empty one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from . import foreign
from .captures import ANSWERS, Reading, Source, Wanted, captured, page_outcome
from .db.statements import FINAL
from .db.store import Store
from .errors import UsageError
from .extract.assemble import NOT_CAPTURED, Assemblies, Assembly, failure
from .extract.digests import article_digest, page_digest
from .extract.urls import asked_number, identity, resource
from .items import Capture, Outcome, OutcomeKind, PieceOf, Requisite, RequisiteKind
from .pages import normalize_dates
from .portals import Portal, load_portal, make_portal
from .warc.reader import Record, WarcError, iter_records

# Reads an answer: where it lies, the crawl and portal it is of, how much is wanted.
Look = Callable[[Source, str, Portal, Wanted], Reading]
CRAWL_END = "metadata://wuhu_crawler/crawl/"
# Says that a file of others was taken in; the file's name follows.
IMPORTED = "metadata://wuhu_crawler/import/"
# Outcomes that say less of the page than of our program: a better one is asked again.
_OURS = ("bug (", "invalid (")
_SOFTWARE = "wuhu_crawler/"
logger = logging.getLogger(__name__)


class ForeignFileError(Exception):
    """A WARC file this program did not write; the message says so."""


class Run(NamedTuple):
    """What the head of a WARC file says of the run that wrote it. `complete` tells whether it notes every page it read."""

    id: str
    crawl_id: str
    portal: Portal
    job: str
    settings: dict[str, Any]
    started_at: datetime
    serial: int
    complete: bool


class Began(NamedTuple):
    """A file begins."""

    run: Run
    end: int


class Answered(NamedTuple):
    """An answer was captured."""

    record_id: str
    source: Source
    refers_to: str | None
    end: int


class PageRead(NamedTuple):
    """The crawl read a page from an answer; `url` is the one its outcome stands under."""

    record_id: str
    url: str
    end: int
    piece_of: PieceOf | None = None


class UrlEnded(NamedTuple):
    """The crawl noted how a URL ended; `record_id` is the answer it ended by, None when there was none."""

    record_id: str | None
    outcome: Outcome
    end: int

    @property
    def is_ours(self) -> bool:
        """Whether it says less of the page than of our program: a better one may read the page."""
        return (self.outcome.reason or "").startswith(_OURS)


class Imported(NamedTuple):
    """A WARC file of others was taken in; what follows up to the same `end` is from it."""

    warc_file: str
    software: str
    end: int


class CrawlEnded(NamedTuple):
    """The crawl came to its end in order."""

    status: str
    finished_at: datetime | None
    end: int


class Passed(NamedTuple):
    """A record that says nothing to the database."""

    end: int


Event = Began | Answered | PageRead | UrlEnded | Imported | CrawlEnded | Passed


def run_of(record: Record, profiles: Mapping[str, Portal] | None = None) -> Run:
    """Return the run whose file begins with this record; `profiles` take the place of the recorded ones of the same name.

    Raises ForeignFileError, and UsageError for a file from before profiles were recorded whose portal is not known.
    """
    told = dict(record.fields) if record.type == "warcinfo" else {}
    crawl, filename = told.get("isPartOf"), record.headers.get("warc-filename", "")
    if not crawl or not told.get("software", "").startswith(_SOFTWARE):
        raise ForeignFileError("not written by this program")
    job, _, rest = told.get("description", "").partition(" of ")
    name = rest.rpartition("(")[2].rstrip(")")
    settings = told.get("wuhu-settings")
    return Run(
        id=told.get("wuhu-run", filename),
        crawl_id=crawl,
        portal=(profiles or {}).get(name) or _portal(told.get("wuhu-portal"), name),
        job=job,
        settings=json.loads(settings) if settings else _settings(told),
        started_at=datetime.fromisoformat(told["wuhu-started"]) if "wuhu-started" in told else record.date,
        serial=_serial(filename, crawl),
        complete="wuhu-run" in told,
    )


def head_of(path: Path, profiles: Mapping[str, Portal] | None = None) -> Run:
    """Return the run that wrote a file. Raises WarcError when its first record is not whole, and what `run_of` raises."""
    for record in iter_records(path):
        return run_of(record, profiles)
    raise ForeignFileError("empty")


def profile_json(portal: Portal) -> str:
    """Return a profile as it stands in a WARC file: JSON of the keys that are set."""
    keys = {name: getattr(portal, name) for name in Portal.__dataclass_fields__}
    return json.dumps({name: value for name, value in keys.items() if value not in (None, (), {})}, ensure_ascii=False)


def events(path: Path, name: str, offset: int = 0, profiles: Mapping[str, Portal] | None = None) -> Iterator[Event]:
    """Yield what the records from `offset` on say, in order, each with the offset behind it.

    Raises WarcError at the first that is not whole, once all before it has been yielded.
    """
    run: Run | None = None
    for record, request in _exchanges(path, offset):
        end = record.offset + record.length
        if record.type in ANSWERS:
            yield _answered(record, name, request)
        elif record.type == "metadata" and (record.url or "").startswith(IMPORTED):
            run = run or head_of(path, profiles)
            yield from _imported(record, path.parent, run.portal)
            yield Passed(end)
        elif record.type == "metadata":
            yield _noted(record, end)
        elif record.type == "warcinfo":
            yield Began(run_of(record, profiles), end)
        else:
            yield Passed(end)


class Replay:
    """Plays events into a store. `commit` what was played now and then; `end_run` when a run's last event was."""

    def __init__(self, store: Store, look: Look) -> None:
        self.run: Run | None = None
        self.captures = 0
        self.pages = 0
        self.adopted = 0
        self._store = store
        self._look = look
        self._next = store.last_capture_id() + 1
        self._ended = False
        # Pages read before the event came that says the crawl read them.
        self._readings: dict[str, Reading] = {}
        # How far each file was played since the last commit.
        self._ends: dict[str, int] = {}
        self._position: tuple[str, int] | None = None
        # The articles of the crawl being put together, and the first pages of those that are.
        self._assemblies: Assemblies | None = None
        self._whole: set[int] = set()
        # The files of the run, and the articles of earlier runs it has come to again.
        self._files: set[str] = set()
        self._renewed: set[int] = set()
        self._crawl_id = ""

    def play(self, name: str, event: Event, reading: Reading | None = None) -> None:
        """Let the store know what the event says; `reading` is the answer of an Answered, if it was read before."""
        match event:
            case Began():
                self._begin(event.run)
            case Answered():
                self._answered(event, reading)
            case PageRead():
                self._page_read(event)
            case UrlEnded():
                self._url_ended(event)
            case Imported():
                self.commit()
                self._files.add(event.warc_file)
                self._store.adopt(event.warc_file, self._running().crawl_id, event.software)
            case CrawlEnded():
                self._crawl_ended(event)
            case Passed():
                pass
        self._files.add(name)
        self._position = (name, event.end)
        self._ends[name] = event.end

    def commit(self) -> None:
        """Commit what was played."""
        if self._position is not None:
            self._store.commit(self._position, self._ends)
            self._ends = {}

    def enter(self, run: Run, name: str, offset: int) -> None:
        """Go on inside a file of the run that was played up to `offset` before."""
        self._begin(run)
        self._files.add(name)
        self._position = (name, offset)

    def end_run(self, files: list[str]) -> None:
        """Come to what the run had captured and not come to when it was killed; `files` are all of the run's, by name."""
        run, self._readings = self.run, {}
        self.commit()
        if run is None or self._ended:
            self.run = None
            return
        spelled: dict[str, tuple[str, int | None]] = {}
        for url, final in self._store.outcomes_of(run.crawl_id):
            if final is not None or resource(url, run.portal) not in spelled:
                spelled[resource(url, run.portal)] = (url, final)
        for capture in self._store.unread(run.crawl_id, files) if run.complete else ():
            url, final = spelled.get(resource(capture.url, run.portal), (capture.url, None))
            if final is None or final < capture.id:
                self._adopt(capture, url)
        self.commit()
        self._store.end_crawl(run.crawl_id, None, "interrupted")
        self.run = None

    def _begin(self, run: Run) -> None:
        if self.run is not None and self.run.id == run.id:
            return
        self.commit()
        self._store.register_portal(run.portal)
        self._store.begin_crawl(run.crawl_id, run.portal.name, run.job, run.settings, run.started_at)
        self.run, self._ended = run, False
        self._files, self._renewed = set(), set()
        if self._assemblies is None or run.crawl_id != self._crawl_id:
            self._assemblies, self._crawl_id = Assemblies(run.portal), run.crawl_id
            self._whole.clear()

    def _answered(self, event: Answered, reading: Reading | None) -> None:
        run = self._running()
        if event.source.foreign and self._store.capture_of_record(event.record_id) is not None:
            return  # taken in before, by an import that was killed or from another copy of the file
        if reading is None:
            wanted: Wanted = "capture" if run.complete else "verdict"
            reading = self._look(self.sourced(event), run.crawl_id, run.portal, wanted)
        capture = reading.capture
        capture.id, self._next = self._next, self._next + 1
        self._store.add_capture(capture)
        self.captures += 1
        if not run.complete:
            self._settle(capture, reading, capture.url)
        elif reading.item is not None or reading.outcome is not None:
            self._readings[event.record_id] = reading

    def sourced(self, event: Answered) -> Source:
        """Return where the event's answer lies; a revisit with the place of its payload, if that is known by now."""
        origin = self._store.capture_of_record(event.refers_to) if event.refers_to else None
        return event.source if origin is None else event.source._replace(origin=(origin.warc_file, origin.offset))

    def _page_read(self, event: PageRead) -> None:
        capture = self._store.capture_of_record(event.record_id)
        if capture is None or capture.crawl_id != self._running().crawl_id:
            return
        if event.piece_of is not None:
            self._piece(event.piece_of, capture, event.url)
        else:
            reading = self._readings.pop(event.record_id, None) or self._look_again(capture, "page")
            self._settle(capture, reading, event.url)

    def _url_ended(self, event: UrlEnded) -> None:
        run, outcome = self._running(), event.outcome
        capture = self._store.capture_of_record(event.record_id) if event.record_id else None
        if capture is not None and capture.crawl_id != run.crawl_id:
            return
        if outcome.piece_of is not None and capture is not None and outcome.outcome in FINAL:
            self._piece(outcome.piece_of, capture, outcome.url)
            return
        if capture is not None:
            outcome = replace(outcome, capture_id=capture.id)
            if event.is_ours:
                reading = self._readings.pop(capture.record_id, None) or self._look_again(capture, "verdict")
                if reading.item is not None:
                    self._settle(capture, reading, outcome.url)
                    return
        self._store.add_outcome(run.crawl_id, outcome, asked_number(outcome.url, run.portal))
        if outcome.piece_of is not None:
            self._piece_failed(outcome.piece_of, outcome, capture)

    def _piece(self, of: PieceOf, capture: Capture, url: str) -> None:
        """Feed the article with a piece that was captured; what its page is by itself is stored, too."""
        reading = self._readings.pop(capture.record_id, None)
        if reading is None or reading.page is None:
            reading = self._look_again(capture, "piece")
        assembly = self._assembly(of)
        if reading.page is None or assembly is None:
            self._settle(capture, replace(reading, item=None, outcome=captured(capture)), url)
            return
        reading.page.item.capture_id = capture.id
        item = assembly.take(of.url, reading.page, capture.id)
        outcome = captured(capture) if item is None else page_outcome(item, capture)
        self._settle(capture, replace(reading, item=item, outcome=outcome, page=None), url)
        self._put_together(assembly)

    def _piece_failed(self, of: PieceOf, outcome: Outcome, capture: Capture | None) -> None:
        assembly = self._assembly(of)
        if assembly is not None:
            assembly.fail(of.url, failure(outcome, capture), None if capture is None else capture.id)
            self._put_together(assembly)

    def _assembly(self, of: PieceOf) -> Assembly | None:
        """Return the article a piece is of, None when nothing is wanting of it, or when our rules see no such piece in it."""
        first, assemblies = self._store.capture_of_record(of.record_id), self._assemblies
        if first is None or assemblies is None or first.id in self._whole:
            return None
        assembly = assemblies.get(first.id)
        if assembly is None:
            assembly = self._begun_before(first)
        elif self._is_late(first) and first.id not in self._renewed:
            # A resumed crawl comes to all of its pieces anew.
            assembly = assemblies.begin(assembly.page, url=first.url, capture_id=first.id)
        self._renewed.add(first.id)
        return assembly if assembly is not None and identity(of.url) in assembly.keys else None

    def _begun_before(self, first: Capture) -> Assembly | None:
        """Take up an article again that the database knows to be unfinished."""
        pieces = self._store.parts_of(first.id)
        if not any(piece.reason for piece in pieces):
            return None
        assembly = self._begin_assembly(first, self._look_again(first, "page"))
        for piece in () if self._is_late(first) else pieces:
            held = self._store.capture(piece.capture_id) if piece.capture_id is not None else None
            page = self._look_again(held, "piece").page if held is not None and not held.truncated else None
            if assembly is None or identity(piece.url) not in assembly.keys:
                continue
            if page is not None:
                assembly.take(piece.url, page, piece.capture_id)
            elif piece.reason is not None and piece.reason != NOT_CAPTURED:
                assembly.fail(piece.url, piece.reason, piece.capture_id)
        return assembly

    def _is_late(self, first: Capture) -> bool:
        """Tell whether an article's first page was captured by an earlier run."""
        return first.warc_file not in self._files

    def _begin_assembly(self, capture: Capture, reading: Reading) -> Assembly | None:
        if reading.page is None or self._assemblies is None:
            return None
        reading.page.item.capture_id = capture.id
        return self._assemblies.begin(reading.page, url=capture.url, capture_id=capture.id)

    def _put_together(self, assembly: Assembly) -> None:
        """Let the store know an article as far as it is there."""
        state, run = assembly.assembled(), self._running()
        article = state.article
        first = self._store.capture(article.capture_id or 0)
        if first is None or (self._is_late(first) and not state.ended):
            return
        article.captured_at, article.portal = first.captured_at, run.portal.name
        normalize_dates(article, run.portal, first.captured_at)
        digest = article_digest(article) if state.complete and state.ended and not first.truncated else None
        self._store.add_page(
            article,
            article_digest=digest,
            page_digest=page_digest(article),
            pieces=state.pieces,
            ended=state.ended,
            late=run.job == "import",
        )
        if assembly.whole and self._assemblies is not None:
            self._assemblies.end(assembly)
            self._whole.add(first.id)

    def _crawl_ended(self, event: CrawlEnded) -> None:
        run = self._running()
        self.commit()
        self._store.end_crawl(run.crawl_id, event.finished_at, event.status)
        self._ended = True

    def _adopt(self, capture: Capture, url: str) -> None:
        reading = self._look_again(capture, "verdict")
        self._settle(capture, reading, url)
        self.adopted += reading.outcome is not None

    def _settle(self, capture: Capture, reading: Reading, url: str) -> None:
        item = reading.item
        assembly = self._begin_assembly(capture, reading)
        if assembly is not None:
            self._put_together(assembly)
            self.pages += 1
        elif item is not None:
            item.capture_id, item.captured_at, item.portal = capture.id, capture.captured_at, self._running().portal.name
            late = self._running().job == "import"
            self._store.add_page(item, article_digest=reading.article_digest, page_digest=reading.page_digest, late=late)
            self.pages += 1
        if reading.outcome is not None:
            outcome = replace(reading.outcome, url=url, capture_id=capture.id)
            self._store.add_outcome(self._running().crawl_id, outcome, asked_number(url, self._running().portal))

    def _look_again(self, capture: Capture, wanted: Wanted) -> Reading:
        run = self._running()
        origin = self._store.capture_of_record(capture.refers_to) if capture.refers_to else None
        place = None if origin is None else (origin.warc_file, origin.offset)
        return self._look(Source(capture.warc_file, capture.offset, capture.method, place), run.crawl_id, run.portal, wanted)

    def _running(self) -> Run:
        if self.run is None:
            raise ForeignFileError("it does not begin with a warcinfo record")
        return self.run


def files_of(folder: Path) -> list[str]:
    """Return the final names of the WARC files in a folder, those still open among them."""
    if not folder.is_dir():
        return []
    return sorted(
        {path.name.removesuffix(".open") for path in folder.iterdir() if path.name.endswith((".warc.gz", ".warc.gz.open"))}
    )


def in_order(names: list[str], heads: Mapping[str, Run]) -> list[str]:
    """Return the files in the order they were written in."""
    return sorted((name for name in names if name in heads), key=lambda name: (heads[name].serial, name))


def _exchanges(path: Path, offset: int) -> Iterator[tuple[Record, Record | None]]:
    """Yield each record, an answer together with the request behind it."""
    answer: Record | None = None
    records = iter_records(path, offset)
    try:
        for record in records:
            if answer is not None:
                asked = record if record.type == "request" else None
                yield answer, asked
                answer = None
                if asked is not None:
                    continue
            if record.type in ANSWERS:
                answer = record._replace(block=b"")
            else:
                yield record, None
    except WarcError:
        if answer is not None:
            yield answer, None
        raise
    if answer is not None:
        yield answer, None


def _answered(answer: Record, name: str, request: Record | None) -> Answered:
    method = "GET" if request is None else request.block.split(b" ", 1)[0].decode("latin-1") or "GET"
    last = answer if request is None else request
    source = Source(name, answer.offset, method)
    return Answered(answer.record_id, source, answer.headers.get("warc-refers-to"), last.offset + last.length)


def _noted(record: Record, end: int) -> Event:
    url, about = record.url or "", record.headers.get("warc-concurrent-to")
    # Seldom; and a hundred outlinks need not be read for it.
    if about is not None and b"outcome-url:" not in record.block and b"piece-of:" not in record.block:
        return PageRead(about, url, end)
    told = dict(record.fields)
    piece_of = PieceOf(told["piece-of"], told.get("piece-url", url)) if "piece-of" in told else None
    if about is not None:
        return PageRead(about, told.get("outcome-url", url), end, piece_of)
    if "outcome" in told:
        until = told.get("until")
        outcome = Outcome(
            url=url,
            outcome=cast("OutcomeKind", told["outcome"]),
            reason=told.get("reason"),
            at=record.date,
            until=datetime.fromisoformat(until) if until else None,
            via=told.get("via"),
            piece_of=piece_of,
            requisite=_requisite(told, url),
        )
        return UrlEnded(record.headers.get("warc-refers-to"), outcome, end)
    if url.startswith(CRAWL_END) and "status" in told:
        finished = told.get("finished")
        return CrawlEnded(told["status"], datetime.fromisoformat(finished) if finished else None, end)
    return Passed(end)


def _requisite(told: Mapping[str, str], url: str) -> Requisite | None:
    kind = cast("RequisiteKind | None", told.get("requisite"))
    return None if kind is None else Requisite(kind, told.get("requisite-url", url))


def _imported(record: Record, folder: Path, portal: Portal) -> Iterator[Event]:
    """Yield what a file of others says. All end where the record that names it begins: it is taken in whole or again."""
    told = dict(record.fields)
    name, at = told["file"], record.offset
    yield Imported(name, told.get("software", "unknown"), at)
    for answer in foreign.answers(folder / name, name, portal):
        yield Answered(answer.record_id, answer.source, answer.refers_to, at)
        if answer.outcome is None:
            yield PageRead(answer.record_id, answer.url, at)
        else:
            yield UrlEnded(answer.record_id, answer.outcome, at)


def _portal(recorded: str | None, name: str) -> Portal:
    if recorded is not None:
        return make_portal(json.loads(recorded), where="the profile in the WARC file")
    try:
        return load_portal(name)
    except UsageError as error:
        raise UsageError(
            f"a WARC file is of portal {name!r}, whose profile it does not hold: give it with --portal FILE"
        ) from error


def _settings(told: Mapping[str, str]) -> dict[str, Any]:
    found = {name.removeprefix("setting-").upper(): value for name, value in told.items() if name.startswith("setting-")}
    return {"USER_AGENT": told.get("http-header-user-agent", ""), **found}


def _serial(filename: str, crawl: str) -> int:
    tail = filename.partition(f"-{crawl}-")[2].partition("-")[0]
    return int(tail) if tail.isdecimal() else 0
