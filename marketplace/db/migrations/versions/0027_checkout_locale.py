"""A checkout keeps the language of its page: asked for twice in two languages, the payment service refuses the page."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checkouts", sa.Column("locale", sa.String(10), nullable=False, server_default="en"))
    op.alter_column("checkouts", "locale", server_default=None)


def downgrade() -> None:
    op.drop_column("checkouts", "locale")
