"""CAD links: minted only when everything holds, spent once, everything else refused and audited."""

import hashlib
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, text

from marketplace.accounts.models import Organization, User
from marketplace.audit.models import AuditEvent
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.manufacturing.models import CadCopy, CadLink, Nda
from marketplace.manufacturing.queries import cad_fetches
from marketplace.orders.models import Order
from tests.features.orders.world import CAD_BYTES, World


def _path(link: dict[str, str]) -> str:
    return "/cad/" + link["url"].rpartition("/cad/")[2]


def _ready(world: World) -> Order:
    order = world.paid()
    world.sign(order)
    world.make_copies()
    return order


def _events(world: World, action: str) -> list[AuditEvent]:
    with unit_of_work(world.services.engine, system("test")) as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)))


def test_the_workshop_downloads_the_licensed_bytes_once(
    world: World, run_jobs: Callable[[], Any], mails: Callable[..., list[dict[str, Any]]]
) -> None:
    order = _ready(world)
    link = world.link(order)
    assert link.status_code == 201
    answer = world.make.app.test_client().get(_path(link.json))
    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"
    target = answer.headers["Location"]
    assert "X-Amz-Expires=60" in target
    assert world.cad.filename.replace(" ", "%20") not in target.partition("?")[0]
    got = requests.get(target, timeout=60)
    assert got.content != CAD_BYTES
    assert len(got.content) == len(CAD_BYTES)
    copy = world.get(CadCopy, link.json["cad_copy"]["id"])
    assert hashlib.sha256(got.content).hexdigest() == copy.sha256 == link.json["cad_copy"]["sha256"]
    assert (copy.state, copy.original_sha256) == ("fetched", world.cad.sha256)
    assert got.headers["Content-Disposition"].startswith("attachment")
    again = world.maker.browser.get(_path(link.json))
    assert again.status_code == 409
    assert "Location" not in again.headers
    run_jobs()
    assert any("fetched" in m["subject"] for m in mails(world.designer.user.email))


def test_the_designer_sees_who_fetched_what_under_which_nda(world: World) -> None:
    order = _ready(world)
    world.make.app.test_client().get(_path(world.link(order).json))
    with unit_of_work(world.services.engine, system("test")) as session:
        [fetch] = cad_fetches(session, world.design.id)
    assert (fetch.person, fetch.maker, fetch.nda_version) == ("Li Wei", world.maker.org.name, 1)
    assert fetch.used_at is not None
    for path in (f"/orders/{order.id}", f"/designs/{world.design.id}/cad-log"):
        page = world.designer.browser.get(path)
        assert page.status_code == 200
        assert "Li Wei" in page.get_data(as_text=True)
    assert world.buyer.api.get(f"/orders/{order.id}/cad-links").json["items"] == []
    for action in ("cad.link_minted", "cad.fetched"):
        assert [e.owner_org_id for e in _events(world, action)] == [world.designer.org.id]


def test_the_page_button_leads_to_the_file(world: World) -> None:
    order = _ready(world)
    answer = world.maker.browser.post(f"/orders/{order.id}/cad-links", {"asset": world.cad.id})
    assert answer.status_code == 303
    onward = world.maker.browser.get(answer.headers["Location"])
    got = requests.get(onward.headers["Location"], timeout=60).content
    [copy] = world.copies(order)
    assert hashlib.sha256(got).hexdigest() == copy.sha256


def _revoke(world: World, order: Order) -> None:
    with unit_of_work(world.services.engine, system("test")) as session:
        for nda in session.scalars(select(Nda).where(Nda.order_id == order.id)):
            nda.revoked_at = clock.now()


_BREAKS: dict[str, Callable[[World, Order], None]] = {
    "vetted": lambda w, o: w.change(Organization, w.maker.org.id, state="suspended"),
    "confirmed": lambda w, o: w.change(User, w.maker.user.id, email_confirmed_at=None),
    "suspended": lambda w, o: w.change(User, w.maker.user.id, suspended_at=clock.now()),
    "assigned": lambda w, o: w.change(Order, o.id, maker_org_id=w.make.org("manufacturer").id),
    "nda": _revoke,
    "state": lambda w, o: w.change(Order, o.id, state="shipped"),
    "file": lambda w, o: w.change(Asset, w.cad.id, sha256="f" * 64),
    "pin": lambda w, o: w.change(Order, o.id, cad=[]),
}


@pytest.mark.parametrize("broken", [(), *itertools.combinations(_BREAKS, 1), *itertools.combinations(_BREAKS, 2)])
def test_no_link_is_made_or_honored_unless_everything_holds(world: World, broken: tuple[str, ...]) -> None:
    order = _ready(world)
    link = world.link(order).json
    for name in broken:
        _BREAKS[name](world, order)
    minted = world.link(order)
    fetched = world.make.app.test_client().get(_path(link))
    assert (minted.status_code == 201) == (not broken), minted.json
    assert (fetched.status_code == 303) == (not broken)
    if broken:
        assert "Location" not in fetched.headers
        assert world.get(CadLink, _events(world, "cad.link_minted")[0].details["link"]).used_at is None
        assert _events(world, "cad.fetch_refused")[-1].owner_org_id == world.designer.org.id


def test_without_a_signature_the_answer_is_nda_required_and_the_designer_can_read_of_it(world: World) -> None:
    order = world.paid()
    answer = world.link(order)
    assert (answer.status_code, answer.json["code"]) == (403, "nda_required")
    [event] = _events(world, "cad.link_refused")
    assert (event.owner_org_id, event.details["code"]) == (world.designer.org.id, "nda_required")


def test_a_workshop_that_only_quoted_is_not_assigned_and_a_stranger_finds_nothing(world: World) -> None:
    quoter, stranger = world.make.person("manufacturer"), world.make.person("manufacturer")
    order = world.place()
    mine, _other = sorted(world.ask(order, world.maker, quoter), key=lambda r: r.maker_org_id != world.maker.org.id)
    world.award(order, world.quote(mine))
    world.pay(order)
    answer = world.link(order, quoter)
    assert (answer.status_code, answer.json["code"]) == (403, "not_assigned")
    assert world.link(order, stranger).status_code == 404
    for person in (world.buyer, world.designer, world.manager):
        assert world.link(order, person).status_code == 403
    assert [e.owner_org_id for e in _events(world, "cad.link_refused")] == [world.designer.org.id]


def test_an_expired_tampered_or_foreign_link_opens_nothing(world: World) -> None:
    order = _ready(world)
    client = world.make.app.test_client()
    link = world.link(order).json
    token = _path(link)
    assert client.get(token[:-1] + ("A" if token[-1] != "A" else "B")).status_code == 400
    other = world.make.person("manufacturer")
    assert other.browser.get(token).status_code == 404
    with clock.frozen(datetime.now(UTC) + timedelta(seconds=62)):
        assert client.get(token).status_code == 410
    assert client.get(token).status_code == 303


def test_a_link_of_somebody_who_left_the_workshop_is_worth_nothing(world: World) -> None:
    order = _ready(world)
    link = world.link(order).json
    with unit_of_work(world.services.engine, system("test")) as session:
        session.execute(text("delete from memberships where user_id = :u"), {"u": world.maker.user.id})
    assert world.make.app.test_client().get(_path(link)).status_code == 403


def test_an_unpaid_order_keeps_the_file_closed_even_with_the_nda_signed(world: World) -> None:
    order = world.awarded()
    world.sign(order)
    answer = world.link(order)
    assert (answer.status_code, answer.json["code"]) == (409, "order_not_open")


def test_the_database_itself_shows_the_cad_row_only_while_the_nda_is_in_force(world: World) -> None:
    engine = world.make.app.extensions["services"].engine
    query = select(func.count()).select_from(Asset).where(Asset.id == world.cad.id)

    def seen(person: Any) -> int:
        with unit_of_work(engine, person.actor) as session:
            return session.scalars(query).one()

    order = world.paid()
    assert seen(world.maker) == 0
    world.sign(order)
    assert seen(world.maker) == 1
    other = world.make.person("manufacturer")
    assert [seen(p) for p in (world.buyer, world.manager, other)] == [0, 0, 0]
    world.designer.api.post(f"/orders/{order.id}/nda/revoke")
    assert seen(world.maker) == 0
    assert seen(world.designer) == 1
