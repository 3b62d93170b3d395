"""A small trade world: a listed design with CAD, an active license, and the people of an order."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset, Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.licensing.models import License, Negotiation, Offer
from marketplace.licensing.terms import Terms
from marketplace.manufacturing.models import CadCopy
from marketplace.orders import operations, routing
from marketplace.orders.models import Order, Quote, Rfq
from marketplace.services import Services
from tests.kit.files import band_stl
from tests.kit.people import Make, Person
from workers.registry import BINDINGS
from workers.run import execute

#: A real ring, 504 corners.
CAD_BYTES = band_stl(thickness_mm=1.8).data
SHA256 = hashlib.sha256(CAD_BYTES).hexdigest()
SHIP_TO = {"name": "Maison Vault", "line1": "9 Secret Street", "city": "London", "country": "GB"}


@dataclass
class World:
    """Everybody and everything; `place`, `quote`, `award`, `pay`, `sign` take an order forward as its parties would."""

    services: Services
    make: Make
    designer: Person
    buyer: Person
    manager: Person
    maker: Person
    design: Design
    cad: Asset
    license: License
    terms: dict[str, Any] = field(default_factory=dict)

    def place(self, quantity: int = 10, *, metal: str = "18k_yellow") -> Order:
        """A new order of the buyer's."""
        with unit_of_work(self.services.engine, self.buyer.actor) as session:
            return operations.place_order(
                session,
                self.buyer.actor,
                self.license.id,
                lines=[operations.Line(quantity, metal, "US 6")],
                ship_to=operations.ShipTo(**SHIP_TO),
            )

    def another_licensee(self, **terms: Any) -> "World":
        """The same design and people with another buyer, whose license has these terms besides the world's."""
        buyer = self.make.person("buyer")
        sheet = {**self.terms, **terms}
        with unit_of_work(self.services.engine, system("test")) as session:
            found = _license(session, self.design, self.cad, self.designer, buyer, sheet)
        return replace(self, buyer=buyer, license=found, terms=sheet)

    def ask(self, order: Order, *makers: Person) -> list[Rfq]:
        """The manager asks workshops (the world's one unless given)."""
        with unit_of_work(self.services.engine, self.manager.actor) as session:
            return routing.request_quotes(
                session, self.manager.actor, order, [m.org.id for m in makers or (self.maker,)]
            )

    def quote(self, rfq: Rfq, by: Person | None = None, *, unit_price: int = 25_000, days: int = 14) -> Quote:
        """A workshop's quote."""
        person = by or self.maker
        offer = routing.Offer(unit_price, 5_000, 21, (clock.now() + timedelta(days=days)).date(), "with care")
        with unit_of_work(self.services.engine, person.actor) as session:
            return routing.submit_quote(session, person.actor, rfq, offer)

    def award(self, order: Order, quote: Quote) -> Order:
        """The manager's decision."""
        with unit_of_work(self.services.engine, self.manager.actor) as session:
            return routing.award(session, self.manager.actor, order, quote.id)

    def awarded(self, quantity: int = 10) -> Order:
        """An order given to the world's workshop."""
        order = self.place(quantity)
        return self.award(order, self.quote(self.ask(order)[0]))

    def pay(self, order: Order) -> None:
        """The payment arrives."""
        with unit_of_work(self.services.engine, system("test")) as session:
            operations.mark_paid(session, system("test"), order.id)

    def paid(self, quantity: int = 10) -> Order:
        """An order whose money is in."""
        order = self.awarded(quantity)
        self.pay(order)
        return order

    def sign(self, order: Order, *, lang: str = "en") -> dict[str, Any]:
        """The workshop reads and signs through the API."""
        text: Any = self.maker.api.get(f"/orders/{order.id}/nda?lang={lang}").json
        body = {"typed_name": self.maker.user.name, "agree": True, "sha256": text["sha256"]}
        answer = self.maker.api.post(f"/orders/{order.id}/nda/sign", body)
        assert answer.status_code == 201, answer.json
        return dict(answer.json or {})

    def link(self, order: Order, by: Person | None = None) -> Any:
        """Ask for a CAD link through the API."""
        return (by or self.maker).api.post(f"/orders/{order.id}/cad-links", {"asset": self.cad.id})

    def make_copies(self) -> list[str]:
        """Have the copies that are asked for made, as the background would; what became of each. Nothing else runs."""
        with unit_of_work(self.services.engine, system("test")) as session:
            query = select(JobRow.id).where(JobRow.name == JobName.MAKE_CAD_COPY, JobRow.state == "queued")
            waiting = session.scalars(query).all()
        return [execute(self.services, BINDINGS, job_id) for job_id in waiting]

    def copied_link(self, order: Order, by: Person | None = None) -> Any:
        """A link to the person's own copy, made on the way when there is none."""
        answer = self.link(order, by)
        if answer.status_code == 202:
            self.make_copies()
            answer = self.link(order, by)
        return answer

    def copies(self, order: Order) -> list[CadCopy]:
        """The copies made for an order, oldest first."""
        with unit_of_work(self.services.engine, system("test")) as session:
            query = select(CadCopy).where(CadCopy.order_id == order.id).order_by(CadCopy.created_at, CadCopy.id)
            return list(session.scalars(query))

    def get(self, model: type[Any], key: str) -> Any:
        """A row as it is now."""
        with unit_of_work(self.services.engine, system("test")) as session:
            return session.get_one(model, key)

    def change(self, model: type[Any], key: str, **values: Any) -> None:
        """Set columns behind the product's back."""
        with unit_of_work(self.services.engine, system("test")) as session:
            row = session.get_one(model, key)
            for name, value in values.items():
                setattr(row, name, value)


def build(make: Make, services: Services, **terms: Any) -> World:
    """A world whose license has these terms besides the usual ones."""
    designer, buyer = make.person("designer"), make.person("buyer")
    manager, maker = make.person("production_manager"), make.person("manufacturer", name="Li Wei")
    sheet = Terms.model_validate(
        {
            "kind": "non_exclusive",
            "territories": ["WORLD"],
            "term_months": 24,
            "max_units": 100,
            "metals": ["gold", "sterling"],
            "fee": {"amount": 100_000, "currency": "USD"},
            "royalty_percent": "7.5",
            "royalty_base": "wholesale",
            **terms,
        }
    ).to_json()
    key = services.storage.new_key("cad")
    services.storage.put(key, CAD_BYTES, "application/octet-stream")
    with unit_of_work(services.engine, system("test")) as session:
        design = Design(org_id=designer.org.id, title="Meridian ring", category="ring", state="listed")
        design.listed_at = clock.now()
        session.add(design)
        session.flush()
        cad = Asset(
            design_id=design.id,
            org_id=designer.org.id,
            kind="cad",
            filename="meridian ring.stl",
            content_type="model/stl",
            size=len(CAD_BYTES),
            sha256=SHA256,
            storage_key=key,
            state="ready",
            progress=100,
        )
        session.add(cad)
        session.flush()
        found = _license(session, design, cad, designer, buyer, sheet)
    return World(services, make, designer, buyer, manager, maker, design, cad, found, sheet)


def _license(
    session: Session, design: Design, cad: Asset, designer: Person, buyer: Person, terms: dict[str, Any]
) -> License:
    snapshot = {
        "title": design.title,
        "category": "ring",
        "facts": [{"name": "volume", "value": 412.5, "unit": "mm3", "source": "measured"}],
        "cad": [{"asset_id": cad.id, "sha256": SHA256, "filename": cad.filename, "size": cad.size}],
    }
    negotiation = Negotiation(
        design_id=design.id,
        designer_org_id=designer.org.id,
        buyer_org_id=buyer.org.id,
        state="accepted",
        turn="buyer",
        expires_at=clock.now() + timedelta(days=7),
        snapshot=snapshot,
    )
    session.add(negotiation)
    session.flush()
    offer = Offer(
        negotiation_id=negotiation.id,
        version=1,
        by_org_id=buyer.org.id,
        by_user_id=buyer.user.id,
        side="buyer",
        terms=terms,
        terms_hash="0" * 64,
    )
    session.add(offer)
    session.flush()
    found = License(
        negotiation_id=negotiation.id,
        offer_id=offer.id,
        design_id=design.id,
        designer_org_id=designer.org.id,
        buyer_org_id=buyer.org.id,
        terms=terms,
        terms_hash="0" * 64,
        kind=terms["kind"],
        fee_amount=terms["fee"]["amount"],
        currency=terms["fee"]["currency"],
        state="active",
        active_from=clock.now() - timedelta(days=1),
        active_until=clock.now() + timedelta(days=700),
    )
    session.add(found)
    session.flush()
    return found


@pytest.fixture
def world(make: Make, services: Services) -> World:
    """The usual world."""
    return build(make, services)
