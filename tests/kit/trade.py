"""One whole trade: what the player leaves, and what a finished one no longer shows."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from demo import acts
from demo.play import SHIP_TO, TERMS, Player
from marketplace.accounts.models import Invitation, Organization, User
from marketplace.db.base import Base
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Asset, Fact, MarkedCover
from marketplace.inbox.models import Digest, InboundMail, ReplyAddress
from marketplace.kernel.actor import system
from marketplace.licensing.models import License
from marketplace.licensing.playbook.models import Approval, TermSheet
from marketplace.manufacturing.models import CadTrace
from marketplace.manufacturing.tracing import Finding
from marketplace.notifications.models import Notification
from marketplace.payments.claims import Alert, Dispute, GiveBack, Reconciliation, Refund, Reversal
from marketplace.payments.models import Checkout, Payout, Transfer
from marketplace.policy.permissions import ROLES
from marketplace.studio.models import ContentDraft
from tests.kit.instance import Instance
from tests.kit.people import Make, Person
from tests.kit.royalties import leave_statements
from tests.kit.waiting import asked_first, leave_bank_file, playbook, start_from

_SYSTEM = system("test")
#: A way out that the open thread names.
LINK = "https://example.com/price-list"
BRIEF = [
    {"kind": "metal", "to": "platinum_950_ru"},
    {"kind": "ring_size", "to": "US 8"},
    {"kind": "edit", "note": "A softer edge here.", "body": "metal", "point": [0, 8.5, 1.2]},
]


@dataclass
class Side:
    """One trade: a person for each role, and the ids of what they made."""

    people: dict[str, Person]
    ids: dict[str, str] = field(default_factory=dict)
    #: Words that only this side's parties may read.
    secrets: list[str] = field(default_factory=list)


class Trade:
    """Adds to a played trade: a draft, an open thread, an unsigned license, orders that are quoted and made."""

    def __init__(self, instance: Instance, make: Make, player: Player, operator: str, picture: Path) -> None:
        self.engine = instance.background.engine
        self.services = instance.background
        self.make, self.player, self.operator, self.picture = make, player, operator, picture
        self.ids = {k: v for k, v in player.made.items() if k != "messages"}
        self.designer, self.buyer = player.people["designer"], player.people["buyer"]
        self.maker, self.manager = player.people["manufacturer"], player.people["production_manager"]

    def side(self) -> Side:
        """The whole side."""
        self._draft()
        asked = self.designer.post("/privacy/requests", {"kind": "access"}, expect=201)
        self.ids["copy"] = asked["id"]
        self.designer.call("PUT", "/materials/rule:wear_prong", {"value": 0.7})
        self.designer.call("PUT", "/invoices/details", {"legal_name": "Valmont SARL", "tax_id": "FR 40303265045"})
        self._threads()
        self._addenda()
        self._orders()
        people = {role: self._person(role) for role in ROLES}
        secrets_ = [self._rename(role, person) for role, person in people.items() if role != "operator"]
        self._things_of(people)
        self.ids |= leave_statements(self.services, self.ids["license"])
        return Side(people, self.ids, secrets_)

    def _draft(self) -> None:
        title = f"Draft {secrets.token_hex(4)}"
        body = {"title": title, "category": "ring", "description": "Not finished.", "metadata": {}}
        draft = self.ids["draft"] = self.designer.post("/designs", body, expect=201)["id"]
        self.ids["draft_photo"] = acts.upload(self.designer, f"/designs/{draft}/assets", self.picture, "photo")
        acts.wait_for_files(self.designer, [self.ids["draft_photo"]])
        edits = f"/designs/{draft}/photos/{self.ids['draft_photo']}/edits"
        self.designer.post(f"{edits}/propose", {}, expect=202)
        self.designer.until(edits, lambda edit: edit["version"] > 0 or edit["notes"], "steps for the photo")
        jobs = self.designer.post(f"/designs/{draft}/content", {"kinds": ["story"]}, expect=202)["jobs"]
        self.ids["job"] = jobs[0]["id"]
        self.designer.until(f"/jobs/{self.ids['job']}", lambda j: j["state"] == "done", "a draft of the story")

    def _threads(self) -> None:
        until = (datetime.now(UTC) + timedelta(days=10)).replace(microsecond=0).isoformat()
        path = f"/designs/{self.ids['design']}/negotiations"
        sheet = {**TERMS, "valid_until": until}
        accepted = self.buyer.post(path, {"terms": sheet, "message": "A second license, please."}, expect=201)["id"]
        self.designer.post(f"/negotiations/{accepted}/accept", {"version": 1})
        with Session(self.engine) as session:
            query = select(License.id).where(License.negotiation_id == accepted)
            self.ids["unsigned"] = session.scalars(query).one()
        self.buyer.until(f"/licenses/{self.ids['unsigned']}", lambda seen: seen["state"] != "drafting", "the document")
        ended = self.ids["ended"] = self.buyer.post(path, {"terms": sheet}, expect=201)["id"]
        self.designer.post(f"/negotiations/{ended}/decline", {"version": 1, "code": "timing"})
        changed = {**sheet, "derivatives": "adapt", "brief": BRIEF}
        opened = self.buyer.post(path, {"terms": changed, "message": f"A third, {secrets.token_hex(6)}."}, expect=201)
        self.ids["open"] = opened["id"]
        browser = self._person("buyer").browser
        browser.post(f"/negotiations/{self.ids['open']}/read")
        self._said(f"/negotiations/{self.ids['open']}")
        self.designer.post(f"/negotiations/{self.ids['open']}/hold", {"version": 1, "days": 7}, expect=201)
        taker = self._person("designer").user.id
        self.designer.post(f"/negotiations/{self.ids['open']}/hand-over", {"user": taker})

    def _said(self, thread: str) -> None:
        """A comment with a way out, a file that was sent and one that waits."""
        about = {"term": "fee", "version": 1}
        text = f"Compare {LINK}, please."
        self.ids["comment"] = self.buyer.post(f"{thread}/messages", {"text": text, "about": about}, expect=201)["id"]
        for name in ("sent_file", "unsent_file"):
            self.ids[name] = acts.upload(self.buyer, f"{thread}/files", self.picture, "attachment")
        acts.wait_for_files(self.buyer, [self.ids["sent_file"], self.ids["unsent_file"]])
        self.buyer.post(f"{thread}/messages", {"text": "", "files": [self.ids["sent_file"]]}, expect=201)

    def _addenda(self) -> None:
        """A proposal that was withdrawn, and one that waits for its first signature."""
        path = f"/licenses/{self.ids['license']}"
        closed = self.designer.post(f"{path}/terminations", {"reason": "A mistake."}, expect=201)["id"]
        self.ids["closed_addendum"] = closed
        self.designer.post(f"{path}/addenda/{closed}/close")
        terms = {**self.designer.get(path)["terms"], "sell_off_months": 9}
        opened = self.designer.post(f"{path}/amendments", {"terms": terms, "reason": "More time."}, expect=201)["id"]
        self.ids["addendum"] = opened
        self.designer.until(f"{path}/addenda/{opened}", lambda seen: seen["state"] == "to_sign", "the amendment")

    def _order(self, quantity: int) -> str:
        body = {
            "lines": [{"quantity": quantity, "metal": "18k_yellow", "ring_size": "US 6.5"}],
            "ship_to": SHIP_TO,
            "production_manager": self.manager.get("/me")["organization"],
        }
        made = self.buyer.post(f"/licenses/{self.ids['license']}/orders", body, expect=201)
        return str(made["id"])

    def _quoted(self, order: str) -> tuple[str, str]:
        asked = {"manufacturers": [self.maker.get("/me")["organization"]]}
        self.manager.post(f"/orders/{order}/rfqs", asked, expect=201)
        rfq = next(item["id"] for item in self.maker.get("/rfqs")["items"] if item["order"] == order)
        quote = {
            "unit_price": {"amount": 30_000, "currency": "USD"},
            "lead_days": 20,
            "valid_until": (datetime.now(UTC) + timedelta(days=14)).date().isoformat(),
        }
        return rfq, str(self.maker.post(f"/rfqs/{rfq}/quotes", quote, expect=201)["id"])

    def _orders(self) -> None:
        self.ids["placed"] = self._order(5)
        self.ids["quoting"] = self._order(10)
        self.ids["rfq"], self.ids["quote"] = self._quoted(self.ids["quoting"])
        self.ids["awarded"] = self._order(12)
        _rfq, quote = self._quoted(self.ids["awarded"])
        self.manager.post(f"/orders/{self.ids['awarded']}/award", {"quote": quote})
        making = self.ids["making"] = self._order(15)
        _rfq, quote = self._quoted(making)
        self.manager.post(f"/orders/{making}/award", {"quote": quote})
        self.player.sandbox.pay(self.buyer.post(f"/orders/{making}/checkout")["url"])
        self.buyer.until(f"/orders/{making}", lambda o: o["state"] == "paid", "the order being paid")
        acts.sign_nda(self.maker, making)
        acts.cad_link(self.maker, making, self.ids["cad"])
        self.maker.post(f"/orders/{making}/stages", {"stage": "cad_review", "note": ""}, expect=(200, 201))
        self.ids["evidence"] = acts.upload(self.maker, f"/orders/{making}/assets", self.picture, "evidence")
        self.maker.until(f"/assets/{self.ids['evidence']}", lambda a: a["status"] == "ready", "the photo")

    def _money(self, session: Session, people: dict[str, Person]) -> None:
        """A refund that was asked for, a dispute, an alert: what a finished trade does not leave."""
        license_fee = session.scalars(select(Checkout).where(Checkout.subject_id == self.ids["license"])).one()
        common = {
            "checkout_id": license_fee.id,
            "purpose": "license",
            "subject_id": license_fee.subject_id,
            "about": license_fee.about,
            "description": license_fee.description,
            "payer_org_id": license_fee.payer_org_id,
            "orgs": [people["designer"].org.id],
            "amount": 5_000,
            "currency": license_fee.currency,
        }
        asked = Refund(
            **common,
            reason="quality",
            asked_by_org_id=people["buyer"].org.id,
            asked_by_user_id=people["buyer"].user.id,
        )
        moment = datetime.now(UTC)
        disputed = Dispute(
            **common,
            stripe_dispute_id=f"du_{secrets.token_hex(8)}",
            reason="product_not_received",
            status="won",
            settled="won",
            bundle_state="sent",
            bundle=[{"field": "customer_communication", "key": "disputes/x.pdf", "sha256": "0" * 64, "size": 900}],
            opened_at=moment,
            closed_at=moment,
        )
        alert = Alert(kind="debt", key=secrets.token_hex(8), subject_id=license_fee.id)
        session.add_all([asked, disputed, alert])
        session.flush()
        share = session.scalars(select(Transfer).where(Transfer.checkout_id == license_fee.id)).one()
        session.add_all(_given_back(share, license_fee, disputed))
        self.ids |= {
            "checkout": license_fee.id,
            "refund": asked.id,
            "dispute": disputed.id,
            "money_alert": alert.id,
            "share": share.id,
            "changed_org": people["designer"].org.id,
        }

    def _person(self, role: str) -> Person:
        email = self.operator if role == "operator" else f"{role}.{self.player.run_id}@demo.example"
        with Session(self.engine, expire_on_commit=False) as session:
            user = session.scalars(select(User).where(User.email == email)).one()
            query = text("select org_id from memberships where user_id = :user")
            org = session.get_one(Organization, session.scalar(query, {"user": user.id}))
        return self.make.sign_in(user, org, role)

    def _rename(self, role: str, person: Person) -> str:
        """Give the person a name that occurs nowhere else, so that it is found wherever it leaks."""
        name = f"{role.title()} {secrets.token_hex(5)}"
        with unit_of_work(self.engine, _SYSTEM) as session:
            session.execute(update(User).where(User.id == person.user.id).values(name=name))
        person.user.name = name
        return name

    def _reply_address(self, session: Session, person: Person) -> str:
        """Where the person answers by mail; made here when the mail that would have made it waits to be sent still."""
        query = select(ReplyAddress.id).where(ReplyAddress.user_id == person.user.id).limit(1)
        found = session.scalars(query).one_or_none()
        if found is None:
            found = f"rpl_{secrets.token_hex(8)}"
            until = datetime.now(UTC) + timedelta(days=30)
            row = ReplyAddress(
                id=found,
                user_id=person.user.id,
                org_id=person.org.id,
                negotiation_id=self.ids["open"],
                expires_at=until,
            )
            session.add(row)
            session.flush()
        return found

    def _things_of(self, people: dict[str, Person]) -> None:
        designer = people["designer"]
        with unit_of_work(self.engine, _SYSTEM) as session:
            invited = Invitation(
                org_id=designer.org.id,
                email=f"invited.{secrets.token_hex(4)}@example.com",
                role="designer",
                invited_by=designer.user.id,
            )
            session.add(invited)
            waiting = Organization(
                name=f"Waiting {secrets.token_hex(4)}",
                kind="manufacturer",
                address="1 Test Street, Testville",
                country="GB",
                state="pending",
            )
            session.add(waiting)
            trace = CadTrace(
                user_id=people["operator"].user.id,
                filename="found.stl",
                size=900,
                sha256="0" * 64,
                state="done",
                progress=100,
                result=Finding(filename="found.stl", sha256="0" * 64).model_dump(mode="json"),
            )
            session.add(trace)
            kept = playbook(people["designer"].org.id, people["buyer"].org.id, self.ids["design"])
            session.add_all(kept)
            asked = asked_first(
                self.ids["license"], self.ids["open"], designer.org.id, people["buyer"].org.id, self.ids["design"]
            )
            session.add(asked)
            session.add(Digest(user_id=designer.user.id, day=datetime.now(UTC).date()))
            session.add(
                InboundMail(
                    address_id=self._reply_address(session, designer),
                    delivery=secrets.token_hex(25),
                    sender=designer.user.email,
                )
            )
            self._money(session, people)
            session.flush()
            sheet = next(row for row in kept if isinstance(row, TermSheet))
            session.add(start_from(sheet, self.ids["draft"]))
            self.ids |= leave_bank_file(session, people["designer"].org.id, people["production_manager"].user.id)
            query = select(Notification.id).where(Notification.user_id == designer.user.id).limit(1)
            drafts = select(ContentDraft.id).where(ContentDraft.design_id == self.ids["draft"]).limit(1)
            photos = select(Asset.id).where(Asset.design_id == self.ids["design"], Asset.kind == "photo").limit(1)
            weight = Fact(design_id=self.ids["draft"], name="metal_weight_g", value=4.2, unit="g", source="human")
            session.add(weight)
            session.add(
                MarkedCover(
                    design_id=self.ids["draft"],
                    viewer_org_id=people["buyer"].org.id,
                    org_id=designer.org.id,
                    source_key="derived/none/cover.webp",
                    storage_key="derived/none/marked.webp",
                )
            )
            self.ids |= {
                "first_ask": asked.id,
                "sheet": sheet.id,
                "approval": next(row.id for row in kept if isinstance(row, Approval)),
                "photo": session.scalars(photos).one(),
                "invitation": invited.id,
                "waiting_org": waiting.id,
                "trace": trace.id,
                "notification": session.scalars(query).one(),
                "story": session.scalars(drafts).one(),
            }


def _given_back(share: Transfer, paid: Checkout, disputed: Dispute) -> list[Base]:
    """What a payee gave back, what was taken off its account, a comparison of the books, and a payout."""
    moment = datetime.now(UTC)
    told = {"kind": "amount", "object": share.id, "subject": paid.subject_id, "ours": 100, "theirs": 99}
    return [
        GiveBack(
            cause_id=disputed.id,
            checkout_id=paid.id,
            payer_org_id=paid.payer_org_id,
            org_id=share.org_id,
            kind=share.kind,
            net=100,
            fee=0,
            currency=paid.currency,
        ),
        Reversal(
            transfer_id=share.id,
            cause_id=disputed.id,
            org_id=share.org_id,
            subject_id=str(paid.subject_id),
            amount=100,
            currency=paid.currency,
            state="done",
            stripe_reversal_id=f"trr_{secrets.token_hex(8)}",
        ),
        Reconciliation(
            at=moment,
            since=moment - timedelta(days=3),
            compared=1,
            differences=[told],
            anchor=f"touchstone-ledger {share.id}",
        ),
        Payout(
            id=f"po_{secrets.token_hex(8)}",
            org_id=share.org_id,
            amount=500,
            currency=paid.currency,
            status="paid",
            arrival_date=moment,
            created_at=moment,
        ),
    ]
