"""Payment intents, charges and refunds."""

import secrets
import time
from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import LARGEST, SMALLEST, World, card_fee, valid_currency

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


def succeed(world: World, intent: Json) -> Json:
    """The money arrives: charge, fee, events."""
    if intent["status"] == "succeeded":
        raise ApiError("This PaymentIntent has already succeeded.", code="payment_intent_unexpected_state")
    charge = _charge(world, intent, paid=True)
    entry = world.book(
        "charge",
        charge["id"],
        intent["amount"],
        intent["currency"],
        fee=card_fee(intent["amount"]),
        available_on=int(time.time() + world.settings["settle_after_s"]),
    )
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
    charge = _charge(world, intent, paid=False)
    charge |= {"failure_code": "card_declined", "failure_message": DECLINED[reason]}
    world.store.save(charge)
    error = {"code": "card_declined", "decline_code": reason, "message": DECLINED[reason], "type": "card_error"}
    intent |= {"status": "requires_payment_method", "latest_charge": charge["id"], "last_payment_error": error}
    world.store.save(intent)
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return charge


def _charge(world: World, intent: Json, *, paid: bool) -> Json:
    return world.store.new(
        "ch",
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid else 0,
        amount_refunded=0,
        balance_transaction=None,
        captured=paid,
        currency=intent["currency"],
        description=intent["description"],
        failure_code=None,
        failure_message=None,
        metadata=intent["metadata"],
        paid=paid,
        payment_intent=intent["id"],
        refunded=False,
        status="succeeded" if paid else "failed",
        transfer_group=intent["transfer_group"],
    )


def refund(world: World, params: dict[str, Any]) -> Json:
    """Give back all or part of a charge, never more than is left of it."""
    if params.get("charge"):
        charge = world.store.get(params["charge"], "charge")
    elif params.get("payment_intent"):
        intent = world.store.get(params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise ApiError(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = world.store.get(intent["latest_charge"], "charge")
    else:
        raise ApiError("One of charge or payment_intent is needed.", code="parameter_missing", store=False)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount", store=False)
    if amount > left:
        raise ApiError(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
    charge |= {"amount_refunded": charge["amount_refunded"] + amount, "refunded": amount == left}
    world.store.save(charge)
    made = world.store.new(
        "re",
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=params.get("metadata", {}),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="succeeded",
    )
    made["balance_transaction"] = world.book("refund", made["id"], -amount, charge["currency"])["id"]
    world.store.save(made)
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge)
    return made


def retrieve_refund(world: World, _: dict[str, Any], refund_id: str) -> Json:
    """A refund."""
    return world.store.get(refund_id, "refund")
