"""Races around orders, forced with threads over real connections."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.kernel.errors import DomainError
from marketplace.manufacturing import operations as manufacturing
from marketplace.manufacturing.models import CadCopy, CadLink
from marketplace.orders.models import Order
from marketplace.production import operations as production
from marketplace.production.models import Shipment, StageEvent
from tests.features.orders.world import World, world

__all__ = ["world"]


def _race(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at once; each gives its result or the code it was refused with."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except DomainError as error:
            return error.code

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_two_orders_cannot_both_take_the_last_pieces(world: World) -> None:
    for _ in range(5):
        left = 100 - _ordered(world)
        found = _race(*[partial(world.place, left // 2 + 1)] * 4)
        assert sum(isinstance(f, Order) for f in found) == 1
        assert found.count("units_exceeded") == 3
        if left <= 2:
            break
    assert _ordered(world) <= 100


def _ordered(world: World) -> int:
    with unit_of_work(world.services.engine, system("test")) as session:
        return int(session.scalar(select(func.coalesce(func.sum(Order.quantity), 0))) or 0)


def test_two_awards_make_one(world: World) -> None:
    second = world.make.person("manufacturer")
    for _ in range(5):
        order = world.place(1)
        by_org = {world.maker.org.id: world.maker, second.org.id: second}
        quotes = [world.quote(rfq, by_org[rfq.maker_org_id]) for rfq in world.ask(order, world.maker, second)]
        found = _race(*[partial(world.award, order, quote) for quote in quotes])
        assert sorted(isinstance(f, Order) for f in found) == [False, True]
        assert "illegal_transition" in found


def test_a_quote_that_is_replaced_while_it_is_awarded_either_wins_or_is_refused(world: World) -> None:
    for _ in range(5):
        order = world.place(1)
        rfq = world.ask(order)[0]
        quote = world.quote(rfq)
        awarded, replaced = _race(partial(world.award, order, quote), partial(world.quote, rfq, unit_price=99_000))
        row = world.get(Order, order.id)
        if isinstance(awarded, Order):
            assert (row.quote_id, replaced) == (quote.id, "illegal_transition")
        else:
            assert (row.quote_id, awarded) == (None, "quote_replaced")


def test_no_link_is_minted_after_the_revocation_has_returned(world: World) -> None:
    order = world.paid(1)
    for _ in range(10):
        world.sign(order)
        done = threading.Event()
        found = _race(
            partial(_mint, world, order), partial(_revoke, world, order, done), partial(_late, world, order, done)
        )
        assert found[1] == "revoked"
        assert found[2] == "nda_revoked"
        world.designer.api.post(f"/orders/{order.id}/nda/issue", {})
        order = world.get(Order, order.id)


def _mint(world: World, order: Order) -> str:
    web = world.make.app.extensions["services"].engine
    with unit_of_work(web, world.maker.actor) as session:
        made = manufacturing.mint_link(session, world.maker.actor, order, world.cad.id, world.services.tokens)
        return made.id if isinstance(made, CadCopy) else made[1].id


def _revoke(world: World, order: Order, done: threading.Event) -> str:
    with unit_of_work(world.make.app.extensions["services"].engine, world.designer.actor) as session:
        manufacturing.revoke_nda(session, world.designer.actor, order)
    done.set()
    return "revoked"


def _late(world: World, order: Order, done: threading.Event) -> str:
    assert done.wait(120)
    return _mint(world, order)


def test_a_link_clicked_ten_times_at_once_opens_once(world: World) -> None:
    order = world.paid(1)
    world.sign(order)
    path = "/cad/" + world.copied_link(order).json["url"].rpartition("/cad/")[2]
    clients = [world.make.app.test_client() for _ in range(10)]
    found = _race(*[partial(_status, client, path) for client in clients])
    assert sorted(found) == [303] + [409] * 9
    with unit_of_work(world.services.engine, system("test")) as session:
        assert session.scalar(select(func.count()).select_from(CadLink).where(CadLink.used_at.is_not(None))) == 1


def _status(client: FlaskClient, path: str) -> int:
    return client.get(path).status_code


def test_a_parcel_recorded_twice_at_once_is_one(world: World) -> None:
    order = world.paid(1)
    world.change(Order, order.id, state="in_production")
    with unit_of_work(world.services.engine, system("test")) as session:
        session.add(StageEvent(order_id=order.id, maker_org_id=world.maker.org.id, user_id="x", stage="packing"))

    def ship() -> str:
        with unit_of_work(world.services.engine, world.maker.actor) as session:
            return production.ship(session, world.maker.actor, order, production.Parcel("Brink's", "1")).id

    found = _race(ship, ship)
    assert "illegal_transition" in found
    with unit_of_work(world.services.engine, system("test")) as session:
        assert session.scalar(select(func.count()).select_from(Shipment)) == 1
