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


class PayeeBlocked(PaymentRejected):
    """The payee's account cannot take money. `code` is account_lost (taken away from us), account_closed or
    insufficient_capabilities_for_transfer (restricted, or not yet set up).
    """


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
class Requirement:
    """One thing the vendor asks of a payee. `code` names it in the vendor's dotted way, `status` is past_due,
    currently_due or eventually_due, `error` the code of what was wrong with the last answer.
    """

    code: str
    status: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A payee's account. `charges_enabled` tells that payments may be taken for the payee under our
    charge model, which is the same as `transfers_active`; `requirements_due` names what the vendor
    asks of the payee now, `requirements` also what it will ask, the first of it until `due_by`.
    """

    id: str
    charges_enabled: bool
    payouts_enabled: bool
    transfers_active: bool
    details_submitted: bool
    requirements_due: tuple[str, ...] = ()
    disabled_reason: str | None = None
    requirements: tuple[Requirement, ...] = ()
    due_by: datetime | None = None
    closed: bool = False

    @property
    def ready(self) -> bool:
        """Whether money can be sent to the account and on to its bank."""
        return self.transfers_active and self.payouts_enabled

    @property
    def state(self) -> str:
        """One word: active, closed, rejected, restricted, onboarding (something is asked), checking (nothing is)."""
        reason = self.disabled_reason or ""
        if self.closed:
            return "closed"
        if self.ready:
            return "active"
        if reason.startswith(("rejected", "unsupported")):
            return "rejected"
        if self.requirements_due:
            return "onboarding"
        return "restricted" if reason.startswith("restricted") else "checking"


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

    @property
    def processing(self) -> bool:
        """The buyer is done but the money is not here: a bank payment takes days, and may still fail."""
        return self.status == "complete" and self.payment_status == "unpaid"


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """What a buyer paid with, and all that is kept of it. `kind` card, us_bank_account, sepa_debit...;
    `brand` the card's brand or the bank's name.
    """

    kind: str
    brand: str | None = None
    last4: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money taken from a buyer. `fee` and `net` are in `settlement_currency`, None until settled; `failure_code`
    says why the last attempt failed, `disputed` that the buyer's bank asked for the money back.
    """

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
    method: PaymentMethod | None = None
    disputed: bool = False
    failure_code: str | None = None

    @property
    def processing(self) -> bool:
        """The buyer's bank has been asked and has not answered yet."""
        return self.status == "processing"

    @property
    def failed(self) -> bool:
        """Nothing was received, and nothing is on its way."""
        return self.status in {"requires_payment_method", "canceled"}


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt to take money: `status` succeeded, pending or failed. `fee` and `net` as on Payment."""

    id: str
    payment_intent: str | None
    amount: int
    amount_refunded: int
    currency: str
    status: str
    disputed: bool
    method: PaymentMethod | None
    fee: int | None
    net: int | None
    transfer_group: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved from the platform's balance to a payee's account; `amount_reversed` was taken back of it."""

    id: str
    amount: int
    amount_reversed: int
    currency: str
    destination: str
    source_charge: str | None
    transfer_group: str | None
    metadata: Mapping[str, str]
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reversal:
    """Money taken back from a payee's account; without metadata when it was done by hand at the vendor's."""

    id: str
    transfer: str
    amount: int
    currency: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a movement did to the platform's balance, in the currency that the balance has it in."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back to the buyer. `status` pending / succeeded / failed / canceled / requires_action. `moved` is
    what left the platform's balance for it, `returned` what came back when the buyer's bank sent it back.
    """

    id: str
    payment_intent: str
    charge: str | None
    amount: int
    currency: str
    status: str
    metadata: Mapping[str, str]
    failure_reason: str | None = None
    created: datetime | None = None
    moved: Moved | None = None
    returned: Moved | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the vendor's books, a balance transaction. `kind` is the vendor's reporting category: charge,
    refund, refund_failure, dispute, dispute_reversal, transfer, transfer_reversal, payout, payout_reversal, fee,
    other_adjustment...; `type` its finer word; `source` the id of what caused it. net = amount - fee.
    """

    id: str
    kind: str
    type: str
    source: str | None
    amount: int
    fee: int
    net: int
    currency: str
    created: datetime
    available_on: datetime
    status: str
    exchange_rate: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """The buyer's bank asks for the money back. `status` needs_response, under_review, won, lost, the same with
    `warning_` for an inquiry that takes no money, prevented; `reason` the bank's code. `evidence_due` is when an
    answer must be there.
    """

    id: str
    payment_intent: str | None
    charge: str
    amount: int
    currency: str
    reason: str
    status: str
    evidence_due: datetime | None
    evidence_submitted: bool
    past_due: bool
    created: datetime
    movements: tuple[Movement, ...] = ()

    def agreed(self, movement: Movement) -> int:
        """A movement in the dispute's currency: the whole amount by its sign, where our balance has it in another."""
        if movement.currency == self.currency:
            return movement.amount
        return self.amount * ((movement.amount > 0) - (movement.amount < 0))

    @property
    def withdrawn(self) -> int:
        """How much of the platform's money the bank has now, without fees, in the dispute's currency."""
        return -sum(self.agreed(m) for m in self.movements)

    @property
    def fees(self) -> int:
        """What the vendor has taken for the dispute and not given back."""
        return sum(m.fee for m in self.movements)


@dataclass(frozen=True, slots=True)
class Evidence:
    """An answer to a dispute: the vendor's names of the fields to texts, and to ids of uploaded files."""

    texts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


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
    failure_message: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified event. `object_type` and `object_id` say what to read again from the vendor: `account`,
    `checkout.session`, `payment_intent`, `charge`, `transfer`, `refund`, `payout`... `account` is the
    connected account it happened on, None for the platform itself. `kept` is what may be stored of the event: its
    envelope, and the id, kind and state of its object; `sha256` is the digest of the bytes that came.
    """

    id: str
    type: str
    api_version: str | None
    account: str | None
    livemode: bool
    created: datetime
    object_id: str | None
    object_type: str | None
    kept: dict[str, Any] = field(repr=False)
    sha256: str = ""
