"""From the vendor's objects to our values. Takes them by attribute, so that it need not import the vendor's
library.
"""

from datetime import UTC, datetime
from typing import Any

from marketplace.gateways.payment_types import Account, CheckoutSession, Payment, Payout, Refund, Transfer


def id_of(value: Any) -> str | None:
    """The id of something that may have been expanded."""
    return value if value is None or isinstance(value, str) else str(value.id)


def plain(metadata: Any) -> dict[str, str]:
    """Metadata as a dict of strings."""
    return {str(k): str(v) for k, v in metadata.to_dict().items()} if metadata else {}


def moment(epoch: float) -> datetime:
    """A UTC time from epoch seconds."""
    return datetime.fromtimestamp(epoch, UTC)


def account(found: Any) -> Account:
    """From an Accounts v2 object fetched with its recipient configuration and requirements."""
    balance = _inside(found, "configuration", "recipient", "capabilities", "stripe_balance")
    transfers, payouts = _inside(balance, "stripe_transfers"), _inside(balance, "payouts")
    entries = _inside(found, "requirements", "entries") or []
    due = tuple(
        entry.description
        for entry in entries
        if entry.awaiting_action_from == "user" and entry.minimum_deadline.status in {"currently_due", "past_due"}
    )
    active = transfers is not None and transfers.status == "active"
    reasons = [] if transfers is None or active else [item.code for item in transfers.status_details or []]
    return Account(
        id=found.id,
        charges_enabled=active,
        payouts_enabled=payouts is not None and payouts.status == "active",
        transfers_active=active,
        details_submitted=not due,
        requirements_due=due,
        disabled_reason=reasons[0] if reasons else None,
    )


def session(found: Any) -> CheckoutSession:
    """From a checkout session."""
    return CheckoutSession(
        id=found.id,
        url=found.url,
        payment_status=found.payment_status,
        status=found.status or "open",
        amount_total=found.amount_total or 0,
        currency=(found.currency or "").upper(),
        payment_intent=id_of(found.payment_intent),
        metadata=plain(found.metadata),
        client_reference_id=found.client_reference_id,
    )


def payment(found: Any) -> Payment:
    """From a payment intent with its charge and balance transaction expanded."""
    charge: Any = found.latest_charge
    settled: Any = charge.balance_transaction if charge and not isinstance(charge, str) else None
    settled = None if isinstance(settled, str) else settled
    return Payment(
        id=found.id,
        status=found.status,
        amount=found.amount,
        amount_received=found.amount_received,
        amount_refunded=charge.amount_refunded if charge and not isinstance(charge, str) else 0,
        currency=found.currency.upper(),
        charge=id_of(charge),
        fee=settled.fee if settled else None,
        net=settled.net if settled else None,
        settlement_currency=settled.currency.upper() if settled else None,
        transfer_group=found.transfer_group,
        metadata=plain(found.metadata),
    )


def transfer(found: Any) -> Transfer:
    """From a transfer."""
    return Transfer(
        id=found.id,
        amount=found.amount,
        amount_reversed=found.amount_reversed,
        currency=found.currency.upper(),
        destination=id_of(found.destination) or "",
        source_charge=id_of(found.source_transaction),
        transfer_group=found.transfer_group,
        metadata=plain(found.metadata),
    )


def refund(found: Any) -> Refund:
    """From a refund."""
    return Refund(
        id=found.id,
        payment_intent=id_of(found.payment_intent) or "",
        charge=id_of(found.charge),
        amount=found.amount,
        currency=found.currency.upper(),
        status=found.status or "pending",
        metadata=plain(found.metadata),
    )


def payout(found: Any) -> Payout:
    """From a payout."""
    return Payout(
        id=found.id,
        amount=found.amount,
        currency=found.currency.upper(),
        status=found.status,
        arrival_date=moment(found.arrival_date),
        created=moment(found.created),
        failure_code=found.failure_code,
    )


def _inside(value: Any, *names: str) -> Any:
    """Follow attributes that the vendor leaves out when they hold nothing."""
    for name in names:
        value = getattr(value, name, None)
    return value
