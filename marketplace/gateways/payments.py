"""Payments through Stripe with Connect; the only importer of `stripe`.

Charge model: **separate charges and transfers**. The platform takes the buyer's money, holds it until
delivery is accepted, then transfers the designer's and the manufacturer's shares.

Payees are created through **Accounts v2** with the `recipient` configuration: Stripe opens v1 account
creation to new platforms only on request, and names that configuration for separate charges and transfers.
Everything else is v1, which takes v2 account ids. Accounts therefore report by thin events
(`v2.core.account...`), all else by snapshot events; `verify_webhook` reads both. See
docs/adr/0004-stripe-connect-charges.md.

No call takes or gives a vendor object; amounts are minor units, currencies upper-case ISO 4217. Each call
may raise PaymentUnavailable (repeat with the same idempotency key), PaymentRejected (do not repeat) or
PaymentDeclined.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import stripe

from marketplace.gateways import payment_readings as readings
from marketplace.gateways.payment_events import MAX_BODY, read_event
from marketplace.gateways.payment_types import (
    Account,
    BadSignature,
    Balance,
    CheckoutSession,
    InsufficientFunds,
    Payment,
    PaymentDeclined,
    PaymentNotFound,
    PaymentRejected,
    PaymentUnavailable,
    Payout,
    Refund,
    Reversal,
    Transfer,
    WebhookEvent,
)
from marketplace.kernel import clock

#: Stripe's own tolerance for the age of a signature; we hold it in both directions.
TOLERANCE_S = 300
#: Read and connect timeouts in seconds; a checkout call takes well under two.
TIMEOUT = (5.0, 25.0)

_HEADER = re.compile(r"t=\d{9,11}(?:, ?[a-z][a-z0-9]{0,9}=[0-9a-zA-Z]{1,128}){1,16}", re.ASCII)
_ACCOUNT_PARTS: Any = ["configuration.recipient", "requirements"]
_PASSING_CODES = {"lock_timeout", "idempotency_key_in_use", "rate_limit"}


class Payments:
    """The platform's account at Stripe. Safe to share between threads."""

    def __init__(self, api_key: str, api_base: str = "", webhook_secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(s for s in webhook_secrets if s)
        self.livemode = api_key.startswith(("sk_live_", "rk_live_"))
        base = api_base.rstrip("/")
        addresses: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), base) if base else None
        self._client = stripe.StripeClient(
            api_key,
            base_addresses=addresses,
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
        )

    # Payees

    def create_connected_account(self, email: str, country: str, business_name: str, idempotency_key: str) -> str:
        """Open a payee's account in an ISO 3166-1 country and return its id; it must then be onboarded."""
        params: Any = {
            "contact_email": email,
            "display_name": business_name,
            "dashboard": "express",
            "identity": {"country": country, "entity_type": "company"},
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            # The recipient configuration and the express dashboard both require the platform to carry
            # fees and negative balances.
            "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
        }
        with _errors():
            return self._client.v2.core.accounts.create(params, {"idempotency_key": idempotency_key}).id

    def account_link(self, account_id: str, return_url: str, refresh_url: str) -> str:
        """A single-use address at which the payee gives its details and bank account."""
        onboarding = {"return_url": return_url, "refresh_url": refresh_url}
        params: Any = {
            "account": account_id,
            "use_case": {"type": "account_onboarding", "account_onboarding": onboarding},
        }
        with _errors():
            return self._client.v2.core.account_links.create(params).url

    def account(self, account_id: str) -> Account:
        """How far the payee's account is."""
        with _errors():
            return readings.account(self._client.v2.core.accounts.retrieve(account_id, {"include": _ACCOUNT_PARTS}))

    # Buyers

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
        with _errors():
            return readings.session(
                self._client.v1.checkout.sessions.create(params, {"idempotency_key": idempotency_key})
            )

    def session(self, session_id: str) -> CheckoutSession:
        """The checkout session as it is now."""
        with _errors():
            return readings.session(self._client.v1.checkout.sessions.retrieve(session_id))

    def expire_session(self, session_id: str) -> CheckoutSession:
        """Close an open session so that it can no longer be paid."""
        with _errors():
            return readings.session(self._client.v1.checkout.sessions.expire(session_id))

    def payment(self, payment_intent: str) -> Payment:
        """What was received for a payment, with the charge and the vendor's fee."""
        with _errors():
            return readings.payment(
                self._client.v1.payment_intents.retrieve(
                    payment_intent, {"expand": ["latest_charge.balance_transaction"]}
                )
            )

    def refund(
        self,
        payment_intent: str,
        amount: int,
        idempotency_key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> Refund:
        """Give `amount` back to the buyer. Raises PaymentRejected when more than was received."""
        params: Any = {"payment_intent": payment_intent, "amount": amount, "metadata": dict(metadata or {})}
        with _errors():
            return readings.refund(self._client.v1.refunds.create(params, {"idempotency_key": idempotency_key}))

    def find_refunds(self, payment_intent: str) -> tuple[Refund, ...]:
        """Every refund of a payment, to look before acting again."""
        with _errors():
            found = self._client.v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
            return tuple(readings.refund(item) for item in found.auto_paging_iter())

    # Moving money to payees

    def transfer(
        self,
        *,
        amount: int,
        currency: str,
        destination: str,
        source_charge: str | None,
        transfer_group: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> Transfer:
        """Send a share to a payee. With `source_charge` the money follows that charge and waits for it to
        settle.

        Raises InsufficientFunds when the balance does not cover it, PaymentRejected beyond the source charge.
        """
        params: Any = {
            "amount": amount,
            "currency": currency.lower(),
            "destination": destination,
            "transfer_group": transfer_group,
            "metadata": dict(metadata),
        }
        if source_charge:
            params["source_transaction"] = source_charge
        with _errors():
            return readings.transfer(self._client.v1.transfers.create(params, {"idempotency_key": idempotency_key}))

    def find_transfers(self, transfer_group: str) -> tuple[Transfer, ...]:
        """Every transfer of a group, to look before acting again: idempotency keys are forgotten after a
        day.
        """
        with _errors():
            found = self._client.v1.transfers.list({"transfer_group": transfer_group, "limit": 100})
            return tuple(readings.transfer(item) for item in found.auto_paging_iter())

    def reverse_transfer(self, transfer_id: str, amount: int, idempotency_key: str) -> Reversal:
        """Take `amount` back from a payee. Raises InsufficientFunds when its balance does not cover it."""
        with _errors():
            made = self._client.v1.transfers.reversals.create(
                transfer_id, {"amount": amount}, {"idempotency_key": idempotency_key}
            )
            return Reversal(made.id, readings.id_of(made.transfer) or transfer_id, made.amount, made.currency.upper())

    def balance(self, account_id: str | None = None) -> Balance:
        """The platform's balance, or a payee's."""
        with _errors():
            found = self._client.v1.balance.retrieve({}, _on(account_id))
            return Balance(
                available={part.currency.upper(): part.amount for part in found.available},
                pending={part.currency.upper(): part.amount for part in found.pending},
            )

    def payouts(self, account_id: str, limit: int = 20) -> tuple[Payout, ...]:
        """The latest payouts from a payee's balance to its bank, newest first."""
        with _errors():
            found = self._client.v1.payouts.list({"limit": limit}, _on(account_id))
            return tuple(readings.payout(item) for item in found.data)

    def payout(self, payout_id: str, account_id: str) -> Payout:
        """One payout of a payee."""
        with _errors():
            return readings.payout(self._client.v1.payouts.retrieve(payout_id, {}, _on(account_id)))

    def ping(self) -> None:
        """Return when the service answers and takes our key. Raises as every call does."""
        self.balance()

    # Events

    def verify_webhook(self, raw_body: bytes, header: str | None) -> WebhookEvent:
        """The event, if one of our secrets signed exactly these bytes within TOLERANCE_S of now.

        Raises BadSignature for everything else, and nothing but BadSignature, whatever the input.
        """
        if not isinstance(header, str) or not _HEADER.fullmatch(header):
            raise BadSignature("the signature header is missing or malformed")
        if len(raw_body) > MAX_BODY:
            raise BadSignature("the body is too large")
        try:
            body = raw_body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadSignature("the body is not UTF-8") from error
        # The age is checked here, against our clock and in both directions; the library looks only back.
        signed_at = int(header[2:].partition(",")[0])
        if abs(clock.now().timestamp() - signed_at) > TOLERANCE_S:
            raise BadSignature("the signature is too old or from the future")
        if not any(_signed_by(body, header, secret) for secret in self._secrets):
            raise BadSignature("no known secret made this signature")
        event = read_event(body)
        if event.livemode != self.livemode:
            raise BadSignature("the event is of the other mode (test or live)")
        return event


def _signed_by(body: str, header: str, secret: str) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(body, header, secret, None)
    except Exception:  # the verifier raises several unrelated types on hostile input; each means no
        return False


@contextmanager
def _errors() -> Iterator[None]:
    """Turn the vendor's errors into ours."""
    try:
        yield
    except stripe.CardError as error:
        raise PaymentDeclined(
            error.code or "card_declined", "The payment was declined. Try another card.", detail=str(error)
        ) from error
    except stripe.StripeError as error:
        raise _mapped(error) from error


def _mapped(error: stripe.StripeError) -> PaymentRejected | PaymentUnavailable:
    code, status, detail = error.code or "", error.http_status or 0, f"{type(error).__name__}: {error}"
    if code in {"balance_insufficient", "insufficient_funds"}:
        return InsufficientFunds("insufficient_funds", "The money has not settled yet.", detail=detail)
    if isinstance(error, stripe.RateLimitError | stripe.APIConnectionError) or status >= 500 or code in _PASSING_CODES:
        return PaymentUnavailable(
            "payment_unavailable",
            "The payment service does not answer right now. Please try again.",
            detail=detail,
        )
    if status == 404 or code == "resource_missing":
        return PaymentNotFound("payment_not_found", "The payment service does not know this payment.", detail=detail)
    if isinstance(error, stripe.IdempotencyError):
        return PaymentRejected("idempotency_conflict", "This payment was already asked for differently.", detail=detail)
    if type(error) is stripe.APIError:  # an answer that could not be read: we do not know what happened
        return PaymentUnavailable(
            "payment_unclear", "The payment service answered unclearly. Please try again.", detail=detail
        )
    return PaymentRejected(
        code or "payment_rejected",
        "The payment service refused this request. We were told why.",
        detail=detail,
    )


def _on(account_id: str | None) -> Any:
    return {"stripe_account": account_id} if account_id else {}
