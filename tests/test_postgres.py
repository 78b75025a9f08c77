"""The database on PostgreSQL: what is not the same there, and that all the rest is. `make test-postgres` runs these.

It fails, and does not skip, where PostgreSQL's server programs are missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wuhu_crawler.db import engine

pytestmark = pytest.mark.postgres


def test_the_cluster_is_ours_and_not_run_by_root(cluster: Any) -> None:
    pid = int((cluster.folder / "data/postmaster.pid").read_text().splitlines()[0])
    assert pid == cluster.server.pid
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert cluster.run("SHOW server_encoding") == [("UTF8",)]
    assert int(cluster.run("SHOW server_version_num")[0][0]) >= 150_000


def test_the_migrations_run(empty_postgres_url: str) -> None:
    assert engine.revision(empty_postgres_url) is None
    engine.upgrade(empty_postgres_url)
    assert engine.revision(empty_postgres_url) == engine.head()
    engine.upgrade(empty_postgres_url)
