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
