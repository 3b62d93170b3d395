"""The exact model of a CAD file is its owner's alone, also while its design is listed and its pictures are public."""

from alembic import op

from marketplace.config import WEB_ROLE
from marketplace.db.row_security import ORG

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        f"create policy own_models on derivatives as restrictive for select to {WEB_ROLE}"
        f" using (role <> 'studio_glb' or org_id = {ORG})"
    )


def downgrade() -> None:
    op.execute("drop policy own_models on derivatives")
