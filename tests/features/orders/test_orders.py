"""Orders from placing to payment, through pages and the API, with real services."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict
from marketplace.licensing.models import License
from marketplace.orders import closing
from marketplace.orders.models import Order, Quote, Rfq
from tests.features.orders.world import SHIP_TO, World, build
from tests.kit.people import Make

_ADDRESS = {**SHIP_TO, "line2": "", "region": "", "postal_code": "EC1", "phone": ""}


def _body(quantity: Any = 3, metal: str = "18k_yellow") -> dict[str, Any]:
    return {"lines": [{"quantity": quantity, "metal": metal, "ring_size": "US 6"}], "ship_to": SHIP_TO}


def test_the_buyer_orders_through_the_page_and_the_manager_and_designer_are_told(
    world: World, mails: Callable[..., list[dict[str, Any]]], run_jobs: Callable[[], Any]
) -> None:
    page = world.buyer.browser.get(f"/orders/new/{world.license.id}")
    assert page.status_code == 200
    form = {**_ADDRESS, "quantity": ["4", "", "2"], "metal": ["18k_yellow", "sterling", "sterling"]}
    answer = world.buyer.browser.post(f"/orders/new/{world.license.id}", form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    listed = world.buyer.api.get("/orders").json["items"]
    assert [(o["quantity"], o["state"], o["whose_turn"]) for o in listed] == [(6, "placed", "manager")]
    run_jobs()
    told = {m["to"][0] if isinstance(m["to"], list) else m["to"] for m in mails()}
    assert {world.manager.user.email, world.designer.user.email} <= told


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "3", 10**9])
def test_a_senseless_quantity_is_refused_and_nothing_is_ordered(world: World, quantity: Any) -> None:
    answer = world.buyer.api.post(f"/licenses/{world.license.id}/orders", _body(quantity))
    assert answer.status_code == 422
    assert world.buyer.api.get("/orders").json["items"] == []


@pytest.mark.parametrize("typed", ["0", "-1", "1e3", "١٢", "1,00", "NaN", "1000000", "9" * 4_301])
def test_pay_25_a_senseless_quantity_on_the_page_keeps_what_was_typed(world: World, typed: str) -> None:
    form = {**_ADDRESS, "quantity": [typed], "metal": ["18k_yellow"], "engraving": ["for ever"]}
    answer = world.buyer.browser.post(f"/orders/new/{world.license.id}", form)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "9 Secret Street" in text
    assert "for ever" in text


def test_a_metal_the_license_does_not_name_is_refused(world: World) -> None:
    answer = world.buyer.api.post(f"/licenses/{world.license.id}/orders", _body(metal="platinum_950_ru"))
    assert (answer.status_code, answer.json["code"]) == (422, "metal_not_licensed")


def test_the_license_limits_the_pieces_of_all_its_orders_and_canceled_ones_give_theirs_back(world: World) -> None:
    first = world.place(60)
    answer = world.buyer.api.post(f"/licenses/{world.license.id}/orders", _body(41))
    assert (answer.status_code, answer.json["code"], answer.json["units_left"]) == (409, "units_exceeded", 40)
    assert world.buyer.api.post(f"/orders/{first.id}/cancel").status_code == 200
    assert world.buyer.api.post(f"/licenses/{world.license.id}/orders", _body(100)).status_code == 201


def test_nothing_is_ordered_under_a_license_that_is_not_in_force(world: World) -> None:
    world.change(License, world.license.id, state="to_pay", active_from=None)
    answer = world.buyer.api.post(f"/licenses/{world.license.id}/orders", _body())
    assert (answer.status_code, answer.json["code"]) == (409, "license_not_active")


def test_the_designer_and_strangers_cannot_order(world: World) -> None:
    assert world.designer.api.post(f"/licenses/{world.license.id}/orders", _body()).status_code == 403
    other = world.make.person("buyer")
    assert other.api.post(f"/licenses/{world.license.id}/orders", _body()).status_code == 404


def test_the_license_pins_the_cad_and_its_hash_in_the_order(world: World) -> None:
    order = world.place()
    assert [(pin["asset_id"], pin["sha256"]) for pin in order.cad] == [(world.cad.id, world.cad.sha256)]


def test_only_vetted_workshops_can_be_asked_and_nobody_twice(world: World) -> None:
    order = world.place()
    pending = world.make.person("manufacturer", approved=False)
    refused = world.manager.api.post(f"/orders/{order.id}/rfqs", {"manufacturers": [pending.org.id]})
    assert (refused.status_code, refused.json["code"]) == (422, "manufacturer_unknown")
    made = world.manager.api.post(f"/orders/{order.id}/rfqs", {"manufacturers": [world.maker.org.id]})
    assert (made.status_code, made.json["state"], len(made.json["items"])) == (201, "quoting", 1)
    again = world.manager.api.post(f"/orders/{order.id}/rfqs", {"manufacturers": [world.maker.org.id]})
    assert again.json["items"] == []


def test_a_workshop_sees_the_specification_without_cad_address_or_names(world: World) -> None:
    order = world.place()
    rfq = world.ask(order)[0]
    page = world.maker.browser.get(f"/requests/{rfq.id}").get_data(as_text=True)
    data = world.maker.api.get(f"/rfqs/{rfq.id}").get_data(as_text=True)
    for text in (page, data):
        assert "Meridian ring" in text
        assert "meridian ring.stl" in text
        for secret in ("Secret Street", "Maison Vault", world.buyer.org.name, world.cad.id, world.cad.sha256):
            assert secret not in text
    assert world.maker.api.get(f"/orders/{order.id}").status_code == 404
    assert world.maker.browser.get("/requests").status_code == 200


def test_a_workshop_sees_what_its_own_limits_say_and_nobody_else_does(world: World) -> None:
    rfq = world.ask(world.place())[0]
    facts = [
        {"name": "volume", "value": 380.0, "unit": "mm3", "source": "measured"},
        {"name": "wall_min", "value": 1.4, "unit": "mm", "source": "measured"},
    ]
    world.change(Rfq, rfq.id, spec={**rfq.spec, "facts": facts})
    before = world.maker.browser.get(f"/requests/{rfq.id}").get_data(as_text=True)
    assert "By your own rules" in before
    assert "1.4 mm thick here" not in before
    wall = next(rule for rule in world.maker.api.get("/materials").json["rules"] if rule["measure"] == "wall_min")
    world.maker.api.request("PUT", f"/materials/{wall['id']}", {"value": 1.8})
    after = world.maker.browser.get(f"/requests/{rfq.id}").get_data(as_text=True)
    assert "1.4 mm thick here; 1.8 mm is the least" in after
    assert "own limit" in after
    manager = world.manager.browser.get(f"/requests/{rfq.id}").get_data(as_text=True)
    assert "By your own rules" not in manager


def test_a_quote_can_be_replaced_until_the_award_and_the_old_one_cannot_win(world: World) -> None:
    order = world.place()
    rfq = world.ask(order)[0]
    old = world.quote(rfq, unit_price=20_000)
    form = {"unit_price": "310.00", "tooling": "50", "lead_days": "20", "note": "", "unit_price_currency": "USD"}
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    assert world.maker.browser.post(f"/requests/{rfq.id}/quotes", {**form, "valid_until": tomorrow}).status_code == 303
    stale = world.manager.api.post(f"/orders/{order.id}/award", {"quote": old.id})
    assert (stale.status_code, stale.json["code"]) == (409, "quote_replaced")
    [shown] = world.manager.api.get(f"/orders/{order.id}/rfqs").json["items"]
    assert shown["quote"]["unit_price"] == {"amount": 31_000, "currency": "USD"}
    won = world.manager.api.post(f"/orders/{order.id}/award", {"quote": shown["quote"]["id"]})
    assert (won.status_code, won.json["state"]) == (200, "awarded")
    late = world.maker.browser.post(f"/requests/{rfq.id}/quotes", {**form, "valid_until": tomorrow})
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unit_price": "-1"}, "unit_price"),
        ({"unit_price": "0"}, "unit_price"),
        ({"unit_price": "1.234"}, "unit_price"),
        ({"lead_days": "0"}, "lead_days"),
        ({"valid_until": "2020-01-01"}, "valid_until"),
        ({"valid_until": "soon"}, "valid_until"),
    ],
)
def test_an_impossible_quote_is_refused_beside_its_field(world: World, change: dict[str, str], field: str) -> None:
    rfq = world.ask(world.place())[0]
    form = {"unit_price": "250", "tooling": "0", "lead_days": "20", "valid_until": "2099-01-01", **change}
    answer = world.maker.browser.post(f"/requests/{rfq.id}/quotes", form)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.get_data(as_text=True)


def test_an_expired_quote_cannot_win_even_before_the_clock_job_has_seen_it(world: World) -> None:
    order = world.place()
    quote = world.quote(world.ask(order)[0], days=1)
    with clock.frozen(datetime.now(UTC) + timedelta(days=3)):
        answer = world.manager.api.post(f"/orders/{order.id}/award", {"quote": quote.id})
    assert answer.status_code == 401  # the token has expired as well: ask the operation itself
    with clock.frozen(datetime.now(UTC) + timedelta(days=3)), pytest.raises(Conflict) as caught:
        world.award(order, quote)
    assert caught.value.code == "quote_expired"


def test_quotes_lapse_by_the_clock_and_can_be_renewed(world: World) -> None:
    order = world.place()
    rfq = world.ask(order)[0]
    quote = world.quote(rfq, days=1)
    with clock.frozen(datetime.now(UTC) + timedelta(days=3)):
        for expected in (1, 0):
            with unit_of_work(world.services.engine, system("test")) as session:
                assert closing.expire_quotes(session, system("test")) == expected
        renewed = world.quote(rfq, days=5)
    assert world.get(Quote, quote.id).state == "replaced"
    assert (world.get(Rfq, rfq.id).state, renewed.state) == ("quoted", "open")


def test_the_award_sets_the_figures_and_closes_the_other_requests(world: World) -> None:
    second = world.make.person("manufacturer")
    order = world.place(10)
    mine, other = sorted(world.ask(order, world.maker, second), key=lambda r: r.maker_org_id != world.maker.org.id)
    quote = world.quote(mine)
    world.quote(other, second, unit_price=30_000)
    awarded = world.award(order, quote)
    assert (awarded.production_amount, awarded.royalty_amount, awarded.total_amount) == (255_000, 18_750, 273_750)
    assert world.get(Rfq, other.id).state == "lost"
    assert second.api.get(f"/orders/{order.id}").status_code == 404


def test_each_party_finds_only_its_fields_on_the_page_and_in_the_api(world: World) -> None:
    order = world.paid()
    secrets = {
        "royalty": "187.50",
        "total": "2,737.50",
        "production": "2,550.00",
        "address": "Secret Street",
        "buyer": world.buyer.org.name,
    }
    seen = {
        "buyer": {"royalty", "total", "production", "address", "buyer"},
        "designer": {"royalty", "buyer"},
        "manager": {"production", "address", "buyer"},
        "maker": {"production", "address"},
    }
    numbers = {"royalty": "18750", "total": "273750", "production": "255000"}
    for who, fields in seen.items():
        person = getattr(world, who)
        answer = person.browser.get(f"/orders/{order.id}")
        page = answer.get_data(as_text=True)
        data = person.api.get(f"/orders/{order.id}").get_data(as_text=True)
        assert answer.status_code == 200
        found = {name for name, text in secrets.items() if text in page}
        assert found == fields, who
        found = {name for name, text in secrets.items() if numbers.get(name, text) in data}
        assert found == fields, who


def test_the_workshop_gets_no_address_before_the_payment(world: World) -> None:
    order = world.awarded()
    assert "Secret Street" not in world.maker.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert "ship_to" not in world.maker.api.get(f"/orders/{order.id}").get_data(as_text=True)
    world.pay(order)
    assert world.maker.api.get(f"/orders/{order.id}").json["ship_to"]["line1"] == "9 Secret Street"


def test_an_order_names_the_buyer_to_the_designer(world: World) -> None:
    order = world.place()
    assert world.buyer.org.name in world.designer.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert world.designer.api.get(f"/orders/{order.id}").json["buyer"]["name"] == world.buyer.org.name


def test_a_stranger_of_any_role_finds_nothing(world: World) -> None:
    order = world.paid()
    for role in ("designer", "buyer", "manufacturer", "production_manager"):
        person = world.make.person(role)
        assert person.api.get(f"/orders/{order.id}").status_code == 404
        assert person.browser.get(f"/orders/{order.id}").status_code == 404
        assert person.api.get("/orders").json["items"] == []


def test_the_buyer_pays_by_checkout_and_the_webhook_alone_marks_it_paid(
    world: World,
    sandbox_control: Callable[..., Any],
    deliver_events: Callable[..., list[int]],
    run_jobs: Callable[[], Any],
) -> None:
    order = world.awarded()
    url = world.buyer.api.post(f"/orders/{order.id}/checkout").json["url"]
    assert world.buyer.api.post(f"/orders/{order.id}/checkout").json["url"] == url
    assert world.buyer.browser.post(f"/orders/{order.id}/checkout").headers["Location"] == url
    blocked = world.manager.api.post(f"/orders/{order.id}/cancel")
    assert (blocked.status_code, blocked.json["code"]) == (409, "payment_under_way")
    assert requests.get(url, timeout=60).status_code == 200
    assert world.get(Order, order.id).state == "awarded"
    session_id = next(part for part in url.replace("?", "/").split("/") if part.startswith("cs_"))
    sandbox_control("POST", f"/checkout/{session_id}/pay")
    for _ in range(2):
        deliver_events("checkout.session.completed")
        run_jobs()
    assert world.get(Order, order.id).state == "paid"
    again = world.buyer.api.post(f"/orders/{order.id}/checkout")
    assert again.status_code == 409


def test_a_payment_page_that_expired_keeps_nobody_from_canceling(
    world: World,
    sandbox_control: Callable[..., Any],
    deliver_events: Callable[..., list[int]],
    run_jobs: Callable[[], Any],
) -> None:
    order = world.awarded()
    url = world.buyer.api.post(f"/orders/{order.id}/checkout").json["url"]
    assert world.manager.api.post(f"/orders/{order.id}/cancel").status_code == 409
    page = next(part for part in url.replace("?", "/").split("/") if part.startswith("cs_"))
    sandbox_control("POST", f"/checkout/{page}/expire")
    deliver_events("checkout.session.expired")
    run_jobs()
    assert world.manager.api.post(f"/orders/{order.id}/cancel").status_code == 200


def test_only_buyer_and_manager_cancel_and_only_before_payment(world: World, run_jobs: Callable[[], Any]) -> None:
    order = world.place()
    rfq = world.ask(order)[0]
    world.quote(rfq)
    assert world.designer.api.post(f"/orders/{order.id}/cancel").status_code == 403
    assert world.manager.api.post(f"/orders/{order.id}/cancel", {"reason": "No gold"}).status_code == 200
    run_jobs()
    assert world.get(Rfq, rfq.id).state == "lost"
    paid = world.paid()
    refused = world.buyer.api.post(f"/orders/{paid.id}/cancel")
    assert (refused.status_code, refused.json["code"]) == (409, "illegal_transition")


def test_lists_page_by_cursor_filter_by_turn_and_stay_within_their_budget(
    world: World, count_statements: Callable[[], int]
) -> None:
    orders = [world.place(1) for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = world.buyer.api.get(f"/orders?limit=2&cursor={cursor}").json
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    assert sorted(seen) == sorted(o.id for o in orders)
    assert len(world.manager.api.get("/orders?show=waiting").json["items"]) == 5
    assert world.buyer.api.get("/orders?show=waiting").json["items"] == []
    for person in (world.buyer, world.designer, world.manager, world.maker):
        count_statements()
        assert person.browser.get("/orders").status_code == 200
        assert count_statements() <= 5
    rfqs = [world.ask(order)[0] for order in orders]
    for rfq in rfqs:
        world.quote(rfq)
    count_statements()
    assert world.maker.browser.get("/requests").status_code == 200
    assert count_statements() <= 5


def test_a_license_without_limits_takes_any_alloy(make: Make, services: Any) -> None:
    world = build(make, services, max_units=None, metals=[])
    assert world.place(5_000, metal="platinum_950_ru").quantity == 5_000


def test_the_managers_pages_work_without_a_script(world: World) -> None:
    order = world.place()
    assert world.maker.org.name in world.manager.browser.get(f"/orders/{order.id}/makers").get_data(as_text=True)
    nobody = world.manager.browser.post(f"/orders/{order.id}/makers", {})
    assert nobody.status_code == 422
    asked = world.manager.browser.post(f"/orders/{order.id}/makers", {"makers": [world.maker.org.id]})
    assert asked.status_code == 303
    rfq = world.manager.api.get(f"/orders/{order.id}/rfqs").json["items"][0]
    quote = world.quote(world.get(Rfq, rfq["id"]))
    compared = world.manager.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert "$2,550.00" in compared
    assert world.manager.browser.post(f"/orders/{order.id}/award", {"quote": quote.id}).status_code == 303
    assert world.manager.browser.post(f"/orders/{order.id}/award", {"quote": quote.id}).status_code == 409
