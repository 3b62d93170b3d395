"""Every kind of notification: one sentence each, in the reader's language."""

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.kernel.money import Money
from marketplace.web.i18n import Formats

_FMT = Formats()

#: kind -> (title, sentence); sentences use the notification's params.
KINDS: dict[str, tuple[Any, Any]] = {
    "org_approved": (_l("Your business is approved"), _l("%(org)s can now trade. Welcome.")),
    "org_refused": (_l("Your application was not accepted"), _l("Reason given: %(reason)s")),
    "org_pending": (_l("A business waits for approval"), _l("%(org)s (%(role)s) has applied.")),
    "org_looks_alike": (
        _l("A name looks like another one"),
        _l("%(org)s has registered; its name can be taken for %(other)s."),
    ),
    "asset_ready": (_l("A file is ready"), _l("%(filename)s has been checked and measured.")),
    "asset_rejected": (_l("A file was refused"), _l("%(filename)s: %(reason)s")),
    "content_ready": (_l("A draft is ready to read"), _l("%(what)s for %(design)s has been drafted.")),
    "negotiation_opened": (_l("A buyer opened a negotiation"), _l("About %(design)s. It is your turn.")),
    "negotiation_opened_brief": (
        _l("A buyer opened a negotiation"),
        _l("About %(design)s, with a customization brief: %(brief)s. It is your turn."),
    ),
    "offer_received_brief": (
        _l("A new offer"),
        _l("Version %(version)s for %(design)s, with a customization brief: %(brief)s. It is your turn."),
    ),
    "offer_received": (_l("A new offer"), _l("Version %(version)s for %(design)s. It is your turn.")),
    "offer_accepted": (_l("Terms accepted"), _l("Version %(version)s for %(design)s was accepted.")),
    "negotiation_declined": (_l("A negotiation was declined"), _l("%(design)s")),
    "negotiation_withdrawn": (_l("An offer was withdrawn"), _l("%(design)s")),
    "negotiation_expired": (_l("An offer expired"), _l("%(design)s")),
    "negotiation_reopened": (
        _l("A negotiation goes on"),
        _l("Version %(version)s for %(design)s. It is your turn."),
    ),
    "negotiation_handed_over": (_l("A negotiation was handed to you"), _l("%(design)s, by %(by)s.")),
    "comment_received": (_l("A new comment on a term"), _l("About %(design)s")),
    "message_received": (_l("A new message"), _l("About %(design)s")),
    "approval_asked": (
        _l("Your approval is needed"),
        _l("%(colleague)s asks about %(design)s; it is above the limit."),
    ),
    "approval_given": (_l("A deal was approved"), _l("%(colleague)s approved %(design)s; it took effect.")),
    "approval_refused": (_l("A deal was not approved"), _l("%(colleague)s about %(design)s: %(reason)s")),
    "limits_changed": (
        _l("Approval limits were changed"),
        _l("%(colleague)s set other amounts that need approval."),
    ),
    "buyer_named_to_you": (_l("You now see who the buyer is"), _l("The agreement for %(design)s names both parties.")),
    "you_were_named": (_l("The designer now sees your name"), _l("The agreement for %(design)s names both parties.")),
    "license_to_sign": (_l("A license is ready to sign"), _l("%(design)s")),
    "license_signed": (_l("The other side signed"), _l("%(design)s")),
    "license_to_pay": (_l("A license waits for payment"), _l("%(design)s")),
    "license_active": (_l("A license is active"), _l("%(design)s")),
    "license_drafted": (_l("An agreement is drawn up"), _l("%(design)s. The other side signs first.")),
    "license_lapsed": (_l("An agreement has lapsed"), _l("%(design)s. It was not signed or paid in time.")),
    "license_expiring": (_l("A license ends soon"), _l("%(design)s: %(days)s days are left.")),
    "license_expired": (_l("A license has expired"), _l("%(design)s")),
    "license_sell_off": (_l("The sell-off has begun"), _l("%(design)s. Pieces already made may still be sold.")),
    "license_ended": (_l("A license has ended"), _l("%(design)s")),
    "license_breach": (
        _l("Notice of a breach"),
        _l(
            "%(design)s. Put it right by %(until)s. For thirty days after that the other side may end the license by"
            " one signature; then its notice lapses."
        ),
    ),
    "breach_uncured": (
        _l("The time to cure a breach is over"),
        _l(
            "%(design)s. You may end the license by your signature alone, or say that the breach is cured. Your notice"
            " lapses on %(lapses)s."
        ),
    ),
    "breach_not_cured": (
        _l("The time to cure a breach is over"),
        _l(
            "%(design)s. The other side may now end the license by one signature, until its notice lapses on"
            " %(lapses)s."
        ),
    ),
    "breach_lapsed": (
        _l("A notice of a breach has lapsed"),
        _l("%(design)s. The license was not ended in time after the notice and goes on."),
    ),
    "license_cured": (_l("A breach is cured"), _l("%(design)s. The license goes on.")),
    "license_sealed": (_l("The signed document is ready"), _l("%(design)s. It is sealed and can be downloaded.")),
    "addendum_to_sign": (_l("A change is ready to sign"), _l("An amendment or termination for %(design)s.")),
    "addendum_done": (_l("A change is in force"), _l("The amendment for %(design)s is signed by both.")),
    "addendum_closed": (_l("A proposed change was dropped"), _l("%(design)s. The license stays as it is.")),
    "addendum_lapsed": (
        _l("A proposed change has lapsed"),
        _l("%(design)s. It was not signed in time; the license stays as it is."),
    ),
    "license_attested": (_l("Files and molds are destroyed"), _l("The buyer of %(design)s has said so.")),
    "attestation_due": (_l("Please confirm what you destroyed"), _l("The license for %(design)s has ended.")),
    "units_80": (_l("A license is nearly used up"), _l("%(design)s: %(used)s of %(limit)s pieces.")),
    "units_100": (_l("A license is used up"), _l("%(design)s: all %(limit)s pieces are ordered.")),
    "edition_80": (_l("An edition is nearly full"), _l("%(design)s: %(used)s of %(limit)s pieces of everybody.")),
    "edition_100": (_l("An edition is full"), _l("%(design)s: all %(limit)s pieces are ordered.")),
    "rights_held": (_l("Rights are held for you"), _l("%(design)s: nobody else can take them until %(until)s.")),
    "first_asked": (
        _l("You are asked first"),
        _l("%(design)s: rights under your first refusal would go to somebody else. Answer by %(until)s."),
    ),
    "first_withdrawn": (_l("You are no longer asked"), _l("%(design)s: the designer took the question back.")),
    "first_lapsed": (_l("You are no longer asked"), _l("%(design)s: the other offer is no longer on the table.")),
    "first_over": (_l("You are no longer asked"), _l("%(design)s: your license with the first refusal is over.")),
    "first_stands": (
        _l("A first refusal stands again"),
        _l("%(design)s: the termination was not signed, so the holder is asked again."),
    ),
    "first_taken_up": (
        _l("A first refusal is taken up"),
        _l("%(design)s: the holder wants these rights and negotiates with you."),
    ),
    "first_let_go": (
        _l("A first refusal is let go"),
        _l("%(design)s: the rights are free when both have signed the termination."),
    ),
    "first_silent": (
        _l("The holder did not answer"),
        _l("%(design)s: the time is over. The first refusal still stands."),
    ),
    "offer_first_asked": (
        _l("Somebody else is asked first"),
        _l("%(design)s: the offer waits for the holder of a first refusal, who is to answer by %(until)s."),
    ),
    "offer_first_taken_up": (
        _l("A first refusal stands against the offer"),
        _l("%(design)s: the holder wants these rights, so the offer cannot be accepted as it stands."),
    ),
    "offer_first_let_go": (
        _l("A first refusal is let go"),
        _l("%(design)s: the rights are free when both have signed the termination."),
    ),
    "offer_first_silent": (
        _l("The holder did not answer"),
        _l("%(design)s: the time is over. The first refusal still stands."),
    ),
    "offer_first_withdrawn": (
        _l("Nobody else is asked any more"),
        _l("%(design)s: the designer took the question back."),
    ),
    "offer_first_ended": (_l("A first refusal has ended"), _l("%(design)s: it stands against the offer no more.")),
    "rights_released": (_l("Rights are no longer held"), _l("%(design)s")),
    "order_created": (_l("A new order"), _l("%(quantity)s pieces of %(design)s")),
    "rfq_received": (_l("You are asked for a quote"), _l("%(quantity)s pieces of %(design)s")),
    "quote_received": (_l("A quote came in"), _l("%(maker)s for %(design)s")),
    "quote_awarded": (_l("You won an order"), _l("%(design)s. Read and sign the NDA to get the CAD file.")),
    "quote_declined": (_l("A quote was not chosen"), _l("%(design)s")),
    "quote_lapsed": (_l("Your quote has expired"), _l("%(design)s. You can renew it.")),
    "order_quoting": (_l("Quotes are being asked for"), _l("Workshops asked about %(design)s: %(makers)s.")),
    "order_canceled": (_l("An order was canceled"), _l("%(design)s")),
    "nda_revoked": (_l("An NDA was revoked"), _l("%(design)s. The CAD file is closed from now on.")),
    "nda_issued": (_l("A new NDA to sign"), _l("%(design)s. The CAD file stays closed until you have signed it.")),
    "order_to_pay": (_l("An order waits for payment"), _l("%(design)s")),
    "order_paid": (_l("An order is paid"), _l("Production of %(design)s can begin.")),
    "nda_signed": (_l("An NDA was signed"), _l("%(maker)s for %(design)s")),
    "cad_fetched": (_l("A CAD file was fetched"), _l("%(maker)s fetched %(filename)s of %(design)s.")),
    "stage_cad_review": (_l("Production moved on"), _l("%(design)s: the CAD review is done.")),
    "stage_wax": (_l("Production moved on"), _l("%(design)s: the wax or resin prints are ready.")),
    "stage_casting": (_l("Production moved on"), _l("%(design)s: the pieces are cast.")),
    "stage_finishing": (_l("Production moved on"), _l("%(design)s: filing and assembly are done.")),
    "stage_setting": (_l("Production moved on"), _l("%(design)s: the stones are set.")),
    "stage_polishing": (_l("Production moved on"), _l("%(design)s: the pieces are polished.")),
    "stage_plating": (_l("Production moved on"), _l("%(design)s: the pieces are plated.")),
    "stage_hallmark": (_l("Production moved on"), _l("%(design)s: the pieces are hallmarked.")),
    "stage_quality_control": (_l("Production moved on"), _l("%(design)s: quality control is done.")),
    "stage_packing": (_l("Production moved on"), _l("%(design)s: the pieces are packed.")),
    "order_shipped": (_l("An order was shipped"), _l("%(design)s with %(carrier)s, %(tracking)s")),
    "delivery_accepted": (_l("Delivery accepted"), _l("%(design)s. The money is being released.")),
    "refund_asked": (_l("A refund is asked for"), _l("%(amount)s for %(design)s. Please decide.")),
    "refund_approved": (_l("A refund was approved"), _l("%(amount)s for %(design)s")),
    "refund_declined": (_l("A refund was declined"), _l("%(amount)s for %(design)s")),
    "refund_taken": (
        _l("A refund takes from your share"),
        _l("%(amount)s of your share for %(design)s goes back to the buyer."),
    ),
    "refund_made": (_l("Your refund is on its way"), _l("%(amount)s for %(design)s")),
    "payment_refused": (
        _l("Your payment did not go through"),
        _l("The bank did not carry out %(amount)s for %(design)s. Please pay again, by card or from another account."),
    ),
    "payment_too_late": (
        _l("A payment came too late"),
        _l("%(amount)s for %(design)s came when it could not begin any more. All of it goes back to the buyer."),
    ),
    "refund_failed": (_l("A refund did not arrive"), _l("%(amount)s for %(design)s. We are looking into it.")),
    "refund_by_hand": (_l("Your refund was paid another way"), _l("%(amount)s for %(design)s: %(answer)s")),
    "refund_called_off": (_l("A refund was called off"), _l("%(amount)s for %(design)s: %(answer)s")),
    "share_restored": (
        _l("Your share is yours again"),
        _l("%(amount)s of your share for %(design)s: the refund was called off."),
    ),
    "debt": (_l("Your account could not cover a refund"), _l("%(amount)s will be kept back from what you earn next.")),
    "dispute_opened": (_l("A payment is disputed"), _l("%(amount)s for %(design)s. The money is held until it ends.")),
    "evidence_reminder": (
        _l("The answer to a dispute is due"),
        _l("%(design)s, %(amount)s: the bank takes the answer until %(until)s. Without one the money is lost."),
    ),
    "dispute_over": (_l("A dispute is over"), _l("%(amount)s for %(design)s. The money is free again.")),
    "dispute_lost": (_l("A dispute was lost"), _l("%(amount)s for %(design)s went back to the buyer.")),
    "payout_failed": (
        _l("A payout did not arrive"),
        _l("%(amount)s came back from your bank. Check your bank details."),
    ),
    "payout_account_lost": (_l("You cannot be paid now"), _l("The payment service has stopped payments to you.")),
    "payout_account_changed": (
        _l("Your payout account was changed"),
        _l("Nothing is sent for 72 hours. If it was not you, write to us at once."),
    ),
    "money_alert": (_l("Money needs a look"), _l("%(what)s. %(subject)s")),
    "bank_changed": (
        _l("Your bank account was changed"),
        _l("From now on money goes to the account ending in %(last4)s, after three days. Was it not you? Write to us."),
    ),
    "bank_returned": (_l("Your bank sent a payment back"), _l("%(amount)s. Check your bank account; we pay it again.")),
    "payout_sent": (_l("Money is on its way"), _l("%(amount)s for %(design)s")),
    "invoice_issued": (_l("An invoice"), _l("%(number)s over %(amount)s")),
    "invoice_restored": (
        _l("A credit note is undone"),
        _l("%(number)s over %(amount)s: the buyer's bank has given the payment back."),
    ),
    "credit_note_issued": (_l("A credit note"), _l("%(number)s over %(amount)s")),
    "report_due": (_l("A sales report is due"), _l("%(design)s: say what was sold in the quarter by %(day)s.")),
    "report_reminder": (_l("A sales report is due"), _l("%(design)s: the report is due on %(day)s.")),
    "report_late": (_l("A sales report is late"), _l("%(design)s: the report was due on %(day)s. Please file it now.")),
    "report_missing": (_l("A sales report is missing"), _l("%(design)s: the buyer's report was due on %(day)s.")),
    "sales_flagged": (_l("A sales report to look at"), _l("%(design)s: some reported sales do not fit the license.")),
    "sales_corrected": (_l("A reported sale was corrected"), _l("%(design)s. It counts in the next statement.")),
    "statement_issued": (_l("A royalty statement is ready"), _l("%(design)s: %(amount)s earned.")),
    "statement_to_pay": (_l("A royalty statement waits for payment"), _l("%(design)s: %(amount)s, due on %(day)s.")),
    "pay_reminder": (_l("A royalty payment is due"), _l("%(design)s: %(amount)s, due on %(day)s.")),
    "pay_late": (_l("A royalty payment is late"), _l("%(design)s: %(amount)s was due on %(day)s. Please pay it now.")),
    "statement_overdue": (_l("A royalty payment is late"), _l("%(design)s: %(amount)s was not paid in time.")),
    "statement_returned": (
        _l("Money of a royalty statement went back"),
        _l("%(design)s: %(amount)s went back to the buyer. It is asked again with the next statement."),
    ),
    "advance_returned": (
        _l("Money of an advance went back"),
        _l("%(design)s: %(amount)s went back to the buyer. What was set off against it is asked again."),
    ),
    "statement_paid": (_l("A royalty statement is paid"), _l("%(design)s: %(amount)s")),
    "statement_queried": (_l("A question about a statement"), _l("%(design)s. Please answer by %(day)s.")),
    "audit_asked": (_l("The designer asks for an audit"), _l("%(design)s. Hand in your books by %(day)s.")),
    "inquiry_answered": (_l("Your question was answered"), _l("%(design)s")),
    "inquiry_closed": (_l("A question about a statement is closed"), _l("%(design)s")),
    "inquiry_claimed": (_l("The designer found a difference"), _l("%(design)s. Agree, or say why not.")),
    "inquiry_agreed": (_l("The difference is agreed"), _l("%(design)s. It is in the next statement.")),
    "inquiry_refused": (_l("The buyer does not agree"), _l("%(design)s. Read why.")),
    "inquiry_late": (_l("An answer about a statement is late"), _l("%(design)s")),
    "privacy_asked": (_l("A data request"), _l("%(email)s asked: %(kind_asked)s (%(request)s)")),
    "privacy_done": (_l("Your data request is done"), _l("You can see the result on your privacy page.")),
}

#: What a person may have at once, in a daily summary, or not at all. The rest is always sent at once.
ABOUT_THREADS = frozenset(
    {
        "negotiation_opened",
        "offer_received",
        "offer_accepted",
        "negotiation_declined",
        "negotiation_withdrawn",
        "negotiation_expired",
        "negotiation_reopened",
        "negotiation_handed_over",
        "comment_received",
        "message_received",
        "offer_first_asked",
        "offer_first_taken_up",
        "offer_first_let_go",
        "offer_first_silent",
        "offer_first_withdrawn",
        "offer_first_ended",
    }
)


def words(kind: str, params: dict[str, Any]) -> tuple[str, str]:
    """Title and sentence of a notification in the current language; unknown kinds give their name."""
    title, sentence = KINDS.get(kind, (kind, ""))
    try:
        return str(title), str(sentence) % {name: _said(value) for name, value in params.items()}
    except (KeyError, ValueError, TypeError):
        return str(title), ""


def _said(value: Any) -> Any:
    """A value for a sentence in the reader's language: an amount, a day, a {message, params}; the rest as it is."""
    if not isinstance(value, dict):
        return value
    if "currency" in value:
        return _FMT.money(Money(value["amount"], value["currency"]))
    if "moment" in value:
        return _FMT.datetime(datetime.fromisoformat(value["moment"]))
    if "day" in value:
        return _FMT.date(date.fromisoformat(value["day"]))
    if "message" not in value:
        return value
    text = _(value["message"])
    return text % value["params"] if value.get("params") else text
