"""The audit log over the API."""

from typing import Any

from flask import request

from marketplace.audit.queries import events
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Body
from marketplace.web.section import Api

api = Api("audit")


class EventOut(Body):
    """One action or refusal. The other side's person and address are left out; `by_us` tells whose it was."""

    id: int
    at: str
    action: str
    subject: str | None
    outcome: str
    by_us: bool
    organization: str | None
    details: dict[str, Any]


class EventsOut(Body):
    """A page of events."""

    items: list[EventOut]
    next_cursor: str | None


@api.get("/audit", needs=Permission.AUDIT_READ, returns=EventsOut, summary="Events about one's own objects")
def audit(call: Call) -> EventsOut:
    """Events by or about the caller's organization; `?subject=` narrows to one object."""
    found = events(
        call.session,
        org_id=call.org_id,
        subject=request.args.get("subject"),
        cursor=request.args.get("cursor"),
        limit=request.args.get("limit", 50, type=int),
    )
    return EventsOut(
        items=[
            EventOut(
                id=row.id,
                at=row.created_at.isoformat(),
                action=row.action,
                subject=row.subject,
                outcome=row.outcome,
                by_us=row.org_id == call.org_id,
                organization=row.org_id,
                details=row.details,
            )
            for row in found.items
        ],
        next_cursor=found.next_cursor,
    )
