"""The schedule's standing and its runs, and the reports of crawls.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create job_standing, job_run, job_news and report."""
    op.create_table(
        "job_standing",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("settled_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("job", "portal", name=op.f("pk_job_standing")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("do", sa.String(length=16), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.String(length=27), nullable=False),
        sa.Column("resumed", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.String(length=27), nullable=False),
        sa.Column("finished_at", sa.String(length=27)),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("goes_on", sa.String(length=8)),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.Column("pid", sa.Integer()),
        sa.Column("argv", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("log", sa.Text()),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'stopped', 'interrupted', 'killed', 'failed', 'storage')",
            name=op.f("ck_job_run_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    op.create_index(op.f("ix_job_run_job_portal"), "job_run", ["job", "portal"])
    op.create_table(
        "job_news",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("told_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("job", "portal", name=op.f("pk_job_news")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("findings", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint("verdict IN ('well', 'attention', 'broken', 'early')", name=op.f("ck_report_verdict")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_report_run_id")),
        sa.ForeignKeyConstraint(["portal"], ["portal.name"], name=op.f("fk_report_portal")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_report")),
    )
    op.create_index(op.f("ix_report_portal_job"), "report", ["portal", "job"])
