"""What happens to an order itself: placed under a license, checked out, paid, canceled."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.audit.operations import record
from marketplace.db.jobs import JobName, stage
from marketplace.db.locks import lock
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Conflict, Invalid, NotFound
from marketplace.kernel.money import Money
from marketplace.licensing.models import License, Negotiation
from marketplace.licensing.serials import issue
from marketplace.licensing.vocabulary import METALS, metal_alloys
from marketplace.notifications.operations import notify_org
from marketplace.orders.models import Order
from marketplace.orders.pricing import RoyaltyTerms
from marketplace.orders.rules import ORDER, check_metals
from marketplace.payments.operations import open_checkout
from marketplace.payments.queries import live_checkout
from marketplace.payments.rules import Share
from marketplace.policy.decide import relations_of


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of one kind; `ring_size` as the buyer names it ("US 6")."""

    quantity: int
    metal: str
    ring_size: str | None = None
    engraving: str | None = None


@dataclass(frozen=True, slots=True)
class ShipTo:
    """Where the pieces go; `country` is an ISO 3166 code."""

    name: str
    line1: str
    city: str
    country: str
    line2: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None


def place_order(
    session: Session,
    actor: Actor,
    license_id: str,
    *,
    lines: Sequence[Line],
    ship_to: ShipTo,
    manager_org_id: str | None = None,
) -> Order:
    """Order pieces under an active license.

    A design that is listed no more can still be ordered under its license. Raises Conflict `units_exceeded` past the
    license's number of pieces (counted under the license's lock), `party_suspended`, `no_manager` when there is no
    production manager to route the order; Invalid `metal_not_licensed`.
    """
    found = lock(session, License, license_id)
    if found.buyer_org_id != actor.org_id or actor.user_id is None:
        raise NotFound
    _check_active(found)
    check_parties(session, found.buyer_org_id, found.designer_org_id)
    if not lines or any(line.quantity < 1 for line in lines):
        raise Invalid("quantity_invalid", "Order at least one piece.", fields={"quantity": "Order at least one piece."})
    check_metals((line.metal for line in lines), licensed_metals(found.terms))
    quantity = sum(line.quantity for line in lines)
    snapshot = session.get_one(Negotiation, found.negotiation_id).snapshot
    order = Order(
        license_id=found.id,
        design_id=found.design_id,
        design_title=str(snapshot.get("title") or "")[:200],
        buyer_org_id=found.buyer_org_id,
        designer_org_id=found.designer_org_id,
        manager_org_id=_manager(session, manager_org_id),
        placed_by=actor.user_id,
        quantity=quantity,
        lines=[asdict(line) for line in lines],
        ship_to=asdict(ship_to),
        cad=_pins(snapshot),
        spec={
            "category": snapshot.get("category"),
            "facts": _facts(snapshot),
            "brief": found.terms.get("brief") or [],
            "metals": (snapshot.get("metadata") or {}).get("metals", []),
        },
        royalty={k: found.terms.get(k) for k in ("royalty_percent", "royalty_per_unit", "royalty_base", "advance")},
        currency=found.currency,
        state=ORDER.initial,
    )
    session.add(order)
    session.flush()
    issue(session, actor, license_id, quantity, order_id=order.id)
    record(session, actor, "order.placed", order.id, owner_org_id=order.buyer_org_id, quantity=quantity)
    path = f"/orders/{order.id}"
    for org_id in (order.manager_org_id, order.designer_org_id):
        notify_org(session, org_id, "order_created", path=path, quantity=quantity, design=order.design_title)
    return order


def open_order_checkout(session: Session, actor: Actor, order: Order) -> str:
    """Prepare the buyer's payment of an awarded order and return the checkout's id; the same one when repeated.

    Raises Conflict `party_suspended` when the workshop or another party may not trade any more.
    """
    row = lock(session, Order, order.id)
    ORDER.target(row.state, "checkout", relations_of(row, actor))
    production, royalty, total = row.production, row.royalty_due, row.total
    if production is None or royalty is None or total is None or row.maker_org_id is None:
        raise Conflict("not_awarded", "The order has not been awarded yet.")
    check_parties(session, row.buyer_org_id, row.designer_org_id, row.maker_org_id)
    shares = [Share(row.maker_org_id, "production", production)]
    if royalty.amount > 0:
        shares.append(Share(row.designer_org_id, "royalty", royalty))
    checkout_id = open_checkout(
        session,
        actor,
        purpose="order",
        subject_id=row.id,
        payer_org_id=row.buyer_org_id,
        amount=total,
        about={"design": row.design_title, "quantity": row.quantity, "reference": row.reference},
        shares=shares,
        agreed_at=row.awarded_at,
        success_path=f"/orders/{row.id}?paid=1",
        cancel_path=f"/orders/{row.id}",
    )
    row.checkout_id = checkout_id
    return checkout_id


def mark_paid(session: Session, actor: Actor, order_id: str) -> None:
    """The payment has arrived: the workshop may begin. Harmless when repeated."""
    order = lock(session, Order, order_id)
    if order.paid_at is not None:
        return
    before = ORDER.advance(order, "pay", {actor.kind})
    order.paid_at = clock.now()
    record(session, actor, "order.paid", order.id, owner_org_id=order.buyer_org_id, before=before)
    for org_id in (order.buyer_org_id, order.maker_org_id, order.manager_org_id, order.designer_org_id):
        if org_id:
            notify_org(session, org_id, "order_paid", path=f"/orders/{order.id}", design=order.design_title)


def payment_ended(session: Session, order_id: str, checkout_id: str) -> None:
    """The order's payment page has expired or the buyer's bank has refused: nobody need wait for it any more."""
    order = session.get(Order, order_id, with_for_update=True)
    if order is not None and order.checkout_id == checkout_id and order.paid_at is None:
        order.checkout_id = None


def cancel(session: Session, actor: Actor, order: Order, reason: str | None) -> Order:
    """Stop an order before it is paid. Raises Conflict `payment_under_way` while a payment page is open."""
    row = lock(session, Order, order.id)
    ORDER.target(row.state, "cancel", relations_of(row, actor))
    if _payment_begun(session, actor, row):
        raise Conflict("payment_under_way", "A payment for this order has begun. Wait until it is done or has expired.")
    before = ORDER.advance(row, "cancel", relations_of(row, actor))
    row.canceled_at, row.cancel_reason = clock.now(), reason
    record(session, actor, "order.canceled", row.id, owner_org_id=row.buyer_org_id, before=before)
    stage(session, JobName.EXPIRE_QUOTES, f"canceled-{row.id}", {"order_id": row.id}, subject=row.id)
    for org_id in {row.buyer_org_id, row.manager_org_id, row.designer_org_id} - {actor.org_id}:
        notify_org(session, org_id, "order_canceled", path=f"/orders/{row.id}", design=row.design_title)
    return row


def _payment_begun(session: Session, actor: Actor, order: Order) -> bool:
    """Whether a payment page may be open: the buyer's own checkout is asked, for others its existence is enough."""
    if order.checkout_id is None:
        return False
    return actor.org_id != order.buyer_org_id or live_checkout(session, "order", order.id) is not None


def licensed_metals(terms: dict[str, Any]) -> frozenset[str]:
    """The metals an order may name: what the license lists and the alloys of its families; all when it lists none."""
    named = list(terms.get("metals") or [])
    return metal_alloys(named) | frozenset(named or METALS)


def royalty_terms(order: Order) -> RoyaltyTerms:
    """The royalty terms frozen in the order."""
    per_unit, percent = order.royalty.get("royalty_per_unit"), order.royalty.get("royalty_percent")
    return RoyaltyTerms(
        percent=None if percent is None else Decimal(str(percent)),
        per_unit=None if per_unit is None else Money(per_unit["amount"], per_unit["currency"]),
        base=order.royalty.get("royalty_base"),
        advance=bool((order.royalty.get("advance") or {}).get("amount")),
    )


def check_parties(session: Session, *org_ids: str) -> None:
    """Raise Conflict `party_suspended` unless all of these organizations are approved."""
    states = session.scalars(select(Organization.state).where(Organization.id.in_(org_ids)))
    if any(state != "approved" for state in states):
        raise Conflict("party_suspended", "One of the parties may not trade at the moment.")


def _check_active(found: License) -> None:
    now = clock.now()
    started = found.active_from is None or found.active_from <= now
    if found.state != "active" or not started or (found.active_until is not None and found.active_until <= now):
        raise Conflict("license_not_active", "The license is not in force, so nothing can be ordered under it.")


def _manager(session: Session, wanted: str | None) -> str:
    query = select(Organization.id).where(Organization.kind == "production_manager", Organization.state == "approved")
    if wanted:
        query = query.where(Organization.id == wanted)
    found = session.scalars(query.order_by(Organization.created_at, Organization.id).limit(1)).one_or_none()
    if found is None and wanted:
        raise Invalid(
            "manager_unknown", "Choose a production manager.", fields={"manager": "Choose one of the offered values."}
        )
    if found is None:
        raise Conflict("no_manager", "No production manager is working here yet. Please try again later.")
    return found


def _facts(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """The facts of the design as they were negotiated about: {name, value, unit, source}, of weights also low, high."""
    found = snapshot.get("facts") or []
    rows = [{"name": name, **fact} for name, fact in found.items()] if isinstance(found, dict) else found
    return [
        {key: row.get(key) for key in ("name", "value", "unit", "source", *(("low", "high") if "low" in row else ()))}
        for row in rows
    ]


def _pins(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """The CAD files the license was negotiated about: {asset_id, filename, sha256}."""
    return [
        {"asset_id": item["asset_id"], "filename": item.get("filename") or "design", "sha256": item["sha256"]}
        for item in snapshot.get("cad") or []
    ]
