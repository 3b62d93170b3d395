"""Rules of money: how a payment is shared, and the states of a payee's share."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money
from marketplace.kernel.states import Machine, step

#: A payee's share. `held`: the condition for release is not met; `due`: to be sent; `sending`: asked of Stripe.
TRANSFER = Machine(
    "payout",
    "held",
    [
        step("held", "release", "system", "due"),
        step("due", "begin", "system", "sending"),
        step("sending", "begin", "system", "sending"),
        step("sending", "confirm", "system", "sent"),
        step("sending", "reject", "system", "failed"),
        step("failed", "release", "system", "due"),
    ],
)

CHECKOUT = Machine(
    "payment",
    "open",
    [
        step("open", "pay", "system", "paid"),
        step("open", "expire", "system", "expired"),
        # Money that arrives after we had given the session up is still money.
        step("expired", "pay", "system", "paid"),
    ],
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one payee gets of a payment before our fee; `kind` is license_fee, production or royalty."""

    org_id: str
    kind: str
    gross: Money


@dataclass(frozen=True, slots=True)
class Split:
    """A share with our fee taken off; gross = fee + net, always."""

    org_id: str
    kind: str
    gross: int
    fee: int
    net: int


def split(shares: Sequence[Share], fee_bps: int) -> list[Split]:
    """Take the platform fee (basis points, rounded half up on each share) off every share.

    Raises Invalid for a share that is not positive, or shares in different currencies.
    """
    if not shares or any(s.gross.amount <= 0 for s in shares):
        raise Invalid("bad_amount", "There is nothing to pay.")
    if len({s.gross.currency for s in shares}) != 1:
        raise Invalid("currency_mismatch", "Two currencies cannot be mixed in one amount.")
    found = []
    for share in shares:
        fee = share.gross.share(fee_bps).amount
        found.append(Split(share.org_id, share.kind, share.gross.amount, fee, share.gross.amount - fee))
    return found
