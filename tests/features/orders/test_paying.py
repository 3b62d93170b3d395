"""What a browser says about a payment counts for nothing: the terms say how much, the payment service says whether."""

from sqlalchemy import text

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.licensing.models import License
from marketplace.orders.models import Order
from tests.features.orders.world import World

#: Fields that somebody adds to the form.
TAMPERED = {
    **{"amount": "1", "total": "1", "fee": "1", "fee_amount": "1", "currency": "JPY", "quantity": "1"},
    **{"unit_price": "0.01", "fee_bps": "0", "royalty_percent": "0", "splits": "[]"},
}


def asked(world: World) -> tuple[int, str, int]:
    """Amount, currency and our fee's rate of the only checkout."""
    with unit_of_work(world.services.engine, system("test")) as session:
        found = session.execute(text("select amount, currency, fee_bps from checkouts")).one()
    return found.amount, found.currency, found.fee_bps


def test_pay_08_and_09_of_an_order(world: World) -> None:
    order = world.awarded(3)
    answer = world.buyer.browser.post(f"/orders/{order.id}/checkout", TAMPERED)
    assert answer.status_code == 303
    # 3 x 250.00 and 50.00 for tooling; 7.5 percent of the pieces.
    assert asked(world) == (80_000 + 5_625, "USD", 1_000)
    for claim in ("?paid=1", "?paid=1&payment_status=paid&session_id=cs_x"):
        assert world.buyer.browser.get(f"/orders/{order.id}{claim}").status_code == 200
    row = world.get(Order, order.id)
    assert (row.state, row.paid_at) == ("awarded", None)


def test_pay_08_and_09_of_a_license_fee(world: World) -> None:
    world.change(License, world.license.id, state="to_pay", active_from=None)
    answer = world.buyer.browser.post(f"/licenses/{world.license.id}/checkout", TAMPERED)
    assert answer.status_code == 303
    assert asked(world) == (100_000, "USD", 1_000)
    assert world.buyer.browser.get(f"/licenses/{world.license.id}?paid=1").status_code == 200
    assert world.get(License, world.license.id).state == "to_pay"
