"""What each party reads in the database of a refund and a dispute: a payee no more than its own share."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.db.unit_of_work import open_session, set_actor, unit_of_work
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, system
from marketplace.payments.claims import Dispute, Refund
from marketplace.payments.models import Checkout, Transfer
from marketplace.services import Services
from tests.kit.people import Make, Person

SYSTEM = system("test")
TABLES = ("refunds", "disputes")


@dataclass
class Deal:
    """A paid order of two payees (800.00 and 200.00), with a refund and a dispute over 500.00."""

    make: Make
    buyer: Person
    designer: Person
    maker: Person
    ids: dict[str, str]

    def ask(self, actor: Actor, statement: str, **values: Any) -> list[Any]:
        """Rows of a raw statement of the web role as `actor`; nothing is kept."""
        session = open_session(self.make.app.extensions["services"].engine)
        try:
            set_actor(session, actor)
            return list(session.connection().execute(text(statement), values))
        finally:
            session.rollback()
            session.close()


@pytest.fixture
def deal(services: Services, make: Make) -> Deal:
    buyer, designer, maker = (make.person(kind) for kind in ("buyer", "designer", "manufacturer"))
    parts = [(maker, "production", 80_000), (designer, "royalty", 20_000)]
    moment = clock.now()
    with unit_of_work(services.engine, SYSTEM) as session:
        about = {"about": {"design": "Onda", "quantity": 1, "reference": "R1"}, "description": "Order R1: Onda × 1"}
        known = {"purpose": "order", "subject_id": "ord_1", "payer_org_id": buyer.org.id, "currency": "USD", **about}
        fees: dict[str, Any] = {"fee_bps": 0, "fee_since": moment.date()}
        paid = Checkout(
            **known, **fees, amount=100_000, state="paid", paid_at=moment, success_path="/", cancel_path="/",
            splits=[{"org_id": p.org.id, "kind": k, "gross": g, "fee": 0, "net": g} for p, k, g in parts],
        )  # fmt: skip
        session.add(paid)
        session.flush()
        # What was taken back by hand is owed once more, and is no larger share of the payment for that.
        for person, kind, gross, part in [(*p, "whole") for p in parts] + [(maker, "production", 999, "again1")]:
            session.add(Transfer(**known, **fees, org_id=person.org.id, checkout_id=paid.id, kind=kind, gross=gross,
                                 milestone=part, fee=0, amount=gross, state="held"))  # fmt: skip
        common = {**known, "checkout_id": paid.id, "orgs": sorted(p.org.id for p, _k, _g in parts), "amount": 50_000}
        refund = Refund(**common, reason="quality")
        dispute = Dispute(**common, stripe_dispute_id="du_own", reason="fraudulent", status="needs_response",
                          withdrawn=50_000, opened_at=moment)  # fmt: skip
        session.add_all([refund, dispute])
        session.flush()
        ids = {"refunds": refund.id, "disputes": dispute.id}
    return Deal(make, buyer, designer, maker, ids)


@pytest.mark.parametrize("table", TABLES)
def test_a_payee_of_several_reads_its_own_share_and_nothing_else(deal: Deal, table: str) -> None:
    for person, share in ((deal.designer, 20_000), (deal.maker, 80_000)):
        assert deal.ask(person.actor, f"select id from {table}") == []
        [row] = deal.ask(person.actor, f"select id, amount from shared_{table}()")
        assert (row.id, row.amount) == (deal.ids[table], share)
        assert "50000" not in str(deal.ask(person.actor, f"select t::text from shared_{table}() t"))


@pytest.mark.parametrize("table", TABLES)
def test_the_payer_and_the_platform_read_the_whole_and_a_stranger_nothing(deal: Deal, table: str) -> None:
    for person in (deal.buyer, deal.make.person("operator")):
        [row] = deal.ask(person.actor, f"select amount from {table}")
        assert row.amount == 50_000
        assert deal.ask(person.actor, f"select id from shared_{table}()") == []
    stranger = deal.make.person("designer").actor
    assert deal.ask(stranger, f"select id from {table} union all select id from shared_{table}()") == []


def test_the_only_payee_reads_and_decides_about_the_whole(deal: Deal, services: Services) -> None:
    with unit_of_work(services.engine, SYSTEM) as session:
        session.get_one(Refund, deal.ids["refunds"]).orgs = [deal.designer.org.id]
    actor = deal.designer.actor
    assert [row.amount for row in deal.ask(actor, "select amount from refunds")] == [50_000]
    assert [row.amount for row in deal.ask(actor, "select amount from shared_refunds()")] == [50_000]
    assert len(deal.ask(actor, "update refunds set state = 'declined' returning id")) == 1
    assert deal.ask(deal.maker.actor, "update refunds set state = 'declined' returning id") == []


def test_a_payee_of_several_changes_and_adds_nothing(deal: Deal) -> None:
    actor = deal.maker.actor
    assert deal.ask(actor, "update refunds set amount = 1 returning id") == []
    assert deal.ask(actor, "delete from refunds returning id") == []
    assert deal.ask(actor, "update disputes set amount = 1 returning id") == []
    with pytest.raises(DBAPIError, match="row-level security"):
        deal.ask(
            actor,
            'insert into refunds select (jsonb_populate_record(r, \'{"id": "rfn_mine"}\')).* from shared_refunds() r',
        )


@pytest.mark.parametrize("table", TABLES)
def test_the_pages_show_each_its_own(deal: Deal, table: str) -> None:
    path = f"/{table}/{deal.ids[table]}"
    shown = {who: getattr(deal, who).browser.get(path).text for who in ("buyer", "designer", "maker")}
    assert "$500.00" in shown["buyer"]
    for who, own in (("designer", "$200.00"), ("maker", "$800.00")):
        assert own in shown[who]
        assert "$500.00" not in shown[who]
        assert getattr(deal, who).api.get(path).json["amount"]["amount"] in {20_000, 80_000}
