"""Refunds: made at once, or pending, or failing, as ordered."""

from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import World

#: Statuses of a dispute in which the bank does not have the money.
_NOT_HELD = {"won", "warning_needs_response", "warning_under_review", "warning_closed", "prevented"}


def create(world: World, params: dict[str, Any]) -> Json:
    """Give back all or part of a charge, never more than is left of it. The balance may go below zero, as Stripe lets
    it when the platform has a bank account to take the rest from.
    """
    charge = _charge(world, params)
    if any(world.store.all("dispute", lambda d: d["charge"] == charge["id"] and d["status"] not in _NOT_HELD)):
        raise ApiError(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise ApiError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount", store=False)
    if amount > left:
        raise ApiError(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
    ordered = world.store.kept("setting").get("next_refund") or "succeeded"
    world.store.keep("setting", "next_refund", None)
    charge |= {"amount_refunded": charge["amount_refunded"] + amount, "refunded": amount == left}
    world.store.save(charge)
    made = world.store.new(
        "re",
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        failure_balance_transaction=None,
        metadata=params.get("metadata", {}),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="pending" if ordered == "failed" else ordered,
    )
    moved, currency, rate = world.settled(-amount, charge["currency"])
    made["balance_transaction"] = world.book("refund", made["id"], moved, currency, exchange_rate=rate)["id"]
    world.store.save(made)
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge)
    return settle(world, made["id"], "failed") if ordered == "failed" else made


def _charge(world: World, params: dict[str, Any]) -> Json:
    if params.get("charge"):
        return world.store.get(params["charge"], "charge")
    if not params.get("payment_intent"):
        raise ApiError("One of charge or payment_intent is needed.", code="parameter_missing", store=False)
    intent = world.store.get(params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise ApiError(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
    return world.store.get(intent["latest_charge"], "charge")


def retrieve(world: World, _: dict[str, Any], refund_id: str) -> Json:
    """A refund."""
    return world.store.get(refund_id, "refund")


def order_next(world: World, status: str) -> dict[str, str]:
    """What the next refund shall be: succeeded, pending or failed."""
    if status not in {"succeeded", "pending", "failed"}:
        raise ApiError("status is succeeded, pending or failed")
    world.store.keep("setting", "next_refund", status)
    return {"next": status}


def settle(world: World, refund_id: str, status: str, reason: str = "expired_or_canceled_card") -> Json:
    """The buyer's bank took a refund, or sent it back; also one that had succeeded may come back."""
    refund = world.store.get(refund_id, "refund")
    if status == "succeeded" and refund["status"] == "pending":
        refund["status"] = "succeeded"
        world.store.save(refund)
    elif status == "failed" and refund["status"] in {"pending", "succeeded"}:
        moved, currency, rate = world.settled(refund["amount"], refund["currency"])
        entry = world.book("refund_failure", refund_id, moved, currency, exchange_rate=rate)
        refund |= {"status": "failed", "failure_reason": reason, "failure_balance_transaction": entry["id"]}
        world.store.save(refund)
        charge = world.store.get(refund["charge"], "charge")
        charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
        world.store.save(charge)
        world.emit("refund.failed", refund)
    else:
        raise ApiError(f"This refund is {refund['status']}.")
    world.emit("refund.updated", refund)
    world.emit("charge.refund.updated", refund)
    return refund
