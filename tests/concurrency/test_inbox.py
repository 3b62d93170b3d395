"""The inbox under concurrency: counts that are right afterwards, and nobody who waits in a circle (NEG-08)."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from marketplace.db.engines import make_engine
from marketplace.db.unit_of_work import unit_of_work
from marketplace.inbox import operations
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import DomainError
from marketplace.licensing import conversing, negotiating
from marketplace.licensing.terms import Terms
from tests.features.licensing.conftest import Pair, listed, pair, sheet
from tests.kit.instance import Instance

__all__ = ["listed", "pair"]
RACERS = 6
_WRONG = """
select count(*) from inbox_threads t join negotiations n on n.id = t.negotiation_id
left join negotiation_reads r on r.negotiation_id = n.id and r.org_id = t.org_id
where t.state <> n.state or t.expires_at <> n.expires_at
or t.phase <> case when n.state <> 'open' then 'closed' when n.turn = t.side then 'mine' else 'theirs' end
or t.unread <> (select count(*) from messages m where m.negotiation_id = n.id and m.to_org_id = t.org_id
    and m.created_at > coalesce(r.read_at, '-infinity'))
  + (select count(*) from offers o where o.negotiation_id = n.id and o.by_org_id <> t.org_id
    and o.created_at > coalesce(r.read_at, '-infinity'))
"""


def test_writing_answering_and_reading_at_once_leave_right_counts(
    pair: Pair, listed: Callable[..., str], instance: Instance
) -> None:
    keys = []
    for n in range(3):
        pair.design_id = listed(pair.designer.org.id, f"Ring {n}")
        keys.append(pair.open()["id"])
    engine = make_engine(instance.settings.database_web_url, pool_size=RACERS + 2)
    gate = threading.Barrier(RACERS)

    def act(session: Any, actor: Actor, key: str, choice: random.Random) -> None:
        what = choice.choice(("say", "say", "read", "read all", "counter"))
        if what == "say":
            conversing.say(session, actor, key, "Hello.")
        elif what == "read":
            seen = session.scalar(text("select updated_at from negotiations where id = :id"), {"id": key})
            conversing.mark_read(session, actor, key, until=seen)
        elif what == "read all":
            operations.mark_read(session, actor)
        else:
            terms = Terms.model_validate(sheet(max_units=choice.randint(1, 9_999)))
            version = session.scalar(text("select current_version from negotiations where id = :id"), {"id": key})
            negotiating.make_offer(session, actor, key, base_version=version, terms=terms)

    def racer(number: int) -> list[str]:
        choice = random.Random(number)
        actor = (pair.designer if number % 2 else pair.buyer).actor
        troubles = []
        gate.wait(120)
        for _ in range(25):
            try:
                with unit_of_work(engine, actor) as session:
                    act(session, actor, choice.choice(keys), choice)
            except DomainError:
                continue  # not their turn, or somebody was faster
            except Exception as error:
                troubles.append(str(error))
        return troubles

    with ThreadPoolExecutor(RACERS) as pool:
        troubles = [trouble for found in pool.map(racer, range(RACERS)) for trouble in found]
    engine.dispose()
    with instance.owner.connect() as connection:
        wrong = connection.scalar(text(_WRONG))
        said = connection.scalar(text("select count(*) from messages"))
    assert (troubles, wrong) == ([], 0)
    assert said is not None
    assert said > 20
