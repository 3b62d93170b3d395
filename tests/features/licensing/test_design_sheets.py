"""What the offers for one design start from: its own term sheet, the studio's published one, or what is usual."""

from typing import Any

import pytest

from tests.features.licensing.conftest import Pair, sheet
from tests.kit.people import Make, Person


def kept(person: Person, name: str, **terms: Any) -> str:
    answer = person.api.post("/term-sheets", {"name": name, "terms": sheet(**terms)})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def form_of(pair: Pair) -> str:
    page = pair.buyer.browser.get(f"/negotiations/new?design={pair.design_id}", headers={"Accept-Language": "en"})
    return str(page.get_data(as_text=True))


@pytest.fixture
def usual(pair: Pair) -> str:
    """The studio's published sheet, of 36 months."""
    key = kept(pair.designer, "For all", term_months=36)
    assert pair.designer.api.post(f"/term-sheets/{key}/publish", {"published": True}).status_code == 200
    return key


def test_an_offer_starts_from_the_designs_own_sheet_before_the_published_one(pair: Pair, usual: str) -> None:
    assert 'value="36"' in form_of(pair)
    own = kept(pair.designer, "Secret name", term_months=7, credit="Onda by Maya")
    part = pair.designer.browser.get(f"/term-sheets/for/{pair.design_id}").get_data(as_text=True)
    assert "None of its own: For all" in part
    sent = pair.designer.browser.post(f"/term-sheets/for/{pair.design_id}", {"sheet": own})
    assert sent.headers["Location"].startswith(f"/designs/{pair.design_id}")
    page = form_of(pair)
    assert 'value="7"' in page
    assert 'value="Onda by Maya"' in page
    assert "Secret name" not in page
    told = pair.designer.api.get(f"/designs/{pair.design_id}/term-sheet").get_json()
    assert (told["own"], told["sheet"]["id"]) == (True, own)
    assert "1 design starts here" in pair.designer.browser.get("/term-sheets").get_data(as_text=True)
    assert f"/term-sheets/for/{pair.design_id}" in pair.designer.browser.get(f"/designs/{pair.design_id}").get_data(
        as_text=True
    )


def test_without_its_sheet_a_design_goes_back_to_the_published_one(pair: Pair, usual: str) -> None:
    own = kept(pair.designer, "Own", term_months=7)
    path = f"/designs/{pair.design_id}/term-sheet"
    assert pair.designer.api.request("PUT", path, {"sheet": own}).get_json()["own"] is True
    pair.designer.browser.post(f"/term-sheets/{own}/delete", {})
    assert pair.designer.api.get(path).get_json()["sheet"]["id"] == usual
    assert 'value="36"' in form_of(pair)
    pair.designer.browser.post(f"/term-sheets/{own}/restore", {})
    assert 'value="7"' in form_of(pair)
    assert pair.designer.api.request("PUT", path, {"sheet": None}).get_json()["own"] is False
    assert 'value="36"' in form_of(pair)


def test_only_the_studios_own_living_sheets_can_be_chosen(pair: Pair, make: Make) -> None:
    stranger = make.person("designer")
    theirs, gone = kept(stranger, "Theirs"), kept(pair.designer, "Gone")
    pair.designer.browser.post(f"/term-sheets/{gone}/delete", {})
    for key in (theirs, gone, "tsh_nothing"):
        path = f"/designs/{pair.design_id}/term-sheet"
        assert pair.designer.api.request("PUT", path, {"sheet": key}).status_code == 422
        page = pair.designer.browser.post(f"/term-sheets/for/{pair.design_id}", {"sheet": key})
        assert page.status_code == 422
        assert "Choose one of your term sheets." in page.get_data(as_text=True)
    for person in (stranger, pair.buyer):
        assert person.browser.get(f"/term-sheets/for/{pair.design_id}").status_code in {403, 404}
    own = kept(stranger, "Own")
    assert stranger.api.request("PUT", f"/designs/{pair.design_id}/term-sheet", {"sheet": own}).status_code == 404
