"""Pages of asking the holder of a first refusal: the question, the answers, taking it back."""

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import Field

from marketplace.licensing.access import load_negotiation
from marketplace.licensing.models import Negotiation
from marketplace.licensing.queries import running
from marketplace.licensing.refusal import operations
from marketplace.licensing.refusal.models import FirstAsk
from marketplace.licensing.refusal.queries import load_ask, moot
from marketplace.licensing.refusal.rules import ANSWER_WITHIN, FIRST_ASK
from marketplace.licensing.refusal.words import REASON, STATES
from marketplace.licensing.term_words import rows
from marketplace.policy.decide import relations_of
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import Form, FormState, Version, read_form
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("first_refusals")


class AskForm(Form):
    """The version the designer saw."""

    version: Version


class LetGoForm(Form):
    """Why, and how long stock may still be sold."""

    reason: str = Field(default="", max_length=1000)
    sell_off_months: int = 0


@section.post("/negotiations/<negotiation_id>/first-refusals", needs=Permission.NEGOTIATION_ACT,
              subject=load_negotiation)  # fmt: skip
def ask(call: Call, negotiation: Negotiation) -> ResponseReturnValue:
    """Ask the holders that stand against the offer on the table."""
    operations.ask(call.session, call.actor, negotiation.id, version=read_form(AskForm).version)
    toast = _("The holder was asked and has %(days)s days to answer.", days=ANSWER_WITHIN.days)
    return see_other("negotiations.show", toast=toast, negotiation_id=negotiation.id)


@section.get("/first-refusals/<ask_id>", needs=Permission.LICENSE_READ, subject=load_ask)
def show(call: Call, row: FirstAsk, form: FormState | None = None) -> ResponseReturnValue:
    """What is proposed, until when to answer, and the answer."""
    side = next(iter(relations_of(row, call.actor)), "")
    mine = running(call.session, call.actor, row.design_id) if side == "buyer" else None
    return render_template(
        "rights/first_ask.html",
        row=row,
        side=side,
        form=form or FormState.of(reason=str(REASON), sell_off_months="0"),
        terms=rows(row.terms),
        states=STATES,
        moot=side == "designer" and FIRST_ASK.can(row.state, "withdraw", {side}) and moot(call.session, row),
        mine=mine,
    )


@section.post("/first-refusals/<ask_id>/take-up", needs=Permission.LICENSE_CHANGE, subject=load_ask, on_invalid=show)
def take_up(call: Call, row: FirstAsk) -> ResponseReturnValue:
    """Answer that the holder wants the rights, and open the offer with these terms filled in."""
    operations.take_up(call.session, call.actor, row.id)
    mine = running(call.session, call.actor, row.design_id)
    toast = _("The designer knows. Send your offer now; it starts from these terms.")
    if mine and mine.turn != "buyer":
        toast = _("The designer knows. Your running offer waits for an answer; counter with these terms after it.")
        return see_other("first_refusals.show", toast=toast, ask_id=row.id)
    if mine:
        return see_other("negotiations.counter_page", toast=toast, negotiation_id=mine.id, first=row.id)
    return see_other("negotiations.new", toast=toast, design=row.design_id, first=row.id)


@section.post("/first-refusals/<ask_id>/let-go", needs=Permission.LICENSE_CHANGE, subject=load_ask, on_invalid=show)
def let_go(call: Call, row: FirstAsk) -> ResponseReturnValue:
    """Answer that the holder does not want them, and begin the ending of the first refusal."""
    given = read_form(LetGoForm)
    made = operations.let_go(
        call.session, call.actor, row.id, reason=given.reason, sell_off_months=given.sell_off_months
    )
    toast = _("The termination is being drawn up.")
    return see_other("addenda.paper", toast=toast, license_id=row.license_id, addendum_id=made.id)


@section.post("/first-refusals/<ask_id>/withdraw", needs=Permission.LICENSE_CHANGE, subject=load_ask, on_invalid=show)
def withdraw(call: Call, row: FirstAsk) -> ResponseReturnValue:
    """Take the question back."""
    operations.withdraw(call.session, call.actor, row.id)
    return see_other("first_refusals.show", toast=_("Taken back."), ask_id=row.id)
