"""Deciding the unit, the layers and the parts of a CAD file: asked with sizes, obeyed, and read again."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset
from tests.kit.files import File, band_stl, send
from tests.kit.people import Make, Person
from tests.pipeline.rhino_files import RhinoFile, rhino_mesh
from tests.pipeline.shapes import box


@pytest.fixture
def person(make: Make) -> Person:
    return make.person("designer")


def upload(person: Person, file: File) -> tuple[str, str]:
    design_id = str(person.api.post("/designs", {"title": "Band"}).json["id"])
    return design_id, send(person, design_id, file)


def inches() -> File:
    return band_stl(17.35 / 25.4, 1.6 / 25.4, 4.0 / 25.4, "inches.stl")


def layered(folder: Path) -> File:
    file = RhinoFile()
    shown, hidden = file.layer("Metal"), file.layer("Cutters", visible=False)
    file.model.Objects.AddMesh(rhino_mesh(box(10.0)), file.attributes(shown, "shank"))
    file.model.Objects.AddMesh(rhino_mesh(box(4.0, (20.0, 0.0, 0.0))), file.attributes(hidden, "cutter"))
    return File("layers.3dm", file.write(folder / "layers.3dm").read_bytes())


def fact(asset: Any, name: str) -> Any:
    return next(item["value"] for item in asset["facts"] if item["name"] == name)


def test_a_ring_in_inches_is_asked_about_with_a_picture_and_measured_once_confirmed(
    person: Person, read_files: Any
) -> None:
    design_id, asset_id = upload(person, inches())
    read_files()
    asset = person.api.get(f"/assets/{asset_id}").json
    assert (asset["unit"], asset["units"]["plausible"]) == (None, False)
    assert asset["units"]["proposals"][0]["unit"] == "in"
    assert fact(asset, "volume") is None
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert "this ring is 0.81\u00a0mm across. Did you mean inches?" in page
    assert page.count('class="unit-picture"') == 4
    answer = person.browser.post(f"/assets/{asset_id}/choices", {"unit": "in"})
    assert answer.status_code == 303
    read_files()
    asset = person.api.get(f"/assets/{asset_id}").json
    assert asset["unit"] == "in"
    assert fact(asset, "inner_diameter") == pytest.approx(17.35, abs=0.01)


def test_hidden_layers_can_be_read_and_left_out_again(
    person: Person, read_files: Any, session: Session, tmp_path: Path
) -> None:
    design_id, asset_id = upload(person, layered(tmp_path))
    read_files()
    asset = person.api.get(f"/assets/{asset_id}").json
    assert fact(asset, "volume") == pytest.approx(1000.0)
    assert [(item["name"], item["used"]) for item in asset["layers"]] == [("Metal", True), ("Cutters", False)]
    assert "hidden in the file" in person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    answer = person.api.post(f"/assets/{asset_id}/choices", {"layers": ["Cutters", "Metal"]})
    assert (answer.status_code, answer.json["status"]) == (202, "uploaded")
    read_files()
    asset = person.api.get(f"/assets/{asset_id}").json
    assert asset["choices"] == {"layers": ["Metal", "Cutters"]}
    assert fact(asset, "volume") == pytest.approx(1064.0)
    assert person.api.post(f"/assets/{asset_id}/choices", {"layers": ["Metal"]}).status_code == 202
    row = session.scalars(select(Asset).where(Asset.id == asset_id)).one()
    assert row.choices == {}


def test_choosing_nothing_new_reads_nothing(person: Person, read_files: Any, session: Session) -> None:
    _design, asset_id = upload(person, band_stl())
    read_files()
    assert person.api.post(f"/assets/{asset_id}/choices", {"unit": "mm"}).json["status"] == "uploaded"
    assert person.api.post(f"/assets/{asset_id}/choices", {"unit": "cm"}).status_code == 409
    read_files()
    before = session.scalars(select(Asset.round).where(Asset.id == asset_id)).one()
    session.rollback()
    assert person.api.post(f"/assets/{asset_id}/choices", {"unit": "mm"}).json["status"] == "ready"
    assert session.scalars(select(Asset.round).where(Asset.id == asset_id)).one() == before


@pytest.mark.parametrize(
    "body",
    [
        {"unit": "furlong"},
        {"layers": ["Nowhere"]},
        {"layers": []},
        {"roles": {"99": "metal"}},
        {"roles": {"0": "cheese"}},
        {"roles": {"0": "stone:Robert'); drop"}},
    ],
)
def test_what_the_file_does_not_have_cannot_be_chosen(
    person: Person, read_files: Any, tmp_path: Path, body: dict[str, Any]
) -> None:
    _design, asset_id = upload(person, layered(tmp_path))
    read_files()
    assert person.api.post(f"/assets/{asset_id}/choices", body).status_code == 422
    assert person.api.get(f"/assets/{asset_id}").json["status"] == "ready"


def test_nobody_else_can_choose(person: Person, make: Make, read_files: Any) -> None:
    _design, asset_id = upload(person, band_stl())
    read_files()
    other = make.person("designer")
    assert other.api.post(f"/assets/{asset_id}/choices", {"unit": "in"}).status_code == 404
    assert other.browser.post(f"/assets/{asset_id}/choices", {"unit": "in"}).status_code == 404
