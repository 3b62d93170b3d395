"""Which version of a negotiation the buyer's colleagues are asked about."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("negotiations", sa.Column("considered_version", sa.Integer(), nullable=True))
    op.execute(
        "update negotiations n set considered_version = a.version from approvals a"
        " where a.negotiation_id = n.id and a.state = 'pending' and a.action in ('accept', 'offer')"
        " and a.version = n.current_version and n.state = 'open'"
    )


def downgrade() -> None:
    op.drop_column("negotiations", "considered_version")
