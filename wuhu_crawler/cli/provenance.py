"""`wuhu cat` and `wuhu show --provenance`: from a row of the database to the bytes it came from."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..db import queries
from ..errors import StorageError, UsageError
from ..paths import ArchivePaths
from ..warc.codings import body_of
from ..warc.reader import Record, WarcError, read_bytes, read_record
from ..warc.records import Exchange
from .opened import reading
from .output import print_json

# No page of the family comes near it; a bomb does.
_LIMIT = 1 << 28


@click.command()
@click.argument("capture", type=click.IntRange(1, (1 << 63) - 1))
@click.option("--body", "only_body", is_flag=True, help="Print the body alone, transfer and content coding undone.")
@click.option("--record", "whole_record", is_flag=True, help="Print the WARC record with its header, as `dd | gunzip` does.")
def cat(capture: int, only_body: bool, whole_record: bool) -> None:
    """Print the exact bytes recorded for a capture (its number: `wuhu show ID --provenance`).

    Without an option: what came over the connection, head and body. The body of a revisit is fetched from the record it refers
    to. Nothing is changed or converted; a page of the family is GBK:

    \b
      wuhu cat 42 --body | iconv -f gb18030 -t utf-8
    """
    if only_body and whole_record:
        raise UsageError("--body and --record exclude each other: choose one")
    with reading() as connection:
        row = queries.capture_record(connection, capture)
    if row is None:
        raise UsageError(f"there is no capture {capture}; `wuhu show ID --provenance` names those of an article")
    sys.stdout.buffer.write(_record(row) if whole_record else _body(row) if only_body else _message(row))
    sys.stdout.buffer.flush()


def print_provenance(versions: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print what `queries.provenance` found, with the command that reads each record by hand."""
    for version in versions:
        version["path"] = str(_path(version))
        version["by_hand"] = by_hand(_path(version), version["offset"], version["length"])
    if as_json:
        print_json(versions, indent=2)
        return
    for version in versions:
        click.secho(f"version {version['number']}: {version['title'] or '(no title)'}", bold=True)
        for name, value in _facts(version):
            click.echo(f"  {name + ':':<16}{value}")
        click.echo(f"  {version['by_hand']}\n")


def by_hand(path: Path, offset: int, length: int) -> str:
    """Return the shell command that prints a record with no WARC tool at all."""
    skip = f"dd if={shlex.quote(str(path))} iflag=skip_bytes,count_bytes skip={offset} count={length} status=none"
    return skip if path.name.removesuffix(".open").endswith(".warc") else f"{skip} | gunzip"


def _facts(version: dict[str, Any]) -> list[tuple[str, Any]]:
    facts = [
        ("captured", f"{version['captured_at']} (capture {version['capture_id']} of crawl {version['crawl_id']})"),
        ("url", version["url"]),
        ("record", f"{version['record_id']} ({version['record_type']})"),
        ("file", version["path"]),
        ("offset, length", f"{version['offset']}, {version['length']}"),
        ("payload digest", version["payload_digest"] or "none"),
        ("block digest", version["block_digest"]),
        ("article digest", version["article_digest"]),
    ]
    if version["record_type"] == "revisit":
        payload = version["payload"]
        where = f"{payload['record_id']} (capture {payload['capture_id']})" if payload else f"{version['refers_to']}, not here"
        facts.append(("payload in", where))
    return facts


def _path(row: dict[str, Any]) -> Path:
    return ArchivePaths.from_environment().warc_file(row["warc_file"])


def _record(row: dict[str, Any]) -> bytes:
    with _explained(row):
        return read_bytes(_path(row), row["offset"])


def _message(row: dict[str, Any]) -> bytes:
    """What came over the connection: the block, and of a revisit of the same payload the body behind it."""
    record = _parsed(row)
    if record.type == "revisit" and not _not_modified(record):
        return record.block + _origin(row).exchange().body
    return record.block


def _body(row: dict[str, Any]) -> bytes:
    record = _parsed(row)
    if record.type == "revisit":
        origin = _origin(row).exchange()
        # The coding is that of this answer, whose head alone is recorded; a 304 has none.
        exchange = origin if _not_modified(record) else _with_body(record, origin)
    else:
        exchange = record.exchange()
    try:
        return body_of(exchange, _LIMIT)
    except ValueError as error:
        raise StorageError(
            f"the body of capture {row['capture_id']} cannot be decoded ({error}); without --body it is printed as it came"
        ) from error


def _with_body(record: Record, origin: Exchange) -> Exchange:
    return Exchange(record.url or "", b"", record.block + origin.body, record.date, None)


def _not_modified(record: Record) -> bool:
    return record.headers.get("warc-profile", "").endswith("/server-not-modified")


def _origin(row: dict[str, Any]) -> Record:
    if row["payload"] is None:
        raise StorageError(f"capture {row['capture_id']} repeats {row['refers_to']}, which is not in this archive")
    return _parsed(row["payload"])


def _parsed(row: dict[str, Any]) -> Record:
    with _explained(row):
        return read_record(_path(row), row["offset"])


@contextmanager
def _explained(row: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except (WarcError, OSError) as error:
        raise StorageError(f"the record of capture {row['capture_id']} cannot be read: {error}; run `wuhu verify`") from error
