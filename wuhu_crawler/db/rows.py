"""From items to rows: pure functions, one a table. Keys and decisions come from `store`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ..items import Article, Capture, Credit, Evidence, Link, Listing, Outcome, Piece, Section

Row = dict[str, Any]

# The largest number both databases can hold; a portal's page may print anything.
LARGEST = 2**63 - 1


def number(value: int | None) -> int | None:
    """Return the number, None when no database could hold it."""
    return value if value is not None and -LARGEST <= value <= LARGEST else None


def capture_row(capture: Capture) -> Row:
    """Return the row of a capture whose page is not known yet."""
    return {
        "id": capture.id,
        "crawl_id": capture.crawl_id,
        "run_id": capture.run_id or None,
        "url": capture.url,
        "method": capture.method,
        "status": capture.status,
        "captured_at": capture.captured_at,
        "record_id": capture.record_id,
        "record_type": capture.record_type,
        "refers_to": capture.refers_to,
        "warc_file": capture.warc_file,
        "warc_offset": capture.offset,
        "warc_length": capture.length,
        "payload_digest": capture.payload_digest,
        "block_digest": capture.block_digest,
        "payload_length": capture.payload_length,
        "content_type": capture.content_type,
        "ip": capture.ip,
        "truncated": capture.truncated,
        "flags": capture.flags,
        "via": capture.via,
        "page_kind": None,
        "page_digest": None,
        "article_id": None,
    }


def capture_item(row: Row) -> Capture:
    """Return the capture a row was made from."""
    names = (
        "id crawl_id url method status captured_at record_id record_type refers_to warc_file payload_digest block_digest "
        "payload_length content_type ip truncated flags via"
    )
    same = {name: row[name] for name in names.split()}
    return Capture(run_id=row["run_id"] or 0, offset=row["warc_offset"], length=row["warc_length"], **same)


def outcome_row(crawl_id: str, outcome: Outcome, at: datetime, article_id: int | None) -> Row:
    """Return the row of an outcome settled at `at`."""
    return {
        "crawl_id": crawl_id,
        "url": outcome.url,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "capture_id": outcome.capture_id,
        "at": at,
        "until": outcome.until,
        "via": outcome.via,
        "article_id": article_id,
    }


def version_row(item: Article, *, article_digest: str, page_digest: str | None) -> Row:
    """Return a version's plain fields; its id, article, number and category are the store's to add."""
    return {
        "capture_id": item.capture_id,
        "url": item.url,
        "title": item.title,
        "breadcrumb": item.breadcrumb,
        "published_text": item.published_text,
        "published_at": item.published_at,
        "published_precision": item.published_precision,
        "source_date_text": item.source_date_text,
        "source_date": item.source_date,
        "outlets": item.outlets,
        "reporters": item.reporters,
        "body": "\n".join(item.paragraphs),
        "byline": "\n".join(dict.fromkeys(credit.text for credit in item.credits)) or None,
        "headings": item.headings,
        "article_digest": article_digest,
        "page_digest": page_digest,
        "encoding": item.encoding,
        "decode_losses": item.decode_losses,
        "evidence": {field: {"rule": found.rule, "text": found.text} for field, found in item.evidence.items()},
    }


def section_rows(version_id: int, sections: Sequence[Section]) -> Iterator[Row]:
    """Yield the tree in reading order, parents before their children."""
    todo: list[tuple[int | None, Section]] = [(None, section) for section in reversed(sections)]
    position = 0
    while todo:
        parent, section = todo.pop()
        position += 1
        todo += [(position, child) for child in reversed(section.sections)]
        yield {
            "version_id": version_id,
            "position": position,
            "parent": parent,
            "level": section.level,
            "number": section.number,
            "heading": section.heading,
            "paragraphs": section.paragraphs,
        }


def section_tree(rows: Sequence[Row]) -> list[Section]:
    """Return the tree that `section_rows` made rows of; rows in order of position."""
    top: list[Section] = []
    found: dict[int, Section] = {}
    for row in rows:
        section = Section(level=row["level"], number=row["number"], heading=row["heading"], paragraphs=row["paragraphs"])
        found[row["position"]] = section
        (top if row["parent"] is None else found[row["parent"]].sections).append(section)
    return top


def credit_rows(version_id: int, credits: Sequence[Credit]) -> Iterator[Row]:
    """Yield the credits in order."""
    for position, credit in enumerate(credits, 1):
        yield {
            "version_id": version_id,
            "position": position,
            "role": credit.role,
            "name": credit.name,
            "outlet": credit.outlet,
            "text": credit.text,
        }


def link_rows(version_id: int, item: Article) -> Iterator[Row]:
    """Yield images, attachments and links, each kind counted from 1."""
    kinds: tuple[tuple[str, list[Link]], ...] = (("image", item.images), ("attachment", item.attachments), ("link", item.links))
    for kind, links in kinds:
        for position, link in enumerate(links, 1):
            yield {"version_id": version_id, "kind": kind, "position": position, "url": link.url, "text": link.text}


def piece_rows(capture_id: int, pieces: Sequence[Piece]) -> Iterator[Row]:
    """Yield the pieces of the article whose first page is that capture."""
    for piece in pieces:
        yield {
            "capture_id": capture_id,
            "kind": piece.kind,
            "number": piece.number,
            "url": piece.url,
            "part_capture_id": piece.capture_id,
            "reason": piece.reason,
        }


def sighting_rows(item: Listing, category_id: int | None) -> Iterator[Row]:
    """Yield the entries of a listing in reading order."""
    for position, entry in enumerate(item.entries, 1):
        if number(entry.article_id) is not None:
            yield {
                "capture_id": item.capture_id,
                "position": position,
                "article_id": entry.article_id,
                "url": entry.url,
                "title": entry.title,
                "date_text": entry.date_text,
                "date": entry.date,
                "category_id": category_id,
            }


def article_item(version: Row, *, sections: list[Row], credits: list[Row], links: list[Row], views: int | None) -> Article:
    """Return the article a version's rows were made from. `version` also holds portal, article_id, category and captured_at."""
    names = (
        "portal article_id url capture_id captured_at title breadcrumb category published_text published_at "
        "published_precision source_date_text source_date outlets reporters headings encoding decode_losses"
    )

    def of_kind(kind: str) -> list[Link]:
        return [Link(url=row["url"], text=row["text"]) for row in links if row["kind"] == kind]

    return Article(
        **{name: version[name] for name in names.split()},
        views=views,
        paragraphs=version["body"].split("\n") if version["body"] else [],
        sections=section_tree(sections),
        credits=[Credit(role=row["role"], name=row["name"], outlet=row["outlet"], text=row["text"]) for row in credits],
        images=of_kind("image"),
        attachments=of_kind("attachment"),
        links=of_kind("link"),
        evidence={field: Evidence(**found) for field, found in version["evidence"].items()},
    )
