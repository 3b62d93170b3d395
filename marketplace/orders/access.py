"""Finding orders and requests for quotes that the actor may know about, and what the actor is to them."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from marketplace.accounts.models import Organization
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.orders.models import Order, Rfq
from marketplace.policy.decide import relations_of

#: Relation -> the column that names its organization.
_PARTIES = (
    ("buyer", "buyer_org_id"),
    ("designer", "designer_org_id"),
    ("manager", "manager_org_id"),
    ("maker", "maker_org_id"),
)


@dataclass(frozen=True, slots=True)
class CadDoor:
    """What stands before a CAD link: an order for its parties, or only the knowledge of one for a workshop that
    was asked for a quote.
    """

    order_id: str
    order: Order | None
    designer_org_id: str | None
    quoter: bool


def load_order(session: Session, actor: Actor, order_id: str) -> Order:
    """An order the actor's organization is a party of, with its parties; raises NotFound."""
    query = (
        select(Order)
        .where(Order.id == order_id, or_(*(getattr(Order, column) == actor.org_id for _name, column in _PARTIES)))
        .options(*(joinedload(getattr(Order, name)).load_only(Organization.name) for name, _column in _PARTIES))
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_rfq(session: Session, actor: Actor, rfq_id: str) -> Rfq:
    """A request for a quote that the actor's organization made or received; raises NotFound."""
    query = (
        select(Rfq)
        .where(Rfq.id == rfq_id, or_(Rfq.maker_org_id == actor.org_id, Rfq.manager_org_id == actor.org_id))
        .options(selectinload(Rfq.quotes))
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_cad_door(session: Session, actor: Actor, order_id: str) -> CadDoor:
    """The order, or the fact that the actor was asked to quote it; raises NotFound for everybody else."""
    try:
        order = load_order(session, actor, order_id)
        return CadDoor(order_id, order, order.designer_org_id, quoter=False)
    except NotFound:
        query = select(Rfq.designer_org_id).where(Rfq.order_id == order_id, Rfq.maker_org_id == actor.org_id)
        designer = session.scalars(query).one_or_none()
        if designer is None:
            raise
        return CadDoor(order_id, None, designer, quoter=True)


@relations_of.register
def _of_order(subject: Order, actor: Actor) -> frozenset[str]:
    if actor.org_id is None:
        return frozenset()
    return frozenset(name for name, column in _PARTIES if getattr(subject, column) == actor.org_id)


@relations_of.register
def _of_rfq(subject: Rfq, actor: Actor) -> frozenset[str]:
    found = {"maker": subject.maker_org_id, "manager": subject.manager_org_id}
    return frozenset(name for name, org in found.items() if actor.org_id is not None and org == actor.org_id)


@relations_of.register
def _of_door(subject: CadDoor, actor: Actor) -> frozenset[str]:
    if subject.order is not None:
        return _of_order(subject.order, actor)
    return frozenset({"quoter"}) if subject.quoter else frozenset()
