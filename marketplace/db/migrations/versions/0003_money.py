"""Ledger, payments, payouts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.db.row_security import OPERATOR, ORG, append_only, protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHECK_BALANCED = """
create or replace function check_balanced() returns trigger language plpgsql as $$
begin
  if exists (select 1 from ledger_entries where transaction_id = new.transaction_id
             group by currency having sum(amount) <> 0) then
    raise exception 'ledger transaction % does not balance', new.transaction_id using errcode = 'check_violation';
  end if;
  return null;
end $$
"""


def upgrade() -> None:
    op.create_table(
        "checkouts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("payer_org_id", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("splits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("success_path", sa.String(length=300), nullable=False),
        sa.Column("cancel_path", sa.String(length=300), nullable=False),
        sa.Column("customer_email", sa.String(length=320), nullable=True),
        sa.Column("stripe_session_id", sa.String(length=120), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("payment_intent", sa.String(length=80), nullable=True),
        sa.Column("charge_id", sa.String(length=80), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkouts")),
        sa.UniqueConstraint("stripe_session_id", name=op.f("uq_checkouts_stripe_session_id")),
    )
    op.create_index(
        "ix_checkouts_open", "checkouts", ["created_at"], unique=False, postgresql_where=sa.text("state = 'open'")
    )
    op.create_index(
        "uq_checkouts_live",
        "checkouts",
        ["purpose", "subject_id"],
        unique=True,
        postgresql_where=sa.text("state in ('open','paid')"),
    )
    op.create_table(
        "ledger_transactions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=True),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transactions")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_transactions_key")),
    )
    op.create_index(op.f("ix_ledger_transactions_subject_id"), "ledger_transactions", ["subject_id"], unique=False)
    op.create_table(
        "payment_accounts",
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("stripe_account_id", sa.String(length=80), nullable=True),
        sa.Column("transfers_active", sa.Boolean(), nullable=False),
        sa.Column("payouts_enabled", sa.Boolean(), nullable=False),
        sa.Column("details_submitted", sa.Boolean(), nullable=False),
        sa.Column("requirements", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("disabled_reason", sa.String(length=120), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_payment_accounts")),
        sa.UniqueConstraint("stripe_account_id", name=op.f("uq_payment_accounts_stripe_account_id")),
    )
    op.create_table(
        "payment_events",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("type", sa.String(length=120), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=True),
        sa.Column("object_type", sa.String(length=60), nullable=True),
        sa.Column("object_id", sa.String(length=120), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_events")),
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("failure_code", sa.String(length=60), nullable=True),
        sa.Column("arrival_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
    )
    op.create_index("ix_payouts_org", "payouts", ["org_id", "created_at"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transactions.id"], name=op.f("fk_ledger_entries_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    op.create_index("ix_ledger_entries_org", "ledger_entries", ["org_id", "id"], unique=False)
    op.create_index(op.f("ix_ledger_entries_transaction_id"), "ledger_entries", ["transaction_id"], unique=False)
    op.create_table(
        "transfers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("org_id", sa.String(length=40), nullable=False),
        sa.Column("checkout_id", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("stripe_transfer_id", sa.String(length=80), nullable=True),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checkout_id"], ["checkouts.id"], name=op.f("fk_transfers_checkout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("stripe_transfer_id", name=op.f("uq_transfers_stripe_transfer_id")),
        sa.UniqueConstraint("subject_id", "kind", "org_id", name=op.f("uq_transfers_subject_id_kind_org_id")),
    )
    op.create_index("ix_transfers_org", "transfers", ["org_id", "created_at", "id"], unique=False)
    op.execute(CHECK_BALANCED)
    op.execute(
        "create constraint trigger balanced after insert on ledger_entries deferrable initially deferred"
        " for each row execute function check_balanced()"
    )
    append_only(op, "ledger_transactions")
    append_only(op, "ledger_entries")
    op.create_check_constraint("amount_positive", "checkouts", "amount > 0")
    op.create_check_constraint("state_known", "checkouts", "state in ('open','paid','expired')")
    op.create_check_constraint("amounts_add_up", "transfers", "gross = fee + amount and fee >= 0 and amount >= 0")
    op.create_check_constraint("state_known", "transfers", "state in ('held','due','sending','sent','failed')")
    protect(op, "payment_accounts", read=f"org_id = {ORG} or {OPERATOR}", write=f"org_id = {ORG}")
    protect(op, "checkouts", read=f"payer_org_id = {ORG} or {OPERATOR}", write=f"payer_org_id = {ORG}")
    protect(op, "transfers", read=f"org_id = {ORG} or {OPERATOR}", write="false")
    protect(op, "payouts", read=f"org_id = {ORG} or {OPERATOR}", write="false")
    protect(op, "ledger_entries", read=f"org_id = {ORG} or {OPERATOR}", write="false")
    protect(
        op,
        "ledger_transactions",
        read="exists (select 1 from ledger_entries e where e.transaction_id = ledger_transactions.id)",
        write="false",
    )


def downgrade() -> None:
    op.execute("drop policy web_read on ledger_transactions")
    op.drop_index("ix_transfers_org", table_name="transfers")
    op.drop_table("transfers")
    op.drop_index(op.f("ix_ledger_entries_transaction_id"), table_name="ledger_entries")
    op.drop_index("ix_ledger_entries_org", table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_index("ix_payouts_org", table_name="payouts")
    op.drop_table("payouts")
    op.drop_table("payment_events")
    op.drop_table("payment_accounts")
    op.drop_index(op.f("ix_ledger_transactions_subject_id"), table_name="ledger_transactions")
    op.drop_table("ledger_transactions")
    op.drop_index("uq_checkouts_live", table_name="checkouts", postgresql_where=sa.text("state in ('open','paid')"))
    op.drop_index("ix_checkouts_open", table_name="checkouts", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("checkouts")
    op.execute("drop function check_balanced()")
