"""What of a design is taken: the scopes of all licenses that hold rights, whoever the parties are.

Read through the database function `design_grants`, which tells scopes and no party: row security hides the rows
of other organizations from the web role, and nobody may learn who they are.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.db.locks import lock_name
from marketplace.kernel.errors import Conflict
from marketplace.licensing.rights import common_territories, first_collision, period, proposed, scope
from marketplace.licensing.terms import Terms

_GRANTS = text("select * from design_grants(:design)")


def lock_rights(session: Session, design_id: str) -> None:
    """Let nobody else grant rights of this design until the transaction ends. Take it before any row lock."""
    lock_name(session, f"rights {design_id}")


def refuse_collision(session: Session, design_id: str, terms: Terms, now: datetime) -> None:
    """Raise Conflict `rights_conflict` when `terms` cannot stand beside what is granted; hold `lock_rights` before."""
    wanted = proposed(terms, now)
    granted = []
    for row in session.execute(_GRANTS, {"design": design_id}):
        begins, until = (
            (row.active_from, row.active_until)
            if row.active_from
            else period(row.start, row.term_months, row.created_at)
        )
        lists = (row.territories, row.channels, row.categories, row.metals)
        granted.append(scope(row.kind, *lists, begins=begins, until=until))
    found = first_collision(wanted, granted)
    if found is None:
        return
    raise Conflict(
        "rights_conflict",
        "These rights are already licensed to somebody else, in whole or in part."
        " Agree on another territory, channel or time.",
        extra={
            "overlap": {
                "territories": common_territories(wanted, found),
                "until": found.until.isoformat() if found.until else None,
                "kind": found.kind,
            }
        },
    )
