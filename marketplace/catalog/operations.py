"""Saving designs."""

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.catalog.models import SavedDesign
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor


def save(session: Session, actor: Actor, design: Design) -> None:
    """Remember the design for this person; saving twice is the same as once."""
    session.execute(
        insert(SavedDesign)
        .values(user_id=actor.user_id, org_id=actor.org_id, design_id=design.id, created_at=clock.now())
        .on_conflict_do_nothing()
    )


def unsave(session: Session, actor: Actor, design: Design) -> None:
    """Forget it again."""
    session.execute(delete(SavedDesign).where(SavedDesign.user_id == actor.user_id, SavedDesign.design_id == design.id))
