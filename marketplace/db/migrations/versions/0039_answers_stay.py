"""What the bank said stays as it was taken over."""

from alembic import op

from marketplace.db.row_security import append_only

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    append_only(op, "bank_answers")


def downgrade() -> None:
    op.execute("drop trigger append_only on bank_answers")
