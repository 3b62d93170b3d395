"""The list of notifications."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.notifications.kinds import words
from marketplace.notifications.models import Notification
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.navigate import leave_for, own_path, see_other
from marketplace.web.paging import page
from marketplace.web.section import Section

section = Section("notifications", url_prefix="/notifications")


def load_notification(session: Session, actor: Actor, notification_id: str) -> Notification:
    """One of the person's own notifications; raises NotFound."""
    found = session.get(Notification, notification_id)
    if found is None or found.user_id != actor.user_id:
        raise NotFound
    return found


@section.get("", needs=Permission.NOTIFICATION_READ)
def index(call: Call) -> ResponseReturnValue:
    """What happened, newest first."""
    query = select(Notification).where(Notification.user_id == call.user_id)
    keys = (Notification.created_at, Notification.id)
    found = page(call.session, query, keys, cursor=request.args.get("cursor"), limit=30)
    items = [(row, *words(row.kind, row.params)) for row in found.items]
    return render_template("notifications/index.html", items=items, next_cursor=found.next_cursor)


@section.post("/<notification_id>/open", needs=Permission.NOTIFICATION_READ, subject=load_notification)
def open_one(call: Call, notification: Notification) -> ResponseReturnValue:
    """Mark one as read and go where it points."""
    notification.read_at = notification.read_at or clock.now()
    target = own_path(notification.path)
    return leave_for(target) if target else see_other("notifications.index")


@section.post("/read", needs=Permission.NOTIFICATION_READ)
def read_all(call: Call) -> ResponseReturnValue:
    """Mark all as read."""
    call.session.execute(
        update(Notification)
        .where(Notification.user_id == call.user_id, Notification.read_at.is_(None))
        .values(read_at=clock.now())
    )
    return see_other("notifications.index", toast=_("All marked as read."))
