"""A job of every costly kind, staged so that a worker can be killed in the middle of each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from demo.inprocess import LATER, InProcess
from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs.models import Design
from marketplace.kernel import clock
from marketplace.kernel.actor import system
from marketplace.payments.models import Checkout, PaymentAccount, Transfer
from tests.kit.files import photo, send
from tests.kit.instance import Instance
from tests.kit.people import Make

#: Longer than it takes to notice that a call was made and to kill, shorter than any client's patience.
DELAY_MS = 10_000
TERMS = {
    "kind": "non_exclusive",
    "territories": ["DE", "FR"],
    "channels": ["online"],
    "term_months": 24,
    "fee": {"amount": 125_000, "currency": "USD"},
    "royalty_percent": 7.5,
}


@dataclass(frozen=True)
class Staged:
    """One waiting job and how to tell that its worker is in the middle of it."""

    job_id: str
    in_the_middle: Callable[[], bool]


@dataclass
class Scene:
    """People, their waiting jobs by name, and the ids of what the jobs are about."""

    instance: Instance
    app: Flask
    #: Holds row locks at which jobs wait; rolled back after their kills.
    blocker: Connection
    jobs: dict[str, Staged] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.make = Make(self.app, self.instance.background)
        self.transport = InProcess(self.app, self.instance.background)
        self.designer, self.buyer = self.make.person("designer"), self.make.person("buyer")

    def stage(self) -> None:
        """Everything up to the point where one job of each kind waits, and no other."""
        self._onboard()
        paid, event = self._agree("Onda"), self._agree("Marea")
        self._settle()
        self._sign_and_pay(paid)
        self._settle()
        self._sign_and_pay(event)
        document = self._agree("Brezza")
        self._settle(JobName.HANDLE_PAYMENT_EVENT, JobName.MAKE_LICENSE_DOCUMENT)
        self._transfer(paid)
        self._event(event)
        self._document(document)
        self._story()
        self._asset()
        self._mail()

    def row(self, job_id: str) -> JobRow:
        """The job as it is now."""
        with Session(self.instance.background.engine, expire_on_commit=False) as session:
            return session.get_one(JobRow, job_id)

    def _settle(self, *leave: JobName) -> None:
        """Run what is due, but no transfer and none of `leave`."""
        self.transport.skip = frozenset({*LATER, JobName.SEND_TRANSFER, *leave})
        for _ in range(8):
            self.transport.settle()

    def _onboard(self) -> None:
        answer = self.designer.api.post("/payouts/onboarding")
        assert answer.status_code == 200, answer.text
        with Session(self.instance.background.engine) as session:
            account = session.get_one(PaymentAccount, self.designer.org.id).stripe_account_id
        self._stripe("POST", f"/accounts/{account}/onboard")
        self._settle()

    def _agree(self, title: str) -> str:
        with unit_of_work(self.instance.background.engine, system("test")) as session:
            design = Design(
                org_id=self.designer.org.id,
                title=title,
                category="ring",
                description="A wave in gold.",
                state="listed",
                listed_at=clock.now(),
                list_price_amount=150_000,
                list_price_currency="USD",
                cad_pins=[{"asset_id": "ast_ring", "sha256": "ab" * 32, "filename": "ring.stl", "size": 1}],
            )
            session.add(design)
            session.flush()
            design_id = design.id
        opened = self.buyer.api.post(f"/designs/{design_id}/negotiations", {"terms": TERMS})
        assert opened.status_code == 201, opened.text
        agreed = self.designer.api.post(f"/negotiations/{opened.json['id']}/accept", {"version": 1})
        assert agreed.status_code == 200, agreed.text
        with Session(self.instance.background.engine) as session:
            query = text("select id from licenses where negotiation_id = :id")
            return str(session.scalar(query, {"id": opened.json["id"]}))

    def _sign_and_pay(self, license_id: str) -> None:
        for person in (self.designer, self.buyer):
            body = {"typed_name": person.user.name, "agree": True}
            answer = person.api.post(f"/licenses/{license_id}/sign", body)
            assert answer.status_code in {200, 201}, answer.text
        self._settle()
        opened = self.buyer.api.post(f"/licenses/{license_id}/checkout")
        assert opened.status_code in {200, 201}, opened.text
        with Session(self.instance.background.engine) as session:
            page = session.scalars(select(Checkout.stripe_session_id).where(Checkout.subject_id == license_id)).one()
        self._stripe("POST", f"/checkout/{page}/pay")

    def _transfer(self, license_id: str) -> None:
        with Session(self.instance.background.engine) as session:
            row = session.scalars(select(Transfer).where(Transfer.subject_id == license_id)).one()
        self.ids |= {"paid license": license_id, "transfer": row.id}
        self._order_failure("stripe", next=2, path="^/v1/transfers$", delay_ms=DELAY_MS)  # look, then make
        self._add("transfer", JobName.SEND_TRANSFER, lambda: self._ordered("stripe") == 0)

    def _event(self, license_id: str) -> None:
        self.ids["license"] = license_id
        self.blocker.execute(text("select 1 from checkouts where subject_id = :id for update"), {"id": license_id})
        query = text(
            "select count(*) from pg_stat_activity"
            " where wait_event_type = 'Lock' and query like '%FROM checkouts%FOR UPDATE%'"
        )
        with Session(self.instance.background.engine) as session:
            waiting = session.execute(
                select(JobRow.id, JobRow.args).where(
                    JobRow.name == JobName.HANDLE_PAYMENT_EVENT, JobRow.state == "queued"
                )
            ).all()
            wanted = "select type from payment_events where id = :id"
            job_id = next(
                job_id
                for job_id, args in waiting
                if session.scalar(text(wanted), {"id": args["event_id"]}) == "checkout.session.completed"
            )

        def blocked() -> bool:
            with self.instance.owner.connect() as connection:
                return bool(connection.scalar(query))

        self.jobs["payment event"] = Staged(job_id, blocked)

    def _document(self, license_id: str) -> None:
        """The job waits with the document in the store, before it says so on the license; rows may refer to it."""
        self.ids["drafted license"] = license_id
        self.blocker.execute(text("select 1 from licenses where id = :id for no key update"), {"id": license_id})
        job_id = self._waiting(JobName.MAKE_LICENSE_DOCUMENT)
        self.jobs["document"] = Staged(job_id, lambda: self.row(job_id).progress >= 70)

    def _story(self) -> None:
        body = {"title": "Scirocco", "category": "ring", "description": "A wide band with a wind-blown edge."}
        design_id = self.ids["design"] = str(self.designer.api.post("/designs", body).json["id"])
        answer = self.designer.api.post(f"/designs/{design_id}/content", {"kinds": ["story"]})
        assert answer.status_code == 202, answer.text
        self._order_failure("gemini", next=1, delay_ms=DELAY_MS)
        self._add("story", JobName.DRAFT_STORY, lambda: self._ordered("gemini") == 0)

    def _asset(self) -> None:
        self.ids["asset"] = send(self.designer, self.ids["design"], photo(width=4_500))
        job_id = self._waiting(JobName.PROCESS_ASSET)
        self.jobs["photo"] = Staged(job_id, lambda: self.row(job_id).progress >= 30)

    def _mail(self) -> None:
        self.ids["address"] = "mara.lindqvist@example.com"
        form = {
            "role": "designer",
            "name": "Mara Lindqvist",
            "email": self.ids["address"],
            "password": "a plum stone in amber",
            "business_name": "Lindqvist",
            "address": "1 Test Street, Testville",
            "country": "SE",
            "adult": "true",
            "terms": "true",
        }
        assert self.make.visitor().post("/join", form).status_code == 303
        self._order_failure("mail", next=1, status=451, delay_ms=DELAY_MS)
        self._add("mail", JobName.SEND_MAIL, lambda: self._ordered("mail") == 0)

    def _add(self, name: str, job: JobName, in_the_middle: Callable[[], bool]) -> None:
        self.jobs[name] = Staged(self._waiting(job), in_the_middle)

    def _waiting(self, name: JobName) -> str:
        with Session(self.instance.background.engine) as session:
            query = select(JobRow.id).where(JobRow.name == name, JobRow.state == "queued")
            return session.scalars(query).one()

    def _order_failure(self, vendor: str, **how: Any) -> None:
        requests.post(self._address(vendor) + "/_sandbox/fail", json=how, timeout=60).raise_for_status()

    def _ordered(self, vendor: str) -> int:
        return int(requests.get(self._address(vendor) + "/_sandbox/fail", timeout=60).json()["next"])

    def _stripe(self, method: str, path: str) -> None:
        requests.request(method, f"{self._address('stripe')}/_sandbox{path}", timeout=60).raise_for_status()

    def _address(self, vendor: str) -> str:
        settings = self.instance.settings
        return {
            "stripe": settings.stripe_api_base,
            "gemini": settings.gemini_base_url,
            "mail": self.instance.mail_url,
        }[vendor]
