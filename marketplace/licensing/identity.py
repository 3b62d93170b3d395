"""When the designer learns who the buyer is: once, with the agreement that names both, and seen by both."""

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.seats import tick
from marketplace.notifications.operations import notify_org


def unlock(session: Session, actor: Actor, held: License) -> None:
    """Show the buyer's name to the designer from now on; the thread, both sides and both audit logs say so.

    The caller holds the license's lock. A second call changes nothing.
    """
    negotiation = lock(session, Negotiation, held.negotiation_id)
    if negotiation.buyer_named_at is not None:
        return
    negotiation.buyer_named_at = tick(negotiation)
    parties = (negotiation.designer_org_id, negotiation.buyer_org_id)
    for owner in parties:
        record(
            session,
            actor,
            "negotiation.buyer_named",
            negotiation.id,
            owner_org_id=owner,
            license=held.id,
            buyer_org_id=negotiation.buyer_org_id,
        )
    title = str(negotiation.snapshot.get("title", ""))
    path = f"/negotiations/{negotiation.id}"
    notify_org(session, negotiation.designer_org_id, "buyer_named_to_you", path=path, mail=False, design=title)
    notify_org(session, negotiation.buyer_org_id, "you_were_named", path=path, mail=False, design=title)
