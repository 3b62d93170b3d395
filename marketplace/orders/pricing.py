"""What an order costs: production price and royalty. Pure.

The royalty that is due with the order, decided by the license's terms:

- `royalty_per_unit`: that amount times the number of pieces.
- `royalty_percent` on the base `wholesale` or `unit`, or with no base named: that share of the price of the pieces
  (unit price times pieces). Tooling is the workshop's own cost and carries no royalty.
- `royalty_percent` on the base `net_sales`: nothing now. It falls due on what the buyer sells, which is not known when
  the pieces are ordered; charging it on the production price would be a price nobody agreed to.
- a license with an advance: nothing now. The royalty is set off against the advance first, which the statement of the
  quarter does; charging it with the order would let the buyer pay twice.

Percentages are exact in hundredths of a percent; half a minor unit rounds away from zero.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from marketplace.kernel.errors import Invalid
from marketplace.kernel.money import Money


@dataclass(frozen=True, slots=True)
class RoyaltyTerms:
    """The royalty part of a license. `percent` 0-100; at most one of `percent` and `per_unit`.

    `advance` tells whether the license has one that royalties are set off against.
    """

    percent: Decimal | None = None
    per_unit: Money | None = None
    base: str | None = None
    advance: bool = False

    @property
    def on_sales(self) -> bool:
        """Whether the royalty is a share of the buyer's sales."""
        return self.per_unit is None and bool(self.percent) and self.base == "net_sales"

    @property
    def later(self) -> bool:
        """Whether the royalty is settled by the statement of the quarter, not with the order."""
        return self.on_sales or (self.advance and (self.per_unit is not None or bool(self.percent)))


@dataclass(frozen=True, slots=True)
class Price:
    """An order's figures in one currency; `production` = pieces + tooling, `total` = production + royalty."""

    pieces: Money
    tooling: Money
    royalty: Money

    @property
    def production(self) -> Money:
        """What the workshop earns, before the platform's fee."""
        return self.pieces + self.tooling

    @property
    def total(self) -> Money:
        """What the buyer pays."""
        return self.production + self.royalty


def price(unit_price: Money, tooling: Money, quantity: int, terms: RoyaltyTerms) -> Price:
    """The figures of an order of `quantity` pieces. Raises Invalid when the currencies differ."""
    if quantity < 1:
        raise Invalid("quantity_invalid", "Order at least one piece.")
    pieces = unit_price * quantity
    return Price(pieces=pieces, tooling=tooling, royalty=royalty(pieces, quantity, terms))


def royalty(pieces: Money, quantity: int, terms: RoyaltyTerms) -> Money:
    """The royalty due with the order, see the module's rule."""
    nothing = Money(0, pieces.currency)
    if terms.later:
        return nothing
    if terms.per_unit is not None:
        return nothing + terms.per_unit * quantity
    if terms.percent is None:
        return nothing
    share = (Decimal(pieces.amount) * terms.percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(share), pieces.currency)
