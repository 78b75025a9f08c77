"""Alembic's environment: the connection comes from `engine.upgrade`, which also holds the transaction."""

from alembic import context

from wuhu_crawler.db.migrating import include_object
from wuhu_crawler.db.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=include_object,
    render_as_batch=True,  # SQLite changes most things of a table only by making it again
)
context.run_migrations()
