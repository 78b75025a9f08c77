"""Fixity: the hash of every closed WARC file, whose it is, and what the checks of them found.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

UTC = sa.String(27)


def upgrade() -> None:
    """Add the columns and the tables. Files closed before have no hash yet; the next process that writes takes it."""
    for name, kind in (("size", sa.BigInteger()), ("sha256", sa.String(64)), ("software", sa.Text()), ("checked_at", UTC)):
        op.add_column("warc_file", sa.Column(name, kind))
    op.create_table(
        "fixity_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", UTC, nullable=False),
        sa.Column("finished_at", UTC),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("files_done", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('running', 'interrupted', 'sound', 'damaged')", name=op.f("ck_fixity_run_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixity_run")),
    )
    op.create_table(
        "fixity_finding",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("file", sa.Text()),
        sa.Column("offset", sa.BigInteger()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["fixity_run.id"], name=op.f("fk_fixity_finding_run_id")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_fixity_finding")),
    )
