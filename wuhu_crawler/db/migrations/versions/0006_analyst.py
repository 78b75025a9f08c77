"""Suppressed articles, near-duplicates and the dictionary.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create suppression, fingerprint, near_duplicate and dictionary."""
    op.create_table(
        "suppression",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("portal", sa.String(length=64), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text()),
        sa.Column("suppressed_at", sa.String(length=27), nullable=False),
        sa.Column("suppressed_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.String(length=27)),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lift_reason", sa.Text()),
        sa.ForeignKeyConstraint(["portal"], ["portal.name"], name=op.f("fk_suppression_portal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_portal_article_id"), "suppression", ["portal", "article_id"])
    op.create_table(
        "fingerprint",
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("article_key", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["article_key"], ["article.key"], name=op.f("fk_fingerprint_article_key")),
        sa.PrimaryKeyConstraint("value", "article_key", name=op.f("pk_fingerprint")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "near_duplicate",
        sa.Column("article_key", sa.Integer(), nullable=False),
        sa.Column("other_key", sa.Integer(), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["article_key"], ["article.key"], name=op.f("fk_near_duplicate_article_key")),
        sa.ForeignKeyConstraint(["other_key"], ["article.key"], name=op.f("fk_near_duplicate_other_key")),
        sa.PrimaryKeyConstraint("article_key", "other_key", name=op.f("pk_near_duplicate")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_near_duplicate_other_key"), "near_duplicate", ["other_key"])
    op.create_table(
        "dictionary",
        sa.Column("object", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("type", sa.Text()),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('table', 'view', 'column')", name=op.f("ck_dictionary_kind")),
        sa.PrimaryKeyConstraint("object", "field", name=op.f("pk_dictionary")),
        sqlite_with_rowid=False,
    )
