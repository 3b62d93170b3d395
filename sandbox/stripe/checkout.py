"""Checkout sessions: made by the platform, paid on the page or by the control API."""

from typing import Any

from sandbox.stripe import charges
from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import World

#: A session lives 24 hours unless told otherwise; it may be told 30 minutes up to 24 hours.
LONGEST_S, SHORTEST_S = 24 * 3600, 30 * 60


def create(world: World, params: dict[str, Any], base_url: str) -> Json:
    """A page for one payment."""
    if params.get("mode") != "payment":
        raise ApiError("This sandbox has mode=payment only.", param="mode", store=False)
    if not params.get("success_url"):
        raise ApiError("Missing required param: success_url.", code="parameter_missing", store=False)
    items = [_item(line) for line in params.get("line_items", [])]
    if not items:
        raise ApiError("Missing required param: line_items.", code="parameter_missing", store=False)
    currency, total = items[0]["currency"], sum(item["amount_total"] for item in items)
    if any(item["currency"] != currency for item in items):
        raise ApiError("All line items must have the same currency.", param="line_items", store=False)
    charges.check_amount(total, currency)
    now = world.now()
    expires = params.get("expires_at", now + LONGEST_S)
    if not now + SHORTEST_S - 60 <= expires <= now + LONGEST_S + 60:
        raise ApiError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
            store=False,
        )
    email = params.get("customer_email")
    session = world.store.new(
        "cs_test",
        "checkout.session",
        amount_subtotal=total,
        amount_total=total,
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        customer_details={"email": email, "name": None} if email else None,
        customer_email=email,
        expires_at=expires,
        locale=params.get("locale"),
        metadata=params.get("metadata", {}),
        mode="payment",
        payment_intent=None,
        payment_method_types=params.get("payment_method_types") or ["card", charges.bank_method(currency)],
        payment_status="unpaid",
        status="open",
        success_url=params["success_url"],
        _items=items,
        _intent_data=params.get("payment_intent_data", {}),
    )
    session["url"] = f"{base_url}/c/pay/{session['id']}"
    world.store.save(session)
    return session


def retrieve(world: World, _: dict[str, Any], session_id: str) -> Json:
    """A session."""
    return world.store.get(session_id, "checkout.session")


def expire(world: World, _: dict[str, Any], session_id: str) -> Json:
    """Close an open session."""
    session = _open(world, session_id, 'Only Checkout Sessions with a status in ["open"] can be expired.')
    session |= {"status": "expired", "url": None}
    world.store.save(session)
    world.emit("checkout.session.expired", session)
    return session


def pay(world: World, session_id: str, card: str = "4242424242424242") -> Json:
    """The buyer pays by card."""
    session = _open(world, session_id, "This Checkout Session is no longer open.")
    intent = _intent(world, session)
    charges.succeed(world, intent, card)
    session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"], "url": None}
    world.store.save(session)
    world.emit("checkout.session.completed", session)
    return session


def pay_by_bank(world: World, session_id: str) -> Json:
    """The buyer tells the bank to pay: the session is complete, the money comes days later or not at all."""
    session = _open(world, session_id, "This Checkout Session is no longer open.")
    if len(session["payment_method_types"]) < 2:
        raise ApiError("This Checkout Session takes cards only.")
    intent = _intent(world, session)
    charges.start_bank(world, intent)
    session |= {"status": "complete", "payment_intent": intent["id"], "url": None, "_bank_since": world.store.now()}
    world.store.save(session)
    world.emit("checkout.session.completed", session)
    return session


def settle_bank(world: World, session_id: str, *, paid: bool) -> Json:
    """The buyer's bank has paid, or has refused."""
    session = world.store.get(session_id, "checkout.session")
    intent = world.store.find(session["payment_intent"] or "")
    if intent is None or intent["status"] != "processing":
        raise ApiError("No bank payment is under way.")
    charges.finish_bank(world, intent, paid=paid)
    if paid:
        session["payment_status"] = "paid"
        world.store.save(session)
    world.emit(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)
    return session


def settle_due(world: World) -> None:
    """Let the bank payments arrive whose time has come."""
    wait = world.settings["bank_after_s"]
    if wait < 0:
        return
    for session in list(world.store.all("checkout.session", lambda s: "_bank_since" in s)):
        intent = world.store.find(session["payment_intent"]) or {}
        if intent.get("status") == "processing" and session["_bank_since"] + wait <= world.store.now():
            settle_bank(world, session["id"], paid=True)


def decline(world: World, session_id: str, reason: str = "generic_decline") -> Json:
    """The buyer's bank says no; the session stays open for another card."""
    session = _open(world, session_id, "This Checkout Session is no longer open.")
    charges.decline(world, _intent(world, session), reason)
    return session


def expire_due(world: World) -> None:
    """Close the sessions whose time is up."""
    now = world.store.now()
    for session in list(world.store.all("checkout.session", lambda s: s["status"] == "open")):
        if session["expires_at"] <= now:
            expire(world, {}, session["id"])


def _open(world: World, session_id: str, refusal: str) -> Json:
    session = world.store.get(session_id, "checkout.session")
    if session["status"] != "open":
        raise ApiError(refusal, code="checkout_session_not_open")
    return session


def _intent(world: World, session: Json) -> Json:
    if session["payment_intent"]:
        return world.store.get(session["payment_intent"], "payment_intent")
    data = session["_intent_data"]
    intent = charges.create_intent(
        world,
        {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "description": data.get("description"),
            "metadata": data.get("metadata", {}),
            "transfer_group": data.get("transfer_group"),
        },
    )
    session["payment_intent"] = intent["id"]
    world.store.save(session)
    return intent


def _item(line: dict[str, Any]) -> Json:
    price = line.get("price_data")
    if not price or "unit_amount" not in price:
        raise ApiError("This sandbox has line_items with price_data[unit_amount] only.", store=False)
    quantity = line.get("quantity", 1)
    return {
        "description": price.get("product_data", {}).get("name", ""),
        "currency": price["currency"],
        "quantity": quantity,
        "unit_amount": price["unit_amount"],
        "amount_total": price["unit_amount"] * quantity,
    }
