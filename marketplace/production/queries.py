"""Reading an order as a whole, with only the parts its reader may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Derivative
from marketplace.designs.pictures import Picture, Sign, group
from marketplace.kernel.actor import Actor
from marketplace.licensing.grant_models import Serial
from marketplace.manufacturing.models import Nda
from marketplace.manufacturing.queries import CadFetch, cad_fetches
from marketplace.orders.models import Order, Rfq
from marketplace.orders.present import money_out, order_out
from marketplace.orders.queries import party_names, rfqs_of
from marketplace.orders.rules import visible
from marketplace.policy.decide import relations_of
from marketplace.production.models import Shipment, StageEvent
from marketplace.production.rules import LAST


@dataclass(slots=True)
class Story:
    """Everything one reader may see of an order. `view` is the API's form of it."""

    view: dict[str, Any]
    who: frozenset[str]
    names: Mapping[str, str]
    events: Sequence[StageEvent] = ()
    shipment: Shipment | None = None
    serials: Sequence[Serial] = ()
    pictures: dict[str, Picture] = field(default_factory=dict)
    nda: Nda | None = None
    fetches: Sequence[CadFetch] = ()
    rfqs: Sequence[Rfq] = ()

    @property
    def stages(self) -> list[str]:
        """Codes of the recorded stages, oldest first."""
        return [event.stage for event in self.events]


def story(session: Session, actor: Actor, order: Order) -> Story:
    """The order with all its parts for this reader: at most five statements."""
    who = relations_of(order, actor)
    seen = visible(order.state, who)
    rfqs = rfqs_of(session, order) if "rfqs" in seen else []
    names = {**party_names(session, order), **{rfq.maker_org_id: rfq.maker.name for rfq in rfqs}}
    begun = order.state in {"in_production", "shipped", "delivered"}
    events = stage_events(session, order.id) if begun else []
    found = Story(view={}, who=who, names=names, events=events, rfqs=rfqs)
    signed = _papers(session, order, found)
    if any(event.evidence for event in events):
        found.pictures = evidence_pictures(session, order.id)
    if "nda" in seen and order.maker_org_id is not None:
        found.nda = signed
        if "cad" in seen:
            found.fetches = cad_fetches(session, order_id=order.id)
    quotes = sum(1 for rfq in rfqs if rfq.state == "quoted") if "rfqs" in seen else 1
    packed = bool(events) and events[-1].stage == LAST
    found.view = order_out(order, who, names, quotes=quotes, packed=packed)
    found.view["stages"] = [
        {
            "stage": event.stage,
            "note": event.note,
            "evidence": event.evidence,
            "at": event.created_at.isoformat(),
        }
        for event in events
    ]
    found.view["shipment"] = _shipment_out(found.shipment, worth="ship_to" in seen)
    if "nda" in seen:
        found.view["nda"] = {
            "version": order.nda_version,
            "signed": found.nda is not None,
            "signed_at": found.nda.created_at.isoformat() if found.nda else None,
            "revoked": found.nda is not None and found.nda.revoked_at is not None,
        }
    return found


def _papers(session: Session, order: Order, found: Story) -> Nda | None:
    """Put shipment and serials into the story, and return the NDA its maker signed; one statement for the three."""
    query = (
        select(Nda, Shipment, Serial)
        .select_from(Order)
        .outerjoin(
            Nda,
            (Nda.order_id == Order.id) & (Nda.maker_org_id == Order.maker_org_id) & (Nda.version == Order.nda_version),
        )
        .outerjoin(Shipment, Shipment.order_id == Order.id)
        .outerjoin(Serial, (Serial.order_id == Order.id) & Serial.released_at.is_(None))
        .where(Order.id == order.id)
        .order_by(Serial.first)
    )
    rows: Sequence[Any] = session.execute(query).all()
    nda: Nda | None = rows[0][0]
    found.shipment = rows[0][1]
    found.serials = [row[2] for row in rows if row[2] is not None]
    return nda


def stage_events(session: Session, order_id: str) -> Sequence[StageEvent]:
    """The recorded stages of an order, oldest first."""
    query = select(StageEvent).where(StageEvent.order_id == order_id).order_by(StageEvent.created_at, StageEvent.id)
    return session.scalars(query.limit(200)).all()


def evidence(session: Session, order_id: str) -> Sequence[Asset]:
    """The photos of an order, newest first."""
    query = (
        select(Asset)
        .where(Asset.order_id == order_id, Asset.kind == "evidence", Asset.removed_at.is_(None))
        .order_by(Asset.created_at.desc(), Asset.id)
        .limit(200)
    )
    return session.scalars(query).all()


def evidence_pictures(session: Session, order_id: str) -> dict[str, Picture]:
    """The pictures made of an order's photos, by asset id."""
    query = (
        select(Derivative)
        .where(Derivative.order_id == order_id)
        .order_by(Derivative.asset_id, Derivative.view, Derivative.width)
        .limit(1000)
    )
    return {picture.asset_id: picture for picture in group(session.scalars(query).all())}


def shots(found: Story, event: StageEvent, sign: Sign, alt: str) -> list[dict[str, str]]:
    """The pictures of a stage as the timeline shows them; those still being made are left out."""
    pictures = [found.pictures[asset_id] for asset_id in event.evidence if asset_id in found.pictures]
    return [{"src": p.url(sign, 320), "href": p.url(sign, 1600), "alt": alt} for p in pictures]


def _shipment_out(shipment: Shipment | None, *, worth: bool) -> dict[str, Any] | None:
    if shipment is None:
        return None
    return {
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "declared_value": money_out(shipment.declared) if worth else None,
        "shipped_at": shipment.shipped_at.isoformat(),
    }
