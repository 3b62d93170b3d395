"""The agreement's sentences, made from the terms in the current language."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from marketplace.licensing.term_words import Row, rows
from marketplace.web.i18n import locale_code

Clause = tuple[str, str]


def clauses(terms: Mapping[str, Any]) -> list[Clause]:
    """(title, text) of every clause that these terms call for, in order."""
    said = {row["name"]: row for row in rows(terms, binding=True)}
    found = [
        (_("Grant"), _GRANTS[terms["kind"]]()),
        (_("Scope"), _scope(said)),
        (_("Term"), _term(terms, said)),
        (_("Fee and royalty"), _money(terms, said)),
    ]
    if terms.get("max_units"):
        found.append(
            (
                _("Quantity"),
                _("The buyer may have at most %(units)s pieces made under this license.", units=_of(said, "max_units")),
            )
        )
    found.append((_("Changes to the design"), _CHANGES[terms.get("derivatives") or "none"]()))
    if terms.get("customization"):
        found.append((_("Customization"), str(terms["customization"])))
    found.append((_("Pictures and credit"), _pictures(terms)))
    found.append(
        (
            _("Files and confidentiality"),
            _(
                "The design and its files remain the designer's property. The buyer may have the licensed pieces made"
                " only by manufacturers that were assigned through the platform and have signed its non-disclosure"
                " agreement; files are released to them alone, and every release is recorded."
            ),
        )
    )
    found.append((_("After the end"), _after(terms, said)))
    found.append(
        (
            _("Governing language and signatures"),
            _(
                "The %(language)s wording of the terms above governs. Both sides sign by typing their name; the time,"
                " the network address and the fingerprint of this document are kept with each signature.",
                language=_of(said, "governing_language"),
            ),
        )
    )
    return found


def _of(said: Mapping[str, Row], name: str) -> str:
    return said[name]["value"] if name in said else "–"


def _exclusive() -> str:
    return _(
        "The designer grants the buyer an exclusive license to have the design made and to sell the pieces within the"
        " scope below. Within it nobody else, the designer included, may do so."
    )


def _sole() -> str:
    return _(
        "The designer grants the buyer the sole license to have the design made and to sell the pieces within the"
        " scope below. Within it only the buyer and the designer may do so."
    )


def _non_exclusive() -> str:
    return _(
        "The designer grants the buyer a non-exclusive license to have the design made and to sell the pieces within"
        " the scope below. The designer may grant the same to others."
    )


def _first_refusal() -> str:
    return _(
        "The designer grants the buyer a non-exclusive license to have the design made and to sell the pieces within"
        " the scope below. Before granting anybody else an exclusive, a sole or a bought-out license that touches this"
        " scope, the designer offers it to the buyer on the same terms."
    )


def _limited_edition() -> str:
    return _(
        "The designer grants the buyer a license to have the design made and to sell the pieces within the scope below"
        " as a limited edition. Each piece carries a number, and all licensees together never make more pieces of the"
        " design than the number below."
    )


def _buyout() -> str:
    return _(
        "The designer transfers to the buyer all rights to have the design made and to sell the pieces within the scope"
        " below, for good."
    )


_GRANTS = {
    "exclusive": _exclusive,
    "sole": _sole,
    "non_exclusive": _non_exclusive,
    "first_refusal": _first_refusal,
    "limited_edition": _limited_edition,
    "buyout": _buyout,
}

_CHANGES = {
    "none": lambda: _("The buyer may not change the design."),
    "resize": lambda: _("The buyer may change the size of the pieces and nothing else."),
    "adapt": lambda: _("The buyer may adapt the design; the adaptations are covered by this license."),
}


def _scope(said: Mapping[str, Row]) -> str:
    return _(
        "Territory: %(territory)s. Sales channels: %(channels)s. Categories: %(categories)s. Metals: %(metals)s.",
        territory=_of(said, "territories"),
        channels=_of(said, "channels"),
        categories=_of(said, "categories"),
        metals=_of(said, "metals"),
    )


def _term(terms: Mapping[str, Any], said: Mapping[str, Row]) -> str:
    if terms["kind"] == "buyout":
        return _("The rights pass when the fee has been paid.")
    if terms.get("start"):
        return _(
            "The license begins on %(start)s, or when the fee has been paid if that is later, and runs for %(term)s.",
            start=_of(said, "start"),
            term=_of(said, "term_months"),
        )
    return _("The license begins when the fee has been paid and runs for %(term)s.", term=_of(said, "term_months"))


def _money(terms: Mapping[str, Any], said: Mapping[str, Row]) -> str:
    parts = [_("The buyer pays a license fee of %(fee)s.", fee=_of(said, "fee"))]
    if terms.get("royalty_percent") is not None:
        parts.append(
            _(
                "The buyer pays a royalty of %(rate)s of %(base)s.",
                rate=_of(said, "royalty_percent"),
                base=_of(said, "royalty_base"),
            )
        )
    if terms.get("royalty_per_unit"):
        parts.append(_("The buyer pays a royalty of %(amount)s for each piece.", amount=_of(said, "royalty_per_unit")))
    if terms.get("advance"):
        parts.append(_("An advance of %(amount)s is set off against royalties.", amount=_of(said, "advance")))
    if terms.get("minimum_guarantee"):
        parts.append(_guarantee(terms, _of(said, "minimum_guarantee")))
    return _together(parts)


def _guarantee(terms: Mapping[str, Any], amount: str) -> str:
    if terms.get("guarantee_per") == "year":
        return _("Royalties amount to at least %(amount)s in each license year.", amount=amount)
    return _("Royalties amount to at least %(amount)s over the term.", amount=amount)


def _pictures(terms: Mapping[str, Any]) -> str:
    parts = [
        _("The buyer may use the designer's pictures of the design to market the pieces.")
        if terms.get("marketing_images")
        else _("The designer's pictures are not part of this license.")
    ]
    if terms.get("credit"):
        parts.append(_("The pieces are offered with the credit line: %(credit)s", credit=terms["credit"]))
    return _together(parts)


def _after(terms: Mapping[str, Any], said: Mapping[str, Row]) -> str:
    if terms["kind"] == "buyout":
        return _("The rights do not end.")
    if terms.get("sell_off_months"):
        return _(
            "When the license ends, pieces already made may be sold for another %(months)s; after that all copies of"
            " the files, molds and masters are destroyed.",
            months=_of(said, "sell_off_months"),
        )
    return _("When the license ends, sales end, and all copies of the files, molds and masters are destroyed.")


def _together(sentences: list[str]) -> str:
    # Chinese sentences follow each other without a space.
    return ("" if locale_code().startswith("zh") else " ").join(sentences)
