"""Loading statements and inquiries for the organization that asks; everything else is not there."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.policy.decide import relations_of
from marketplace.royalties.models import Inquiry, Statement


def load_statement(session: Session, actor: Actor, statement_id: str, **_more: str) -> Statement:
    """A statement the actor's organization is a party of. Raises NotFound."""
    found = session.scalars(
        select(Statement).where(
            Statement.id == statement_id,
            or_(Statement.designer_org_id == actor.org_id, Statement.buyer_org_id == actor.org_id),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_inquiry(session: Session, actor: Actor, inquiry_id: str, **_more: str) -> Inquiry:
    """A question or audit the actor's organization is a party of. Raises NotFound."""
    found = session.scalars(
        select(Inquiry).where(
            Inquiry.id == inquiry_id,
            or_(Inquiry.designer_org_id == actor.org_id, Inquiry.buyer_org_id == actor.org_id),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


@relations_of.register(Statement)
@relations_of.register(Inquiry)
def _parties(subject: Statement | Inquiry, actor: Actor) -> frozenset[str]:
    if actor.org_id is None:
        return frozenset()
    sides = {"designer": subject.designer_org_id, "buyer": subject.buyer_org_id}
    return frozenset(side for side, org_id in sides.items() if org_id == actor.org_id)
