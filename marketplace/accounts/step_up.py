"""Step-up authentication: before something weighty a person types the password again, unless it was just typed.

Signing in types the password too, and so does minting a token of the API. What is proved holds for this session or
token alone, for a quarter of an hour.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace.accounts.models import LoginSession, User
from marketplace.accounts.passwords import verify_password
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Invalid, StepUpRequired, Unauthenticated
from marketplace.web.limits import limit

#: How long a typed password counts.
FRESH = timedelta(minutes=15)
_RATE = "10 per 15 minutes"


def fresh(actor: Actor) -> bool:
    """Whether the password of this session or token was typed within the last quarter of an hour."""
    return actor.proved_at is not None and actor.proved_at > clock.now() - FRESH


def confirm(session: Session, actor: Actor, password: str | None) -> datetime:
    """When the person was proved to be the account's owner: now by `password`, or lately without one.

    Call it before any row is locked: checking a password takes time. Raises StepUpRequired without a password that
    is fresh, Invalid `bad_password` for a wrong one, TooMany after ten tries.
    """
    if actor.user_id is None:
        raise Unauthenticated("sign_in_required", "Please sign in first.")
    if not password:
        if actor.proved_at is None or not fresh(actor):
            words = "Please type your password again to confirm that it is you."
            raise StepUpRequired("step_up_required", words, fields={"password": words})
        return actor.proved_at
    limit("step-up", actor.user_id, _RATE)
    if not verify_password(session.get_one(User, actor.user_id).password_hash, password):
        words = "This is not your password."
        raise Invalid("bad_password", words, fields={"password": words})
    now = clock.now()
    session.execute(update(LoginSession).where(LoginSession.id == actor.session_id).values(proved_at=now))
    return now
