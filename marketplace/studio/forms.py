"""Input of the designer's pages and calls."""

import json
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from marketplace.designs.models import Design
from marketplace.kernel.money import MAX_AMOUNT, Money, parse_amount
from marketplace.web.forms import Body, Form

Category = Literal["ring", "earrings", "pendant", "necklace", "bracelet", "bangle", "brooch", "cufflinks", "other"]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=6000)]
Reason = Annotated[str, Field(max_length=500)]
Word = Annotated[str, Field(min_length=1, max_length=60)]

_MAX_METADATA = 8000


class MoneyBody(Body):
    """An amount in minor units."""

    amount: int = Field(ge=0, le=MAX_AMOUNT, strict=True)
    currency: str = Field(pattern="^[A-Z]{3}$")

    def money(self) -> Money:
        """As money."""
        return Money(self.amount, self.currency)


class Metadata(Body):
    """What its maker says of a design: metals (alloy codes or words), stones, ring sizes, and further values."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True, str_max_length=500)

    metals: list[Word] = Field(default_factory=list, max_length=16)
    stones: list[Word] = Field(default_factory=list, max_length=30)
    ring_sizes: list[Word] = Field(default_factory=list, max_length=60)

    @model_validator(mode="after")
    def _small(self) -> "Metadata":
        if len(json.dumps(self.model_dump())) > _MAX_METADATA:
            raise ValueError("The metadata is too long.")
        return self


class DesignIn(Body):
    """A new design."""

    title: Title
    category: Category | None = None
    description: Description = ""
    metadata: Metadata = Field(default_factory=Metadata)
    list_price: MoneyBody | None = None
    no_cad_reason: Reason | None = None


class DesignPatch(Body):
    """What to change; fields that are not sent stay. `version` refuses a change on top of somebody else's."""

    title: Title | None = None
    category: Category | None = None
    description: Description | None = None
    metadata: Metadata | None = None
    list_price: MoneyBody | None = None
    no_cad_reason: Reason | None = None
    version: int | None = None

    def changes(self) -> dict[str, Any]:
        """The sent fields as operations take them."""
        found: dict[str, Any] = {}
        for name in self.model_fields_set - {"version"}:
            value = getattr(self, name)
            if name == "metadata":
                found["details"] = value.model_dump() if value else {}
            elif name == "list_price":
                found[name] = value.money() if value else None
            elif name in {"title", "description"}:
                found[name] = value or ""
            else:
                found[name] = value
        if found.get("title") == "":
            del found["title"]
        return found


class DesignForm(Form):
    """The page's form: lists as boxes or words between commas, the fee as typed."""

    title: Title
    category: Category | None = None
    description: Description = ""
    metals: list[Word] = Field(default_factory=list, max_length=16)
    stones: str = Field(default="", max_length=1000)
    ring_sizes: str = Field(default="", max_length=300)
    list_price: str = Field(default="", max_length=40)
    list_price_currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    no_cad_reason: Reason = ""
    version: int | None = None

    def price(self) -> Money | None:
        """The fee; None when the field is empty. Raises Invalid."""
        if not self.list_price:
            return None
        return Money(parse_amount(self.list_price, self.list_price_currency), self.list_price_currency)

    def details(self, before: dict[str, Any]) -> dict[str, Any]:
        """The metadata with this form's lists in place; what the form does not show is kept."""
        return {
            **before,
            "metals": list(self.metals),
            "stones": [word.lower() for word in split_words(self.stones)],
            "ring_sizes": split_words(self.ring_sizes),
        }


def split_words(text: str) -> list[str]:
    """Words between commas (also full-width ones) or line ends, each once."""
    parts = text.replace("，", ",").replace("、", ",").replace("\n", ",").split(",")
    return list(dict.fromkeys(part.strip()[:60] for part in parts if part.strip()))[:60]


class ListForm(Form):
    """Filters of the designs list."""

    q: str = Field(default="", max_length=200)
    state: Literal["", "draft", "listed", "removed"] = ""
    cursor: str | None = None


class AssetIn(Body):
    """A file about to be uploaded; `sha256` in hexadecimal."""

    filename: str = Field(min_length=1, max_length=255)
    content_type: str = Field(
        default="application/octet-stream", max_length=100, pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]*$"
    )
    size: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    kind: Literal["photo", "cad", "reference"]


class PlainUploadForm(Form):
    """The fields beside the files of a form that is sent without a script."""

    kind: Literal["photo", "cad", "reference"]


class FactIn(Body):
    """Confirm a fact, or state another value; `confirmed=false` takes it back."""

    value: bool | int | float | str | None = None
    unit: str | None = Field(default=None, max_length=10)
    confirmed: bool = True


class FactForm(Form):
    """The same from the page; `value` as typed."""

    value: str = Field(default="", max_length=200)
    action: Literal["confirm", "state", "take_back"] = "confirm"
    #: Where it was pressed: on the page of facts, or in the tech pack of the design's own page.
    origin: Literal["", "pack"] = Field(default="", alias="from")


class ConfirmForm(Form):
    """Names of facts to confirm as they stand."""

    names: list[Annotated[str, Field(pattern="^[a-z0-9_]{1,60}$")]] = Field(max_length=60)


class ContentIn(Body):
    """What to draft."""

    kinds: list[Literal["story", "lookbook", "enhance", "spec"]] = Field(min_length=1, max_length=4)


class ContentForm(Form):
    """The same from the page."""

    kind: Literal["story", "lookbook"]


class StoryForm(Form):
    """An edited story: paragraphs are separated by an empty line."""

    title: str = Field(min_length=1, max_length=200)
    body: str = Field(min_length=1, max_length=8000)
    version: int


class ChoicesForm(Form):
    """What a person decides about a CAD file: `asks_layers` says that the form showed layers, `roles` are
    `<body>:<role>` with an empty role for "as found".
    """

    unit: Literal["mm", "cm", "in", "m"] | None = None
    asks_layers: bool = False
    layers: list[Annotated[str, Field(max_length=300)]] = Field(default_factory=list, max_length=500)
    roles: list[Annotated[str, Field(max_length=60)]] = Field(default_factory=list, max_length=2000)

    def chosen_layers(self) -> list[str] | None:
        """The ticked layers; None when the form had none to tick."""
        return self.layers if self.asks_layers else None

    def chosen_roles(self) -> dict[str, str | None] | None:
        """Roles by the number of the body; None when the form asked for none."""
        split = [text.partition(":") for text in self.roles]
        return {number: role or None for number, _colon, role in split} or None


class ChoicesIn(Body):
    """The same as a call: what is left out stays as it is; a role of null forgets what was said of a body."""

    unit: Literal["mm", "cm", "in", "m"] | None = None
    layers: list[Annotated[str, Field(max_length=300)]] | None = Field(default=None, max_length=500)
    roles: dict[str, str | None] | None = Field(default=None, max_length=2000)


class PicturesForm(Form):
    """More pictures of a CAD file."""

    look: str = Field(max_length=20)
    alloy: str = Field(max_length=30)


class PicturesIn(Body):
    """The same as JSON: `look` ivory, white, noir or stone; `alloy` a code of the weight table."""

    look: str = Field(max_length=20)
    alloy: str = Field(max_length=30)


class PictureForm(Form):
    """One picture and what to do with it."""

    picture: str = Field(min_length=3, max_length=80)
    action: Literal["earlier", "later", "first", "hide", "show"]


def form_values(design: Design | None, plain_price: str = "") -> dict[str, Any]:
    """What the design form starts with."""
    if design is None:
        return {"list_price_currency": "USD"}
    return {
        "title": design.title,
        "category": design.category or "",
        "description": design.description,
        "metals": design.metals,
        "stones": ", ".join(design.stones),
        "ring_sizes": ", ".join(design.details.get("ring_sizes", [])),
        "list_price": plain_price,
        "list_price_currency": design.list_price_currency or "USD",
        "no_cad_reason": design.no_cad_reason or "",
        "version": design.version,
    }
