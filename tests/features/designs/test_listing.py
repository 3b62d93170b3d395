"""Creating, editing, listing, removing; facts; the pages of all that."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.designs import queries
from marketplace.kernel import clock
from tests.kit.files import band_stl, photo, send
from tests.kit.people import Make, Person

WORDS = "A plain band of rectangular section, made to be worn every day."


def complete_design(person: Person, read_files: Any) -> str:
    body = {
        "title": "Plain band",
        "category": "ring",
        "description": WORDS,
        "metadata": {"metals": ["18k_yellow", "sterling"], "stones": ["diamond"], "ring_sizes": ["US 7"]},
        "list_price": {"amount": 250000, "currency": "USD"},
    }
    answer = person.api.post("/designs", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    design_id = str(answer.json["id"])
    send(person, design_id, photo())
    send(person, design_id, band_stl())
    read_files()
    return design_id


def test_a_bare_draft_cannot_be_listed_and_the_checklist_says_why(make: Make, session: Session) -> None:
    person = make.person("designer")
    design_id = person.api.post("/designs", {"title": "Bare"}).json["id"]
    answer = person.api.post(f"/designs/{design_id}/list")
    assert (answer.status_code, answer.json["code"]) == (409, "not_listable")
    missing = {c["code"] for c in answer.json["checklist"] if c["blocking"] and not c["done"]}
    assert missing == {"category", "description", "picture", "cad", "price"}
    assert session.scalar(text("select state from designs")) == "draft"
    page = person.browser.get(f"/designs/{design_id}")
    refused = person.browser.post(f"/designs/{design_id}/list")
    assert page.status_code == 200
    assert refused.status_code == 409
    assert "Some things are still missing" in refused.get_data(as_text=True)


def test_listing_removing_and_listing_again(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = complete_design(person, read_files)
    listed = person.api.post(f"/designs/{design_id}/list")
    assert listed.status_code == 200, listed.get_data(as_text=True)
    assert listed.json["status"] == "listed"
    twice = person.api.post(f"/designs/{design_id}/list")
    assert (twice.status_code, twice.json["code"]) == (409, "illegal_transition")
    removed = person.api.post(f"/designs/{design_id}/unlist").json
    assert removed["status"] == "removed"
    assert removed["purge_after"] is not None
    assert person.api.post(f"/designs/{design_id}/list").json["status"] == "listed"
    person.api.post(f"/designs/{design_id}/unlist")
    with clock.frozen(clock.now() + timedelta(days=91)):
        session.execute(text("update api_tokens set expires_at = now() + interval '200 days'"))
        session.commit()
        late = person.api.post(f"/designs/{design_id}/list")
    assert (late.status_code, late.json["code"]) == (409, "files_purged")
    actions = session.scalars(
        text("select action from audit_events where subject = :id order by id"), {"id": design_id}
    )
    assert [a for a in actions if a.startswith("design.")] == [
        "design.created", "design.listed", "design.unlisted", "design.listed", "design.unlisted",
    ]  # fmt: skip


def test_a_listed_design_keeps_what_listing_needs(make: Make, read_files: Any) -> None:
    person = make.person("designer")
    design_id = complete_design(person, read_files)
    person.api.post(f"/designs/{design_id}/list")
    shorter = person.api.patch(f"/designs/{design_id}", {"description": "too short"})
    assert (shorter.status_code, shorter.json["code"]) == (409, "listed_incomplete")
    free = person.api.patch(f"/designs/{design_id}", {"list_price": None})
    assert free.status_code == 409
    assets = person.api.get(f"/designs/{design_id}").json["assets"]
    for asset in assets:
        assert person.api.request("DELETE", f"/assets/{asset['id']}").status_code == 409
    assert person.api.patch(f"/designs/{design_id}", {"title": "Band"}).status_code == 200


def test_a_listed_design_shows_pictures_and_pins_but_no_cad_to_others(make: Make, read_files: Any, app: Any) -> None:
    person = make.person("designer")
    design_id = complete_design(person, read_files)
    person.api.post(f"/designs/{design_id}/list")
    with app.extensions["services"].engine.connect() as connection:
        connection.execute(text("select set_config('app.org', 'org_other', true)"))
        assert connection.scalars(text("select kind from assets")).all() == ["photo"]
        assert connection.scalar(text("select count(*) from derivatives where view = 'photo'")) > 0
        assert connection.scalar(text("select count(*) from facts")) > 10
        assert connection.scalar(text("select jsonb_array_length(cad_pins) from designs")) == 1
        changed = connection.execute(text("update designs set title = 'mine'")).rowcount
        assert changed == 0
        connection.rollback()


def test_cards_and_snapshot_for_other_features(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = complete_design(person, read_files)
    card = queries.cards(session, [design_id, "dsn_nothing"], lambda key: f"signed:{key}")[design_id]
    assert (card.title, card.org_name, card.category, card.state) == ("Plain band", person.org.name, "ring", "draft")
    assert card.image_url is None  # unlisted, and nobody of its studio is looking
    assert card.weight_18k_g == pytest.approx(5.91, abs=0.2)
    frozen = queries.snapshot(session, design_id)
    assert len(frozen["cad"]) == 1
    assert len(frozen["cad"][0]["sha256"]) == 64
    assert any(f["name"] == "weight_18k_yellow" for f in frozen["facts"])
    steps = queries.next_steps(session, person.org.id)
    assert (steps.drafts, steps.listed, steps.rejected_files) == (1, 0, 0)


def test_a_change_on_top_of_somebody_elses_is_refused(make: Make) -> None:
    person = make.person("designer")
    made = person.api.post("/designs", {"title": "Band"}).json
    first = person.api.patch(f"/designs/{made['id']}", {"title": "Band A", "version": made["version"]})
    second = person.api.patch(f"/designs/{made['id']}", {"title": "Band B", "version": made["version"]})
    assert first.status_code == 200
    assert (second.status_code, second.json["code"]) == (409, "stale_version")


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"title": "Ring", "category": "spoon"},
        {"title": "Ring", "list_price": {"amount": -1, "currency": "USD"}},
        {"title": "Ring", "list_price": {"amount": 100, "currency": "XXX"}},
        {"title": "Ring", "metadata": {"metals": "gold"}},
        {"title": "Ring", "metadata": {"more": ["x" * 400] * 40}},
        {"title": "Ring\x00"},
    ],
)
def test_bad_input_is_refused_and_changes_nothing(make: Make, session: Session, body: dict[str, Any]) -> None:
    person = make.person("designer")
    assert person.api.post("/designs", body).status_code == 422
    assert session.scalar(text("select count(*) from designs")) == 0


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(make: Make, session: Session) -> None:
    person = make.person("designer")
    form = {"title": "Halo", "category": "ring", "list_price": "-5", "stones": "Ruby, 红宝石", "metals": "18k_yellow"}
    refused = person.browser.post("/designs", form)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "Halo" in page
    assert "红宝石" in page
    assert session.scalar(text("select count(*) from designs")) == 0
    made = person.browser.post("/designs", {**form, "list_price": "2,500.00"})
    assert made.status_code == 303
    row = session.execute(text("select list_price_amount, metadata, search from designs")).one()
    assert row.list_price_amount == 250000
    assert row.metadata["stones"] == ["ruby", "红宝石"]
    assert "宝石" in row.search
    assert "Halo" in person.browser.get("/designs?q=宝石").get_data(as_text=True)
    assert "Nothing matches" in person.browser.get("/designs?q=emerald").get_data(as_text=True)


def test_facts_are_confirmed_corrected_and_taken_back(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = complete_design(person, read_files)
    url = f"/designs/{design_id}/facts"
    confirmed = person.api.patch(f"{url}/ring_size_us", {"confirmed": True}).json
    assert (confirmed["source"], confirmed["confirmed_by"]) == ("measured", person.user.id)
    stated = person.api.patch(f"{url}/weight_18k_yellow", {"value": 6.25}).json
    assert (stated["value"], stated["source"], stated["unit"]) == (6.25, "human", "g")
    send(person, design_id, band_stl(inner_mm=18.14, name="band-8.stl"))
    read_files()
    facts = {f["name"]: f for f in person.api.get(f"/designs/{design_id}").json["facts"]}
    assert facts["weight_18k_yellow"]["value"] == 6.25
    assert facts["ring_size_us"]["confirmed_by"] is None
    back = person.api.patch(f"{url}/weight_18k_yellow", {"confirmed": False}).json
    assert back["source"] == "measured"
    assert back["value"] == pytest.approx(6.15, abs=0.3)
    for name, body, status in (
        ("weight_18k_yellow", {"value": "heavy"}, 422),
        ("weight_18k_yellow", {"value": -1}, 422),
        ("watertight", {"value": 3}, 422),
        ("no_such_fact", {}, 404),
        ("Bad-Name!", {"value": 1}, 404),
    ):
        assert person.api.patch(f"{url}/{name}", body).status_code == status, name
    assert person.api.patch(f"{url}/chain_length", {"value": 45, "unit": "cm"}).json["source"] == "human"
    page = person.browser.get(f"/designs/{design_id}/facts")
    assert page.status_code == 200
    assert "stated" in page.get_data(as_text=True)


def test_pictures_are_reordered_and_the_cover_follows(make: Make, read_files: Any) -> None:
    person = make.person("designer")
    design_id = person.api.post("/designs", {"title": "Two"}).json["id"]
    send(person, design_id, photo((200, 10, 10), "a.jpg"))
    send(person, design_id, photo((10, 10, 200), "b.jpg"))
    read_files()

    def order() -> list[str]:
        return [p["id"] for p in person.api.get(f"/designs/{design_id}").json["pictures"]]

    first, second = order()
    cover = person.api.get("/designs").json["items"][0]["image"]
    person.browser.get(f"/designs/{design_id}")
    moved = person.browser.post(f"/designs/{design_id}/pictures", {"picture": second, "action": "first"})
    assert moved.status_code == 303
    assert order() == [second, first]
    assert person.api.get("/designs").json["items"][0]["image"] != cover


def test_pages_stay_within_their_statement_budget(make: Make, read_files: Any, count_statements: Any) -> None:
    person = make.person("designer")
    design_id = complete_design(person, read_files)
    asset_id = person.api.get(f"/designs/{design_id}").json["assets"][0]["id"]
    for path, budget, headers in (
        ("/designs", 5, {}),
        (f"/designs/{design_id}", 8, {}),
        (f"/designs/{design_id}/results", 8, {"HX-Request": "true"}),
        (f"/assets/{asset_id}", 3, {"HX-Request": "true"}),
    ):
        count_statements()
        answer = person.browser.get(path, headers=headers)
        assert answer.status_code == 200
        used = count_statements()
        assert used <= budget, (path, used)
