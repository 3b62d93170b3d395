"""Invoices may carry another address than the one of the sign-up."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the address, empty for those that said nothing."""
    op.add_column("tax_profiles", sa.Column("address", sa.Text(), server_default="", nullable=False))
    op.alter_column("tax_profiles", "address", server_default=None)


def downgrade() -> None:
    """Forget it."""
    op.drop_column("tax_profiles", "address")
