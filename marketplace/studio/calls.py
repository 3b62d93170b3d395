"""The ledger of model calls: reserved before, settled after, bounded per organization and day."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.db.locks import lock_name
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict
from marketplace.studio import rules
from marketplace.studio.models import AiCall

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call took: tokens, cost in millionths of a US dollar, which model answered."""

    model: str
    model_version: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    sandbox: bool = False


def check_budget(session: Session, org_id: str) -> None:
    """Raise Conflict `budget_exceeded` when the organization has used up the last 24 hours' calls or cost."""
    calls, micros = session.execute(
        select(func.count(), func.coalesce(func.sum(AiCall.cost_micros), 0)).where(
            AiCall.org_id == org_id, AiCall.created_at > clock.now() - _DAY
        )
    ).one()
    if rules.over_budget(int(calls), int(micros)):
        raise Conflict("budget_exceeded", "Your studio has used up today's drafts. Try again tomorrow.")


def reserve(
    session: Session,
    *,
    org_id: str,
    task: str,
    subject: str | None = None,
    job_id: str | None = None,
    user_id: str | None = None,
    sent: dict[str, Any] | None = None,
) -> AiCall:
    """Note that a call is about to be made, within the budget. Raises Conflict `budget_exceeded`.

    A call of the same job that was never settled was lost with its worker and is closed as failed.
    """
    lock_name(session, f"model budget of {org_id}")
    if job_id is not None:
        session.execute(
            update(AiCall)
            .where(AiCall.job_id == job_id, AiCall.state == "reserved")
            .values(state="failed", error="the worker was lost", finished_at=clock.now())
        )
    check_budget(session, org_id)
    call = AiCall(
        org_id=org_id,
        user_id=user_id,
        task=task,
        subject=subject,
        job_id=job_id,
        sent=sent or {},
        cost_micros=rules.RESERVED_MICROS,
    )
    session.add(call)
    session.flush()
    return call


def settle(
    session: Session,
    call_id: str,
    *,
    usage: Usage | None = None,
    sent: dict[str, Any] | None = None,
    reply: Any = None,
    error: str | None = None,
) -> None:
    """Record what became of a call; a failed one without usage costs nothing."""
    call = session.get_one(AiCall, call_id)
    call.state = "failed" if error else "done"
    call.error = error[:1000] if error else None
    call.finished_at = clock.now()
    call.cost_micros = usage.cost_micros if usage else 0
    if usage:
        call.model, call.model_version = usage.model, usage.model_version
        call.prompt_tokens, call.output_tokens = usage.prompt_tokens, usage.output_tokens
        call.sandbox = usage.sandbox
    if sent is not None:
        call.sent = sent
    if reply is not None:
        call.reply = reply
