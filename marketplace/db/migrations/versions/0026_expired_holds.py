"""A hold that is moved into the past takes nothing any more, as one whose time has run out."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_EXCLUDING = "('exclusive','sole','buyout')"
_OVER = "if held <= now() then return; end if;"


def _write(unless: str) -> str:
    """The one writer of rights_grants; `unless` comes before what it inserts."""
    return f"""
create or replace function write_grant(source text, negotiation text, design text, designer text, holder text,
                            wanted text,
                            scope jsonb, during tstzrange, held timestamptz) returns void language plpgsql
set search_path = public, pg_temp as $$
declare number bigint := nextval('rights_lanes');
begin
  perform pg_advisory_xact_lock(hashtextextended('rights ' || design, 0));
  delete from rights_holds where design_id = design and held_until <= now();
  delete from rights_grants where source_id = source;
  {unless}
  insert into rights_grants (source_id, negotiation_id, design_id, designer_org_id, holder_org_id, kind, terms, period,
                             territory_set, channel_set, category_set, metal_set, lane, held_until)
  values (source, negotiation, design, designer, holder, wanted, scope, during,
          rights_set('territories', scope->'territories'), rights_set('channels', scope->'channels'),
          rights_set('categories', scope->'categories'), rights_set('metals', scope->'metals'),
          case when wanted in {_EXCLUDING} then int8range(null, null) else int8range(number, number, '[]') end, held);
end $$
"""


def upgrade() -> None:
    op.execute(_write(_OVER))


def downgrade() -> None:
    op.execute(_write(""))
