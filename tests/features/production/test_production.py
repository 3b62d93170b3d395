"""Making and shipping with real photos and money: from the paid order to the released shares."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.orders.models import Order
from marketplace.payments.models import Transfer
from marketplace.production.models import StageEvent
from tests.features.orders.world import World

_SHORT = ("cad_review", "casting", "finishing", "polishing")


def _photo(shade: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (shade, 80, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


def _send(upload: dict[str, Any], data: bytes) -> None:
    answer = requests.post(upload["url"], data=upload["fields"], files={"file": data}, timeout=60)
    assert answer.status_code < 300, answer.text


def _evidence(world: World, order: Order, shade: int = 90) -> str:
    """A photo through the API, uploaded and completed."""
    data = _photo(shade)
    body = {
        "filename": "bench.jpg",
        "content_type": "image/jpeg",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    made = world.maker.api.post(f"/orders/{order.id}/assets", body)
    assert made.status_code == 201, made.json
    _send(made.json["upload"], data)
    done = world.maker.browser.post(f"/orders/{order.id}/evidence/{made.json['asset']}/complete")
    assert done.status_code == 202, done.get_data(as_text=True)
    return str(made.json["asset"])


def _stage(world: World, order: Order, stage: str, **more: Any) -> Any:
    return world.maker.api.post(f"/orders/{order.id}/stages", {"stage": stage, **more})


def _packed(world: World) -> Order:
    order = world.paid()
    for stage in _SHORT:
        assert _stage(world, order, stage).status_code == 201
    _evidence(world, order)
    assert _stage(world, order, "quality_control", note="All ten weighed").status_code == 201
    assert _stage(world, order, "packing").status_code == 201
    return order


def test_stages_go_from_review_to_packing_and_each_tells_the_other_side(
    world: World, run_jobs: Callable[[], Any], mails: Callable[..., list[dict[str, Any]]]
) -> None:
    order = world.paid()
    first = _stage(world, order, "cad_review", note="Prongs are thin but castable")
    assert (first.status_code, first.json["state"], first.json["whose_turn"]) == (201, "in_production", "maker")
    skipped = _stage(world, order, "polishing")
    assert (skipped.status_code, skipped.json["code"]) == (409, "stage_out_of_order")
    seen = world.buyer.api.get(f"/orders/{order.id}").json
    assert [(s["stage"], s["note"]) for s in seen["stages"]] == [("cad_review", "Prongs are thin but castable")]
    run_jobs()
    assert any("CAD review is done" in m["text"] for m in mails(world.buyer.user.email))


def test_photos_reach_the_other_sides_page_once_they_are_checked(world: World, run_jobs: Callable[[], Any]) -> None:
    order = world.paid()
    for stage in _SHORT:
        _stage(world, order, stage)
    asset = _evidence(world, order)
    row = world.maker.browser.get(f"/orders/{order.id}/evidence/{asset}").get_data(as_text=True)
    assert "every 2s" in row
    run_jobs()
    row = world.maker.browser.get(f"/orders/{order.id}/evidence/{asset}").get_data(as_text=True)
    assert "every 2s" not in row
    assert "<img" in row
    done = _stage(world, order, "quality_control")
    assert done.json["stages"][-1]["evidence"] == [asset]
    for person in (world.buyer, world.designer, world.manager):
        page = person.browser.get(f"/orders/{order.id}").get_data(as_text=True)
        assert 'class="shots"' in page
    assert world.buyer.browser.get(f"/orders/{order.id}/evidence/{asset}").status_code == 404


def test_a_photo_of_another_order_or_none_at_all_is_no_evidence(world: World) -> None:
    other, order = world.paid(5), world.paid(5)
    foreign = _evidence(world, other)
    for stage in _SHORT:
        _stage(world, order, stage)
    for evidence, code in (([foreign], "evidence_unknown"), ([], "photo_missing"), (None, "photo_missing")):
        answer = _stage(world, order, "quality_control", evidence=evidence)
        assert (answer.status_code, answer.json["code"]) == (422, code)
    assert world.get(Order, order.id).state == "in_production"


def test_the_bench_page_records_a_stage_without_a_script_and_speaks_chinese(world: World) -> None:
    order = world.paid()
    page = world.maker.browser.get(f"/orders/{order.id}/bench")
    text_ = page.get_data(as_text=True)
    assert page.status_code == 200
    assert 'capture="environment"' in text_
    assert 'value="cad_review"' in text_
    answer = world.maker.browser.post(f"/orders/{order.id}/stages", {"stage": "cad_review", "note": "可以铸造"})
    assert answer.status_code == 303
    wrong = world.maker.browser.post(f"/orders/{order.id}/stages", {"stage": "packing", "note": "keep me"})
    assert wrong.status_code == 409
    assert "keep me" in wrong.get_data(as_text=True)
    chinese = world.maker.browser.get(f"/orders/{order.id}/bench", headers={"Accept-Language": "zh-CN"})
    assert chinese.status_code == 200


def test_only_the_workshop_records_and_only_at_its_time(world: World) -> None:
    order = world.awarded()
    early = _stage(world, order, "cad_review")
    assert (early.status_code, early.json["code"]) == (409, "illegal_transition")
    body = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10, "sha256": "a" * 64}
    assert world.maker.api.post(f"/orders/{order.id}/assets", body).status_code == 409
    world.pay(order)
    for person, status in ((world.buyer, 403), (world.designer, 403), (world.manager, 403)):
        assert person.api.post(f"/orders/{order.id}/stages", {"stage": "cad_review"}).status_code == status
    assert world.make.person("manufacturer").api.post(f"/orders/{order.id}/stages", {}).status_code == 404


def test_pieces_leave_packed_once_and_the_designer_does_not_read_their_worth(world: World) -> None:
    order = world.paid()
    parcel = {"carrier": "Malca-Amit", "tracking": "MA 123", "declared_value": {"amount": 990_000, "currency": "USD"}}
    early = world.maker.api.post(f"/orders/{order.id}/shipments", parcel)
    assert early.status_code == 409
    order = _packed(world)
    sent = world.maker.api.post(f"/orders/{order.id}/shipments", parcel)
    assert (sent.status_code, sent.json["state"], sent.json["shipment"]["tracking"]) == (201, "shipped", "MA 123")
    assert world.maker.api.post(f"/orders/{order.id}/shipments", parcel).status_code == 409
    assert world.buyer.api.get(f"/orders/{order.id}").json["shipment"]["declared_value"]["amount"] == 990_000
    assert world.designer.api.get(f"/orders/{order.id}").json["shipment"]["declared_value"] is None
    assert "9,900.00" not in world.designer.browser.get(f"/orders/{order.id}").get_data(as_text=True)


def test_a_shipment_page_asks_again_beside_the_field(world: World) -> None:
    order = _packed(world)
    assert world.maker.browser.get(f"/orders/{order.id}/ship").status_code == 200
    wrong = world.maker.browser.post(
        f"/orders/{order.id}/shipments", {"carrier": "DHL", "tracking": "1", "declared": "a lot"}
    )
    assert wrong.status_code == 422
    assert 'id="f-declared-error"' in wrong.get_data(as_text=True)
    right = world.maker.browser.post(
        f"/orders/{order.id}/shipments", {"carrier": "DHL", "tracking": "1", "declared": "9,900.00"}
    )
    assert right.status_code == 303


def test_accepting_the_delivery_releases_the_shares_of_workshop_and_designer_once(
    world: World,
    sandbox_control: Callable[..., Any],
    deliver_events: Callable[..., list[int]],
    run_jobs: Callable[[], Any],
) -> None:
    order = world.awarded()
    url = world.buyer.api.post(f"/orders/{order.id}/checkout").json["url"]
    session_id = next(part for part in url.replace("?", "/").split("/") if part.startswith("cs_"))
    sandbox_control("POST", f"/checkout/{session_id}/pay")
    deliver_events("checkout.session.completed")
    run_jobs()
    for stage in _SHORT:
        _stage(world, order, stage)
    _evidence(world, order)
    _stage(world, order, "quality_control")
    _stage(world, order, "packing")
    world.maker.api.post(f"/orders/{order.id}/shipments", {"carrier": "Brink's", "tracking": "B1"})
    parts = {("production", 76_500), ("production", 178_500), ("royalty", 18_750)}
    assert _shares(world, order) == {(*part, "held") for part in parts}
    run_jobs()
    # The first stage has released the workshop's deposit; its account is not set up yet.
    assert _shares(world, order) == {(*part, "due" if part[1] == 76_500 else "held") for part in parts}
    assert world.maker.api.post(f"/orders/{order.id}/accept-delivery").status_code == 403
    page = world.buyer.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert "Accept the delivery" in page
    done = world.buyer.api.post(f"/orders/{order.id}/accept-delivery")
    assert (done.status_code, done.json["state"], done.json["whose_turn"]) == (200, "delivered", None)
    assert world.buyer.api.post(f"/orders/{order.id}/accept-delivery").status_code == 409
    run_jobs()
    assert _shares(world, order) == {(*part, "due") for part in parts}


def _shares(world: World, order: Order) -> set[tuple[str, int, str]]:
    with unit_of_work(world.services.engine, system("test")) as session:
        rows = session.scalars(select(Transfer).where(Transfer.subject_id == order.id))
        return {(row.kind, row.gross, row.state) for row in rows}


def test_what_was_recorded_cannot_be_rewritten(world: World) -> None:
    order = world.paid()
    _stage(world, order, "cad_review")
    for statement in ("update stage_events set note = 'other'", "delete from stage_events"):
        with pytest.raises(DBAPIError), unit_of_work(world.services.engine, system("test")) as session:
            session.execute(text(statement))
    with unit_of_work(world.services.engine, system("test")) as session:
        assert len(session.scalars(select(StageEvent)).all()) == 1


def test_the_order_page_stays_within_its_budget_for_every_party(
    world: World, count_statements: Callable[[], int]
) -> None:
    order = _packed(world)
    world.sign(order)
    world.copied_link(order)
    world.maker.api.post(f"/orders/{order.id}/shipments", {"carrier": "Brink's", "tracking": "B1"})
    taken = {}
    for who in ("buyer", "designer", "manager", "maker"):
        count_statements()
        assert getattr(world, who).browser.get(f"/orders/{order.id}").status_code == 200
        taken[who] = count_statements()
    # The ninth reads the numbers of the pieces.
    assert max(taken.values()) <= 9, taken
