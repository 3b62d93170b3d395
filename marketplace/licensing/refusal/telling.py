"""What the offer's thread, and its buyer, learn of a question to a holder: what is answered, never by whom."""

from collections.abc import Sequence

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.rules import RUNNING, state_now
from marketplace.licensing.seats import note, tell, tick

#: What is told once the license with the first refusal is over, however the question was answered.
ENDED = "ended"


def tell_asked(session: Session, actor: Actor, negotiation: Negotiation, rows: Sequence[FirstAsk]) -> None:
    """Say in a locked thread that holders are asked, once for all of them, and tell the offer's buyer."""
    until = max(row.answer_by for row in rows)
    for row in rows:
        row.told = row.state
    at, details = tick(negotiation), {"until": until.isoformat()}
    note(session, actor, negotiation, "first_asked", at, version=negotiation.current_version, details=details)
    tell(session, negotiation, "buyer", "offer_first_asked", until=until)


def tell_answers(session: Session, actor: Actor, *, limit: int = 200) -> int:
    """Say in the threads of offers that still stand what became of the question; returns how many questions moved.

    For the clock: a holder who answers may not read the offer, nor whose it is.
    """
    over = License.state.not_in(RUNNING) & (FirstAsk.state != "taken_up")
    said = case((over, ENDED), else_=FirstAsk.state)
    query = (
        select(FirstAsk, said)
        .join(License, License.id == FirstAsk.license_id)
        .where(FirstAsk.told.is_distinct_from(said))
        .order_by(FirstAsk.id)
        .limit(limit)
        .with_for_update(of=FirstAsk, skip_locked=True)
    )
    found = session.execute(query).all()
    for row, state in found:
        row.told = state
        negotiation = lock(session, Negotiation, row.negotiation_id)
        if state_now(negotiation, clock.now()) != "open" or negotiation.current_version != row.version:
            continue
        if state == "open":
            tell_asked(session, actor, negotiation, [row])
            continue
        details = {"state": state}
        note(session, actor, negotiation, "first_answered", tick(negotiation), version=row.version, details=details)
        tell(session, negotiation, "buyer", f"offer_first_{state}")
    return len(found)
