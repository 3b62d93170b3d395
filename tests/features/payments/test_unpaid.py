"""Checkouts that end without a payment, and what cannot be done before one is paid."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.db.locks import lock
from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.errors import Conflict
from marketplace.notifications.models import Notification
from marketplace.payments import queries
from marketplace.payments.checkout import url_for_checkout
from marketplace.payments.models import Checkout, Payout, Transfer
from tests.features.payments.scene import SYSTEM, Scene
from workers.jobs import payments as payment_jobs


def _by_bank(scene: Scene) -> tuple[str, str]:
    """A checkout that its buyer has told the bank to pay; its id and the payment service's."""
    checkout = scene.open({scene.maker.org.id: ("production", 80_000)})
    url_for_checkout(scene.services, scene.buyer.actor, checkout)
    page = scene.checkout(checkout).stripe_session_id or ""
    scene.control("POST", f"/checkout/{page}/pay", method="bank")
    scene.settle()
    return checkout, page


def test_a_bank_payment_under_way_is_said_so_and_one_that_is_refused_ends(scene: Scene) -> None:
    """PAY-05: the order can be paid again, or canceled; the buyer is told once, by the event or by the sweep."""
    checkout, page = _by_bank(scene)
    with pytest.raises(Conflict, match="still carrying out"):
        url_for_checkout(scene.services, scene.buyer.actor, checkout)
    assert scene.checkout(checkout).state == "open"
    scene.control("POST", f"/checkout/{page}/settle", status="failed")
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        session.execute(update(Checkout).values(created_at=clock.now() - payment_jobs.SWEEP_AFTER * 2))
    scene.sweep()
    scene.settle()
    assert scene.checkout(checkout).state == "expired"
    with Session(scene.services.engine) as session:
        assert queries.live_checkout(session, "order", "ord_1") is None
        told = session.scalars(select(Notification).where(Notification.kind == "payment_refused")).all()
    assert [row.org_id for row in told] == [scene.buyer.org.id]
    again = scene.open({scene.maker.org.id: ("production", 80_000)})
    assert again != checkout
    scene.pay(again)
    assert scene.checkout(again).state == "paid"


def test_a_buyer_who_comes_back_before_the_event_is_told_of_the_refusal(scene: Scene) -> None:
    checkout, page = _by_bank(scene)
    scene.control("POST", f"/checkout/{page}/settle", status="failed")
    with pytest.raises(Conflict, match="did not carry out"):
        url_for_checkout(scene.services, scene.buyer.actor, checkout)
    assert scene.checkout(checkout).state == "expired"


def test_the_sweep_asks_about_the_checkouts_it_asked_about_longest_ago(scene: Scene) -> None:
    for number in range(51):
        scene.open({scene.maker.org.id: ("production", 80_000)}, subject=f"ord_{number}")
    with unit_of_work(scene.services.engine, SYSTEM) as session:
        since = clock.now() - payment_jobs.SWEEP_AFTER * 2
        session.execute(update(Checkout).values(created_at=since, stripe_session_id="cs_" + Checkout.id))
    for left in (1, 0):
        scene.sweep()
        with Session(scene.services.engine) as session:
            assert len(session.scalars(select(Checkout.id).where(Checkout.checked_at.is_(None))).all()) == left


def test_what_is_not_paid_is_not_released_and_what_is_held_leaves_later(scene: Scene) -> None:
    """An early word uses up nothing: the release at its condition still comes."""
    scene.onboard(scene.designer)
    fee = {scene.designer.org.id: ("license_fee", 100_000)}
    checkout = scene.open(fee, purpose="license", subject="lic_1")
    refused = scene.buyer.api.post("/payments/lic_1/release")
    assert (refused.status_code, refused.json["code"]) == (409, "nothing_held")
    scene.run_jobs()
    scene.pay(checkout)
    assert scene.buyer.api.post("/payments/lic_1/release").json["code"] == "nothing_held"
    scene.release("license", "lic_1")
    assert scene.shares()[("license_fee", "whole")].state == "sent"


def test_the_buyer_releases_an_order_early_over_the_api(scene: Scene) -> None:
    scene.onboard(scene.maker)
    scene.paid()
    assert scene.buyer.api.post("/payments/ord_1/release").status_code == 200
    scene.settle()
    assert {share.state for share in scene.shares().values() if share.kind == "production"} == {"sent"}
    assert scene.buyer.api.post("/payments/ord_1/release").json["code"] == "nothing_held"


def test_a_checkout_that_is_being_booked_is_not_waited_for_by_who_would_replace_it(scene: Scene) -> None:
    """PAY-10: the booking locks the checkout, then its order; whoever opens another has locked the order already."""
    first = scene.open({scene.maker.org.id: ("production", 80_000)})
    with Session(scene.services.engine) as booking:
        lock(booking, Checkout, first)
        with pytest.raises(Conflict, match="just being booked"):
            scene.open({scene.maker.org.id: ("production", 90_000)})
    assert scene.open({scene.maker.org.id: ("production", 90_000)}) != first


def test_a_share_says_when_it_reached_the_bank_in_place_of_when_it_was_expected() -> None:
    """The first payout that arrived after it was sent, in its currency; none that failed."""
    at = clock.now()
    share = Transfer(id="trf_1", state="sent", currency="USD", sent_at=at)
    held = Transfer(id="trf_2", state="held", currency="USD")

    def payout(name: str, hours: int, status: str = "paid", currency: str = "USD") -> Payout:
        moment = at + timedelta(hours=hours)
        return Payout(id=name, status=status, currency=currency, created_at=moment, arrival_date=moment)

    made = [payout("later", 9), payout("right", 5), payout("failed", 2, "failed"), payout("other", 1, currency="EUR")]
    found = queries.arrivals([share, held], [*made, payout("before", -1)])
    assert {name: row.id for name, row in found.items()} == {"trf_1": "right"}
