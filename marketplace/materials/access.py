"""Loading a number of the tables for a route."""

from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.materials.queries import Entry, entry


def load_entry(session: Session, actor: Actor, entry_id: str) -> Entry:
    """The number `alloy:<code>` or `rule:<code>` as the actor's organization uses it; raises NotFound."""
    found = entry(session, actor.org_id, entry_id)
    if found is None:
        raise NotFound
    return found
