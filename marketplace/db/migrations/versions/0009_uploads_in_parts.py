"""Uploads in parts: the store's id of one that was begun."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assets", sa.Column("upload_id", sa.String(length=1024), nullable=True))


def downgrade() -> None:
    op.drop_column("assets", "upload_id")
