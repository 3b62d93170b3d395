"""Loading an invoice for one of its two parties; everybody else does not learn of it."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.invoices.models import Invoice
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.policy.decide import relations_of


def load_invoice(session: Session, actor: Actor, invoice_id: str) -> Invoice:
    """An invoice that the actor's organization issued or received. Raises NotFound."""
    mine = or_(Invoice.issuer_org_id == actor.org_id, Invoice.recipient_org_id == actor.org_id)
    found = session.scalars(select(Invoice).where(Invoice.id == invoice_id, mine)).one_or_none()
    if found is None:
        raise NotFound
    return found


@relations_of.register
def _of_invoice(subject: Invoice, actor: Actor) -> frozenset[str]:
    sides = {"issuer": subject.issuer_org_id, "recipient": subject.recipient_org_id}
    return frozenset(name for name, org in sides.items() if actor.org_id is not None and org == actor.org_id)
