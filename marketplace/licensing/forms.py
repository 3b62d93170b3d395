"""Input of the negotiation and license pages; amounts are typed in major units."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, get_origin

from flask import request
from pydantic import Field
from werkzeug.datastructures import MultiDict

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money, parse_amount
from marketplace.licensing.brief.forms import form_rows, read_brief
from marketplace.licensing.regions import split
from marketplace.licensing.terms import Terms
from marketplace.licensing.vocabulary import WORLD
from marketplace.web.forms import Form, Version, validated
from marketplace.web.i18n import Formats

_AMOUNTS = ("fee", "royalty_per_unit", "advance", "minimum_guarantee")
_Amount = Annotated[str, Field(max_length=40)]


class TermsForm(Form):
    """The term sheet as a page sends it. All amounts are in `fee_currency`."""

    kind: str = Field(min_length=1, max_length=20)
    where: Literal["world", "countries"] = "countries"
    territories: list[str] = Field(default=[], max_length=250)
    regions: list[str] = Field(default=[], max_length=20)
    channels: list[str] = Field(default=[], max_length=20)
    categories: list[str] = Field(default=[], max_length=20)
    metals: list[str] = Field(default=[], max_length=40)
    start: str | None = None
    term_months: int | None = None
    max_units: int | None = None
    fee: _Amount
    fee_currency: str = "USD"
    royalty_percent: str | None = Field(default=None, max_length=12)
    royalty_per_unit: _Amount | None = None
    royalty_base: str | None = None
    advance: _Amount | None = None
    minimum_guarantee: _Amount | None = None
    guarantee_per: str | None = None
    sell_off_months: int | None = None
    credit: str | None = None
    derivatives: str = "none"
    marketing_images: bool = False
    governing_language: str = "en"
    customization: str | None = None
    valid_until: str | None = None
    message: str | None = Field(default=None, max_length=4000)

    def to_terms(self) -> Terms:
        """The typed sheet. Raises Invalid with the fields named as the page names them."""
        data: dict[str, Any] = self.model_dump(exclude={"where", "fee_currency", "message"}, exclude_none=True)
        data = {k: v for k, v in data.items() if k in Terms.model_fields}
        data["territories"] = [WORLD] if self.where == "world" else [*self.territories, *self.regions]
        problems: dict[str, str] = {}
        for name in _AMOUNTS:
            if name not in data:
                continue
            try:
                data[name] = {"amount": parse_amount(data[name], self.fee_currency), "currency": self.fee_currency}
            except Invalid as error:
                problems[name] = error.message
        try:
            data["brief"] = read_brief(request.form)
        except Invalid as error:
            problems |= error.fields
        if problems:
            raise Invalid("invalid", "Please correct the marked fields.", fields=problems)
        return validated(Terms, data)


class NewForm(TermsForm):
    """Opening a negotiation over a design."""

    design: str = Field(min_length=1, max_length=40)


class CounterForm(TermsForm):
    """A counter offer to the version the person saw."""

    base_version: Version


#: Fields of the page's form that are answered together when one term alone is countered; others stand for themselves.
_TOGETHER = {
    "kind": ("kind", "term_months"),
    "territories": ("territories", "where", "regions"),
    "fee": ("fee", "fee_currency"),
    "royalty_percent": ("royalty_percent", "royalty_per_unit", "royalty_base"),
    "minimum_guarantee": ("minimum_guarantee", "guarantee_per"),
}
_LEADERS = {
    "royalty_per_unit": "royalty_percent",
    "royalty_base": "royalty_percent",
    "guarantee_per": "minimum_guarantee",
}
#: Terms that have a form of their own, or are not answered alone.
_NOT_ALONE = frozenset({"brief", "valid_until"})


class OneTermForm(Form):
    """A counter of one term alone to the version the person saw."""

    base_version: Version
    only: str = Field(max_length=40)
    valid_until: str | None = None
    message: str | None = Field(default=None, max_length=4000)


def alone(term: str) -> str:
    """The term whose form answers `term` alone; "" when there is none."""
    name = _LEADERS.get(term, term)
    return name if name in Terms.model_fields and name not in _NOT_ALONE else ""


def with_one_term(base: dict[str, Any], term: str, posted: MultiDict[str, str], valid_until: str | None) -> Terms:
    """The stored sheet `base` with the fields of one term as posted. Raises Invalid, fields named as the page does."""
    values = _one_changed(base, term, posted)
    typed = validated(TermsForm, values).to_terms().to_json()
    changed = {name: typed[name] for name in _TOGETHER.get(term, (term,)) if name in Terms.model_fields}
    return validated(Terms, {**base, **changed, "valid_until": valid_until})


def whole_form(base: dict[str, Any], term: str, posted: MultiDict[str, str]) -> MultiDict[str, Any]:
    """The form of all terms, as if it had been sent in place of that of one: `base` with that term as posted."""
    kept = {name: posted[name] for name in ("base_version", "valid_until", "message") if posted.get(name)}
    whole: MultiDict[str, Any] = MultiDict()
    for name, value in {**_one_changed(base, term, posted), **kept}.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not False:  # a box that is not ticked is not sent
                whole.add(name, str(item))
    return whole


def _one_changed(base: dict[str, Any], term: str, posted: MultiDict[str, str]) -> dict[str, Any]:
    names = _TOGETHER.get(term, (term,))
    values = {name: value for name, value in form_values(base).items() if name not in names}
    for name in names:
        if name not in TermsForm.model_fields:
            continue
        many = get_origin(TermsForm.model_fields[name].annotation) is list
        if many:
            values[name] = posted.getlist(name)
        elif posted.get(name, "").strip():
            values[name] = posted[name]
    return values


class AnswerForm(Form):
    """Accepting, declining or withdrawing the version the person saw."""

    version: Version
    terms_hash: str | None = Field(default=None, max_length=64)
    reason: str | None = Field(default=None, max_length=4000)
    code: str | None = Field(default=None, max_length=20)


class HoldForm(Form):
    """How long the rights of the version the person saw are held."""

    version: Version
    days: int = Field(ge=1, le=14)


class MessageForm(Form):
    """A message: words, files, or both; with a term and a version it is a comment."""

    text: str = Field(default="", max_length=4000)
    term: str | None = Field(default=None, max_length=40)
    about_version: Version | None = None
    files: list[str] = Field(default=[], max_length=20)
    client_key: str | None = Field(default=None, max_length=40)

    @property
    def about(self) -> tuple[str, int] | None:
        """The term and the version it is about, when it is about one."""
        return (self.term, self.about_version) if self.term and self.about_version else None


class AgreeForm(Form):
    """Marking a term of the version the person saw, or taking the mark back."""

    version: Version
    term: str | None = Field(default=None, max_length=40)
    back: str | None = Field(default=None, max_length=40)


class ResolveForm(Form):
    """Settling a comment, or opening it again."""

    message: str = Field(min_length=1, max_length=40)
    resolved: bool = True


class HandOverForm(Form):
    """The colleague who takes over."""

    user: str = Field(min_length=1, max_length=40)


class SignForm(Form):
    """A typed or drawn signature under one exact document; the password when it has not been typed lately."""

    typed_name: str = Field(default="", max_length=200)
    drawn: str | None = Field(default=None, max_length=20_000)
    consent: bool = False
    agree: bool = False
    document_sha256: str = Field(min_length=64, max_length=64)
    password: str | None = Field(default=None, max_length=256)


class AmendForm(Form):
    """What an amendment can change, beside a reason; everything else stays as it is."""

    where: Literal["world", "countries"] = "countries"
    territories: list[str] = Field(default=[], max_length=250)
    channels: list[str] = Field(default=[], max_length=20)
    metals: list[str] = Field(default=[], max_length=40)
    term_months: int | None = None
    max_units: int | None = None
    royalty_percent: str | None = Field(default=None, max_length=12)
    sell_off_months: int | None = None
    credit: str | None = None
    marketing_images: bool = False
    reason: str | None = Field(default=None, max_length=1000)

    def amended(self, terms: dict[str, Any]) -> Terms:
        """`terms` with what the form says in their place. Raises Invalid with the fields named as the page does."""
        changed = self.model_dump(exclude={"where", "reason"})
        if self.where == "world":
            changed["territories"] = [WORLD]
        if terms.get("royalty_percent") is None:
            changed.pop("royalty_percent")
        return validated(Terms, {**{k: v for k, v in terms.items() if v is not None}, **changed})


class ReasonForm(Form):
    """Why a side gives notice of a breach, or wants the license to end."""

    reason: str = Field(default="", max_length=1000)
    sell_off_months: int = 0


class AttestForm(Form):
    """The buyer's word that everything is destroyed."""

    files: bool = False
    molds: bool = False
    makers: bool = False
    typed_name: str = Field(min_length=1, max_length=200)


def form_values(terms: dict[str, Any]) -> dict[str, Any]:
    """A stored term sheet as the page's form shows it; the expiry is left out, a new offer has a new one."""
    shown = {k: v for k, v in terms.items() if v is not None and k != "valid_until"}
    currency = terms["fee"]["currency"]
    for name in _AMOUNTS:
        if terms.get(name):
            shown[name] = Formats().plain_amount(Money(terms[name]["amount"], currency))
    shown["fee_currency"] = currency
    shown["where"] = "world" if terms["territories"] == [WORLD] else "countries"
    shown["regions"], shown["territories"] = ([], []) if shown["where"] == "world" else split(terms["territories"])
    shown |= form_rows(shown.pop("brief", None))
    if terms.get("royalty_percent") is not None:
        shown["royalty_percent"] = str(Decimal(str(terms["royalty_percent"])))
    return shown


def until_date(moment: datetime) -> str:
    """A moment as a date field shows it."""
    return f"{moment:%Y-%m-%d}"
