"""A refund that could not be made can be called off; a share remembers that it was released."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_STATES = "'asked', 'approved', 'refunding', 'done', 'failed', 'declined', 'withdrawn'"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_refunds_state"), "refunds", type_="check")
    op.create_check_constraint("state", "refunds", f"state in ({_STATES}, 'undone')")
    op.add_column("transfers", sa.Column("released_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("transfers", "released_at")
    op.execute("update refunds set state = 'failed' where state = 'undone'")
    op.drop_constraint(op.f("ck_refunds_state"), "refunds", type_="check")
    op.create_check_constraint("state", "refunds", f"state in ({_STATES})")
