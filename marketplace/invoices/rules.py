"""Rules of invoices, pure: which tax applies, how it is taken out of an amount, and what a number looks like.

Prices on the platform are what is paid, tax included where tax is due; an invoice never changes what was charged.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.invoices.tax_rates import EU, standard_rate

#: What we charge a payee.
PLATFORM_FEE = "platform_fee"
#: Charges that deliver goods; everything else is a service.
GOODS = frozenset({"production"})


@dataclass(frozen=True, slots=True)
class Party:
    """One side of an invoice as it was on the day; `tax_id` is empty for a party that is not registered."""

    org_id: str
    name: str
    address: str
    country: str
    tax_id: str

    def to_json(self) -> dict[str, Any]:
        """As kept in the invoice."""
        return {
            "org_id": self.org_id,
            "name": self.name,
            "address": self.address,
            "country": self.country,
            "tax_id": self.tax_id,
        }


@dataclass(frozen=True, slots=True)
class Tax:
    """How a supply is taxed: the treatment's code (words.py says it) and the rate in basis points."""

    treatment: str
    rate_bps: int


def tax_of(seller: Party, buyer: Party, charge: str, on: date) -> Tax:
    """The treatment of a supply between two businesses.

    Sources: Directive 2006/112/EC articles 44 and 196 (services between businesses: where the customer is established,
    who accounts for the tax), 138 (goods between member states), 146 (export of goods); UK VATA 1994 section 7A.
    A buyer in the EU without a VAT number cannot be treated as a business there, so the seller's own rate applies.
    """
    rate = standard_rate(seller.country, on)
    if not seller.tax_id or not rate:
        return Tax("not_registered" if rate else "no_tax", 0)
    if seller.country == buyer.country:
        return Tax("domestic", rate)
    within_eu = seller.country in EU and buyer.country in EU
    if within_eu and not buyer.tax_id:
        return Tax("domestic", rate)
    if charge in GOODS:
        return Tax("intra_community" if within_eu else "export", 0)
    if within_eu:
        return Tax("reverse_charge_eu", 0)
    if buyer.tax_id and standard_rate(buyer.country, on):
        return Tax("reverse_charge", 0)
    return Tax("outside_scope", 0)


def tax_in(gross: int, rate_bps: int) -> int:
    """The tax inside `gross` minor units at a rate in basis points: gross * r / (1 + r), half a unit rounded up."""
    whole = 10_000 + rate_bps
    return (2 * gross * rate_bps + whole) // (2 * whole)


def issuer_code(org_id: str) -> str:
    """Four characters that begin an issuer's numbers."""
    return hashlib.sha256(org_id.encode()).hexdigest()[:4].upper()


def number_of(org_id: str, kind: str, year: int, count: int) -> str:
    """An invoice number: issuer, year, count; credit notes have a series of their own."""
    return f"{issuer_code(org_id)}-{'CN-' if kind == 'credit_note' else ''}{year}-{count:05d}"
