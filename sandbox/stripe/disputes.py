"""Disputes: the buyer's bank takes the money back, evidence is sent, the bank decides."""

from typing import Any

from sandbox.stripe.errors import ApiError
from sandbox.stripe.store import Json
from sandbox.stripe.world import World

#: What Stripe takes for a dispute in the US, and gives back when it is won here.
FEE = 1500
#: How long an answer may take; banks give 7 to 21 days.
ANSWER_S = 9 * 24 * 3600
REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
_FILES = {
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
}


def create(world: World, wish: dict[str, Any]) -> Json:
    """The buyer complains. With `inquiry` the bank only asks; else it takes the money at once."""
    charge = _charge(world, wish)
    if charge["status"] != "succeeded":
        raise ApiError("Only a successful charge can be disputed.")
    held = sum(
        d["amount"] for d in world.store.all("dispute", lambda d: d["charge"] == charge["id"] and d["status"] != "won")
    )
    left = charge["amount"] - charge["amount_refunded"] - held
    amount = int(wish.get("amount", left))
    if not 0 < amount <= left:
        raise ApiError(f"A dispute is about 1 to {left} of this charge.")
    reason = str(wish.get("reason", "fraudulent"))
    if reason not in REASONS:
        raise ApiError(f"reason is one of {', '.join(REASONS)}")
    inquiry = bool(wish.get("inquiry", False))
    made = world.store.new(
        "du",
        "dispute",
        amount=amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={},
        evidence_details={
            "due_by": int(world.now() + float(wish.get("due_in_s", ANSWER_S))),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=inquiry,
        metadata={},
        network_reason_code="10.4",
        payment_intent=charge["payment_intent"],
        payment_method_details={"type": charge["payment_method_details"]["type"]},
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    charge["disputed"] = True
    world.store.save(charge)
    if not inquiry:
        _book(world, made, -amount, FEE, "dispute")
    world.emit("charge.dispute.created", made)
    if not inquiry:
        world.emit("charge.dispute.funds_withdrawn", made)
    return made


def _charge(world: World, wish: dict[str, Any]) -> Json:
    found = str(wish.get("charge") or wish.get("payment_intent") or "")
    if found.startswith("pi_"):
        found = str(world.store.get(found, "payment_intent")["latest_charge"])
    return world.store.get(found, "charge")


def retrieve(world: World, _: dict[str, Any], dispute_id: str) -> Json:
    """A dispute."""
    return world.store.get(dispute_id, "dispute")


def update(world: World, params: dict[str, Any], dispute_id: str) -> Json:
    """Put evidence on a dispute; `submit` (which Stripe takes as yes when left out) sends it, once."""
    dispute = world.store.get(dispute_id, "dispute")
    if dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise ApiError("This dispute can no longer be answered.")
    details = dispute["evidence_details"]
    if details["due_by"] <= world.now():
        raise ApiError("The evidence due date of this dispute has passed.")
    for name, value in params.get("evidence", {}).items():
        if name in _FILES and world.store.get(value, "file")["purpose"] != "dispute_evidence":
            raise ApiError("The purpose of this file is not dispute_evidence.", param=f"evidence[{name}]")
    dispute["evidence"] = {**dispute["evidence"], **params.get("evidence", {})}
    details = {**details, "has_evidence": bool(dispute["evidence"])}
    if params.get("submit", True):
        details["submission_count"] += 1
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    dispute |= {"evidence_details": details, "metadata": {**dispute["metadata"], **params.get("metadata", {})}}
    world.store.save(dispute)
    world.emit("charge.dispute.updated", dispute)
    return dispute


def withdraw(world: World, dispute_id: str) -> Json:
    """An inquiry becomes a dispute: the bank takes the money."""
    dispute = _in(world, dispute_id, "warning_needs_response", "warning_under_review")
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    _book(world, dispute, -dispute["amount"], FEE, "dispute")
    world.emit("charge.dispute.updated", dispute)
    world.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def win(world: World, dispute_id: str) -> Json:
    """The bank decides for the platform and gives money and fee back."""
    dispute = _in(world, dispute_id, "needs_response", "under_review")
    dispute["status"] = "won"
    _book(world, dispute, dispute["amount"], -FEE, "dispute_reversal")
    world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit("charge.dispute.closed", dispute)
    return dispute


def lose(world: World, dispute_id: str) -> Json:
    """The bank decides for the buyer; an inquiry just ends."""
    dispute = _in(world, dispute_id, "needs_response", "under_review", "warning_needs_response", "warning_under_review")
    dispute["status"] = "warning_closed" if dispute["status"].startswith("warning") else "lost"
    world.store.save(dispute)
    world.emit("charge.dispute.closed", dispute)
    return dispute


def reinstate(world: World, dispute_id: str) -> Json:
    """The bank changes its mind after the platform had lost; the fee is not given back then."""
    dispute = _in(world, dispute_id, "lost")
    dispute["status"] = "won"
    _book(world, dispute, dispute["amount"], 0, "dispute_reversal")
    world.emit("charge.dispute.funds_reinstated", dispute)
    world.emit("charge.dispute.updated", dispute)
    return dispute


def past_due(world: World) -> None:
    """Mark the disputes whose time for an answer is over."""
    for dispute in world.store.all("dispute", lambda d: not d["evidence_details"]["past_due"]):
        details = dispute["evidence_details"]
        if details["due_by"] <= world.now() and details["submission_count"] == 0:
            dispute["evidence_details"] = {**details, "past_due": True}
            world.store.save(dispute)


def _in(world: World, dispute_id: str, *statuses: str) -> Json:
    dispute = world.store.get(dispute_id, "dispute")
    if dispute["status"] not in statuses:
        raise ApiError(f"This dispute is {dispute['status']}.")
    return dispute


def _book(world: World, dispute: Json, amount: int, fee: int, category: str) -> None:
    moved, currency, rate = world.settled(amount, dispute["currency"])
    fee = world.settled(fee, dispute["currency"])[0]
    entry = world.book("adjustment", dispute["id"], moved, currency, fee=fee, category=category, exchange_rate=rate)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], entry]
    world.store.save(dispute)
