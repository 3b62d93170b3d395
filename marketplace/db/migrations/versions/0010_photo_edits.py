"""Edits of photos as data, and copies of covers marked for one viewer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db import row_security
from marketplace.db.row_security import ORG

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("derivatives", sa.Column("edits", _JSON, nullable=True))
    op.create_table(
        "photo_edits",
        sa.Column("asset_id", sa.String(length=40), nullable=False),
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("history", _JSON, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("report", _JSON, nullable=True),
        sa.Column("notes", _JSON, nullable=False),
        sa.Column("published", _JSON, nullable=True),
        sa.Column("published_by", sa.String(length=40), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('plain', 'queued', 'ready', 'failed', 'published')", name=op.f("ck_photo_edits_state")
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name=op.f("fk_photo_edits_asset_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_photo_edits")),
    )
    op.create_index("ix_photo_edits_design", "photo_edits", ["design_id"], unique=False)
    row_security.protect(op, "photo_edits", read=f"org_id = {ORG}")
    op.create_table(
        "marked_covers",
        sa.Column("design_id", sa.String(length=40), nullable=False),
        sa.Column("viewer_org_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["design_id"], ["designs.id"], name=op.f("fk_marked_covers_design_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("design_id", "viewer_org_id", name=op.f("pk_marked_covers")),
    )
    # Its viewer sees a copy; the worker alone makes and takes copies.
    row_security.protect(op, "marked_covers", read=f"viewer_org_id = {ORG}", write="false")


def downgrade() -> None:
    op.drop_table("marked_covers")
    op.drop_index("ix_photo_edits_design", table_name="photo_edits")
    op.drop_table("photo_edits")
    op.drop_column("derivatives", "edits")
