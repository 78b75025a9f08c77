"""SQLite and PostgreSQL beside each other: the same generated articles written, dumped, asked of, and what they take.

The server is one of its own, as Debian's package sets it up but for its socket: a commit is on the disk in both. The store
writes the same batches into each, the search index included.

    make bench-databases
    .venv/bin/python bench/databases.py --articles 100000
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import library
from sqlalchemy import Connection, text

from wuhu_crawler.db import canonical, queries
from wuhu_crawler.db.engine import make_engine, upgrade
from wuhu_crawler.db.store import Store

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from cluster import running

# As the package leaves them: a commit waits for the disk.
DURABLE = {"fsync": "on", "full_page_writes": "on"}
LOOKS = 200
QUESTIONS = {
    "view articles, all fields, s": "SELECT max(length(body)), max(views), max(reporters), max(last_captured_at) FROM articles",
    "view article_state, s": "SELECT answer, count(*), max(times_missing) FROM article_state GROUP BY answer",
    "view view_series, s": "SELECT count(*), max(per_day) FROM view_series",
    "LIKE '%芜湖%' in bodies, s": "SELECT count(*) FROM articles WHERE body LIKE '%芜湖%'",
}


def main() -> None:
    """Measure both and print them beside each other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    count = parser.parse_args().articles
    with tempfile.TemporaryDirectory() as folder, running(**DURABLE) as server:
        file = Path(folder) / "archive.db"
        sqlite = measured(f"sqlite:///{file}", count, lambda: sum(each.stat().st_size for each in file.parent.iterdir()))
        name = server.create()
        size = f"SELECT pg_database_size('{name}')"
        postgresql = measured(server.url(name), count, lambda: int(server.run(size)[0][0]))
    print(f"{count} articles\n{'':34}{'SQLite':>12}{'PostgreSQL':>12}")
    for what, value in sqlite.items():
        print(f"{what:34}{value:12.2f}{postgresql[what]:12.2f}")


def measured(url: str, count: int, size: Callable[[], int]) -> dict[str, float]:
    """Return what was measured of one database."""
    upgrade(url)
    empty, began, spent = size(), time.monotonic(), time.process_time()
    with Store(make_engine(url)) as store:
        library.fill(store, library.sights(count))
    seconds, spent = time.monotonic() - began, time.process_time() - spent
    facts = {"articles written a second": count / seconds, "CPU of this process, ms an article": 1000 * spent / count}
    facts["megabytes"] = (size() - empty) / 1e6
    with opened(url) as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    with opened(url, readonly=True) as connection:
        facts["canonical dump, s"] = timed(lambda: sum(1 for _ in canonical.lines(connection)))
        for what, sql in QUESTIONS.items():
            facts[what] = median(timed(lambda sql=sql: asked(connection, sql)) for _ in range(3))  # type: ignore[misc]
        numbers = random.Random(1).choices(queries.article_ids(connection, library.PORTAL.name), k=LOOKS)
        facts["one article, ms"] = median(1000 * timed(lambda n=n: shown(connection, n)) for n in numbers)  # type: ignore[misc]
    return facts


@contextmanager
def opened(url: str, *, readonly: bool = False) -> Iterator[Connection]:
    """Give a connection for the length of a block."""
    engine = make_engine(url, readonly=readonly)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds it takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def asked(connection: Connection, sql: str) -> object:
    """Ask a question and read its answer."""
    return connection.execute(text(sql.replace(":", "\\:"))).all()


def shown(connection: Connection, number: int) -> object:
    """Read an article with all its parts."""
    return queries.article(connection, number)


if __name__ == "__main__":
    main()
