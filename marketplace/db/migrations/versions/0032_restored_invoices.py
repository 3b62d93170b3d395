"""An invoice can undo a credit note: of a dispute that was lost and then given back by the bank."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("restores_id", sa.String(length=40), nullable=True))
    op.create_foreign_key(op.f("fk_invoices_restores_id"), "invoices", "invoices", ["restores_id"], ["id"])
    op.create_check_constraint(op.f("ck_invoices_restores"), "invoices", "restores_id is null or kind = 'invoice'")
    op.create_index(
        "uq_invoices_restores",
        "invoices",
        ["restores_id"],
        unique=True,
        postgresql_where=sa.text("restores_id is not null"),
    )


def downgrade() -> None:
    op.drop_index("uq_invoices_restores", "invoices")
    op.drop_constraint(op.f("ck_invoices_restores"), "invoices", type_="check")
    op.drop_constraint(op.f("fk_invoices_restores_id"), "invoices", type_="foreignkey")
    op.drop_column("invoices", "restores_id")
