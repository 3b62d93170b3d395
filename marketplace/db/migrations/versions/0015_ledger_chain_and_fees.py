"""The ledger's hash chain and chart of accounts, the dated fee schedule, and which fee a checkout was opened under."""

import os

import sqlalchemy as sa
from alembic import op

from marketplace.db.row_security import OPERATOR, append_only, protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# code, kind, sign of the balance (0: either), one for each organization
_CHART = (
    ("assets:stripe", "asset", 0, False),
    ("assets:bank", "asset", 0, False),
    ("assets:disputed", "asset", 1, False),
    ("assets:receivable", "asset", 1, True),
    ("liabilities:held", "liability", -1, True),
    ("liabilities:refunds", "liability", -1, False),
    ("revenue:fees", "income", 0, False),
    ("expenses:processing", "expense", 0, False),
    ("expenses:disputes", "expense", 0, False),
    ("expenses:losses", "expense", 0, False),
    ("equity:exchange", "equity", 0, False),
)

CONTENT = """
create function ledger_content(wanted text) returns text language sql stable as $$
  select jsonb_build_array(
    t.id, t.key, t.kind, t.subject_id, t.memo, t.external_id,
    to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    (select jsonb_agg(jsonb_build_array(
       e.id, e.account, e.org_id, e.amount, e.currency,
       to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')) order by e.id)
     from ledger_entries e where e.transaction_id = t.id)
  )::text
  from ledger_transactions t where t.id = wanted
$$
"""
# The lock is taken at commit and held until the commit is written; the head is read after it, by a statement of its
# own, so that it sees what the holder before has committed.
CHAIN = """
create function chain_ledger() returns trigger language plpgsql as $$
declare
  last_seq bigint;
  last_hash bytea;
begin
  perform pg_advisory_xact_lock(hashtextextended('ledger chain', 0));
  select seq, hash into last_seq, last_hash from ledger_links order by seq desc limit 1;
  insert into ledger_links(seq, transaction_id, hash)
  values (coalesce(last_seq, 0) + 1, new.id,
          sha256(coalesce(last_hash, ''::bytea) || convert_to(ledger_content(new.id), 'UTF8')));
  return null;
end $$
"""
ENTRY = """
create function check_ledger_entry() returns trigger language plpgsql as $$
begin
  if not exists (
    select 1 from ledger_accounts a where a.per_org = (new.org_id is not null)
      and new.account = case when a.per_org then a.code || ':' || new.org_id else a.code end
  ) then
    raise exception 'account % is not in the chart of accounts', new.account using errcode = 'check_violation';
  end if;
  if exists (select 1 from ledger_links l where l.transaction_id = new.transaction_id) then
    raise exception 'ledger transaction % is closed', new.transaction_id using errcode = 'check_violation';
  end if;
  return new;
end $$
"""
# What was booked before is chained in the order it was booked in.
BACKFILL = """
do $$
declare
  t record;
  n bigint := 0;
  last bytea := '';
begin
  for t in select id from ledger_transactions order by created_at, id loop
    n := n + 1;
    last := sha256(last || convert_to(ledger_content(t.id), 'UTF8'));
    insert into ledger_links(seq, transaction_id, hash) values (n, t.id, last);
  end loop;
end $$
"""
# The vendor's object behind each booking; the rows were written before the column was there.
EXTERNAL = (
    "update ledger_transactions t set external_id = c.charge_id from checkouts c where t.key = 'paid:' || c.id",
    "update ledger_transactions t set external_id = c.charge_id from checkouts c where t.key = 'processing:' || c.id",
    "update ledger_transactions t set external_id = r.stripe_transfer_id from transfers r"
    " where t.key = 'transfer:' || r.id",
)


def upgrade() -> None:
    op.create_table(
        "ledger_accounts",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("per_org", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind in ('asset', 'liability', 'income', 'expense', 'equity')", name=op.f("ck_ledger_accounts_kind")
        ),
        sa.CheckConstraint("side in (-1, 0, 1)", name=op.f("ck_ledger_accounts_side")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ledger_accounts")),
    )
    chart = sa.table("ledger_accounts", *(sa.column(name) for name in ("code", "kind", "side", "per_org")))
    op.bulk_insert(chart, [dict(zip(("code", "kind", "side", "per_org"), line, strict=True)) for line in _CHART])
    append_only(op, "ledger_accounts")
    protect(op, "ledger_accounts", read="true", write="false")
    op.create_table(
        "ledger_links",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transaction_id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transactions.id"], name=op.f("fk_ledger_links_transaction_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_links")),
        sa.UniqueConstraint("transaction_id", name=op.f("uq_ledger_links_transaction_id")),
    )
    append_only(op, "ledger_links")
    protect(op, "ledger_links", read=OPERATOR, write="false")
    op.add_column("ledger_transactions", sa.Column("external_id", sa.String(length=80), nullable=True))
    op.create_index(op.f("ix_ledger_transactions_external_id"), "ledger_transactions", ["external_id"])
    op.execute("alter table ledger_transactions disable trigger append_only")
    for statement in EXTERNAL:
        op.execute(statement)
    op.execute("alter table ledger_transactions enable trigger append_only")
    op.execute(CONTENT)
    op.execute(BACKFILL)
    op.execute(CHAIN)
    op.execute(
        "create constraint trigger chained after insert on ledger_transactions deferrable initially deferred"
        " for each row execute function chain_ledger()"
    )
    op.execute(ENTRY)
    op.execute(
        "create trigger charted before insert on ledger_entries for each row execute function check_ledger_entry()"
    )
    _fees()


def _fees() -> None:
    op.create_table(
        "fee_rates",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bps between 0 and 10000", name=op.f("ck_fee_rates_bps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_rates")),
        sa.UniqueConstraint("purpose", "valid_from", name=op.f("uq_fee_rates_purpose_valid_from")),
    )
    # An installation that had its own fee keeps it: until now it stood in this variable.
    bps = int(os.environ.get("PLATFORM_FEE_BPS") or "1000")
    for purpose in ("license", "order", "royalty"):
        op.execute(
            "insert into fee_rates(purpose, bps, valid_from, note, created_at)"
            f" values ('{purpose}', {bps}, date '2026-01-01', 'First schedule', now())"
        )
    append_only(op, "fee_rates")
    protect(op, "fee_rates", read="true", write=OPERATOR)
    for table in ("checkouts", "transfers"):
        op.add_column(table, sa.Column("fee_bps", sa.Integer(), nullable=False, server_default=str(bps)))
        op.add_column(table, sa.Column("fee_since", sa.Date(), nullable=False, server_default="2026-01-01"))
        for column in ("fee_bps", "fee_since"):
            op.alter_column(table, column, server_default=None)


def downgrade() -> None:
    for table in ("checkouts", "transfers"):
        op.drop_column(table, "fee_bps")
        op.drop_column(table, "fee_since")
    op.drop_table("fee_rates")
    op.execute("drop trigger charted on ledger_entries")
    op.execute("drop function check_ledger_entry()")
    op.execute("drop trigger chained on ledger_transactions")
    op.execute("drop function chain_ledger()")
    op.execute("drop function ledger_content(text)")
    op.drop_index(op.f("ix_ledger_transactions_external_id"), table_name="ledger_transactions")
    op.drop_column("ledger_transactions", "external_id")
    op.drop_table("ledger_links")
    op.drop_table("ledger_accounts")
