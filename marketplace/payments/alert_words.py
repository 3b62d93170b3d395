"""What an alert about money says: the finding, and what the operator does next; translated where it is read."""

from collections.abc import Mapping

from ai_pipeline.errors import N_

_COMPARE = N_("Compare it with the payment service's dashboard and correct it there.")

#: kind -> (what was found, what to do next).
KINDS: Mapping[str, tuple[str, str]] = {
    "payment_mismatch": (
        N_("A payment does not have the amount or currency that was asked"),
        N_("Give it back in the payment service's dashboard; the buyer can then pay what was asked."),
    ),
    "unknown_payment": (
        N_("A payment arrived that belongs to nothing here"),
        N_("Look it up in the payment service's dashboard and give it back there."),
    ),
    "unknown_transfer": (
        N_("A transfer was made that is none of ours"),
        N_("Ask who made it in the payment service's dashboard; reverse it there if nobody can say."),
    ),
    "transfer_failed": (
        N_("A transfer was refused"),
        N_("Settle the reason with the payee, then have it sent again below."),
    ),
    "currency_missing": (
        N_("A share waits: our balance at the payment service has too little in its currency"),
        N_("Bring that much in its currency to the balance; it is sent within the hour after."),
    ),
    "transfer_differs": (N_("A transfer is not the one we asked for"), _COMPARE),
    "refund_failed": (
        N_("A refund was refused"),
        N_("Open the refund and try it again, pay the buyer another way and say so there, or call it off."),
    ),
    "refund_returned": (
        N_("A bank sent a refund back"),
        N_("Ask the buyer for another way to be paid, then open the refund: try it again, or say how you paid it."),
    ),
    "refund_outside": (
        N_("A refund was made at the payment service by hand"),
        N_("It is booked like any other. Find out who made it, and decide about refunds here."),
    ),
    "refund_differs": (N_("A refund is not the one we asked for"), _COMPARE),
    "reversed_outside": (
        N_("A transfer was reversed at the payment service by hand"),
        N_("The payee is owed that part again. Find out why, then release it on the payment's page."),
    ),
    "debt": (
        N_("A payee could not cover what goes back"),
        N_("It is kept back from what the payee earns next. If nothing is coming, write to the payee."),
    ),
    "dispute": (
        N_("A payment is disputed"),
        N_("Open the dispute, read the files of the answer and send them before the bank's date."),
    ),
    "evidence_failed": (
        N_("The evidence could not be sent"),
        N_("Open the dispute and have it done again; the bank's date does not move."),
    ),
    "evidence_due": (
        N_("Evidence is due soon and was not sent"),
        N_("Open the dispute, read the files and send them now."),
    ),
    "account_changed": (
        N_("A payout account was changed"),
        N_("Call the payee on a number you know, then approve the change below."),
    ),
    "four_eyes": (
        N_("A large share waits for a changed payout account"),
        N_("Call the payee on a number you know, then approve the change below."),
    ),
    "account_lost": (
        N_("A payee cannot be paid any more"),
        N_("The payee is told. What is due waits until the account works or another one is set up."),
    ),
    "payout_failed": (
        N_("A payout came back from the bank"),
        N_("The payee is told to check the bank details; the payment service tries again after that."),
    ),
    "difference": (
        N_("The books differ from the payment service's"),
        N_("Read the comparison below, settle the cause, then compare again."),
    ),
    "gave_up": (
        N_("A task about money was given up after many attempts"),
        N_("See whether the payment service works, then have it tried again."),
    ),
}

#: What a task that was given up was to do, by the job's name.
TASKS: Mapping[str, str] = {
    "handle_payment_event": N_("Taking over what the payment service reported"),
    "release_order_funds": N_("Releasing held money"),
    "resend_transfer": N_("Sending a refused share again"),
    "end_refund": N_("Ending a refund that could not be made"),
    "reverse_transfer": N_("Taking back a share that was sent"),
    "issue_invoices": N_("Issuing invoices"),
    "restore_invoices": N_("Undoing the credit notes of a dispute"),
    "make_invoice_document": N_("Making the PDF of an invoice"),
    "issue_statement": N_("Issuing a royalty statement"),
    "fill_bank_file": N_("Making a bank file"),
    "settle_bank_item": N_("Taking over the bank's answer"),
    "compare_books": N_("Comparing the books"),
}

#: Codes that tell why, in words; another code is shown as it is.
CODES: Mapping[str, str] = {
    "insufficient_funds": N_("There was not enough money on the account"),
    "balance_insufficient": N_("There was not enough money on the account"),
    "not_reversible": N_("It was paid by bank file, which cannot be taken back"),
    "expired_or_canceled_card": N_("The card has expired or was canceled"),
    "lost_or_stolen_card": N_("The card was reported lost or stolen"),
    "disputed": N_("The buyer's bank is deciding about the payment"),
    "too_much": N_("More was to go back than is left of the payment"),
    "no_answer": N_("The payment service gave no answer for hours"),
}

#: What the nightly comparison compares, and what can be wrong with it: a difference is `<what>_<flaw>`.
COMPARED: Mapping[str, str] = {
    "charge": N_("Payment"),
    "refund": N_("Refund"),
    "transfer": N_("Transfer"),
    "reversal": N_("Reversal"),
    "dispute": N_("Dispute"),
    "payout": N_("Payout"),
    "adjustment": N_("Adjustment"),
    "balance": N_("Balance"),
    "share": N_("Share"),
}
FLAWS: Mapping[str, str] = {
    "not_booked": N_("missing in our books"),
    "not_there": N_("missing at the payment service"),
    "amount": N_("another amount"),
    "currency": N_("another currency"),
    "fee": N_("another fee"),
    "twice": N_("made twice"),
    "state": N_("another state"),
    "not_mirrored": N_("we did not hear of it"),
    "payee": N_("sent to another account"),
    "stuck": N_("being sent for too long"),
}
