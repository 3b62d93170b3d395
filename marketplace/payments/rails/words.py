"""Words of the bank-file rail."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

#: Why a bank returns a payment, by rules.RETURN_REASONS.
RETURN_REASONS: Mapping[str, Any] = {
    "AC01": _l("The account number does not exist"),
    "AC04": _l("The account is closed"),
    "AC06": _l("The account is blocked"),
    "AG01": _l("The account cannot take payments of this kind"),
    "BE04": _l("The payee's address is missing"),
    "MD07": _l("The payee has died"),
    "NARR": _l("Another reason, in the bank's own words"),
    "RC01": _l("The BIC is wrong"),
    "RR04": _l("A rule of the payee's country forbids it"),
}
FILE_STATES: Mapping[str, tuple[Any, str]] = {
    "making": (_l("Being made"), "info"),
    "made": (_l("Ready to be taken"), "accent"),
    "taken": (_l("At the bank"), "info"),
    "closed": (_l("Answered by the bank"), "ok"),
    "canceled": (_l("Given up"), ""),
}
ITEM_STATES: Mapping[str, tuple[Any, str]] = {
    "included": (_l("In the file"), "info"),
    "executed": (_l("Carried out"), "ok"),
    "returned": (_l("Returned"), "bad"),
    "canceled": (_l("Given up"), ""),
}
#: What became of a line of the bank's report; `done` and `known` need nobody, the rest is looked at by a person.
RESULTS: Mapping[str, tuple[Any, str]] = {
    "done": (_l("Recorded"), "ok"),
    "known": (_l("Known already"), ""),
    "pending": (_l("On its way still"), "info"),
    "unknown": (_l("Not one of our payments"), "warn"),
    "amount": (_l("Another amount than we asked for"), "bad"),
    "not_at_bank": (_l("Its file was not taken to the bank"), "bad"),
    "contrary": (_l("Contradicts what was recorded before"), "bad"),
}
OUTCOMES: Mapping[str, Any] = {"execute": _l("Carried out"), "return": _l("Returned")}
