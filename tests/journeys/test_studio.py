"""A designer drops files, tells a unit, confirms amber, gets pictures and lists; a second file becomes a version."""

import re
from pathlib import Path

import pytest
import rhino3dm as r3
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.live import Live
from tests.journeys.navigators import DesignerDesk
from tests.journeys.window import PHONE, WORK, Who, Window
from tests.kit.files import band_stl, photo
from tests.pipeline.rhino_files import RhinoFile, rhino_mesh
from tests.pipeline.shapes import band

NORA = Who("designer", "Nora Lindqvist", "nora@journey.example", "Atelier Lindqvist", "SE")
#: A band drawn in inches, in a file that does not say so: 17.35 mm inside, which is US 7.
INCH = 25.4
GRAMS_18K = "5.92"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three photos and a CAD file without a unit."""
    made = []
    for number, color in enumerate(((180, 150, 90), (150, 150, 155), (90, 60, 40)), 1):
        path = tmp_path / f"band-{number}.jpg"
        path.write_bytes(photo(color, width=1300 + number).data)
        made.append(path)
    points, faces = band(17.35, 1.6, 4.0)
    rhino = RhinoFile()
    rhino.model.Settings.ModelUnitSystem = getattr(r3.UnitSystem, "None")
    rhino.model.Objects.AddMesh(rhino_mesh((points / INCH, faces)))
    return [*made, rhino.write(tmp_path / "band.3dm")]


def test_a_designer_drops_files_answers_one_question_and_lists(
    live: Live, browser: Browser, files: list[Path], tmp_path: Path
) -> None:
    window = Window(browser, live, NORA)
    live.forget_limits()
    desk = DesignerDesk(window)
    desk.join()
    desk.sign_in()
    desk.create_design("Court band", "A court band of one and a half millimeters, for stacking or alone.", "1500")
    *photos, cad = files
    desk.upload("photo", *photos)
    desk.upload("cad", cad)
    for path in photos:
        desk.waits_until_ready(path.name)
    _fix_the_unit(desk)
    _confirm_on_a_phone(desk)
    _turn_it(desk)
    _get_pictures(desk)
    desk.list_in_catalog()
    second = tmp_path / "band-heavier.stl"
    second.write_bytes(band_stl(thickness_mm=2.0).data)
    desk.upload("cad", second)
    newest = window.page.locator(".version").first
    expect(newest).to_contain_text(re.compile(r"\+1\.6\d\sg"), timeout=WORK)
    window.is_clean()
    window.close()


def _line(desk: DesignerDesk, name: str) -> Locator:
    return desk.page.locator(f"#line-{name}")


def _fix_the_unit(desk: DesignerDesk) -> None:
    """Nothing has a weight until the unit is known; the likely answer names the ring size that it means."""
    question = desk.page.locator(".unit-question")
    expect(question).to_be_visible(timeout=WORK)
    expect(desk.page.locator("#weights tbody")).to_have_count(0)
    likely = question.locator(".unit-offer", has_text="in")
    expect(likely).to_contain_text(desk.window.say("US size %(size)s", size="7.00"))
    likely.click()
    desk.page.wait_for_load_state()
    expect(desk.fact("18k yellow gold").first).to_contain_text(GRAMS_18K, timeout=WORK)
    expect(_line(desk, "inner_diameter")).to_have_class(re.compile("measured"))


def _confirm_on_a_phone(desk: DesignerDesk) -> None:
    """What was only supposed is amber; a thumb makes it green, and the page stays where it is."""
    desk.page.set_viewport_size(PHONE)
    amber = _line(desk, "stone_count")
    expect(amber).to_have_class(re.compile("proposed"))
    button = desk.window.button("Confirm %(fact)s", within=amber, fact=desk.window.say("Stones"))
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 36
    button.click()
    expect(amber).to_have_class(re.compile("confirmed"))
    assert not desk.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    desk.page.set_viewport_size(desk.window.who.viewport)


def _turn_it(desk: DesignerDesk) -> None:
    """The owner's 3D view opens on a press; the keyboard cuts it and measures in its middle."""
    page = desk.page
    page.locator("#viewer [data-open-viewer]").first.click()
    view = page.locator("#viewer")
    expect(view).to_have_attribute("data-state", "open", timeout=WORK)
    stage = view.locator("[data-part=stage]")
    stage.press("s")
    expect(view.locator("[data-part=cutter]")).to_be_visible()
    expect(view.locator("[data-part=cut-at]")).to_have_text(re.compile(r"\d mm"))
    stage.press("s")
    stage.press("h")
    expect(view.locator("[data-part=legend]")).to_be_visible()


def _get_pictures(desk: DesignerDesk) -> None:
    """Photos are there, pictures made from the CAD come by themselves."""
    pictures = desk.page.locator("#pictures li")
    expect(pictures.filter(has_text=desk.window.say("Photo"))).to_have_count(3)
    expect(desk.page.locator("#results img").nth(3)).to_be_visible(timeout=2 * WORK)
