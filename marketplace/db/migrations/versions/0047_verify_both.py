"""The check of a signed document tells which paper a code or a file belongs to, so that both can be held together."""

from alembic import op

from marketplace.config import WEB_ROLE, WORKER_ROLE

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

# In braces: what the function tells beside the columns it had, and where licenses and addenda have it.
_VERIFY = """
create function verify_document(wanted_code text, wanted_sha256 text) returns table (
  kind text, number text, signed_at timestamptz, sealed_at timestamptz, signers integer, sealed_copy boolean,
  in_force boolean{columns}
) language sql stable security definer set search_path = public, pg_temp as $$
  select 'license', l.id, l.signed_at, l.sealed_at,
         (select count(*)::integer from signatures s where s.license_id = l.id and s.addendum_id is null),
         wanted_code is not null or coalesce(l.signed_document_sha256 = wanted_sha256, false),
         coalesce(l.state in ('active', 'breach') and l.active_from <= now()
                  and (l.active_until is null or l.active_until > now()), false){license}
  from licenses l
  where l.verify_code = wanted_code or l.signed_document_sha256 = wanted_sha256 or l.document_sha256 = wanted_sha256
  union all
  select a.kind, a.license_id, a.signed_at, a.sealed_at,
         (select count(*)::integer from signatures s where s.addendum_id = a.id),
         wanted_code is not null or coalesce(a.signed_document_sha256 = wanted_sha256, false),
         a.state = 'done' and (a.kind = 'termination' or (
         l.state in ('active', 'breach') and l.active_from <= now()
         and (l.active_until is null or l.active_until > now()))){addendum}
  from addenda a join licenses l on l.id = a.license_id
  where a.verify_code = wanted_code or a.signed_document_sha256 = wanted_sha256 or a.document_sha256 = wanted_sha256
  limit 1
$$
"""
_BEFORE = {"columns": "", "license": "", "addendum": ""}
_AFTER = {
    "columns": ", sealed_sha256 text, paper text",
    "license": ", l.signed_document_sha256, l.id",
    "addendum": ", a.signed_document_sha256, a.id",
}


def upgrade() -> None:
    _replace(_AFTER)


def downgrade() -> None:
    _replace(_BEFORE)


def _replace(parts: dict[str, str]) -> None:
    op.execute("drop function verify_document(text, text)")
    op.execute(_VERIFY.format(**parts))
    op.execute("revoke all on function verify_document(text, text) from public")
    op.execute(f"grant execute on function verify_document(text, text) to {WEB_ROLE}, {WORKER_ROLE}")
