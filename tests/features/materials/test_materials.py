"""Alloys and rules: the published numbers, one's own in their place, and the way back."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ai_pipeline.cad.alloys import ALLOYS
from ai_pipeline.cad.rules import Rule
from marketplace.materials.models import Alloy
from marketplace.materials.queries import entries, pack
from tests.kit.files import band_stl, send
from tests.kit.people import Make


def test_the_table_and_the_pipelines_defaults_are_the_same_numbers(session: Session) -> None:
    rows = session.scalars(select(Alloy)).all()
    table = {row.code: (row.label, row.fineness, float(row.density), float(row.low), float(row.high)) for row in rows}
    known = {a.code: (a.label, a.fineness, a.density, a.low, a.high) for a in ALLOYS.values()}
    assert table == known
    assert all(row.source and row.read_on for row in rows)


def test_every_rule_can_be_judged_by_and_names_its_source(session: Session) -> None:
    _alloys, rules = entries(session, None)
    gold = [Rule(**rule) for rule in pack(rules, "gold")]
    assert {rule.verdict for rule in gold} == {"printable", "castable", "wearable"}
    assert all(rule.source for rule in gold)
    assert max(rule.limit for rule in gold if rule.measure == "wall_min") == 1.0
    assert max(float(rule["limit"]) for rule in pack(rules, "silver") if rule["measure"] == "wall_min") == 0.8


def test_an_own_density_weighs_the_next_file_and_can_be_undone(make: Make, read_files: Callable[[], None]) -> None:
    person, other = make.person("designer"), make.person("manufacturer")
    own = person.api.request("PUT", "/materials/alloy:18k_yellow", {"value": 16}).json
    assert (own["standard"], own["own"]) == (15.55, 16.0)
    theirs = {item["id"]: item["own"] for item in other.api.get("/materials").json["alloys"]}
    assert theirs["alloy:18k_yellow"] is None
    design_id = str(person.api.post("/designs", {"title": "Band"}).json["id"])
    asset_id = send(person, design_id, band_stl())
    read_files()
    facts = {item["name"]: item for item in person.api.get(f"/assets/{asset_id}").json["facts"]}
    assert round(facts["weight_18k_yellow"]["value"] / facts["volume"]["value"] * 1000, 2) == 16.0
    assert "own density" in facts["weight_18k_yellow"]["method"]
    assert person.browser.post("/materials/alloy:18k_yellow/undo", {}).status_code == 303
    back = {item["id"]: item["own"] for item in person.api.get("/materials").json["alloys"]}
    assert back["alloy:18k_yellow"] is None


def test_a_slip_of_the_decimal_point_is_refused_with_the_bounds(make: Make) -> None:
    person = make.person("manufacturer")
    answer = person.browser.post("/materials/alloy:sterling", {"value": "103,6"})
    assert answer.status_code == 422
    assert "Enter a number from 8.806 to 11.914." in answer.get_data(as_text=True)
    assert person.browser.post("/materials/alloy:sterling", {"value": "10,4"}).status_code == 303
    assert "10.4" in person.browser.get("/materials").get_data(as_text=True)
    assert person.api.request("PUT", "/materials/rule:cast_wall", {"value": 0.9}).json["own"] == 0.9
    assert person.api.request("PUT", "/materials/rule:no_such_rule", {"value": 0.9}).status_code == 404
    assert make.person("buyer").api.get("/materials").status_code == 403
