"""Loading negotiations and licenses for the organization that asks; everything else is not there."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.rules import side_of
from marketplace.policy.decide import relations_of


def load_negotiation(session: Session, actor: Actor, negotiation_id: str, **_more: str) -> Negotiation:
    """A negotiation the actor's organization is a party of. Raises NotFound."""
    found = session.scalars(
        select(Negotiation).where(
            Negotiation.id == negotiation_id,
            or_(Negotiation.designer_org_id == actor.org_id, Negotiation.buyer_org_id == actor.org_id),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_license(session: Session, actor: Actor, license_id: str, **_more: str) -> License:
    """A license the actor's organization is a party of. Raises NotFound."""
    found = session.scalars(
        select(License).where(
            License.id == license_id,
            or_(License.designer_org_id == actor.org_id, License.buyer_org_id == actor.org_id),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


@relations_of.register(Negotiation)
@relations_of.register(License)
def _parties(subject: Negotiation | License, actor: Actor) -> frozenset[str]:
    side = side_of(subject, actor)
    return frozenset({side}) if side else frozenset()
