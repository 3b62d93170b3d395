"""The answer to a dispute: contract, messages and proof of delivery as files, sent on a person's word."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import Organization
from marketplace.db.locks import lock
from marketplace.gateways.documents import make_pdf
from marketplace.gateways.payment_types import Evidence, PaymentRejected
from marketplace.kernel.money import Money
from marketplace.licensing.models import License
from marketplace.messaging.models import Message
from marketplace.orders.models import Order
from marketplace.payments import alerts, disputes
from marketplace.payments.claims import Dispute
from marketplace.payments.models import Checkout
from marketplace.production.models import Shipment, StageEvent
from marketplace.royalties.models import Statement, StatementLine
from workers.run import Run

_TEMPLATE = "evidence"
#: The bank's form takes five megabytes a file.
_MOST = 5 * 1024 * 1024
_PDF = "application/pdf"
_MESSAGES = 300
_LINES = 300


def assemble(run: Run, dispute_id: str) -> None:
    """Put the files of the answer together and keep them; a person reads them and sends them."""
    with run.phase(10) as session:
        row = lock(session, Dispute, dispute_id)
        if row.bundle_state in {"ready", "submitting", "sent"}:
            return
        row.bundle_state = "making"
        case = _Case(session, row, run.services.settings.brand_name)
        delivery, letters = case.delivery(), case.letters()
        kept, opened = case.kept_files(), row.opened_at
    files = {
        "shipping_documentation": make_pdf(_TEMPLATE, delivery, opened),
        "customer_communication": make_pdf(_TEMPLATE, letters, opened),
    }
    for field, key in kept.items():
        files[field] = run.services.storage.read(key, _MOST)
    bundle = []
    for field, data in files.items():
        digest = hashlib.sha256(data).hexdigest()
        key = f"disputes/{dispute_id}/{digest}.pdf"
        run.services.storage.put(key, data, _PDF, digest)
        bundle.append({"field": field, "key": key, "sha256": digest, "size": len(data)})
    with run.phase(95) as session:
        row = lock(session, Dispute, dispute_id)
        if row.bundle_state == "making":
            row.bundle, row.bundle_state = bundle, "ready"


def assembly_failed(session: Session, run: Run, why: str, dispute_id: str) -> None:
    """Say so on the dispute's page, and to the operators: the bank's clock is running."""
    row = lock(session, Dispute, dispute_id)
    row.bundle_state = "failed"
    alerts.raise_alert(session, run.actor, "evidence_failed", run.job_id, subject_id=dispute_id, why=why[:200])


def submit(run: Run, dispute_id: str) -> None:
    """Upload the files and send the answer, which the bank takes once; sent already is as good."""
    with run.phase() as session:
        row = session.get_one(Dispute, dispute_id)
        if row.bundle_state != "submitting":
            return
        checkout = session.get_one(Checkout, row.checkout_id)
        texts = _Case(session, row, run.services.settings.brand_name).texts(checkout)
    payments = run.services.payments
    found = payments.dispute(row.stripe_dispute_id)
    if not found.evidence_submitted:
        files = {}
        for item in row.bundle:
            data = run.services.storage.read(item["key"], _MOST)
            name = f"{item['field']}.pdf"
            files[item["field"]] = payments.upload_evidence(name, data, _PDF, f"{dispute_id}-{item['sha256'][:16]}")
        answer = Evidence(texts=texts, files=files)
        try:
            found = payments.submit_evidence(
                row.stripe_dispute_id, answer, submit=True, idempotency_key=_attempt(run, answer)
            )
        except PaymentRejected as error:
            with run.phase() as session:
                submit_failed(session, run, error.code, dispute_id)
            return
    with run.phase() as session:
        disputes.take_over(session, run.actor, row.checkout_id, found)


def _attempt(run: Run, answer: Evidence) -> str:
    """The key of sending this answer. Changed words are another request, and so is a person's second try: with the
    old key the vendor would repeat its refusal. The bank takes only one answer, whatever the key.
    """
    said = json.dumps([answer.texts, answer.files], sort_keys=True)
    return f"{run.job_id}-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def submit_failed(session: Session, run: Run, why: str, dispute_id: str) -> None:
    """It can be tried again while the bank still takes it."""
    row = lock(session, Dispute, dispute_id)
    if row.bundle_state == "submitting":
        row.bundle_state = "ready"
    alerts.raise_alert(session, run.actor, "evidence_failed", run.job_id, subject_id=dispute_id, why=why[:200])


class _Case:
    """What we know about a disputed payment, read in one go."""

    def __init__(self, session: Session, dispute: Dispute, brand: str) -> None:
        self.session, self.dispute, self.brand = session, dispute, brand
        self.order = session.get(Order, dispute.subject_id)
        self.statement = session.get(Statement, dispute.subject_id)
        about = self.order or self.statement
        self.license = session.get(License, about.license_id if about else dispute.subject_id)
        names = select(Organization.id, Organization.name).where(
            Organization.id.in_([dispute.payer_org_id, *dispute.orgs])
        )
        self.names: dict[str, str] = {row.id: row.name for row in session.execute(names)}
        self.shipment = (
            session.scalars(select(Shipment).where(Shipment.order_id == self.order.id)).one_or_none()
            if self.order
            else None
        )

    def kept_files(self) -> dict[str, str]:
        """Where the signed agreement lies, and the statement that was paid, by the fields of the bank's form."""
        held, statement = self.license, self.statement
        found = {
            "customer_signature": (held.signed_document_key or held.document_key) if held else None,
            "service_documentation": statement.document_key if statement else None,
        }
        return {field: key for field, key in found.items() if key}

    def delivery(self) -> dict[str, Any]:
        """What was delivered and how it is known."""
        checkout = self.session.get_one(Checkout, self.dispute.checkout_id)
        rows = [
            ["Payment", str(Money(checkout.amount, checkout.currency))],
            ["Paid", _at(checkout.paid_at)],
            ["For", checkout.description],
            ["Buyer", self.names.get(self.dispute.payer_org_id, "-")],
        ]
        made: list[list[str]] = []
        if self.license is not None and self.order is None:
            made += [["License", self.license.id], ["Signed", _at(self.license.signed_at)]]
            made += [["In force from", _at(self.license.active_from)]]
        if self.statement is not None:
            sections = [("Payment", rows, "-"), ("License", made, "-"), *self._account(self.statement)]
            return self._pages("Proof of what was owed", sections)
        if self.order is not None:
            query = select(StageEvent).where(StageEvent.order_id == self.order.id).order_by(StageEvent.created_at)
            made += [
                [
                    _at(step.created_at),
                    f"{step.stage.replace('_', ' ')} - {len(step.evidence)} photos. {step.note or ''}",
                ]
                for step in self.session.scalars(query)
            ]
        sent: list[list[str]] = []
        if self.shipment is not None:
            sent += [["Carrier", self.shipment.carrier], ["Tracking", self.shipment.tracking]]
            sent += [["Shipped", _at(self.shipment.shipped_at)]]
        if self.order is not None and self.order.delivered_at:
            sent += [["Accepted by the buyer", _at(self.order.delivered_at)]]
        return self._pages(
            "Proof of performance",
            [("Payment", rows, "-"), ("What was made", made, "Not begun."), ("Delivery", sent, "Not shipped.")],
        )

    def _account(self, row: Statement) -> list[tuple[str, list[list[str]], str]]:
        """A royalty statement and what it counts: the buyer's own orders, and the sales that the buyer reported."""
        facts = [
            ["Statement", f"{row.number}, {row.kind}"],
            ["Time", f"{row.starts} to {row.ends}" if row.kind != "advance" else f"from {row.starts}"],
            ["Issued", _at(row.issued_at)],
            ["Royalties earned", str(row.money(row.earned))],
            ["Amount due", str(row.due_money)],
        ]
        query = select(StatementLine).where(StatementLine.statement_id == row.id).order_by(StatementLine.position)
        lines = [
            [
                f"{line.day}",
                f"{'reported by the buyer' if line.kind == 'sale' else line.kind} - {line.quantity} pieces"
                f"{f', {line.territory} {line.channel}' if line.territory else ''}, royalty {row.money(line.royalty)}",
            ]
            for line in self.session.scalars(query.limit(_LINES))
        ]
        none = "An advance that the license asks for." if row.kind == "advance" else "A minimum that was agreed."
        return [("Royalty statement", facts, "-"), ("What it counts", lines, none)]

    def letters(self) -> dict[str, Any]:
        """What the two sides wrote to each other."""
        rows: list[list[str]] = []
        if self.license is not None:
            query = (
                select(Message)
                .where(Message.negotiation_id == self.license.negotiation_id)
                # The latest: what was said last is what the dispute is about.
                .order_by(Message.created_at.desc(), Message.id.desc())
                .limit(_MESSAGES)
            )
            for message in reversed(self.session.scalars(query).all()):
                rows.append([_at(message.created_at), f"{self.names.get(message.org_id, 'Party')}: {message.text}"])
        return self._pages("Messages between the parties", [("Messages", rows, "Nothing was written.")])

    def texts(self, checkout: Checkout) -> dict[str, str]:
        """The fields of the bank's form."""
        found = {
            "product_description": checkout.description,
            "customer_name": self.names.get(self.dispute.payer_org_id, ""),
            "customer_email_address": checkout.customer_email or "",
            "service_date": _at(checkout.paid_at)[:10],
        }
        if self.shipment is not None:
            found |= {
                "shipping_carrier": self.shipment.carrier,
                "shipping_tracking_number": self.shipment.tracking,
                "shipping_date": _at(self.shipment.shipped_at)[:10],
            }
        return {name: text for name, text in found.items() if text}

    def _pages(self, title: str, sections: list[tuple[str, list[list[str]], str]]) -> dict[str, Any]:
        return {
            "title": title,
            "lead": f"Payment {self.dispute.checkout_id}, dispute {self.dispute.stripe_dispute_id}",
            "brand": self.brand,
            "footer": f"{self.dispute.id} · times are UTC",
            "sections": [{"title": name, "rows": rows, "none": none} for name, rows, none in sections],
        }


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"
