"""From announcing a file to its results on the design, through the API and the real object store."""

from typing import Any

import pytest
import requests
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.designs.models import Asset, Derivative, Fact
from tests.kit.files import File, band_stl, photo, put, send
from tests.kit.people import Make, Person


def design(person: Person, **more: Any) -> str:
    answer = person.api.post("/designs", {"title": "Plain band", "category": "ring", **more})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.json["id"])


def test_a_photo_becomes_pictures_and_the_original_stays_private(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    asset_id = send(person, design_id, photo())
    read_files()
    found = person.api.get(f"/assets/{asset_id}").json
    assert found["status"] == "ready"
    assert found["progress"] == 100
    [picture] = found["derivatives"]
    assert requests.get(picture["url"], timeout=60).content[8:12] == b"WEBP"
    row = session.get_one(Asset, asset_id)
    assert row.upload_key is None
    assert row.storage_key is not None
    assert row.storage_key not in person.api.get(f"/designs/{design_id}").get_data(as_text=True)
    shown = person.api.get(f"/designs/{design_id}").json
    assert [p["view"] for p in shown["pictures"]] == ["photo"]


def test_a_band_is_measured_and_weighed(make: Make, read_files: Any) -> None:
    person = make.person("designer")
    design_id = design(person)
    asset_id = send(person, design_id, band_stl())
    read_files()
    found = person.api.get(f"/assets/{asset_id}").json
    assert found["status"] == "ready", found["reason"]
    facts = {f["name"]: f for f in person.api.get(f"/designs/{design_id}").json["facts"]}
    # A regular 96-gon in place of the circle: area of a ring = n/2 sin(2 pi/n) (R^2 - r^2).
    volume = 4.0 * 48 * 0.065403129 * (10.275**2 - 8.675**2)
    assert facts["volume"]["value"] == pytest.approx(volume, rel=1e-3)
    assert facts["weight_18k_yellow"]["value"] == pytest.approx(volume / 1000 * 15.55, abs=0.01)
    assert facts["weight_18k_yellow"]["source"] == "measured"
    assert facts["inner_diameter"]["value"] == pytest.approx(17.35, abs=0.02)
    assert facts["ring_size_us"]["value"] == 7


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (
            File("ring.jpg", b"<!doctype html><script>alert(1)</script>" * 20, "image/jpeg", "photo"),
            "unsupported_photo",
        ),
        (File("half.stl", band_stl().data[:900], "model/stl"), None),
        (File("photo.png", photo().data, "image/png", "photo"), "content_mismatch"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_words(
    make: Make, read_files: Any, session: Session, file: File, code: str | None
) -> None:
    person = make.person("designer")
    design_id = design(person)
    asset_id = send(person, design_id, file)
    read_files()
    found = person.api.get(f"/assets/{asset_id}").json
    assert found["status"] == "rejected"
    assert found["reason"]["detail"].endswith((".", "."))
    assert code is None or found["reason"]["code"] == code
    assert session.scalar(select(func.count()).select_from(Derivative)) == 0
    row = session.get_one(Asset, asset_id)
    assert (row.upload_key, row.storage_key) == (None, None)
    assert session.scalar(text("select count(*) from notifications where kind = 'asset_rejected'")) == 1
    checks = {c["code"]: c["done"] for c in person.api.get(f"/designs/{design_id}").json["checklist"]}
    assert checks["no_rejected_file"] is False
    page = person.browser.get(f"/designs/{design_id}").get_data(as_text=True)
    assert found["reason"]["detail"][:30] in page
    person.browser.client.set_cookie("touchstone_language", "zh_Hans")
    told = person.browser.get("/notifications").get_data(as_text=True)
    assert file.name in told
    assert found["reason"]["detail"][:30] not in told


def test_an_empty_or_huge_file_is_refused_before_it_is_sent(make: Make, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    body = band_stl().announced
    empty = person.api.post(f"/designs/{design_id}/assets", {**body, "size": 0})
    huge = person.api.post(f"/designs/{design_id}/assets", {**body, "size": 300_000_000})
    assert (empty.status_code, empty.json["code"]) == (422, "empty_file")
    assert (huge.status_code, huge.json["code"]) == (422, "file_too_large")
    assert "300.0 MB" in huge.json["detail"]
    assert "250 MB" in huge.json["detail"]
    assert session.scalar(select(func.count()).select_from(Asset)) == 0


def test_other_bytes_than_announced_are_refused_by_the_store_or_by_the_check(make: Make, read_files: Any) -> None:
    person = make.person("designer")
    design_id = design(person)
    file = band_stl()
    answer = person.api.post(f"/designs/{design_id}/assets", file.announced)
    upload = answer.json["upload"]
    longer = requests.post(upload["url"], data=upload["fields"], files={"file": ("x", file.data + b"x")}, timeout=60)
    assert longer.status_code >= 400
    swapped = bytearray(file.data)
    swapped[0] ^= 1
    put(answer.json, File("band.stl", bytes(swapped)))
    asset_id = answer.json["asset"]["id"]
    assert person.api.post(f"/assets/{asset_id}/complete").status_code == 202
    read_files()
    assert person.api.get(f"/assets/{asset_id}").json["reason"]["code"] == "bytes_differ"


def test_completing_before_the_bytes_came_is_refused_and_twice_is_once(make: Make, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    file = photo()
    answer = person.api.post(f"/designs/{design_id}/assets", file.announced)
    asset_id = answer.json["asset"]["id"]
    early = person.api.post(f"/assets/{asset_id}/complete")
    assert (early.status_code, early.json["code"]) == (409, "not_uploaded")
    again = person.api.post(f"/designs/{design_id}/assets", file.announced)
    assert again.json["asset"]["id"] == asset_id
    put(again.json, file)
    assert [person.api.post(f"/assets/{asset_id}/complete").status_code for _ in range(2)] == [202, 202]
    assert session.scalar(text("select count(*) from jobs where name = 'process_asset'")) == 1
    third = person.api.post(f"/designs/{design_id}/assets", file.announced)
    assert (third.status_code, third.json["code"]) == (409, "already_here")
    assert third.json["asset"] == asset_id


def test_the_same_bytes_in_another_design_are_pointed_out(make: Make) -> None:
    person = make.person("designer")
    first, second = design(person), design(person)
    asset_id = send(person, first, band_stl())
    answer = person.api.post(f"/designs/{second}/assets", band_stl().announced)
    assert answer.status_code == 201
    named = {"asset": asset_id, "design": first, "filename": "band.stl", "title": "Plain band"}
    assert answer.json["duplicate_of"] == named


def test_processing_twice_leaves_one_set_of_results(make: Make, read_files: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    asset_id = send(person, design_id, photo())
    read_files()
    before = session.scalar(select(func.count()).select_from(Derivative))
    # A worker died after the file was taken into processing: the job is run again.
    session.execute(text("update assets set state = 'processing', upload_key = null where id = :id"), {"id": asset_id})
    session.execute(
        text("update jobs set state = 'queued', lease_until = null, dispatched_at = null where name = 'process_asset'")
    )
    session.commit()
    read_files()
    session.expire_all()
    assert session.get_one(Asset, asset_id).state == "ready"
    assert session.scalar(select(func.count()).select_from(Derivative)) == before
    key = session.scalars(select(Derivative.storage_key)).first()
    assert key is not None


def test_removing_the_cad_takes_its_facts_along_and_the_other_cad_takes_over(
    make: Make, read_files: Any, session: Session
) -> None:
    person = make.person("designer")
    design_id = design(person)
    send(person, design_id, band_stl(inner_mm=17.35))
    read_files()
    second = send(person, design_id, band_stl(inner_mm=18.14, name="band-8.stl"))
    read_files()

    def size() -> Any:
        shown = person.api.get(f"/designs/{design_id}").json["facts"]
        return next(f["value"] for f in shown if f["name"] == "ring_size_us")

    assert size() == 8
    assert person.api.request("DELETE", f"/assets/{second}").status_code == 204
    assert size() == 7
    assert session.scalar(select(func.count()).select_from(Fact).where(Fact.asset_id == second)) == 0


def test_removed_files_leave_the_object_store(make: Make, read_files: Any, services: Any, session: Session) -> None:
    person = make.person("designer")
    design_id = design(person)
    asset_id = send(person, design_id, photo())
    read_files()
    kept = session.get_one(Asset, asset_id).storage_key
    assert kept in set(services.storage.keys("derived/"))
    folder = str(kept).rpartition("/")[0]
    person.api.request("DELETE", f"/assets/{asset_id}")
    read_files()
    assert not list(services.storage.keys(folder))
    assert person.api.get(f"/assets/{asset_id}").status_code == 404


def test_another_studio_finds_nothing_and_row_security_hides_cad(make: Make, read_files: Any, app: Any) -> None:
    owner, stranger, buyer = make.person("designer"), make.person("designer"), make.person("buyer")
    design_id = design(owner)
    asset_id = send(owner, design_id, band_stl())
    read_files()
    assert stranger.api.get(f"/designs/{design_id}").status_code == 404
    assert stranger.api.get(f"/assets/{asset_id}").status_code == 404
    assert stranger.api.post(f"/assets/{asset_id}/complete").status_code == 404
    assert buyer.api.get(f"/assets/{asset_id}").status_code == 404
    with app.extensions["services"].engine.connect() as connection:
        for org in (stranger.org.id, buyer.org.id, ""):
            connection.execute(text("select set_config('app.org', :org, true)"), {"org": org})
            for table in ("assets", "derivatives", "facts", "designs"):
                assert connection.scalar(text(f"select count(*) from {table}")) == 0, (org, table)
        connection.execute(text("select set_config('app.org', :org, true)"), {"org": owner.org.id})
        assert connection.scalar(text("select count(*) from assets")) == 1
