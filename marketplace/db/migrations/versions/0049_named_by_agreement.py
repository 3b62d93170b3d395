"""The agreement names its parties: buyers whose agreement is drawn up are named, also those without an order yet."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The inbox follows at once, so that no later step finds its triggers waiting.
    op.execute("set constraints all immediate")
    op.execute(
        "update negotiations n set buyer_named_at = l.created_at from licenses l"
        " where l.negotiation_id = n.id and l.document_key is not null and n.buyer_named_at is null"
    )
    op.execute("set constraints all deferred")


def downgrade() -> None:
    """What was told stays told."""
