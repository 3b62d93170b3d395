"""Words for money: shares and why one waits, reasons of refunds and disputes, what an alert is about."""

from flask_babel import lazy_gettext as _l

from marketplace.payments.rules import TOO_LATE, seen_by_payer
from marketplace.payments.titles import title

__all__ = ["seen_by_payer", "title"]

KINDS = {
    "license_fee": _l("License fee"),
    "production": _l("Production"),
    "royalty": _l("Royalty"),
    "advance": _l("Advance"),
}
MILESTONES = {
    "deposit": _l("Deposit, when work has begun"),
    "balance": _l("Balance, when delivery is accepted"),
}
#: Ways to pay, as the payment service names them.
METHODS = {
    "card": _l("Card"),
    "us_bank_account": _l("US bank account"),
    "sepa_debit": _l("SEPA direct debit"),
    "bacs_debit": _l("Bacs direct debit"),
    "acss_debit": _l("Canadian pre-authorized debit"),
    "customer_balance": _l("Bank transfer"),
}
#: Why a share is not sent yet, or what became of it.
WAITS = {
    "awaiting_start": _l("Held until the workshop has recorded its first stage"),
    "awaiting_delivery": _l("Held until the buyer accepts the delivery, or 14 days after it was shipped"),
    "onboarding": _l("Waiting until your payouts are set up"),
    "account_restricted": _l("Waiting: the payment service has stopped payments to this account"),
    "cooling": _l("Waiting: the payout account was changed, nothing is sent for 72 hours"),
    "four_eyes": _l("Waiting: the payout account was changed, we check large amounts"),
    "bank_file": _l("Leaves with our next bank file"),
    "in_bank_file": _l("In a file for our bank"),
    "bank_cooling": _l("Your bank account was changed; it is used after 72 hours"),
    "bank_returned": _l("Your bank sent it back; it leaves again with the next file"),
    "unsettled": _l("Waiting until the buyer's money has settled at the payment service"),
    "no_answer": _l("The payment service has not answered; we are looking into it"),
    "complaint": _l("Held: the buyer has asked for money back; it goes on when that is decided"),
    "disputed": _l("Held: the buyer's bank questions the payment"),
    "debt": _l("Kept back against what was owed from an earlier refund"),
    "given_back": _l("Given back to the buyer"),
    "restored": _l("Yours again after a dispute was won"),
    "reversed_outside": _l("Taken back by the payment service; we are looking into it"),
}
#: The same for who paid (rules.seen_by_payer).
PAYER_WAITS = {
    **{code: WAITS[code] for code in ("awaiting_start", "awaiting_delivery", "disputed", "given_back")},
    "complaint": _l("Held: you have asked for money back; it goes on when that is decided"),
    "at_payee": _l("Released; it is sent as soon as the payee can receive it"),
    "on_its_way": _l("Released; it is being sent"),
}
#: For a share that the payment service would not take, whatever it said.
REFUSED = _l("The payment service refused it; we are looking into it")
REFUND_REASONS = {
    "not_as_agreed": _l("Not as agreed"),
    "not_delivered": _l("Not delivered"),
    "quality": _l("Quality"),
    "duplicate": _l("Paid twice"),
    "goodwill": _l("Goodwill"),
    "other": _l("Another reason"),
}
#: With the one that nobody chooses.
REFUND_CAUSES = {**REFUND_REASONS, TOO_LATE: _l("The payment came too late")}
REFUND_STATES = {
    "asked": (_l("Asked for"), "warn"),
    "approved": (_l("Approved, being made"), "info"),
    "refunding": (_l("Being made"), "info"),
    "done": (_l("Paid back"), "ok"),
    "failed": (_l("Did not go through; we are looking into it"), "bad"),
    "declined": (_l("Declined"), "bad"),
    "withdrawn": (_l("Withdrawn"), ""),
    "undone": (_l("Called off"), "bad"),
}
DISPUTE_STATES = {
    "needs_response": (_l("An answer is due"), "warn"),
    "under_review": (_l("The bank is deciding"), "info"),
    "won": (_l("Won, the money is back"), "ok"),
    "lost": (_l("Lost, the money went back to the buyer"), "bad"),
    "warning_needs_response": (_l("A question by the bank, no money was taken"), "warn"),
    "warning_under_review": (_l("The bank is reading the answer"), "info"),
    "warning_closed": (_l("Closed without taking money"), "ok"),
    "prevented": (_l("Settled before it began"), "ok"),
}
EVIDENCE = {
    "customer_signature": _l("The signed agreement"),
    "customer_communication": _l("Messages between the parties"),
    "service_documentation": _l("The royalty statement"),
    "shipping_documentation": _l("Proof of what was owed, made and delivered"),
}


def paid_with(kept: str) -> str:
    """How a payment was made, from what is kept of it (kind, brand or bank, last digits): `Card · Visa ···· 4242`."""
    kind, *rest = kept.split()
    digits = [f"···· {rest.pop()}"] if rest and rest[-1].isdigit() else []
    brand = [word.capitalize() for word in rest]
    named = str(METHODS.get(kind, kind))
    return f"{named} · {' '.join([*brand, *digits])}" if brand or digits else named
