"""What the operator's pages read."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.manufacturing.models import CadTrace


def recent_traces(session: Session, limit: int = 30) -> Sequence[CadTrace]:
    """The suspect files handed in lately, newest first."""
    return session.scalars(select(CadTrace).order_by(CadTrace.created_at.desc(), CadTrace.id.desc()).limit(limit)).all()
