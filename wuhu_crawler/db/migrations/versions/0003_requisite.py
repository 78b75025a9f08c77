"""The pictures, style sheets, scripts and attachments of pages, and their captures.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create requisite."""
    op.create_table(
        "requisite",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("crawl_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("capture_id", sa.Integer()),
        sa.CheckConstraint("kind IN ('image', 'style', 'script', 'attachment')", name=op.f("ck_requisite_kind")),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_requisite_crawl_id")),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name=op.f("fk_requisite_capture_id")),
        sa.PrimaryKeyConstraint("url", "crawl_id", name=op.f("pk_requisite")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_requisite_capture_id"), "requisite", ["capture_id"])
