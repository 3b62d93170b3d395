"""Sending one mail, in the reader's language, with links made at the moment of sending."""

from functools import lru_cache
from typing import Any

from flask import Flask, render_template
from flask_babel import force_locale

from marketplace.app import create_app
from marketplace.designs.vocabulary import reason_text
from marketplace.gateways.mail import MailRefused, MailUnavailable, Message
from marketplace.gateways.tokens import Purpose
from marketplace.inbox.digest import in_words
from marketplace.inbox.mailing import Additions, additions
from marketplace.inbox.rules import REFUSALS
from marketplace.kernel import clock
from marketplace.notifications.kinds import words
from marketplace.notifications.models import Mail
from workers.run import Retry, Run

#: Where the link of each token leads.
_LINKS = {
    Purpose.EMAIL_CONFIRM: "/confirm/{token}",
    Purpose.PASSWORD_RESET: "/reset/new?token={token}",
    Purpose.INVITE: "/invitation?token={token}",
}


def send(run: Run, mail_id: str) -> None:
    """Send the mail once; its Message-ID is the mail's id, so a repeat after a crash is recognizable."""
    with run.phase() as session:
        mail = session.get_one(Mail, mail_id)
        if mail.sent_at is not None or mail.refused is not None:
            return
        more = additions(session, run.services.tokens, run.services.settings, mail)
        if not more.wanted:
            mail.refused = "not wanted"
            return
    message = compose(run, mail, more)
    refused: str | None = None
    try:
        run.services.mailer.send(message)
    except MailRefused as error:
        refused = str(error)[:500]
    except MailUnavailable as error:
        raise Retry("the mail server does not answer") from error
    with run.phase() as session:
        row = session.get_one(Mail, mail_id)
        row.refused = refused
        row.sent_at = None if refused else clock.now()


def compose(run: Run, mail: Mail, more: Additions) -> Message:
    """The message from `templates/email/<template>/`, with what is added to it now."""
    settings = run.services.settings
    params: dict[str, Any] = {**mail.params, **more.params}
    token = params.pop("token", None)
    if token:
        purpose = Purpose(token["purpose"])
        signed = run.services.tokens.sign(purpose, {k: v for k, v in token.items() if k != "purpose"})
        params["link"] = settings.base_url + _LINKS[purpose].format(token=signed)
    elif params.get("path"):
        params["link"] = settings.base_url + params["path"]
    with _app(settings.base_url).app_context(), force_locale(mail.locale):
        if "kind" in params:
            params["title"], params["sentence"] = words(params["kind"], params)
        if mail.template == "digest":
            params |= in_words(params["parts"])
        if isinstance(params.get("reason"), str) and params["reason"] in REFUSALS:
            params["why"] = str(REFUSALS[params["reason"]])
            params["files"] = [(item["name"], reason_text(item["reason"])) for item in params.get("files", [])]
        context = {"brand": settings.brand_name, "base_url": settings.base_url, **params}
        folder = f"email/{mail.template}"
        return Message(
            to=mail.to,
            subject=" ".join(render_template(f"{folder}/subject.txt", **context).split()),
            text=render_template(f"{folder}/body.txt", **context),
            html=render_template(f"{folder}/body.html", **context),
            headers=more.headers,
            reply_to=more.reply_to,
            message_id=f"<{mail.id}@{settings.base_url.partition('://')[2].partition(':')[0]}>",
        )


@lru_cache(maxsize=2)
def _app(_base_url: str) -> Flask:
    return create_app()
