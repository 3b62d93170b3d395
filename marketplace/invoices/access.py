"""Loading an invoice for one of its two parties; everybody else does not learn of it."""

from sqlalchemy.orm import Session

from marketplace.invoices.models import Invoice
from marketplace.kernel.actor import Actor
from marketplace.policy.decide import relations_of
from marketplace.policy.scoped import load_for, relations

_PARTIES = {"issuer": "issuer_org_id", "recipient": "recipient_org_id"}


def load_invoice(session: Session, actor: Actor, invoice_id: str) -> Invoice:
    """An invoice that the actor's organization issued or received. Raises NotFound."""
    return load_for(session, actor, Invoice, invoice_id, _PARTIES)


@relations_of.register
def _of_invoice(subject: Invoice, actor: Actor) -> frozenset[str]:
    return relations(subject, actor, _PARTIES)
