"""Payment intents and charges, by card at once and by bank after days."""

import secrets
from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import LARGEST, SMALLEST, World, bank_fee, card_fee, valid_currency

#: Test cards and what they do, as in Stripe's testing guide.
CARDS = {
    "4242424242424242": ("succeed", None),
    "4000000000000002": ("decline", "generic_decline"),
    "4000000000009995": ("decline", "insufficient_funds"),
    "4000002500003155": ("challenge", None),
}
_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_authenticationRequired": "4000002500003155",
}
DECLINED = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}
#: The bank method of a currency; elsewhere buyers send a transfer themselves.
BANK_METHODS = {"usd": "us_bank_account", "eur": "sepa_debit", "gbp": "bacs_debit", "cad": "acss_debit"}


def bank_method(currency: str) -> str:
    """How a buyer's bank pays in a currency."""
    return BANK_METHODS.get(currency, "customer_balance")


def check_amount(amount: Any, currency: Any) -> None:
    """Refuse amounts outside Stripe's bounds and things that are not currencies."""
    if not valid_currency(currency):
        raise ApiError(f"Invalid currency: {currency}", param="currency", store=False)
    if not isinstance(amount, int) or amount < SMALLEST:
        raise ApiError(
            f"The amount must be at least {SMALLEST} {currency}", code="amount_too_small", param="amount", store=False
        )
    if amount > LARGEST:
        raise ApiError(
            f"The amount must be no more than {LARGEST} {currency}",
            code="amount_too_large",
            param="amount",
            store=False,
        )


def create_intent(world: World, params: dict[str, Any]) -> Json:
    """A payment intent, confirmed at once when asked for."""
    check_amount(params["amount"], params["currency"])
    intent = world.store.new(
        "pi",
        "payment_intent",
        amount=params["amount"],
        amount_received=0,
        client_secret=f"pi_secret_{secrets.token_hex(8)}",
        currency=params["currency"],
        description=params.get("description"),
        last_payment_error=None,
        latest_charge=None,
        metadata=params.get("metadata", {}),
        next_action=None,
        payment_method=params.get("payment_method"),
        status="requires_payment_method",
        transfer_group=params.get("transfer_group"),
    )
    world.emit("payment_intent.created", intent)
    if params.get("confirm"):
        confirm(world, {}, intent["id"])
    return intent


def confirm(world: World, params: dict[str, Any], intent_id: str) -> Json:
    """Take the payment with the intent's payment method."""
    intent = world.store.get(intent_id, "payment_intent")
    method = params.get("payment_method") or intent["payment_method"]
    intent["payment_method"] = method
    what, reason = CARDS[_METHODS.get(str(method), "4242424242424242")]
    if what == "challenge":
        intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}
        world.store.save(intent)
        world.emit("payment_intent.requires_action", intent)
    elif what == "decline":
        decline(world, intent, reason or "generic_decline")
        raise ApiError(
            DECLINED[reason or "generic_decline"],
            code="card_declined",
            type="card_error",
            status=402,
            decline_code=reason,
            payment_intent=dict(intent),
        )
    else:
        succeed(world, intent)
    return intent


def retrieve_intent(world: World, _: dict[str, Any], intent_id: str) -> Json:
    """A payment intent."""
    return world.store.get(intent_id, "payment_intent")


def retrieve_charge(world: World, _: dict[str, Any], charge_id: str) -> Json:
    """A charge."""
    return world.store.get(charge_id, "charge")


def succeed(world: World, intent: Json, card: str = "4242424242424242") -> Json:
    """The money of a card arrives: charge, fee, events."""
    if intent["status"] == "succeeded":
        raise ApiError("This PaymentIntent has already succeeded.", code="payment_intent_unexpected_state")
    charge = _charge(world, intent, "succeeded", _card(card))
    return _arrived(world, intent, charge, "charge", card_fee(intent["amount"]))


def start_bank(world: World, intent: Json) -> Json:
    """The buyer told the bank to pay: nothing has arrived, and the bank may still say no."""
    kind = bank_method(intent["currency"])
    part = {"bank_name": "SANDBOX BANK"} if kind in {"us_bank_account", "customer_balance"} else {}
    charge = _charge(world, intent, "pending", {"type": kind, kind: {**part, "last4": "6789"}})
    intent |= {"status": "processing", "latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
    world.store.save(intent)
    world.emit("charge.pending", charge)
    world.emit("payment_intent.processing", intent)
    return charge


def finish_bank(world: World, intent: Json, *, paid: bool) -> Json:
    """The buyer's bank has paid, or has refused."""
    charge = world.store.get(intent["latest_charge"], "charge")
    if paid:
        charge |= {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
        return _arrived(world, intent, charge, "payment", bank_fee(intent["amount"]))
    error = {"code": "payment_method_provider_decline", "message": "The bank refused.", "type": "invalid_request_error"}
    charge |= {"status": "failed", "failure_code": error["code"], "failure_message": error["message"]}
    world.store.save(charge)
    intent |= {"status": "requires_payment_method", "last_payment_error": error}
    world.store.save(intent)
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return charge


def _arrived(world: World, intent: Json, charge: Json, kind: str, fee: int) -> Json:
    available_on = int(world.now() + world.settings["settle_after_s"])
    amount, currency, rate = world.settled(intent["amount"], intent["currency"])
    fee = world.settled(fee, intent["currency"])[0]
    entry = world.book(kind, charge["id"], amount, currency, fee=fee, available_on=available_on, exchange_rate=rate)
    charge["balance_transaction"] = entry["id"]
    world.store.save(charge)
    intent |= {
        "status": "succeeded",
        "latest_charge": charge["id"],
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "next_action": None,
    }
    world.store.save(intent)
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    return charge


def decline(world: World, intent: Json, reason: str) -> Json:
    """The bank says no: a failed charge, events, and the intent waits for another card."""
    charge = _charge(world, intent, "failed", _card("4000000000000002"))
    charge |= {"failure_code": "card_declined", "failure_message": DECLINED[reason]}
    world.store.save(charge)
    error = {"code": "card_declined", "decline_code": reason, "message": DECLINED[reason], "type": "card_error"}
    intent |= {"status": "requires_payment_method", "latest_charge": charge["id"], "last_payment_error": error}
    world.store.save(intent)
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return charge


def _card(number: str) -> Json:
    return {"type": "card", "card": {"brand": "visa", "last4": number[-4:], "country": "US", "funding": "credit"}}


def _charge(world: World, intent: Json, status: str, method: Json) -> Json:
    paid = status == "succeeded"
    return world.store.new(
        "ch" if method["type"] == "card" else "py",
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid else 0,
        amount_refunded=0,
        balance_transaction=None,
        captured=paid,
        currency=intent["currency"],
        description=intent["description"],
        disputed=False,
        failure_code=None,
        failure_message=None,
        metadata=intent["metadata"],
        paid=paid,
        payment_intent=intent["id"],
        payment_method_details=method,
        refunded=False,
        status=status,
        transfer_group=intent["transfer_group"],
    )
