"""From the vendor's objects to our values. Takes them by attribute, so that it need not import the vendor's
library.
"""

from datetime import UTC, datetime
from typing import Any

from marketplace.gateways.payment_types import (
    Account,
    Charge,
    CheckoutSession,
    Dispute,
    Moved,
    Movement,
    Payment,
    PaymentMethod,
    Payout,
    Refund,
    Requirement,
    Reversal,
    Transfer,
)


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
    entries = [e for e in _inside(found, "requirements", "entries") or [] if e.awaiting_action_from == "user"]
    asked = tuple(
        Requirement(e.description, e.minimum_deadline.status, e.errors[0].code if e.errors else None) for e in entries
    )
    due = tuple(r.code for r in asked if r.status in {"currently_due", "past_due"})
    due_by = _inside(found, "requirements", "summary", "minimum_deadline", "time")
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
        requirements=asked,
        due_by=datetime.fromisoformat(due_by).astimezone(UTC) if due_by else None,
        closed=bool(found.closed),
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
    whole: Any = None if isinstance(charge, str) else charge
    settled: Any = whole.balance_transaction if whole else None
    settled = None if isinstance(settled, str) else settled
    error = found.last_payment_error
    return Payment(
        id=found.id,
        status=found.status,
        amount=found.amount,
        amount_received=found.amount_received,
        amount_refunded=whole.amount_refunded if whole else 0,
        currency=found.currency.upper(),
        charge=id_of(charge),
        fee=settled.fee if settled else None,
        net=settled.net if settled else None,
        settlement_currency=settled.currency.upper() if settled else None,
        transfer_group=found.transfer_group,
        metadata=plain(found.metadata),
        method=_method(whole.payment_method_details) if whole else None,
        disputed=bool(whole.disputed) if whole else False,
        failure_code=error.code if error else None,
    )


def charge(found: Any) -> Charge:
    """From a charge with its balance transaction expanded."""
    settled: Any = None if isinstance(found.balance_transaction, str) else found.balance_transaction
    return Charge(
        id=found.id,
        payment_intent=id_of(found.payment_intent),
        amount=found.amount,
        amount_refunded=found.amount_refunded,
        currency=found.currency.upper(),
        status=found.status,
        disputed=bool(found.disputed),
        method=_method(found.payment_method_details),
        fee=settled.fee if settled else None,
        net=settled.net if settled else None,
        transfer_group=found.transfer_group,
        created=moment(found.created),
    )


def _method(details: Any) -> PaymentMethod | None:
    """What was paid with; of all the vendor tells only brand and last four digits are taken."""
    if not details:
        return None
    part = getattr(details, details.type, None)
    brand = getattr(part, "brand", None) or getattr(part, "bank_name", None)
    return PaymentMethod(details.type, brand, getattr(part, "last4", None))


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
        created=moment(found.created),
    )


def reversal(found: Any, transfer_id: str) -> Reversal:
    """From a transfer reversal."""
    return Reversal(
        id=found.id,
        transfer=id_of(found.transfer) or transfer_id,
        amount=found.amount,
        currency=found.currency.upper(),
        metadata=plain(found.metadata),
        created=moment(found.created),
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
        failure_reason=getattr(found, "failure_reason", None),
        created=moment(found.created),
        moved=_moved(found.balance_transaction),
        returned=_moved(getattr(found, "failure_balance_transaction", None)),
    )


def _moved(found: Any) -> Moved | None:
    """From a balance transaction, if there is one yet."""
    return Moved(found.amount, found.currency.upper()) if found else None


def movement(found: Any) -> Movement:
    """From a balance transaction."""
    rate = found.exchange_rate
    return Movement(
        id=found.id,
        kind=found.reporting_category,
        type=found.type,
        source=id_of(found.source),
        amount=found.amount,
        fee=found.fee,
        net=found.net,
        currency=found.currency.upper(),
        created=moment(found.created),
        available_on=moment(found.available_on),
        status=found.status,
        exchange_rate=None if rate is None else str(rate),
    )


def dispute(found: Any) -> Dispute:
    """From a dispute, whose balance transactions come whole."""
    details = found.evidence_details
    return Dispute(
        id=found.id,
        payment_intent=id_of(found.payment_intent),
        charge=id_of(found.charge) or "",
        amount=found.amount,
        currency=found.currency.upper(),
        reason=found.reason,
        status=found.status,
        evidence_due=moment(details.due_by) if details.due_by else None,
        evidence_submitted=details.submission_count > 0,
        past_due=details.past_due,
        created=moment(found.created),
        movements=tuple(movement(item) for item in found.balance_transactions),
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
        failure_message=found.failure_message,
    )


def _inside(value: Any, *names: str) -> Any:
    """Follow attributes that the vendor leaves out when they hold nothing."""
    for name in names:
        value = getattr(value, name, None)
    return value
