"""Anybody may ask whether a document was signed here: a function that tells no party, no design and no terms."""

from alembic import op

from marketplace.config import WEB_ROLE, WORKER_ROLE

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# It runs as the owner of the tables, because row security hides licenses from everybody but their parties.
_VERIFY = """
create function verify_document(wanted_code text, wanted_sha256 text) returns table (
  kind text, number text, signed_at timestamptz, sealed_at timestamptz, signers integer, sealed_copy boolean,
  in_force boolean
) language sql stable security definer set search_path = public, pg_temp as $$
  select 'license', l.id, l.signed_at, l.sealed_at,
         (select count(*)::integer from signatures s where s.license_id = l.id and s.addendum_id is null),
         wanted_code is not null or coalesce(l.signed_document_sha256 = wanted_sha256, false),
         coalesce(l.state in ('active', 'breach') and l.active_from <= now()
                  and (l.active_until is null or l.active_until > now()), false)
  from licenses l
  where l.verify_code = wanted_code or l.signed_document_sha256 = wanted_sha256 or l.document_sha256 = wanted_sha256
  union all
  select a.kind, a.license_id, a.signed_at, a.sealed_at,
         (select count(*)::integer from signatures s where s.addendum_id = a.id),
         wanted_code is not null or coalesce(a.signed_document_sha256 = wanted_sha256, false),
         a.state = 'done' and (a.kind = 'termination' or (
         l.state in ('active', 'breach') and l.active_from <= now()
         and (l.active_until is null or l.active_until > now())))
  from addenda a join licenses l on l.id = a.license_id
  where a.verify_code = wanted_code or a.signed_document_sha256 = wanted_sha256 or a.document_sha256 = wanted_sha256
  limit 1
$$
"""


def upgrade() -> None:
    for table in ("licenses", "addenda"):
        op.create_index(f"ix_{table}_document_sha256", table, ["document_sha256"])
        op.create_index(f"ix_{table}_signed_document_sha256", table, ["signed_document_sha256"])
    op.execute(_VERIFY)
    op.execute("revoke all on function verify_document(text, text) from public")
    op.execute(f"grant execute on function verify_document(text, text) to {WEB_ROLE}, {WORKER_ROLE}")


def downgrade() -> None:
    op.execute("drop function verify_document(text, text)")
    for table in ("licenses", "addenda"):
        op.drop_index(f"ix_{table}_signed_document_sha256", table)
        op.drop_index(f"ix_{table}_document_sha256", table)
