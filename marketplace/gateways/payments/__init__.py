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

from collections.abc import Sequence

from marketplace.gateways.payment_types import WebhookEvent
from marketplace.gateways.payments.books import Books
from marketplace.gateways.payments.buyers import Buyers
from marketplace.gateways.payments.disputes import Disputes
from marketplace.gateways.payments.payees import Payees
from marketplace.gateways.payments.webhooks import verified


class Payments(Payees, Buyers, Books, Disputes):
    """The platform's account at Stripe. Safe to share between threads."""

    def __init__(self, api_key: str, api_base: str = "", webhook_secrets: Sequence[str] = ()) -> None:
        super().__init__(api_key, api_base)
        self._secrets = tuple(s for s in webhook_secrets if s)

    def verify_webhook(self, raw_body: bytes, header: str | None) -> WebhookEvent:
        """The event, if one of our secrets signed exactly these bytes just now.

        Raises BadSignature for everything else, and nothing but BadSignature, whatever the input.
        """
        return verified(raw_body, header, self._secrets, livemode=self.livemode)
