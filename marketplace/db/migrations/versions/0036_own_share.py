"""Of a refund or dispute of several payees each reads its own share only, in the database as well."""

from alembic import op

from marketplace.config import WEB_ROLE, WORKER_ROLE
from marketplace.db.row_security import OPERATOR, ORG

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_BEFORE = f"payer_org_id = {ORG} or jsonb_exists(orgs, {ORG}) or {OPERATOR}"
_WHOLE = f"payer_org_id = {ORG} or (jsonb_exists(orgs, {ORG}) and jsonb_array_length(orgs) = 1) or {OPERATOR}"
# The rows of which the reader is a payee, with the reader's own share in place of the whole where there are several.
_SHARED = """
create function shared_{table}() returns setof {table} language sql stable security definer
set search_path = public, pg_temp as $$
  select s.* from {table} r
  cross join lateral jsonb_populate_record(r, case when jsonb_array_length(r.orgs) = 1 then '{{}}'::jsonb else
    (select jsonb_build_object('amount', coalesce(sum(t.gross), 0){more}) from transfers t
     where t.checkout_id = r.checkout_id and t.org_id = {org}) end) s
  where jsonb_exists(r.orgs, {org})
$$
"""
_MORE = {"refunds": "", "disputes": ", 'withdrawn', 0"}


def upgrade() -> None:
    for table, more in _MORE.items():
        op.execute(_SHARED.format(table=table, more=more, org=ORG))
        op.execute(f"revoke all on function shared_{table}() from public")
        op.execute(f"grant execute on function shared_{table}() to {WEB_ROLE}, {WORKER_ROLE}")
        op.execute(f"alter policy web_read on {table} using ({_WHOLE})")
    check = "with check ({0})"
    op.execute(f"alter policy web_insert on refunds {check.format(_WHOLE)}")
    op.execute(f"alter policy web_update on refunds using ({_WHOLE}) {check.format(_WHOLE)}")
    op.execute(f"alter policy web_delete on refunds using ({_WHOLE})")


def downgrade() -> None:
    check = f"with check ({_BEFORE})"
    op.execute(f"alter policy web_delete on refunds using ({_BEFORE})")
    op.execute(f"alter policy web_update on refunds using ({_BEFORE}) {check}")
    op.execute(f"alter policy web_insert on refunds {check}")
    for table in _MORE:
        op.execute(f"alter policy web_read on {table} using ({_BEFORE})")
        op.execute(f"drop function shared_{table}()")
