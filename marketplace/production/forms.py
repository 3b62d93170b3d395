"""Input and output of stages, shipments and evidence."""

from pydantic import Field

from marketplace.orders.forms import MoneyIn
from marketplace.web.forms import Body, Form


class StageForm(Form):
    """A finished stage; every photo that was not used yet goes with it."""

    stage: str = Field(min_length=1, max_length=20)
    note: str = Field(default="", max_length=2000)


class StageIn(Body):
    """A finished stage; without `evidence` every photo that was not used yet goes with it."""

    stage: str = Field(min_length=1, max_length=20)
    note: str | None = Field(default=None, max_length=2000)
    evidence: list[str] | None = Field(default=None, max_length=20)


class ShipForm(Form):
    """A shipment."""

    carrier: str = Field(min_length=1, max_length=80)
    tracking: str = Field(min_length=1, max_length=120)
    declared: str = Field(default="", max_length=20)


class ShipIn(Body):
    """A shipment; `declared_value` in any currency."""

    carrier: str = Field(min_length=1, max_length=80)
    tracking: str = Field(min_length=1, max_length=120)
    declared_value: MoneyIn | None = None


class EvidenceIn(Body):
    """A photo that is about to be uploaded."""

    filename: str = Field(min_length=1, max_length=255)
    content_type: str = Field(min_length=1, max_length=100)
    size: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    kind: str = Field(default="evidence", max_length=20)
