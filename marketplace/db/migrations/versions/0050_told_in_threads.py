"""Threads say when rights are held and what whoever is asked first answers."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_BEFORE = (
    "agreed",
    "disagreed",
    "resolved",
    "unresolved",
    "handed_over",
    "accepted",
    "declined",
    "withdrawn",
    "expired",
    "reopened",
)


def upgrade() -> None:
    _kinds((*_BEFORE, "held", "released", "first_asked", "first_answered"))
    op.add_column("first_asks", sa.Column("told", sa.String(length=10)))
    # What was answered before is not told as if it were new.
    op.execute("update first_asks set told = state")


def downgrade() -> None:
    op.drop_column("first_asks", "told")
    # Events are never removed; those of the newer kinds are let be.
    _kinds(_BEFORE, " not valid")


def _kinds(kinds: tuple[str, ...], more: str = "") -> None:
    names = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("alter table negotiation_events drop constraint ck_negotiation_events_kind")
    op.execute(
        f"alter table negotiation_events add constraint ck_negotiation_events_kind check (kind in ({names})){more}"
    )
