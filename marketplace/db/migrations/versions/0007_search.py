"""Catalog search that row security does not keep from its index."""

from alembic import op

from marketplace.config import WEB_ROLE, WORKER_ROLE

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Under row security a condition may use an index only if its operator is leakproof, and `@@` is not: a search would
# read every design and make its vector anew. This runs as the owner of the tables and tells ids of listed designs,
# which every reader of the catalog may see anyway.
_MATCHING = """
create function listed_designs_matching(wanted text) returns setof text
language sql stable security definer set search_path = public rows 200 as $$
  select d.id from designs d
  where d.state = 'listed' and to_tsvector('simple', d.search) @@ to_tsquery('simple', wanted)
$$
"""


def upgrade() -> None:
    op.execute(_MATCHING)
    op.execute("revoke all on function listed_designs_matching(text) from public")
    op.execute(f"grant execute on function listed_designs_matching(text) to {WEB_ROLE}, {WORKER_ROLE}")


def downgrade() -> None:
    op.execute("drop function listed_designs_matching(text)")
