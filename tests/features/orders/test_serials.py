"""Serials: numbers of pieces, counted across all licensees, under any race (NEG-05)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.actor import system
from marketplace.kernel.errors import Conflict
from marketplace.licensing.models import License
from marketplace.licensing.serials import numbers, serials, units
from marketplace.notifications.models import Notification
from marketplace.orders import operations
from marketplace.services import Services
from tests.features.orders.world import World, build
from tests.kit.instance import Instance
from tests.kit.people import Make


def numbered(world: World) -> str:
    with unit_of_work(world.services.engine, system("test")) as session:
        return numbers(serials(session, license_id=world.license.id))


def left(world: World) -> int | None:
    with unit_of_work(world.services.engine, world.buyer.actor) as session:
        return units(session, world.license).left


def told(world: World) -> set[tuple[str, str]]:
    """(kind, organization) of every note about units."""
    with unit_of_work(world.services.engine, system("test")) as session:
        kinds = ("units_80", "units_100", "edition_80", "edition_100")
        query = select(Notification.kind, Notification.org_id).where(Notification.kind.in_(kinds))
        return {(row.kind, row.org_id) for row in session.execute(query)}


def test_an_order_reserves_numbers_and_its_end_gives_them_back(make: Make, services: Services) -> None:
    world = build(make, services, max_units=100)
    first, second = world.place(10), world.place(5)
    assert (numbered(world), left(world)) == ("1–10, 11–15", 85)
    with unit_of_work(services.engine, world.buyer.actor) as session:
        operations.cancel(session, world.buyer.actor, first, None)
    assert (numbered(world), left(world)) == ("11–15", 95)
    world.place(12)
    assert numbered(world) == "1–10, 11–15, 16–17"
    page = world.buyer.browser.get(f"/orders/{second.id}").get_data(as_text=True)
    assert "11–15" in page
    assert "11–15" not in world.manager.browser.get(f"/orders/{second.id}").get_data(as_text=True)


def test_more_than_the_license_leaves_is_refused_and_the_rest_is_named(make: Make, services: Services) -> None:
    world = build(make, services, max_units=100)
    world.place(95)
    with pytest.raises(Conflict) as caught:
        world.place(6)
    assert (caught.value.code, caught.value.extra) == ("units_exceeded", {"units_left": 5})
    world.place(5)
    assert left(world) == 0
    page = world.buyer.browser.get(f"/licenses/{world.license.id}").get_data(as_text=True)
    assert "100 of 100" in page
    assert "nothing more can be made" in page


def test_an_edition_counts_everybody(make: Make, services: Services) -> None:
    """NEG-05: 50 pieces for all licensees, whatever their own license allows, elsewhere or not."""
    world = build(make, services, kind="limited_edition", max_units=50, territories=["DE"])
    other = world.another_licensee(kind="non_exclusive", max_units=None, territories=["FR"])
    third = world.another_licensee(kind="limited_edition", max_units=60, territories=["JP"])
    world.place(20)
    other.place(15)
    assert (left(world), left(other), left(third)) == (15, 15, 15)
    with pytest.raises(Conflict) as caught:
        third.place(16)
    assert (caught.value.code, caught.value.extra) == ("units_exceeded", {"units_left": 15})
    assert "50" in str(caught.value)
    third.place(15)
    assert (numbered(world), numbered(other), numbered(third)) == ("1–20", "21–35", "36–50")
    new = third.buyer.browser.get(f"/orders/new/{third.license.id}").get_data(as_text=True)
    assert "0 pieces are left: the edition is of 50" in new


def test_both_sides_are_told_at_80_and_at_100_percent(make: Make, services: Services) -> None:
    world = build(make, services, max_units=10)
    world.place(7)
    assert told(world) == set()
    world.place(1)
    eighty = {("units_80", world.designer.org.id), ("units_80", world.buyer.org.id)}
    assert told(world) == eighty
    world.place(2)
    assert told(world) == eighty | {("units_100", world.designer.org.id), ("units_100", world.buyer.org.id)}


def test_of_an_edition_every_licensee_is_told_and_nobodys_name(
    make: Make, services: Services, run_jobs: Callable[..., dict[str, str]]
) -> None:
    world = build(make, services, kind="limited_edition", max_units=10, territories=["DE"])
    other = world.another_licensee(kind="non_exclusive", max_units=None, territories=["FR"])
    gone = world.another_licensee(kind="non_exclusive", max_units=None, territories=["JP"])
    with unit_of_work(services.engine, system("test")) as session:
        session.get_one(License, gone.license.id).state = "expired"
    world.place(8)
    run_jobs()
    parties = {world.designer.org.id, world.buyer.org.id, other.buyer.org.id}
    assert {org for kind, org in told(world) if kind == "edition_80"} == parties
    with unit_of_work(services.engine, system("test")) as session:
        (note,) = session.scalars(select(Notification).where(Notification.org_id == other.buyer.org.id))
        assert note.path == f"/licenses/{other.license.id}"
        assert world.buyer.org.name not in str(note.params)


def test_the_database_counts_by_itself(make: Make, services: Services, instance: Instance) -> None:
    world = build(make, services, kind="limited_edition", max_units=10)
    other = world.another_licensee(kind="non_exclusive", max_units=3)
    world.place(6)
    for license_id, first, last, refused in (
        (world.license.id, 6, 7, "ex_serials_numbers"),
        (other.license.id, 7, 10, "the license allows 3 pieces"),
        (world.license.id, 7, 11, "the license allows 10 pieces"),
        (other.license.id, 1, 0, "ck_serials_numbers"),
    ):
        with pytest.raises(IntegrityError, match=refused), instance.owner.begin() as connection:
            connection.execute(_INSERT, {"id": "srl_raw", "license": license_id, "first": first, "last": last})
    with instance.owner.begin() as connection:
        connection.execute(_INSERT, {"id": "srl_raw", "license": other.license.id, "first": 7, "last": 9})
    with instance.owner.begin() as connection:
        unlimited = text("update licenses set terms = terms - 'max_units' where id = :license")
        connection.execute(unlimited, {"license": other.license.id})
    with pytest.raises(IntegrityError, match="the edition is of 10 pieces"), instance.owner.begin() as connection:
        connection.execute(_INSERT, {"id": "srl_more", "license": other.license.id, "first": 10, "last": 11})


_INSERT = text(
    "insert into serials (id, license_id, design_id, designer_org_id, buyer_org_id, first, last, created_at)"
    " select :id, l.id, l.design_id, l.designer_org_id, l.buyer_org_id, :first, :last, now() from licenses l"
    " where l.id = :license"
)


def test_of_many_buyers_at_once_the_last_pieces_go_to_one(make: Make, services: Services) -> None:
    """NEG-05: eight orders of three licensees race for the last pieces; the numbers never pass the edition."""
    world = build(make, services, kind="limited_edition", max_units=20)
    everybody = [world, *(world.another_licensee(kind="non_exclusive", max_units=None) for _ in range(2))]
    start = Barrier(8)

    def order(buyer: World, quantity: int) -> Any:
        start.wait()
        try:
            return buyer.place(quantity).quantity
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        found = [f.result() for f in [pool.submit(partial(order, everybody[n % 3], 6)) for n in range(8)]]
    assert sorted(map(str, found)) == ["6"] * 3 + ["units_exceeded"] * 5
    taken = sorted(n for one in everybody for row in _ranges(one) for n in range(row[0], row[1] + 1))
    assert taken == list(range(1, 19))
    assert left(world) == 2


def _ranges(world: World) -> list[tuple[int, int]]:
    with unit_of_work(world.services.engine, system("test")) as session:
        return [(row.first, row.last) for row in serials(session, license_id=world.license.id)]
