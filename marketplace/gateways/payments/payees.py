"""Payees: their accounts, onboarding, and the payouts to their banks."""

from typing import Any

from marketplace.gateways import payment_readings as readings
from marketplace.gateways.payment_types import Account, Payout
from marketplace.gateways.payments.client import Client, on_account
from marketplace.gateways.payments.errors import vendor_errors

_ACCOUNT_PARTS: Any = ["configuration.recipient", "requirements"]


class Payees(Client):
    """What is asked about the people who get money."""

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
        with vendor_errors():
            return self._client.v2.core.accounts.create(params, {"idempotency_key": idempotency_key}).id

    def account_link(self, account_id: str, return_url: str, refresh_url: str) -> str:
        """A single-use address at which the payee gives its details and bank account."""
        onboarding = {"return_url": return_url, "refresh_url": refresh_url}
        params: Any = {
            "account": account_id,
            "use_case": {"type": "account_onboarding", "account_onboarding": onboarding},
        }
        with vendor_errors():
            return self._client.v2.core.account_links.create(params).url

    def account(self, account_id: str) -> Account:
        """How far the payee's account is. Raises PayeeBlocked `account_lost` when it was taken away from us."""
        with vendor_errors():
            return readings.account(self._client.v2.core.accounts.retrieve(account_id, {"include": _ACCOUNT_PARTS}))

    def payouts(self, account_id: str, limit: int = 20) -> tuple[Payout, ...]:
        """The latest payouts from a payee's balance to its bank, newest first."""
        with vendor_errors():
            found = self._client.v1.payouts.list({"limit": limit}, on_account(account_id))
            return tuple(readings.payout(item) for item in found.data)

    def payout(self, payout_id: str, account_id: str) -> Payout:
        """One payout of a payee."""
        with vendor_errors():
            return readings.payout(self._client.v1.payouts.retrieve(payout_id, {}, on_account(account_id)))
