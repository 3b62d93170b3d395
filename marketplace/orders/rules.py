"""Rules of orders: the state tables, who sees which field, whose turn it is. Pure."""

from collections.abc import Iterable
from datetime import date

from marketplace.kernel.errors import Conflict, Invalid
from marketplace.kernel.states import Machine, step

#: placed -> quoting -> awarded -> paid -> in_production -> shipped -> delivered; canceled only before payment.
ORDER = Machine(
    "order",
    "placed",
    [
        step("placed", "request_quotes", "manager", "quoting"),
        step("quoting", "request_quotes", "manager", "quoting"),
        step("quoting", "award", "manager", "awarded"),
        step("awarded", "checkout", "buyer", "awarded"),
        step("awarded", "pay", "system", "paid"),
        step("paid", "record_stage", "maker", "in_production"),
        step("in_production", "record_stage", "maker", "in_production"),
        step("in_production", "ship", "maker", "shipped"),
        step("shipped", "accept_delivery", "buyer", "delivered"),
        step("placed", "cancel", {"buyer", "manager"}, "canceled"),
        step("quoting", "cancel", {"buyer", "manager"}, "canceled"),
        step("awarded", "cancel", {"buyer", "manager"}, "canceled"),
    ],
)

#: One request for a quote to one workshop. A quote may be replaced until the award; an expired one renewed.
RFQ = Machine(
    "rfq",
    "open",
    [
        step("open", "quote", "maker", "quoted"),
        step("quoted", "quote", "maker", "quoted"),
        step("expired", "quote", "maker", "quoted"),
        step("quoted", "win", "manager", "won"),
        step("open", "lose", {"manager", "system"}, "lost"),
        step("quoted", "lose", {"manager", "system"}, "lost"),
        step("expired", "lose", {"manager", "system"}, "lost"),
        step("quoted", "expire", "system", "expired"),
    ],
)

#: One quote. A replaced quote keeps its row, so that an award always names the figures that were compared.
QUOTE = Machine(
    "quote",
    "open",
    [
        step("open", "replace", "maker", "replaced"),
        step("expired", "replace", "maker", "replaced"),
        step("open", "win", "manager", "won"),
        step("open", "lose", {"manager", "system"}, "lost"),
        step("expired", "lose", {"manager", "system"}, "lost"),
        step("open", "expire", "system", "expired"),
    ],
)

#: Stations of an order as every party sees them.
STATIONS = ("placed", "quoting", "awarded", "paid", "in_production", "shipped", "delivered")
#: States in which the order is over.
CLOSED = frozenset({"delivered", "canceled"})
#: From here on the money is in and the workshop works.
AFTER_PAYMENT = frozenset({"paid", "in_production", "shipped", "delivered"})

_ALL = frozenset({"buyer", "designer", "manager", "maker"})
#: Field of an order -> relations that may see it. The workshop never learns the buyer's name (beyond the address it
#: ships to) nor what the buyer pays in all; the designer never learns the production price.
VISIBLE: dict[str, frozenset[str]] = {
    "buyer": frozenset({"buyer", "designer", "manager"}),
    "designer": _ALL,
    "manager": _ALL,
    "maker": _ALL,
    "ship_to": frozenset({"buyer", "manager", "maker"}),
    "production": frozenset({"buyer", "manager", "maker"}),
    "royalty": frozenset({"buyer", "designer"}),
    "total": frozenset({"buyer"}),
    "license": frozenset({"buyer", "designer"}),
    "rfqs": frozenset({"manager"}),
    "nda": frozenset({"designer", "manager", "maker"}),
    "cad": frozenset({"designer", "maker"}),
}

#: State -> (relation whose turn it is, what it does next). `quoting` without a quote waits for the workshops.
_TURNS = {
    "placed": ("manager", "request_quotes"),
    "quoting": ("manager", "award"),
    "awarded": ("buyer", "pay"),
    "paid": ("maker", "record_stage"),
    "in_production": ("maker", "record_stage"),
    "shipped": ("buyer", "accept_delivery"),
}


def visible(state: str, who: Iterable[str]) -> frozenset[str]:
    """The fields of VISIBLE that an actor with these relations sees; the workshop gets the address once paid."""
    relations = frozenset(who)
    fields = {name for name, holders in VISIBLE.items() if not holders.isdisjoint(relations)}
    if relations == {"maker"} and state not in AFTER_PAYMENT:
        fields.discard("ship_to")
    return frozenset(fields)


def turn(state: str, *, quotes: int = 1, packed: bool = False) -> tuple[str, str] | None:
    """(relation, action) of whoever must act, or None when the order is over.

    `quotes` is the number of open quotes; `packed` whether the last production stage is recorded.
    """
    found = _TURNS.get(state)
    if state == "quoting" and quotes == 0:
        return ("makers", "quote")
    if state == "in_production" and packed:
        return ("maker", "ship")
    return found


def check_metals(wanted: Iterable[str], licensed: Iterable[str]) -> None:
    """Raise Invalid `metal_not_licensed` for a metal the license does not name; an empty license list allows all."""
    allowed = set(licensed)
    if allowed and set(wanted) - allowed:
        raise Invalid(
            "metal_not_licensed",
            "The license does not cover this metal.",
            fields={"metal": "The license does not cover this metal."},
        )


def check_valid_until(valid_until: date, today: date) -> None:
    """Raise Conflict `quote_expired` when a quote's last day (UTC) has passed."""
    if valid_until < today:
        raise Conflict("quote_expired", "This quote has expired. Ask the workshop to renew it.")
