"""The captures an article of several parts, or with a counter script, was put together from.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create article_part."""
    op.create_table(
        "article_part",
        sa.Column("capture_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("part_capture_id", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint("kind IN ('part', 'counter')", name=op.f("ck_article_part_kind")),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name=op.f("fk_article_part_capture_id")),
        sa.ForeignKeyConstraint(["part_capture_id"], ["capture.id"], name=op.f("fk_article_part_part_capture_id")),
        sa.PrimaryKeyConstraint("capture_id", "kind", "number", name=op.f("pk_article_part")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_article_part_part_capture_id"), "article_part", ["part_capture_id"])
