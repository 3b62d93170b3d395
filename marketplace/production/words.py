"""The timeline of an order in the reader's language."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from marketplace.designs.pictures import Sign
from marketplace.orders.models import Order
from marketplace.production.operations import stage_word
from marketplace.production.queries import Story, shots


def timeline(order: Order, found: Story, sign: Sign) -> list[dict[str, Any]]:
    """What has happened, oldest first, as the reader may know it."""
    entries: list[tuple[datetime | None, dict[str, Any]]] = [(order.created_at, {"title": _("Order placed")})]
    entries.append((order.quotes_asked_at, {"title": _("Workshops asked for quotes")}))
    entries.append((order.awarded_at, {"title": _("Awarded"), "by": found.names.get(order.maker_org_id or "", "")}))
    entries.append((order.paid_at, {"title": _("Paid")}))
    if found.nda is not None:
        title = _("NDA version %(version)s signed", version=found.nda.version)
        entries.append((found.nda.created_at, {"title": title, "by": found.nda.typed_name}))
        title = _("NDA version %(version)s revoked", version=found.nda.version)
        entries.append((found.nda.revoked_at, {"title": title, "state": "failed"}))
    for event in found.events:
        word = stage_word(event.stage)
        entry = {"title": word, "text": event.note, "pictures": shots(found, event, sign, word)}
        entries.append((event.created_at, entry))
    if found.shipment is not None:
        text = _("%(carrier)s, %(tracking)s", carrier=found.shipment.carrier, tracking=found.shipment.tracking)
        entries.append((found.shipment.shipped_at, {"title": _("Shipped"), "text": text}))
    entries.append((order.delivered_at, {"title": _("Delivery accepted")}))
    entries.append((order.canceled_at, {"title": _("Canceled"), "text": order.cancel_reason, "state": "failed"}))
    happened = [(when, entry) for when, entry in entries if when is not None]
    happened.sort(key=lambda pair: pair[0])
    return [{"state": "done", **entry, "at": when} for when, entry in happened]
