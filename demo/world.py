"""The demo world: four studios, their pieces from our own parametric models, two buyers, three workshops, a production
manager and the operator, with negotiations and orders in every stage. All made through the product's own doors."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
    Member("iris", "designer", "Iris Valmont", "Atelier Valmont", "FR"),
    Member("kenji", "designer", "Kenji Arai", "Arai Form", "JP"),
    Member("mairead", "designer", "Mairead Quinn", "Quinn & Harrow", "IE"),
    Member("linyue", "designer", "林月", "月石工作室", "CN"),
    Member("edith", "buyer", "Edith Marsh", "Meridian Jewelers", "GB"),
    Member("zhao", "buyer", "赵敏", "明德珠宝", "CN"),
    Member("chenwei", "manufacturer", "Chen Wei", "Golden Lantern Workshop", "CN"),
    Member("rosa", "manufacturer", "Rosa Bianchi", "Officina Bianchi", "IT"),
    Member("arjun", "manufacturer", "Arjun Mehta", "Mehta Casting House", "IN"),
    Member("jonas", "production_manager", "Jonas Lind", "Northgate Production", "DE"),
)
CHINESE = frozenset({"linyue", "zhao", "chenwei"})
#: Who the printed logins are, one per role.
FIRST = {"designer": "iris", "buyer": "edith", "manufacturer": "chenwei", "production_manager": "jonas"}
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
            if member.key in CHINESE:
                set_language(member.email, "zh_Hans")
        waiting = [m.business for m in MEMBERS if m.role != "designer"]
        acts.approve(self.transport, OPERATOR.email, PASSWORD, waiting)
        for member in MEMBERS:
            self.people[member.key] = acts.sign_in(self.transport, member.key, member.email, PASSWORD)
        for member in MEMBERS:
            if member.role in {"designer", "manufacturer"} and member.key != "arjun":
                self.sandbox.onboard(self.people[member.key].post("/payouts/onboarding")["url"])
        self.say(f"{len(MEMBERS)} people joined and were approved")

    def _designs(self) -> None:
        pieces: list[dict[str, Any]] = json.loads((HERE / "pieces.json").read_text())["pieces"]
        owners = {m.business: m.key for m in MEMBERS if m.role == "designer"}
        files: dict[str, list[str]] = {}
        for piece in pieces:
            owner = self.people[owners[piece["studio"]]]
            design = owner.post("/designs", _design_body(piece), expect=201)["id"]
            self.designs[piece["slug"]] = design
            path = f"/designs/{design}/assets"
            pictures = [HERE / "pictures" / name for name in piece["pictures"]]
            sent = [acts.upload(owner, path, picture, "photo") for picture in pictures]
            sent.append(acts.upload(owner, path, self._cad(piece["slug"]), "cad"))
            files[piece["slug"]] = sent
        self.say(f"{len(pieces)} designs created, their files are being checked and measured")
        for piece in pieces:
            owner = self.people[owners[piece["studio"]]]
            acts.wait_for_files(owner, files[piece["slug"]])
        for number, piece in enumerate(pieces):
            owner = self.people[owners[piece["studio"]]]
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
        deals.waiting_for_the_designer("knife-edge-band", "iris", "edith")
        deals.in_two_languages("half-eternity", "mairead", "zhao")
        deals.to_be_signed("beech-leaf", "edith")
        deals.in_quoting("oval-signet", "edith")
        deals.in_production("court-band", "zhao")
        deals.delivered("six-claw-solitaire", "edith")
        self.say("negotiations, licenses and orders in every stage")

    def owner_of(self, slug: str) -> Caller:
        """The designer of a piece."""
        pieces = json.loads((HERE / "pieces.json").read_text())["pieces"]
        owners = {m.business: m.key for m in MEMBERS if m.role == "designer"}
        studio = next(p["studio"] for p in pieces if p["slug"] == slug)
        return self.people[owners[studio]]


def _design_body(piece: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": piece["title"],
        "category": piece["category"],
        "description": piece["description"],
        "metadata": {"metals": piece["metals"], "stones": piece.get("stones", [])},
        "list_price": piece["price"],
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

    def waiting_for_the_designer(self, slug: str, designer: str, buyer: str) -> None:
        """The buyer has made an offer; nobody has answered."""
        self._open(
            slug, buyer, terms(160_000), "We would like this band for our spring windows. Is 24 months possible?"
        )

    def in_two_languages(self, slug: str, designer: str, buyer: str) -> None:
        """Offer in Chinese, counter in English, messages in both."""
        neg = self._open(
            slug, buyer, terms(190_000, territories=["CN", "HK"]), "您好，我们想在中国和香港销售这款戒指。"
        )
        owner = self.world.owner_of(slug)
        text = "Thank you. For 24 months I would need 2,400 USD; the royalty can stay at 35 USD per piece."
        owner.post(f"/negotiations/{neg}/messages", {"text": text}, expect=(200, 201))
        counter = terms(240_000, territories=["CN", "HK"])
        owner.post(f"/negotiations/{neg}/offers", {"base_version": 1, "terms": counter}, expect=201)
        reply = "可以，但交货期需要在 30 天以内。"
        self.world.people[buyer].post(f"/negotiations/{neg}/messages", {"text": reply}, expect=(200, 201))

    def to_be_signed(self, slug: str, buyer: str, sheet: dict[str, Any] | None = None) -> str:
        """Terms accepted; the license waits for signatures."""
        neg = self._open(slug, buyer, sheet or terms(150_000), "The terms are as discussed at the fair.")
        self.world.owner_of(slug).post(f"/negotiations/{neg}/accept", {"version": 1})
        licenses = self.world.people[buyer].get("/licenses")["items"]
        return str(next(item["id"] for item in licenses if item["negotiation"] == neg))

    def active(self, slug: str, buyer: str) -> str:
        """Signed by both and paid."""
        license_id = self.to_be_signed(slug, buyer)
        acts.sign_license(self.world.owner_of(slug), license_id)
        acts.sign_license(self.world.people[buyer], license_id)
        acts.pay_license(self.world.people[buyer], self.world.sandbox, license_id)
        return license_id

    def in_quoting(self, slug: str, buyer: str, quantity: int = 40) -> str:
        """An order with two quotes to compare."""
        people = self.world.people
        license_id = self.active(slug, buyer)
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

    def in_production(self, slug: str, buyer: str, *, stages: int = 3) -> str:
        """Awarded to the Chinese workshop, paid, NDA signed, some stages done."""
        people = self.world.people
        order = self.in_quoting(slug, buyer, 30)
        quotes = [r["quote"] for r in people["jonas"].get(f"/orders/{order}/rfqs")["items"]]
        best = min(quotes, key=lambda q: int(q["unit_price"]["amount"]))
        people["jonas"].post(f"/orders/{order}/award", {"quote": best["id"]})
        self.world.sandbox.pay(people[buyer].post(f"/orders/{order}/checkout")["url"])
        people[buyer].until(f"/orders/{order}", lambda o: o["state"] == "paid", "the order being paid")
        maker = people["chenwei"]
        acts.sign_nda(maker, order, "zh_Hans")
        seen = maker.get(f"/orders/{order}")
        maker.post(f"/orders/{order}/cad-links", {"asset": seen["cad"][0]["asset"]}, expect=201)
        for stage in (
            "cad_review",
            "wax",
            "casting",
            "finishing",
            "setting",
            "polishing",
            "quality_control",
            "packing",
        )[:stages]:
            maker.post(f"/orders/{order}/stages", {"stage": stage, "note": "已完成，一切正常。"}, expect=(200, 201))
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
