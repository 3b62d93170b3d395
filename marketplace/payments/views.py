"""The payouts page, onboarding, and the webhook."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.accounts.models import Organization
from marketplace.gateways.payment_types import BadSignature
from marketplace.payments import operations, payees, queries
from marketplace.payments.account_box import account_box
from marketplace.payments.checkout import url_for_onboarding
from marketplace.policy.permissions import Permission
from marketplace.web.call import AfterCommit, Call
from marketplace.web.errors import is_htmx
from marketplace.web.limits import limit
from marketplace.web.navigate import leave_for, see_other
from marketplace.web.section import Section

section = Section("payouts", url_prefix="/payouts")
webhooks = Section("payments")


@section.get("", needs=Permission.PAYOUT_READ)
def index(call: Call) -> ResponseReturnValue:
    """What was earned, what is held and why, what is on its way."""
    return render_template(
        "payouts/index.html",
        box=account_box(call.session, call.org_id, call.settings.platform_country),
        totals=queries.totals(call.session, call.org_id),
        shares=queries.shares(call.session, call.org_id, cursor=request.args.get("cursor")),
        payouts=queries.payouts(call.session, call.org_id),
        returned="back" in request.args,
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
