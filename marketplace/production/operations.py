"""Stages recorded, pieces shipped, delivery accepted and the money released. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.db.locks import lock
from marketplace.designs.models import Asset
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.money import Money
from marketplace.notifications.operations import notify_org
from marketplace.orders.models import Order
from marketplace.orders.rules import ORDER
from marketplace.payments.operations import release
from marketplace.payments.queries import gone_back
from marketplace.policy.decide import relations_of
from marketplace.production.models import Shipment, StageEvent
from marketplace.production.rules import BY_CODE, check, check_shippable

#: Asset states of a picture that has really arrived.
_ARRIVED = ("uploaded", "processing", "ready")
MAX_PHOTOS = 20


@dataclass(frozen=True, slots=True)
class Parcel:
    """How the pieces travel."""

    carrier: str
    tracking: str
    declared: Money | None = None


def record_stage(
    session: Session,
    actor: Actor,
    order: Order,
    stage: str,
    *,
    note: str | None = None,
    evidence: Sequence[str] | None = None,
) -> StageEvent:
    """Record a finished stage. `evidence` are asset ids; None takes every picture not yet used for a stage.

    Raises Conflict `stage_out_of_order`, `all_given_back` when nobody pays for it any more, Invalid `photo_missing`
    or `evidence_unknown`.
    """
    row = lock(session, Order, order.id)
    who = relations_of(row, actor)
    ORDER.target(row.state, "record_stage", who)
    _check_paid(session, row)
    events = session.scalars(select(StageEvent).where(StageEvent.order_id == row.id).order_by(StageEvent.created_at))
    done = list(events)
    photos = _evidence(session, row, done, evidence)
    check([event.stage for event in done], stage, len(photos))
    before = ORDER.advance(row, "record_stage", who)
    event = StageEvent(
        order_id=row.id,
        maker_org_id=row.maker_org_id or "",
        user_id=actor.user_id or "",
        stage=stage,
        note=note or None,
        evidence=photos,
    )
    session.add(event)
    session.flush()
    if not done:
        release(session, actor, purpose="order", subject_id=row.id, milestone="deposit")
    record(session, actor, "production.stage", row.id, owner_org_id=row.buyer_org_id, stage=stage, before=before)
    for org_id in (row.buyer_org_id, row.manager_org_id, row.designer_org_id):
        notify_org(
            session,
            org_id,
            f"stage_{stage}",
            path=f"/orders/{row.id}",
            design=row.design_title,
        )
    return event


def ship(session: Session, actor: Actor, order: Order, parcel: Parcel) -> Shipment:
    """The pieces have left the workshop. Raises Conflict `not_packed` before the last stage, `all_given_back`."""
    row = lock(session, Order, order.id)
    who = relations_of(row, actor)
    ORDER.target(row.state, "ship", who)
    _check_paid(session, row)
    query = select(StageEvent.stage).where(StageEvent.order_id == row.id).order_by(StageEvent.created_at)
    check_shippable(session.scalars(query).all())
    before = ORDER.advance(row, "ship", who)
    row.shipped_at = clock.now()
    shipment = Shipment(
        order_id=row.id,
        maker_org_id=row.maker_org_id or "",
        user_id=actor.user_id or "",
        carrier=parcel.carrier,
        tracking=parcel.tracking,
        declared_amount=parcel.declared.amount if parcel.declared else None,
        declared_currency=parcel.declared.currency if parcel.declared else None,
        shipped_at=row.shipped_at,
    )
    session.add(shipment)
    session.flush()
    record(session, actor, "order.shipped", row.id, owner_org_id=row.buyer_org_id, before=before)
    for org_id in (row.buyer_org_id, row.manager_org_id, row.designer_org_id):
        notify_org(
            session,
            org_id,
            "order_shipped",
            path=f"/orders/{row.id}",
            design=row.design_title,
            carrier=parcel.carrier,
            tracking=parcel.tracking,
        )
    return shipment


def accept_delivery(session: Session, actor: Actor, order: Order) -> Order:
    """The buyer has the pieces: the held money goes to the workshop and the designer."""
    row = lock(session, Order, order.id)
    before = ORDER.advance(row, "accept_delivery", relations_of(row, actor))
    row.delivered_at = clock.now()
    record(session, actor, "order.delivered", row.id, owner_org_id=row.buyer_org_id, before=before)
    release(session, actor, purpose="order", subject_id=row.id)
    for org_id in (row.maker_org_id, row.manager_org_id, row.designer_org_id):
        if org_id:
            notify_org(session, org_id, "delivery_accepted", path=f"/orders/{row.id}", design=row.design_title)
    return row


def _check_paid(session: Session, order: Order) -> None:
    if gone_back(session, order.id):
        raise Conflict("all_given_back", "All of the buyer's payment has gone back. Stop the work on this order.")


def check_at_work(order: Order) -> None:
    """Raise Conflict unless the workshop is to make, or is making, the pieces."""
    ORDER.target(order.state, "record_stage", {"maker"})


def stage_word(code: str) -> str:
    """The name of a stage in the current language."""
    found = BY_CODE.get(code)
    return str(found.label) if found else code


def _evidence(session: Session, order: Order, done: Sequence[StageEvent], wanted: Sequence[str] | None) -> list[str]:
    query = (
        select(Asset.id)
        .where(Asset.order_id == order.id, Asset.kind == "evidence", Asset.state.in_(_ARRIVED))
        .where(Asset.removed_at.is_(None))
        .order_by(Asset.created_at, Asset.id)
        .limit(500)
    )
    arrived = list(session.scalars(query))
    if wanted is None:
        used = {asset_id for event in done for asset_id in event.evidence}
        return [asset_id for asset_id in arrived if asset_id not in used][:MAX_PHOTOS]
    chosen = list(dict.fromkeys(wanted))
    if not set(chosen) <= set(arrived) or len(chosen) > MAX_PHOTOS:
        text = "Choose photos that were uploaded to this order."
        raise Invalid("evidence_unknown", "One of the photos is not there.", fields={"evidence": text})
    return chosen
