"""What moves between our balance at the payment service and our bank: payouts, top-ups, and their returns."""

from sqlalchemy.orm import Session

from marketplace.audit.operations import record
from marketplace.gateways.payment_types import Movement
from marketplace.kernel.actor import Actor
from marketplace.payments import ledger

#: The vendor's words for such movements -> what the booking says.
KINDS = {
    "payout": "Payout to our bank",
    "payout_reversal": "Payout that our bank sent back",
    "topup": "Top-up from our bank",
    "topup_reversal": "Top-up that was taken back",
}


def book(session: Session, actor: Actor, movement: Movement) -> bool:
    """Book one movement of the platform's own, once; False when it was booked before.

    A payout and its return are two movements of one object, so each is keyed by its own id.
    """
    made = ledger.post(
        session,
        key=f"own:{movement.id}",
        kind="payout",
        subject_id=None,
        memo=KINDS[movement.kind],
        currency=movement.currency,
        lines=[ledger.Line(ledger.STRIPE, movement.amount), ledger.Line(ledger.BANK, -movement.amount)],
        external_id=movement.id,
    )
    if made and movement.fee:
        ledger.post(
            session,
            key=f"own_fee:{movement.id}",
            kind="processing_fee",
            subject_id=None,
            memo=KINDS[movement.kind],
            currency=movement.currency,
            lines=[ledger.Line(ledger.PROCESSING, movement.fee), ledger.Line(ledger.STRIPE, -movement.fee)],
            external_id=movement.id,
        )
    if made:
        name = movement.source or movement.id
        record(session, actor, "ledger.own_account", name, amount=movement.amount, currency=movement.currency)
    return made
