"""The payouts page, onboarding, and the webhook."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import Field

from marketplace.accounts import step_up
from marketplace.accounts.models import Organization
from marketplace.gateways.payment_types import BadSignature
from marketplace.kernel import clock
from marketplace.payments import operations, payees, queries, reversals, vendor_words, words
from marketplace.payments.account_box import account_box
from marketplace.payments.checkout import url_for_onboarding
from marketplace.policy.permissions import Permission
from marketplace.web.call import AfterCommit, Call
from marketplace.web.errors import is_htmx
from marketplace.web.forms import Form, FormState, read_form
from marketplace.web.limits import limit
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("payouts", url_prefix="/payouts")
webhooks = Section("payments")


class ReplaceForm(Form):
    """The password, unless it was typed a moment ago."""

    password: str = Field(default="", max_length=200)


@section.get("", needs=Permission.PAYOUT_READ)
def index(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """What was earned, what is held and why, what is on its way."""
    shares = queries.shares(call.session, call.org_id, cursor=request.args.get("cursor"))
    payouts = queries.payouts(call.session, call.org_id)
    box = account_box(call.session, call.org_id, call.settings.platform_country)
    return render_template(
        "payouts/index.html",
        box=box,
        account=box.account,
        totals=queries.totals(call.session, call.org_id),
        shares=shares,
        payouts=payouts,
        arrived=queries.arrivals(shares.items, payouts),
        returned="back" in request.args,
        debts=reversals.debts(call.session, call.org_id),
        back=queries.back(call.session),
        words=words,
        failure=vendor_words.payout_failure,
        form=form,
        fresh=step_up.fresh(call.actor),
        now=clock.now(),
    )


@section.get("/account", needs=Permission.PAYOUT_READ)
def account(call: Call) -> ResponseReturnValue:
    """The onboarding box alone; polls itself while the payment service is checking."""
    if not is_htmx():
        return see_other("payouts.index")
    return render_template(
        "payouts/_account.html",
        box=account_box(call.session, call.org_id, call.settings.platform_country),
        returned="back" in request.args,
    )


@section.post("/onboard", needs=Permission.PAYOUT_ONBOARD)
def onboard(call: Call) -> ResponseReturnValue | AfterCommit:
    """Go to the payment service and tell it who gets the money."""
    limit("onboard", call.org_id, "20 per hour")
    payees.account_for(call.session, call.actor, call.org_id)
    country = call.session.get_one(Organization, call.org_id).country
    return AfterCommit(lambda: leave_for(url_for_onboarding(call.services, call.actor, call.org_id, country)))


@section.post("/replace", needs=Permission.PAYOUT_ONBOARD, on_invalid=index)
def replace(call: Call) -> ResponseReturnValue:
    """Let go of an account that cannot be paid any more; the password is typed again for it."""
    given = read_form(ReplaceForm)
    step_up.confirm(call.session, call.actor, given.password or None)
    payees.replace(call.session, call.actor, call.org_id)
    return see_other("payouts.index", toast=_("Set up the new account now. Nothing is sent for 72 hours."))


@webhooks.post("/webhooks/stripe", needs=Permission.PUBLIC, csrf=False)
def stripe_webhook(call: Call) -> ResponseReturnValue:
    """Keep a signed event and answer at once; a job does the rest. Anything unsigned is refused without a trace."""
    try:
        event = call.services.payments.verify_webhook(
            request.get_data(cache=False), request.headers.get("Stripe-Signature")
        )
    except BadSignature as error:
        current_app.logger.warning("webhook refused", extra={"why": str(error)})
        return "", 400
    operations.take_event(call.session, event)
    return "", 200
