"""The words of asking a holder of a first refusal."""

from typing import Any

from flask_babel import lazy_gettext as _l

#: State -> (word, tone of its badge).
STATES: dict[str, tuple[Any, str]] = {
    "open": (_l("Waiting for an answer"), "accent"),
    "taken_up": (_l("Taken up"), "ok"),
    "let_go": (_l("Let go"), "ok"),
    "silent": (_l("No answer in time"), "warn"),
    "withdrawn": (_l("Withdrawn"), ""),
}
#: What stands as the reason of the ending that letting go begins.
REASON = _l("The right of first refusal is not used.")
