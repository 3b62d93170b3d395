"""The term sheet: what a license is about, as typed data with one canonical form and one hash."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    ValidationInfo,
    field_serializer,
    field_validator,
)

from marketplace.kernel.money import MAX_AMOUNT, Money
from marketplace.licensing.binding import binding_text
from marketplace.licensing.brief.deltas import Brief
from marketplace.licensing.regions import expanded
from marketplace.licensing.vocabulary import COUNTRIES, METALS, WORLD

#: How long an offer stands when it names no date, and the longest it may.
DEFAULT_VALIDITY = timedelta(days=14)
MAX_VALIDITY = timedelta(days=90)
#: No term begins later; the longest one, and what follows it, still ends in a year that dates can name.
_LAST_YEAR = 9000

Currency = Literal["USD", "EUR", "GBP", "HKD", "CNY", "JPY", "CHF"]
Channel = Literal["retail", "online", "wholesale", "bridal"]
Category = Literal["ring", "earrings", "pendant", "necklace", "bracelet", "bangle", "brooch", "cufflinks", "other"]
Language = Literal["en", "zh_Hans", "zh_Hant"]


def _once_in_order(values: list[str]) -> list[str]:
    return sorted(set(values))


class MoneyTerm(BaseModel):
    """An amount in minor units (an integer, 0 or more) of a currency we trade in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount: StrictInt = Field(ge=0, le=MAX_AMOUNT)
    currency: Currency

    @property
    def money(self) -> Money:
        """The same as the kernel's type."""
        return Money(self.amount, self.currency)


class Terms(BaseModel):
    """The term sheet. Empty `channels`, `categories` or `metals` mean all of them; a region becomes its countries."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, str_strip_whitespace=True, str_max_length=4000
    )

    kind: Literal["exclusive", "sole", "non_exclusive", "first_refusal", "limited_edition", "buyout"]
    territories: Annotated[list[str], Field(min_length=1, max_length=250), AfterValidator(_once_in_order)]
    channels: Annotated[list[Channel], Field(max_length=20), AfterValidator(_once_in_order)] = []
    categories: Annotated[list[Category], Field(max_length=20), AfterValidator(_once_in_order)] = []
    metals: Annotated[list[str], Field(max_length=40), AfterValidator(_once_in_order)] = []
    start: date | None = None
    term_months: Annotated[int, Field(ge=1, le=600)] | None = None
    max_units: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    fee: MoneyTerm
    royalty_percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)] | None = None
    royalty_per_unit: MoneyTerm | None = None
    royalty_base: Literal["net_sales", "wholesale", "unit"] | None = None
    advance: MoneyTerm | None = None
    minimum_guarantee: MoneyTerm | None = None
    #: What the guarantee is for; without a word the whole term.
    guarantee_per: Literal["year", "term"] | None = None
    sell_off_months: Annotated[int, Field(ge=0, le=60)] | None = None
    credit: Annotated[str, Field(max_length=300), AfterValidator(binding_text)] | None = None
    derivatives: Literal["none", "resize", "adapt"] = "none"
    marketing_images: bool = False
    governing_language: Language = "en"
    customization: Annotated[str, Field(max_length=4000), AfterValidator(binding_text)] | None = None
    brief: Brief = []
    valid_until: AwareDatetime | None = None

    @field_validator("territories")
    @classmethod
    def _known_territories(cls, value: list[str]) -> list[str]:
        if WORLD in value:
            if len(value) > 1:
                raise ValueError("Choose the whole world or single countries, not both.")
            return value
        value = expanded(value)
        if set(value) - COUNTRIES:
            raise ValueError("Name countries by their two-letter ISO 3166 code, regions by their name, or WORLD.")
        return value

    @field_validator("metals")
    @classmethod
    def _known_metals(cls, value: list[str]) -> list[str]:
        if set(value) - METALS:
            raise ValueError("A metal is not known here.")
        return value

    @field_validator("start")
    @classmethod
    def _near_enough(cls, value: date | None) -> date | None:
        """How near is for `date_problems`; here only that every term that begins then ends within the calendar."""
        if value is not None and value.year > _LAST_YEAR:
            raise ValueError("The license must start within five years.")
        return value

    @field_validator("term_months")
    @classmethod
    def _has_a_term(cls, value: int | None, info: ValidationInfo) -> int | None:
        kind = info.data.get("kind")
        if kind == "buyout" and value is not None:
            raise ValueError("A buyout is for good; leave the term empty.")
        if kind is not None and kind != "buyout" and value is None:
            raise ValueError("Say for how many months; only a buyout has no term.")
        return value

    @field_validator("max_units")
    @classmethod
    def _has_an_edition(cls, value: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("kind") == "limited_edition" and value is None:
            raise ValueError("Say of how many pieces the limited edition is.")
        return value

    @field_validator("royalty_per_unit")
    @classmethod
    def _one_royalty(cls, value: MoneyTerm | None, info: ValidationInfo) -> MoneyTerm | None:
        if value is not None and info.data.get("royalty_percent") is not None:
            raise ValueError("Choose a royalty in percent or per piece, not both.")
        return value

    @field_validator("royalty_base")
    @classmethod
    def _fitting_base(cls, value: str | None, info: ValidationInfo) -> str | None:
        percent, per_unit = info.data.get("royalty_percent"), info.data.get("royalty_per_unit")
        if percent is not None:
            if value == "unit":
                raise ValueError("A percentage is of net sales or of the wholesale price.")
            return value or "net_sales"
        if per_unit is not None:
            if value not in {None, "unit"}:
                raise ValueError("A royalty per piece has no other base.")
            return "unit"
        if value is not None and "royalty_percent" in info.data and "royalty_per_unit" in info.data:
            raise ValueError("A royalty base needs a royalty.")
        return value

    @field_validator("royalty_per_unit", "advance", "minimum_guarantee")
    @classmethod
    def _one_currency(cls, value: MoneyTerm | None, info: ValidationInfo) -> MoneyTerm | None:
        fee = info.data.get("fee")
        if value is not None and fee is not None and value.currency != fee.currency:
            raise ValueError("All amounts must be in the currency of the fee.")
        return value

    @field_validator("guarantee_per")
    @classmethod
    def _has_a_guarantee(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "minimum_guarantee" in info.data and info.data["minimum_guarantee"] is None:
            raise ValueError("This needs a minimum guarantee.")
        if value == "term" and info.data.get("kind") == "buyout":
            raise ValueError("A buyout has no term; guarantee an amount for each year.")
        return value

    @field_validator("governing_language", mode="before")
    @classmethod
    def _locale_code(cls, value: Any) -> Any:
        return value.replace("-", "_") if isinstance(value, str) else value

    @field_validator("valid_until", mode="before")
    @classmethod
    def _whole_day(cls, value: Any) -> Any:
        """A plain date means until the end of that day, UTC."""
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return f"{value}T23:59:59Z"
        return value

    @field_validator("valid_until")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        try:
            return value.astimezone(UTC).replace(microsecond=0) if value else None
        except OverflowError as error:
            raise ValueError("An offer is valid for at most 90 days.") from error

    @field_validator("credit", "customization")
    @classmethod
    def _empty_is_none(cls, value: str | None) -> str | None:
        return value or None

    @field_serializer("royalty_percent")
    def _plain_percent(self, value: Decimal | None) -> int | float | None:
        if value is None:
            return None
        return int(value) if value == value.to_integral_value() else float(value)

    @field_serializer("valid_until")
    def _plain_moment(self, value: datetime | None) -> str | None:
        return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None

    def to_json(self) -> dict[str, Any]:
        """The terms as JSON values with every field, absent ones as null; `Terms.model_validate` reads it back."""
        return self.model_dump(mode="json")

    def hash(self) -> str:
        """SHA-256 (hex) of the canonical form; two sheets with one meaning have one hash."""
        return terms_hash(self.to_json())


def canonical(terms: Mapping[str, Any]) -> bytes:
    """The canonical JSON of terms: keys sorted, no spaces, absent and empty fields left out, UTF-8."""
    kept = {k: v for k, v in terms.items() if v is not None and v != []}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def terms_hash(terms: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of `canonical(terms)`."""
    return hashlib.sha256(canonical(terms)).hexdigest()


def changed_fields(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """Names of the fields that differ, in the order of the sheet; empty for the first version."""
    if old is None:
        return []
    return [name for name in Terms.model_fields if _given(old.get(name)) != _given(new.get(name))]


def _given(value: Any) -> Any:
    return None if value == [] else value


def date_problems(terms: Terms, now: datetime) -> dict[str, str]:
    """What is wrong with the dates of an offer made `now`, by field; checked once, when it is made."""
    problems: dict[str, str] = {}
    if terms.valid_until is not None:
        if terms.valid_until <= now:
            problems["valid_until"] = "The offer must stay valid for some time; choose a later date."
        elif terms.valid_until > now + MAX_VALIDITY:
            problems["valid_until"] = "An offer is valid for at most 90 days."
    if terms.start is not None:
        # A day of grace: where the party is, the day may have begun earlier or end later than in UTC.
        if terms.start < (now - timedelta(days=1)).date():
            problems["start"] = "The license cannot start in the past."
        elif terms.start > (now + timedelta(days=5 * 366)).date():
            problems["start"] = "The license must start within five years."
    return problems


def expiry(terms: Terms, now: datetime) -> datetime:
    """When an offer made `now` lapses."""
    return terms.valid_until or now + DEFAULT_VALIDITY
