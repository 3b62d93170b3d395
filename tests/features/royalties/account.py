"""A license that gives account: time moves by quarters, the buyer reports, jobs make the statements."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.models import License
from marketplace.royalties import issuing, operations, reports
from marketplace.royalties.models import Statement, StatementLine
from marketplace.services import Services
from tests.features.orders.world import World, build
from tests.kit.people import Make

SYSTEM = system("test")
BEGAN = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
NET_SALES = {"royalty_percent": "7.5", "royalty_base": "net_sales", "territories": ["GB", "FR"], "channels": ["retail"]}


@dataclass
class Books:
    """One license and the clock."""

    world: World
    move: Callable[[datetime], None]
    #: The application as the web role: row security holds.
    web: Any

    def at(self, text: str) -> None:
        """Move to noon of a day."""
        self.move(datetime.fromisoformat(f"{text}T12:00:00+00:00"))

    def tick(self) -> None:
        """What the periodic job does, and the statements it asks for."""
        with unit_of_work(self.world.services.engine, SYSTEM) as session:
            issuing.open_due(session, SYSTEM)
        with unit_of_work(self.world.services.engine, SYSTEM) as session:
            operations.follow_up(session, SYSTEM)
        self.issue()

    def issue(self) -> None:
        """Make every statement that can be made, the earliest first."""
        for row in self.statements():
            with unit_of_work(self.world.services.engine, SYSTEM) as session:
                issuing.issue(session, SYSTEM, row.id)

    def statements(self) -> list[Statement]:
        """All, in the order of their time."""
        with unit_of_work(self.world.services.engine, SYSTEM) as session:
            query = select(Statement).order_by(Statement.starts, Statement.kind, Statement.created_at)
            return list(session.scalars(query))

    def lines(self, statement: Statement) -> list[StatementLine]:
        """Its lines."""
        with unit_of_work(self.world.services.engine, SYSTEM) as session:
            query = select(StatementLine).where(StatementLine.statement_id == statement.id)
            return list(session.scalars(query.order_by(StatementLine.position)))

    def report(self, statement: Statement, *rows: dict[str, str], nothing: bool = False) -> None:
        """The buyer files a report, under row security."""
        with unit_of_work(self.web, self.world.buyer.actor) as session:
            reports.submit(session, self.world.buyer.actor, statement.id, rows, nothing_sold=nothing)

    def paid(self, statement: Statement) -> None:
        """The money of a statement arrives."""
        with unit_of_work(self.world.services.engine, SYSTEM) as session:
            operations.mark_paid(session, SYSTEM, statement.id)


def row(gross: str, quantity: str = "1", **more: str) -> dict[str, str]:
    """A row as typed."""
    return {"quantity": quantity, "territory": "GB", "channel": "retail", "gross": gross, **more}


@pytest.fixture
def account(make: Make, services: Services) -> Iterator[Callable[..., Books]]:
    """Makes the books of a license with these terms that began on 2026-01-15 for two years."""
    with ExitStack() as stack:

        def build_books(**terms: Any) -> Books:
            world = build(make, services, **terms)
            until = None if terms.get("kind") == "buyout" else BEGAN.replace(year=2028)
            world.change(License, world.license.id, active_from=BEGAN, active_until=until)
            move = stack.enter_context(clock.frozen(BEGAN))
            return Books(world, move, make.app.extensions["services"].engine)

        yield build_books


@pytest.fixture
def net(account: Callable[..., Books]) -> Books:
    """7.5 % of net sales in the United Kingdom and France, own stores."""
    return account(**NET_SALES)
