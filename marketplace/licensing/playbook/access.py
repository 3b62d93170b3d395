"""Loading term sheets and approvals for the organization that asks; everything else is not there."""

from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.licensing.playbook.models import Approval, TermSheet
from marketplace.policy.decide import relations_of
from marketplace.policy.scoped import load_for, relations

_OWNER = {"owner": "org_id"}


def load_sheet(session: Session, actor: Actor, sheet_id: str, **_more: str) -> TermSheet:
    """A term sheet of the actor's own studio, deleted ones too. Raises NotFound."""
    return load_for(session, actor, TermSheet, sheet_id, _OWNER)


def load_approval(session: Session, actor: Actor, approval_id: str, **_more: str) -> Approval:
    """Something the actor's organization holds back. Raises NotFound."""
    return load_for(session, actor, Approval, approval_id, _OWNER)


@relations_of.register(TermSheet)
@relations_of.register(Approval)
def _own(subject: TermSheet | Approval, actor: Actor) -> frozenset[str]:
    return relations(subject, actor, _OWNER)
