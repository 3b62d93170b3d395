"""Whether what a share waits for has happened, asked of the license, order or statement itself.

A share that is held anew, because what it had been given back for was undone, has missed the moment of its release.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.licensing.models import License
from marketplace.orders.models import Order
from marketplace.payments.models import Checkout, Transfer
from marketplace.payments.rules import condition
from marketplace.royalties.models import Statement

_BEGUN = frozenset({"in_production", "shipped", "delivered"})


def release_met(session: Session, checkout_id: str, cause: str) -> None:
    """Release what stands held of a payment though its condition is met; `cause` names what was undone."""
    checkout = session.get_one(Checkout, checkout_id)
    met = _met(session, checkout)
    held = select(Transfer).where(Transfer.checkout_id == checkout_id, Transfer.state == "held").order_by(Transfer.id)
    for share in session.scalars(held):
        needs = condition(share.purpose, share.kind, share.milestone)
        # What is owed once more has been released before; what came back by hand waits for a person.
        again = needs is None and share.reason != "reversed_outside"
        if again or needs in met or share.released_at is not None:
            args = {"purpose": share.purpose, "subject_id": share.subject_id, "milestone": share.milestone}
            stage(session, JobName.RELEASE_ORDER_FUNDS, f"{share.id}:{cause}", args)


def _met(session: Session, checkout: Checkout) -> frozenset[str]:
    if checkout.purpose == "order":
        order = session.get(Order, checkout.subject_id)
        state = order.state if order is not None else ""
        found = {"begun"} if state in _BEGUN else set()
        return frozenset(found | ({"accepted"} if state == "delivered" else set()))
    if checkout.purpose == "license":
        held = session.get(License, checkout.subject_id)
        return frozenset({"done"} if held is not None and held.active_from is not None else ())
    statement = session.get(Statement, checkout.subject_id)
    return frozenset({"done"} if statement is not None and statement.paid_at is not None else ())
