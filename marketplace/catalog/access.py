"""What a member may open in the catalog."""

from sqlalchemy.orm import Session

from marketplace.designs.models import Design
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound


def load_listed(session: Session, actor: Actor, design_id: str) -> Design:
    """A listed design; its own studio sees it here too. Raises NotFound for drafts and removed ones."""
    found = session.get(Design, design_id)
    if found is None or found.state != "listed":
        raise NotFound
    return found
