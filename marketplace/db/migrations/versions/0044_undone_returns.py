"""What was given back and undone stays, with its moment; statements count what went back of their payments."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_BEFORE = ("order", "refund", "sale", "audit")


def upgrade() -> None:
    op.add_column("give_backs", sa.Column("undone_at", sa.DateTime(timezone=True)))
    _kinds((*_BEFORE, "returned", "advance"))
    op.execute("update payment_accounts set disabled_reason = 'account_closed' where disabled_reason = 'closed'")


def downgrade() -> None:
    op.execute("update payment_accounts set disabled_reason = 'closed' where disabled_reason = 'account_closed'")
    # Lines of statements that stand are never removed; those of the newer kinds are let be.
    _kinds(_BEFORE, " not valid")
    op.execute("delete from give_backs where undone_at is not null")
    op.drop_column("give_backs", "undone_at")


def _kinds(kinds: tuple[str, ...], more: str = "") -> None:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("alter table royalty_lines drop constraint ck_royalty_lines_kind")
    op.execute(f"alter table royalty_lines add constraint ck_royalty_lines_kind check (kind in ({names})){more}")
