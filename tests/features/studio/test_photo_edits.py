"""Editing a photo from upload to publishing: steps as data, undo, proposals, color, the original kept."""

import io
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, stage
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset, Derivative, MarkedCover
from marketplace.designs.queries import cards
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.models import Negotiation
from marketplace.studio import rules
from marketplace.studio.models import PhotoEdit
from marketplace.studio.photo_work import finish
from tests.kit.files import File, send
from tests.kit.people import Make, Person
from tests.pipeline import photos
from tests.states.table import assert_table
from workers.jobs import marks

SHOW = "/designs/{0}/photos/{1}"
API = SHOW + "/edits"


def shot(**how: Any) -> File:
    """A made-up studio photo as a file."""
    data = io.BytesIO()
    photos.ring((1600, 1200), **how).image.save(data, "JPEG", quality=92)
    return File("ring.jpg", data.getvalue(), "image/jpeg", "photo")


@pytest.fixture
def studio(make: Make, read_files: Any) -> tuple[Person, str, str]:
    """A designer, a design, and its photo: dim, warm, not in the middle."""
    person = make.person("designer", name="Maya Rosen")
    design_id = str(person.api.post("/designs", {"title": "Ostara", "category": "ring"}).json["id"])
    asset_id = send(person, design_id, shot(light=(0.80, 0.77, 0.70), at=(0.36, 0.44)))
    read_files()
    return person, design_id, asset_id


def seen(url: str) -> Image.Image:
    """A picture from the store."""
    answer = requests.get(url, timeout=60)
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


def test_every_step_of_an_edit() -> None:
    states = ("plain", "queued", "ready", "failed", "published")
    expected = {(s, "change", who): "queued" for s in states for who in ("owner", "system")}
    expected |= {(s, "clear", who): "plain" for s in states for who in ("owner", "system")}
    expected |= {
        ("queued", "finish", "system"): "ready",
        ("queued", "fail", "system"): "failed",
        ("ready", "publish", "owner"): "published",
        ("plain", "publish", "owner"): "plain",
    }
    assert_table(rules.PHOTO_EDIT, expected)


def test_steps_are_made_compared_published_and_taken_back(
    studio: tuple[Person, str, str], read_files: Any, session: Session
) -> None:
    person, design_id, asset_id = studio
    path = API.format(design_id, asset_id)
    original = session.scalars(select(Asset.storage_key)).one()
    shown = person.api.get(f"/designs/{design_id}").json["pictures"][0]
    steps = [{"kind": "exposure", "stops": 0.05}, {"kind": "crop", "shape": "1:1"}]
    asked = person.api.request("PUT", path, {"steps": steps, "version": 0})
    assert (asked.status_code, asked.json["state"]) == (202, "queued")
    read_files()
    draft = person.api.get(path).json
    assert draft["state"] == "ready"
    assert [s["kind"] for s in draft["steps"]] == ["crop", "exposure"]
    assert 0 < draft["report"]["color"]["moved"] <= draft["report"]["color"]["limit"]
    assert seen(draft["after"]).size[0] == seen(draft["after"]).size[1]
    # Nobody sees a draft: the design's picture and its cover are the photo as uploaded.
    assert person.api.get(f"/designs/{design_id}").json["pictures"][0]["height"] == shown["height"]
    done = person.api.post(path + "/publish", {})
    assert (done.status_code, done.json["state"]) == (200, "published")
    picture = person.api.get(f"/designs/{design_id}").json["pictures"][0]
    assert picture["width"] == picture["height"]
    assert session.scalar(text("select cover ->> 'width' = cover ->> 'height' from designs")) is True
    assert session.scalars(select(Asset.storage_key)).one() == original
    # Back: no steps, published.
    cleared = person.api.request("PUT", path, {"steps": []}).json
    assert cleared["state"] == "plain"
    assert person.api.post(path + "/publish", {}).json["published"] is None
    session.expire_all()
    assert person.api.get(f"/designs/{design_id}").json["pictures"][0]["height"] == shown["height"]
    views = session.execute(select(Derivative.view, func.count()).group_by(Derivative.view)).all()
    assert dict(views) == {"photo": 12}  # four widths in three formats, and nothing left of the edit


def test_color_that_moves_too_far_waits_for_a_person(studio: tuple[Person, str, str], read_files: Any) -> None:
    person, design_id, asset_id = studio
    path = API.format(design_id, asset_id)
    person.api.request("PUT", path, {"steps": [{"kind": "white_balance", "warmth": -60}]})
    read_files()
    draft = person.api.get(path).json
    assert draft["must_confirm"] == ["color"]
    assert draft["report"]["steps"][0]["moved"] > 2
    refused = person.api.post(path + "/publish", {})
    assert (refused.status_code, refused.json["code"]) == (409, "look_first")
    page = person.browser.get(SHOW.format(design_id, asset_id)).get_data(as_text=True)
    assert "Beyond the limit" in page
    assert "the limit is 2.0" in page
    assert person.api.post(path + "/publish", {"confirmed": True}).status_code == 200


def test_undo_and_redo_walk_through_the_changes(studio: tuple[Person, str, str], read_files: Any) -> None:
    person, design_id, asset_id = studio
    page = SHOW.format(design_id, asset_id)
    for stops in ("0.1", "0.3"):
        answer = person.browser.post(page, {"action": "set", "kind": "exposure", "stops": stops})
        assert answer.status_code == 303
    person.browser.post(page, {"action": "set", "kind": "dust", "strength": "40"})

    def now() -> dict[str, Any]:
        found: Any = person.api.get(API.format(design_id, asset_id)).json
        return {step["kind"]: step for step in found["steps"]}

    assert now()["exposure"]["stops"] == 0.3
    person.browser.post(page, {"action": "undo"})
    person.browser.post(page, {"action": "undo"})
    assert now() == {"exposure": {"kind": "exposure", "stops": 0.1}}
    person.browser.post(page, {"action": "redo"})
    assert now()["exposure"]["stops"] == 0.3
    person.browser.post(page, {"action": "remove", "kind": "exposure"})
    assert now() == {}
    refused = person.api.post(API.format(design_id, asset_id) + "/move", {"action": "redo"})
    assert (refused.status_code, refused.json["code"]) == (409, "no_further")
    read_files()
    assert person.api.get(API.format(design_id, asset_id)).json["state"] == "plain"


def test_a_change_on_top_of_another_and_a_step_that_is_none_are_refused(studio: tuple[Person, str, str]) -> None:
    person, design_id, asset_id = studio
    path = API.format(design_id, asset_id)
    person.api.request("PUT", path, {"steps": [{"kind": "dust"}], "version": 0})
    stale = person.api.request("PUT", path, {"steps": [], "version": 0})
    assert (stale.status_code, stale.json["code"]) == (409, "stale_version")
    bad = person.api.request("PUT", path, {"steps": [{"kind": "exposure", "stops": 40}]})
    assert (bad.status_code, bad.json["code"]) == (422, "bad_step")
    page = person.browser.post(SHOW.format(design_id, asset_id), {"action": "set", "kind": "crop", "shape": "9:9"})
    assert page.status_code == 422
    assert "cannot be used" in page.get_data(as_text=True)


def test_enhance_proposes_a_draft_that_the_designer_approves(
    studio: tuple[Person, str, str], read_files: Any, session: Session
) -> None:
    person, design_id, asset_id = studio
    asked = person.api.post(f"/designs/{design_id}/content", {"kinds": ["enhance"]})
    assert asked.status_code == 202
    [job] = asked.json["jobs"]
    read_files()
    assert person.api.get(f"/jobs/{job['id']}").json["state"] == "done"
    edit = person.api.get(API.format(design_id, asset_id)).json
    assert edit["state"] == "ready"
    assert "crop" in [step["kind"] for step in edit["steps"]]
    assert edit["must_confirm"] == []
    assert edit["published"] is None
    before, after = (np.asarray(seen(edit[name]))[:20, :20].mean(axis=(0, 1)) for name in ("before", "after"))
    assert after.mean() > before.mean()
    again = person.api.post(f"/designs/{design_id}/content", {"kinds": ["enhance"]})
    assert (again.status_code, again.json["code"]) == (409, "no_photos")
    assert session.scalar(select(func.count()).select_from(PhotoEdit)) == 1


def test_a_result_that_comes_too_late_is_not_kept(
    studio: tuple[Person, str, str], services: Any, session: Session
) -> None:
    person, design_id, asset_id = studio
    path = API.format(design_id, asset_id)
    first = person.api.request("PUT", path, {"steps": [{"kind": "dust"}]}).json["version"]
    person.api.request("PUT", path, {"steps": [{"kind": "exposure", "stops": 0.1}]})
    with unit_of_work(services.engine, system("test")) as work:
        assert finish(work, asset_id, first, folder="derived/x/", report={}, made=[]) is False
    assert session.get_one(PhotoEdit, asset_id).state == "queued"


def test_a_listed_design_tells_its_buyers_that_a_photo_was_edited(
    studio: tuple[Person, str, str], make: Make, read_files: Any, session: Session
) -> None:
    person, design_id, asset_id = studio
    person.api.request("PUT", API.format(design_id, asset_id), {"steps": [{"kind": "background"}]})
    read_files()
    assert person.api.post(API.format(design_id, asset_id) + "/publish", {"confirmed": True}).status_code == 200
    session.execute(text("update designs set state = 'listed', listed_at = now()"))
    session.commit()
    page = make.person("buyer").browser.get(f"/catalog/{design_id}").get_data(as_text=True)
    assert "Edited photo: Background." in page
    assert page.count('type="image/avif"') == 1
    assert page.count('type="image/webp"') == 1


def test_another_studio_finds_no_photo(studio: tuple[Person, str, str], make: Make) -> None:
    _person, design_id, asset_id = studio
    other = make.person("designer")
    assert other.api.get(API.format(design_id, asset_id)).status_code == 404
    assert other.browser.get(SHOW.format(design_id, asset_id)).status_code == 404


def test_after_unlisting_each_viewer_sees_a_cover_with_its_own_name(
    studio: tuple[Person, str, str], make: Make, read_files: Any, session: Session, services: Any
) -> None:
    person, design_id, _asset = studio
    buyers = [make.person("buyer"), make.person("buyer")]
    session.execute(text("update designs set state = 'removed', listed_at = now()"))
    for buyer in buyers:
        session.add(
            Negotiation(
                design_id=design_id,
                designer_org_id=person.org.id,
                buyer_org_id=buyer.org.id,
                turn="designer",
                expires_at=clock.now(),
                snapshot={},
            )
        )
    session.commit()
    # Until the copies are made they see no picture; its studio sees its own.
    assert [cover(make, design_id, who) for who in buyers] == [None, None]
    own = cover(make, design_id, person)
    with unit_of_work(services.engine, system("test")) as work:
        assert {viewer.org_id for viewer in marks.missing(work)} == {buyer.org.id for buyer in buyers}
        stage(work, JobName.MARK_COVERS, "now", {})
    read_files()
    session.expire_all()
    assert session.scalar(select(func.count()).select_from(MarkedCover)) == 2
    with unit_of_work(services.engine, system("test")) as work:
        assert marks.missing(work) == []
    marked = [cover(make, design_id, who) for who in buyers]
    assert len({own, *marked}) == 3
    first, second, plain = (
        np.asarray(seen(services.storage.image_url(str(key)))).astype(int) for key in (*marked, own)
    )
    assert np.abs(first - plain).mean() > 1
    assert np.abs(first - second).mean() > 0.5


def cover(make: Make, design_id: str, who: Person) -> str | None:
    """The key of the cover that a person is shown on a card."""
    with unit_of_work(make.app.extensions["services"].engine, who.actor) as work:
        return cards(work, [design_id], lambda key: key)[design_id].image_url
