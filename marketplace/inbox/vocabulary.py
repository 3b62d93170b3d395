"""The words of the inbox."""

from typing import Any

from flask_babel import lazy_gettext as _l

#: The filters, in the order they are shown.
FILTERS: dict[str, Any] = {
    "all": _l("All"),
    "needs_me": _l("Your turn"),
    "waiting": _l("Waiting"),
    "expiring": _l("Expiring soon"),
    "unread": _l("Unread"),
    "assigned": _l("Mine"),
    "closed": _l("Closed"),
}

#: How often mails about negotiations come: word, and what it means.
CADENCES: dict[str, tuple[Any, Any]] = {
    "immediate": (_l("At once"), _l("A mail for every offer and message, which you can answer.")),
    "daily": (_l("Once a day"), _l("One summary in the morning, when there is something to tell.")),
    "off": (_l("Never"), _l("Only in the app. Mails about contracts, payments and your account still come.")),
}
