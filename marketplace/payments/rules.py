"""Rules of money: how a payment is shared, and the states of a payee's share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money, exponent
from marketplace.kernel.states import Machine, step

#: A part of a payee's share. `held`: the condition for release is not met; `due`: to be sent; `sending`: asked of the
#: payment service; `offset`: kept whole against a debt; `returned`: given back to the buyer before it was sent.
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
        # It had left after all: its answer was lost, and the payment service tells later.
        step("failed", "confirm", "system", "sent"),
        step("due", "offset", "system", "offset"),
        step("held", "give_back", "system", "returned"),
        step("due", "give_back", "system", "returned"),
        step("failed", "give_back", "system", "returned"),
        # What it was given back for was undone before anything of it had been sent.
        step("returned", "restore", "system", "held"),
    ],
)

#: A refund. `decider` is who may decide by DECIDERS: the one payee, or an operator; an operator always may.
REFUND = Machine(
    "refund",
    "asked",
    [
        step("asked", "approve", {"decider", "operator", "system"}, "approved"),
        step("asked", "decline", {"decider", "operator"}, "declined"),
        step("asked", "withdraw", "asker", "withdrawn"),
        step("approved", "begin", "system", "refunding"),
        step("approved", "reject", "system", "failed"),
        step("refunding", "begin", "system", "refunding"),
        step("refunding", "confirm", "system", "done"),
        step("refunding", "reject", "system", "failed"),
        # A bank can send a refund back days after it was made.
        step("done", "reject", "system", "failed"),
        step("failed", "approve", "operator", "approved"),
        step("failed", "confirm", "system", "done"),
        step("failed", "pay_by_hand", "system", "done"),
        step("failed", "undo", "system", "undone"),
    ],
)

#: A sent share taken back.
REVERSAL = Machine(
    "reversal",
    "due",
    [
        step("due", "begin", "system", "sending"),
        step("sending", "begin", "system", "sending"),
        step("sending", "confirm", "system", "done"),
        step("sending", "fall_short", "system", "short"),
    ],
)

#: Who decides about a refund besides an operator. An order has several payees, and one must not give for the other.
DECIDERS = {"license": "payee", "royalty": "payee", "order": "operator"}
#: Why money is asked back.
REFUND_REASONS = ("not_as_agreed", "not_delivered", "quality", "duplicate", "goodwill", "other")
#: The reason of a refund that nobody asked for: the money came when its license or order could not begin any more.
TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A part of a share: its size in basis points, and what releases it (words for people in `words`)."""

    code: str
    bps: int
    released_by: str


_WHOLE = (Milestone("whole", 10_000, "done"),)
#: (purpose, kind of share) -> its parts. A workshop buys metal before it casts, so part of its price comes when it has
#: begun; deposits of this trade run from 30 to 50 percent. The last part takes what rounding leaves.
PLANS: dict[tuple[str, str], tuple[Milestone, ...]] = {
    ("order", "production"): (Milestone("deposit", 3_000, "begun"), Milestone("balance", 7_000, "accepted")),
    ("order", "royalty"): (Milestone("whole", 10_000, "accepted"),),
}
#: What a held share waits for, by its milestone's condition; words in `words.WAITS`.
_WAITS = {"begun": "awaiting_start", "accepted": "awaiting_delivery"}
#: Days before the bank's date on which payees and operators are reminded of a dispute that was not answered.
EVIDENCE_REMINDERS = (3, 1)
#: The buyer has this long after the shipment to accept the pieces or to complain; then the money is released.
ACCEPTANCE_WINDOW = timedelta(days=14)
#: After a payee's account has changed, nothing is sent for this long.
COOLING = timedelta(hours=72)
#: Reasons of a share that concern its payer as well, and those that are the payee's own.
_PAYERS = frozenset({"awaiting_start", "awaiting_delivery", "complaint", "disputed", "given_back"})
_PAYEES = frozenset({"onboarding", "account_restricted", "cooling", "four_eyes", "bank_cooling", "bank_returned"})
#: Whole units of any currency from which a changed account also needs an operator's approval.
_FOUR_EYES_UNITS = 10_000


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


def parts(purpose: str, share: Split) -> list[tuple[Milestone, Split]]:
    """A share cut into its milestones; the parts sum to the share in gross, fee and net. Empty parts are left out."""
    plan = PLANS.get((purpose, share.kind), _WHOLE)
    left_gross, left_fee, found = share.gross, share.fee, []
    for milestone in plan:
        last = milestone is plan[-1]
        gross = left_gross if last else Money(share.gross, "XXX").share(milestone.bps).amount
        fee = left_fee if last else Money(share.fee, "XXX").share(milestone.bps).amount
        left_gross, left_fee = left_gross - gross, left_fee - fee
        if gross:
            found.append((milestone, Split(share.org_id, share.kind, gross, fee, gross - fee)))
    return found


def condition(purpose: str, kind: str, milestone: str) -> str | None:
    """What releases a part of a share: begun, accepted or done; None for one that is owed once more."""
    plan = PLANS.get((purpose, kind), _WHOLE)
    return next((part.released_by for part in plan if part.code == milestone), None)


def waits_for(purpose: str, kind: str, milestone: str) -> str | None:
    """Why a part of a share is held, as words.WAITS says it; None for one that needs no word."""
    return _WAITS.get(condition(purpose, kind, milestone) or "")


def apportion(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` divided in proportion to `weights`: no part is above its weight, and they sum to the amount.

    Each gets the whole part of its proportion; what is left goes one by one to the largest of weight / (part + 1), the
    earlier first (Jefferson's method). With a larger amount no part gets smaller, so giving back in steps ends where
    giving back at once does, in whatever order the steps come. Raises Invalid `too_much` beyond the weights' sum.
    """
    total = sum(weights)
    if not 0 <= amount <= total:
        raise Invalid("too_much", "This is more than is left of the payment.")
    found = [amount * weight // total if total else 0 for weight in weights]
    for _ in range(amount - sum(found)):
        best = max(range(len(weights)), key=lambda i: (Fraction(weights[i], found[i] + 1), -i))
        found[best] += 1
    return found


def seen_by_payer(state: str, reason: str | None) -> tuple[str, str | None]:
    """A share's state and reason as its payer may know them; why a payee cannot be paid is the payee's affair.

    `at_payee`: it waits for something of the payee's, `on_its_way`: it is released and being sent.
    """
    if state in {"sent", "offset"}:
        return "sent", None
    if reason in _PAYERS:
        return state, reason
    if state in {"due", "sending", "failed"}:
        return "due", "at_payee" if reason in _PAYEES else "on_its_way"
    return state, None


def four_eyes_from(currency: str) -> int:
    """Minor units from which a share to a changed account needs an operator's approval."""
    return _FOUR_EYES_UNITS * (1, 10, 100, 1_000)[exponent(currency)]
