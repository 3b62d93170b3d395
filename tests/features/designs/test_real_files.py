"""Real and hostile files through the same path as everybody's."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Derivative
from tests.kit.files import File, band_stl, send
from tests.kit.people import Make
from workers.jobs import renders

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".gif"}


def photos_of(folder: Path) -> list[File]:
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix.lower() in _PHOTOS]
    return [File(p.name, p.read_bytes(), "application/octet-stream", "photo") for p in found if p.stat().st_size]


@pytest.mark.slow
def test_every_hostile_photo_is_settled_and_none_takes_the_worker_down(
    make: Make, read_files: Any, real_data: Path, session: Session
) -> None:
    person = make.person("designer")
    design_id = str(person.api.post("/designs", {"title": "Hostile"}).json["id"])
    seen: set[bytes] = set()
    for file in photos_of(real_data / "photos" / "hostile")[:40]:
        if file.data not in seen and len(file.data) < 60_000_000:
            seen.add(file.data)
            send(person, design_id, file)
    read_files()
    rows = session.scalars(select(Asset)).all()
    assert rows
    assert {row.state for row in rows} <= {"ready", "rejected"}
    for row in rows:
        made = session.scalar(select(func.count()).select_from(Derivative).where(Derivative.asset_id == row.id))
        assert (row.state == "ready") == (made != 0), row.filename
        assert row.state == "ready" or (row.reason is not None and row.reason["message"])


@pytest.mark.slow
def test_real_cad_is_measured_or_stored(make: Make, read_files: Any, real_data: Path) -> None:
    person = make.person("designer")
    design_id = str(person.api.post("/designs", {"title": "Real"}).json["id"])
    names = ("gt_flat_band.stl", "gt_solitaire.obj", "gt_solitaire.ply", "gt_solitaire.3mf", "gt_flat_band.step")
    for name in names:
        send(person, design_id, File(name, (real_data / "cad" / name).read_bytes()))
    read_files()
    assets = {a["filename"]: a for a in person.api.get(f"/designs/{design_id}").json["assets"]}
    assert {a["status"] for a in assets.values()} == {"ready"}, assets
    volume = {f["name"]: f["value"] for f in assets["gt_flat_band.stl"]["facts"]}["volume"]
    assert volume == pytest.approx(355.3141, rel=1e-3)


@pytest.mark.slow
def test_a_cad_file_gets_pictures_and_they_replace_older_ones(
    make: Make, run_jobs: Any, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renders, "RENDER_PIXELS", 160)
    person = make.person("designer")
    design_id = str(person.api.post("/designs", {"title": "Band"}).json["id"])
    asset_id = send(person, design_id, band_stl())
    run_jobs()
    first = person.api.get(f"/assets/{asset_id}").json
    assert first["render"] == {"state": "done", "progress": 100}
    lone = {"exploded", "turntable"}  # a band has no stones; the turntable is no still picture
    assert {d["view"] for d in first["derivatives"]} == set(renders.FIRST_SET) - lone
    assert session.scalars(select(Derivative.id).where(Derivative.role == "turntable")).first()
    before = session.scalar(select(func.count()).select_from(Derivative))
    session.rollback()
    page = person.browser.get(f"/designs/{design_id}")
    assert "From CAD" in page.get_data(as_text=True)
    assert person.browser.post(f"/assets/{asset_id}/choices", {"unit": "mm"}).status_code == 303
    run_jobs()
    assert session.scalar(select(func.count()).select_from(Derivative)) == before
