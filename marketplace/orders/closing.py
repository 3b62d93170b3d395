"""How requests end without an award: their quote runs out, or the order is canceled. Only jobs come here."""

from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock, lock_all
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.notifications.operations import notify_org
from marketplace.orders.models import Order, Quote, Rfq
from marketplace.orders.rules import QUOTE, RFQ

BATCH = 200


def expire_quotes(session: Session, actor: Actor) -> int:
    """Mark open quotes whose last day (UTC) has passed, at most a batch, and tell the workshops; returns how many."""
    today = clock.now().astimezone(UTC).date()
    query = select(Quote.rfq_id).where(Quote.state == "open", Quote.valid_until < today)
    rfqs = lock_all(session, Rfq, session.scalars(query.order_by(Quote.valid_until).limit(BATCH)).all())
    expired = 0
    for rfq in rfqs:
        quote = session.scalars(select(Quote).where(Quote.rfq_id == rfq.id, Quote.state == "open")).one_or_none()
        if quote is None or quote.valid_until >= today or not RFQ.can(rfq.state, "expire", {"system"}):
            continue
        QUOTE.advance(quote, "expire", {"system"})
        RFQ.advance(rfq, "expire", {"system"})
        record(session, actor, "quote.expired", quote.id, owner_org_id=quote.maker_org_id, rfq=rfq.id)
        notify_org(session, rfq.maker_org_id, "quote_lapsed", path=f"/requests/{rfq.id}", design=rfq.spec["title"])
        expired += 1
    return expired


def close_requests(session: Session, actor: Actor, order_id: str) -> None:
    """Close every request of a canceled order and tell the workshops; harmless when repeated."""
    if lock(session, Order, order_id).state != "canceled":
        return
    rfqs = lock_all(session, Rfq, session.scalars(select(Rfq.id).where(Rfq.order_id == order_id)).all())
    for quote in session.scalars(
        select(Quote).where(Quote.order_id == order_id, Quote.state.in_(("open", "expired"))).with_for_update()
    ):
        QUOTE.advance(quote, "lose", {"system"})
    for rfq in rfqs:
        if RFQ.can(rfq.state, "lose", {"system"}):
            RFQ.advance(rfq, "lose", {"system"})
            record(session, actor, "rfq.closed", rfq.id, owner_org_id=rfq.maker_org_id, order=order_id)
            notify_org(
                session, rfq.maker_org_id, "order_canceled", path=f"/requests/{rfq.id}", design=rfq.spec["title"]
            )
