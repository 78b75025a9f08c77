"""The WARC room: bytes in, the same bytes out, and two readers we did not write agree with every digest."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import fastwarc.warc as fastwarc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from wuhu_crawler.warc.reader import WarcError, iter_records, read_record, response_of, unchunk
from wuhu_crawler.warc.records import Exchange, Revisit, sha1_digest
from wuhu_crawler.warc.writer import WarcWriter

AT = datetime(2026, 11, 23, 7, 15, 0, 123456, tzinfo=UTC)
SENT = b"GET /news/Article.asp?id=1 HTTP/1.1\r\nHost: www.example.cn\r\nUser-Agent: wuhu\r\n\r\n"
INFO = {"software": "wuhu_crawler/test", "format": "WARC File Format 1.1", "operator": "测试", "robots": "obey"}
HTML = "<html><p>芜湖</p></html>".encode("gb18030")

# name -> bytes received, whether a payload digest is written, and the body
RECEIVED: dict[str, tuple[bytes, bool, bytes]] = {
    "plain": (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(HTML) + HTML, True, HTML),
    "chunked with trailer": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\nwuhu\r\n0\r\nX-Trailer: 1\r\n\r\n",
        True,
        b"4;x=1\r\nwuhu\r\n0\r\nX-Trailer: 1\r\n\r\n",
    ),
    "folded and repeated": (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Long: one\r\n  two\r\nset-cookie: b=2\r\n\r\nx",
        True,
        b"x",
    ),
    "line without colon": (b"HTTP/1.1 200 OK\r\nthis is no header\r\nServer: IIS/6.0\r\n\r\nx", True, b"x"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", True, b"x"),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nx", True, b"x"),
    "truncated body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", True, b"half"),
    "excess body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz", True, b"xyz"),
    "empty body": (b"HTTP/1.1 302 Object moved\r\nLocation: /\r\n\r\n", True, b""),
    "gbk header": ("HTTP/1.1 200 OK\r\nX-标题: 芜湖\r\n\r\nx".encode("gb18030"), True, b"x"),
    "gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(HTML, mtime=0),
        True,
        gzip.compress(HTML, mtime=0),
    ),
    "status without number": (b"HTTP/1.1 OK\r\n\r\nx", True, b"x"),
    "bare line feeds": (b"HTTP/1.1 200 OK\nServer: x\n\nbody", False, b"body"),
    "blank folded line": (b"HTTP/1.1 200 OK\r\nA: b\r\n \r\nC: d\r\n\r\nbody", False, b"body"),
    "no-break space line": (b"HTTP/1.1 200 OK\r\nA: b\r\n\xa0\r\nC: d\r\n\r\nbody", False, b"body"),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", False, b"body"),
    "torn head": (b"HTTP/1.1 200 OK\r\nServer: II", False, b""),
    "no HTTP": (b"\x16\x03\x01\x00garbage\r\n\r\nmore", False, b"\x16\x03\x01\x00garbage\r\n\r\nmore"),
    "HTTP/0.9": (b"<html>hello</html>", False, b"<html>hello</html>"),
    "blank first line": (b"\r\nHTTP/1.1 200 OK\r\n\r\nx", False, b"\r\nHTTP/1.1 200 OK\r\n\r\nx"),
}


def exchange(received: bytes, sent: bytes = SENT, url: str = "http://www.example.cn/news/Article.asp?id=1") -> Exchange:
    return Exchange(url, sent, received, AT, "192.0.2.7")


def make_writer(folder: Path, **kwargs: object) -> WarcWriter:
    return WarcWriter(folder, portal="demo", crawl_id="20261123-wuhu-1", serial=7, info=INFO, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[WarcWriter]:
    made = make_writer(tmp_path)
    yield made
    made.close()


def check(*paths: Path) -> None:
    """Both programs an archivist would use, on the files themselves."""
    names = [str(path) for path in paths]
    subprocess.run(["gzip", "-t", "-S", ".gz", *names], check=True)
    done = subprocess.run([sys.executable, "-m", "warcio.cli", "check", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def fastwarc_records(path: Path) -> list[fastwarc.WarcRecord]:
    """Every record as fastwarc sees it, each digest present verified by it."""
    records = []
    with path.open("rb") as file:
        for record in fastwarc.ArchiveIterator(file, parse_http=False):
            assert record.verify_block_digest()
            if "WARC-Payload-Digest" in record.headers and record.headers["WARC-Type"] != "revisit":
                record.parse_http()
                assert record.verify_payload_digest(), record.headers["WARC-Target-URI"]
            records.append(record)
    return records


def test_every_kind_of_answer_is_kept_exactly_and_verifies(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    written = {}
    for name, (received, _, _) in RECEIVED.items():
        written[name] = writer.write_exchange(exchange(received))
    writer.close()
    path = tmp_path / writer.warc_file
    check(path)
    assert len(fastwarc_records(path)) == 1 + 2 * len(RECEIVED)
    for name, (received, digested, body) in RECEIVED.items():
        record = read_record(path, written[name].offset)
        assert record.block == received, name
        assert exchange(received).body == body, name
        assert ("warc-payload-digest" in record.headers) == digested, name
        assert written[name].payload_digest == (sha1_digest(body) if digested else None), name
        assert (written[name].length, written[name].payload_length) == (record.length, len(body))
        request = read_record(path, record.offset + record.length)
        assert (request.type, request.block) == ("request", SENT)
        assert request.headers["warc-concurrent-to"] == record.record_id
        assert record.headers["warc-concurrent-to"] == request.record_id


def test_headers_of_a_response_record(writer: WarcWriter) -> None:
    written = writer.write_exchange(exchange(RECEIVED["plain"][0]), via="http://www.example.cn/a b\r\nX: y", truncated="time")
    record = read_record(writer.path, written.offset)
    block = sha1_digest(RECEIVED["plain"][0])
    assert record.headers == {
        "warc-type": "response",
        "warc-record-id": written.record_id,
        "warc-target-uri": "http://www.example.cn/news/Article.asp?id=1",
        "warc-date": "2026-11-23T07:15:00.123456Z",
        "warc-ip-address": "192.0.2.7",
        "content-type": "application/http;msgtype=response",
        "warc-payload-digest": sha1_digest(HTML),
        "warc-truncated": "time",
        "warc-concurrent-to": record.headers["warc-concurrent-to"],
        "warc-via": "http://www.example.cn/a%20b%0D%0AX:%20y",
        "warc-block-digest": block,
        "content-length": str(len(RECEIVED["plain"][0])),
    }
    assert written.block_digest == block


def test_a_date_of_any_zone_is_written_in_utc(writer: WarcWriter) -> None:
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    written = writer.write_exchange(Exchange("http://x/", SENT, RECEIVED["plain"][0], shanghai, None))
    record = read_record(writer.path, written.offset)
    assert record.headers["warc-date"] == "2026-11-23T07:15:00.123456Z"
    assert record.date == AT
    assert "warc-ip-address" not in record.headers


def test_nothing_sent_means_no_request_record(writer: WarcWriter) -> None:
    written = writer.write_exchange(exchange(b"HTTP/1.1 408 Request Timeout\r\n\r\n", sent=b""))
    records = list(iter_records(writer.path))
    assert [record.type for record in records] == ["warcinfo", "response"]
    assert "warc-concurrent-to" not in read_record(writer.path, written.offset).headers


def test_a_revisit_holds_the_head_and_names_what_it_repeats(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    first = writer.write_exchange(exchange(RECEIVED["plain"][0]))
    original = Revisit(first.record_id, "http://www.example.cn/news/Article.asp?id=1", AT)
    again = writer.write_exchange(exchange(RECEIVED["plain"][0]), revisit=original)
    not_modified = exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")
    unchanged = writer.write_exchange(not_modified, revisit=original._replace(payload_digest=first.payload_digest))
    writer.close()
    path = tmp_path / writer.warc_file
    check(path)
    fastwarc_records(path)
    record = read_record(path, again.offset)
    assert (record.type, again.record_type) == ("revisit", "revisit")
    assert record.block == b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(HTML)
    assert record.headers["warc-profile"].endswith("/warc/1.1/revisit/identical-payload-digest")
    assert record.headers["warc-refers-to"] == first.record_id
    assert record.headers["warc-refers-to-target-uri"] == original.url
    assert record.headers["warc-refers-to-date"] == "2026-11-23T07:15:00.123456Z"
    assert record.headers["warc-payload-digest"] == again.payload_digest == first.payload_digest
    assert again.payload_length == len(HTML)
    record = read_record(path, unchanged.offset)
    assert record.headers["warc-profile"].endswith("/warc/1.1/revisit/server-not-modified")
    assert record.headers["warc-payload-digest"] == first.payload_digest


def test_a_message_without_a_complete_head_repeats_nothing(writer: WarcWriter) -> None:
    with pytest.raises(ValueError, match="complete head"):
        writer.write_exchange(exchange(b"HTTP/1.1 200"), revisit=Revisit("<urn:uuid:1>", "http://x/", AT))
    assert [record.type for record in iter_records(writer.path)] == ["warcinfo"]


def test_warcinfo_and_metadata_hold_named_fields(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    fields = [
        ("outcome", "excluded"),
        ("reason", "robots\r\nWARC-Type: response"),
        ("via", "http://x/1"),
        ("via", "http://x/2"),
    ]
    written = writer.write_metadata("http://www.example.cn/私 密", fields, refers_to="<urn:uuid:1>", at=AT)
    writer.close()
    path = tmp_path / writer.warc_file
    check(path)
    fastwarc_records(path)
    info, metadata = iter_records(path)
    assert (info.type, info.url, dict(info.fields)) == ("warcinfo", None, INFO)
    assert info.headers["warc-filename"] == path.name
    assert metadata.fields == [("outcome", "excluded"), ("reason", "robots WARC-Type: response"), *fields[2:]]
    assert metadata.url == "http://www.example.cn/私%20密"
    assert metadata.headers["warc-refers-to"] == "<urn:uuid:1>"
    assert (metadata.offset, metadata.record_id) == (written.offset, written.record_id)


def test_a_file_is_open_until_closed_then_renamed_and_read_only(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    writer.write_exchange(exchange(RECEIVED["plain"][0]))
    name, position = writer.sync()
    assert name.startswith("demo-20261123-wuhu-1-000007-")
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.open"]
    assert position == writer.path.stat().st_size
    writer.close()
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).stat().st_mode & 0o222 == 0
    with pytest.raises(ValueError, match="closed"):
        writer.write_exchange(exchange(RECEIVED["plain"][0]))


def test_files_rotate_by_size_and_never_reuse_a_name(tmp_path: Path) -> None:
    left_by_a_killed_run = make_writer(tmp_path).path
    before = left_by_a_killed_run.read_bytes()
    writer = make_writer(tmp_path, max_size=2000)
    written = [writer.write_exchange(exchange(RECEIVED["plain"][0])) for _ in range(8)]
    writer.close()
    serials = sorted({record.warc_file.split("-")[-2] for record in written})
    assert serials == [f"{8 + n:06d}" for n in range(len(serials))]
    assert len(serials) > 1
    assert left_by_a_killed_run.read_bytes() == before
    check(*tmp_path.glob("*.gz"))
    for record in written:
        assert read_record(tmp_path / record.warc_file, record.offset).record_id == record.record_id
    for path in tmp_path.glob("*.gz"):
        assert next(iter_records(path)).type == "warcinfo"


FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from wuhu_crawler.warc.records import Exchange
from wuhu_crawler.warc.writer import WarcWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
writer = WarcWriter(Path(sys.argv[1]), portal="demo", crawl_id="1", serial=1, info={"software": "test"})
body = Random(1).randbytes(3000)
answer = b"HTTP/1.1 200 OK\\r\\n\\r\\n" + body
whole = 0
try:
    for number in range(100):
        writer.write_exchange(Exchange(f"http://x/{number}", b"GET / HTTP/1.1\\r\\n\\r\\n", answer, datetime.now(UTC), None))
        whole += 1
except OSError as error:
    first = error
for call in (writer.sync, lambda: writer.write_metadata("http://x/", {}, at=datetime.now(UTC))):
    try:
        call()
    except OSError as error:
        assert error is first
    else:
        raise AssertionError("a broken writer went on")
writer.close()
print(whole, first.errno)
"""


def test_a_full_disk_leaves_whole_records_and_a_broken_writer(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True)
    whole, error = map(int, done.stdout.split())
    (path,) = tmp_path.iterdir()
    assert path.name.endswith(".open")
    assert error == 27  # EFBIG: the limit on file size is a full disk that needs no root
    records = list(iter_records(path))
    assert [record.type for record in records] == ["warcinfo", *["response", "request"] * whole]
    assert whole > 3
    whole_file = path.rename(path.with_suffix(""))
    check(whole_file)


def test_a_torn_or_damaged_record_is_told_with_its_offset(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    written = writer.write_exchange(exchange(RECEIVED["plain"][0]))
    writer.close()
    whole = (tmp_path / writer.warc_file).read_bytes()
    torn = tmp_path / "torn.warc.gz"
    for cut in (written.offset + 1, written.offset + 20, written.offset + written.length - 1):
        torn.write_bytes(whole[:cut])
        records = iter_records(torn)
        assert next(records).type == "warcinfo"
        with pytest.raises(WarcError) as caught:
            next(records)
        assert caught.value.offset == written.offset
    torn.write_bytes(whole[: written.offset + 40] + bytes([whole[written.offset + 40] ^ 8]) + whole[written.offset + 41 :])
    with pytest.raises(WarcError):
        read_record(torn, written.offset)
    with pytest.raises(WarcError, match="gzip"):
        read_record(tmp_path / writer.warc_file, written.offset + 3)
    torn.write_bytes(gzip.compress(b"WARC/1.1\r\nContent-Length: 9\r\n\r\nshort\r\n\r\n", mtime=0))
    with pytest.raises(WarcError, match="Content-Length"):
        read_record(torn, 0)
    torn.write_bytes(gzip.compress(b"hello\r\n\r\n", mtime=0))
    with pytest.raises(WarcError, match="no WARC header"):
        read_record(torn, 0)


def test_response_of_gives_the_final_response(writer: WarcWriter) -> None:
    interim = writer.write_exchange(exchange(RECEIVED["interim"][0]))
    folded = writer.write_exchange(exchange(RECEIVED["folded and repeated"][0]))
    other = writer.write_metadata("http://x/", {"a": "b"}, at=AT)
    assert response_of(writer.path, interim.offset) == (b"HTTP/1.1 200 OK", [(b"A", b"b")], b"body")
    assert response_of(writer.path, folded.offset).headers == [
        (b"Set-Cookie", b"a=1"),
        (b"X-Long", b"one two"),
        (b"set-cookie", b"b=2"),
    ]
    with pytest.raises(WarcError, match="metadata"):
        response_of(writer.path, other.offset)


def test_a_record_becomes_its_exchange_again(writer: WarcWriter) -> None:
    written = writer.write_exchange(exchange(RECEIVED["plain"][0]))
    assert read_record(writer.path, written.offset).exchange(SENT) == exchange(RECEIVED["plain"][0])


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        (b"4\r\nwuhu\r\n0\r\n\r\n", b"wuhu"),
        (b"2;a=b\r\nwu\r\n2\nhu\n0\r\nX: y\r\n\r\n", b"wuhu"),
        (b"4\r\nwuhu\r\n", b"wuhu"),
        (b"a\r\nwuhu", b"wuhu"),
        (b"4\r\nwuhu\r\n1", b"wuhu"),
        (b"", b""),
    ],
)
def test_unchunk(body: bytes, plain: bytes) -> None:
    assert unchunk(body) == plain


def test_unchunk_refuses_broken_framing() -> None:
    with pytest.raises(ValueError, match="at 9"):
        unchunk(b"4\r\nwuhu\r\nxyz\r\n")


@pytest.mark.parametrize(
    ("received", "flags"),
    [
        (RECEIVED["plain"][0], []),
        (RECEIVED["excess body"][0], ["excess-body"]),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", []),
        (b"HTTP/1.1 204 No Content\r\n\r\nbody", ["excess-body"]),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>half", ["partial"]),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=gb2312\r\n\r\n<html></HTML>\r\n<!-- 0.1 s -->", []),
        (b"HTTP/1.0 200 OK\r\nContent-Type: image/gif\r\n\r\nGIF89a", []),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(HTML, mtime=0), []),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(HTML, mtime=0)[:-9],
            ["partial"],
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\nno gzip", []),
        (RECEIVED["interim"][0] + b"", ["interim"]),
        (RECEIVED["torn head"][0], ["partial"]),
        (RECEIVED["no HTTP"][0], ["not-http"]),
    ],
)
def test_flags_are_read_from_the_bytes(received: bytes, flags: list[str]) -> None:
    assert exchange(received).flags == flags


def test_a_head_request_has_no_body_to_wait_for() -> None:
    answer = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", sent=b"HEAD / HTTP/1.1\r\n\r\n")
    assert (answer.method, answer.body_length, answer.flags) == ("HEAD", 0, [])


TOKENS = [b"HTTP/1.1 200 OK", b"HTTP/1.1 103", b"http/1.0", b"\r\n", b"\n", b"\r", b" ", b"\t", b"\xa0", b"\x85", b"\x1c"]
TOKENS += [
    b"\xe3\x80\x80",
    b"\x0c",
    b"A: b",
    b":",
    b"Content-Length: 3",
    b"Transfer-Encoding: chunked",
    b"0",
    b"x",
    b"\r\n\r\n",
]
wire = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from(TOKENS), max_size=12).map(b"".join),
    st.lists(st.sampled_from(TOKENS), max_size=12).map(lambda parts: b"HTTP/1.1 200 OK\r\n" + b"".join(parts)),
)


def test_any_bytes_come_back_and_verify(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    count = 0

    @settings(max_examples=300, deadline=None, database=None)
    @given(sent=wire, received=wire)
    def round_trip(sent: bytes, received: bytes) -> None:
        nonlocal count
        given_exchange = exchange(received, sent)
        written = writer.write_exchange(given_exchange)
        record = read_record(writer.path, written.offset)
        count += 2 if sent else 1
        assert record.block == received
        assert record.block == given_exchange.header_bytes + given_exchange.body
        if sent:
            assert read_record(writer.path, written.offset + written.length).block == sent
        assert isinstance(given_exchange.flags, list)
        assert given_exchange.status is None or 100 <= given_exchange.status <= 999

    round_trip()
    writer.close()
    path = tmp_path / writer.warc_file
    check(path)
    assert len(fastwarc_records(path)) == len(list(iter_records(path))) == 1 + count


def test_warcio_reads_the_same_heads(tmp_path: Path) -> None:
    writer = make_writer(tmp_path)
    writer.write_exchange(exchange(RECEIVED["folded and repeated"][0]))
    writer.close()
    with (tmp_path / writer.warc_file).open("rb") as file:
        (response,) = [record for record in ArchiveIterator(file) if record.rec_type == "response"]
        names = [name for name, _ in response.http_headers.headers]
    assert names == ["Set-Cookie", "X-Long", "set-cookie"]
