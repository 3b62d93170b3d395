"""The audit page."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.audit.queries import events
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.section import Section

section = Section("audit", url_prefix="/audit")


@section.get("", needs=Permission.AUDIT_READ)
def index(call: Call) -> ResponseReturnValue:
    """Who did what with our things, newest first."""
    subject = request.args.get("subject", "")[:80]
    found = events(call.session, org_id=call.org_id, subject=subject or None, cursor=request.args.get("cursor"))
    return render_template("audit/index.html", page=found, subject=subject)
