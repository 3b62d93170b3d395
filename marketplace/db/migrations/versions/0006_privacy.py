"""Requests about personal data."""

import sqlalchemy as sa
from alembic import op

from marketplace.db.row_security import OPERATOR, USER, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('access', 'erase', 'correct', 'restrict')", name=op.f("ck_privacy_requests_kind")),
        sa.CheckConstraint("state in ('received', 'done', 'failed')", name=op.f("ck_privacy_requests_state")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_privacy_requests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_requests")),
    )
    op.create_index("ix_privacy_requests_user", "privacy_requests", ["user_id", "created_at", "id"])
    protect(op, "privacy_requests", read=f"user_id = {USER} or {OPERATOR}", write=f"user_id = {USER}")


def downgrade() -> None:
    op.drop_index("ix_privacy_requests_user", table_name="privacy_requests")
    op.drop_table("privacy_requests")
