"""What people do with their list of threads."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.inbox.models import InboxThread
from marketplace.kernel.actor import Actor
from marketplace.licensing.models import ReadMark

#: Threads marked at once; pressing again takes the next ones.
MOST = 1000


def mark_read(session: Session, actor: Actor, negotiation_ids: Sequence[str] | None = None) -> int:
    """Mark threads with news as read, these or (None) all of the actor's; ids of others' threads are passed over.

    Returns how many. The database sets their counts back. A thread is read up to what is visible now, so that a message
    on its way, written a moment ago, stays unread.
    """
    unread = select(InboxThread.negotiation_id, InboxThread.org_id, InboxThread.moved_at).where(
        InboxThread.org_id == actor.org_id, InboxThread.unread > 0
    )
    if negotiation_ids is not None:
        unread = unread.where(InboxThread.negotiation_id.in_(list(negotiation_ids)[:MOST]))
    # In one order, so that two who do the same never wait for each other in a circle.
    source = unread.order_by(InboxThread.negotiation_id).limit(MOST)
    marks = insert(ReadMark).from_select(["negotiation_id", "org_id", "read_at"], source)
    done = session.execute(
        marks.on_conflict_do_update(
            index_elements=["negotiation_id", "org_id"],
            set_={"read_at": func.greatest(ReadMark.read_at, marks.excluded.read_at)},
        ).returning(ReadMark.negotiation_id)
    )
    return len(done.all())
