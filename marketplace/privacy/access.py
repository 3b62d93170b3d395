"""Who may see a data request: the person who made it."""

from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.privacy.models import PrivacyRequest


def load_request(session: Session, actor: Actor, request_id: str) -> PrivacyRequest:
    """One of the person's own requests; raises NotFound."""
    found = session.get(PrivacyRequest, request_id)
    if found is None or found.user_id != actor.user_id:
        raise NotFound
    return found
