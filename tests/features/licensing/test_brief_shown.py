"""One function weighs a brief: the page, the API, the mail and the document show its very numbers (NEG-12)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design, Fact
from marketplace.kernel.actor import system
from marketplace.licensing.models import License
from marketplace.orders.briefs import brief_of, document
from marketplace.orders.models import Order
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.test_brief import FACTS, METAL, PIN

BRIEF = [METAL, {"kind": "ring_size", "to": "US 8"}, PIN]


@pytest.fixture
def weighed(pair: Pair, services: Services) -> Pair:
    """The design has been measured, and its studio has set prices of metal."""
    with unit_of_work(services.engine, system("test")) as session:
        for fact in FACTS:
            band = {key: fact[key] for key in ("low", "high") if key in fact}
            session.add(
                Fact(design_id=pair.design_id, name=fact["name"], value=fact["value"], source="measured", measured=band)
            )
        session.get_one(Design, pair.design_id).details = {"metals": ["18k_yellow"]}
    prices = {"currency": "USD", "prices": {"18k_yellow": 9_871, "platinum_950_ru": 3_333}}
    assert pair.designer.api.request("PUT", "/metal-prices", prices).status_code == 200
    return pair


def test_page_api_mail_and_document_show_the_same_grams_and_price_NEG_12(
    weighed: Pair, services: Services, mails: Callable[..., Any], run_jobs: Callable[..., Any]
) -> None:
    opened = weighed.open(derivatives="adapt", brief=BRIEF)
    told = weighed.buyer.api.get(f"/negotiations/{opened['id']}/brief").get_json()
    low, high = told["grams_after"]
    cheap, dear = (item["amount"] for item in told["price_change"])
    change = [f"+{float(grams) - 12.44:.2f}" for grams in (low, high)]
    page = weighed.designer.browser.get(f"/negotiations/{opened['id']}").get_data(as_text=True)
    for number in (*change, low, high):
        assert number in page
    shown = [f"{abs(amount) // 100}.{abs(amount) % 100:02d}" for amount in (cheap, dear)]
    for number in shown:
        assert f"${number}" in page.replace(",", "")
    run_jobs()
    mail = mails(weighed.designer.user.email)[-1]
    text = json.dumps(mail, ensure_ascii=False)
    for number in (*change, *shown):
        assert number in text
    assert weighed.designer.api.post(f"/negotiations/{opened['id']}/accept", {"version": 1}).status_code == 200
    with unit_of_work(services.engine, system("test")) as session:
        held = session.scalars(select(License)).one()
        snapshot = json.loads(json.dumps(held.terms))
        order = Order(
            id="ord_x", design_title="Onda ring", quantity=1, lines=[{"quantity": 1, "metal": "platinum_950_ru"}],
            spec={"facts": FACTS, "brief": snapshot["brief"], "metals": ["18k_yellow"]},
        )  # fmt: skip
    with weighed.buyer.browser.client.application.test_request_context("/"):
        values = json.dumps(document(order, "Touchstone"), ensure_ascii=False)
        brief = brief_of(order.spec)
    assert brief is not None
    for number in (*change, low, high):
        assert number in values
    assert "$" not in values, "a workshop learns no price of the studio"


def test_a_form_takes_changes_one_by_one_and_gives_them_back_without_a_script(weighed: Pair) -> None:
    browser, start = weighed.buyer.browser, f"/negotiations/new?design={weighed.design_id}"
    assert 'name="b0-to"' in browser.get(start).get_data(as_text=True)
    form = {
        **{"design": weighed.design_id, "kind": "non_exclusive", "where": "countries", "territories": ["DE"]},
        **{"fee": "900", "fee_currency": "USD", "term_months": "12", "derivatives": "none"},
        **{"b0-kind": "metal", "b0-from": "18k_yellow", "b0-to": "18k_rose", "b1-kind": "ring_size", "b1-to": ""},
    }
    more = browser.post("/negotiations", {**form, "brief-add": "edit"})
    assert more.status_code == 200
    page = more.get_data(as_text=True)
    assert 'name="b2-note"' in page
    assert 'value="900"' in page, "nothing that was typed is lost"
    form |= {"b2-kind": "edit", "b2-body": "shank", "b2-note": "Thinner by a third", "b2-point": "0,8.5,1.25"}
    refused = browser.post("/negotiations", form)
    assert refused.status_code == 422
    assert 'name="derivatives" value="adapt"' in refused.get_data(as_text=True)
    less = browser.post("/negotiations", {**form, "brief-drop": "2"}).get_data(as_text=True)
    assert "Thinner by a third" not in less
    bad = browser.post("/negotiations", {**form, "b2-point": "0,8.5"})
    assert bad.status_code == 422
    assert "#f-b2-point" in bad.get_data(as_text=True)
    sent = browser.post("/negotiations", {**form, "derivatives": "adapt"})
    assert sent.status_code == 303, sent.get_data(as_text=True)
    thread = sent.location.rpartition("/")[2]
    brief = weighed.buyer.api.get(f"/negotiations/{thread}").get_json()["versions"][0]["terms"]["brief"]
    assert brief == [
        {"kind": "metal", "from": "18k_yellow", "to": "18k_rose"},
        {"kind": "edit", "note": "Thinner by a third", "body": "shank", "point": [0, 8.5, 1.25]},
    ]
    counter = weighed.designer.browser.get(f"/negotiations/{thread}/counter").get_data(as_text=True)
    assert "Thinner by a third" in counter
    assert 'value="0,8.5,1.25"' in counter
