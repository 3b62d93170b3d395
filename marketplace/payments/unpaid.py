"""Checkouts that end without a payment: the page expired, or the buyer's bank refused."""

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel.actor import Actor
from marketplace.notifications.operations import notify_org
from marketplace.payments import titles
from marketplace.payments.models import Checkout
from marketplace.payments.rules import CHECKOUT

_SYSTEM = frozenset({"system"})


def mark_expired(session: Session, checkout_id: str) -> bool:
    """Give up an open checkout whose page has expired; nothing happens to a paid one. Whether it was open."""
    row = lock(session, Checkout, checkout_id)
    if row.state != "open":
        return False
    CHECKOUT.advance(row, "expire", _SYSTEM)
    return True


def mark_refused(session: Session, actor: Actor, checkout_id: str) -> bool:
    """Give up an open checkout whose bank payment came to nothing; the buyer is told, and may pay again."""
    ended = mark_expired(session, checkout_id)
    if ended:
        row = session.get_one(Checkout, checkout_id)
        record(session, actor, "payment.refused", row.id, owner_org_id=row.payer_org_id, outcome="failed")
        said = {"amount": row.total, "design": titles.param(row)}
        notify_org(session, row.payer_org_id, "payment_refused", path=row.cancel_path, **said)
    return ended
