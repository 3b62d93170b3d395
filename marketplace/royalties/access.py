"""Loading statements and inquiries for the organization that asks; everything else is not there."""

from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.policy.decide import relations_of
from marketplace.policy.scoped import TWO_SIDES, load_for, relations
from marketplace.royalties.models import Inquiry, Statement


def load_statement(session: Session, actor: Actor, statement_id: str, **_more: str) -> Statement:
    """A statement the actor's organization is a party of. Raises NotFound."""
    return load_for(session, actor, Statement, statement_id, TWO_SIDES)


def load_inquiry(session: Session, actor: Actor, inquiry_id: str, **_more: str) -> Inquiry:
    """A question or audit the actor's organization is a party of. Raises NotFound."""
    return load_for(session, actor, Inquiry, inquiry_id, TWO_SIDES)


@relations_of.register(Statement)
@relations_of.register(Inquiry)
def _parties(subject: Statement | Inquiry, actor: Actor) -> frozenset[str]:
    return relations(subject, actor, TWO_SIDES)
