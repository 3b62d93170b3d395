"""The page of a design as a designer reads it: tech pack, weights, versions, who sees what, documents."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.files import band_stl, photo, send
from tests.kit.people import Make, Person

Read = Callable[[], None]


@pytest.fixture
def studio(make: Make) -> Person:
    return make.person("designer")


def _design(person: Person, **more: Any) -> str:
    body = {"title": "Court band", "category": "ring", "metadata": {"metals": ["18k_rose"]}, **more}
    return str(person.api.post("/designs", body).json["id"])


def _page(person: Person, path: str) -> str:
    answer = person.browser.get(path)
    assert answer.status_code == 200, path
    return str(answer.get_data(as_text=True))


def _line(page: str, name: str) -> str:
    found = re.search(rf'<li class="pack-line (\w+)" id="line-{name}">', page)
    assert found, name
    return found.group(1)


def test_an_empty_design_says_what_is_to_do(studio: Person) -> None:
    page = _page(studio, f"/designs/{_design(studio)}")
    assert _line(page, "metals") == "stated"
    assert _line(page, "stones") == "todo"
    assert _line(page, "ring_sizes") == "todo"
    assert 'data-src=""' in page
    assert "Drop a CAD file" in page


def test_a_file_without_unit_asks_once_and_everything_is_measured_after_the_answer(
    studio: Person, read_files: Read
) -> None:
    design = _design(studio)
    asset = send(studio, design, band_stl())
    read_files()
    page = _page(studio, f"/designs/{design}")
    assert "The file states no unit" in page
    assert "20.6\u00a0mm long" in page  # the outer diameter of the band
    assert _line(page, "inner_diameter") == "measured"
    studio.browser.post(f"/assets/{asset}/choices", {"unit": "mm"})
    read_files()
    page = _page(studio, f"/designs/{design}")
    assert "The file states no unit" not in page
    assert _line(page, "inner_diameter") == "measured"
    assert "5.92\u00a0g" in page


def test_one_press_confirms_what_is_proposed_and_the_pack_comes_back(studio: Person, read_files: Read) -> None:
    design = _design(studio)
    send(studio, design, band_stl())
    read_files()
    assert _line(_page(studio, f"/designs/{design}"), "stone_count") == "proposed"
    answer = studio.browser.post(
        f"/designs/{design}/facts/stone_count", {"action": "confirm", "from": "pack"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    part = answer.get_data(as_text=True)
    assert part.lstrip().startswith("<section") or 'id="pack"' in part
    assert _line(part, "stone_count") == "confirmed"
    facts = {f["name"]: f for f in studio.api.get(f"/designs/{design}").json["facts"]}
    assert facts["stone_count"]["confirmed_by"] == studio.user.id


def test_several_are_confirmed_at_once_and_a_made_up_name_changes_nothing(studio: Person, read_files: Read) -> None:
    design = _design(studio)
    send(studio, design, band_stl())
    read_files()
    assert studio.browser.post(f"/designs/{design}/facts", {"names": ["stone_count", "no_such"]}).status_code == 404
    assert _line(_page(studio, f"/designs/{design}"), "stone_count") == "proposed"
    answer = studio.browser.post(f"/designs/{design}/facts", {"names": ["stone_count", "volume"]})
    assert answer.status_code == 303
    page = _page(studio, f"/designs/{design}")
    assert (_line(page, "stone_count"), _line(page, "volume")) == ("confirmed", "confirmed")


def test_a_second_cad_file_is_a_version_with_its_measured_difference(studio: Person, read_files: Read) -> None:
    design = _design(studio)
    send(studio, design, band_stl(thickness_mm=1.6))
    read_files()
    send(studio, design, band_stl(thickness_mm=2.0, name="band-2.stl"))
    read_files()
    page = _page(studio, f"/designs/{design}")
    assert "Version 2" in page
    assert "+1.64\u00a0g in 18k yellow gold" in page
    told = studio.api.get(f"/designs/{design}/tech-pack").json
    newest, oldest = told["versions"]
    assert (newest["number"], newest["current"], oldest["current"]) == (2, True, False)
    weight = next(c for c in newest["changes"] if c["name"] == "weight_18k_yellow")
    assert weight["after"] - weight["before"] == pytest.approx(1.64, abs=0.01)
    assert {c["name"] for c in newest["changes"]} >= {"size_x", "size_y"}
    assert "inner_diameter" not in {c["name"] for c in newest["changes"]}


def test_the_model_is_signed_for_its_owner_and_the_likeness_alone_for_a_buyer(
    studio: Person, make: Make, read_files: Read
) -> None:
    design = _design(
        studio,
        description="A plain court band for stacking, or alone on a quiet hand.",
        list_price={"amount": 100000, "currency": "USD"},
    )
    send(studio, design, band_stl())
    send(studio, design, photo())
    read_files()
    own = _page(studio, f"/designs/{design}")
    assert re.search(r'id="stage-data" data-src="http[^"]+\.glb', own)
    assert studio.api.post(f"/designs/{design}/list").status_code == 200
    shown = _page(make.person("buyer"), f"/catalog/{design}")
    assert "preview.glb" in shown
    assert "studio.glb" not in shown
    assert "stage-data" not in shown


def test_who_sees_what_is_what_the_policy_answers(studio: Person, read_files: Read) -> None:
    page = _page(studio, f"/designs/{_design(studio)}/who-sees")
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page, flags=re.DOTALL)
    seen = {word: re.findall(r'<span class="(yes|no)">', cells) for word, cells in rows}
    # Studio, visitor, buyer, workshop without and with NDA; a draft is in nobody's catalog.
    assert seen["Pictures and story"] == ["yes", "no", "no", "no", "no"]
    assert seen["Exact 3D, wall thickness, findings"] == ["yes", "no", "no", "no", "no"]
    assert seen["CAD file"] == ["yes", "no", "no", "no", "yes"]
    assert "Read and sign the NDA of this order first." in page
    assert page.count("once it is listed") == 12


def test_the_tech_pack_is_a_pdf_in_the_readers_language(studio: Person, read_files: Read) -> None:
    design = _design(studio)
    send(studio, design, band_stl())
    send(studio, design, photo())
    read_files()
    for language in ("en", "zh_Hans"):
        studio.browser.client.set_cookie("touchstone_language", language, domain="localhost")
        answer = studio.browser.get(f"/designs/{design}/tech-pack.pdf")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.get_data().startswith(b"%PDF-")
        assert len(answer.get_data()) > 20_000


def test_the_tech_pack_as_data_names_how_each_fact_is_known(studio: Person, read_files: Read) -> None:
    design = _design(studio)
    send(studio, design, band_stl())
    read_files()
    downloaded = studio.browser.get(f"/designs/{design}/tech-pack.json")
    assert "attachment" in downloaded.headers["Content-Disposition"]
    told = downloaded.json
    volume = next(fact for fact in told["facts"] if fact["name"] == "volume")
    assert volume["unit"] == "mm3"
    assert volume["method"]
    yellow = next(row for row in told["weights"] if row["alloy"] == "18k_yellow")
    assert yellow["grams"] == pytest.approx(5.92, abs=0.01)
    assert yellow["finished"][0] == pytest.approx(0.88 * yellow["grams"], abs=0.01)
