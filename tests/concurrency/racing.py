"""Races at one barrier over real connections: who won, and with which code the others were refused."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, system
from marketplace.kernel.errors import Conflict, DomainError, Forbidden
from marketplace.licensing import negotiating
from marketplace.licensing.terms import Terms
from marketplace.services import Services
from tests.features.licensing.conftest import sheet

RACERS = 8
#: Rounds of every run, and of the whole proof (`-m full`).
SOME, ALL = 40, 10_000

Act = Callable[[Any], Any]


def rounds(some: int = SOME, whole: int = ALL) -> pytest.MarkDecorator:
    """So many rounds in every run, and so many in the whole proof."""
    return pytest.mark.parametrize("rounds", [some, pytest.param(whole, marks=pytest.mark.full)])


class Race:
    """A standing group of racers; each round they start at one barrier. `told` is what each call of it gave."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.pool = ThreadPoolExecutor(RACERS)
        self.told: list[Any] = []

    def run(self, acts: Sequence[tuple[Actor, Act]]) -> list[str]:
        """What became of each act, every one in a transaction of its own: see `start`."""

        def bound(actor: Actor, act: Act) -> Callable[[], Any]:
            def call() -> Any:
                with unit_of_work(self.engine, actor) as session:
                    return act(session)

            return call

        return self.start([bound(actor, act) for actor, act in acts])

    def start(self, calls: Sequence[Callable[[], Any]]) -> list[str]:
        """What became of each call: `won`, or the code of the refusal, `unexpected` before one that is no refusal."""
        gate = threading.Barrier(len(calls))

        def one(call: Callable[[], Any]) -> tuple[str, Any]:
            gate.wait(120)
            try:
                return "won", call()
            except (Conflict, Forbidden) as refusal:
                return refusal.code, None
            except DomainError as refusal:
                return f"unexpected {refusal.code}", None

        found = [done.result(300) for done in [self.pool.submit(one, call) for call in calls]]
        self.told = [told for _outcome, told in found]
        return [outcome for outcome, _told in found]


def terms(**changes: Any) -> Terms:
    """Terms of an offer."""
    return Terms.model_validate(sheet(**changes))


def listed(services: Services, org_id: str) -> str:
    """A listed design; its id."""
    with unit_of_work(services.engine, system("test")) as session:
        row = Design(org_id=org_id, title="Onda", category="ring", state="listed", listed_at=clock.now())
        session.add(row)
        session.flush()
        return row.id


def opened(web: Engine, buyer: Actor, design_id: str, **changes: Any) -> str:
    """A negotiation with the buyer's first offer on the table; its id."""
    with unit_of_work(web, buyer) as session:
        return negotiating.open_negotiation(session, buyer, design_id, terms(**changes)).id


def quiet(services: Services, *more: str) -> None:
    """Forget what the rounds staged (and the rows of `more` tables), so that they stay equally fast."""
    with unit_of_work(services.engine, system("test")) as session:
        for table in ("notifications", "mails", "jobs", *more):
            session.execute(text(f"delete from {table}"))


def accept(actor: Actor, key: str) -> tuple[Actor, Act]:
    """Accept version 1."""
    return actor, lambda session: negotiating.accept(session, actor, key, version=1)
