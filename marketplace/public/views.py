"""The landing page, the legal pages, and (in development) the style guide."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.kernel.money import Money
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.section import Section

section = Section("public")
styleguide = Section("styleguide")


@section.get("/", needs=Permission.PUBLIC)
def landing(call: Call) -> ResponseReturnValue:
    """What this is; members go on to their home page."""
    if call.actor.signed_in:
        return redirect(url_for("home.index"), code=303)
    return render_template("public/landing.html")


@section.get("/terms", needs=Permission.PUBLIC)
def terms(call: Call) -> ResponseReturnValue:
    """The terms of use."""
    return render_template("public/terms.html")


@section.get("/privacy", needs=Permission.PUBLIC)
def privacy(call: Call) -> ResponseReturnValue:
    """What we keep about people, why, and for how long."""
    return render_template("public/privacy.html")


@section.get("/about", needs=Permission.PUBLIC)
def about(call: Call) -> ResponseReturnValue:
    """What the house is for."""
    return render_template("public/about.html")


@section.get("/sandbox", needs=Permission.PUBLIC)
def sandbox(call: Call) -> ResponseReturnValue:
    """What is real here and what is simulated."""
    return render_template("public/sandbox.html")


@styleguide.get("/styleguide", needs=Permission.PUBLIC)
def index(call: Call) -> ResponseReturnValue:
    """Every component in light and dark."""
    return render_template("styleguide/index.html", price=Money(900_000, "EUR"), price_before=Money(1_200_000, "EUR"))
