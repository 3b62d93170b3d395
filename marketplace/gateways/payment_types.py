"""What the payments gateway hands out: plain values and errors, none of the vendor's objects.

Every amount is an integer number of minor units beside an upper-case ISO 4217 code; times are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace.kernel.errors import DomainError, Unavailable


class PaymentError(DomainError):
    """The payment service did not do what was asked. `detail` is the vendor's wording, for logs."""

    status = 502

    def __init__(self, code: str, message: str, *, detail: str = "") -> None:
        super().__init__(code, message)
        self.detail = detail


class PaymentDeclined(PaymentError):
    """The card or bank said no; another means of payment may work."""

    status = 402


class PaymentRejected(PaymentError):
    """The request itself is wrong; repeating it cannot help."""


class PaymentNotFound(PaymentRejected):
    """The vendor knows no such object (yet)."""

    status = 404


class PaymentUnavailable(Unavailable):
    """No answer, or a passing refusal. Repeating the call with the same idempotency key is safe."""

    def __init__(self, code: str, message: str, *, detail: str = "") -> None:
        super().__init__(code, message)
        self.detail = detail


class InsufficientFunds(PaymentUnavailable):
    """The platform's balance cannot cover the transfer yet; wait for charges to settle."""


class BadSignature(Exception):
    """A webhook that must not be believed; the text says why and never holds the body."""


@dataclass(frozen=True, slots=True)
class Account:
    """A payee's account. `charges_enabled` tells that payments may be taken for the payee under our
    charge model, which is the same as `transfers_active`; `requirements_due` names what the vendor
    still asks of the payee.
    """

    id: str
    charges_enabled: bool
    payouts_enabled: bool
    transfers_active: bool
    details_submitted: bool
    requirements_due: tuple[str, ...] = ()
    disabled_reason: str | None = None

    @property
    def ready(self) -> bool:
        """Whether money can be sent to the account and on to its bank."""
        return self.transfers_active and self.payouts_enabled


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A page on which a buyer pays. `status` open / complete / expired, `payment_status` paid / unpaid."""

    id: str
    url: str | None
    payment_status: str
    status: str
    amount_total: int
    currency: str
    payment_intent: str | None
    metadata: Mapping[str, str]
    client_reference_id: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money taken from a buyer. `fee` and `net` are in `settlement_currency`, None until settled."""

    id: str
    status: str
    amount: int
    amount_received: int
    amount_refunded: int
    currency: str
    charge: str | None
    fee: int | None
    net: int | None
    settlement_currency: str | None
    transfer_group: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved from the platform's balance to a payee's account."""

    id: str
    amount: int
    amount_reversed: int
    currency: str
    destination: str
    source_charge: str | None
    transfer_group: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reversal:
    """Money taken back from a payee's account."""

    id: str
    transfer: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back to the buyer."""

    id: str
    payment_intent: str
    charge: str | None
    amount: int
    currency: str
    status: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Balance:
    """Minor units by ISO 4217 code."""

    available: Mapping[str, int]
    pending: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Payout:
    """Money on its way from an account's balance to its bank. `status` pending / in_transit / paid /
    failed / canceled.
    """

    id: str
    amount: int
    currency: str
    status: str
    arrival_date: datetime
    created: datetime
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified event. `object_type` and `object_id` say what to read again from the vendor: `account`,
    `checkout.session`, `payment_intent`, `charge`, `transfer`, `refund`, `payout`... `account` is the
    connected account it happened on, None for the platform itself. `body` is the whole event as sent.
    """

    id: str
    type: str
    api_version: str | None
    account: str | None
    livemode: bool
    created: datetime
    object_id: str | None
    object_type: str | None
    body: dict[str, Any] = field(repr=False)
