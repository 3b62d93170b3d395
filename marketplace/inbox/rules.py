"""Rules of answers by mail."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l

from marketplace.kernel.states import Machine, step

#: How long after our last mail about a thread its address takes answers.
ADDRESS_LIFE = timedelta(days=30)
#: Mails to one address within an hour; a person writes fewer, a loop more.
MOST_AN_HOUR = 30

INBOUND = Machine(
    "inbound_mail",
    "received",
    [
        step("received", "post", "system", "posted"),
        step("received", "ignore", "system", "ignored"),
        step("received", "refuse", "system", "refused"),
    ],
)

#: Why an answer was not posted, said to the person at the address of the account.
REFUSALS = {
    "sender": _l("It did not come from your own address, or your mail service did not vouch for it."),
    "expired": _l("The address you answered to is no longer valid. Answer to a newer mail, or write on the page."),
    "member": _l("You do not take part in this conversation any more."),
    "closed": _l("The negotiation has ended, so nothing can be added to it."),
    "too_long": _l("It is longer than 4,000 characters. Please shorten it, or write several messages."),
    "empty": _l("We found no text of your own in it."),
    "unreadable": _l("It could not be read."),
    "files": _l("These files were not taken:"),
}


def aligned(domain: str, sender: str) -> bool:
    """Whether a vouched-for domain is that of the sender's address, or a parent of it with a dot."""
    own = sender.rpartition("@")[2].lower()
    domain = domain.lower().rstrip(".")
    return "." in domain and (own == domain or own.endswith("." + domain) or domain.endswith("." + own))


def vouched(sender: str, envelope: str, *, spf: str, dkim: str, signed_by: list[str]) -> bool:
    """Whether the receiving service found that the mail comes from the domain in its From line.

    As DMARC does (RFC 7489 section 3.1): a signature that passed, or a permitted server, of the same domain.
    """
    by_signature = dkim == "pass" and any(aligned(domain, sender) for domain in signed_by)
    by_server = spf == "pass" and aligned(envelope.rpartition("@")[2], sender)
    return by_signature or by_server
