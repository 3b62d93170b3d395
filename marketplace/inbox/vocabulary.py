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
