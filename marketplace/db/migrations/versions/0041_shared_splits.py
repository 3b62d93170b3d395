"""What several payees read of a refund or dispute is their share of the payment, not of what was sent once more."""

from alembic import op

from marketplace.db.row_security import ORG

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_SHARED = """
create or replace function shared_{table}() returns setof {table} language sql stable security definer
set search_path = public, pg_temp as $$
  select s.* from {table} r
  cross join lateral jsonb_populate_record(r, case when jsonb_array_length(r.orgs) = 1 then '{{}}'::jsonb else
    (select jsonb_build_object('amount', coalesce(sum({gross}), 0){more}) from {shares}) end) s
  where jsonb_exists(r.orgs, {org})
$$
"""
_MORE = {"refunds": "", "disputes": ", 'withdrawn', 0"}
_BEFORE = ("t.gross", f"transfers t where t.checkout_id = r.checkout_id and t.org_id = {ORG}")
# A share that is owed once more is a transfer of its own beside the one that came back; the payment was split once.
_SPLITS = (
    "(p ->> 'gross')::bigint",
    "checkouts c cross join lateral jsonb_array_elements(c.splits) p"
    f" where c.id = r.checkout_id and p ->> 'org_id' = {ORG}",
)


def _replace(gross: str, shares: str) -> None:
    for table, more in _MORE.items():
        op.execute(_SHARED.format(table=table, more=more, org=ORG, gross=gross, shares=shares))


def upgrade() -> None:
    _replace(*_SPLITS)


def downgrade() -> None:
    _replace(*_BEFORE)
