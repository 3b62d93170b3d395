"""An order after a party or the design has gone, at each of its steps (NEG-06)."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.accounts.models import Organization
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel.errors import Conflict, DomainError
from marketplace.orders import operations
from marketplace.orders.models import Order
from tests.features.orders.world import SHIP_TO, World


def refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.code


def suspend(world: World, who: str) -> None:
    world.change(Organization, getattr(world, who).org.id, state="suspended")


def checkout(world: World, order: Order) -> str:
    with unit_of_work(world.services.engine, world.buyer.actor) as session:
        return operations.open_order_checkout(session, world.buyer.actor, order)


@pytest.mark.parametrize("who", ["buyer", "designer"])
def test_neg_06_nothing_is_ordered_awarded_or_paid_once_a_party_may_not_trade(world: World, who: str) -> None:
    waiting, awarded = world.place(1), world.awarded(1)
    quote = world.quote(world.ask(waiting)[0])
    suspend(world, who)
    assert refusal(lambda: world.place(1)) == "party_suspended"
    assert refusal(lambda: world.award(waiting, quote)) == "party_suspended"
    assert refusal(lambda: checkout(world, awarded)) == "party_suspended"
    assert world.get(Order, waiting.id).state == "quoting"
    assert world.get(Order, awarded.id).checkout_id is None


def test_neg_06_the_pages_and_the_api_refuse_a_suspended_buyer_before_that(world: World) -> None:
    awarded = world.awarded(1)
    suspend(world, "buyer")
    lines = [{"quantity": 1, "metal": "18k_yellow"}]
    placed = world.buyer.api.post(f"/licenses/{world.license.id}/orders", {"lines": lines, "ship_to": SHIP_TO})
    paid = world.buyer.api.post(f"/orders/{awarded.id}/checkout")
    assert (placed.status_code, paid.status_code) == (403, 403)


def test_neg_06_a_workshop_that_was_taken_off_gets_no_order_and_no_money(world: World) -> None:
    waiting, awarded = world.place(1), world.awarded(1)
    quote = world.quote(world.ask(waiting)[0])
    suspend(world, "maker")
    assert refusal(lambda: world.award(waiting, quote)) == "manufacturer_not_approved"
    answer = world.buyer.api.post(f"/orders/{awarded.id}/checkout")
    assert (answer.status_code, answer.json["code"]) == (409, "party_suspended")
    assert refusal(lambda: world.ask(world.place(1))) == "manufacturer_unknown"


def test_neg_06_a_design_that_was_withdrawn_is_licensed_no_more_but_what_was_licensed_is_still_made(
    world: World,
) -> None:
    """The license is a contract: withdrawing the design from the catalog does not end it; its own end does."""
    world.change(Design, world.design.id, state="removed")
    order = world.place(1)
    assert order.state == "placed"
    world.change(type(world.license), world.license.id, state="ended", ended_why="mutual")
    with pytest.raises(Conflict, match="not in force"):
        world.place(1)
