"""One deal from the first offer to the dispute: a designer in English and a buyer in Chinese, through pages alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from demo import acts
from demo.transport import OverHttp
from tests.journeys.live import OPERATOR
from tests.journeys.navigators import Desk, License, Negotiation, Payment, in_days
from tests.journeys.stage import Stage
from tests.journeys.window import WORK, Who, Window
from tests.kit.people import PASSWORD as OPERATORS

CHEN_LI = Who("buyer", "陈丽", "chenli@deal.example", "丽晶珠宝", "HK", "zh_Hans")
ENGRAVED = "永恒"


@dataclass
class Deal:
    """The two windows and what came about."""

    stage: Stage
    designer: Window
    buyer: Window
    license: str = ""

    def id_of(self, query: str, **values: str) -> str:
        """One id from the database, waited for."""
        for _ in range(WORK // 500):
            if self.stage.live.count(f"select count(*) from ({query}) found", **values):
                return self.stage.live.text(query, **values)
            self.buyer.page.wait_for_timeout(500)
        raise AssertionError(f"nothing came of: {query}")


@pytest.fixture
def deal(stage: Stage, browser: Browser) -> Iterator[Deal]:
    """Iris of the stage, and a new buyer who was let in."""
    buyer, designer = Window(browser, stage.live, CHEN_LI), Window(browser, stage.live, stage.who("designer"))
    Desk(buyer).join()
    acts.approve(OverHttp(stage.live.base_url), OPERATOR, OPERATORS, names=[CHEN_LI.business])
    Desk(buyer).sign_in()
    Desk(designer).sign_in()
    yield Deal(stage, designer, buyer)
    buyer.close()
    designer.close()


def test_a_deal_goes_from_a_collision_over_five_rounds_to_statement_refund_and_dispute(deal: Deal) -> None:
    for act in (collision, rounds, signing, paying, statement, refund, dispute):
        act(deal)
        for window in (deal.designer, deal.buyer):
            window.is_clean()


def collision(deal: Deal) -> None:
    """Round 1: exclusive rights that somebody holds in part already are caught, and the nearest free ones sent."""
    buyer = deal.buyer
    buyer.open(f"/negotiations/new?design={deal.stage.ids['design']}")
    buyer.choose("kind", "exclusive")
    buyer.choose("where", "countries")
    for country in ("GB", "HK"):
        buyer.choose("territories", country)
    for name, value in (("fee", "3000"), ("term_months", "24"), ("royalty_percent", "7.5")):
        buyer.fill(name, value)
    buyer.unfold("More terms")
    buyer.fill("advance", "500")
    buyer.choose("derivatives", "adapt")
    buyer.fill("valid_until", in_days(10))
    with buyer.expecting(409):
        buyer.press("Send offer")
        buyer.sees("Rights in these terms are taken")
    assert deal.stage.player.made["license"] not in buyer.page.content()
    assert "Meridian" not in buyer.page.content()
    buyer.press("Use this instead")
    buyer.press("Send offer")
    buyer.page.wait_for_url(re.compile(r"/negotiations/neg_\w+"))


def rounds(deal: Deal) -> None:
    """Rounds 2 to 5: fee, a brief with an engraving, fee, fee; the designer accepts the fifth version."""
    designer, buyer = Negotiation(deal.designer), Negotiation(deal.buyer)
    buyer.thread = deal.buyer.token_of_path
    designer.window.open(f"/negotiations/{buyer.thread}")
    assert CHEN_LI.business not in designer.page.locator("main").inner_text()
    designer.agree_to("Term")
    designer.counter(fee="3600")
    _ask_engraving(buyer)
    deal.designer.open(f"/negotiations/{buyer.thread}")
    deal.designer.reads(ENGRAVED)
    designer.counter(fee="3300")
    deal.buyer.open(f"/negotiations/{buyer.thread}")
    buyer.counter(fee="3200")
    deal.designer.open(f"/negotiations/{buyer.thread}")
    designer.accept(5)


def _ask_engraving(buyer: Negotiation) -> None:
    window = buyer.window
    window.open(f"/negotiations/{buyer.thread}")
    window.follow("Counter")
    window.unfold("Customization brief")
    window.press("Engraving")
    window.page.locator(".brief-row [name$='-to']").fill(ENGRAVED)
    window.press("Send counter offer")
    window.page.wait_for_url(re.compile(r"/negotiations/neg_\w+$|/negotiations/neg_\w+#"))


def signing(deal: Deal) -> None:
    """Both sign in their order, each in its language; the sealed document is there and found genuine by its file."""
    designer, buyer = License(deal.designer), License(deal.buyer)
    for desk in (designer, buyer):
        desk.open_newest()
        assert desk.read().startswith(b"%PDF-")
        desk.sign_agreement()
    deal.license = buyer.license


def paying(deal: Deal) -> None:
    """The fee is paid on the payment service's page; the webhook makes the license active."""
    buyer = deal.buyer
    pay = buyer.page.get_by_role("button", name=re.compile("^" + buyer.say("Pay %(fee)s", fee="")))
    expect(pay).to_contain_text("3,200.00", timeout=WORK)
    Payment(buyer).pay(pay)
    expect(buyer.page.get_by_role("link", name=buyer.say("Order pieces"))).to_be_visible(timeout=WORK)


def statement(deal: Deal) -> None:
    """The advance is asked for by a statement, paid by the buyer and seen by the designer."""
    issued = "select id from royalty_statements where license_id = :l and sequence is not null"
    found = deal.id_of(issued, l=deal.license)
    deal.buyer.open(f"/royalties/{found}")
    deal.buyer.reads("500.00")
    Payment(deal.buyer).pay(deal.buyer.page.locator("main form[action$='/checkout'] button"))
    deal.designer.open(f"/royalties/{found}")
    deal.designer.waits_for_state("Paid")


def refund(deal: Deal) -> None:
    """A part of the fee goes back: asked for, previewed, approved, made, credited."""
    payment = deal.id_of("select id from checkouts where subject_id = :l and purpose = 'license'", l=deal.license)
    buyer, designer = deal.buyer, deal.designer
    buyer.open(f"/payments/{payment}")
    buyer.fill("amount", "200.00")
    buyer.press("Show who gives back how much")
    buyer.reads("180.00")  # of the share; the rest is our fee
    buyer.choose("reason", "not_as_agreed")
    buyer.press("Send the request")
    buyer.page.wait_for_url(re.compile(r"/refunds/\w+"))
    designer.open(f"/refunds/{buyer.token_of_path}")
    designer.page.locator("main button[value=approve]").click()
    designer.waits_for_state("Paid back")
    deal.id_of("select id from invoices where checkout_id = :c and kind = 'credit_note'", c=payment)
    buyer.open("/invoices?side=received")
    expect(buyer.page.locator("main tbody tr", has_text=buyer.say("Credit note"))).to_have_count(1)


def dispute(deal: Deal) -> None:
    """The buyer's bank questions the payment: the designer sees why, how much and until when, and the evidence."""
    live = deal.stage.live
    paid = "select charge_id from checkouts where subject_id = :l and purpose = 'license'"
    charge = deal.id_of(paid, l=deal.license)
    live.stripe("POST", "/disputes", charge=charge, amount=100_000, reason="product_not_received")
    found = deal.id_of("select id from disputes where subject_id = :l", l=deal.license)
    deal.designer.open(f"/disputes/{found}")
    deal.designer.reads("$1,000.00")
    deal.designer.sees("The money is held")
    deal.designer.sees("Evidence is due")
    balance = (
        "select coalesce(max(abs(total)), 0) from (select sum(amount) total from ledger_entries group by currency) t"
    )
    assert live.count(balance) == 0
