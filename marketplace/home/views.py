"""The home page: real next steps for the role."""

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.section import Section

section = Section("home")


@section.get("/home", needs=Permission.ACCOUNT)
def index(call: Call) -> ResponseReturnValue:
    """What waits for this person."""
    return render_template("home/index.html")
