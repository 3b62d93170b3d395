"""Pictures of CAD land one by one, in the looks that were asked for, and say who comes first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from ai_pipeline.errors import Unreadable
from marketplace.db.jobs import JobRow
from marketplace.designs.models import Derivative, DiscardedObject
from marketplace.services import Services
from tests.kit.files import File, band_stl, send
from tests.kit.people import Make
from workers.jobs import renders
from workers.registry import BINDINGS
from workers.run import execute

RENDERS = "render_cad"


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A picture studio that paints plain cards at once; returns what it was asked for."""
    asked: list[dict[str, Any]] = []

    def paint(path: Path, *, out_dir: Path, views: tuple[str, ...], progress: Any, landed: Any, **more: Any) -> None:
        assert path.is_file()
        asked.append({"views": views, **more})
        card = Image.new("RGB", (360, 360), (200, 180, 90))
        card.save(out_dir / "hero-draft.webp")
        landed("hero", out_dir / "hero-draft.webp", True)
        for number, view in enumerate(views):
            target = out_dir / f"{view}.webp"
            card.save(target, save_all=view == "turntable", append_images=[card] if view == "turntable" else [])
            progress(100 * number // len(views))
            landed(view, target, False)

    monkeypatch.setattr(renders, "render_cad", paint)
    return asked


def measured(make: Make, read_files: Callable[[], None]) -> tuple[Any, str, str]:
    """A designer, a design and its measured CAD file whose pictures wait."""
    person = make.person("designer")
    design_id = str(person.api.post("/designs", {"title": "Band", "metadata": {"metals": ["platinum"]}}).json["id"])
    asset_id = send(person, design_id, band_stl())
    read_files()
    return person, design_id, asset_id


def roles(session: Session, asset_id: str) -> set[str]:
    found = set(session.scalars(select(Derivative.role).where(Derivative.asset_id == asset_id)))
    session.rollback()
    return found


def test_the_first_set_lands_view_by_view_and_replaces_its_draft(
    make: Make, read_files: Any, run_jobs: Any, studio: list[dict[str, Any]], session: Session
) -> None:
    person, design_id, asset_id = measured(make, read_files)
    run_jobs()
    assert studio[0]["views"] == renders.FIRST_SET
    assert (studio[0]["look"], studio[0]["alloy"]) == ("ivory", "platinum_950_ru")
    answer = person.api.get(f"/assets/{asset_id}").json
    assert answer["render"] == {"state": "done", "progress": 100}
    shown = [d["view"] for d in answer["derivatives"]]
    assert shown[:2] == ["hero", "three_quarter"]
    assert set(shown) == set(renders.FIRST_SET) - {"turntable"}
    rows = session.scalars(select(Derivative).where(Derivative.asset_id == asset_id)).all()
    assert {r.view for r in rows if r.hidden} == {"heat", "exploded"}, "pictures for the bench are for their owner"
    turning = next(r for r in rows if r.role == "turntable")
    assert (turning.content_type, turning.width) == ("image/webp", None)
    kept = {r.storage_key.rpartition("/")[0] + "/" for r in rows}
    assert not kept & set(session.scalars(select(DiscardedObject.key))), "nothing that is shown is swept"
    session.rollback()
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert "beside a coin of 20 mm" in page
    assert "<summary>Turntable</summary>" in page


def test_pictures_are_there_before_the_last_one_is(
    make: Make, read_files: Any, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _, asset_id = measured(make, read_files)
    during: list[Any] = []

    def paint(path: Path, *, out_dir: Path, progress: Any, landed: Any, **more: Any) -> None:
        Image.new("RGB", (330, 330), (90, 90, 90)).save(out_dir / "hero-draft.webp")
        landed("hero", out_dir / "hero-draft.webp", True)
        progress(40)
        during.append(person.api.get(f"/assets/{asset_id}").json)
        raise Unreadable("took_too_long", seconds=1)

    monkeypatch.setattr(renders, "render_cad", paint)
    run_jobs()
    assert during[0]["render"] == {"state": "running", "progress": 40}
    assert [d["view"] for d in during[0]["derivatives"]] == ["hero"]
    after = person.api.get(f"/assets/{asset_id}").json
    assert after["render"]["state"] == "done", "what landed stays when the rest fails"
    assert [d["view"] for d in after["derivatives"]] == ["hero"]


def test_another_look_and_alloy_come_beside_the_first_set_and_only_once(
    make: Make, read_files: Any, run_jobs: Any, studio: list[dict[str, Any]], session: Session
) -> None:
    person, design_id, asset_id = measured(make, read_files)
    run_jobs()
    first = roles(session, asset_id)
    answer = person.api.post(f"/assets/{asset_id}/pictures", {"look": "noir", "alloy": "18k_rose"})
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
    again = person.api.post(f"/assets/{asset_id}/pictures", {"look": "noir", "alloy": "18k_rose"})
    assert again.json["id"] == answer.json["id"]
    run_jobs()
    assert (studio[-1]["look"], studio[-1]["alloy"], studio[-1]["views"]) == ("noir", "18k_rose", renders.MORE)
    now = roles(session, asset_id)
    assert first < now
    assert {"turntable.noir.18k_rose", "render_hero.noir.18k_rose_320_webp"} <= now - first
    assert person.api.get(f"/jobs/{answer.json['id']}").json["state"] == "done"
    assert person.browser.post(f"/assets/{asset_id}/pictures", {"look": "noir", "alloy": "18k_rose"}).status_code == 303
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert "three-quarter view, dark studio, 18k rose gold" in page
    assert "These pictures are already here." in page
    run_jobs()
    assert len(studio) == 2


@pytest.mark.parametrize(("look", "alloy", "code"), [("disco", "18k_rose", "bad_look"), ("noir", "tin", "bad_alloy")])
def test_unknown_looks_and_alloys_are_refused(
    make: Make, read_files: Any, studio: Any, look: str, alloy: str, code: str
) -> None:
    person, _, asset_id = measured(make, read_files)
    answer = person.api.post(f"/assets/{asset_id}/pictures", {"look": look, "alloy": alloy})
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_file_that_was_not_measured_gets_no_pictures(make: Make, read_files: Any) -> None:
    person = make.person("designer")
    design_id = str(person.api.post("/designs", {"title": "Flat"}).json["id"])
    asset_id = send(person, design_id, File("stone.stl", b"solid nothing\nendsolid nothing\n"))
    read_files()
    answer = person.api.post(f"/assets/{asset_id}/pictures", {"look": "white", "alloy": "18k_rose"})
    assert (answer.status_code, answer.json["code"]) == (409, "not_measured")


def test_who_waits_is_told_how_many_files_come_first(
    make: Make, read_files: Any, run_jobs: Any, studio: Any, session: Session
) -> None:
    first, second = measured(make, read_files), measured(make, read_files)
    told = [p.api.get(f"/assets/{a}").json["render"] for p, _, a in (first, second)]
    assert [t["waiting_before"] for t in told] == [0, 1]
    page = second[0].browser.get(f"/designs/{second[1]}").get_data(as_text=True)
    assert "Waiting for the picture studio" in page
    row = second[0].browser.get(f"/assets/{second[2]}", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "1 file before it" in row
    run_jobs()
    assert session.scalars(select(JobRow.state).where(JobRow.name == RENDERS)).all() == ["done", "done"]
    assert "waiting_before" not in second[0].api.get(f"/assets/{second[2]}").json["render"]


def test_a_file_that_is_read_anew_meanwhile_gets_no_old_pictures(
    make: Make, read_files: Any, services: Services, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    person, _, asset_id = measured(make, read_files)

    def paint(path: Path, *, out_dir: Path, landed: Any, **more: Any) -> None:
        assert person.browser.post(f"/assets/{asset_id}/choices", {"unit": "cm"}).status_code == 303
        Image.new("RGB", (330, 330), (90, 90, 90)).save(out_dir / "hero.webp")
        landed("hero", out_dir / "hero.webp", False)
        raise AssertionError("nobody waits for this picture")

    monkeypatch.setattr(renders, "render_cad", paint)
    job = session.scalars(select(JobRow.id).where(JobRow.name == RENDERS)).one()
    session.rollback()
    assert execute(services, BINDINGS, job) == "done"
    assert not any(role.startswith("render_") for role in roles(session, asset_id))
    assert person.api.get(f"/assets/{asset_id}").json["status"] == "uploaded"
