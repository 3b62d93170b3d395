"""A workshop's own copies: one person, one signature, one download; and whose copy a suspect file is."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from marketplace import cli
from marketplace.audit.models import AuditEvent
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset
from marketplace.kernel.actor import system
from marketplace.manufacturing.copies import KEPT_FOR
from marketplace.manufacturing.investigate import Investigation
from marketplace.manufacturing.models import CadCopy, CadCopyKey, CadLink, CadShape, CadTrace
from marketplace.manufacturing.tracing import Finding
from marketplace.orders.models import Order
from tests.features.orders.world import CAD_BYTES, World
from tests.kit.people import Person
from tests.pipeline import reexport


@pytest.fixture
def order(world: World) -> Order:
    """Paid, and the NDA signed: the signer's copy is under way."""
    found = world.paid()
    world.sign(found)
    return found


def _download(world: World, order: Order) -> bytes:
    url = world.copied_link(order).json["url"]
    onward = world.make.app.test_client().get("/cad/" + url.rpartition("/cad/")[2])
    return requests.get(onward.headers["Location"], timeout=60).content


def _again(data: bytes, scratch: Path) -> Path:
    """The copy shuffled, turned and saved as OBJ."""
    (scratch / "leaked").write_bytes(data)
    mesh = reexport.mesh_of(scratch / "leaked", "STL")
    return reexport.write_text_obj(reexport.shuffled(reexport.quarter_turned(mesh, 1), 5), scratch / "found.obj")


def _trace(world: World, path: Path, scratch: Path) -> Finding:
    own = scratch / f"trace-{path.stem}"
    own.mkdir()
    return Investigation(world.services, system("test"), own, lambda _percent: None).trace(path, path.name)


def test_signing_begins_the_copy_and_asking_tells_how_far_it_is(world: World, order: Order) -> None:
    answer = world.link(order)
    assert answer.status_code == 202
    told = answer.json["cad_copy"]
    assert (answer.json["url"], told["state"], told["sha256"]) == (None, "preparing", None)
    assert world.link(order).json["cad_copy"]["id"] == told["id"]
    [copy] = world.copies(order)
    assert copy.id == told["id"]
    world.make_copies()
    answer = world.link(order)
    assert answer.status_code == 201
    [item] = world.maker.api.get(f"/orders/{order.id}/cad-copies").json["items"]
    assert (item["state"], item["level"], item["progress"]) == ("ready", "geometry", 100)
    assert item["sha256"] != item["original_sha256"] == world.cad.sha256
    assert world.designer.api.get(f"/orders/{order.id}/cad-copies").json["items"] == [item]
    assert world.buyer.api.get(f"/orders/{order.id}/cad-copies").json["items"] == []


def test_every_download_is_another_copy_with_another_secret(world: World, order: Order) -> None:
    first, second = _download(world, order), _download(world, order)
    assert len({first, second, CAD_BYTES}) == 3
    one, two = world.copies(order)
    assert {one.state, two.state} == {"fetched"}
    with unit_of_work(world.services.engine, system("test")) as session:
        keys = session.scalars(select(CadCopyKey)).all()
        links = session.scalars(select(CadLink).where(CadLink.used_at.is_not(None))).all()
    assert len({key.secret for key in keys}) == 2
    assert {len(key.secret) for key in keys} == {16}
    assert {link.copy_id for link in links} == {one.id, two.id}


def test_two_links_to_one_copy_open_once(world: World, order: Order) -> None:
    world.make_copies()
    one, two = (world.link(order).json for _ in range(2))
    assert one["cad_copy"]["id"] == two["cad_copy"]["id"]
    client = world.make.app.test_client()
    paths = ["/cad/" + link["url"].rpartition("/cad/")[2] for link in (one, two)]
    assert [client.get(path).status_code for path in paths] == [303, 409]


def test_no_copy_is_begun_while_a_condition_is_missing(world: World) -> None:
    order = world.awarded()
    world.sign(order)
    assert world.link(order).status_code == 409
    assert world.copies(order) == []


def test_a_new_version_of_the_nda_ends_the_copies_made_under_the_old_one(world: World, order: Order) -> None:
    world.make_copies()
    world.designer.api.post(f"/orders/{order.id}/nda/issue", {})
    assert world.link(order).json["code"] == "nda_required"
    world.sign(world.get(Order, order.id))
    answer = world.copied_link(order)
    assert answer.status_code == 201
    old, new = world.copies(order)
    assert (old.state, new.state, new.nda_version) == ("void", "ready", 2)
    assert answer.json["cad_copy"]["id"] == new.id


def test_a_copy_about_to_be_deleted_is_made_anew(world: World, order: Order) -> None:
    world.make_copies()
    [copy] = world.copies(order)
    assert copy.keep_until is not None
    world.change(CadCopy, copy.id, keep_until=copy.keep_until - KEPT_FOR)
    assert world.link(order).status_code == 202
    assert [item.state for item in world.copies(order)] == ["void", "preparing"]


def test_a_copy_that_cannot_be_made_says_so_and_may_be_asked_for_again(world: World, order: Order) -> None:
    key = world.get(Asset, world.cad.id).storage_key
    world.services.storage.put(key, b"x" * len(CAD_BYTES), "application/octet-stream")
    assert world.make_copies() == ["failed"]
    [copy] = world.copies(order)
    assert copy.state == "failed"
    page = world.maker.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert "Your copy could not be made" in page
    world.services.storage.put(key, CAD_BYTES, "application/octet-stream")
    assert world.copied_link(order).status_code == 201


def test_the_page_goes_from_preparing_to_download_and_shows_the_copys_own_hash(world: World, order: Order) -> None:
    page = world.maker.browser.get(f"/orders/{order.id}").get_data(as_text=True)
    assert "Preparing your copy" in page
    part = f"/orders/{order.id}/cad-copies"
    assert f'hx-get="{part}"' in page
    world.make_copies()
    htmx = {"HX-Request": "true"}
    row = world.maker.browser.client.get(part, headers=htmx).get_data(as_text=True)
    [copy] = world.copies(order)
    assert copy.sha256 is not None
    assert copy.sha256 in row
    assert "hx-get" not in row
    assert re.search(r"data-download", row)
    assert world.maker.browser.get(part).status_code == 303
    assert world.designer.browser.get(part).status_code == 403
    _download(world, order)
    again = world.maker.browser.client.get(part, headers=htmx).get_data(as_text=True)
    assert "Prepare my copy" in again
    answer = world.maker.browser.post(f"/orders/{order.id}/cad-links", {"asset": world.cad.id})
    assert answer.headers["Location"].endswith(f"/orders/{order.id}#cad")
    assert world.copies(order)[-1].state == "preparing"


def test_pages_cannot_read_secrets_and_strangers_no_copies(world: World, order: Order) -> None:
    world.make_copies()
    engine = world.make.app.extensions["services"].engine

    def seen(person: Person, model: type[Any]) -> int:
        with unit_of_work(engine, person.actor) as session:
            return len(session.scalars(select(model)).all())

    stranger = world.make.person("manufacturer")
    people = (world.maker, world.designer, world.buyer, world.manager, stranger)
    assert [seen(person, CadCopy) for person in people] == [1, 1, 0, 0, 0]
    for model in (CadCopyKey, CadShape, CadTrace):
        assert [seen(person, model) for person in people] == [0] * 5
    with pytest.raises(DBAPIError), unit_of_work(engine, stranger.actor) as session:
        session.add(CadCopyKey(copy_id=world.copies(order)[0].id, secret=b"0" * 16, tag="0" * 32))


def test_a_leaked_copy_names_its_download_with_the_evidence(world: World, order: Order, tmp_path: Path) -> None:
    suspect = _again(_download(world, order), tmp_path)
    _download(world, order)
    found = _trace(world, suspect, tmp_path)
    assert found.verdict == "named"
    [item] = found.evidence
    assert item.copy_id == world.copies(order)[0].id
    assert (item.by, item.person, item.maker) == ("geometry", "Li Wei", world.maker.org.name)
    assert (item.nda_version, item.typed_name, item.email) == (1, "Li Wei", world.maker.user.email)
    assert item.chance_power is not None
    assert item.chance_power < -9
    assert item.fetched_at is not None
    assert (found.copies_compared, found.copies_on_file, found.originals_compared) == (2, 2, 1)


def test_the_very_file_the_original_and_a_stranger_are_told_apart(world: World, order: Order, tmp_path: Path) -> None:
    data = _download(world, order)
    (tmp_path / "renamed.stl").write_bytes(data)
    named = _trace(world, tmp_path / "renamed.stl", tmp_path)
    assert (named.verdict, named.evidence[0].by) == ("named", "bytes")
    (tmp_path / "original.stl").write_bytes(CAD_BYTES)
    assert _trace(world, tmp_path / "original.stl", tmp_path).verdict == "original"
    unmarked = _again(CAD_BYTES, tmp_path)
    nothing = _trace(world, unmarked, tmp_path)
    assert (nothing.verdict, nothing.evidence, nothing.copies_compared) == ("none", [], 1)
    (tmp_path / "broken.stl").write_bytes(b"solid nothing")
    assert _trace(world, tmp_path / "broken.stl", tmp_path).verdict == "unreadable"


def test_the_command_line_names_the_download(
    world: World, order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspect = _again(_download(world, order), tmp_path)
    monkeypatch.setattr(cli, "Services", lambda *_args, **_more: world.services)
    answer = CliRunner().invoke(cli.main, ["trace", str(suspect)])
    assert answer.exit_code == 0, answer.output
    for word in (world.copies(order)[0].id, "Li Wei", "version 1", order.reference, "10^"):
        assert word in answer.output
    unknown = CliRunner().invoke(cli.main, ["trace", str(_again(CAD_BYTES, tmp_path))])
    assert unknown.exit_code == 1
    assert "No origin found." in unknown.output


def test_the_operator_hands_in_a_file_and_reads_whose_it_is(
    world: World, order: Order, tmp_path: Path, run_jobs: Callable[[], Any]
) -> None:
    suspect = _again(_download(world, order), tmp_path)
    operator = world.make.person("operator")
    answer = _hand_in(operator, suspect.name, suspect.read_bytes())
    assert answer.status_code == 303
    path = answer.headers["Location"]
    assert "Comparing with every copy on file" in operator.browser.get(path).get_data(as_text=True)
    run_jobs()
    page = operator.browser.get(path).get_data(as_text=True)
    for word in ("Li Wei", world.maker.org.name, order.reference, "10^", world.copies(order)[0].sha256 or "-"):
        assert word in page
    assert "Origin named" in operator.browser.get("/desk/trace").get_data(as_text=True)
    with unit_of_work(world.services.engine, system("test")) as session:
        [row] = session.scalars(select(CadTrace)).all()
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "cad.traced")).all()
    assert (row.state, row.storage_key) == ("done", None)
    assert event.details["copies"] == [world.copies(order)[0].id]
    for person in (world.maker, world.designer):
        assert person.browser.get("/desk/trace").status_code == 403
        assert person.browser.get(path).status_code in (403, 404)


def _hand_in(operator: Person, name: str, data: bytes) -> Any:
    operator.browser.get("/terms")
    head = 'Content-Disposition: form-data; name="{}"'
    token = f"--part\r\n{head.format('csrf_token')}\r\n\r\n{operator.browser.csrf}\r\n"
    file = f'--part\r\n{head.format("file")}; filename="{name}"\r\n\r\n'
    body = token.encode() + file.encode() + data + b"\r\n--part--\r\n"
    return operator.browser.client.post("/desk/trace", data=body, content_type="multipart/form-data; boundary=part")


@pytest.mark.parametrize(("name", "data"), [("", b"x"), ("ring.stl", b""), ("ring.exe", b"MZ" * 50)])
def test_a_bad_suspect_is_refused_with_a_reason(world: World, name: str, data: bytes) -> None:
    answer = _hand_in(world.make.person("operator"), name, data)
    assert answer.status_code == 422
    with unit_of_work(world.services.engine, system("test")) as session:
        assert session.scalars(select(CadTrace)).all() == []


def test_only_the_operator_may_send_a_large_body(world: World) -> None:
    data = b"\0" * (3 << 20)
    assert _hand_in(world.maker, "ring.stl", data).status_code in (403, 413)
    assert _hand_in(world.make.person("operator"), "ring.stl", data).status_code == 303
