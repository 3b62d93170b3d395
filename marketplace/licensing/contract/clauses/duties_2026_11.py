"""The clauses of November 2026 that hold whatever was negotiated: files, quality, infringement, breach, the end."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from marketplace.licensing.contract.clauses.clause import Clause, Said


def duties(terms: Mapping[str, Any]) -> list[Clause]:
    """What both sides do and leave while the license runs."""
    return [_files(), _quality(), _infringement(terms), _breach(terms)]


def _files() -> Clause:
    text = _(
        "The design and its files remain the designer's property. The buyer may have the licensed pieces made only by"
        " manufacturers that were assigned through the platform and have signed its non-disclosure agreement; files"
        " are released to them alone, and every release is recorded."
    )
    return Clause(
        _("Files and confidentiality"), text, _("CAD files go only to workshops that signed the NDA, and it is logged.")
    )


def _quality() -> Clause:
    text = _(
        "Before the first sale the buyer shows the designer a sample, in pictures or by sending it; the designer"
        " answers within ten working days and may refuse it only for giving reasons. No answer is a yes. Later pieces"
        " match the approved sample. Pieces that harm people are recalled by the buyer at the buyer's cost."
    )
    return Clause(_("Quality and samples"), text, _("The designer sees a sample first; later pieces look like it."))


def _infringement(terms: Mapping[str, Any]) -> Clause:
    if terms["kind"] in {"exclusive", "buyout"}:
        text = _(
            "Each side tells the other when it learns of a copy. The designer decides whether to act; when the designer"
            " has not acted within thirty days, the buyer may do so in the licensed scope, in the own name where the"
            " law allows it. Who acts bears the cost; what is recovered beyond the cost is shared equally."
        )
        short = _("Report copies. The designer acts first, then the buyer may.")
    else:
        text = _(
            "Each side tells the other when it learns of a copy. The designer alone decides whether to act, bears the"
            " cost and keeps what is recovered."
        )
        short = _("Report copies; the designer acts against them.")
    return Clause(_("Copies by others"), text, short)


def _breach(terms: Mapping[str, Any]) -> Clause:
    text = _(
        "A side that finds this agreement broken gives notice through the platform and says what would put it right;"
        " the other has thirty days to do so. Meanwhile the license goes on, but no new pieces are ordered. When the"
        " breach is not cured in that time, the side that gave notice may end the license by a document signed as this"
        " one. Both sides together may end it at any time."
    )
    short = _("Notice, thirty days to put it right, only then an end. Together, at any time.")
    return Clause(_("Breach and termination"), text, short)


def after(terms: Mapping[str, Any], said: Said) -> Clause:
    """What happens once the rights have ended."""
    title = _("After the end")
    if terms["kind"] == "buyout":
        return Clause(title, _("The rights do not end."), _("There is no end."))
    destroyed = _(
        "Within thirty days after the last sale is allowed, the buyer returns or destroys all copies of the files,"
        " molds and masters, sees to it that the manufacturers do, and attests it on the platform; until then the"
        " platform asks."
    )
    if terms.get("sell_off_months"):
        text = _(
            "When the license ends, pieces already made may be sold for another %(months)s, against the same royalty;"
            " no new ones are made. %(destroyed)s",
            months=said["sell_off_months"],
            destroyed=destroyed,
        )
        return Clause(title, text, _("Sell what is left, then destroy files and molds and say so."))
    text = _("When the license ends, sales end. %(destroyed)s", destroyed=destroyed)
    return Clause(title, text, _("Stop selling, destroy files and molds and say so."))


def signing(said: Said) -> list[Clause]:
    """How the agreement is signed and changed, and which language counts."""
    signed = _(
        "The designer signs first, because the rights are the designer's to give; the buyer signs second and pays. An"
        " agreement that is not signed by both within thirty days, or not paid within fourteen days after that, has no"
        " effect. Both sign electronically under the fingerprint of this document; time, network address and browser"
        " are kept with each signature, and the signed document is sealed and time-stamped."
    )
    changed = _(
        "This agreement is changed by an amendment that both sign in the same way, and by nothing else. What is said"
        " in messages does not change it."
    )
    language = _("The %(language)s wording of the terms governs.", language=said["governing_language"])
    return [
        Clause(_("Signing"), signed, _("Designer first, then buyer, then payment; otherwise it lapses.")),
        Clause(_("Changes to this agreement"), changed, _("Only a signed amendment changes anything.")),
        Clause(_("Governing language"), language, _("When two wordings differ, this one counts.")),
    ]
