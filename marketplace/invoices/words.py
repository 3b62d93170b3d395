"""What charges and tax treatments are called, for pages and documents."""

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l

from marketplace.payments import titles

CHARGES = {
    "license_fee": _l("License fee"),
    "royalty": _l("Royalty"),
    "production": _l("Production"),
    "platform_fee": _l("Platform fee"),
}

#: Treatment -> the sentence that the law wants on the document, or that tells why there is no tax.
TREATMENTS = {
    "domestic": _l("The amount includes tax at the rate shown."),
    "reverse_charge_eu": _l(
        "Reverse charge: VAT is to be accounted for by the recipient (Article 196, Directive 2006/112/EC)."
    ),
    "reverse_charge": _l("Reverse charge: the recipient accounts for the tax in its own country."),
    "intra_community": _l("Intra-Community supply of goods, exempt from VAT (Article 138, Directive 2006/112/EC)."),
    "export": _l("Export of goods, zero-rated."),
    "outside_scope": _l(
        "Outside the scope of the supplier's tax: the service is supplied where the customer is established."
    ),
    "not_registered": _l("No tax is charged: the supplier has not stated a tax registration."),
    "no_tax": _l("No tax is charged: the supplier's country levies none on this supply."),
}

KINDS = {"invoice": _l("Invoice"), "credit_note": _l("Credit note")}


def title_of(content: Mapping[str, Any]) -> str:
    """What an invoice's payment was for, in the current language; older ones keep what was written then."""
    return titles.said(content.get("purpose", ""), content.get("about", {}), content["description"])


def reference_of(content: Mapping[str, Any]) -> str:
    """What the payment was for as people call it: the number of the order or statement, or of the license.

    Older ones that kept no number show the last characters of the id.
    """
    about, subject = content.get("about") or {}, str(content["subject"])
    kept = about.get("reference") or about.get("number")
    return str(kept) if kept else subject.rpartition("_")[2][-8:].upper()


#: purpose -> the page of what was paid for, for the sides of the payment.
PAGES = {
    "order": ("orders.show", "order_id"),
    "license": ("licenses.show", "license_id"),
    "royalty": ("royalties.show", "statement_id"),
}


def page_of(content: Mapping[str, Any]) -> str | None:
    """The address of what was paid for; None for an invoice that does not say."""
    page = PAGES.get(content.get("purpose", ""))
    return url_for(page[0], **{page[1]: content["subject"]}) if page else None
