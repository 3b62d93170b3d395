"""A license's life in words: what happened, what comes next and when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.kernel import clock
from marketplace.licensing.contract.breach import notice_lapses
from marketplace.licensing.contract.life import owes_attestation
from marketplace.licensing.models import License, LicenseEvent
from marketplace.licensing.rights import add_months
from marketplace.licensing.rules import CLOSE_WITHIN, NOTICE_DAYS, PAY_WITHIN, RUNNING, SIGN_WITHIN
from marketplace.web.i18n import Formats

_FMT = Formats()


def timeline(held: License, log: Sequence[LicenseEvent], names: dict[str, str]) -> list[dict[str, Any]]:
    """Entries for `_parts/steps.html`: the past from the log, then what is to come. `names` is by side."""
    past = [
        {
            "title": str(_WORDS[event.kind]) % event.details,
            "state": "failed" if event.kind in _BAD else "done",
            "when": _FMT.datetime(event.at),
            "by": names.get(event.side or "", ""),
            "text": event.details.get("reason"),
        }
        for event in log
        if event.kind in _WORDS
    ]
    return [*past, *({"title": title, "state": "upcoming", "when": _FMT.date(at)} for title, at in _to_come(held))]


def _to_come(held: License) -> list[tuple[str, datetime]]:
    if held.state in {"drafting", "to_sign"}:
        return [(_("Lapses unless both have signed"), held.created_at + SIGN_WITHIN)]
    if held.state == "to_pay":
        return [(_("Lapses unless it is paid"), (held.signed_at or held.created_at) + PAY_WITHIN)]
    found: list[tuple[str, datetime]] = []
    months = int(held.terms.get("sell_off_months") or 0)
    if held.state in RUNNING:
        if held.cure_until:
            if held.cure_until > clock.now():
                found.append((_("Last day to put the breach right"), held.cure_until))
            found.append((_("The notice of the breach lapses"), notice_lapses(held.cure_until)))
        until = held.active_until
        if until is None:
            return found
        notices = [until - timedelta(days=days) for days in NOTICE_DAYS]
        coming = [at for at in notices if at > max(clock.now(), held.active_from or until)]
        if coming:
            found.append((_("Next notice before the end"), coming[0]))
        found.append((_("The license expires"), until))
        if months:
            found.append((_("The sell-off ends"), add_months(until, months)))
        found.append((_("Files and molds are to be destroyed by"), add_months(until, months) + CLOSE_WITHIN))
    elif held.state == "sell_off" and held.sell_off_until:
        found.append((_("The sell-off ends"), held.sell_off_until))
        found.append((_("Files and molds are to be destroyed by"), held.sell_off_until + CLOSE_WITHIN))
    elif owes_attestation(held):
        ended = held.ended_at or held.active_until or held.created_at
        found.append((_("Files and molds are to be destroyed by"), ended + CLOSE_WITHIN))
    return found


_BAD = frozenset({"breach", "lapsed"})
_WORDS: dict[str, Any] = {
    "drawn_up": _l("The agreement was drawn up"),
    "signed": _l("Signed"),
    "fully_signed": _l("Signed by both"),
    "sealed": _l("Sealed and time-stamped"),
    "active": _l("The license became active"),
    "lapsed": _l("The agreement lapsed"),
    "notice": _l("Notice: %(days)s days left"),
    "expired": _l("The license expired"),
    "sell_off_began": _l("The sell-off began"),
    "ended": _l("The license ended"),
    "breach": _l("Notice of a breach"),
    "cure_over": _l("The time to cure the breach was over"),
    "notice_lapsed": _l("The notice of the breach lapsed; the license goes on"),
    "cured": _l("The breach is cured"),
    "attested": _l("Files, molds and masters are destroyed"),
    "attestation_asked": _l("The buyer was asked what is destroyed"),
    "amendment_proposed": _l("An amendment was proposed"),
    "termination_proposed": _l("A termination was proposed"),
    "addendum_done": _l("Signed by all; it is in force"),
    "addendum_withdrawn": _l("The proposal was withdrawn"),
    "addendum_declined": _l("The proposal was declined"),
    "addendum_lapsed": _l("The proposal lapsed unsigned"),
}
