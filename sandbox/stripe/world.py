"""What every part of the stand-in works with: the objects, the events, the clock and the delays that can be set."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.stripe.store import Json, Store
from sandbox.stripe.webhooks import Webhooks

#: Amounts a charge may have, in minor units: $0.50 up to eight digits, as in Stripe's documentation.
SMALLEST, LARGEST = 50, 99_999_999
_DELAYS = {"settle_after_s": 0, "payout_after_s": 2, "bank_after_s": -1}
#: The reporting category of a type of balance transaction, where it has another name.
_CATEGORIES = {
    "payment": "charge",
    "payment_refund": "refund",
    "transfer_refund": "transfer_reversal",
    "payout_failure": "payout_reversal",
    "adjustment": "other_adjustment",
}


class World:
    """One platform account and its connected accounts."""

    def __init__(self, store: Store, webhooks: Webhooks) -> None:
        self.store = store
        self.webhooks = webhooks

    @property
    def settings(self) -> dict[str, Any]:
        """`settle_after_s`: when a charge becomes available. `payout_after_s`: when a balance is paid out.
        `bank_after_s`: when a bank payment succeeds by itself; below zero, when it is told to. `settles`: the currency
        that one arrives in on the balance where it is another, and the rate of the moment.
        """
        return {**_DELAYS, **self.store.kept("setting").get("delays", {})}

    def change_settings(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Set some of the delays."""
        known: dict[str, Any] = {k: float(v) for k, v in wish.items() if k in _DELAYS}
        if "settles" in wish:
            known["settles"] = {str(code): [str(into), str(rate)] for code, (into, rate) in wish["settles"].items()}
        self.store.keep("setting", "delays", {**self.settings, **known})
        return self.settings

    def settled(self, amount: int, currency: str) -> tuple[int, str, str | None]:
        """What an amount is on the platform's balance now: minor units (as many digits in both), currency, rate."""
        into, rate = self.settings.get("settles", {}).get(currency, (currency, None))
        if rate is None:
            return amount, currency, None
        return int((amount * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_UP)), into, rate

    def now(self) -> int:
        """The stand-in's own time in whole epoch seconds."""
        return int(self.store.now())

    def move_clock(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Move the clock ahead by `advance_s`, or back to the machine's with `reset`. What is due then happens at the
        next tick.
        """
        ahead = float(self.store.kept("setting").get("clock", 0))
        if wish.get("reset"):
            ahead = 0.0
        ahead += max(0.0, float(wish.get("advance_s", 0)))
        self.store.keep("setting", "clock", ahead)
        return {"now": self.now(), "ahead_s": ahead}

    def emit(self, kind: str, item: Json, account: str | None = None) -> None:
        """A snapshot event about `item`, on the platform or on a connected account."""
        self.webhooks.snapshot(kind, item, account)

    def book(
        self,
        kind: str,
        source: str,
        amount: int,
        currency: str,
        *,
        fee: int = 0,
        account: str | None = None,
        available_on: int | None = None,
        category: str | None = None,
        exchange_rate: str | None = None,
    ) -> Json:
        """A balance transaction of the platform or of a connected account. `category` is Stripe's reporting category,
        for most kinds the one that _CATEGORIES gives.
        """
        now = self.now()
        on = now if available_on is None else available_on
        return self.store.new(
            "txn",
            "balance_transaction",
            amount=amount,
            available_on=on,
            currency=currency,
            description=None,
            exchange_rate=None if exchange_rate is None else float(exchange_rate),
            fee=fee,
            fee_details=[{"amount": fee, "currency": currency, "type": "stripe_fee"}] if fee else [],
            net=amount - fee,
            reporting_category=category or _CATEGORIES.get(kind, kind),
            source=source,
            status="available" if on <= now else "pending",
            type=kind,
            _account=account,
        )

    def balance(self, account: str | None) -> tuple[dict[str, int], dict[str, int]]:
        """Available and pending minor units by currency."""
        available: dict[str, int] = {}
        pending: dict[str, int] = {}
        now = self.store.now()
        for entry in self.store.all("balance_transaction", lambda e: e["_account"] == account):
            side = available if entry["available_on"] <= now else pending
            side[entry["currency"]] = side.get(entry["currency"], 0) + entry["net"]
        return available, pending


def card_fee(amount: int) -> int:
    """2.9 % + 30 minor units, the published price of a US card; rounded half up."""
    return min(amount, (amount * 29 + 500) // 1000 + 30)


def bank_fee(amount: int) -> int:
    """0.8 %, at most 500 minor units, the published price of a US bank debit; rounded half up."""
    return min(amount, (amount * 8 + 500) // 1000, 500)


def valid_currency(value: Any) -> str:
    """A lower-case ISO 4217 code."""
    return str(value) if re.fullmatch(r"[a-z]{3}", str(value)) else ""
