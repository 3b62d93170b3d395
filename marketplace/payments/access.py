"""Loading payments, refunds and disputes for those whose money it is; everybody else does not learn of them."""

from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.payments import queries
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout
from marketplace.policy.decide import relations_of

T = TypeVar("T", Checkout, Refund, Dispute)
C = TypeVar("C", Refund, Dispute)


def load_payment(session: Session, actor: Actor, payment_id: str) -> Checkout:
    """A payment of the actor's, by its own id or by what it is for (a license, an order, a statement)."""
    live = Checkout.state.in_(("open", "paid")) & ~Checkout.replaced
    query = select(Checkout).where(
        Checkout.payer_org_id == actor.org_id,
        or_(Checkout.id == payment_id, (Checkout.subject_id == payment_id) & live),
    )
    found = session.scalars(query.order_by(Checkout.created_at.desc()).limit(1)).one_or_none()
    if found is None:
        raise NotFound
    return found


def load_refund(session: Session, actor: Actor, refund_id: str) -> Refund:
    """A refund that the actor gets or gives. Raises NotFound."""
    return _own(session, actor, Refund, refund_id)


def load_dispute(session: Session, actor: Actor, dispute_id: str) -> Dispute:
    """A dispute about the actor's payment or share. Raises NotFound."""
    return _own(session, actor, Dispute, dispute_id)


def load_any_payment(session: Session, actor: Actor, payment_id: str) -> Checkout:
    """Any payment, for an operator. Raises NotFound."""
    del actor
    return _any(session, Checkout, payment_id)


def load_any_refund(session: Session, actor: Actor, refund_id: str) -> Refund:
    """Any refund, for an operator. Raises NotFound."""
    del actor
    return _any(session, Refund, refund_id)


def load_any_dispute(session: Session, actor: Actor, dispute_id: str) -> Dispute:
    """Any dispute, for an operator. Raises NotFound."""
    del actor
    return _any(session, Dispute, dispute_id)


def _any(session: Session, model: type[T], key: str) -> T:
    found = session.get(model, key)
    if found is None:
        raise NotFound
    return found


def _own(session: Session, actor: Actor, model: type[C], key: str) -> C:
    found = queries.own(session, actor.org_id, model, key) if actor.org_id is not None else None
    if found is None:
        raise NotFound
    return found


@relations_of.register
def _of_checkout(subject: Checkout, actor: Actor) -> frozenset[str]:
    return frozenset({"payer"}) if actor.org_id is not None and subject.payer_org_id == actor.org_id else frozenset()


@relations_of.register
def _of_refund(subject: Refund, actor: Actor) -> frozenset[str]:
    return _sides(subject, actor)


@relations_of.register
def _of_dispute(subject: Dispute, actor: Actor) -> frozenset[str]:
    return _sides(subject, actor)


def _sides(subject: Refund | Dispute, actor: Actor) -> frozenset[str]:
    found = set()
    if actor.org_id is not None and actor.org_id == subject.payer_org_id:
        found.add("payer")
    if actor.org_id in subject.orgs:
        found.add("payee")
    return frozenset(found)
