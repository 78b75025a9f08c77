"""Which article a URL asks for, how far listings are known, and the plans of crawls.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add outcome.article_id, as far as captures tell it (a rebuild tells the rest); create listing_walk and plan."""
    op.add_column("outcome", sa.Column("article_id", sa.BigInteger()))
    op.execute(
        "UPDATE outcome SET article_id = (SELECT article_id FROM capture WHERE capture.id = outcome.capture_id) "
        "WHERE capture_id NOT IN (SELECT part_capture_id FROM article_part WHERE part_capture_id IS NOT NULL)"
    )
    op.create_index(op.f("ix_outcome_article_id"), "outcome", ["article_id"])
    op.create_table(
        "listing_walk",
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("listing", sa.Text(), nullable=False),
        sa.Column("crawl_id", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.String(length=27), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("ending", sa.String(length=16), nullable=False),
        sa.CheckConstraint("ending IN ('last page', 'known')", name=op.f("ck_listing_walk_ending")),
        sa.ForeignKeyConstraint(["portal"], ["portal.name"], name=op.f("fk_listing_walk_portal")),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_listing_walk_crawl_id")),
        sa.PrimaryKeyConstraint("portal", "listing", name=op.f("pk_listing_walk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plan",
        sa.Column("crawl_id", sa.String(length=64), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("planned", sa.Integer()),
        sa.Column("expected", sa.Float()),
        sa.Column("done", sa.Integer()),
        sa.Column("brought", sa.Integer()),
        sa.Column("skipped", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint("part IN ('listings', 'new', 'owed', 'gaps', 'rechecks')", name=op.f("ck_plan_part")),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_plan_crawl_id")),
        sa.PrimaryKeyConstraint("crawl_id", "part", name=op.f("pk_plan")),
        sqlite_with_rowid=False,
    )
