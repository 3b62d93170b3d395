"""Buyers: the page they pay on, what arrived, and giving it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.gateways import payment_readings as readings
from marketplace.gateways.payment_types import Charge, CheckoutSession, Payment, Refund
from marketplace.gateways.payments.client import PAGE, Client
from marketplace.gateways.payments.errors import vendor_errors

#: Asked for with every refund: it may leave the balance in another currency than it was paid in.
_MOVED: Any = ["balance_transaction", "failure_balance_transaction"]


class Buyers(Client):
    """Taking money and giving it back."""

    def checkout_session(
        self,
        *,
        amount: int,
        currency: str,
        description: str,
        client_reference_id: str,
        metadata: Mapping[str, str],
        success_url: str,
        cancel_url: str,
        customer_email: str | None,
        transfer_group: str,
        idempotency_key: str,
        expires_at: datetime | None = None,
        locale: str = "auto",
    ) -> CheckoutSession:
        """A page on which `amount` is paid. `success_url` may hold `{CHECKOUT_SESSION_ID}`; `metadata` is
        put on the session and on the payment; `locale` is one of Stripe's (en, zh, zh-TW, fr, it, auto).
        """
        price = {"currency": currency.lower(), "unit_amount": amount, "product_data": {"name": description}}
        # No payment_method_types: the page then offers cards (with the bank's confirmation where the law asks for it)
        # and every bank method that is switched on for the platform and fits the currency.
        params: Any = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "payment_intent_data": {
                "transfer_group": transfer_group,
                "description": description,
                "metadata": dict(metadata),
            },
            "client_reference_id": client_reference_id,
            "metadata": dict(metadata),
            "success_url": success_url,
            "cancel_url": cancel_url,
            "locale": locale,
        }
        if customer_email:
            params["customer_email"] = customer_email
        if expires_at:
            params["expires_at"] = int(expires_at.timestamp())
        with vendor_errors():
            return readings.session(
                self._client.v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})
            )

    def session(self, session_id: str) -> CheckoutSession:
        """The checkout session as it is now."""
        with vendor_errors():
            return readings.session(self._client.v1.checkout.sessions.retrieve(session_id))

    def expire_session(self, session_id: str) -> CheckoutSession:
        """Close an open session so that it can no longer be paid."""
        with vendor_errors():
            return readings.session(self._client.v1.checkout.sessions.expire(session_id))

    def payment(self, payment_intent: str) -> Payment:
        """What was received for a payment, with the charge and the vendor's fee."""
        with vendor_errors():
            return readings.payment(
                self._client.v1.payment_intents.retrieve(
                    payment_intent, {"expand": ["latest_charge.balance_transaction"]}
                )
            )

    def charge(self, charge_id: str) -> Charge:
        """One charge, with the vendor's fee once it is known."""
        with vendor_errors():
            return readings.charge(self._client.v1.charges.retrieve(charge_id, {"expand": ["balance_transaction"]}))

    def refund(
        self,
        payment_intent: str,
        amount: int,
        idempotency_key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> Refund:
        """Give `amount` back to the buyer. Raises PaymentRejected: `refund_exceeds` for more than is left,
        `charge_already_refunded`, `charge_disputed` while the buyer's bank holds the payment.
        """
        params: Any = {
            "payment_intent": payment_intent,
            "amount": amount,
            "metadata": dict(metadata or {}),
            "expand": _MOVED,
        }
        with vendor_errors(exceeds="refund_exceeds"):
            return readings.refund(self._client.v1.refunds.create(params, {"idempotency_key": idempotency_key}))

    def get_refund(self, refund_id: str) -> Refund:
        """One refund as it is now."""
        with vendor_errors():
            return readings.refund(self._client.v1.refunds.retrieve(refund_id, {"expand": _MOVED}))

    def find_refunds(self, payment_intent: str) -> tuple[Refund, ...]:
        """Every refund of a payment, to look before acting again."""
        with vendor_errors():
            found = self._client.v1.refunds.list(
                {"payment_intent": payment_intent, "limit": PAGE, "expand": [f"data.{name}" for name in _MOVED]}
            )
            return tuple(readings.refund(item) for item in found.auto_paging_iter())
