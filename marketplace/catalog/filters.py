"""What a visitor asked the catalog for; the URL is the state."""

from typing import Literal

from pydantic import Field, field_validator

from marketplace.designs.rules import CATEGORIES
from marketplace.kernel.money import CURRENCIES
from marketplace.web.forms import Form

Sort = Literal["newest", "price_up", "price_down"]


class CatalogQuery(Form):
    """Every filter of the catalog; unknown ones are ignored, empty ones do not filter."""

    q: str = Field(default="", max_length=200)
    category: str = ""
    metal: str = Field(default="", max_length=60)
    stone: str = Field(default="", max_length=60)
    weight_min: float | None = Field(default=None, ge=0, le=100_000)
    weight_max: float | None = Field(default=None, ge=0, le=100_000)
    price_max: int | None = Field(default=None, ge=0, le=100_000_000_000)
    currency: str = "USD"
    available_for: str = Field(default="", pattern="^([A-Z]{2}|WORLD)?$")
    sort: Sort = "newest"
    saved: bool = False
    cursor: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=24, ge=1, le=100)

    @field_validator("category")
    @classmethod
    def _known_category(cls, value: str) -> str:
        return value if value in CATEGORIES else ""

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        return value if value in CURRENCIES else "USD"

    @property
    def active(self) -> dict[str, str]:
        """The filters that are set, as they stand in the URL (without sort and paging)."""
        given = self.model_dump(exclude_defaults=True, exclude={"cursor", "limit", "sort", "currency"})
        return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in given.items()}
