"""The clauses of amendments and terminations."""

from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.licensing.contract.clauses.clause import Clause, together
from marketplace.licensing.models import Addendum


def amendment_clauses() -> list[Clause]:
    """What an amendment says beside the changed terms."""
    return [
        Clause(
            _("What changes"),
            _("The terms named above are replaced as shown. Everything else in the agreement stays as it is."),
            _("Only what stands in the table changes."),
        ),
        Clause(
            _("When it takes effect"),
            _(
                "The amendment takes effect when both sides have signed it. What was made, sold and owed before is"
                " judged by the terms of that time."
            ),
            _("From the second signature on."),
        ),
    ]


def termination_clauses(row: Addendum) -> list[Clause]:
    """What a termination says: why it ends, what may still be sold, what is destroyed, what is still owed."""
    found = []
    if row.signers == 1:
        found.append(
            Clause(
                _("End of the license"),
                _(
                    "Notice of a breach was given through the platform and the breach was not cured in the time the"
                    " agreement allows for it. The side that gave notice ends the license with this document."
                ),
                _("It ends because a breach was not put right."),
            )
        )
    else:
        found.append(
            Clause(
                _("End of the license"),
                _("Both sides end the license. It ends when both have signed this document."),
                _("It ends because both want it to."),
            )
        )
    if row.sell_off_months:
        months = ngettext("%(num)s month", "%(num)s months", row.sell_off_months)
        text = _("Pieces already made may be sold for another %(months)s, against the same royalty.", months=months)
        found.append(Clause(_("Stock"), text, _("What is left may still be sold.")))
    else:
        text = _("Sales end at once; pieces that are left are not sold.")
        found.append(Clause(_("Stock"), text, _("Nothing more is sold.")))
    found.append(
        Clause(
            _("What stays"),
            together(
                _(
                    "Within thirty days after the last sale is allowed, the buyer returns or destroys all copies of the"
                    " files, molds and masters and attests it on the platform."
                ),
                _("What was owed before the end stays owed; secrecy goes on."),
            ),
            _("Destroy files and molds, pay what is open, keep secrets."),
        )
    )
    return found
