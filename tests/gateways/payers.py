"""Payments and payees on the Stripe stand-in, ready made."""

from typing import Any

from marketplace.gateways.payment_types import CheckoutSession, Payment, Transfer
from marketplace.gateways.payments import Payments


def open_session(payments: Payments, key: str = "k1", amount: int = 125_000, **more: Any) -> CheckoutSession:
    """A payment page."""
    wanted: dict[str, Any] = {
        "amount": amount,
        "currency": "USD",
        "description": "License: Tide ring 潮汐",
        "client_reference_id": "lic_1",
        "metadata": {"license": "lic_1"},
        "success_url": "http://localhost:8000/paid?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost:8000/back",
        "customer_email": "buyer@example.com",
        "transfer_group": "lic_1",
        "idempotency_key": key,
    }
    return payments.checkout_session(**{**wanted, **more})


def paid(payments: Payments, box: Any, key: str = "k1", amount: int = 125_000) -> Payment:
    """A payment by card."""
    session = open_session(payments, key, amount)
    box.post(f"/_sandbox/checkout/{session.id}/pay")
    return payments.payment(payments.session(session.id).payment_intent or "")


def payee(payments: Payments, box: Any, key: str = "a1") -> str:
    """An account that can take money."""
    account = payments.create_connected_account("studio@example.com", "DE", "Studio Lindqvist", key)
    box.post(f"/_sandbox/accounts/{account}/onboard")
    return account


def sent(payments: Payments, payment: Payment, account: str, amount: int, key: str = "t1") -> Transfer:
    """A share of a payment on a payee's account."""
    return payments.transfer(
        amount=amount,
        currency=payment.currency,
        destination=account,
        source_charge=payment.charge,
        transfer_group="lic_1",
        metadata={"transfer": key},
        idempotency_key=key,
    )
