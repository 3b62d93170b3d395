"""Loading negotiations and licenses for the organization that asks; everything else is not there."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.licensing.models import Addendum, License, Negotiation
from marketplace.policy.decide import relations_of
from marketplace.policy.scoped import TWO_SIDES, load_for, relations


def load_negotiation(session: Session, actor: Actor, negotiation_id: str, **_more: str) -> Negotiation:
    """A negotiation the actor's organization is a party of. Raises NotFound."""
    return load_for(session, actor, Negotiation, negotiation_id, TWO_SIDES)


def load_license(session: Session, actor: Actor, license_id: str, **_more: str) -> License:
    """A license the actor's organization is a party of. Raises NotFound."""
    return load_for(session, actor, License, license_id, TWO_SIDES)


@dataclass(frozen=True, slots=True)
class AddendumOf:
    """An addendum with its license, whose parties are the addendum's."""

    held: License
    row: Addendum


def load_addendum(session: Session, actor: Actor, license_id: str, addendum_id: str, **_more: str) -> AddendumOf:
    """An addendum of a license the actor's organization is a party of. Raises NotFound."""
    held = load_license(session, actor, license_id)
    row = session.scalars(
        select(Addendum).where(Addendum.id == addendum_id, Addendum.license_id == license_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    return AddendumOf(held, row)


@relations_of.register(AddendumOf)
def _parties_of_addendum(subject: AddendumOf, actor: Actor) -> frozenset[str]:
    return relations_of(subject.held, actor)


@relations_of.register(Negotiation)
@relations_of.register(License)
def _parties(subject: Negotiation | License, actor: Actor) -> frozenset[str]:
    return relations(subject, actor, TWO_SIDES)
