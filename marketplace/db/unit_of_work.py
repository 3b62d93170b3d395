"""The only place that commits. One unit of work is one transaction of one actor."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from marketplace.kernel.actor import Actor

_SET_ACTOR = text(
    "select set_config('app.user', :user, true), set_config('app.org', :org, true), set_config('app.role', :role, true)"
)


def open_session(engine: Engine) -> Session:
    """A session whose objects stay readable after the commit."""
    return Session(engine, expire_on_commit=False, autoflush=True)


def set_actor(session: Session, actor: Actor) -> None:
    """Tell row-level security who acts, for this transaction only (SET LOCAL never outlives it)."""
    session.execute(
        _SET_ACTOR, {"user": actor.user_id or "", "org": actor.org_id or "", "role": actor.role or actor.kind}
    )


class UnitOfWork:
    """A session that somebody else decides to commit or roll back; see `unit_of_work`."""

    def __init__(self, engine: Engine) -> None:
        self.session = open_session(engine)

    def commit(self) -> None:
        """Make everything since the start durable."""
        self.session.commit()

    def rollback(self) -> None:
        """Forget everything since the start."""
        self.session.rollback()

    def close(self) -> None:
        """Give the connection back."""
        self.session.close()


@contextmanager
def unit_of_work(engine: Engine, actor: Actor) -> Iterator[Session]:
    """One transaction as `actor`: commits when the block ends, rolls back when it raises."""
    work = UnitOfWork(engine)
    try:
        set_actor(work.session, actor)
        yield work.session
        work.commit()
    except BaseException:
        work.rollback()
        raise
    finally:
        work.close()
