"""How long every saved question takes on an archive of 100,000 generated articles, warm: now, with parameters, and as of a day.

An archive is generated (library.py), with near-duplicates planted where it has none and some articles suppressed. Each question
is asked once to warm up and then three times; the best of these counts, all rows read. It fails when one takes longer than
the limit as the archive stands; told beside it are the processor's part of that, and what an as-of of the middle takes.

    make bench-ask
    .venv/bin/python bench/ask.py --articles 20000 --cache DIR
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping
from itertools import islice, pairwise
from pathlib import Path
from time import perf_counter, process_time

import library
from sqlalchemy import Connection, insert, text

from wuhu_crawler import questions
from wuhu_crawler.db import models, statistics
from wuhu_crawler.db.engine import make_engine
from wuhu_crawler.db.scope import PLAIN, Scope, as_of
from wuhu_crawler.questions import Question

AS_OF = "2020-03-01"
TRIES, CLUSTERS, HIDDEN = 3, 3000, 200
# Asked besides the plain question: what narrows it down must not make it slower.
NARROWED = (
    ("articles-by-reporter", {"name": "赵永福"}),
    ("views-by-day", {"article": "5001"}),
    ("quiet-days", {"category": "江城人物"}),
    ("most-read", {"sort": "recent", "since": "2020-01-01"}),
    ("near-duplicates", {"similarity": "0.8", "category": "教育动态"}),
    ("edited", {"field": "title"}),
)


def main() -> int:
    """Generate the archive, ask, print the table; 1 when a question is too slow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--limit", type=float, default=1.0, help="seconds a question may take (default %(default)s)")
    parser.add_argument("--cache", type=Path, help="keep the generated archive in this folder, and use the one kept there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if asked.cache:
            shutil.copy(library.cached(asked.cache, asked.articles) / "archive.db", place)
        else:
            print(f"generating {asked.articles:,} articles", file=sys.stderr)
            library.build(Path(place), asked.articles, index=False)
        url = f"sqlite:///{Path(place) / 'archive.db'}"
        plant(url)
        return told(url, asked.limit)


def plant(url: str) -> None:
    """Suppress some articles, and have some clusters of near-duplicates, where the archive has none."""
    rng = random.Random(0)
    engine = make_engine(url)
    with engine.begin() as connection:
        keys = list(connection.execute(text("SELECT key, portal, article_id FROM article ORDER BY key")).all())
        if not connection.execute(text("SELECT COUNT(*) FROM near_duplicate")).scalar_one():
            connection.execute(insert(models.near_duplicate), pairs(rng, [row.key for row in keys]))
        hidden = rng.sample(keys, min(HIDDEN, len(keys) // 10))
        why = {"reason": "bench", "suppressed_by": "bench", "suppressed_at": library.LAST}
        rows = [{"id": place, "portal": row.portal, "article_id": row.article_id, **why} for place, row in enumerate(hidden, 1)]
        connection.execute(insert(models.suppression), rows)
        statistics.refresh(connection)
    engine.dispose()


def pairs(rng: random.Random, keys: list[int]) -> list[dict[str, object]]:
    """Return pairs that make clusters: mostly of two or three, one a chain of two hundred."""
    sizes = [200, *(2 + min(int(rng.expovariate(0.8)), 20) for _ in range(CLUSTERS))]
    left = iter(rng.sample(keys, len(keys)))
    made: dict[tuple[int, int], float] = {}
    for size in sizes:
        members = list(islice(left, size))
        for one, other in pairwise(members):
            made[min(one, other), max(one, other)] = rng.uniform(0.5, 1)
    return [{"article_key": one, "other_key": other, "similarity": alike} for (one, other), alike in made.items()]


def told(url: str, limit: float) -> int:
    """Ask everything and print how long it took; 1 when something took too long."""
    past = Scope(as_of(AS_OF))
    slow: list[str] = []
    engine = make_engine(url, readonly=True)
    known = questions.load()
    print(f"{'question':<48} {'rows':>7} {'seconds':>8} {'cpu':>8} {'as of':>8}")
    with engine.connect() as connection:
        for name, given in [*((name, {}) for name in known), *NARROWED]:
            words = " ".join([name, *(f"--{parameter} {value}" for parameter, value in given.items())])
            seconds, used, rows = best(connection, known[name], given)
            before, _, _ = best(connection, known[name], given, past)
            print(f"{words:<48} {rows:>7,} {seconds:>8.3f} {used:>8.3f} {before:>8.3f}", flush=True)
            if seconds > limit:
                slow.append(words)
    engine.dispose()
    print(f"\nslower than {limit:g} s: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


def best(
    connection: Connection, question: Question, given: Mapping[str, str], scope: Scope = PLAIN
) -> tuple[float, float, int]:
    """Return the seconds and the processor's seconds of the quickest of some tries, after one to warm up, and the rows."""
    times, rows = [], 0
    for _ in range(1 + TRIES):
        start, begun = perf_counter(), process_time()
        rows = sum(1 for _ in questions.answer(connection, question, given, scope)[1])
        times.append((perf_counter() - start, process_time() - begun))
    return *min(times[1:]), rows


if __name__ == "__main__":
    sys.exit(main())
