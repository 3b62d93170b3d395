"""Reading first refusals and what their holders were asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.licensing.grant_models import Grant
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.rights import FIRST_REFUSAL, proposed
from marketplace.licensing.rights_map import scope_of
from marketplace.licensing.rules import RUNNING, state_now
from marketplace.licensing.terms import Terms
from marketplace.policy.decide import relations_of
from marketplace.policy.scoped import TWO_SIDES, load_for, relations


def load_ask(session: Session, actor: Actor, ask_id: str) -> FirstAsk:
    """A question to a holder, for the designer and the holder. Raises NotFound."""
    return load_for(session, actor, FirstAsk, ask_id, TWO_SIDES)


@relations_of.register
def _parties(subject: FirstAsk, actor: Actor) -> frozenset[str]:
    return relations(subject, actor, TWO_SIDES)


def first_refusals(session: Session, negotiation: Negotiation, terms: Terms) -> list[License]:
    """Others' first refusals in force that `terms` collide with, as the designer may know them. One statement."""
    wanted = proposed(terms, clock.now())
    query = (
        select(Grant, License)
        .join(License, License.id == Grant.source_id)
        .where(
            Grant.design_id == negotiation.design_id,
            Grant.kind == FIRST_REFUSAL,
            Grant.holder_org_id != negotiation.buyer_org_id,
            License.state.in_(RUNNING),
        )
        .order_by(Grant.source_id)
        .limit(200)
    )
    return [held for row, held in session.execute(query).all() if wanted.collides(scope_of(row))]


@dataclass(frozen=True, slots=True)
class Firsts:
    """What the designer sees of first refusals in the way of the offer on the table: who was asked, who can be."""

    asked: Sequence[FirstAsk]
    open: bool


def firsts_of(session: Session, negotiation: Negotiation, terms: Terms) -> Firsts:
    """In two statements."""
    asked = asks_of_offer(session, negotiation)
    known = {row.license_id for row in asked}
    return Firsts(asked, any(held.id not in known for held in first_refusals(session, negotiation, terms)))


def moot(session: Session, row: FirstAsk) -> bool:
    """Whether the offer it is about is no longer on the table; for the designer, who alone may know of it."""
    negotiation = session.get_one(Negotiation, row.negotiation_id)
    return state_now(negotiation, clock.now()) != "open" or negotiation.current_version != row.version


def asks_of_offer(session: Session, negotiation: Negotiation) -> Sequence[FirstAsk]:
    """What was asked about the version on the table, the first first."""
    query = select(FirstAsk).where(
        FirstAsk.negotiation_id == negotiation.id,
        FirstAsk.version == negotiation.current_version,
        FirstAsk.state != "withdrawn",
    )
    return session.scalars(query.order_by(FirstAsk.created_at, FirstAsk.id)).all()


def asks_of_license(session: Session, license_id: str) -> Sequence[FirstAsk]:
    """What the holder of a license was asked, the last first."""
    query = select(FirstAsk).where(FirstAsk.license_id == license_id)
    return session.scalars(query.order_by(FirstAsk.created_at.desc(), FirstAsk.id.desc()).limit(50)).all()
