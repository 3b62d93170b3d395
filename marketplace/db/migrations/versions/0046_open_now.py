"""Where an exclusive can begin now: wherever nobody else has any right today, as the page of a design says."""

from alembic import op

from marketplace.db.row_security import ORG

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_EXCLUDING = "('exclusive', 'sole', 'buyout')"
_RESERVED = """
create or replace function design_reserved(wanted text, territory text) returns boolean language sql stable
security definer set search_path = public, pg_temp as $$
  select exists (
    select 1 from rights_grants g
    where g.design_id = wanted and {which}
      and (g.held_until is null or g.held_until > now())
      and (territory = 'WORLD' or g.territory_set && rights_set('territories', jsonb_build_array(territory)))
  )
$$
"""


def upgrade() -> None:
    op.execute(_RESERVED.format(which=f"g.period @> now() and g.holder_org_id is distinct from {ORG}"))
    op.drop_index("ix_rights_grants_excluding", "rights_grants")


def downgrade() -> None:
    op.execute(f"create index ix_rights_grants_excluding on rights_grants (design_id) where kind in {_EXCLUDING}")
    standing = "(upper_inf(g.period) or upper(g.period) > now())"
    op.execute(_RESERVED.format(which=f"g.kind in {_EXCLUDING} and {standing}"))
