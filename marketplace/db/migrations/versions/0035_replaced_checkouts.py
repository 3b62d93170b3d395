"""A checkout that another one has replaced can still be paid: its money goes back, and it has shares of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_LIVE = "state in ('open','paid')"


def upgrade() -> None:
    op.add_column("checkouts", sa.Column("replaced", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("checkouts", "replaced", server_default=None)
    op.execute(
        "update checkouts c set replaced = true where state = 'expired' and exists (select 1 from checkouts n"
        " where n.purpose = c.purpose and n.subject_id = c.subject_id and n.created_at > c.created_at)"
    )
    _live_index(f"{_LIVE} and not replaced")
    op.drop_constraint("uq_transfers_subject_id_kind_org_id", "transfers", type_="unique")
    op.create_unique_constraint(
        "uq_transfers_checkout_id_kind_org_id", "transfers", ["checkout_id", "kind", "org_id", "milestone"]
    )


def downgrade() -> None:
    op.drop_constraint("uq_transfers_checkout_id_kind_org_id", "transfers", type_="unique")
    op.create_unique_constraint(
        "uq_transfers_subject_id_kind_org_id", "transfers", ["subject_id", "kind", "org_id", "milestone"]
    )
    _live_index(_LIVE)
    op.drop_column("checkouts", "replaced")


def _live_index(where: str) -> None:
    op.drop_index("uq_checkouts_live", "checkouts")
    op.create_index(
        "uq_checkouts_live", "checkouts", ["purpose", "subject_id"], unique=True, postgresql_where=sa.text(where)
    )
