"""Loading term sheets and approvals for the organization that asks; everything else is not there."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.licensing.playbook.models import Approval, TermSheet
from marketplace.policy.decide import relations_of


def load_sheet(session: Session, actor: Actor, sheet_id: str, **_more: str) -> TermSheet:
    """A term sheet of the actor's own studio, deleted ones too. Raises NotFound."""
    query = select(TermSheet).where(TermSheet.id == sheet_id, TermSheet.org_id == actor.org_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_approval(session: Session, actor: Actor, approval_id: str, **_more: str) -> Approval:
    """Something the actor's organization holds back. Raises NotFound."""
    query = select(Approval).where(Approval.id == approval_id, Approval.org_id == actor.org_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


@relations_of.register(TermSheet)
@relations_of.register(Approval)
def _own(subject: TermSheet | Approval, actor: Actor) -> frozenset[str]:
    return frozenset({"owner"}) if subject.org_id == actor.org_id else frozenset()
