"""Telling somebody: real SMTP and HTTP servers, a real run of the daemon, and no secret anywhere."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from click.testing import CliRunner
from conftest import Story, listing, rows, serving
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wuhu_crawler.cli.schedule import schedule
from wuhu_crawler.errors import CheckFailed, UsageError
from wuhu_crawler.paths import ArchivePaths
from wuhu_crawler.schedule.collection import load
from wuhu_crawler.schedule.daemon import Daemon
from wuhu_crawler.schedule.jobs import Mail, Notify, Secret, Webhook
from wuhu_crawler.schedule.notify import News, is_news, subject, tell
from wuhu_crawler.schedule.timekeeper import Simulated

PASSWORD = "correct horse battery"  # noqa: S105 - of the test's own server
FINDING = {"kind": "quiet", "level": "attention", "text": "no article for 9 days"}


def news(**changes: Any) -> News:
    fields: dict[str, Any] = {
        "collection": "我爱芜湖",
        "job": "walk",
        "portal": "o553",
        "run": 7,
        "verdict": "attention",
        "before": "well",
        "reason": "done",
        "ended_at": datetime(2026, 11, 25, 4, tzinfo=UTC),
        "findings": [FINDING],
        "counts": {"new": 0},
    }
    return News(**{**fields, **changes})


class Inbox:
    """Keeps what an SMTP server was handed."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode())


@contextmanager
def post_office(**options: Any) -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with create_server(("127.0.0.1", 0)) as free:  # aiosmtpd cannot choose one itself
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, authenticator=inbox.login, **options)
    controller.start()
    try:
        yield inbox, port
    finally:
        controller.stop()


@contextmanager
def hook(status: int = 204) -> Iterator[tuple[list[dict[str, Any]], str]]:
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield received, f"http://127.0.0.1:{server.server_address[1]}/hook/s3cret"
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context for `localhost`, and the file of its own authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    authority = folder / "authority.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    file.write_bytes(private + authority.read_bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context, authority


def test_a_mail_has_the_findings_and_the_page(tmp_path: Path) -> None:
    page = tmp_path / "run-000007.html"
    page.write_text("<h1>报告</h1>", encoding="utf-8")
    with post_office() as (inbox, port):
        mail = Mail(to=("a@example.org", "b@example.org"), sender="wuhu@example.org", host="127.0.0.1", port=port)
        assert list(tell(news(page=page, log="logs/7.log"), Notify(mail=mail))) == []
    (message,) = inbox.messages
    assert message["Subject"] == "[wuhu] 我爱芜湖: walk of o553: attention (was well)"
    assert (message["To"], message["From"]) == ("a@example.org, b@example.org", "wuhu@example.org")
    text = message.get_body(("plain",))
    assert text is not None and "- attention: no article for 9 days" in text.get_content()
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("run-000007.html", "<h1>报告</h1>\r\n")


def test_starttls_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    with post_office(tls_context=context, auth_required=True, require_starttls=True) as (inbox, port):
        mail = Mail(
            to=("a@example.org",), sender="w@example.org", host="localhost", port=port, security="starttls", user="me",
            password=Secret(variable="MAIL_PASSWORD"),
        )  # fmt: skip
        (failed,) = tell(news(), Notify(mail=mail))
        assert "certificate verify failed" in failed
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert list(tell(news(), Notify(mail=mail))) == []
        assert inbox.logins == [(b"me", PASSWORD.encode())]
        monkeypatch.setenv("MAIL_PASSWORD", "wrong secret")
        (failed,) = tell(news(), Notify(mail=mail))
        assert "did not take it" in failed and "wrong secret" not in failed
        monkeypatch.delenv("MAIL_PASSWORD")
        assert list(tell(news(), Notify(mail=mail))) == ["mail: the environment has no MAIL_PASSWORD"]
    assert len(inbox.messages) == 1


def test_a_webhook_is_posted_json(tmp_path: Path) -> None:
    with hook() as (received, url):
        (tmp_path / "url").write_text(f"{url}\n", encoding="utf-8")
        assert list(tell(news(), Notify(webhook=Webhook(secret=Secret(file=tmp_path / "url"))))) == []
    (sent,) = received
    assert (sent["verdict"], sent["before"], sent["findings"]) == ("attention", "well", [FINDING])
    assert (sent["collection"], sent["run"], sent["ended_at"]) == ("我爱芜湖", 7, "2026-11-25T04:00:00+00:00")


def test_a_way_that_fails_is_said_without_its_secret(tmp_path: Path) -> None:
    with hook(500) as (_, url):
        assert list(tell(news(), Notify(webhook=Webhook(url=url)))) == ["webhook: it answered 500"]
    (tmp_path / "url").write_text(url, encoding="utf-8")
    gone = Notify(webhook=Webhook(secret=Secret(file=tmp_path / "url")))
    (failed,) = tell(news(), gone)
    assert failed.startswith("webhook: it was not reached") and "s3cret" not in failed
    (tmp_path / "url").write_text("file:///etc/passwd", encoding="utf-8")
    assert list(tell(news(), gone)) == ["webhook: its address is no http(s) address"]
    missing = Notify(webhook=Webhook(secret=Secret(file=tmp_path / "none")))
    assert "cannot be read" in "".join(tell(news(), missing))
    closed = Notify(mail=Mail(to=("a@b.c",), sender="a@b.c", host="127.0.0.1", port=1))
    assert "127.0.0.1:1 did not take it" in "".join(tell(news(), closed))


@pytest.mark.parametrize(
    ("on", "before", "verdict", "told"),
    [
        ("change", None, "well", False),
        ("change", None, "early", False),
        ("change", None, "broken", True),
        ("change", "well", "well", False),
        ("change", "well", "attention", True),
        ("change", "attention", "well", True),
        ("always", "well", "well", True),
        ("never", "well", "broken", False),
    ],
)
def test_what_is_news(on: str, before: str | None, verdict: str, told: bool) -> None:
    assert is_news(news(before=before, verdict=verdict), Notify(on=on)) is told


def test_a_subject_is_one_line() -> None:
    assert "\n" not in subject(news(collection="一\n二")).replace("一\n二", "")
    with post_office() as (inbox, port):
        mail = Mail(to=("a@b.c",), sender="a@b.c", host="127.0.0.1", port=port)
        assert list(tell(news(collection="一\r\nBcc: x@y.z"), Notify(mail=mail))) == []
    assert inbox.messages[0]["Bcc"] is None


def test_the_daemon_tells_a_change_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first walk is early, which is no news; then the disk is full, which is; then it goes on, which is again."""
    pages = {"/": listing({"/news/Info.asp?ID=1": "第1篇"}), "/news/Info.asp?ID=1": Story(1, "第1篇").page()}
    with serving(dict(pages)) as site, hook() as (received, url):
        site.profile(tmp_path)
        monkeypatch.setenv("HOOK", url)
        others = "".join(f"[jobs.{name}]\nenabled = false\n" for name in ("recheck", "gaps", "verify"))
        file = tmp_path / "wuhu.toml"
        file.write_text(f'portals = ["small.toml"]\n{others}[notify.webhook]\nurl_env = "HOOK"\n', encoding="utf-8")
        lines: list[str] = []
        time = Simulated(datetime(2024, 6, 5, 4, tzinfo=UTC))
        with Daemon(ArchivePaths.of(tmp_path), file, time, lines.append) as daemon:
            daemon.run(time.now() + timedelta(days=1))
            assert received == []
            monkeypatch.setenv("WUHU_WARC_MAX_SIZE", "not a number")  # a crawl that does not even begin
            daemon.run(time.now() + timedelta(days=2))
            monkeypatch.delenv("WUHU_WARC_MAX_SIZE")
            daemon.run(time.now() + timedelta(days=1))
    assert [(sent["verdict"], sent["before"], sent["run"]) for sent in received] == [
        ("broken", None, 2),
        ("early", "broken", 4),
    ]
    assert received[1]["report"].endswith(".html") and received[1]["counts"]["requests"] > 0
    assert rows(tmp_path, "SELECT job, verdict FROM job_news") == [("walk", "early")]
    assert "s3cret" not in "".join(lines) + "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "logs").iterdir())
    assert b"s3cret" not in (tmp_path / "archive.db").read_bytes()


def test_the_command_that_tries_it(tmp_path: Path) -> None:
    file = tmp_path / "wuhu.toml"
    with hook() as (received, url):
        file.write_text(f'portals = ["demo"]\n[notify.webhook]\nurl = "{url}"\n', encoding="utf-8")
        CliRunner().invoke(schedule, ["notify", "--file", str(file)], catch_exceptions=False)
    assert received[0]["job"] == "test"
    with pytest.raises(CheckFailed, match="1 way of telling failed"):
        CliRunner().invoke(schedule, ["notify", "--file", str(file)], catch_exceptions=False)
    file.write_text('portals = ["demo"]\n', encoding="utf-8")
    with pytest.raises(UsageError, match="names nobody"):
        CliRunner().invoke(schedule, ["notify", "--file", str(file)], catch_exceptions=False)
    assert load(file).notify.mail is None
