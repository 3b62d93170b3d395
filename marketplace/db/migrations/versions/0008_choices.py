"""What a person chose about a CAD file: the layers that are read and the part each body plays."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "assets",
        sa.Column(
            "choices", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.alter_column("assets", "choices", server_default=None)


def downgrade() -> None:
    op.drop_column("assets", "choices")
