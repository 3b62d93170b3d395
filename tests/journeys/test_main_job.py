"""The whole main job, through the pages alone: four people and the operator, each in a browser window of their own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.live import OPERATOR, Live
from tests.journeys.navigators import (
    BuyerDesk,
    DesignerDesk,
    Desk,
    License,
    ManagerDesk,
    Negotiation,
    OperatorDesk,
    Payment,
    Workshop,
    fetch_again,
)
from tests.journeys.window import PHONE, WORK, Who, Window
from tests.kit.files import band_stl, photo

IRIS = Who("designer", "Iris Valmont", "iris@journey.example", "Atelier Valmont", "FR")
EDITH = Who("buyer", "Edith Marsh", "edith@journey.example", "Meridian Jewelers", "GB")
CHEN = Who("manufacturer", "陈伟", "chen@journey.example", "金灯工坊", "IT", "zh_Hans", PHONE)
JONAS = Who("production_manager", "Jonas Lind", "jonas@journey.example", "Northgate Production", "DE")
OLIVE = Who("operator", "Olive Kerr", OPERATOR, "", "GB")

TITLE = "Solstice band"
CHINESE, ENGLISH = "我们计划订购50件。", "We plan to order 50 pieces."
#: Of `band_stl`: a ring of 8.675 mm inner and 10.275 mm outer radius, 4 mm wide, of 96 flat sides: 380.7 mm³,
#: at 15.55 g/cm³.
GRAMS_18K = "5.92"


@dataclass
class Cast:
    """The windows, and the files people hold."""

    live: Live
    windows: dict[str, Window]
    photo: Path
    cad: Path
    order: str = ""
    seen: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, role: str) -> Window:
        return self.windows[role]


@pytest.fixture
def cast(live: Live, browser: Browser, tmp_path: Path) -> Iterator[Cast]:
    """Five windows: the workshop's is a phone in Chinese."""
    picture, model = tmp_path / "solstice.jpg", tmp_path / "solstice.stl"
    picture.write_bytes(photo().data)
    model.write_bytes(band_stl().data)
    windows = {who.role: Window(browser, live, who) for who in (IRIS, EDITH, CHEN, JONAS, OLIVE)}
    yield Cast(live, windows, picture, model)
    for window in windows.values():
        window.close()


def test_four_people_take_a_ring_from_upload_to_paid_and_made(cast: Cast) -> None:
    for act in (accounts, design, words, listing, catalog, negotiation, agreement, order, gate, production, money):
        act(cast)
        for window in cast.windows.values():
            window.is_clean()


def accounts(cast: Cast) -> None:
    """1. Everybody signs up, confirms by mail and signs in; the operator lets three of them trade."""
    for who in (IRIS, EDITH, CHEN, JONAS):
        desk = Desk(cast[who.role])
        desk.join()
        desk.sign_in()
    assert cast["manufacturer"].page.locator("html").get_attribute("lang") == "zh-Hans"
    operator = OperatorDesk(cast["operator"])
    operator.sign_in()
    for who in (EDITH, CHEN, JONAS):
        operator.approve(who.business)
    cast["buyer"].open("/home")
    cast["buyer"].follow("Catalog")


def design(cast: Cast) -> None:
    """2. A design with a photo and CAD; what was measured lands on the page by itself."""
    desk = DesignerDesk(cast["designer"])
    desk.create_design(TITLE, "A plain court band of one and a half millimeters, for stacking or alone.", "2000")
    desk.upload("photo", cast.photo)
    desk.upload("cad", cast.cad)
    desk.waits_until_ready(cast.cad.name)
    desk.waits_until_ready(cast.photo.name)
    expect(desk.fact("18k yellow gold").first).to_contain_text(GRAMS_18K, timeout=WORK)
    cast.seen["design"] = desk.design


def words(cast: Cast) -> None:
    """3. Story and lookbook are drafted and approved."""
    desk = DesignerDesk(cast["designer"])
    for kind in ("story", "lookbook"):
        desk.create_words(kind)


def listing(cast: Cast) -> None:
    """4. The design goes into the catalog."""
    DesignerDesk(cast["designer"]).list_in_catalog()


def catalog(cast: Cast) -> None:
    """5. The buyer finds it by its words, saves it and opens it."""
    desk = BuyerDesk(cast["buyer"])
    card = desk.search("solstice").filter(has_text=TITLE)
    expect(card).to_have_count(1)
    desk.save(card, TITLE)
    card.get_by_role("link", name=TITLE).click()
    cast["buyer"].sees("Start a negotiation")


def negotiation(cast: Cast) -> None:
    """6. An offer, a counter offer, messages in two languages, and the second version accepted."""
    buyer, designer = Negotiation(cast["buyer"]), Negotiation(cast["designer"])
    buyer.propose(fee="1800", royalty="40", message="We would like this ring for our spring collection.")
    designer.open_thread()
    designer.window.reads("We would like this ring for our spring collection.")
    assert EDITH.business not in designer.page.locator("main").inner_text()
    designer.counter(fee="2200")
    buyer.window.open(f"/negotiations/{buyer.thread}")
    buyer.write(CHINESE)
    bubble = designer.page.locator(".bubble", has=designer.page.locator("details")).last
    expect(bubble).to_be_visible(timeout=WORK)
    expect(bubble.locator(":scope > .text")).to_have_text(ENGLISH)
    expect(bubble.get_by_text(CHINESE)).to_be_hidden()
    bubble.locator("summary").click()
    expect(bubble.get_by_text(CHINESE)).to_be_visible()
    buyer.accept(2)


def agreement(cast: Cast) -> None:
    """7. The document is signed by both and paid by the buyer; the webhook makes the license active."""
    designer, buyer = License(cast["designer"]), License(cast["buyer"])
    designer.set_up_payouts()
    for desk in (designer, buyer):
        desk.open_newest()
        assert desk.read().startswith(b"%PDF-")
        desk.sign_agreement()
    pay = buyer.page.get_by_role("button", name=re.compile("^" + buyer.window.say("Pay %(fee)s", fee="")))
    expect(pay).to_contain_text("$2,200.00")
    Payment(buyer.window).pay(pay)
    expect(buyer.page.get_by_role("link", name="Order pieces")).to_be_visible(timeout=WORK)
    designer.window.open("/licenses")
    expect(designer.page.locator("main tbody tr .badge")).to_have_text("Active")


def order(cast: Cast) -> None:
    """8. Pieces are ordered, quoted by the workshop, awarded and paid."""
    buyer, manager, workshop = BuyerDesk(cast["buyer"]), ManagerDesk(cast["production_manager"]), _workshop(cast)
    workshop.set_up_payouts()
    buyer.order_pieces(50, "US 6.5", JONAS.business)
    manager.sign_in() if "/sign-in" in manager.window.path else None
    manager.open_order()
    manager.ask_workshop(CHEN.business)
    workshop.quote(piece="315", tooling="120", days=24)
    manager.window.open(f"/orders/{manager.order}")
    manager.award()
    buyer.window.open(f"/orders/{buyer.order}")
    pay = buyer.page.get_by_role("button", name=re.compile("^Pay "))
    expect(pay).to_contain_text("$17,870.00")  # 50 x 315 + 120 + the royalty of 50 x 40
    Payment(buyer.window).pay(pay)
    expect(buyer.page.locator(".page-head .badge")).to_have_text("Paid", timeout=WORK)  # without a reload
    cast.order = buyer.order


def gate(cast: Cast) -> None:
    """9. The workshop signs the NDA in Chinese; the file opens once by a link, and never again by that link."""
    workshop = _workshop(cast)
    workshop.open_order()
    read = workshop.sign_nda()
    assert "保密" in read
    data, link = workshop.fetch_cad()
    assert data != cast.cad.read_bytes(), "a copy of its own, not the licensed bytes"
    assert len(data) == cast.cad.stat().st_size
    with workshop.window.expecting(409):
        workshop.window.open(link)
    workshop.window.sees("This link has already been used. Please ask for a new one.")
    assert fetch_again(link).status_code not in {200, 303}
    designer = cast["designer"]
    designer.open(f"/orders/{cast.order}")
    designer.reads(f"{CHEN.name}, {CHEN.business}")


def production(cast: Cast) -> None:
    """10. Stages with notes and a photo, shipment, acceptance."""
    workshop, buyer = _workshop(cast), BuyerDesk(cast["buyer"])
    workshop.open_order()
    workshop.window.follow("Open the bench")
    while not workshop.page.get_by_role("link", name=workshop.window.say("Record the shipment")).count():
        label = workshop.page.locator("main form button[name=stage]").first
        if label.get_attribute("value") == "quality_control":
            workshop.photograph(cast.photo)
        workshop.finish_stage("按计划完成。")
    workshop.ship("Malca-Amit", "MA20417733")
    buyer.window.open(f"/orders/{cast.order}")
    buyer.window.reads("MA20417733")
    buyer.accept_delivery()
    buyer.window.waits_for_state("Delivered")


def money(cast: Cast) -> None:
    """The payouts page of each shows what was earned, less a tenth; mails and notices told them."""
    designer, workshop = Desk(cast["designer"]), _workshop(cast)
    mine = "\n".join(designer.earnings())
    assert "$1,980.00" in mine  # the license fee
    assert "$1,800.00" in mine  # the royalty
    made = "\n".join(workshop.earnings())
    assert "4,284.90" in made  # the deposit, sent when the work began
    assert "9,998.10" in made  # the balance, sent after acceptance: 14,283.00 in all
    assert TITLE in designer.notices()
    assert cast.live.mails(CHEN.email)
    assert cast.live.mails(IRIS.email)
    balance = (
        "select coalesce(max(abs(total)), 0) from (select sum(amount) total from ledger_entries group by currency) t"
    )
    assert cast.live.count(balance) == 0


def _workshop(cast: Cast) -> Workshop:
    return Workshop(cast["manufacturer"])
