"""Where payees bank, files for the platform's bank, and the shares in each."""

import sqlalchemy as sa
from alembic import op

from marketplace.db.row_security import OPERATOR, ORG, protect

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payee_banks",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=70), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("usable_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(length=40), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=op.f("fk_payee_banks_org_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee_banks")),
    )
    op.create_index(
        "uq_payee_banks_current",
        "payee_banks",
        ["org_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.create_table(
        "bank_files",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("execute_on", sa.Date(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("approved_by", sa.String(length=40), nullable=True),
        sa.Column("taken_by", sa.String(length=40), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('making','made','taken','closed','canceled')", name=op.f("ck_bank_files_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_files")),
    )
    op.create_index("ix_bank_files_created", "bank_files", ["created_at", "id"])
    op.create_table(
        "bank_items",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("file_id", sa.String(length=40), nullable=False),
        sa.Column("transfer_id", sa.String(length=40), nullable=False),
        sa.Column("bank_id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=4), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('included','executed','returned','canceled')", name=op.f("ck_bank_items_state")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_bank_items_amount")),
        sa.ForeignKeyConstraint(["file_id"], ["bank_files.id"], name=op.f("fk_bank_items_file_id")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name=op.f("fk_bank_items_transfer_id")),
        sa.ForeignKeyConstraint(["bank_id"], ["payee_banks.id"], name=op.f("fk_bank_items_bank_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_items")),
    )
    op.create_index("ix_bank_items_file", "bank_items", ["file_id"])
    op.create_index("ix_bank_items_org", "bank_items", ["org_id"])
    op.create_index(
        "uq_bank_items_live",
        "bank_items",
        ["transfer_id"],
        unique=True,
        postgresql_where=sa.text("state in ('included','executed')"),
    )
    protect(op, "payee_banks", read=f"org_id = {ORG} or {OPERATOR}", write=f"org_id = {ORG}")
    protect(op, "bank_files", read=OPERATOR)
    protect(op, "bank_items", read=f"org_id = {ORG} or {OPERATOR}", write=OPERATOR)


def downgrade() -> None:
    for table in ("bank_items", "bank_files", "payee_banks"):
        op.drop_table(table)
