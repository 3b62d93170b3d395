"""The connection that every part of the gateway shares."""

from typing import Any

import stripe

#: Read and connect timeouts in seconds; a checkout call takes well under two.
TIMEOUT = (5.0, 25.0)
#: The most that the vendor gives of a list in one answer.
PAGE = 100


class Client:
    """The platform's key and where it is used. Safe to share between threads."""

    def __init__(self, api_key: str, api_base: str = "") -> None:
        self.livemode = api_key.startswith(("sk_live_", "rk_live_"))
        base = api_base.rstrip("/")
        addresses: Any = dict.fromkeys(("api", "connect", "files", "meter_events"), base) if base else None
        self._client = stripe.StripeClient(
            api_key,
            base_addresses=addresses,
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
        )


def on_account(account_id: str | None) -> Any:
    """The option that makes a call act on a payee's account instead of the platform's."""
    return {"stripe_account": account_id} if account_id else {}
