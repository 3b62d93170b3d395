"""The demo world: four studios, their pieces from our own parametric models, two buyers, three workshops, a production
manager and the operator, with negotiations and orders in every stage. All made through the product's own doors."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from ai_pipeline.cad.models import PIECES, export_glb, export_stl
from demo import acts
from demo.transport import Caller, Transport

HERE = Path(__file__).parent
PASSWORD = "amber lantern harbor"  # noqa: S105 (shown on the terminal; the world is fictional and local)


@dataclass(frozen=True)
class Member:
    """Somebody of the demo world."""

    key: str
    role: str
    name: str
    business: str
    country: str

    @property
    def email(self) -> str:
        """A fictional address."""
        return f"{self.key}@demo.example"


MEMBERS = (
    Member("hanne", "designer", "Hanne Corvane", "Atelier Corvane", "BE"),
    Member("thomas", "designer", "Thomas Hollis", "Hollis & Fen", "GB"),
    Member("livia", "designer", "Livia Moretti", "Studio Meridia", "IT"),
    Member("linh", "designer", "陳靈", "Linh Arbor", "HK"),
    Member("edith", "buyer", "Edith Marsh", "Meridian Jewelers", "GB"),
    Member("zhao", "buyer", "赵敏", "明德珠宝", "CN"),
    Member("chenwei", "manufacturer", "Chen Wei", "Golden Lantern Workshop", "CN"),
    Member("rosa", "manufacturer", "Rosa Bianchi", "Officina Bianchi", "IT"),
    Member("arjun", "manufacturer", "Arjun Mehta", "Mehta Casting House", "IN"),
    Member("jonas", "production_manager", "Jonas Lind", "Northgate Production", "DE"),
)
LANGUAGES = {"linh": "zh_Hant", "zhao": "zh_Hans", "chenwei": "zh_Hans"}
#: Who the printed logins are, one per role.
FIRST = {"designer": "hanne", "buyer": "edith", "manufacturer": "chenwei", "production_manager": "jonas"}
OPERATOR = Member("desk", "operator", "Olive Kerr", "", "GB")


@dataclass
class World:
    """What has been made so far."""

    transport: Transport
    sandbox: acts.Sandbox
    scratch: Path
    say: Callable[[str], None] = print
    people: dict[str, Caller] = field(default_factory=dict)
    designs: dict[str, str] = field(default_factory=dict)

    def make(self, set_language: Callable[[str, str], None]) -> None:
        """Everything, in the order people would do it; `set_language(email, locale)` sets a person's language."""
        self._people(set_language)
        self._designs()
        self._deals()

    def _people(self, set_language: Callable[[str, str], None]) -> None:
        for member in MEMBERS:
            acts.join(
                self.transport,
                self.sandbox,
                role=member.role,
                name=member.name,
                email=member.email,
                password=PASSWORD,
                business=member.business,
                country=member.country,
            )
            if member.key in LANGUAGES:
                set_language(member.email, LANGUAGES[member.key])
        waiting = [m.business for m in MEMBERS if m.role != "designer"]
        acts.approve(self.transport, OPERATOR.email, PASSWORD, waiting)
        for member in MEMBERS:
            self.people[member.key] = acts.sign_in(self.transport, member.key, member.email, PASSWORD)
        for member in MEMBERS:
            if member.role in {"designer", "manufacturer"} and member.key != "arjun":
                acts.set_up_payouts(self.people[member.key], self.sandbox, member.business, PASSWORD)
        self.say(f"{len(MEMBERS)} people joined and were approved")

    def _designs(self) -> None:
        pieces: list[dict[str, Any]] = self.catalog["pieces"]
        files: dict[str, list[str]] = {}
        for piece in pieces:
            owner = self.owner_of(piece["slug"])
            design = owner.post("/designs", _design_body(piece), expect=201)["id"]
            self.designs[piece["slug"]] = design
            path = f"/designs/{design}/assets"
            pictures = [p for name in piece["pictures"] if (p := HERE / "pictures" / name).exists()]
            sent = [acts.upload(owner, path, picture, "photo") for picture in pictures]
            sent.append(acts.upload(owner, path, self._cad(piece["slug"]), "cad"))
            files[piece["slug"]] = sent
        self.say(f"{len(pieces)} designs created, their files are being checked and measured")
        for piece in pieces:
            owner = self.owner_of(piece["slug"])
            acts.wait_for_files(owner, files[piece["slug"]])
        for number, piece in enumerate(pieces):
            owner = self.owner_of(piece["slug"])
            if number % 3 == 0:
                acts.create_content(owner, self.designs[piece["slug"]])
            if number % 9 != 8:  # some remain drafts, as on any real desk
                owner.post(f"/designs/{self.designs[piece['slug']]}/list")
        self.say("designs measured, described and listed")

    def _cad(self, slug: str) -> Path:
        design = PIECES[slug]
        piece = design.build()
        stones = bool(piece.stones)
        path = self.scratch / f"{slug}.{'glb' if stones else 'stl'}"
        (export_glb if stones else export_stl)(piece, path)
        return path

    def _deals(self) -> None:
        deals = Deals(self)
        deals.waiting_for_the_designer("knife-edge-band", "edith")
        deals.waiting_for_the_designer("rope-band", "edith")
        deals.in_two_languages("half-eternity", "zhao")
        deals.to_be_signed("sapphire-trilogy", "edith")
        deals.in_quoting("oval-signet", "edith", license_id=deals.advanced("oval-signet", "edith", paid=False))
        deals.in_production("court-band", "zhao", license_id=deals.advanced("court-band", "zhao", paid=True))
        deals.delivered("six-claw-solitaire", "edith")
        self.say("negotiations, licenses and orders in every stage")

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """Our own pieces with their words, and the studios they belong to."""
        found: dict[str, Any] = json.loads((HERE / "pieces.json").read_text())
        shown = [p for p in found["pieces"] if (HERE / "pictures" / p["pictures"][0]).exists()]
        return {**found, "pieces": shown}

    def owner_of(self, slug: str) -> Caller:
        """The designer of a piece."""
        studios = {s["slug"]: s["name"] for s in self.catalog["studios"]}
        owners = {m.business: m.key for m in MEMBERS if m.role == "designer"}
        studio = next(p["studio"] for p in self.catalog["pieces"] if p["slug"] == slug)
        return self.people[owners[studios[studio]]]


#: The alloy codes of the catalog for those that the pictures were made in.
ALLOYS = {"platinum": "platinum_950_ru", "silver": "sterling", "18k_white": "18k_white_pd"}
_STONES = ("diamond", "sapphire", "lapis", "amethyst", "emerald", "ruby")


def _design_body(piece: dict[str, Any]) -> dict[str, Any]:
    words = " ".join(piece["stones"])
    return {
        "title": piece["title"],
        "category": piece["category"],
        "description": piece["description"],
        "metadata": {
            "metals": [ALLOYS.get(piece["metal"], piece["metal"])],
            "stones": [stone for stone in _STONES if stone in words],
        },
        "list_price": {"amount": piece["license_price"], "currency": piece["currency"]},
    }


def terms(fee: int, *, days: int = 21, **more: Any) -> dict[str, Any]:
    """A complete term sheet; `fee` in US cents."""
    until = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    return {
        "kind": "non_exclusive",
        "territories": ["GB", "FR", "DE"],
        "channels": ["retail", "online"],
        "term_months": 24,
        "max_units": 500,
        "fee": {"amount": fee, "currency": "USD"},
        "royalty_per_unit": {"amount": 3_500, "currency": "USD"},
        "royalty_base": "unit",
        "derivatives": "resize",
        "marketing_images": True,
        "governing_language": "en",
        "valid_until": until.isoformat(),
        **more,
    }


class Deals:
    """Negotiations and what follows from them, each left in another stage."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _open(self, slug: str, buyer: str, sheet: dict[str, Any], message: str) -> str:
        path = f"/designs/{self.world.designs[slug]}/negotiations"
        made = self.world.people[buyer].post(path, {"terms": sheet, "message": message}, expect=201)
        return str(made["id"])

    def waiting_for_the_designer(self, slug: str, buyer: str) -> None:
        """The buyer has made an offer; nobody has answered."""
        self._open(
            slug,
            buyer,
            terms(160_000),
            "We like this piece very much. The term should be 24 months. What is your price for 50 pieces?",
        )

    def in_two_languages(self, slug: str, buyer: str) -> None:
        """Offer in Chinese, counter in English, messages in both."""
        neg = self._open(
            slug, buyer, terms(190_000, territories=["CN", "HK"]), "您好。我们非常喜欢这件作品。我们计划订购60件。"
        )
        owner = self.world.owner_of(slug)
        text = "Thank you for your offer. We can go up to 2,400 USD. I have sent a new offer."
        owner.post(f"/negotiations/{neg}/messages", {"text": text}, expect=(200, 201))
        counter = terms(240_000, territories=["CN", "HK"])
        owner.post(f"/negotiations/{neg}/offers", {"base_version": 1, "terms": counter}, expect=201)
        reply = "交货期是多久？请先寄样品给我们。"
        self.world.people[buyer].post(f"/negotiations/{neg}/messages", {"text": reply}, expect=(200, 201))

    def to_be_signed(self, slug: str, buyer: str, sheet: dict[str, Any] | None = None) -> str:
        """Terms accepted; the license waits for signatures."""
        neg = self._open(slug, buyer, sheet or terms(150_000), "We agree. We plan to order 40 pieces.")
        self.world.owner_of(slug).post(f"/negotiations/{neg}/accept", {"version": 1})
        licenses = self.world.people[buyer].get("/licenses")["items"]
        return str(next(item["id"] for item in licenses if item["negotiation"] == neg))

    def active(self, slug: str, buyer: str, sheet: dict[str, Any] | None = None) -> str:
        """Signed by both and paid."""
        license_id = self.to_be_signed(slug, buyer, sheet)
        acts.sign_license(self.world.owner_of(slug), license_id)
        acts.sign_license(self.world.people[buyer], license_id)
        acts.pay_license(self.world.people[buyer], self.world.sandbox, license_id)
        return license_id

    def advanced(self, slug: str, buyer: str, *, paid: bool) -> str:
        """A license on net sales with an advance, whose statement is there, and paid when asked for."""
        on_sales: dict[str, Any] = {"royalty_per_unit": None, "royalty_percent": 7.5, "royalty_base": "net_sales"}
        sheet = terms(170_000, **on_sales, advance={"amount": 60_000, "currency": "USD"})
        license_id, caller = self.active(slug, buyer, sheet), self.world.people[buyer]
        path = f"/licenses/{license_id}/statements"
        seen = caller.until(
            path, lambda found: any(s["number"] for s in found["items"]), "the statement of the advance"
        )
        if paid:
            statement = f"/statements/{seen['items'][0]['id']}"
            self.world.sandbox.pay(caller.post(f"{statement}/checkout")["url"])
            caller.until(statement, lambda found: found["state"] == "paid", "the statement being paid")
        return license_id

    def in_quoting(self, slug: str, buyer: str, quantity: int = 40, license_id: str | None = None) -> str:
        """An order with two quotes to compare, under this license or a new one."""
        people = self.world.people
        license_id = license_id or self.active(slug, buyer)
        manager = people["jonas"]
        order = people[buyer].post(
            f"/licenses/{license_id}/orders",
            {
                "lines": [{"quantity": quantity, "metal": "18k_yellow", "ring_size": "US 7"}],
                "ship_to": {
                    "name": people[buyer].get("/me")["organizations"][0]["name"],
                    "line1": "4 Exchange Court",
                    "city": "London",
                    "postal_code": "WC2R 0JU",
                    "country": "GB",
                },
                "production_manager": manager.get("/me")["organization"],
            },
            expect=201,
        )["id"]
        makers = {key: people[key].get("/me")["organization"] for key in ("chenwei", "rosa")}
        manager.post(f"/orders/{order}/rfqs", {"manufacturers": list(makers.values())}, expect=201)
        for key, price, days in (("chenwei", 26_400, 24), ("rosa", 31_900, 15)):
            rfq = next(r["id"] for r in people[key].get("/rfqs")["items"] if r["order"] == order)
            people[key].post(
                f"/rfqs/{rfq}/quotes",
                {
                    "unit_price": {"amount": price, "currency": "USD"},
                    "tooling": {"amount": 9_000, "currency": "USD"},
                    "lead_days": days,
                    "valid_until": (datetime.now(UTC) + timedelta(days=21)).date().isoformat(),
                },
                expect=201,
            )
        return str(order)

    def in_production(self, slug: str, buyer: str, *, stages: int = 3, license_id: str | None = None) -> str:
        """Awarded to the Chinese workshop, paid, NDA signed, some stages done."""
        people = self.world.people
        order = self.in_quoting(slug, buyer, 30, license_id)
        quotes = [r["quote"] for r in people["jonas"].get(f"/orders/{order}/rfqs")["items"]]
        best = min(quotes, key=lambda q: int(q["unit_price"]["amount"]))
        people["jonas"].post(f"/orders/{order}/award", {"quote": best["id"]})
        self.world.sandbox.pay(people[buyer].post(f"/orders/{order}/checkout")["url"])
        people[buyer].until(f"/orders/{order}", lambda o: o["state"] == "paid", "the order being paid")
        maker = people["chenwei"]
        acts.sign_nda(maker, order, "zh_Hans")
        seen = maker.get(f"/orders/{order}")
        acts.cad_link(maker, order, seen["cad"][0]["asset"])
        photo = next((HERE / "pictures").glob(f"{slug}-*.webp"))
        acts.make_stages(maker, order, photo, upto=stages)
        return order

    def delivered(self, slug: str, buyer: str) -> None:
        """Shipped, accepted; the money is on its way."""
        order = self.in_production(slug, buyer, stages=8)
        shipment = {"carrier": "Malca-Amit", "tracking": f"MA{secrets.randbelow(10**8):08d}"}
        self.world.people["chenwei"].post(f"/orders/{order}/shipments", shipment, expect=(200, 201))
        self.world.people[buyer].post(f"/orders/{order}/accept-delivery")


def logins() -> dict[str, dict[str, str]]:
    """One login per role, as `./dev run` prints them."""
    emails = {m.key: m.email for m in MEMBERS}
    found = {role: {"email": emails[key], "password": PASSWORD} for role, key in FIRST.items()}
    return {**found, "operator": {"email": OPERATOR.email, "password": PASSWORD}}
