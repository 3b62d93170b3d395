"""The home page: real next steps for the role."""

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.home.queries import counts
from marketplace.home.steps import stats, steps
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.section import Section

section = Section("home")


@section.get("/home", needs=Permission.ACCOUNT)
def index(call: Call) -> ResponseReturnValue:
    """What waits for this person; before confirmation and approval, what they wait for."""
    role = call.actor.role or ""
    if not (call.actor.approved and call.actor.confirmed):
        return render_template("home/waiting.html")
    found = counts(call.session, role, call.org_id)
    return render_template("home/index.html", steps=steps(role, found), stats=stats(role, found))
