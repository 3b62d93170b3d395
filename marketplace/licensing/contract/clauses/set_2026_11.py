"""The clauses of November 2026: what is granted and paid, how it is made, and how it ends."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from marketplace.licensing.contract.clauses.clause import Clause, Said, together
from marketplace.licensing.contract.clauses.duties_2026_11 import after, duties, signing


def clauses(terms: Mapping[str, Any]) -> list[Clause]:
    """Every clause that these terms call for, in order."""
    said = Said(terms)
    found = [_grant(terms), _scope(said), _term(terms, said), _money(terms, said)]
    if _has_royalty(terms):
        found.append(_statements())
    if terms.get("max_units"):
        found.append(_quantity(terms, said))
    found.append(_changes(terms))
    if terms.get("customization") or terms.get("brief"):
        found.append(_customization(said))
    found.append(_pictures(terms))
    return [*found, *duties(terms), after(terms, said), *signing(said)]


def _grant(terms: Mapping[str, Any]) -> Clause:
    text, short = _GRANTS[terms["kind"]]()
    return Clause(_("Grant"), text, short)


def _exclusive() -> tuple[str, str]:
    return (
        _(
            "The designer grants the buyer an exclusive license to have the design made and to sell the pieces within"
            " the scope below. Within it nobody else, the designer included, may do so."
        ),
        _("Only the buyer may make and sell it there; the designer may not."),
    )


def _sole() -> tuple[str, str]:
    return (
        _(
            "The designer grants the buyer the sole license to have the design made and to sell the pieces within the"
            " scope below. Within it only the buyer and the designer may do so."
        ),
        _("The buyer and the designer may make and sell it there, nobody else."),
    )


def _non_exclusive() -> tuple[str, str]:
    return (
        _(
            "The designer grants the buyer a non-exclusive license to have the design made and to sell the pieces"
            " within the scope below. The designer may grant the same to others."
        ),
        _("The buyer may make and sell it there, and so may others."),
    )


def _buyout() -> tuple[str, str]:
    return (
        _(
            "The designer transfers to the buyer all rights to have the design made and to sell the pieces within the"
            " scope below, for good."
        ),
        _("The buyer has the rights for good."),
    )


def _first_refusal() -> tuple[str, str]:
    return (
        _(
            "The designer grants the buyer a right of first refusal within the scope below: before granting anybody"
            " else an exclusive or sole license or a buyout there, the designer offers it to the buyer on the same"
            " terms, and the buyer has fourteen days to take it. Besides, the buyer may have the design made and sell"
            " the pieces there, as others may."
        ),
        _("Before anybody else gets it alone, the buyer is asked first."),
    )


def _limited_edition() -> tuple[str, str]:
    return (
        _(
            "The designer grants the buyer a license to have a limited edition of the design made and to sell the"
            " pieces within the scope below. Every piece carries a serial number of the edition, issued by the"
            " platform; no piece is made without one."
        ),
        _("A numbered edition: each piece has a serial number, and there are no more."),
    )


_GRANTS = {
    "exclusive": _exclusive,
    "sole": _sole,
    "non_exclusive": _non_exclusive,
    "buyout": _buyout,
    "first_refusal": _first_refusal,
    "limited_edition": _limited_edition,
}


def _scope(said: Said) -> Clause:
    text = _(
        "Territory: %(territory)s. Sales channels: %(channels)s. Categories: %(categories)s. Metals: %(metals)s.",
        territory=said["territories"],
        channels=said["channels"],
        categories=said["categories"],
        metals=said["metals"],
    )
    return Clause(_("Scope"), text, _("Where, through whom and in what it may be sold. Everything else stays open."))


def _term(terms: Mapping[str, Any], said: Said) -> Clause:
    if terms["kind"] == "buyout":
        text, short = _("The rights pass when the fee has been paid."), _("Paid means owned.")
    elif terms.get("start"):
        text = _(
            "The license begins on %(start)s, or when the fee has been paid if that is later, and runs for %(term)s.",
            start=said["start"],
            term=said["term_months"],
        )
        short = _("It begins on that day, but not before it is paid.")
    else:
        text = _("The license begins when the fee has been paid and runs for %(term)s.", term=said["term_months"])
        short = _("The time runs from the payment.")
    return Clause(_("Term"), text, short)


def _money(terms: Mapping[str, Any], said: Said) -> Clause:
    percent, piece = terms.get("royalty_percent") is not None, bool(terms.get("royalty_per_unit"))
    text = together(
        _("The buyer pays a license fee of %(fee)s.", fee=said["fee"]),
        _(
            "The buyer pays a royalty of %(rate)s of %(base)s.",
            rate=said["royalty_percent"],
            base=said["royalty_base"],
        )
        if percent
        else "",
        _("The buyer pays a royalty of %(amount)s for each piece.", amount=said["royalty_per_unit"]) if piece else "",
        _(
            "Net sales are what the buyer's customers paid, less taxes, trade discounts and refunds for returned"
            " pieces; nothing else is taken off."
        )
        if percent and terms.get("royalty_base") == "net_sales"
        else "",
        _("An advance of %(amount)s is set off against royalties.", amount=said["advance"])
        if terms.get("advance")
        else "",
        _("Royalties amount to at least %(amount)s; a shortfall is paid.", amount=said["minimum_guarantee"])
        if terms.get("minimum_guarantee")
        else "",
        _("All payments go through the platform, which keeps its fee from the designer's share."),
    )
    if percent or piece:
        return Clause(_("Fee and royalty"), text, _("A fee at the start, then a share of the sales."))
    return Clause(_("Fee and royalty"), text, _("One fee, no royalty."))


def _has_royalty(terms: Mapping[str, Any]) -> bool:
    return terms.get("royalty_percent") is not None or bool(terms.get("royalty_per_unit"))


def _statements() -> Clause:
    text = _(
        "Within thirty days after each quarter the buyer reports through the platform what was made and sold, with"
        " serial numbers, and pays the royalty. The buyer keeps records for three years after each report. Once a year"
        " and with thirty days' notice the designer may have them audited by somebody bound to secrecy; when more than"
        " five per cent is missing, the buyer pays for the audit as well."
    )
    return Clause(_("Statements and audit"), text, _("Report and pay every quarter; the designer may have it checked."))


def _quantity(terms: Mapping[str, Any], said: Said) -> Clause:
    text = _("The buyer may have at most %(units)s pieces made under this license.", units=said["max_units"])
    return Clause(_("Quantity"), text, _("No more pieces than that."))


def _changes(terms: Mapping[str, Any]) -> Clause:
    text, short = {
        "none": lambda: (_("The buyer may not change the design."), _("Make it as it is.")),
        "resize": lambda: (
            _("The buyer may change the size of the pieces and nothing else."),
            _("Sizes yes, everything else no."),
        ),
        "adapt": lambda: (
            _("The buyer may adapt the design; the adaptations are covered by this license."),
            _("The buyer may change it; what comes of it is under the same license."),
        ),
    }[terms.get("derivatives") or "none"]()
    return Clause(_("Changes to the design"), text, short)


def _customization(said: Said) -> Clause:
    text = together(
        _("The designer agrees to these changes and adapts the design to them:"),
        said.get("brief", ""),
        said.get("customization", ""),
    )
    return Clause(_("Customization"), text, _("What is made differently for this buyer."))


def _pictures(terms: Mapping[str, Any]) -> Clause:
    allowed = bool(terms.get("marketing_images"))
    text = together(
        _("The buyer may use the designer's pictures of the design to market the pieces.")
        if allowed
        else _("The designer's pictures are not part of this license."),
        _("The pieces are offered with the credit line: %(credit)s", credit=terms["credit"])
        if terms.get("credit")
        else "",
    )
    short = _("Pictures may be used.") if allowed else _("Take your own pictures.")
    return Clause(_("Pictures and credit"), text, short)
