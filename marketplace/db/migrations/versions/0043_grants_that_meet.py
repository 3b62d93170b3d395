"""What is taken of a design can be asked for a scope; grants that have nothing in common with it stay out."""

from alembic import op

from marketplace.config import WEB_ROLE, WORKER_ROLE
from marketplace.db.row_security import ORG

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_COLUMNS = """returns table (
  kind text, territories text, channels text, categories text, metals text,
  begins timestamptz, until timestamptz, held_until timestamptz, own text
) language sql stable security definer set search_path = public, pg_temp as $$
  select g.kind, g.terms->>'territories', g.terms->>'channels', g.terms->>'categories', g.terms->>'metals',
         lower(g.period), upper(g.period), g.held_until,"""
_OWN = f"""
         case when g.holder_org_id = asker
               and (session_user = '{WORKER_ROLE}' or {ORG} in (asker, g.designer_org_id)) then g.source_id end
  from rights_grants g"""

# For anybody who may negotiate over the design: scopes and times, no party and no money, as before. The place is
# `scope` (the four lists of a term sheet; a list that is absent or empty is everything), the time is left to whoever
# asks, since a grant of another time may still be what a later or shorter license has to keep clear of.
_MEETING = f"""
create function design_grants(wanted text, asker text, scope jsonb) {_COLUMNS}{_OWN},
       (select rights_set('territories', scope->'territories') territory_set,
               rights_set('channels', scope->'channels') channel_set,
               rights_set('categories', scope->'categories') category_set,
               rights_set('metals', scope->'metals') metal_set) asked
  where g.design_id = wanted
    and g.territory_set && asked.territory_set and g.channel_set && asked.channel_set
    and g.category_set && asked.category_set and g.metal_set && asked.metal_set
$$
"""
_EVERY = f"""
create function design_grants(wanted text, asker text) {_COLUMNS}{_OWN}
  where g.design_id = wanted
$$
"""


def _replace(former: str, statement: str, signature: str) -> None:
    op.execute(f"drop function {former}")
    op.execute(statement)
    op.execute(f"revoke all on function {signature} from public")
    op.execute(f"grant execute on function {signature} to {WEB_ROLE}, {WORKER_ROLE}")


def upgrade() -> None:
    """Narrow the function."""
    _replace("design_grants(text, text)", _MEETING, "design_grants(text, text, jsonb)")


def downgrade() -> None:
    """Widen it again."""
    _replace("design_grants(text, text, jsonb)", _EVERY, "design_grants(text, text)")
