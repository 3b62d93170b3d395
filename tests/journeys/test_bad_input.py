"""What goes wrong at each step is answered in plain words on the page, and changes nothing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.journeys.navigators import BuyerDesk, DesignerDesk, Desk, Payment
from tests.journeys.stage import Stage
from tests.journeys.window import WORK, Window
from tests.kit.files import band_stl

Open = Callable[[str], Window]


@pytest.fixture
def signed_in(stage: Stage, browser: Browser) -> Iterator[Open]:
    """Opens a window of one of the stage's people; whatever went wrong in it fails the test."""
    windows: list[Window] = []
    stage.live.forget_limits()

    def open_window(role: str) -> Window:
        window = Window(browser, stage.live, stage.who(role))
        windows.append(window)
        Desk(window).sign_in()
        return window

    yield open_window
    for window in windows:
        window.close()
        window.is_clean()


def test_a_wrong_password_is_said_and_opens_nothing(stage: Stage, browser: Browser) -> None:
    window = Window(browser, stage.live, stage.who("buyer"))
    with window.expecting(422):
        Desk(window).sign_in("not the password at all")
        window.sees("The e-mail address or the password is not right.")
    assert window.page.locator("[name=email]").input_value() == stage.who("buyer").email
    window.open("/home")
    assert window.path == "/sign-in"
    window.close()


@pytest.mark.parametrize(
    ("kind", "name", "data", "answer"),
    [
        ("photo", "ring.jpg", b"<!doctype html><script>alert(1)</script>" + b" " * 4000, "not a photo"),
        ("cad", "empty.stl", b"", "empty (0 bytes)"),
        ("cad", "half.stl", band_stl().data[: len(band_stl().data) // 2], "cut off"),
    ],
    ids=["html as jpg", "0 bytes", "truncated stl"],
)
def test_a_file_that_is_not_what_it_says_is_refused_by_name(
    kind: str, name: str, data: bytes, answer: str, stage: Stage, signed_in: Open, tmp_path: Path
) -> None:
    design, file = stage.draft(f"For {name}"), tmp_path / name
    file.write_bytes(data)
    desk = DesignerDesk(signed_in("designer"))
    desk.design = design
    desk.open_design()
    desk.upload(kind, file)
    row = desk.row(name)
    expect(row).to_have_class(re.compile(r"\bfailed\b"), timeout=WORK)
    expect(row.get_by_role("alert")).to_contain_text(answer)
    for table in ("derivatives d join assets a on a.id = d.asset_id", "facts a"):
        assert stage.live.count(f"select count(*) from {table} where a.design_id = :id", id=design) == 0


def test_a_negative_fee_is_refused_and_what_was_typed_stays(stage: Stage, signed_in: Open) -> None:
    thread = stage.ids["open"]
    offers = "select count(*) from offers where negotiation_id = :id"
    before = stage.live.count(offers, id=thread)
    window = signed_in("designer")
    window.open(f"/negotiations/{thread}/counter")
    window.fill("fee", "-5")
    window.page.locator("main textarea[name=message]").fill("A generous offer")
    with window.expecting(422):
        window.press("Send counter offer")
        expect(window.page.locator(".error-summary")).to_contain_text("An amount cannot be negative.")
    assert window.page.locator("[name=fee]").input_value() == "-5"
    assert window.page.locator("main textarea[name=message]").input_value().strip() == "A generous offer"
    assert stage.live.count(offers, id=thread) == before


def test_an_order_of_no_pieces_is_refused(stage: Stage, signed_in: Open) -> None:
    orders = "select count(*) from orders"
    before = stage.live.count(orders)
    desk = BuyerDesk(signed_in("buyer"))
    desk.window.open(f"/orders/new/{stage.ids['license']}")
    desk.fill_order(0, "US 6.5", f"Northgate Production {stage.player.run_id}")
    with desk.window.expecting(422):
        desk.window.press("Place the order")
        expect(desk.page.locator(".error-summary")).to_contain_text("Quantity")
    assert desk.page.locator("[name=line1]").input_value() == "4 Exchange Court"
    assert stage.live.count(orders) == before


def test_accepting_from_a_page_left_open_is_answered_with_the_newer_version(stage: Stage, signed_in: Open) -> None:
    thread = stage.ids["open"]
    stage.counter(thread, "designer", 1, 210_000)
    window = signed_in("buyer")
    window.context.route("**/news?*", _unanswered)  # the page's own questions for news stay without an answer
    window.open(f"/negotiations/{thread}")
    old, window.page = window.page, window.tab()
    window.open(f"/negotiations/{thread}/counter")
    window.fill("fee", "1900")
    window.press("Send counter offer")
    window.page.wait_for_url(re.compile(r"/negotiations/neg_\w+$"))
    stage.counter(thread, "designer", 3, 205_000)
    window.page = old
    with window.expecting(409):
        window.press("Accept version %(version)s", version=2, sure=True)
        expect(window.page.locator("main .notice")).to_contain_text("Meanwhile there is version 4.")
    expect(window.button("Accept version %(version)s", version=4)).to_be_visible()
    assert stage.live.count("select count(*) from licenses where negotiation_id = :id", id=thread) == 0


def test_accepting_twice_makes_one_license(stage: Stage, signed_in: Open) -> None:
    thread = stage.ids["open"]
    version = stage.live.count("select current_version from negotiations where id = :id", id=thread)
    window = signed_in("buyer")
    window.open(f"/negotiations/{thread}")
    window.button("Accept version %(version)s", version=version).click()
    window.button("Yes, go on", within=window.page.locator("dialog[open]")).dblclick()
    window.page.wait_for_url(re.compile(r"/licenses/lic_\w+"))
    assert stage.live.count("select count(*) from licenses where negotiation_id = :id", id=thread) == 1


def test_paying_twice_and_going_back_charges_once(stage: Stage, signed_in: Open) -> None:
    license_id = stage.ids["to_pay"]
    window = signed_in("buyer")
    window.open(f"/licenses/{license_id}")
    pay = window.page.get_by_role("button", name=re.compile("^Pay "))
    pay.dblclick()
    window.page.wait_for_url("**/c/pay/**")
    checkouts = "select count(*) from checkouts where subject_id = :id"
    assert stage.live.count(checkouts, id=license_id) == 1
    page_of_payment = window.page.url
    window.open(f"/licenses/{license_id}")
    Payment(window).pay(pay)
    window.open(page_of_payment)
    expect(window.page.locator("[name=card]")).to_have_count(0)
    window.open(f"/licenses/{license_id}")
    expect(window.page.get_by_role("link", name="Order pieces")).to_be_visible(timeout=WORK)
    expect(pay).to_have_count(0)
    assert stage.live.count(checkouts + " and state = 'paid'", id=license_id) == 1
    assert _charges(stage, license_id) == 1


def test_the_way_back_after_paying_does_not_pay_again(stage: Stage, signed_in: Open) -> None:
    order = stage.ids["awarded"]
    window = signed_in("buyer")
    window.open(f"/orders/{order}")
    pay = window.page.get_by_role("button", name=re.compile("^Pay "))
    Payment(window).pay(pay)
    expect(window.page.locator(".page-head .badge")).to_have_text("Paid", timeout=WORK)
    window.page.go_back()
    window.page.go_back()
    if "/c/pay/" in window.page.url:
        expect(window.page.locator("[name=card]")).to_have_count(0)
    else:
        _press_again(window.page, pay)
    window.open(f"/orders/{order}")
    expect(window.page.locator(".page-head .badge")).to_have_text("Paid")
    assert stage.live.count("select count(*) from checkouts where subject_id = :id", id=order) == 1
    assert _charges(stage, order) == 1


def _press_again(page: Page, pay: object) -> None:
    """On an old page from the browser's memory the button may still stand there."""
    expect(page.locator("main")).to_be_visible()
    button = page.get_by_role("button", name=re.compile("^Pay "))
    if button.count():
        button.click()
        page.wait_for_load_state()


def _unanswered(route: Route) -> None:
    route.fulfill(status=204)


def _charges(stage: Stage, subject: str) -> int:
    return stage.live.count(
        "select count(*) from ledger_transactions where subject_id = :id and kind = 'payment'",
        id=subject,
    )
