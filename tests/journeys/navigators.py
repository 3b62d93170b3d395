"""What each person does at a desk, in their own words; every act goes through pages alone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from playwright.sync_api import Locator, Page, expect

from tests.journeys.live import OPERATOR
from tests.journeys.window import PATIENCE, WORK, Window

GOOD_CARD = "4242424242424242"


def in_days(days: int) -> str:
    """A day from now as a date field takes it."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


@dataclass
class Desk:
    """What everybody does."""

    window: Window

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.window.page

    def join(self) -> None:
        """Sign up on the page and confirm by the link in the mail."""
        who, window = self.window.who, self.window
        window.open("/")
        window.open("/join")
        window.choose("role", who.role)
        for name, value in (
            ("name", who.name),
            ("email", who.email),
            ("password", who.password),
            ("business_name", who.business),
            ("address", "12 Hatton Garden, second floor"),
        ):
            window.fill(name, value)
        window.choose("country", who.country)
        self.page.locator("[name=adult]").check()
        self.page.locator("[name=terms]").check()
        window.press("Open account")
        window.reads(who.email)
        window.open(self._link_in_mail("/confirm/"))
        window.press("Confirm address")
        self.page.wait_for_url("**/sign-in*")

    def sign_in(self, password: str | None = None) -> None:
        """Sign in on the page."""
        self.window.open("/sign-in")
        self.window.fill("email", self.window.who.email)
        self.window.fill("password", password or self.window.who.password)
        self.window.press("Sign in", within=self.page.locator("main"))
        self.page.wait_for_url(re.compile(r"/home|/sign-in$"))

    def set_up_payouts(self) -> None:
        """Tell the payment service where the money goes."""
        self.window.open("/payouts")
        self.window.press("Set up payouts")
        self.page.wait_for_url("**/onboarding/**")
        self.page.locator("[name=terms]").check()
        self.page.locator("[name=step][value=finish]").click()
        self.page.wait_for_url("**/payouts**")
        self.window.sees("Payouts are set up", timeout=WORK)

    def earnings(self) -> list[str]:
        """The rows of the payouts page, once everything in them was sent."""
        self.window.open("/payouts")
        rows = self.page.locator("section[aria-labelledby=shares] tbody tr")
        for _ in range(WORK // 1000):
            rows.first.wait_for()
            found: list[str] = rows.all_inner_texts()
            if all(self.window.say("Sent") in row for row in found):
                return found
            self.page.wait_for_timeout(1000)
            self.page.reload()
        raise AssertionError(f"not everything was sent: {found}")

    def notices(self) -> str:
        """What the notifications page says."""
        self.window.open("/notifications")
        return self.page.locator("main").inner_text()

    def sign(self, button: str) -> None:
        """Type the account's own name under what was read."""
        self.window.fill("typed_name", self.window.who.name)
        self.page.locator("main [name=agree]").check()
        self.window.press(button)

    def _link_in_mail(self, part: str) -> str:
        for _ in range(WORK // 500):
            for mail in self.window.live.mails(self.window.who.email):
                for link in mail["links"]:
                    if part in link:
                        return str(link)
            self.page.wait_for_timeout(500)
        raise AssertionError(f"no mail with {part} reached {self.window.who.email}")


class OperatorDesk(Desk):
    """Lets businesses in."""

    def approve(self, business: str) -> None:
        """Look at a waiting business and approve it."""
        assert self.window.who.email == OPERATOR
        self.window.open("/desk/vetting")
        self.page.get_by_role("link", name=business, exact=True).click()
        self.window.press("Approve")
        self.page.wait_for_url("**/desk/vetting**")


class DesignerDesk(Desk):
    """Makes a design sellable."""

    design: str = ""

    def create_design(self, title: str, description: str, fee: str) -> None:
        """A new ring with its words and its indicative fee in US dollars."""
        self.window.open("/designs")
        self.window.follow("New design")
        self.window.fill("title", title)
        self.window.choose("category", "ring")
        self.window.fill("description", description)
        self.window.fill("stones", "diamond")
        self.window.fill("list_price", fee)
        self.window.unfold("Metals")
        self.window.choose("metals", "18k_yellow")
        self.window.press("Save")
        self.page.wait_for_url(re.compile(r"/designs/dsn_\w+"))
        self.design = self.window.token_of_path

    def open_design(self) -> None:
        """Back to the design's page."""
        self.window.open(f"/designs/{self.design}")

    def upload(self, kind: str, *files: Path) -> None:
        """Choose files in the drop zone of photos or of CAD."""
        self.page.locator(f"#{kind}-input").set_input_files(list(files))

    def row(self, file: str) -> Locator:
        """The line of one file."""
        return self.page.locator(".upload-row", has_text=file)

    def waits_until_ready(self, file: str) -> None:
        """The line of the file says that it is done; nothing is reloaded."""
        expect(self.row(file)).to_have_class(re.compile(r"\bready\b"), timeout=WORK)

    def fact(self, text: str) -> Locator:
        """A line of the table of weights."""
        return self.page.locator("#weights tr", has_text=self.window.say(text))

    def create_words(self, kind: str) -> None:
        """Have the story or the lookbook drafted and approve what was drafted."""
        article = self.page.locator(f"article[aria-labelledby=words-{kind}]")
        self.window.press("Create story" if kind == "story" else "Create lookbook", within=article)
        approve = self.window.button("Approve", within=article)
        expect(approve).to_be_visible(timeout=WORK)
        approve.click()
        expect(article.get_by_text(self.window.say("Approved"), exact=True)).to_be_visible()

    def list_in_catalog(self) -> None:
        """Put the design into the catalog."""
        self.window.press("List in the catalog")
        self.window.sees("In the catalog")


class Negotiation(Desk):
    """One thread, from either side."""

    thread: str = ""

    def propose(self, *, fee: str, royalty: str, message: str) -> None:
        """Fill in the term sheet, from the page of the piece."""
        self.window.follow("Start a negotiation")
        self.window.choose("kind", "non_exclusive")
        self.window.choose("where", "countries")
        for country in ("GB", "FR"):
            self.window.choose("territories", country)
        self.window.fill("fee", fee)
        self.page.locator("[name=fee_currency]").select_option("USD")
        self.window.fill("term_months", "24")
        self.window.fill("royalty_per_unit", royalty)
        self.window.fill("valid_until", in_days(10))
        self.page.locator("main textarea[name=message]").fill(message)
        self.window.press("Send offer")
        self.page.wait_for_url(re.compile(r"/negotiations/neg_\w+"))
        self.thread = self.window.token_of_path

    def open_thread(self) -> None:
        """Find the thread in the list."""
        self.window.open("/negotiations")
        self.page.locator("main .thread-row h2 a").first.click()
        self.page.wait_for_url(re.compile(r"/negotiations/neg_\w+"))
        self.thread = self.window.token_of_path

    def agree_to(self, term: str) -> None:
        """Mark one term of the version on the table as agreed, and see the meter move without a reload."""
        meter = self.page.locator("#panel progress")
        before = int(meter.get_attribute("value") or 0)
        name = self.window.say("%(term)s: comment, agree, counter", term=self.window.say(term))
        self.page.locator(f'.offer summary[aria-label="{name}"]').click()
        self.window.press("Agree to this term")
        expect(meter).to_have_attribute("value", str(before + 1), timeout=WORK)

    def counter(self, *, fee: str) -> None:
        """Answer with another fee."""
        self.window.follow("Counter")
        self.window.fill("fee", fee)
        self.window.press("Send counter offer")
        self.page.wait_for_url(re.compile(r"/negotiations/neg_\w+"))

    def write(self, text: str) -> None:
        """Send a message; it appears without a reload."""
        self.page.locator("#composer textarea").fill(text)
        self.window.press("Send", within=self.page.locator("#composer"))
        expect(self.page.locator(".bubble.mine", has_text=text)).to_be_visible()

    def accept(self, version: int) -> None:
        """Accept the version on the table."""
        self.window.press("Accept version %(version)s", version=version, sure=True)
        expect(self.page.get_by_role("link", name=self.window.say("Read the agreement (PDF)"))).to_be_visible(
            timeout=WORK
        )


class License(Desk):
    """The agreement, from either side."""

    license: str = ""

    def open_newest(self) -> None:
        """The first license of the list."""
        self.window.open("/licenses")
        self.page.locator("main tbody th a").first.click()
        self.page.wait_for_url(re.compile(r"/licenses/lic_\w+"))
        self.license = self.window.token_of_path

    def read(self) -> bytes:
        """The document as it is downloaded."""
        link = self.page.get_by_role("link", name=self.window.say("Read the agreement (PDF)"))
        expect(link).to_be_visible(timeout=WORK)
        answer = self.window.context.request.get(self.window.live.base_url + str(link.get_attribute("href")))
        return answer.body()

    def sign_agreement(self) -> None:
        """Sign what was read: agree to do so electronically, and say yes to the last question."""
        self.window.fill("typed_name", self.window.who.name)
        self.page.locator("main [name=consent]").check()
        self.page.locator("main [name=agree]").check()
        self.window.press("Sign the agreement", sure=True)


class Payment(Desk):
    """The payment service's page."""

    def pay(self, button: Locator, card: str = GOOD_CARD) -> None:
        """Go there from ours, pay, and come back."""
        button.click()
        self.page.wait_for_url("**/c/pay/**")
        self.page.locator(f"[name=card][value='{card}']").check()
        self.page.locator("form button[type=submit]").click()
        self.page.wait_for_url(self.window.live.base_url + "/**")


class BuyerDesk(Desk):
    """Finds, orders, receives."""

    order: str = ""

    def search(self, words: str) -> Locator:
        """The cards that the catalog shows for these words."""
        self.window.open("/catalog")
        self.page.locator("#q").fill(words)
        expect(self.page.locator("#results .chip", has_text=words)).to_be_visible()
        return self.page.locator("#results .design-card")

    def save(self, card: Locator, title: str) -> None:
        """Keep a piece in mind."""
        self.window.button("Save %(title)s", within=card, title=title).click()
        expect(self.window.button("Saved: %(title)s. Remove", within=card, title=title)).to_be_visible()

    def order_pieces(self, quantity: int, size: str, manager: str) -> None:
        """Order under the active license that is open."""
        self.window.follow("Order pieces")
        self.fill_order(quantity, size, manager)
        self.window.press("Place the order")
        self.page.wait_for_url(re.compile(r"/orders/ord_\w+"))
        self.order = self.window.token_of_path

    def fill_order(self, quantity: int, size: str, manager: str) -> None:
        """One line of pieces and the address."""
        self.window.fill("quantity", str(quantity))
        self.page.locator("[name=metal]").first.select_option("18k_yellow")
        self.window.fill("ring_size", size)
        for name, value in (
            ("name", "Meridian Jewelers"),
            ("line1", "4 Exchange Court"),
            ("postal_code", "WC2R 0JU"),
            ("city", "London"),
        ):
            self.window.fill(name, value)
        self.page.locator("[name=country]").select_option("GB")
        managers = self.page.locator("[name=manager]")
        if managers.count():
            managers.select_option(label=manager)

    def open_order(self) -> None:
        """The newest order of the list."""
        self.window.open("/orders")
        self.page.locator("main .row-item h3 a").first.click()
        self.page.wait_for_url(re.compile(r"/orders/ord_\w+"))
        self.order = self.window.token_of_path

    def accept_delivery(self) -> None:
        """Say that the pieces are here and good."""
        self.window.press("Accept the delivery", sure=True)


class ManagerDesk(BuyerDesk):
    """Routes orders to workshops."""

    def ask_workshop(self, business: str) -> None:
        """Send a request to one workshop."""
        self.window.follow("Choose workshops")
        self.page.locator("label", has_text=business).locator("input").check()
        self.window.press("Send the requests")
        self.page.wait_for_url(re.compile(r"/orders/ord_\w+$"))

    def award(self) -> None:
        """Give the order to the one who quoted."""
        self.window.press("Award", sure=True)
        self.window.waits_for_state("Awarded")


class Workshop(Desk):
    """Quotes and makes."""

    def quote(self, *, piece: str, tooling: str, days: int) -> None:
        """Answer the first request."""
        self.window.open("/requests")
        self.page.locator("main .row-item h3 a").first.click()
        self.page.wait_for_url(re.compile(r"/requests/rfq_\w+"))
        self.window.fill("unit_price", piece)
        self.window.fill("tooling", tooling)
        self.window.fill("lead_days", str(days))
        self.window.fill("valid_until", in_days(14))
        self.window.press("Send the quote")
        self.window.sees("Replace your quote")

    def open_order(self) -> None:
        """The newest order of the list."""
        self.window.open("/orders")
        self.page.locator("main .row-item h3 a").first.click()
        self.page.wait_for_url(re.compile(r"/orders/ord_\w+"))

    def sign_nda(self) -> str:
        """Read the agreement in the language of the interface and sign it; returns what was read."""
        self.window.follow("Read and sign the NDA")
        text = self.page.locator(".document").inner_text()
        self.sign("Sign the NDA")
        self.page.wait_for_url(re.compile(r"/orders/ord_\w+$"))
        return text

    def fetch_cad(self) -> tuple[bytes, str]:
        """The file, and the address it was fetched by."""
        seen: list[str] = []
        self.page.on("request", lambda r: seen.append(r.url) if "/cad/" in r.url else None)
        with self.page.expect_download(timeout=PATIENCE) as waiting:
            self.window.press("Download")
        return waiting.value.path().read_bytes(), seen[0]

    def photograph(self, file: Path) -> None:
        """Add a photo to the next stage."""
        self.page.locator("#gallery").set_input_files(file)
        row = self.page.locator("#photos-rows .upload-row")
        expect(row).to_have_class(re.compile(r"\bready\b"), timeout=WORK)

    def finish_stage(self, note: str) -> None:
        """Press the large button."""
        self.window.fill("note", note)
        before = self.page.locator(".checklist .done").count()
        self.page.locator("main form button[name=stage]").first.click()
        expect(self.page.locator(".checklist .done")).to_have_count(before + 1)

    def ship(self, carrier: str, tracking: str) -> None:
        """Record what was handed to the carrier."""
        self.window.follow("Record the shipment")
        self.window.fill("carrier", carrier)
        self.window.fill("tracking", tracking)
        self.window.press("The pieces have left")
        self.page.wait_for_url(re.compile(r"/orders/ord_\w+$"))


def fetch_again(address: str) -> requests.Response:
    """The same link from another program."""
    return requests.get(address, allow_redirects=False, timeout=60)
