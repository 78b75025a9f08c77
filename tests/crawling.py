"""What the crawl tests share: real `scrapy crawl` processes, portals of a few scripted answers, what an archive then holds."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm

PROJECT = Path(__file__).parents[1]
# Short pauses; the order of events is what is tested, not their length.
BRISK = ("-s", "WUHU_BACKOFF_SECONDS=0.01", "-s", "WUHU_BREAKER_SECONDS=0.05", "-s", "WUHU_BREAKER_FAILURES=3")


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl that has ended."""

    code: int
    log: str
    folder: Path

    @property
    def sentence(self) -> str:
        """The last line on stderr."""
        return self.log.rstrip().rpartition("\n")[2]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the archive's database."""
        with sqlite3.connect(self.folder / "archive.db") as connection:
            rows = connection.execute(query).fetchall()
        connection.close()
        return rows

    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Return how each URL ended, by its path and query."""
        rows = self.rows("SELECT url, outcome, reason FROM outcome")
        ended = {"/" + url.split("/", 3)[3]: (outcome, reason) for url, outcome, reason in rows}
        assert len(ended) == len(rows), "a URL has two outcomes"
        return ended


def command(*arguments: str) -> list[str]:
    """Return the command line of a crawl."""
    return [sys.executable, "-W", "error::DeprecationWarning:wuhu_crawler", "-m", "scrapy", "crawl", *arguments]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment that names this archive and nothing else of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUHU_")}
    return {**kept, "WUHU_DATA_DIR": str(folder), **more}


def crawl(folder: Path, *arguments: str, **env: str) -> Crawl:
    """Run a crawl to its end."""
    done = warm.text([str(Path(sys.executable).with_name("scrapy")), "crawl", *arguments], env=environment(folder, **env))
    return Crawl(done.returncode, done.stderr, folder)


def profile(path: Path, url: str, *seeds: str, **more: Any) -> str:
    """Write the TOML of a portal at `url` and return its path."""
    keys = {
        "seeds": [url + seed for seed in seeds or ("/",)],
        "delay": 0,
        "concurrency": 1,
        "allow_private": True,
        "contact_required": False,
        "article_urls": [r"/news/info\.asp\?id=(?P<id>\d+)(?=&|$)"],
        "article_url": url + "/news/Info.asp?ID={id}",
        **more,
    }
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in keys.items()), encoding="utf-8")
    return str(path)


def answer(body: str = "", status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """Return an HTTP/1.1 response."""
    content = body.encode("gb18030")
    fields = {"Content-Type": "text/html; charset=gb2312", "Content-Length": str(len(content)), **(headers or {})}
    return f"HTTP/1.1 {status}\r\n{''.join(f'{k}: {v}' + chr(13) + chr(10) for k, v in fields.items())}\r\n".encode() + content


def article(number: int, *, more: str = "") -> bytes:
    """Return an article page of the family."""
    return answer(
        f"<html><head><title>芜湖</title></head><body>您现在的位置：<a href='/'>首页</a> > 新闻 > 正文<h1>第{number}条新闻</h1>"
        f"<p>发布日期：2024-2-3 20:24:31 浏览：5</p><p>　　这是第{number}条新闻的正文，写得够长，"
        f"好让人看出这是一篇文章而不是别的什么东西。</p>"
        f"<p>　　芜湖日报记者田龙</p>{more}</body></html>"
    )


def listing(numbers: list[int], *, more: str = "") -> bytes:
    """Return a listing page with these articles and more HTML behind them."""
    rows = "".join(f"<tr><td><a href='/news/Info.asp?ID={n}'>第{n}条新闻的标题</a></td><td>2024-2-3</td></tr>" for n in numbers)
    return answer(f"<html><body><h3>新闻</h3><table>{rows}</table>{more}</body></html>")
