"""Translating a message in three phases: reserve the call, make it, keep the checked translation."""

from datetime import timedelta

from sqlalchemy.orm import Session

from ai_pipeline.content.translate import Translation, translate
from ai_pipeline.gemini import ModelBusy, ModelError
from marketplace.kernel.errors import Conflict
from marketplace.licensing.models import Negotiation
from marketplace.messaging import operations
from marketplace.messaging.glossary import pairs
from marketplace.studio import calls
from workers import models
from workers.jobs.content import usage_of
from workers.run import Retry, Run


def translate_message(run: Run, message_id: str, lang: str) -> None:
    """Make the translation of one message, once; a second run finds nothing to do."""
    with run.phase(10) as session:
        message = operations.pending_translation(session, message_id, lang)
        if message is None:
            return
        # The reader asked for it by reading in that language, so it is the reader's organization that pays.
        call_id = calls.reserve(
            session, org_id=message.to_org_id, task="translate", subject=message_id, job_id=run.job_id
        ).id
        negotiation = session.get(Negotiation, message.negotiation_id)
        title = str(negotiation.snapshot.get("title", "")) if negotiation else ""
    try:
        made = translate(
            models.client(run.services.settings),
            message.text,
            lang,
            source=message.lang,
            glossary=pairs(message.lang, lang),
            keep=[title] if title else [],
        )
    except ModelError as error:
        with run.phase() as session:
            calls.settle(session, call_id, error=str(error))
        if isinstance(error, ModelBusy):
            delay = timedelta(seconds=error.retry_after_s) if error.retry_after_s else None
            raise Retry("the model is busy", delay) from error
        raise Conflict("not_translated", "The model gave no translation.") from error
    with run.phase(90) as session:
        _record(session, call_id, made)
        operations.keep_translation(
            session,
            message_id,
            lang,
            body=made.text,
            figures_checked=made.status != "figures_unchecked",
            model=made.call.model_version or made.call.model if made.call else "",
            sandbox=made.call.from_sandbox if made.call else False,
        )


def failed(session: Session, run: Run, why: str, message_id: str, lang: str) -> None:
    """Every attempt failed: the page says so and shows the original."""
    del run, why
    operations.give_up(session, message_id, lang)


def _record(session: Session, call_id: str, made: Translation) -> None:
    reply = made.model_dump(mode="json", include={"status", "text", "notes", "problems"})
    if made.call is None:
        calls.settle(session, call_id, reply=reply)
        return
    calls.settle(session, call_id, usage=usage_of(made.call), sent=made.call.sent, reply=reply)
