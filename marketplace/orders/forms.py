"""Input and output of order pages and calls."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from marketplace.kernel.money import MAX_AMOUNT
from marketplace.licensing.vocabulary import COUNTRIES
from marketplace.web.forms import Body, Form

Country = Annotated[str, Field(min_length=2, max_length=2, pattern="^[A-Z]{2}$")]
Short = Annotated[str, Field(max_length=120)]
MAX_LINES = 20


def _known_country(value: str) -> str:
    if value not in COUNTRIES:
        raise ValueError("Choose a country.")
    return value


class LineIn(Body):
    """Pieces of one kind."""

    quantity: int = Field(ge=1, le=100_000, strict=True)
    metal: str = Field(min_length=1, max_length=40)
    ring_size: str | None = Field(default=None, max_length=20)
    engraving: str | None = Field(default=None, max_length=60)


class ShipToIn(Body):
    """A postal address; `country` is an ISO 3166 code."""

    name: str = Field(min_length=1, max_length=120)
    line1: str = Field(min_length=1, max_length=160)
    line2: Short | None = None
    city: str = Field(min_length=1, max_length=120)
    region: Short | None = None
    postal_code: str | None = Field(default=None, max_length=20)
    country: Country
    phone: str | None = Field(default=None, max_length=40)

    _country = field_validator("country")(_known_country)


class OrderIn(Body):
    """An order under a license; without `production_manager` the platform's first one routes it."""

    lines: list[LineIn] = Field(min_length=1, max_length=MAX_LINES)
    ship_to: ShipToIn
    production_manager: str | None = Field(default=None, max_length=40)


class OrderForm(Form):
    """The address of an order; its lines come as repeated fields and are read by the view."""

    name: str = Field(min_length=1, max_length=120)
    line1: str = Field(min_length=1, max_length=160)
    line2: Short = ""
    city: str = Field(min_length=1, max_length=120)
    region: Short = ""
    postal_code: str = Field(default="", max_length=20)
    country: Country
    phone: str = Field(default="", max_length=40)
    manager: str = Field(default="", max_length=40)

    _country = field_validator("country")(_known_country)


class CancelForm(Form):
    """Stopping an order."""

    reason: str = Field(default="", max_length=500)


class MakersForm(Form):
    """Workshops to ask."""

    makers: list[str] = Field(default=[], max_length=20)


class RfqsIn(Body):
    """Workshops to ask, by organization id."""

    manufacturers: list[str] = Field(min_length=1, max_length=20)


class QuoteForm(Form):
    """A quote as typed: amounts in the order's currency."""

    unit_price: str = Field(min_length=1, max_length=20)
    tooling: str = Field(default="0", max_length=20)
    lead_days: int = Field(ge=1, le=730)
    valid_until: date
    note: str = Field(default="", max_length=2000)


class MoneyIn(Body):
    """Minor units and ISO 4217 code."""

    amount: int = Field(ge=0, le=MAX_AMOUNT, strict=True)
    currency: str = Field(min_length=3, max_length=3)


class QuoteIn(Body):
    """A quote; both amounts in the currency of the request."""

    unit_price: MoneyIn
    tooling: MoneyIn | None = None
    lead_days: int = Field(ge=1, le=730, strict=True)
    valid_until: date
    note: str | None = Field(default=None, max_length=2000)

    @field_validator("valid_until", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        """A point in time means its day."""
        return value[:10] if isinstance(value, str) else value


class AwardIn(Body):
    """The quote that wins."""

    quote: str = Field(min_length=1, max_length=40)


class AwardForm(Form):
    """The quote that wins."""

    quote: str = Field(min_length=1, max_length=40)


class OrderFilter(Form):
    """Which orders to list."""

    show: Literal["open", "waiting", "done", "all"] = "all"
    cursor: str = Field(default="", max_length=400)
    limit: int = Field(default=24, ge=1, le=100)


class RfqFilter(Form):
    """Which requests to list."""

    show: Literal["open", "quoted", "won", "lost", "all"] = "all"
    cursor: str = Field(default="", max_length=400)
    limit: int = Field(default=24, ge=1, le=100)


class OrdersOut(Body):
    """A page of orders; each holds only the fields its reader may see."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class UrlOut(Body):
    """A page to open in a browser."""

    url: str
