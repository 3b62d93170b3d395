"""Counts turned into next steps: what to do, in the order of urgency."""

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; the first one of a page is the primary."""

    title: str
    text: str
    url: str
    action: str
    icon: str


@dataclass(frozen=True, slots=True)
class Stat:
    """A figure with the page behind it."""

    label: str
    value: int
    url: str


def steps(role: str, n: dict[str, int]) -> list[Step]:
    """What this role should do now; never empty."""
    return [step for step in _BY_ROLE[role](n) if step is not None]


def stats(role: str, n: dict[str, int]) -> list[Stat]:
    """The role's figures."""
    found: dict[str, list[tuple[Any, str, str]]] = {
        "designer": [
            (_("Listed designs"), "listed", "designs.index"),
            (_("Drafts"), "drafts", "designs.index"),
            (_("Active licenses"), "active", "licenses.index"),
            (_("Running orders"), "running", "orders.index"),
        ],
        "buyer": [
            (_("Negotiations waiting"), "waiting", "negotiations.index"),
            (_("Active licenses"), "active", "licenses.index"),
            (_("Running orders"), "running", "orders.index"),
        ],
        "manufacturer": [
            (_("Open requests"), "requests", "rfqs.index"),
            (_("Quotes out"), "quoted", "rfqs.index"),
            (_("On the bench"), "making", "orders.index"),
        ],
        "production_manager": [
            (_("New orders"), "placed", "orders.index"),
            (_("Collecting quotes"), "quoting", "orders.index"),
            (_("In production"), "making", "orders.index"),
            (_("On the way"), "shipped", "orders.index"),
        ],
        "operator": [
            (_("Waiting for approval"), "pending", "desk.vetting"),
            (_("Approved businesses"), "approved", "desk.vetting"),
        ],
    }
    return [Stat(str(label), n[name], url_for(endpoint)) for label, name, endpoint in found[role]]


def _turn(n: dict[str, int]) -> Step | None:
    if not n["your_turn"]:
        return None
    return Step(
        ngettext("%(num)s offer waits for your answer", "%(num)s offers wait for your answer", n["your_turn"]),
        _("Accept, counter or decline before it expires."),
        url_for("negotiations.index"),
        _("Answer"),
        "messages-square",
    )


def _sign(n: dict[str, int]) -> Step | None:
    if not n["to_sign"]:
        return None
    return Step(
        ngettext("%(num)s license waits for your signature", "%(num)s licenses wait for your signature", n["to_sign"]),
        _("Read the document and sign with your name."),
        url_for("licenses.index"),
        _("Read and sign"),
        "signature",
    )


def _payouts(n: dict[str, int]) -> Step | None:
    if n["payable"]:
        return None
    return Step(
        _("Set up your payouts"),
        _("So that money can reach you the moment it is due. It takes a few minutes."),
        url_for("payouts.index"),
        _("Set up"),
        "wallet",
    )


def _designer(n: dict[str, int]) -> list[Step | None]:
    first = not n["drafts"] and not n["listed"]
    return [
        _turn(n),
        _sign(n),
        Step(
            ngettext("%(num)s file was refused", "%(num)s files were refused", n["refused_files"]),
            _("See why, and upload a repaired one."),
            url_for("designs.index"),
            _("Look"),
            "circle-alert",
        )
        if n["refused_files"]
        else None,
        Step(
            ngettext("Finish your draft", "Finish your %(num)s drafts", n["drafts"]),
            _("The checklist on each design says what is still missing."),
            url_for("designs.index", state="draft"),
            _("Go on"),
            "file-pen",
        )
        if n["drafts"]
        else None,
        _payouts(n),
        Step(
            _("Bring in your first design") if first else _("Add a design"),
            _("Upload photos and CAD; we measure it, you tell its story, and it goes into the catalog."),
            url_for("designs.new"),
            _("New design"),
            "gem",
        ),
    ]


def _buyer(n: dict[str, int]) -> list[Step | None]:
    return [
        _turn(n),
        _sign(n),
        Step(
            ngettext("%(num)s license waits for payment", "%(num)s licenses wait for payment", n["to_pay"]),
            _("It becomes active as soon as the payment is confirmed."),
            url_for("licenses.index"),
            _("Pay"),
            "credit-card",
        )
        if n["to_pay"]
        else None,
        Step(
            ngettext("%(num)s order waits for payment", "%(num)s orders wait for payment", n["orders_to_pay"]),
            _("The workshop begins when it is paid; the money is held until you accept the delivery."),
            url_for("orders.index"),
            _("Pay"),
            "credit-card",
        )
        if n["orders_to_pay"]
        else None,
        Step(
            ngettext("%(num)s sales report to file", "%(num)s sales reports to file", n["reports"]),
            _("Say what was sold in the quarter; the statement is made from it."),
            url_for("royalties.index", show="report"),
            _("Report"),
            "file-pen",
        )
        if n["reports"]
        else None,
        Step(
            ngettext(
                "%(num)s royalty statement waits for payment",
                "%(num)s royalty statements wait for payment",
                n["royalties_to_pay"],
            ),
            _("Each says how the amount comes about and when it is due."),
            url_for("royalties.index", show="open"),
            _("Pay"),
            "coins",
        )
        if n["royalties_to_pay"]
        else None,
        Step(
            ngettext("%(num)s delivery to accept", "%(num)s deliveries to accept", n["shipped"]),
            _("Check the pieces, then accept; that releases the money."),
            url_for("orders.index"),
            _("Check"),
            "package",
        )
        if n["shipped"]
        else None,
        Step(
            _("Order pieces under your license"),
            _("Choose metal and sizes; a production manager finds the workshop."),
            url_for("licenses.index"),
            _("Order"),
            "hammer",
        )
        if n["active"] and not n["running"]
        else None,
        Step(
            _("Find a design"),
            _("Every piece is measured from its CAD: weight, size, stones."),
            url_for("catalog.index"),
            _("Open the catalog"),
            "search",
        ),
    ]


def _manufacturer(n: dict[str, int]) -> list[Step | None]:
    return [
        Step(
            ngettext("%(num)s NDA to sign", "%(num)s NDAs to sign", n["ndas"]),
            _("You get the CAD file right after."),
            url_for("orders.index"),
            _("Read and sign"),
            "file-signature",
        )
        if n["ndas"]
        else None,
        Step(
            ngettext("%(num)s request for a quote", "%(num)s requests for quotes", n["requests"]),
            _("Price, tooling, lead time; you can change it until the award."),
            url_for("rfqs.index"),
            _("Quote"),
            "receipt",
        )
        if n["requests"]
        else None,
        Step(
            ngettext("%(num)s order on the bench", "%(num)s orders on the bench", n["making"]),
            _("Record each stage with a photo, so that nobody has to ask."),
            url_for("orders.index"),
            _("Record"),
            "hammer",
        )
        if n["making"]
        else None,
        _payouts(n),
        Step(
            _("See what buyers are looking for"),
            _("Requests come to you when a production manager chooses your workshop."),
            url_for("catalog.index"),
            _("Open the catalog"),
            "gem",
        ),
    ]


def _production_manager(n: dict[str, int]) -> list[Step | None]:
    return [
        Step(
            ngettext("%(num)s new order to route", "%(num)s new orders to route", n["placed"]),
            _("Choose workshops and ask them for quotes."),
            url_for("orders.index"),
            _("Route"),
            "route",
        )
        if n["placed"]
        else None,
        Step(
            ngettext("%(num)s order collects quotes", "%(num)s orders collect quotes", n["quoting"]),
            _("Compare price and lead time, then award one."),
            url_for("orders.index"),
            _("Compare"),
            "scale",
        )
        if n["quoting"]
        else None,
        Step(
            _("Follow the production"),
            _("Every stage with its photos, in one place."),
            url_for("orders.index"),
            _("Open orders"),
            "clipboard-list",
        ),
    ]


def _operator(n: dict[str, int]) -> list[Step | None]:
    return [
        Step(
            ngettext("%(num)s business waits for approval", "%(num)s businesses wait for approval", n["pending"]),
            _("Check who they are before they can trade."),
            url_for("desk.vetting"),
            _("Review"),
            "user-check",
        )
        if n["pending"]
        else Step(
            _("Nobody is waiting"),
            _("New applications appear here and in your mail."),
            url_for("desk.vetting", state="approved"),
            _("See approved businesses"),
            "circle-check",
        )
    ]


_BY_ROLE = {
    "designer": _designer,
    "buyer": _buyer,
    "manufacturer": _manufacturer,
    "production_manager": _production_manager,
    "operator": _operator,
}
