"""Which reminders of a dispute's evidence were sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("disputes", sa.Column("reminded", kind, nullable=False, server_default=sa.text("'[]'")))
    op.alter_column("disputes", "reminded", server_default=None)


def downgrade() -> None:
    op.drop_column("disputes", "reminded")
