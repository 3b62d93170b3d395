"""What the operator may load."""

from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.manufacturing.models import CadTrace


def load_organization(session: Session, actor: Actor, org_id: str) -> Organization:
    """An organization to review; never the operator's own (nobody vets themselves). Raises NotFound."""
    found = session.get(Organization, org_id)
    if found is None or found.kind == "operator" or found.id == actor.org_id:
        raise NotFound
    return found


def load_trace(session: Session, actor: Actor, trace_id: str) -> CadTrace:
    """A suspect file that was handed in for tracing. Raises NotFound."""
    del actor
    found = session.get(CadTrace, trace_id)
    if found is None:
        raise NotFound
    return found
