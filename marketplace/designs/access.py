"""Loading designs and files for one actor, and what an actor is to them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Design
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.policy.decide import relations_of


@relations_of.register
def _design(subject: Design, actor: Actor) -> frozenset[str]:
    if actor.kind == "system":
        return frozenset({"system"})
    return frozenset({"owner"}) if actor.org_id == subject.org_id else frozenset()


@relations_of.register
def _asset(subject: Asset, actor: Actor) -> frozenset[str]:
    if actor.kind == "system":
        return frozenset({"system"})
    return frozenset({"owner"}) if actor.org_id == subject.org_id else frozenset()


def load_design(session: Session, actor: Actor, design_id: str, **_more: str) -> Design:
    """A design of the actor's organization; raises NotFound."""
    query = select(Design).where(Design.id == design_id, Design.org_id == actor.org_id)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_asset(session: Session, actor: Actor, asset_id: str, **_more: str) -> Asset:
    """A file of the actor's organization that has not been removed; raises NotFound."""
    query = select(Asset).where(Asset.id == asset_id, Asset.org_id == actor.org_id, Asset.removed_at.is_(None))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found
