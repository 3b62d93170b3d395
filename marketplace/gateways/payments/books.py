"""Moving money to payees and back, and the vendor's own books of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from marketplace.gateways import payment_readings as readings
from marketplace.gateways.payment_types import Balance, Movement, Reversal, Transfer
from marketplace.gateways.payments.client import PAGE, Client, on_account
from marketplace.gateways.payments.errors import vendor_errors


class Books(Client):
    """Transfers, reversals, balances and balance transactions."""

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

        Raises InsufficientFunds when the balance does not cover it, PayeeBlocked when the account cannot take
        money, PaymentRejected beyond the source charge.
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
        with vendor_errors():
            return readings.transfer(self._client.v1.transfers.create(params, {"idempotency_key": idempotency_key}))

    def get_transfer(self, transfer_id: str) -> Transfer:
        """One transfer as it is now, with what was taken back of it."""
        with vendor_errors():
            return readings.transfer(self._client.v1.transfers.retrieve(transfer_id))

    def find_transfers(self, transfer_group: str) -> tuple[Transfer, ...]:
        """Every transfer of a group, to look before acting again: idempotency keys are forgotten after a
        day.
        """
        with vendor_errors():
            found = self._client.v1.transfers.list({"transfer_group": transfer_group, "limit": PAGE})
            return tuple(readings.transfer(item) for item in found.auto_paging_iter())

    def reverse_transfer(
        self, transfer_id: str, amount: int, idempotency_key: str, metadata: Mapping[str, str] | None = None
    ) -> Reversal:
        """Take `amount` back from a payee. Raises InsufficientFunds when its balance does not cover it,
        PaymentRejected `reversal_exceeds` for more than is left of the transfer.
        """
        params: Any = {"amount": amount, "metadata": dict(metadata or {})}
        with vendor_errors(exceeds="reversal_exceeds"):
            made = self._client.v1.transfers.reversals.create(transfer_id, params, {"idempotency_key": idempotency_key})
            return readings.reversal(made, transfer_id)

    def find_reversals(self, transfer_id: str) -> tuple[Reversal, ...]:
        """Everything taken back of a transfer, also by hand at the vendor's (then without our metadata)."""
        with vendor_errors():
            found = self._client.v1.transfers.reversals.list(transfer_id, {"limit": PAGE})
            return tuple(readings.reversal(item, transfer_id) for item in found.auto_paging_iter())

    def reversal_of(self, movement_id: str) -> Reversal:
        """The reversal behind a movement of kind `transfer_reversal`; it names the transfer, the movement does not."""
        with vendor_errors():
            found = self._client.v1.balance_transactions.retrieve(movement_id, {"expand": ["source"]})
            return readings.reversal(found.source, "")

    def balance(self, account_id: str | None = None) -> Balance:
        """The platform's balance, or a payee's."""
        with vendor_errors():
            found = self._client.v1.balance.retrieve({}, on_account(account_id))
            return Balance(
                available={part.currency.upper(): part.amount for part in found.available},
                pending={part.currency.upper(): part.amount for part in found.pending},
            )

    def movements(
        self, since: datetime, until: datetime | None = None, account_id: str | None = None
    ) -> Iterator[Movement]:
        """What changed the platform's balance (or a payee's) from `since` up to and without `until`, oldest first.
        The sum of `net` over all time is the balance, available and pending together.
        """
        created: Any = {"gte": int(since.timestamp())}
        if until is not None:
            created["lt"] = int(until.timestamp())
        with vendor_errors():
            found = self._client.v1.balance_transactions.list(
                {"created": created, "limit": PAGE}, on_account(account_id)
            )
            entries = [readings.movement(item) for item in found.auto_paging_iter()]
        return reversed(entries)

    def ping(self) -> None:
        """Return when the service answers and takes our key. Raises as every call does."""
        self.balance()
