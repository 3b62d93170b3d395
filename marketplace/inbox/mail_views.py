"""Mail about negotiations: how often a person wants it, the link that ends it, and what comes back by mail."""

from typing import Any

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.gateways.inbound_mail import MAX_BODY, BadDelivery, read_delivery
from marketplace.gateways.tokens import Purpose
from marketplace.inbox import replies
from marketplace.inbox.mailing import TOKEN_LIFE_S, choose, setting_of
from marketplace.inbox.shapes import MailForm
from marketplace.inbox.vocabulary import CADENCES
from marketplace.policy.permissions import Permission
from marketplace.web.call import Call
from marketplace.web.forms import FormState, read_form
from marketplace.web.limits import limit, network, refuse_spent
from marketplace.web.navigate import see_other
from marketplace.web.section import Section

section = Section("mail")

#: How often mails can come.
_COMING = ("immediate", "daily")
#: Deliveries that are not the receiving service's, from one network.
FORGED = "20 per hour"


@section.get("/settings/mail", needs=Permission.ACCOUNT)
def settings(call: Call, form: FormState | None = None) -> ResponseReturnValue:
    """How often the person hears of negotiations by mail."""
    threads, zone = setting_of(call.session, call.user_id)
    return render_template(
        "inbox/mail_settings.html",
        form=form or FormState.of(threads=threads),
        zone=zone,
        cadences=CADENCES,
        by_mail=bool(call.settings.inbound_mail_domain),
    )


@section.post("/settings/mail", needs=Permission.ACCOUNT, on_invalid=settings)
def save(call: Call) -> ResponseReturnValue:
    """Keep the choice."""
    choose(call.session, call.user_id, read_form(MailForm).threads)
    return see_other("mail.settings", toast=_("Saved."))


@section.get("/mail/unsubscribe", needs=Permission.PUBLIC)
def unsubscribe_page(call: Call) -> ResponseReturnValue:
    """Ask before the mails end: programs open the links of mails, too."""
    _person(call)
    return render_template("inbox/unsubscribe.html", token=request.args.get("token", ""), done=False)


@section.post("/mail/unsubscribe", needs=Permission.PUBLIC, csrf=False)
def unsubscribe(call: Call) -> ResponseReturnValue:
    """End the mails about negotiations; what a mail program calls with one click, too (RFC 8058). The token is the
    key.
    """
    person, again = _person(call), request.form.get("again", "")
    before, _zone = setting_of(call.session, person)
    choose(call.session, person, again if again in _COMING else "off")
    return render_template(
        "inbox/unsubscribe.html",
        token=request.args.get("token", ""),
        done=again not in _COMING,
        again=again if again in _COMING else "",
        # What "Send them again" brings back: mails as often as before.
        before=before if before in _COMING else "immediate",
    )


@section.post("/webhooks/mail/mime", needs=Permission.PUBLIC, csrf=False)
def inbound(call: Call) -> ResponseReturnValue:
    """Take a mail from the receiving service and answer at once; a job reads it. 406 tells it not to come again."""
    # Who is not the service is turned away before another large body is read; the service itself is never counted.
    refuse_spent("forged mail", network(call.actor.ip), FORGED)
    request.max_content_length = MAX_BODY
    body, kind = request.get_data(cache=False), request.headers.get("Content-Type", "")
    try:
        delivery = read_delivery(body, kind, call.settings.inbound_mail_key)
    except BadDelivery as error:
        current_app.logger.warning("inbound mail refused", extra={"why": str(error)})
        limit("forged mail", network(call.actor.ip), FORGED)
        return "", 400
    tokens = call.services.tokens
    keys = [key for to in delivery.recipients if (key := replies.address_id(tokens, call.settings, to))]
    for key in keys[:1]:
        replies.take(call.session, delivery, key)
    return ("", 200) if keys else ("", 406)


def _person(call: Call) -> str:
    payload: dict[str, Any] = call.services.tokens.read(
        Purpose.UNSUBSCRIBE, request.args.get("token", ""), TOKEN_LIFE_S
    )
    return str(payload["user"])
