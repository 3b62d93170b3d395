"""When the money of an order goes: the days to complain, and what is held anew after the delivery."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.ids import new_id
from marketplace.orders.models import Order
from marketplace.payments import giving_back, ledger
from marketplace.payments.models import Checkout, Transfer
from marketplace.payments.rules import ACCEPTANCE_WINDOW
from tests.features.orders.world import World
from workers.jobs.conditions import release_met

SYSTEM = system("test")


@pytest.fixture
def shipped(
    world: World,
    sandbox_control: Callable[..., Any],
    deliver_events: Callable[..., list[int]],
    run_jobs: Callable[[], Any],
) -> Order:
    """A paid order whose window to complain has passed."""
    order = world.awarded()
    url = world.buyer.api.post(f"/orders/{order.id}/checkout").json["url"]
    page = next(part for part in url.replace("?", "/").split("/") if part.startswith("cs_"))
    sandbox_control("POST", f"/checkout/{page}/pay")
    deliver_events("checkout.session.completed")
    run_jobs()
    world.change(Order, order.id, state="shipped", shipped_at=clock.now() - ACCEPTANCE_WINDOW)
    return order


def _shares(world: World) -> set[tuple[str, str | None]]:
    with Session(world.services.engine) as session:
        return {(row.state, row.reason) for row in session.scalars(select(Transfer))}


def test_what_a_buyer_has_asked_back_waits_for_the_answer(
    world: World, shipped: Order, run_jobs: Callable[[], Any]
) -> None:
    asked = world.buyer.api.post(
        f"/payments/{shipped.id}/refunds", {"amount": 100, "currency": "USD", "reason": "quality"}
    ).json
    seen = []
    for hour in range(2):
        with clock.frozen(clock.now() + timedelta(hours=hour)):
            with unit_of_work(world.services.engine, SYSTEM) as session:
                stage(session, JobName.RELEASE_ACCEPTED, new_id("job"), {})
            for _ in range(2):
                run_jobs()
            seen.append(_shares(world))
        if hour == 0:
            assert "you have asked for money back" in world.buyer.browser.get(f"/payments/{shipped.id}").text
            world.buyer.api.post(f"/refunds/{asked['id']}/decide", {"action": "withdraw"})
    assert seen == [{("held", "complaint")}, {("due", "onboarding")}]


def test_a_part_that_is_held_anew_after_the_delivery_is_released(
    world: World, shipped: Order, run_jobs: Callable[[], Any]
) -> None:
    """PAY-16: the acceptance came while it was given back; of an order that was only begun the deposit alone goes."""
    with unit_of_work(world.services.engine, SYSTEM) as session:
        checkout = session.scalars(select(Checkout)).one()
        given = giving_back.preview(session, checkout, checkout.amount)
        giving_back.take(session, checkout, "dsp_one", given, kind="dispute_lost", to=ledger.REFUNDS)
        giving_back.restore(session, checkout, "dsp_one", kind="dispute_restored", source=ledger.REFUNDS)
    found = []
    for state in ("in_production", "delivered"):
        world.change(Order, shipped.id, state=state)
        with unit_of_work(world.services.engine, SYSTEM) as session:
            release_met(session, checkout.id, state)
        run_jobs()
        with Session(world.services.engine) as session:
            due = session.scalars(select(Transfer.milestone).where(Transfer.state == "due"))
            found.append(sorted(due))
    assert found == [["deposit"], ["balance", "deposit", "whole"]]


def test_an_order_whose_money_has_all_gone_back_is_not_worked_on(world: World, shipped: Order) -> None:
    """Every party reads why; called off, the work goes on."""
    world.change(Order, shipped.id, state="paid", shipped_at=None)
    with unit_of_work(world.services.engine, SYSTEM) as session:
        checkout = session.scalars(select(Checkout)).one()
        for cause, amount in (("rfn_one", checkout.amount - 100), ("rfn_two", 100)):
            part = giving_back.preview(session, checkout, amount)
            giving_back.take(session, checkout, cause, part, kind="refund_approved", to=ledger.REFUNDS)
    refused = world.maker.api.post(f"/orders/{shipped.id}/stages", {"stage": "cad_review"})
    assert (refused.status_code, refused.json["code"]) == (409, "all_given_back")
    for who, word in (
        (world.maker, "Stop the work"),
        (world.buyer, "Nothing more"),
        (world.designer, "Nothing"),
    ):
        assert word in who.browser.get(f"/orders/{shipped.id}").text
    assert "Stop the work" in world.maker.browser.get(f"/orders/{shipped.id}/bench").text
    with unit_of_work(world.services.engine, SYSTEM) as session:
        giving_back.restore(session, checkout, "rfn_two", kind="refund_called_off", source=ledger.REFUNDS)
    assert world.maker.api.post(f"/orders/{shipped.id}/stages", {"stage": "cad_review"}).status_code == 201
