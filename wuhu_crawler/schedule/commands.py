"""What a job's process is: its command line and its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import datetime

from ..paths import ArchivePaths
from .due import Turn
from .jobs import Collection, Job

_SPIDERS: Mapping[str, tuple[str, ...]] = {
    "walk": ("wuhu",),
    "full": ("wuhu", "-a", "full=1"),
    "gaps": ("gaps",),
    "recheck": ("recheck",),
}
_BUDGETS = {"walk": "limit", "full": "limit", "gaps": "budget", "recheck": "budget"}
_SUFFIXES = {"export": "jsonl.gz", "wacz": "wacz"}


def command(turn: Turn, collection: Collection, paths: ArchivePaths, now: datetime) -> list[str]:
    """Return the command line of a turn."""
    job = turn.job
    if job.is_crawl:
        return _crawl(turn, collection)
    words = [sys.executable, "-m", "wuhu_crawler", job.do]
    if job.do == "verify" and turn.resumes:
        words.append("--resume")
    return [*words, *_target(job, collection, paths, now), *job.options]


def environment(collection: Collection, paths: ArchivePaths) -> dict[str, str]:
    """Return the environment of a job's process."""
    own = {
        "WUHU_DATA_DIR": str(paths.root),
        "WUHU_DATABASE_URL": os.environ.get("WUHU_DATABASE_URL", ""),
        "WUHU_CONTACT": collection.contact or os.environ.get("WUHU_CONTACT", ""),
        "WUHU_OPERATOR": collection.operator or os.environ.get("WUHU_OPERATOR", ""),
        # So that `scrapy crawl` needs no scrapy.cfg in the folder it is started in.
        "SCRAPY_SETTINGS_MODULE": "wuhu_crawler.settings",
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **own}


def _crawl(turn: Turn, collection: Collection) -> list[str]:
    job = turn.job
    words = [sys.executable, "-m", "scrapy", "crawl", *_SPIDERS[job.do], "-a", f"portal={collection.portals[turn.portal]}"]
    if turn.resumes:
        words += ["-a", "resume=last"]
    if job.budget is not None:
        words += ["-a", f"{_BUDGETS[job.do]}={job.budget}"]
    if collection.delay is not None:
        words += ["-s", f"DOWNLOAD_DELAY={collection.delay:g}"]
    return [*words, *job.options]


def _target(job: Job, collection: Collection, paths: ArchivePaths, now: datetime) -> list[str]:
    """Return where an export or a package is written, unless the job's own options say so."""
    suffix = _SUFFIXES.get(job.do)
    if suffix is None or any(word in ("--to", "-o", "--output") for word in job.options):
        return []
    folder = paths.root / ("exports" if job.do == "export" else "wacz")
    stamp = now.astimezone(collection.zone).strftime("%Y%m%d-%H%M%S")
    return ["--to" if job.do == "export" else "--output", str(folder / f"{job.name}-{stamp}.{suffix}")]
