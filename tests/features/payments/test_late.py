"""Money that comes for a checkout that another one has replaced goes back by itself, told by an event or found."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.payments import queries, unpaid
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.claims import Refund
from marketplace.payments.models import Checkout, PaymentEvent
from tests.features.payments.scene import SYSTEM, Scene


def _replaced(scene: Scene) -> tuple[str, str]:
    """Two checkouts of one order: the first has a page, then the price became another one."""
    first = scene.open({scene.maker.org.id: ("production", 80_000)})
    url_for_checkout(scene.services, scene.buyer.actor, first)
    second = scene.open({scene.maker.org.id: ("production", 90_000)})
    assert (scene.checkout(first).state, scene.checkout(first).replaced) == ("expired", True)
    return first, second


@pytest.mark.parametrize(
    ("told", "paid_before"),
    [
        (True, False),
        (False, True),
        pytest.param(True, True, marks=pytest.mark.full),
        pytest.param(False, False, marks=pytest.mark.full),
    ],
)
def test_money_for_a_replaced_checkout_goes_back(scene: Scene, told: bool, paid_before: bool) -> None:
    """PAY-05: with the event, and with the event lost and only the sweep to find it."""
    first, second = _replaced(scene)
    if paid_before:
        scene.pay(second)
    scene.control("POST", f"/checkout/{scene.checkout(first).stripe_session_id}/pay")
    if told:
        scene.settle()
    else:
        scene.sweep()
    back = scene.one(Refund)
    assert (back.checkout_id, back.state, back.amount, back.reason) == (first, "done", 80_000, "too_late")
    assert (scene.checkout(first).state, scene.checkout(first).replaced) == ("paid", True)
    if not paid_before:
        scene.pay(second)
    with Session(scene.services.engine) as session:
        live = queries.live_checkout(session, "order", "ord_1")
        assert live is not None
        assert (live.id, live.state) == (second, "paid")
        assert session.scalars(select(PaymentEvent.id).where(PaymentEvent.handled_at.is_(None))).all() == []
    scene.onboard(scene.maker)
    scene.release()
    states = {(share.checkout_id, share.state) for share in scene.every_share()}
    assert states == {(first, "returned"), (second, "sent")}
    scene.sums()


def test_money_for_a_checkout_given_up_and_found_by_the_sweep_alone(scene: Scene) -> None:
    """PAY-05: nothing took its place, so it is taken as paid."""
    checkout = scene.open({scene.maker.org.id: ("production", 80_000)})
    url_for_checkout(scene.services, scene.buyer.actor, checkout)
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        unpaid.mark_expired(session, checkout)
    scene.control("POST", f"/checkout/{scene.checkout(checkout).stripe_session_id}/pay")
    scene.sweep()
    assert scene.checkout(checkout).state == "paid"
    scene.sums()


def test_the_live_checkout_is_found_while_its_payment_is_being_booked(scene: Scene) -> None:
    """PAY-10: the booking has locked it and waits for what whoever opens it has locked; neither waits for the other."""
    shares = {scene.maker.org.id: ("production", 80_000)}
    first = scene.open(shares)
    with Session(scene.services.engine) as booking:
        lock(booking, Checkout, first)
        assert scene.open(shares) == first
