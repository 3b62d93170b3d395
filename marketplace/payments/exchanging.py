"""Money that moves on our balance in another currency than it was agreed in: two bookings, linked by an account.

The terms stay in the currency they were agreed in; what a rate gains or loses between a payment and its refund remains
on `equity:exchange`, in both currencies (PAY-21, PAY-27).
"""

from sqlalchemy.orm import Session

from marketplace.kernel.money import Money
from marketplace.payments import ledger
from marketplace.payments.models import Checkout


def link(
    session: Session,
    *,
    key: str,
    kind: str,
    subject_id: str,
    memo: str,
    external_id: str | None,
    agreed: Money,
    moved: Money,
) -> None:
    """Book out of `agreed`'s currency what was booked there, and into `moved`'s what our balance has; each once.

    Both have the sign of their effect on the balance. Nothing happens when they are of one currency.
    """
    if agreed.currency == moved.currency:
        return
    for code, into in ((agreed.currency, -agreed.amount), (moved.currency, moved.amount)):
        ledger.post(
            session,
            key=f"{key}:{code}",
            kind=kind,
            subject_id=subject_id,
            memo=memo,
            currency=code,
            lines=[ledger.Line(ledger.STRIPE, into), ledger.Line(ledger.EXCHANGE, -into)],
            external_id=external_id,
        )


def exchanged(session: Session, checkout: Checkout) -> bool:
    """Whether a payment has arrived in another currency: nothing can be sent out of its charge then."""
    return ledger.balance_of(session, f"exchange:{checkout.id}:{checkout.currency}", ledger.EXCHANGE) != 0
