"""The values of an invoice's document, in the reader's language; call inside an application context."""

from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from marketplace.invoices import tax_ids
from marketplace.invoices.models import Invoice
from marketplace.invoices.words import CHARGES, KINDS, TREATMENTS, reference_of, title_of
from marketplace.web.i18n import Formats

TEMPLATE = "invoice"


def values(invoice: Invoice, locale: str, brand: str) -> dict[str, Any]:
    """The input of `documents/invoice.typ`."""
    fmt, content = Formats(), invoice.content
    with force_locale(locale):
        return {
            "lang": locale.replace("_", "-")[:2],
            "brand": brand,
            "title": str(KINDS[invoice.kind]),
            "number": invoice.number,
            "facts": [
                [_("Number"), invoice.number],
                [_("Date"), fmt.date(invoice.created_at)],
                *([[_("Corrects invoice"), content["credits"]]] if content.get("credits") else []),
                *([[_("Undoes credit note"), content["restores"]]] if content.get("restores") else []),
                [_("Reference"), reference_of(content)],
            ],
            "parties": [
                _party(_("From"), content["seller"]),
                _party(_("To"), content["buyer"]),
            ],
            "columns": [_("Description"), _("Net"), _("Tax rate"), _("Tax"), _("Total")],
            "lines": [
                [
                    f"{CHARGES[invoice.charge]} · {title_of(content)}",
                    fmt.money(invoice.net_money),
                    fmt.percent(invoice.tax_rate_bps) if invoice.tax_rate_bps else "–",
                    fmt.money(invoice.tax_money),
                    fmt.money(invoice.gross_money),
                ]
            ],
            "total": [
                _("Total credited") if invoice.kind == "credit_note" else _("Total paid"),
                fmt.money(invoice.gross_money),
            ],
            "notes": [
                str(TREATMENTS[invoice.treatment]),
                _settled(invoice),
                _("Issued electronically in the supplier's name by %(brand)s.", brand=brand),
            ],
        }


def _settled(invoice: Invoice) -> str:
    """That nothing is left to pay, and why."""
    if invoice.kind == "credit_note":
        return _("Given back over the platform; nothing is left to do.")
    if invoice.restores_id is not None:
        return _(
            "The buyer's bank has given the payment back, so the credit note no longer holds; nothing is left to pay."
        )
    return _("Paid in full over the platform; nothing is left to pay.")


def _party(label: str, side: dict[str, Any]) -> dict[str, Any]:
    number = tax_ids.shown(side["country"], side["tax_id"])
    return {
        "label": label,
        "name": side["name"],
        "lines": [*str(side["address"]).splitlines(), Formats().country(side["country"])],
        "tax": f"{_('Tax number')}: {number}" if number else "",
    }
