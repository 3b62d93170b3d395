"""Input of the pages of term sheets, prices of metal, limits and approvals."""

from flask import request
from pydantic import Field

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import CURRENCIES, parse_amount
from marketplace.licensing.forms import TermsForm
from marketplace.licensing.vocabulary import ALLOYS_OF
from marketplace.web.forms import Form


class SheetForm(TermsForm):
    """A term sheet with its name; `version` is the one that was opened."""

    name: str = Field(min_length=1, max_length=80)
    version: int = 1


class NameForm(Form):
    """The name under which the terms of a thread are kept."""

    name: str = Field(min_length=1, max_length=80)


class PublishForm(Form):
    """Whether buyers start from a sheet."""

    published: bool = False


class ChoiceForm(Form):
    """The sheet that offers for a design start from; empty for the published one."""

    sheet: str = Field(default="", max_length=40)


class ReasonForm(Form):
    """Why something is refused."""

    reason: str = Field(default="", max_length=1000)


class ApproversForm(Form):
    """Members who may approve besides administrators; amounts are read by `amounts`."""

    approvers: list[str] = Field(default=[], max_length=200)


class CurrencyForm(Form):
    """The currency of prices."""

    currency: str = Field(default="USD", max_length=3)


def limits() -> dict[str, int]:
    """Amounts above which a colleague approves, by currency: the fields `limit-<currency>` that were filled in."""
    return _amounts({currency: (f"limit-{currency}", currency) for currency in CURRENCIES})


def prices(currency: str) -> dict[str, int]:
    """Prices of a gram by alloy: the fields `price-<alloy>` that were filled in."""
    alloys = [alloy for family in ALLOYS_OF.values() for alloy in family]
    return _amounts({alloy: (f"price-{alloy}", currency) for alloy in alloys})


def _amounts(fields: dict[str, tuple[str, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    problems: dict[str, str] = {}
    for key, (name, currency) in fields.items():
        typed = request.form.get(name, "").strip()
        if not typed:
            continue
        try:
            found[key] = parse_amount(typed, currency)
        except Invalid as error:
            problems[name] = error.message
    if problems:
        raise Invalid("invalid", "Please correct the marked fields.", fields=problems)
    return found
