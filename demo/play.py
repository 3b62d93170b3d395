"""The whole main job, ten steps, four people and the operator, through the public API; stops at the first surprise."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from demo import acts
from demo.transport import Caller, DemoFailed, Transport, own_path

PASSWORD = "four windows one ring"  # noqa: S105 (of people who exist for a minute)
TERMS: dict[str, Any] = {
    "kind": "non_exclusive",
    "territories": ["GB", "FR"],
    "channels": ["retail", "online"],
    "term_months": 24,
    "max_units": 200,
    "fee": {"amount": 180_000, "currency": "USD"},
    "royalty_per_unit": {"amount": 4_000, "currency": "USD"},
    "royalty_base": "unit",
    "derivatives": "resize",
    "marketing_images": True,
    "governing_language": "en",
}
SHIP_TO = {
    "name": "Meridian Jewelers",
    "line1": "4 Exchange Court",
    "city": "London",
    "postal_code": "WC2R 0JU",
    "country": "GB",
}


@dataclass
class Player:
    """Holds the people and what they have made; `say` prints a line."""

    transport: Transport
    sandbox: acts.Sandbox
    operator: tuple[str, str]
    photos: list[Path]
    cad: Path
    say: Callable[[str], None] = print
    run_id: str = field(default_factory=lambda: secrets.token_hex(3))
    people: dict[str, Caller] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    downloads: int = 0

    def play(self) -> None:
        """All ten steps. Raises DemoFailed."""
        for number, (title, act) in enumerate(
            (
                ("Accounts and organizations", self.accounts),
                ("Design, photos and CAD", self.design),
                ("Story and lookbook", self.content),
                ("Listing", self.listing),
                ("Catalog", self.catalog),
                ("Negotiation", self.negotiation),
                ("License, signatures, payment", self.license),
                ("Order, quotes, award, payment", self.order),
                ("NDA and CAD link", self.cad_gate),
                ("Make, ship, accept, pay out", self.production),
            ),
            start=1,
        ):
            began = time.monotonic()
            detail = act()
            self.say(f"{number:>2}. {title:<32} {time.monotonic() - began:6.1f} s   {detail}")

    def accounts(self) -> str:
        """Four people sign up on the page and confirm by mail; the operator lets three in."""
        names = {
            "designer": ("Iris Valmont", "Atelier Valmont", "FR"),
            "buyer": ("Edith Marsh", "Meridian Jewelers", "GB"),
            "manufacturer": ("Chen Wei", "Golden Lantern Workshop", "CN"),
            "production_manager": ("Jonas Lind", "Northgate Production", "DE"),
        }
        businesses = []
        for role, (name, business, country) in names.items():
            email = f"{role}.{self.run_id}@demo.example"
            title = f"{business} {self.run_id}"
            acts.join(
                self.transport,
                self.sandbox,
                role=role,
                name=name,
                email=email,
                password=PASSWORD,
                business=title,
                country=country,
            )
            self.people[role] = acts.sign_in(self.transport, role, email, PASSWORD)
            if role != "designer":
                businesses.append(title)
        self.people["buyer"].get("/catalog", expect=403)
        acts.approve(self.transport, *self.operator, names=businesses)
        self.people["buyer"].get("/catalog")
        return f"4 people, {len(businesses)} approved (before that, the catalog was closed to the buyer)"

    def design(self) -> str:
        """A design with photos and CAD, uploaded straight to the store, checked and measured."""
        designer = self.people["designer"]
        design = designer.post(
            "/designs",
            {
                "title": "Solstice solitaire",
                "category": "ring",
                "description": "A six-claw solitaire on a tapered shank, drawn for a round brilliant of one carat.",
                "metadata": {"metals": ["18k_yellow", "platinum_950_ru"], "stones": ["diamond"]},
                "list_price": {"amount": 200_000, "currency": "USD"},
            },
            expect=201,
        )
        self.made["design"] = design["id"]
        path = f"/designs/{design['id']}/assets"
        files = [acts.upload(designer, path, photo, "photo") for photo in self.photos]
        self.made["cad"] = acts.upload(designer, path, self.cad, "cad")
        ready = acts.wait_for_files(designer, [*files, self.made["cad"]])
        facts = {f["name"]: f for f in designer.get(f"/designs/{design['id']}")["facts"]}
        weight = facts.get("weight_18k_yellow", {}).get("value")
        if not weight:
            raise DemoFailed(f"the CAD file was not weighed: {sorted(facts)}")
        return f"{design['id']}: {len(ready)} files ready, {weight:.2f} g in 18k yellow gold"

    def content(self) -> str:
        """Drafts by the model, approved by the designer."""
        acts.create_content(self.people["designer"], self.made["design"])
        seen = self.people["designer"].get(f"/designs/{self.made['design']}")
        return f"story {seen['story']['status']}, {len(seen['lookbook'])} lookbook pages"

    def listing(self) -> str:
        """The checklist is satisfied and the design goes into the catalog."""
        designer, path = self.people["designer"], f"/designs/{self.made['design']}"
        missing = [c["code"] for c in designer.get(path)["checklist"] if c["blocking"] and not c["done"]]
        if missing:
            raise DemoFailed(f"listing is blocked by {missing}")
        return str(designer.post(path + "/list")["status"])

    def catalog(self) -> str:
        """The buyer finds the piece by its words and saves it; a stranger sees nothing."""
        buyer, design = self.people["buyer"], self.made["design"]
        found = buyer.get("/catalog?q=solstice+solitaire&category=ring")
        if design not in [item["id"] for item in found["items"]]:
            raise DemoFailed("the listed design is not found in the catalog")
        buyer.call("PUT", f"/catalog/{design}/save", expect=204)
        Caller(self.transport, "a stranger").get(f"/catalog/{design}", expect=401)
        return f"{found['facets']['total']} found, saved"

    def negotiation(self) -> str:
        """Offer, counter, a message in Chinese, a stale accept refused, the right one taken."""
        designer, buyer = self.people["designer"], self.people["buyer"]
        until = (datetime.now(UTC) + timedelta(days=10)).replace(microsecond=0).isoformat()
        terms = {**TERMS, "valid_until": until}
        opened = buyer.post(
            f"/designs/{self.made['design']}/negotiations",
            {"terms": terms, "message": "We like this piece very much. We plan to order 50 pieces."},
            expect=201,
        )
        neg = self.made["negotiation"] = opened["id"]
        designer.post(
            f"/negotiations/{neg}/messages", {"text": "感谢您的报价。我们最多可以出到2200 USD。"}, expect=(200, 201)
        )
        counter = {**terms, "fee": {"amount": 220_000, "currency": "USD"}}
        designer.post(f"/negotiations/{neg}/offers", {"base_version": 1, "terms": counter}, expect=201)
        stale = buyer.post(f"/negotiations/{neg}/accept", {"version": 1}, expect=409)
        buyer.post(f"/negotiations/{neg}/accept", {"version": 2})
        messages = buyer.until(
            f"/negotiations/{neg}/messages?lang=en",
            lambda m: all(i["translation"] is None or i["translation"]["status"] != "pending" for i in m["items"]),
            "the translation",
        )
        self.made["messages"] = str(len(messages["items"]))
        return f"{neg}: version 2 accepted, version 1 refused as {stale['code']}"

    def license(self) -> str:
        """The document is signed by both, paid by the buyer, becomes active by the webhook, and is invoiced."""
        designer, buyer = self.people["designer"], self.people["buyer"]
        onboarding = designer.post("/payouts/onboarding")["url"]
        self.sandbox.onboard(onboarding)
        designer.until("/payouts", lambda p: p["account"] and p["account"]["ready"], "payout onboarding")
        listed = buyer.get("/licenses")["items"]
        found = next((item["id"] for item in listed if item["negotiation"] == self.made["negotiation"]), None)
        if found is None:
            raise DemoFailed("no license came of the accepted offer")
        license_id = self.made["license"] = found
        acts.sign_license(designer, license_id)
        acts.sign_license(buyer, license_id)
        buyer.until(f"/licenses/{license_id}", lambda seen: seen["state"] == "to_pay", "both signatures")
        acts.pay_license(buyer, self.sandbox, license_id)
        invoices = buyer.until("/invoices", lambda found: found["items"], "the invoice of the license fee")["items"]
        self.made["invoice"] = invoices[0]["id"]
        return f"{license_id}: active, invoice {invoices[0]['number']}"

    def order(self) -> str:
        """Fifty rings: routed, quoted by the workshop, awarded, paid."""
        buyer, manager = self.people["buyer"], self.people["production_manager"]
        maker = self.people["manufacturer"]
        acts.set_up_payouts(maker, self.sandbox, "Golden Lantern Workshop", PASSWORD)
        order = buyer.post(
            f"/licenses/{self.made['license']}/orders",
            {
                "lines": [{"quantity": 50, "metal": "18k_yellow", "ring_size": "US 6.5", "engraving": "M"}],
                "ship_to": SHIP_TO,
                "production_manager": manager.get("/me")["organization"],
            },
            expect=201,
        )["id"]
        self.made["order"] = order
        workshop = maker.get("/me")["organization"]
        manager.post(f"/orders/{order}/rfqs", {"manufacturers": [workshop]}, expect=201)
        rfq = next(item["id"] for item in maker.get("/rfqs")["items"] if item["order"] == order)
        quote = maker.post(
            f"/rfqs/{rfq}/quotes",
            {
                "unit_price": {"amount": 31_500, "currency": "USD"},
                "tooling": {"amount": 12_000, "currency": "USD"},
                "lead_days": 24,
                "valid_until": (datetime.now(UTC) + timedelta(days=14)).date().isoformat(),
            },
            expect=201,
        )
        manager.post(f"/orders/{order}/award", {"quote": quote["id"]})
        self.sandbox.pay(buyer.post(f"/orders/{order}/checkout")["url"])
        buyer.until(f"/orders/{order}", lambda o: o["state"] == "paid", "the order being paid")
        return f"{order}: 50 pieces, awarded and paid"

    def cad_gate(self) -> str:
        """No NDA, no file; with it a link that works once."""
        maker, order = self.people["manufacturer"], self.made["order"]
        ask = {"asset": self.made["cad"]}
        refused = maker.post(f"/orders/{order}/cad-links", ask, expect=403)
        if refused["code"] != "nda_required":
            raise DemoFailed(f"the gate refused with {refused['code']} instead of nda_required")
        acts.sign_nda(maker, order, "zh_Hans")
        for other in ("buyer", "designer", "production_manager"):
            self.people[other].post(f"/orders/{order}/cad-links", ask, expect=(403, 404))
        link = acts.cad_link(maker, order, self.made["cad"])
        visitor = self.transport.visitor()
        first = visitor.send("GET", own_path(link), None)
        if first.status != 303:
            raise DemoFailed(f"the CAD link answered {first.status}")
        data = requests.get(first.headers["Location"], timeout=60)
        if data.status_code != 200 or len(data.content) < 84:
            raise DemoFailed(f"the object store answered {data.status_code} to the CAD link")
        second = visitor.send("GET", own_path(link), None)
        if second.status in {200, 303}:
            raise DemoFailed("the CAD link worked twice")
        self.downloads += 1
        events = self.people["designer"].get(f"/audit?subject={self.made['cad']}")["items"]
        return f"{len(data.content):,} bytes once, then {second.status}; {len(events)} audit events for the designer"

    def production(self) -> str:
        """Stages, shipment, acceptance; then money for both."""
        maker, buyer, designer = self.people["manufacturer"], self.people["buyer"], self.people["designer"]
        order = self.made["order"]
        acts.make_stages(maker, order, self.photos[0])
        maker.post(
            f"/orders/{order}/shipments", {"carrier": "Malca-Amit", "tracking": f"MA{self.run_id}"}, expect=(200, 201)
        )
        buyer.post(f"/orders/{order}/accept-delivery")
        for caller in (maker, designer):
            caller.until(
                "/payouts",
                lambda p: p["items"] and all(_on_its_way(item) for item in p["items"]),
                f"the {caller.name}'s transfer",
            )
        return "delivered; " + ", ".join(
            f"{c.name} gets {sum(i['net']['amount'] for i in c.get('/payouts')['items']) / 100:,.2f} USD"
            for c in (maker, designer)
        )


def _on_its_way(item: dict[str, Any]) -> bool:
    """Whether a share was sent, or leaves with the operator's next bank file."""
    return bool(item["state"] == "sent" or (item["state"], item["reason"]) == ("due", "bank_file"))
