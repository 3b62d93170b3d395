"""Which term sheet a design starts from is told to buyers once the design is listed, not before."""

from alembic import op

from marketplace.config import WEB_ROLE
from marketplace.db.row_security import ORG

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_OWN = f"org_id = {ORG}"
_BUYER = "current_setting('app.role', true) = 'buyer'"
_LISTED = "exists (select 1 from designs d where d.id = design_sheets.design_id and d.state = 'listed')"


def _readable(condition: str) -> None:
    op.execute("drop policy web_read on design_sheets")
    op.execute(f"create policy web_read on design_sheets for select to {WEB_ROLE} using ({condition})")


def upgrade() -> None:
    _readable(f"{_OWN} or ({_BUYER} and {_LISTED})")


def downgrade() -> None:
    _readable(f"{_OWN} or {_BUYER}")
