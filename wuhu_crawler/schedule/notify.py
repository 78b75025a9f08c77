"""Telling somebody how a run went: by mail, by a webhook. What could not be told is told with the next run.

Secrets are read when they are used, from the environment or a file; none is stored, printed or written into a log.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from .. import __version__
from .jobs import Mail, Notify, Secret, Webhook

SECONDS = 30
# Verdicts that are no news when nothing was told before.
QUIET = frozenset({"well", "early"})


class NotTold(Exception):
    """Raised with a sentence, without any secret in it, when a message could not be delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What there is to tell of a run. `before` is the verdict told last of this job, None = none; `page` its report."""

    collection: str
    job: str
    portal: str
    run: int
    verdict: str
    before: str | None
    reason: str
    ended_at: datetime
    findings: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    page: Path | None = None
    log: str | None = None

    def as_object(self) -> dict[str, Any]:
        """Return what a webhook is sent."""
        return {
            "program": f"wuhu_crawler/{__version__}",
            "collection": self.collection,
            "job": self.job,
            "portal": self.portal or None,
            "run": self.run,
            "verdict": self.verdict,
            "before": self.before,
            "reason": self.reason,
            "ended_at": self.ended_at.isoformat(timespec="seconds"),
            "findings": self.findings,
            "counts": self.counts,
            "report": None if self.page is None else str(self.page),
            "log": self.log,
        }


def is_news(news: News, notify: Notify) -> bool:
    """Tell whether somebody wants to hear of it: always, or when the verdict is another than the one told last."""
    if notify.on == "never":
        return False
    if notify.on == "always":
        return True
    return news.verdict != news.before if news.before is not None else news.verdict not in QUIET


def tell(news: News, notify: Notify) -> Iterator[str]:
    """Tell it by every way there is; yield a sentence for each way that failed."""
    for way, send, place in (("mail", _mail, notify.mail), ("webhook", _post, notify.webhook)):
        if place is not None:
            try:
                send(news, place)  # type: ignore[arg-type]
            except NotTold as error:
                yield f"{way}: {error}"


def subject(news: News) -> str:
    """Return the news in a line."""
    was = f" (was {news.before})" if news.before not in (None, news.verdict) else ""
    return f"[wuhu] {news.collection}: {news.job}{f' of {news.portal}' if news.portal else ''}: {news.verdict}{was}"


def body(news: News) -> str:
    """Return the news as plain text."""
    lines = [f"{subject(news).partition('] ')[2]}.", "", f"Run {news.run} ended {news.ended_at:%F %H:%M} UTC: {news.reason}."]
    lines += [f"- {finding['level']}: {finding['text']}" for finding in news.findings]
    if news.counts:
        lines += ["", ", ".join(f"{count} {name}" for name, count in news.counts.items())]
    lines += ["", f"Report: {news.page}"] if news.page is not None else []
    lines += [f"Log: {news.log}  (wuhu logs {news.run})"] if news.log is not None else []
    return "\n".join(lines) + "\n"


def _mail(news: News, mail: Mail) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, ", ".join(mail.to), _one_line(subject(news))
    message["Date"], message["Message-ID"] = format_datetime(news.ended_at), make_msgid(domain=mail.sender.partition("@")[2])
    message.set_content(body(news))
    if news.page is not None and news.page.exists():
        message.add_attachment(news.page.read_text(encoding="utf-8"), subtype="html", filename=news.page.name)
    password = "" if mail.password is None else _secret(mail.password)
    try:
        with _server(mail) as server:
            if mail.user is not None:
                server.login(mail.user, password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotTold(_without(f"{mail.host}:{mail.port} did not take it: {error}", password)) from None


def _server(mail: Mail) -> smtplib.SMTP:
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(mail.host, mail.port, timeout=SECONDS)
    try:
        if mail.security == "starttls":
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _post(news: News, webhook: Webhook) -> None:
    url = webhook.url if webhook.secret is None else _secret(webhook.secret)
    hidden = "" if webhook.secret is None else str(url)
    if not str(url).startswith(("http://", "https://")):
        raise NotTold("its address is no http(s) address")
    words = json.dumps(news.as_object(), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"wuhu_crawler/{__version__}"}
    try:
        # http(s) only, as was checked.
        with urlopen(Request(str(url), data=words, headers=headers, method="POST"), timeout=SECONDS):  # noqa: S310
            pass
    except HTTPError as error:
        error.close()
        raise NotTold(f"it answered {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotTold(_without(f"it was not reached: {error}", hidden)) from None


def _secret(secret: Secret) -> str:
    """Return a secret. Raises NotTold when it is not where the collection file says."""
    if secret.variable is not None:
        if not (found := os.environ.get(secret.variable)):
            raise NotTold(f"the environment has no {secret.variable}")
        return found
    try:
        return Path(str(secret.file)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotTold(f"{secret.file} cannot be read: {type(error).__name__}") from None


def _without(text: str, secret: str) -> str:
    return text.replace(secret, "***") if secret else text


def _one_line(text: str) -> str:
    return " ".join(text.split())
